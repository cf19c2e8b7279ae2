//! What stands before the encrypted content, and the checksum behind it.

use sha2::{Digest as _, Sha256};

use crate::vault::{
    cipher::{NONCE_BYTES, TAG_BYTES},
    kdf::{KdfOutOfBounds, KdfParams},
};

/// What every backup starts with.
pub(super) const MAGIC: [u8; 4] = *b"CSB1";
/// The version that is written, and the newest that is read.
pub(super) const VERSION: u8 = 1;
/// Raw deflate (RFC 1951).
const DEFLATE: u8 = 1;
const SALT_BYTES: usize = 16;
/// Magic, version, compression, total, time, three parameters, salt, nonce.
pub(super) const HEADER_BYTES: usize = 4 + 1 + 1 + 4 + 8 + 3 * 4 + SALT_BYTES + NONCE_BYTES;
/// The first bytes of SHA-256.
pub(super) const CHECKSUM_BYTES: usize = 8;
/// The fewest bytes of a backup: an empty plaintext, and a multiple of three.
pub(super) const MIN_TOTAL_BYTES: u32 = ((HEADER_BYTES + TAG_BYTES + CHECKSUM_BYTES).next_multiple_of(3)) as u32;
/// The most bytes of a backup.
pub(super) const MAX_TOTAL_BYTES: u32 = 96 * 1024 * 1024;

/// The header of version 1.
pub(super) struct Header {
    /// Bytes of the whole backup, checksum included.
    pub(super) total: u32,
    /// When it was written, in Unix seconds.
    pub(super) created_at: u64,
    pub(super) kdf: KdfParams,
    pub(super) salt: [u8; SALT_BYTES],
    pub(super) nonce: [u8; NONCE_BYTES],
}

impl Header {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.total as usize);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, DEFLATE]);
        bytes.extend_from_slice(&self.total.to_be_bytes());
        bytes.extend_from_slice(&self.created_at.to_be_bytes());
        for parameter in [self.kdf.memory_kib(), self.kdf.passes(), self.kdf.lanes()] {
            bytes.extend_from_slice(&parameter.to_be_bytes());
        }
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.nonce);
        bytes
    }

    /// Reads the header of a whole backup; `None` where its compression is none of ours.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Option<Self>, KdfOutOfBounds> {
        Self::fields(bytes).map(|fields| Self::checked(&fields)).transpose()
    }

    fn checked(fields: &Fields) -> Result<Self, KdfOutOfBounds> {
        let [memory_kib, passes, lanes] = fields.kdf.map(u32::from_be_bytes);
        let kdf = KdfParams::new(memory_kib, passes, lanes)?;
        Ok(Self {
            total: u32::from_be_bytes(fields.total),
            created_at: u64::from_be_bytes(fields.created_at),
            kdf,
            salt: fields.salt,
            nonce: fields.nonce,
        })
    }

    fn fields(bytes: &[u8]) -> Option<Fields> {
        let rest = &mut { bytes };
        let (magic, version, compression) = (take::<4>(rest)?, take::<1>(rest)?, take::<1>(rest)?);
        let fields = Fields {
            total: take(rest)?,
            created_at: take(rest)?,
            kdf: [take(rest)?, take(rest)?, take(rest)?],
            salt: take(rest)?,
            nonce: take(rest)?,
        };
        ((magic, version, compression) == (MAGIC, [VERSION], [DEFLATE])).then_some(fields)
    }
}

/// The fields as they stand there.
struct Fields {
    total: [u8; 4],
    created_at: [u8; 8],
    kdf: [[u8; 4]; 3],
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
}

/// How many bytes the backup that starts here says it has. This and the checksum at its end stay where they are in
/// every version, so that an older program tells a newer backup from a damaged one.
pub(super) fn total(bytes: &[u8]) -> Option<u32> {
    let total = bytes.get(6..10)?.first_chunk()?;
    Some(u32::from_be_bytes(*total))
}

/// Whether a backup can have so many bytes.
pub(super) fn is_plausible(total: u32) -> bool {
    (MIN_TOTAL_BYTES..=MAX_TOTAL_BYTES).contains(&total) && total.is_multiple_of(3)
}

/// When a backup was written, in Unix seconds.
pub(super) fn created_at(bytes: &[u8]) -> u64 {
    bytes.get(10..18).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The checksum of everything before it. No protection against intent, which the encryption's tag is for.
pub(super) fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(&Sha256::digest(bytes)[..CHECKSUM_BYTES]);
    checksum
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}
