//! Files for other apps. What the other app cannot hold is told before anything is written.

mod aegis;
mod bitwarden_authenticator;
mod google;
mod html;
mod stratum;
mod table;
mod two_fas;
mod uris;

pub use html::escaped;
pub use table::{FORMATS, Format, format};

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{
    secret::SecretText,
    token::{KindName, Token, TokenId, TokenSpec},
    vault::Content,
};

/// A file for another app.
#[derive(Debug)]
pub struct Export {
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// The tokens in it, in their order.
    pub written: Vec<TokenId>,
    /// What is not in it, token by token.
    pub losses: Vec<(TokenId, Loss)>,
}

/// What another app cannot hold of a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Loss {
    /// The token is not in the file at all.
    #[error("left out: {0}")]
    LeftOut(Reason),
    /// It is in the file without something that its codes do not need.
    #[error("without {0}")]
    Without(Part),
}

/// Why a token is not in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The app has no tokens of this kind.
    #[error("there are no {0} tokens there")]
    Kind(KindName),
    /// The app has no codes of so many digits.
    #[error("there are no codes of {digits} digits there, only of {allowed}")]
    Digits {
        /// What the token has.
        digits: u8,
        /// What the app has, in words.
        allowed: &'static str,
    },
    /// The app has no such period.
    #[error("there is no period of {seconds} seconds there, only {allowed}")]
    Period {
        /// What the token has.
        seconds: u64,
        /// What the app has, in words.
        allowed: &'static str,
    },
    /// The app has no counter as high.
    #[error("there is no counter as high as {0} there")]
    Counter(u64),
    /// The app has one token for each secret, and another one has this secret.
    #[error("one secret can have one token only there, and {0} has it")]
    SameSecret(String),
    /// The app takes no such token without its PIN.
    #[error("such a token needs its PIN there, and this one has none")]
    PinMissing,
    /// A reason of Google Authenticator's.
    #[error("{0}")]
    Google(crate::uri::migration::Reason),
}

/// What a token in a file lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Part {
    /// Its groups.
    #[error("its groups")]
    Groups,
    /// All but the first of its groups.
    #[error("its groups after the first")]
    MoreGroups,
    /// Its note.
    #[error("its note")]
    Note,
    /// That it is a favourite.
    #[error("its mark as a favourite")]
    Favourite,
    /// Parameters of its link that mean nothing to Countersign.
    #[error("the parameters of its link that nobody knows")]
    Parameters,
    /// Its issuer is missing, and its account takes the place.
    #[error("an issuer: its account takes the place")]
    Issuer,
    /// The end of a name that is longer than the app shows.
    #[error("the end of its name, which that app may cut")]
    LongName,
}

/// What protects an encrypted file.
#[derive(Debug)]
pub struct Lock<'a> {
    /// The password as it was typed; other apps take it byte for byte.
    pub password: &'a SecretText,
}

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The format is encrypted, and no password was given.
    #[error("the format {0} is encrypted: a password is needed")]
    PasswordNeeded(&'static str),
    /// A link is longer than a QR code holds.
    #[error("{0} is too long for a QR code")]
    TooLong(String),
    /// The system has not enough memory for the key derivation.
    #[error("there is not enough memory for the key derivation")]
    Memory,
}

/// What of `content` (a part of a vault, say) would be written in that format, and what would be lost. Nothing is.
pub fn losses(content: &Content, format: &Format) -> (Vec<TokenId>, Vec<(TokenId, Loss)>) {
    let (entries, losses) = entries(content, format);
    (entries.iter().map(|entry| entry.token.id).collect(), losses)
}

/// Writes all tokens of `content` as a file. Nothing is on the disk yet: show the losses first.
pub fn write(
    content: &Content,
    format: &Format,
    lock: Option<Lock<'_>>,
    rng: &mut dyn CryptoRng,
    now: u64,
) -> Result<Export, ExportError> {
    if format.encrypted && lock.is_none() {
        return Err(ExportError::PasswordNeeded(format.name));
    }
    let (entries, losses) = entries(content, format);
    let bytes = (format.write)(&entries, lock.as_ref(), rng, now)?;
    let written = entries.iter().map(|entry| entry.token.id).collect();
    Ok(Export { bytes: Zeroizing::new(bytes), written, losses })
}

/// The tokens that the format can hold, and what is lost of all.
fn entries<'a>(content: &'a Content, format: &Format) -> (Vec<Entry<'a>>, Vec<(TokenId, Loss)>) {
    let (mut entries, mut losses) = (Vec::new(), Vec::new());
    let mut secrets = std::collections::HashMap::new();
    for token in content.tokens() {
        let groups = token.groups.iter().filter_map(|id| content.groups().iter().find(|group| group.id == *id));
        let entry = Entry { token, groups: groups.map(|group| group.name.as_str()).collect() };
        if let Some(reason) = (format.refuses)(token) {
            losses.push((token.id, Loss::LeftOut(reason)));
            continue;
        }
        if format.one_per_secret {
            let first = secrets.entry(token.spec.secret.bytes().expose()).or_insert(token);
            if first.id != token.id {
                losses.push((token.id, Loss::LeftOut(Reason::SameSecret(first.spec.title()))));
                continue;
            }
        }
        losses.extend((format.lacks)(&entry).into_iter().map(|part| (token.id, Loss::Without(part))));
        entries.push(entry);
    }
    (entries, losses)
}

/// A token with the names of its groups.
pub(crate) struct Entry<'a> {
    token: &'a Token,
    groups: Vec<&'a str>,
}

/// The parts among `parts` that a token has.
fn had(entry: &Entry<'_>, parts: &[Part]) -> Vec<Part> {
    let token = entry.token;
    let has = |part: &Part| match part {
        Part::Groups => !entry.groups.is_empty(),
        Part::MoreGroups => entry.groups.len() > 1,
        Part::Note => !token.note.is_empty(),
        Part::Favourite => token.favourite,
        Part::Parameters => !token.spec.uri_parameters.is_empty(),
        Part::Issuer => token.spec.issuer.is_empty(),
        Part::LongName => token.spec.issuer.chars().count() > 32 || token.spec.account.chars().count() > 40,
    };
    parts.iter().copied().filter(has).collect()
}

/// Issuer and account for an app that takes no token without an issuer.
fn with_issuer(spec: &TokenSpec) -> (&str, &str) {
    match (spec.issuer.as_str(), spec.account.as_str()) {
        ("", "") => ("Token", ""),
        ("", account) => (account, ""),
        names => names,
    }
}

/// A random identifier in hyphenated form.
fn uuid(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
}
