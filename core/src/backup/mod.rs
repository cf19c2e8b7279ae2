//! The backup text: encrypted, compressed, armoured; it survives notes and mail programs.
//!
//! The byte format is in `core/docs/backup.md`.

mod armour;
mod header;
mod strength;

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_slice_iter_to_slice};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

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

/// The most bytes that a content may have before it is compressed.
const MAX_JSON_BYTES: usize = 128 * 1024 * 1024;
/// Bytes of the content's length, which stands before the compressed content.
const LENGTH_BYTES: usize = 4;
/// miniz's best level that does not cost a multiple of the time.
const LEVEL: u8 = 8;

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
    let json = content.to_backup_json();
    let too_large = WriteError::TooLarge { bytes: json.len() };
    let Some(length) = u32::try_from(json.len()).ok().filter(|_| json.len() <= MAX_JSON_BYTES) else {
        return Err(too_large);
    };
    let compressed = Zeroizing::new(compress_to_vec(&json, LEVEL));
    let inner = size_class(LENGTH_BYTES + compressed.len());
    let overhead = HEADER_BYTES + TAG_BYTES + CHECKSUM_BYTES;
    // A multiple of three bytes is Base64 without `=`, which mail programs take for an escape.
    let total = (overhead + inner).next_multiple_of(3);
    let mut plaintext = Zeroizing::new(Vec::with_capacity(total - overhead));
    plaintext.extend_from_slice(&length.to_be_bytes());
    plaintext.extend_from_slice(&compressed);
    plaintext.resize(total - overhead, 0);

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
        let json = inflated(&plaintext).ok_or_else(|| unreadable("its compression is damaged"))?;
        Content::from_backup_json(&json).map_err(|error| OpenError::Content(error.to_string()))
    }
}

/// The content's text. Memory is taken once, for the length that stands before it, and bounded.
fn inflated(plaintext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (length, compressed) = plaintext.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|&length| length <= MAX_JSON_BYTES)?;
    let mut json = Zeroizing::new(vec![0; length]);
    let written = decompress_slice_iter_to_slice(&mut json, std::iter::once(compressed), false, true).ok()?;
    (written == length).then_some(json)
}

/// The size class of so many bytes: from 1 KiB on, four classes to each doubling, so that a class is at most a quarter
/// larger. The length of the text tells the number of tokens only roughly.
fn size_class(bytes: usize) -> usize {
    const SMALLEST: usize = 1024;
    if bytes <= SMALLEST {
        return SMALLEST;
    }
    bytes.next_multiple_of(bytes.next_power_of_two() / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_grow_by_a_quarter_at_most() {
        for (bytes, class) in [(0, 1024), (1024, 1024), (1025, 1280), (1281, 1536), (2048, 2048), (2049, 2560)] {
            assert_eq!(size_class(bytes), class, "{bytes}");
        }
        for bytes in (1025..200_000).step_by(7) {
            let class = size_class(bytes);
            assert!(class >= bytes && class * 4 <= bytes * 5 + 4, "{bytes} {class}");
            assert_eq!(size_class(class), class);
        }
    }

    #[test]
    fn a_bomb_takes_no_more_memory_than_it_names() {
        let bomb = compress_to_vec(&vec![0; 1_000_000], 8);
        let named = |length: u32| [&length.to_be_bytes()[..], &bomb].concat();
        assert_eq!(inflated(&named(1_000_000)).map(|json| json.len()), Some(1_000_000));
        assert!(inflated(&named(999_999)).is_none());
        assert!(inflated(&named(1_000_001)).is_none());
        assert!(inflated(&named(u32::MAX)).is_none());
        assert!(inflated(&[0, 0]).is_none());
        assert!(inflated(&named(1_000_000)[..20]).is_none());
    }
}
