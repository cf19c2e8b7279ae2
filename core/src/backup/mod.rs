//! The backup text: encrypted, compressed, armoured; it survives notes and mail programs.
//!
//! The byte format is in `core/docs/backup.md`.

mod armour;
mod header;
pub(crate) mod packing;
mod strength;

use rand_core::CryptoRng;

pub use armour::{BEGIN, END};
pub use strength::{Strength, strength};

use crate::{
    secret::Password,
    vault::{
        Content, KdfParams,
        cipher::{self, TAG_BYTES},
        kdf::{KdfFailed, KdfOutOfBounds},
    },
};
use header::{CHECKSUM_BYTES, HEADER_BYTES, Header, MAX_TOTAL_BYTES};

/// Why there is no backup text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The system has less memory than the key derivation asks for.
    #[error(transparent)]
    Memory(#[from] KdfFailed),
    /// The content is larger than what a reader accepts.
    #[error("the content of {bytes} bytes is too large for a backup text")]
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
}

/// Writes the content as a backup text under its own password, in lines that end with `\n`. `now` is written beside
/// the encryption, in Unix seconds, so that of several backups the newest can be told.
///
/// It holds tokens with their registrations (as references), groups, and entries that could not be read, word for word;
/// no keys of this app, no settings, nothing from the trash.
pub fn write(
    content: &Content,
    password: &Password,
    kdf: KdfParams,
    rng: &mut dyn CryptoRng,
    now: u64,
) -> Result<String, WriteError> {
    let packed = packing::pack(content).map_err(|bytes| WriteError::TooLarge { bytes })?;
    let too_large = WriteError::TooLarge { bytes: packed.json_bytes };
    let overhead = HEADER_BYTES + TAG_BYTES + CHECKSUM_BYTES;
    // A multiple of three bytes is Base64 without `=`, which mail programs take for an escape.
    let total = (overhead + packed.bytes.len()).next_multiple_of(3);
    let plaintext = packed.filled_up_to(total - overhead);

    let header = match u32::try_from(total) {
        Ok(total) if total <= MAX_TOTAL_BYTES => {
            Header { total, created_at: now, kdf, salt: cipher::random(rng), nonce: cipher::random(rng) }
        }
        _ => return Err(too_large),
    };
    let key = kdf.derive(password, &header.salt)?;
    let mut bytes = header.to_bytes();
    let sealed = cipher::seal(&key, &header.nonce, &bytes, &plaintext).ok_or(too_large)?;
    bytes.extend_from_slice(&sealed);
    let checksum = header::checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    Ok(armour::write(&bytes))
}

/// A backup text that is whole, and still encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        /// Characters of the armoured block that the text says it has; the least possible where it is cut before that.
        expected: usize,
        /// Characters that are there, line ends and quotation marks not counted.
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
    /// It asks for more work than any backup of ours: somebody made it so.
    #[error(transparent)]
    Kdf(#[from] KdfOutOfBounds),
    /// The system has less memory than the key derivation asks for.
    #[error(transparent)]
    Memory(#[from] KdfFailed),
}

/// Finds the backup in whatever was copied and checks that it is whole. Of several it takes the first whole one.
pub fn find(text: &str) -> Result<Sealed, ReadError> {
    armour::find(text).map(|bytes| Sealed { bytes })
}

impl Sealed {
    /// When it was written, in Unix seconds. Nobody vouches for it before it is opened.
    pub fn created_at(&self) -> u64 {
        header::created_at(&self.bytes)
    }

    /// Decrypts it.
    pub fn open(&self, password: &Password) -> Result<Content, OpenError> {
        let unreadable = |reason: &str| OpenError::Content(reason.to_owned());
        let header = Header::from_bytes(&self.bytes)?.ok_or_else(|| unreadable("its compression is unknown"))?;
        let key = header.kdf.derive(password, &header.salt)?;
        let (aad, rest) = self.bytes.split_at(HEADER_BYTES);
        let sealed = &rest[..rest.len() - CHECKSUM_BYTES];
        let plaintext =
            cipher::open(&key, &header.nonce, aad, sealed.to_vec()).map_err(|_| OpenError::WrongPassword)?;
        packing::unpack(&plaintext).map_err(OpenError::Content)
    }
}
