//! `otpauth://` and `otpauth-migration://` texts.

pub mod enroll;
pub mod migration;
mod percent;
mod problem;
mod query;
mod read;
mod write;

pub use problem::{Part, UriError, Warning};

use crate::{secret::SecretText, token::TokenSpec};

/// A token read from a URI, with what the user should know before adding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The token.
    pub spec: TokenSpec,
    /// What was unusual; nothing was changed in silence.
    pub warnings: Vec<Warning>,
}

/// Reads `otpauth://`, `apple-otpauth:`, `motp://` and `steam://`.
///
/// Nothing that codes depend on is guessed: what is wrong is an error that names its part, and what is missing, unusual
/// or said twice is a [`Warning`]. Parameters that mean nothing here are kept in their order.
///
/// # Errors
///
/// One variant of [`UriError`] per wrong part; [`UriError::NotALink`] where the text might be the secret itself.
pub fn parse(text: &str) -> Result<Parsed, UriError> {
    read::parse(text)
}

/// Writes the canonical URI: `otpauth://` for all kinds but mOTP, which has its own scheme.
///
/// [`parse`] gives the same token back, also the parameters it does not know. Separators and lower case in the text of
/// a Base32 secret are gone, because other apps stumble over them.
pub fn write(spec: &TokenSpec) -> SecretText {
    write::write(spec)
}
