//! The protocol buffers of an export, both ways.

use super::{MigrationError, Part};
use crate::{
    secret::SecretText,
    token::{KindName, TokenSpec},
};

/// How many entries Google Authenticator puts into one part, so that its QR code stays readable.
pub const ENTRIES_PER_PART: usize = 10;

/// An export for Google Authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The parts in their order, one QR code each.
    pub parts: Vec<SecretText>,
    /// The tokens that Google Authenticator cannot hold. They are in no part.
    pub left_out: Vec<LeftOut>,
    /// The tokens that are in a part, but without the parameters and the label's issuer that only a URI holds. Their
    /// codes are the same. Indices into what was given.
    pub reduced: Vec<usize>,
}

/// A token that is in no part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which of the given tokens, from 0.
    pub index: usize,
    /// Why.
    pub reason: Reason,
}

/// Why Google Authenticator cannot hold a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It has only time-based and counter-based tokens.
    #[error("Google Authenticator has no {0} tokens")]
    Kind(KindName),
    /// It has only 6 and 8 digits.
    #[error("Google Authenticator has 6 or 8 digits, not {0}")]
    Digits(u8),
    /// It has only periods of 30 seconds.
    #[error("Google Authenticator has periods of 30 seconds, not {0}")]
    Period(u64),
    /// It has only counters up to 2^63 - 1.
    #[error("Google Authenticator has no counter as high as {0}")]
    Counter(u64),
}

/// Writes an export. `batch_id` is what its parts have in common; any random number will do.
pub fn write(tokens: &[TokenSpec], batch_id: i32) -> Export {
    let _ = (tokens, batch_id);
    todo!()
}

pub(super) fn parse(text: &str) -> Result<Part, MigrationError> {
    let _ = text;
    todo!()
}
