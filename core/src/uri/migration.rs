//! Google Authenticator's export: `otpauth-migration://offline?data=`, in one or more parts.

mod collector;
mod wire;

pub use collector::{Added, Collector, Progress};

use super::Parsed;
use crate::{
    secret::SecretText,
    token::{KindName, MAX_TEXT_BYTES, SecretError, TokenSpec},
};

/// One part of an export, as one QR code holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What the parts of one export share. May be negative.
    pub batch_id: i32,
    /// Which part this is, from 0.
    pub index: u32,
    /// How many parts there are, at least 1.
    pub size: u32,
    /// The entries, each read or with its problem.
    pub entries: Vec<Result<Parsed, EntryError>>,
}

/// Why one entry could not be read; the others stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {position}, {title:?}: {problem}")]
pub struct EntryError {
    /// Which entry of its part, from 1.
    pub position: usize,
    /// Its name, to find it in the old app; empty where it has none or it could not be read.
    pub title: String,
    /// What is wrong.
    pub problem: EntryProblem,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// The bytes are no entry.
    #[error("it is damaged")]
    Damaged,
    /// There is no secret, or it is too long.
    #[error(transparent)]
    Secret(SecretError),
    /// MD5 codes cannot be made here.
    #[error("it uses MD5, which no known issuer does")]
    Md5,
    /// An algorithm that did not exist when this was written.
    #[error("its algorithm, number {0}, is unknown")]
    Algorithm(i32),
    /// A number of digits that did not exist when this was written.
    #[error("its digits, choice {0}, are unknown")]
    Digits(i32),
    /// A type that did not exist when this was written.
    #[error("its type, number {0}, is unknown")]
    Type(i32),
    /// A counter below 0.
    #[error("its counter {0} is negative")]
    Counter(i64),
    /// The name or issuer is longer than any is.
    #[error("its name is longer than {max} bytes", max = MAX_TEXT_BYTES)]
    TooLong,
}

/// Why a whole part could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The text is no migration link.
    #[error("not a Google Authenticator export")]
    NotAMigration,
    /// There is no `data` in the link.
    #[error("the Google Authenticator export has no data")]
    DataMissing,
    /// The data is not Base64: a part of the link is missing or was changed.
    #[error("the Google Authenticator export is damaged: its data is not Base64")]
    Base64,
    /// The data is no protocol buffer of an export.
    #[error("the Google Authenticator export is damaged: its data cannot be decoded")]
    Damaged,
    /// The part claims to be one of a number that cannot be.
    #[error("the Google Authenticator export is damaged: part {index} of {size}")]
    Batch {
        /// The index as it stands there, from 0.
        index: i32,
        /// The number of parts as it stands there.
        size: i32,
    },
    /// Longer than any part is.
    #[error("the Google Authenticator export is longer than {max} bytes", max = MAX_BYTES)]
    TooLong,
}

/// The longest text that is taken as a part, in bytes. A QR code holds at most 4,296 characters.
pub const MAX_BYTES: usize = 1024 * 1024;

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

/// Reads one part: escaped or not, either alphabet of Base64, padded or not. An entry that cannot be read stays beside
/// the others with its problem.
///
/// # Errors
///
/// [`MigrationError`] where there is no part at all.
pub fn parse(text: &str) -> Result<Part, MigrationError> {
    wire::parse(text)
}

/// Writes an export. `batch_id` is what its parts have in common; any random number will do.
pub fn write(tokens: &[TokenSpec], batch_id: i32) -> Export {
    wire::write(tokens, batch_id)
}
