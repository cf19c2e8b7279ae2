//! The table of formats: what each can do, and which one a file is of.

use super::{
    Draft, ImportError, MAX_FILE_BYTES, Problem, Source, Unlock, aegis, andotp, authenticator_plus, authy, battle_net,
    bitwarden, bitwarden_authenticator, countersign, databases, duo, ente, freeotp, html,
    input::{Input, decoded},
    keepass, lastpass, otpclient, privacyidea, proton, raivo, steam, stratum, totp_authenticator, two_fas, uris,
    winauth,
};

/// Whether a format's files need a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordUse {
    /// They are never encrypted.
    Never,
    /// The app writes both.
    Sometimes,
    /// They are always encrypted.
    Always,
}

/// How sure it is that a file is of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// It is not.
    No,
    /// It could be; only a password can tell.
    Perhaps,
    /// It is.
    Yes,
}

/// Reads one app's files. Its abilities are constants, so that the table, a page and the manual list them alike.
pub(super) trait Importer {
    /// The name on the command line.
    const ID: &'static str;
    /// The app's own name.
    const NAME: &'static str;
    /// What its files' names usually end in.
    const EXTENSIONS: &'static [&'static str];
    /// Whether its files need a password.
    const PASSWORD: PasswordUse;
    /// Whether a key file can lock its files, beside a password or instead of one.
    const KEY_FILE: bool = false;

    /// Whether a file is of this format.
    fn recognise(input: &Input<'_>) -> Recognised;

    /// Reads it.
    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError>;

    /// Reads one record as [`Source::push`] was given it; a link where the format does not say otherwise. What the record
    /// says by a number of its file (a group) is not known here.
    fn record(raw: &str) -> Result<Draft, Problem> {
        Draft::from_uri(raw)
    }
}

/// One format and what can be done with its files.
#[derive(Clone, Copy)]
pub struct Format {
    /// The name on the command line: `aegis`.
    pub id: &'static str,
    /// The app's own name: `Aegis`.
    pub name: &'static str,
    /// What its files' names usually end in.
    pub extensions: &'static [&'static str],
    /// Whether its files need a password.
    pub password: PasswordUse,
    /// Whether a key file can lock its files, beside a password or instead of one.
    pub key_file: bool,
    recognise: fn(&Input<'_>) -> Recognised,
    read: fn(&Input<'_>, Unlock<'_>) -> Result<Source, ImportError>,
    record: fn(&str) -> Result<Draft, Problem>,
}

impl Format {
    /// Reads one record alone, as it was kept.
    pub(super) fn record(&self, raw: &str) -> Result<Draft, Problem> {
        (self.record)(raw)
    }
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

const fn row<I: Importer>() -> Format {
    Format {
        id: I::ID,
        name: I::NAME,
        extensions: I::EXTENSIONS,
        password: I::PASSWORD,
        key_file: I::KEY_FILE,
        recognise: I::recognise,
        read: I::read,
        record: I::record,
    }
}

/// Every format, in the order in which a file is tried: those that look closest first, those that only a password can
/// tell by how likely they are.
pub static FORMATS: &[Format] = &[
    row::<aegis::Aegis>(),
    row::<two_fas::TwoFas>(),
    row::<andotp::AndOtp>(),
    row::<ente::Ente>(),
    row::<bitwarden_authenticator::BitwardenAuthenticator>(),
    row::<bitwarden::Bitwarden>(),
    row::<stratum::Stratum>(),
    row::<freeotp::FreeOtpPlus>(),
    row::<freeotp::FreeOtp>(),
    row::<lastpass::LastPass>(),
    row::<raivo::Raivo>(),
    row::<authy::Authy>(),
    row::<authenticator_plus::AuthenticatorPlus>(),
    row::<totp_authenticator::TotpAuthenticator>(),
    row::<keepass::KeePass>(),
    row::<otpclient::OtpClient>(),
    row::<steam::Steam>(),
    row::<duo::Duo>(),
    row::<databases::Google>(),
    row::<databases::Microsoft>(),
    row::<battle_net::BattleNet>(),
    row::<privacyidea::PrivacyIdea>(),
    row::<proton::Proton>(),
    row::<countersign::Countersign>(),
    row::<html::Html>(),
    row::<winauth::WinAuth>(),
    row::<uris::Uris>(),
];

/// The format of that name on the command line.
pub fn format(id: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.id.eq_ignore_ascii_case(id))
}

/// The formats that a file may be of, by its content: the one that it is, or those that only a password can tell.
pub fn detect(bytes: &[u8]) -> Vec<&'static Format> {
    let text = decoded(bytes);
    candidates(&Input::new(bytes, text.as_deref()))
}

fn candidates(input: &Input<'_>) -> Vec<&'static Format> {
    let mut perhaps = Vec::new();
    for format in FORMATS {
        match (format.recognise)(input) {
            Recognised::Yes => return vec![format],
            Recognised::Perhaps => perhaps.push(format),
            Recognised::No => {}
        }
    }
    perhaps
}

/// Reads a file: as the named format, or as the one that its content shows.
///
/// # Errors
///
/// [`ImportError::PasswordNeeded`] asks for another call with the password, [`ImportError::Costly`] for one with
/// [`Unlock::allow_costly`].
pub fn read(bytes: &[u8], named: Option<&Format>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
    read_all(bytes, None, named, unlock)
}

/// [`read`] with the key file that locks the file, beside a password or instead of one. A format without
/// [`Format::key_file`] does not look at it.
///
/// # Errors
///
/// As [`read`]; [`ImportError::KeyFile`] where the key file is none.
pub fn read_with_key_file(
    bytes: &[u8],
    key_file: &[u8],
    named: Option<&Format>,
    unlock: Unlock<'_>,
) -> Result<Source, ImportError> {
    read_all(bytes, Some(key_file), named, unlock)
}

fn read_all(
    bytes: &[u8],
    key_file: Option<&[u8]>,
    named: Option<&Format>,
    unlock: Unlock<'_>,
) -> Result<Source, ImportError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ImportError::TooLarge { bytes: bytes.len() as u64 });
    }
    if bytes.trim_ascii().is_empty() {
        return Err(ImportError::Empty);
    }
    let text = decoded(bytes);
    let input = Input { key_file, ..Input::new(bytes, text.as_deref()) };
    if input.too_many {
        return Err(ImportError::TooMany);
    }
    let read = |format: &Format| {
        let source = (format.read)(&input, unlock)?;
        source.exceeded().map_or(Ok(source), Err)
    };
    if let Some(format) = named {
        return match (format.recognise)(&input) {
            Recognised::No => Err(ImportError::NotThis { format: format.name }),
            _ => read(format),
        };
    }
    let formats = candidates(&input);
    let mut last = if formats.is_empty() && input.is_text_of_another_encoding() {
        ImportError::Encoding
    } else {
        ImportError::Unknown
    };
    for format in formats {
        match read(format) {
            // Another headerless format may be the one.
            Err(error @ (ImportError::WrongPassword { .. } | ImportError::Damaged { .. })) => last = error,
            other => return other,
        }
    }
    Err(last)
}
