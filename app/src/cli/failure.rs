//! Why a command did not do what it was asked: what happened, what to do, and the exit code.

use std::{io, path::Path};

use countersign_core::{
    backup,
    import::ImportError,
    otp::CodeError,
    vault::{
        session::{EditError, OpenError, SaveError},
        store::{FileStore, GENERATIONS, Part, Store as _},
    },
};
use serde::Serialize;

use super::spec;
use crate::{account::steps::fingerprint_text, api};

/// The exit codes, and the names that `--json` gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Exit {
    /// Anything that is none of the others.
    Failed = 1,
    /// The arguments say nothing that can be done.
    Usage = 2,
    /// Nothing matches, or more than one.
    NoMatch = 3,
    /// The password or key is another one.
    WrongPassword = 4,
    /// The file is damaged or of a newer version.
    Damaged = 5,
    /// A server said no.
    ServerRefused = 6,
}

/// One failure, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    #[serde(rename = "code")]
    pub(crate) exit: Exit,
    /// What happened, one sentence.
    pub(crate) message: String,
    /// What to do, one sentence.
    pub(crate) hint: Option<String>,
    /// The code that a server refused with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_code: Option<String>,
    /// What the hint points at, one a line, for a person only.
    #[serde(skip)]
    pub(crate) lines: Vec<String>,
    /// The reader of standard output went away: nobody is there to be told.
    #[serde(skip)]
    pub(crate) quiet: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None, server_code: None, lines: Vec::new(), quiet: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that could not be read or written.
    pub(crate) fn file(what: &str, path: &Path, error: &io::Error) -> Self {
        let failure = Self::failed(format!("{} could not be {what}: {}.", path.display(), system_text(error)));
        match error.kind() {
            io::ErrorKind::NotFound => failure.hint("Check the name."),
            io::ErrorKind::WouldBlock => {
                failure.hint("Close the other program that saves there, and run the command again.")
            }
            io::ErrorKind::PermissionDenied => failure.hint("Check who may use the file and its folder."),
            io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidInput if what == "read" => {
                failure.hint("Check that it is the right file.")
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                failure.hint("Make room on the disk and run the command again.")
            }
            _ => failure,
        }
    }

    /// A server that did not do what it was asked.
    pub(crate) fn server(failure: &api::Failure, at: &str) -> Self {
        let place = api::address::short(at);
        match failure {
            api::Failure::Refused(error) => {
                let (what, hint) = refusal(&error.code);
                let wait = error.retry_after.map(|after| format!(" Another try is possible in {after} s."));
                let mut failure = Self::new(Exit::ServerRefused, format!("{place} said no: {what}."))
                    .hint(format!("{hint}{}", wait.unwrap_or_default()));
                failure.server_code = Some(error.code.clone());
                failure
            }
            api::Failure::Untrusted(shown) => Self::failed(format!(
                "Nobody whom this system trusts vouches for the certificate of {place}."
            ))
            .hint(format!(
                "If your administrator names the same fingerprint, add the server with --trust-certificate {}",
                fingerprint_text(shown)
            )),
            api::Failure::CertificateChanged(shown) => Self::failed(format!(
                "{place} shows another certificate than the one that was accepted."
            ))
            .hint(format!(
                "Somebody may stand in between. Its fingerprint is {}: ask your administrator, and add the server \
                     again with --trust-certificate if it was replaced.",
                fingerprint_text(shown)
            )),
            api::Failure::OtherAddress(address) => {
                Self::failed(format!("The server at {place} calls itself {address}."))
                    .hint("Add it under that address.")
            }
            api::Failure::Strange => {
                Self::failed(format!("What answers at {place} is no Countersign server.")).hint("Check the address.")
            }
            api::Failure::TimedOut => Self::failed(format!("{place} did not answer in time."))
                .hint("Try again: what was done already is not done twice."),
            api::Failure::Busy { retry_after } => Self::failed(format!("{place} cannot answer now.")).hint(
                retry_after
                    .map_or_else(|| "Try again in a moment.".to_owned(), |after| format!("Try again in {after} s.")),
            ),
            // What a server without TLS answers to its first message.
            api::Failure::Unreachable(why) if why.contains("InvalidContentType") => {
                Self::failed(format!("{place} does not speak HTTPS."))
                    .hint("Check the port. A server on this machine alone may be added as http://.")
            }
            api::Failure::Unreachable(why) => {
                Self::failed(format!("{place} cannot be reached: {}.", why.trim_end_matches('.')))
                    .hint("Check the network and the address.")
            }
            other => Self::failed(format!("{place}: {other}.")).hint("Unlock the keyring, or register a new token."),
        }
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        let failure = Self::failed(format!("The result could not be printed: {}.", system_text(error)));
        Self { quiet: error.kind() == io::ErrorKind::BrokenPipe, ..failure }
    }

    pub(crate) fn open(error: OpenError, path: &Path, by_recovery_key: bool) -> Self {
        match error {
            OpenError::Missing(path) => match earlier_generations(&path) {
                Some(names) => Self::failed(format!(
                    "There is no vault at {}, but earlier generations of it are beside it: {names}.",
                    path.display()
                ))
                .hint(
                    "`countersign restore-generation` puts the newest good one back, `countersign verify` says which \
                     are good.",
                ),
                None => Self::failed(format!("There is no vault at {}.", path.display()))
                    .hint("Make one with `countersign init`, or name another with --vault."),
            },
            OpenError::RecoveryKey(error) => {
                Self::new(Exit::WrongPassword, format!("That is no recovery key: {error}."))
                    .hint("Compare it with the print.")
            }
            OpenError::WrongKey if by_recovery_key => {
                Self::new(Exit::WrongPassword, "The recovery key is not one of this vault.")
                    .hint("Only the newest one opens it.")
            }
            OpenError::WrongKey => Self::new(Exit::WrongPassword, "Wrong password.")
                .hint("Try again, or open the vault with --recovery-key-file."),
            OpenError::Damaged { reason } => {
                Self::new(Exit::Damaged, format!("The vault at {} is damaged: {reason}.", path.display())).hint(
                    "Nothing was changed. `countersign verify` says which earlier generations are good, \
                     `countersign restore-generation` puts the newest good one back.",
                )
            }
            OpenError::Newer { version } => Self::new(
                Exit::Damaged,
                format!("The vault at {} was written by a newer version (format {version}).", path.display()),
            )
            .hint("Update Countersign; nothing was changed."),
            OpenError::Io(error) => Self::file("read", path, &error),
            other => Self::failed(format!("The vault at {} did not open: {other}.", path.display())),
        }
    }

    /// A vault is not made beside the earlier generations of another, which are then no longer found.
    pub(crate) fn beside_generations(path: &Path) -> Option<Self> {
        let names = earlier_generations(path)?;
        let what =
            format!("Earlier generations of a vault at {} are there: {names}; nothing was made.", path.display());
        Some(Self::failed(what).hint(
            "`countersign restore-generation` puts the newest good one back. To begin anew, move them to another \
             folder, or name another file with --vault.",
        ))
    }

    pub(crate) fn save(error: SaveError, path: &Path) -> Self {
        match error {
            SaveError::KeyChanged => Self::new(
                Exit::WrongPassword,
                "The vault's password was changed elsewhere meanwhile; nothing was saved.",
            )
            .hint("Run the command again with the new password."),
            SaveError::Damaged(reason) => Self::new(
                Exit::Damaged,
                format!("The vault at {} was damaged meanwhile ({reason}); nothing was saved.", path.display()),
            )
            .hint("`countersign restore-generation` puts the newest good generation back."),
            SaveError::Newer { version } => Self::open(OpenError::Newer { version }, path, false),
            SaveError::Older { .. } => Self::failed(format!(
                "The vault at {} was replaced by an earlier copy meanwhile; nothing was saved.",
                path.display()
            ))
            .hint("Run the command again to use that copy."),
            SaveError::Gone(path) => Self::failed(format!(
                "Nothing was saved: the vault file {} is gone. Put it back, and try again.",
                path.display()
            )),
            SaveError::Exists(path) => {
                Self::failed(format!("There is a file at {} already; it was not touched.", path.display()))
                    .hint("Name another with --vault, or use the vault that is there.")
            }
            SaveError::PasswordNeeded => Self::failed("That needs the password; the recovery key is not enough.")
                .hint("Open the vault with its password, or set a new one with `countersign passwd`."),
            SaveError::NotSynced(error) => Self::failed(format!(
                "The change is saved, but the system does not promise that it outlives a power cut: {}.",
                system_text(&error)
            ))
            .hint("Check the disk."),
            SaveError::Io(error) => {
                let failure = Self::file("saved", path, &error);
                let message = format!(
                    "The vault at {} could not be saved: {}. It is as it was before.",
                    path.display(),
                    system_text(&error)
                );
                Self { message, ..failure }
            }
            other => Self::failed(format!("Nothing was saved: {other}.")),
        }
    }

    pub(crate) fn edit(error: EditError<Failure>, path: &Path) -> Self {
        match error {
            EditError::Change(failure) => failure,
            EditError::Save(error) => Self::save(error, path),
        }
    }

    pub(crate) fn code(error: &CodeError, title: &str) -> Self {
        let failure = Self::failed(format!("There is no code for {title}: {error}."));
        match error {
            CodeError::PinMissing => failure.hint("Set it with `countersign edit ID --pin -`."),
            _ => failure.hint("Compare its secret with the issuer's page."),
        }
    }

    /// A file of another app that was not read.
    pub(crate) fn import(error: &ImportError) -> Self {
        let mut what = error.to_string();
        if let Some(first) = what.get(..1) {
            what = first.to_uppercase() + &what[1..];
        }
        match error {
            ImportError::WrongPassword { format } => Self::new(
                Exit::WrongPassword,
                format!("Wrong password of the file, which was taken for an export of {format}."),
            )
            .hint(
                "It is the one that was chosen in the other app for this export. A file of yet another app needs its \
                 --format.",
            ),
            ImportError::PasswordNeeded { .. } => {
                Self::usage(format!("{what}.")).hint("Give it with --import-password-file.")
            }
            ImportError::Damaged { .. } => Self::new(Exit::Damaged, format!("{what}."))
                .hint("Nothing was changed. Export again from the other app, or name the --format."),
            ImportError::Newer { .. } => {
                Self::new(Exit::Damaged, format!("{what}.")).hint("Update Countersign; nothing was changed.")
            }
            ImportError::Refused { what, instead } => Self::failed(spec::sentence(what)).hint(spec::sentence(instead)),
            ImportError::Costly { .. } => {
                Self::failed(format!("{what}; nothing was changed.")).hint("Agree to it with --yes.")
            }
            ImportError::Unknown => Self::failed(format!("{what}; nothing was changed.")).hint(
                "`countersign import --help` lists the formats; name it with --format. An encrypted file may need \
                 --import-password-file to be known.",
            ),
            ImportError::Encoding => {
                Self::failed(format!("{what}; nothing was changed.")).hint("Save it as UTF-8 in an editor.")
            }
            _ => Self::failed(format!("{what}; nothing was changed.")).hint("Check that it is the right file."),
        }
    }

    pub(crate) fn backup_text(error: &backup::ReadError) -> Self {
        let message = match error {
            backup::ReadError::NotFound => "There is no Countersign backup in the text.".into(),
            backup::ReadError::CutOff { expected, found } => format!(
                "The text is cut off: {} characters expected, {} found.",
                super::text::thousands(*expected),
                super::text::thousands(*found)
            ),
            backup::ReadError::Damaged => "The backup text was changed on its way.".into(),
            backup::ReadError::Newer(version) => {
                return Self::new(
                    Exit::Damaged,
                    format!("The backup was written by a newer version (format {version})."),
                )
                .hint("Update Countersign; nothing was changed.");
            }
            other => format!("The backup cannot be read: {other}."),
        };
        Self::new(Exit::Damaged, message)
            .hint("Copy the text again, from the BEGIN line to the END line, or use another copy. Nothing was changed.")
    }

    pub(crate) fn backup_open(error: &backup::OpenError) -> Self {
        match error {
            backup::OpenError::WrongPassword => Self::new(Exit::WrongPassword, "Wrong backup password.")
                .hint("It is the one that was chosen for this backup, which may differ from the vault's."),
            backup::OpenError::Memory(error) => {
                Self::failed(format!("The backup did not open: {error}.")).hint("Close other programs and try again.")
            }
            other => Self::new(Exit::Damaged, format!("The backup did not open: {other}."))
                .hint("Use another copy; nothing was changed."),
        }
    }

    /// A copy of a vault that was not read as a backup.
    pub(crate) fn copy(error: &OpenError) -> Self {
        match error {
            OpenError::WrongKey => Self::new(Exit::WrongPassword, "Wrong password of the copy.")
                .hint("It is the one that the vault had when the copy was written."),
            OpenError::Newer { version } => {
                Self::new(Exit::Damaged, format!("The copy was written by a newer version (format {version})."))
                    .hint("Update Countersign; nothing was changed.")
            }
            OpenError::Io(error) => Self::failed(format!("The copy did not open: {}.", system_text(error)))
                .hint("Close other programs and try again."),
            OpenError::Damaged { reason } => Self::new(Exit::Damaged, format!("The copy is damaged: {reason}."))
                .hint("Use another copy; nothing was changed."),
            other => Self::failed(format!("The copy did not open: {other}.")),
        }
    }
}

/// The names of a vault's earlier generations, where there are any.
fn earlier_generations(path: &Path) -> Option<String> {
    let store = FileStore::new(path);
    let parts = (1..=GENERATIONS).map(Part::Earlier).filter(|&part| store.exists(part).unwrap_or(false));
    let names: Vec<String> =
        parts.filter_map(|part| Some(store.part_path(part).file_name()?.to_string_lossy().into_owned())).collect();
    if names.is_empty() { None } else { Some(names.join(", ")) }
}

/// What a server's code means, and what to do.
fn refusal(code: &str) -> (&str, &'static str) {
    match code {
        "credentials_wrong" => (
            "name and password let nobody in",
            "Check them; your administrator knows whether a phone number is on file.",
        ),
        "too_many_messages" => ("enough messages were sent for now", "Wait."),
        "sms_wrong" => ("the code of the message is wrong, or was tried too often", "Look at the newest message."),
        "code_wrong" => ("the code was not accepted", "It may be used already: wait for the next one."),
        "registration_ended" => ("the registration is over", "Begin again; a new message comes."),
        "token_bound_elsewhere" => ("the token works in another app now", "Register it here again."),
        "signature_wrong" => {
            ("it does not accept this app's signature", "Remove the server, add it and register again.")
        }
        "link_ended" => ("the enrollment link was used, or is too old", "Ask your administrator for a new one."),
        "session_ended" => ("nobody is signed in any more", "Sign in again."),
        "internal" => ("it failed", "Try again; its log says more."),
        other => (other, "Your administrator knows more."),
    }
}

/// The system's words without Rust's ` (os error 28)`.
pub(crate) fn system_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text.to_owned(),
    }
}
