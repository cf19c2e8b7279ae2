//! The arguments.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args as ClapArgs, Parser, Subcommand};

/// The companion server of Countersign.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 120)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) place: Place,
    /// Write results, errors and what serve has to say as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Where things are kept.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Place {
    /// The folder of the database and the keys; made when it is missing
    #[arg(long, global = true, env = "COUNTERSIGN_SERVER_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Another database than the one in the folder: postgres://USER@HOST/NAME
    #[arg(long, global = true, env = "COUNTERSIGN_SERVER_DATABASE", value_name = "URL", hide_env_values = true)]
    pub(super) database: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Answer requests
    Serve(Serve),
    /// Administrators
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Open the door for an administrator who lost the only token
    Rescue(Rescue),
    /// Users
    #[command(subcommand)]
    User(UserCommand),
    /// Groups, whose policy differs from the server's
    #[command(subcommand)]
    Group(GroupCommand),
    /// What is set on the server
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Users' tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Apps that have a token
    #[command(subcommand)]
    App(AppCommand),
    /// Messages on their way out
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Keys with which other systems ask
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// What happened
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The key that secrets are sealed with
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the OpenAPI document of what serve answers
    Openapi,
}

/// How to answer requests.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Serve {
    /// Address or name, and port
    #[arg(
        long,
        env = "COUNTERSIGN_SERVER_LISTEN",
        default_value = "127.0.0.1:8470",
        value_name = "ADDR:PORT",
        value_parser = listen
    )]
    pub(super) listen: String,
    /// The certificate chain in PEM: with it the server speaks HTTPS
    #[arg(long, env = "COUNTERSIGN_SERVER_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, env = "COUNTERSIGN_SERVER_TLS_KEY", value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// What is logged, to standard error: error, warn, info, debug, trace, or MODULE=LEVEL,..
    #[arg(long, env = "COUNTERSIGN_SERVER_LOG", default_value = "info", value_name = "FILTER")]
    pub(super) log: String,
}

/// An address with a port, or a name with one, which is looked up when the server starts.
fn listen(text: &str) -> Result<String, &'static str> {
    let named = text.rsplit_once(':').is_some_and(|(name, port)| {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        !name.is_empty() && plain && port.parse::<u16>().is_ok()
    });
    if named || text.parse::<SocketAddr>().is_ok() {
        Ok(text.to_owned())
    } else {
        Err("an address is ADDR:PORT, as in 127.0.0.1:8470, [::1]:8470 or localhost:8470")
    }
}

/// `admin ..`
#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Add an administrator; asks for the password where no file is named
    Create(CreateAdministrator),
}

/// An administrator to be added.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct CreateAdministrator {
    /// The name
    pub(super) name: String,
    /// The phone number, as in +49 170 1234567
    #[arg(long, value_name = "NUMBER")]
    pub(super) phone: Option<String>,
    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    /// A file with the password in its first line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Make an API key of that name, too, which may everything, and print it
    #[arg(long, value_name = "NAME")]
    pub(super) api_key: Option<String>,
}

/// Whom to let in.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Rescue {
    /// The administrator; the lost tokens stop working
    pub(super) name: String,
    /// A new phone number, where the old one is lost, too
    #[arg(long, value_name = "NUMBER")]
    pub(super) phone: Option<String>,
    /// A file with a new password in its first line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Print a session for an hour, which opens the admin API without a code
    #[arg(long)]
    pub(super) session: bool,
}

/// A list that moves in.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Import {
    /// The file; `-` for standard input
    #[arg(value_name = "FILE.csv")]
    pub(super) file: PathBuf,
    /// Look only, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `user ..`
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a user
    Add {
        /// The name; spelling, case and Unicode form make no difference
        name: String,
        #[command(flatten)]
        facts: UserFacts,
    },
    /// Add the users of a CSV file: all, or none where a line is wrong. Its first line names the columns, of
    /// name,phone,email,group,password
    Import(Import),
    /// List users
    List {
        /// Those whose names hold this text
        #[arg(long)]
        search: Option<String>,
    },
    /// Show one user with the tokens
    Show {
        /// The name
        name: String,
    },
    /// Change a user; an empty value takes it away
    Set {
        /// The name
        name: String,
        #[command(flatten)]
        facts: UserFacts,
    },
    /// Begin anew with a user's second factor
    Reset {
        /// The name
        name: String,
        #[command(flatten)]
        how: ResetHow,
    },
    /// Let a user try again after too many wrong codes or passwords
    Unlock {
        /// The name
        name: String,
    },
    /// Delete a user
    Delete {
        /// The name
        name: String,
    },
}

/// What becomes of the tokens.
#[derive(Clone, Copy, Debug, ClapArgs)]
#[group(required = true, multiple = false)]
pub(super) struct ResetHow {
    /// Delete the tokens with their secrets
    #[arg(long)]
    pub(super) clear: bool,
    /// Keep the tokens, and have each confirmed by a code before it counts again
    #[arg(long)]
    pub(super) unconfirm: bool,
}

/// What is on file of a user.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct UserFacts {
    /// The phone number, as in +49 170 1234567
    #[arg(long, value_name = "NUMBER")]
    pub(super) phone: Option<String>,
    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    /// The group
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// A file with the password in its first line; `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Whether the user administers the server
    #[arg(long, value_name = "true|false")]
    pub(super) administrator: Option<bool>,
    /// Whether the user signs in without a second factor
    #[arg(long, value_name = "true|false")]
    pub(super) exempt: Option<bool>,
}

impl UserFacts {
    /// Whether nothing was named.
    pub(super) fn is_empty(&self) -> bool {
        let Self { phone, email, group, password_file, administrator, exempt } = self;
        let texts = [phone, email, group].into_iter().all(Option::is_none);
        texts && password_file.is_none() && administrator.is_none() && exempt.is_none()
    }
}

/// `group ..`
#[derive(Debug, Subcommand)]
pub(super) enum GroupCommand {
    /// Add a group
    Add {
        /// The name
        name: String,
        /// Settings that differ from the server's
        #[arg(value_name = "SETTING=VALUE")]
        policy: Vec<String>,
    },
    /// Change what differs; `SETTING=` goes back to the server's
    Set {
        /// The name
        name: String,
        /// The settings
        #[arg(value_name = "SETTING=VALUE", required = true)]
        policy: Vec<String>,
    },
    /// List groups
    List,
    /// Delete a group that nobody is in
    Delete {
        /// The name
        name: String,
    },
}

/// `settings ..`
#[derive(Debug, Subcommand)]
pub(super) enum SettingsCommand {
    /// Show one setting or all
    Get {
        /// Its name
        name: Option<String>,
    },
    /// Set one; without a value it goes back to the default
    Set {
        /// Its name
        name: String,
        /// Its value; `-` reads a secret from standard input
        value: Option<String>,
    },
}

/// `token ..`
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Give a user a token of another server: it counts as confirmed
    Add {
        /// The user
        user: String,
        /// The otpauth:// link; `-` reads it from standard input, where no other user of the machine sees it
        #[arg(long)]
        uri: String,
    },
    /// Give users the tokens of a CSV file with lines of user,otpauth-link: all, or none where a line is wrong
    Import(Import),
    /// Send a user a link that sets up a token; it ends the link before
    Send {
        /// The user
        user: String,
        /// The ways, separated by commas: sms, email, link (prints it)
        #[arg(long, value_delimiter = ',', required = true)]
        via: Vec<String>,
    },
    /// List a user's tokens
    List {
        /// The user
        user: String,
    },
    /// Delete one of a user's tokens
    Delete {
        /// The user
        user: String,
        /// The token's id, as `token list` shows it
        token: String,
    },
}

/// `app ..`
#[derive(Debug, Subcommand)]
pub(super) enum AppCommand {
    /// List the apps that have a token
    List,
    /// Take a user's token away from its app
    Revoke {
        /// The user
        user: String,
    },
}

/// `outbox ..`
#[derive(Debug, Subcommand)]
pub(super) enum OutboxCommand {
    /// List messages, the newest first: how far they are, and their texts where they go to the console
    List {
        /// How many
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Those older than the message of this id
        #[arg(long, value_name = "ID")]
        after: Option<String>,
    },
}

/// `api-key ..`
#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key and print it: it is not kept and cannot be shown again
    Add {
        /// What the other system is called
        name: String,
        /// What it may do, as often as needed: admin (everything), verify, users:read, users:write, groups:read,
        /// groups:write, settings:read, settings:write, tokens:read, tokens:write, apps:read, apps:write, audit:read,
        /// outbox:read, keys:read, keys:write, metrics
        #[arg(long, value_name = "SCOPE", default_value = "verify", value_delimiter = ',')]
        scope: Vec<String>,
    },
    /// List keys, by name
    List,
    /// Take a key back
    Revoke {
        /// Its name
        name: String,
    },
}

/// `audit ..`
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// List the newest events
    List {
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Those of one user: the name, also of one who was deleted, or the id
        #[arg(long)]
        user: Option<String>,
    },
    /// Check that nothing was changed or left out
    Verify,
}

/// `key ..`
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a new key and seal every secret with it
    Rotate,
}
