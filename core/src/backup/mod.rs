//! The backup text: encrypted, compressed, armoured; it survives notes and mail programs.
//!
//! The byte format is in `core/docs/backup.md`.

use rand_core::CryptoRng;

use crate::{
    secret::Password,
    vault::{Content, KdfParams},
};

/// Writes the content as a backup text under its own password.
pub fn write(content: &Content, password: &Password, kdf: KdfParams, rng: &mut dyn CryptoRng, now: u64) -> String {
    let _ = (content, password, kdf, rng, now);
    todo!()
}

/// A backup text that is whole, and still encrypted.
pub struct Sealed {
    bytes: Vec<u8>,
}

/// Why a text is no backup. Found before a password is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No backup is in the text.
    #[error("there is no Countersign backup in the text")]
    NotFound,
    /// The end is missing.
    #[error("the text is cut off: {expected} characters expected, {found} found")]
    CutOff {
        /// Characters that the text says it has.
        expected: usize,
        /// Characters that are there.
        found: usize,
    },
    /// Some characters changed.
    #[error("the text was changed on its way")]
    Damaged,
    /// A newer program wrote it.
    #[error("the backup was written by a newer version ({0})")]
    Newer(u8),
}

/// Why a whole backup did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The password is another one.
    #[error("wrong backup password")]
    WrongPassword,
    /// It opened, and what is inside cannot be read.
    #[error("the backup cannot be read: {0}")]
    Content(String),
}

/// Finds the backup in whatever was copied and checks that it is whole.
pub fn find(text: &str) -> Result<Sealed, ReadError> {
    let _ = text;
    todo!()
}

impl Sealed {
    /// Decrypts it.
    pub fn open(&self, password: &Password) -> Result<Content, OpenError> {
        let _ = (&self.bytes, password);
        todo!()
    }
}

/// How long a password would stand against a fast offline attack, from 0 (seconds) to 4 (centuries): zxcvbn's score.
pub fn strength(password: &Password) -> u8 {
    let _ = password;
    todo!()
}
