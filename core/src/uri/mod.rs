//! `otpauth://` and `otpauth-migration://` texts.

pub mod migration;
mod problem;

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
pub fn parse(text: &str) -> Result<Parsed, UriError> {
    let _ = text;
    todo!()
}

/// Writes the canonical URI: `otpauth://` for all kinds but mOTP, which has its own scheme.
pub fn write(spec: &TokenSpec) -> SecretText {
    let _ = spec;
    todo!()
}
