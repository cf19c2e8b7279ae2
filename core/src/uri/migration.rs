//! Google Authenticator's export: `otpauth-migration://offline?data=`, in one or more parts.

use super::Parsed;

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
#[non_exhaustive]
pub enum EntryError {
    /// MD5 codes cannot be made here.
    #[error("the entry {title:?} uses MD5, which no known issuer does")]
    Md5 {
        /// Its name, to find it in the old app.
        title: String,
    },
}

/// Why a whole part could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The text is no migration link.
    #[error("not a Google Authenticator export")]
    NotAMigration,
}

/// Reads one part.
pub fn parse(text: &str) -> Result<Part, MigrationError> {
    let _ = text;
    todo!()
}

/// Gathers the parts of exports in any order; a part that came before changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    parts: Vec<Part>,
}

/// How much of an export has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Parts seen.
    pub have: u32,
    /// Parts there are.
    pub of: u32,
}

impl Collector {
    /// Takes a part and says how far its export is.
    pub fn add(&mut self, part: Part) -> Progress {
        self.parts.push(part);
        todo!()
    }

    /// The exports that are not complete: batch id and progress.
    pub fn incomplete(&self) -> Vec<(i32, Progress)> {
        todo!()
    }
}
