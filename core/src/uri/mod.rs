//! `otpauth://` and `otpauth-migration://` texts.

pub mod migration;

use crate::{secret::SecretText, token::TokenSpec};

/// A token read from a URI, with what the user should know before adding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The token.
    pub spec: TokenSpec,
    /// What was unusual; nothing was changed in silence.
    pub warnings: Vec<Warning>,
}

/// What is unusual about a URI that was read all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Digits outside 6 to 8.
    #[error("codes of {0} digits are rare: compare the first code with the issuer's page")]
    UnusualDigits(u8),
}

/// Why a text is no token. One variant per wrong part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The text starts with no scheme that names a token.
    #[error("not an otpauth link")]
    NotAToken,
}

/// Reads `otpauth://`, `apple-otpauth:`, `motp://` and `steam://`.
pub fn parse(text: &str) -> Result<Parsed, UriError> {
    let _ = text;
    todo!()
}

/// Writes the canonical URI: `otpauth://` for all kinds but mOTP, which has its own scheme.
pub fn write(spec: &TokenSpec) -> SecretText {
    let _ = spec;
    todo!()
}
