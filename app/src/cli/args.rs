//! The arguments as they are typed. The names are a contract: scripts depend on them.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueHint};
use countersign_core::token::{Algorithm, KindName};

/// What stands after the options of `--help`.
const AFTER_HELP: &str = "\
Without a command the window opens.

QUERY is a token's id or the first 8 digits of it; its issuer, its account, or both as `issuer:account`; or words of \
them in any order. What is exactly a token's name means that one, also where it is a part of others.

Standard input is read in this order, one line each, for everything that is given as `-`: the password or recovery \
key, the new password, the password of a backup, import, export or account, a secret or enrollment link, the code \
of a message; the rest is links or the backup text.

Exit codes: 0 done; 1 failed; 2 usage; 3 nothing or more than one matches; 4 wrong password; 5 damaged or newer file; \
6 a server said no.";

/// Keeps one-time code tokens encrypted, and makes their codes.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = AFTER_HELP, max_term_width = 100)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that every command takes, before or after its name.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The vault's file [default: vault.json in the system's folder for program data]
    #[arg(long, global = true, env = "COUNTERSIGN_VAULT", value_name = "FILE", value_hint = ValueHint::FilePath,
        value_parser = any_path())]
    pub(crate) vault: Option<PathBuf>,
    /// Reads the password from the first line of FILE, or of standard input with `-`
    #[arg(long, global = true, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// Opens the vault with the printed recovery key in FILE, or on standard input with `-`
    #[arg(long, global = true, value_name = "FILE|-", value_hint = ValueHint::FilePath, conflicts_with = "password_file")]
    pub(crate) recovery_key_file: Option<PathBuf>,
    /// Prints results as JSON on standard output, and errors and warnings as JSON lines on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Opens the window over sample tokens; no vault is touched
    #[arg(long)]
    pub(crate) demo: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Makes a new vault, where neither one nor the earlier generations of one are
    Init(KdfArgs),
    /// Changes the password; old copies of the vault keep the old one
    Passwd(Passwd),
    /// Adds tokens from links, pictures, the clipboard or by hand
    Add(Add),
    /// Lists tokens
    List(List),
    /// Prints a token's code and nothing else
    Code(Code),
    /// Changes a token; what is not named stays as it is
    Edit(Edit),
    /// Moves a token to the trash, which keeps it for 30 days
    Remove(One),
    /// Takes a token back out of the trash
    Restore(One),
    /// Writes an encrypted backup text that can be kept in notes or sent by mail
    Backup(Backup),
    /// Adds what a backup text, or a copy of a vault's file, holds and the vault does not
    RestoreBackup(RestoreBackup),
    /// Adds what a file of another app holds and the vault does not, and prints what became of each record
    #[command(after_help = import_formats())]
    Import(Import),
    /// Writes a file for another app, after it listed what that app cannot hold
    #[command(after_help = export_formats())]
    Export(Export),
    /// Takes back the newest import as one step; its tokens go to the trash
    UndoImport,
    /// Lists entries of imports that could not be read and are kept; shows, reads again or deletes them
    Unreadable(Unreadable),
    /// Reads and makes QR codes
    #[command(subcommand)]
    Qr(Qr),
    /// Opens the vault and its earlier generations and says what is good
    Verify,
    /// Puts an earlier generation in the place of a vault file that does not open
    RestoreGeneration(RestoreGeneration),
    /// Makes a recovery key and prints it; an earlier one stops working
    RecoveryKey,
    /// Servers that hand out tokens
    #[command(subcommand)]
    Server(ServerCommand),
    /// Registers a token at a server: it sends a code by SMS, and the token works in this app only
    Register(Register),
    /// Signs in at a server with the token that fits
    SignIn(SignIn),
    /// Signs out
    SignOut(ServerName),
    /// Prints a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Prints the manual page
    Man,
}

/// A query for exactly one token.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// An id, an issuer, an account, `issuer:account`, or words of them
    #[arg(value_parser = named)]
    pub(crate) query: String,
}

/// How hard guessing a password is made.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct KdfArgs {
    /// Memory of the key derivation in MiB [default: 64]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) kdf_memory: Option<u32>,
    /// Passes of the key derivation [default: as many as fit in half a second, at least 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) kdf_passes: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Passwd {
    /// Reads the new password from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) new_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kdf: KdfArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).multiple(true).args(["uris", "image", "clipboard", "screen", "secret"]))]
pub(crate) struct Add {
    /// Links: otpauth://, otpauth-migration://, motp://, steam://. A file's name reads the links in it, `-` standard input
    #[arg(value_name = "URI|FILE|-")]
    pub(crate) uris: Vec<String>,
    /// Pictures with QR codes
    #[arg(long, value_name = "FILE", num_args = 1.., value_hint = ValueHint::FilePath)]
    pub(crate) image: Vec<PathBuf>,
    /// Takes a picture or links from the clipboard
    #[arg(long)]
    pub(crate) clipboard: bool,
    /// Takes every QR code that the screen shows
    #[arg(long)]
    pub(crate) screen: bool,
    /// By hand: who issued the token
    #[arg(long, requires = "secret")]
    pub(crate) issuer: Option<String>,
    /// By hand: the account at the issuer
    #[arg(long, requires = "secret")]
    pub(crate) account: Option<String>,
    /// By hand: the secret in Base32 (hexadecimal for motp); `-` reads a line from standard input or asks
    #[arg(long)]
    pub(crate) secret: Option<String>,
    #[command(flatten)]
    pub(crate) parameters: Parameters,
}

/// How codes are made.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Parameters {
    /// totp, hotp, steam, motp or yandex
    #[arg(long, value_parser = kind)]
    pub(crate) kind: Option<KindName>,
    /// SHA1, SHA256 or SHA512
    #[arg(long)]
    pub(crate) algorithm: Option<Algorithm>,
    /// Digits of a code, 1 to 12
    #[arg(long)]
    pub(crate) digits: Option<u64>,
    /// Seconds that a code stands
    #[arg(long, value_name = "SECONDS")]
    pub(crate) period: Option<u64>,
    /// The counter of the next code, for hotp
    #[arg(long)]
    pub(crate) counter: Option<u64>,
    /// The PIN, for motp and yandex; `-` reads a line from standard input or asks
    #[arg(long)]
    pub(crate) pin: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// An id, or words of issuer and account; when nothing matches, the exit code is 3
    pub(crate) query: Option<String>,
    /// Lists the trash
    #[arg(long)]
    pub(crate) trash: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Code {
    /// An id, an issuer, an account, `issuer:account`, or words of them
    #[arg(value_parser = named)]
    pub(crate) query: String,
    /// The code after the current one; not for counter-based tokens, whose every code is given once
    #[arg(long)]
    pub(crate) next: bool,
    /// The code at a moment, in Unix seconds; not for counter-based tokens
    #[arg(long, value_name = "UNIX_SECONDS")]
    pub(crate) at: Option<u64>,
    /// Copies the code too; the clipboard is cleared after 30 seconds
    #[arg(long)]
    pub(crate) copy: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The token's id, its issuer, its account, `issuer:account`, or words of them
    #[arg(value_name = "ID", value_parser = named)]
    pub(crate) query: String,
    /// Who issued the token
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// The account at the issuer
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Another secret; `-` reads a line from standard input or asks
    #[arg(long)]
    pub(crate) secret: Option<String>,
    #[command(flatten)]
    pub(crate) parameters: Parameters,
    /// The groups it is in, in place of those it was in
    #[arg(long = "group", value_name = "NAME", value_parser = named, conflicts_with = "no_groups")]
    pub(crate) groups: Vec<String>,
    /// Takes it out of every group
    #[arg(long)]
    pub(crate) no_groups: bool,
    /// Shows it first, or no longer
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub(crate) favourite: Option<bool>,
    /// A note
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// The name of an icon; empty for none
    #[arg(long)]
    pub(crate) icon: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Writes to FILE, which only its owner may read [default: standard output]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "clipboard")]
    pub(crate) output: Option<PathBuf>,
    /// Copies the text; the clipboard is cleared after 5 minutes
    #[arg(long)]
    pub(crate) clipboard: bool,
    /// Reads the backup's password from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) backup_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) kdf: KdfArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreBackup {
    /// The file with the text, and whatever is around it, or a copy of a vault's file [default: standard input]
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath, conflicts_with = "clipboard")]
    pub(crate) file: Option<PathBuf>,
    /// Takes the text from the clipboard
    #[arg(long)]
    pub(crate) clipboard: bool,
    /// Reads the backup's password from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) backup_password_file: Option<PathBuf>,
    /// Only shows what would be added
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Unreadable {
    /// Prints this entry word for word, which may show a secret; the beginning of its id is enough
    #[arg(value_name = "ID", value_parser = named)]
    pub(crate) id: Option<String>,
    /// Tries to read it, or all, once more
    #[arg(long)]
    pub(crate) read_again: bool,
    /// Deletes it for good
    #[arg(long, requires = "id", conflicts_with = "read_again")]
    pub(crate) delete: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file as the other app exported it, or a picture of its QR codes
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The file's format [default: what its content shows]
    #[arg(long, value_name = "FORMAT", value_parser = import_format)]
    pub(crate) format: Option<String>,
    /// Reads the file's password from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) import_password_file: Option<PathBuf>,
    /// The key file that locks the file, beside its password or instead of it (KeePass)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) import_key_file: Option<PathBuf>,
    /// Only shows what would become of each record
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Agrees to a file whose opening takes up to 1 GiB of memory, without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file's format
    #[arg(long, value_name = "FORMAT", value_parser = export_format)]
    pub(crate) format: String,
    /// Writes to FILE, which only its owner may read [default: standard output]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Only the tokens in this group; more than one are added up
    #[arg(long = "group", value_name = "NAME")]
    pub(crate) groups: Vec<String>,
    /// Reads the password of an encrypted file from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) export_password_file: Option<PathBuf>,
    /// Agrees to what the other app cannot hold, and to a file that is not encrypted, without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Adds a server, by its address or by an enrollment link
    Add(ServerAdd),
    /// Asks the servers, and says who is signed in and whether the token works
    Status(ServerName),
    /// Forgets a server and this app's key there
    Remove {
        /// Its name or address
        server: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServerAdd {
    /// pam.example.org, or countersign://enroll?..
    #[arg(value_name = "URL|LINK")]
    pub(crate) server: String,
    /// Trusts this certificate and no other: its SHA-256 in hexadecimal digits
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) trust_certificate: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ServerName {
    /// Its name or address [default: all, or the only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The server's name or address
    #[arg(long, value_name = "NAME")]
    pub(crate) server: String,
    /// The user's name at the server
    #[arg(long, required_unless_present = "link")]
    pub(crate) user: Option<String>,
    /// Reads the password at the server from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) account_password_file: Option<PathBuf>,
    /// An enrollment link in the place of name and password; `-` reads it from standard input
    #[arg(long, value_name = "LINK|-", conflicts_with_all = ["user", "account_password_file"])]
    pub(crate) link: Option<String>,
    /// The code of the message; `-` reads it from standard input when it was sent [default: asks; where nobody can be
    /// asked, the command ends when the message was sent, and registers when it is run again with the code]
    #[arg(long, value_name = "CODE|-")]
    pub(crate) sms_code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SignIn {
    /// The server's name or address
    #[arg(long, value_name = "NAME")]
    pub(crate) server: String,
    /// The user's name at the server
    #[arg(long)]
    pub(crate) user: String,
    /// Reads the password at the server from the first line of FILE, or of standard input with `-`
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) account_password_file: Option<PathBuf>,
    /// Takes this token, and remembers it [default: the one that is registered there under the server's issuer]
    #[arg(long, value_name = "QUERY", value_parser = named)]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Qr {
    /// Prints what the QR codes in pictures hold, one payload a line; no vault is opened
    Read {
        /// PNG, JPEG, WebP, GIF or BMP pictures
        #[arg(value_name = "IMAGE", required = true, value_hint = ValueHint::FilePath)]
        images: Vec<PathBuf>,
    },
    /// Shows a token as a QR code, secret included
    Show {
        /// An id, an issuer, an account, `issuer:account`, or words of them
        #[arg(value_parser = named)]
        query: String,
        /// Writes a PNG picture, which only its owner may read, in place of the terminal
        #[arg(long, value_name = "FILE.png", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RestoreGeneration {
    /// Which one, counted back from the current: 1 to 3 [default: the newest that opens]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) back: Option<u8>,
    /// Agrees to put it in the place of a vault that opens, and so to lose what was saved since
    #[arg(long)]
    pub(crate) yes: bool,
}

fn import_format(text: &str) -> Result<String, String> {
    match countersign_core::import::format(text) {
        Some(format) => Ok(format.id.to_owned()),
        None => Err("no such format; `countersign import --help` lists them".into()),
    }
}

/// The format of the backup text among those of other apps.
pub(crate) const BACKUP_FORMAT: &str = "backup";

fn export_format(text: &str) -> Result<String, String> {
    match countersign_core::export::format(text) {
        Some(format) => Ok(format.id.to_owned()),
        None if text == BACKUP_FORMAT => Ok(text.to_owned()),
        None => Err("no such format; `countersign export --help` lists them".into()),
    }
}

/// The formats that are written, a line each.
fn export_formats() -> String {
    use std::fmt::Write as _;

    let mut text = format!("Formats:\n  {BACKUP_FORMAT:<24} Countersign's own backup text (encrypted)");
    for format in countersign_core::export::FORMATS {
        let encrypted = if format.encrypted { " (encrypted)" } else { "" };
        // Writing into a String cannot fail.
        let _ = write!(text, "\n  {:<24} {}{encrypted}", format.id, format.name);
    }
    text
}

/// The formats and their apps, a line each.
fn import_formats() -> String {
    use std::fmt::Write as _;

    let mut text = "Formats:".to_owned();
    for format in countersign_core::import::FORMATS {
        // Writing into a String cannot fail.
        let _ = write!(text, "\n  {:<24} {}", format.id, format.name);
    }
    text
}

/// What is meant has to be named: nothing is a part of every name.
fn named(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty".into()) } else { Ok(text.to_owned()) }
}

/// A path that may be empty, which is told better than clap does.
fn any_path() -> impl clap::builder::TypedValueParser<Value = PathBuf> {
    use clap::builder::{OsStringValueParser, TypedValueParser as _};

    OsStringValueParser::new().map(PathBuf::from)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("yes or no".into()),
    }
}

fn kind(text: &str) -> Result<KindName, String> {
    text.parse().map_err(|error: countersign_core::token::UnknownKind| error.to_string())
}

impl Parameters {
    /// Whether one was given.
    pub(crate) fn any(&self) -> bool {
        self.kind.is_some()
            || self.algorithm.is_some()
            || self.digits.is_some()
            || self.period.is_some()
            || self.counter.is_some()
            || self.pin.is_some()
    }
}
