//! The outer header of a KDBX 4 file.

use std::collections::HashMap;

use argon2::Algorithm;
use sha2::{Digest, Sha256};

use super::{KeePass, cut, damaged};
use crate::import::{ImportError, table::Importer as _};

const AES: [u8; 16] = [0x31, 0xc1, 0xf2, 0xe6, 0xbf, 0x71, 0x43, 0x50, 0xbe, 0x58, 0x05, 0x21, 0x6a, 0xfc, 0x5a, 0xff];
const CHACHA: [u8; 16] =
    [0xd6, 0x03, 0x8a, 0x2b, 0x8b, 0x6f, 0x4c, 0xb5, 0xa5, 0x24, 0x33, 0x9a, 0x31, 0xdb, 0xb5, 0x9a];
const TWOFISH: [u8; 16] =
    [0xad, 0x68, 0xf2, 0x9f, 0x57, 0x6f, 0x4b, 0xb9, 0xa3, 0x6a, 0xd4, 0x7a, 0xf9, 0x65, 0x34, 0x6c];
const AES_KDF: [u8; 16] =
    [0xc9, 0xd9, 0xf3, 0x9a, 0x62, 0x8a, 0x44, 0x60, 0xbf, 0x74, 0x0d, 0x08, 0xc1, 0x8a, 0x4f, 0xea];
const ARGON2D: [u8; 16] =
    [0xef, 0x63, 0x6d, 0xdf, 0x8c, 0x29, 0x44, 0x4b, 0x91, 0xf7, 0xa9, 0xa4, 0x03, 0xe3, 0x0a, 0x0c];
const ARGON2ID: [u8; 16] =
    [0x9e, 0x29, 0x8b, 0x19, 0x56, 0xdb, 0x47, 0x73, 0xb2, 0x3d, 0xfc, 0x3e, 0xc6, 0xf0, 0xa1, 0xe6];

/// The cipher of the content.
#[derive(Clone, Copy)]
pub(super) enum Cipher {
    Aes,
    ChaCha,
    Twofish,
}

/// The key derivation, as the file demands it.
pub(super) enum Kdf {
    Argon2 { variant: Algorithm, salt: Vec<u8>, memory_kib: u64, passes: u64, lanes: u64 },
    Aes { seed: Vec<u8>, rounds: u64 },
}

pub(super) struct Header {
    pub(super) cipher: Cipher,
    pub(super) gzip: bool,
    pub(super) seed: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) kdf: Kdf,
    length: usize,
}

/// The header's bytes and what authenticates them.
pub(super) struct Sealed<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) mac: &'a [u8],
}

impl Cipher {
    /// The cipher of that identifier.
    pub(super) fn of(id: &[u8]) -> Result<Self, ImportError> {
        match id {
            id if id == AES => Ok(Self::Aes),
            id if id == CHACHA => Ok(Self::ChaCha),
            id if id == TWOFISH => Ok(Self::Twofish),
            _ => Err(ImportError::Newer { format: KeePass::NAME, version: "a cipher of its own".to_owned() }),
        }
    }
}

impl Header {
    /// Reads the header of a KDBX 4 file; nothing of it is authentic yet.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        let mut fields: HashMap<u8, &[u8]> = HashMap::new();
        let mut at = 12;
        loop {
            let head = bytes.get(at..at + 5).ok_or_else(cut)?;
            let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
            let value = bytes.get(at + 5..).and_then(|rest| rest.get(..length)).ok_or_else(cut)?;
            at += 5 + length;
            if head[0] == 0 {
                break;
            }
            fields.insert(head[0], value);
        }
        let field = |id: u8| fields.get(&id).copied().ok_or_else(|| damaged("its header is incomplete"));
        Ok(Self {
            cipher: Cipher::of(field(2)?)?,
            gzip: field(3)?.first() == Some(&1),
            seed: field(4)?.to_vec(),
            iv: field(7)?.to_vec(),
            kdf: Kdf::read(field(11)?)?,
            length: at,
        })
    }

    /// The header with its code, and the content after it.
    pub(super) fn split<'a>(&self, bytes: &'a [u8]) -> Result<(Sealed<'a>, &'a [u8]), ImportError> {
        let (header, rest) = bytes.split_at_checked(self.length).ok_or_else(cut)?;
        let (hash, rest) = rest.split_at_checked(32).ok_or_else(cut)?;
        let (mac, rest) = rest.split_at_checked(32).ok_or_else(cut)?;
        if Sha256::digest(header).as_slice() != hash {
            return Err(damaged("its header was changed"));
        }
        Ok((Sealed { bytes: header, mac }, rest))
    }
}

impl Kdf {
    /// Reads the variant dictionary: names with typed values.
    fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        let bad = || damaged("its key derivation is incomplete");
        let mut values: HashMap<&[u8], &[u8]> = HashMap::new();
        let mut rest = bytes.get(2..).ok_or_else(bad)?;
        while let Some((&kind, after)) = rest.split_first() {
            if kind == 0 {
                break;
            }
            let take = |bytes: &'_ [u8]| -> Option<(usize, usize)> {
                let length = bytes.get(..4)?;
                Some((4, u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize))
            };
            let (skip, length) = take(after).ok_or_else(bad)?;
            let (name, after) = after[skip..].split_at_checked(length).ok_or_else(bad)?;
            let (skip, length) = take(after).ok_or_else(bad)?;
            let (value, after) = after[skip..].split_at_checked(length).ok_or_else(bad)?;
            values.insert(name, value);
            rest = after;
        }
        let value = |name: &str| values.get(name.as_bytes()).copied().ok_or_else(bad);
        let number = |name: &str| {
            let bytes = value(name)?;
            if bytes.len() > 8 {
                return Err(bad());
            }
            Ok(bytes.iter().rev().fold(0u64, |number, byte| (number << 8) | u64::from(*byte)))
        };
        match value("$UUID")? {
            id if id == AES_KDF => Ok(Self::Aes { seed: value("S")?.to_vec(), rounds: number("R")? }),
            id if id == ARGON2D || id == ARGON2ID => {
                if number("V")? != 0x13 {
                    return Err(ImportError::Newer {
                        format: KeePass::NAME,
                        version: "another version of Argon2".into(),
                    });
                }
                Ok(Self::Argon2 {
                    variant: if id == ARGON2D { Algorithm::Argon2d } else { Algorithm::Argon2id },
                    salt: value("S")?.to_vec(),
                    memory_kib: number("M")? / 1024,
                    passes: number("I")?,
                    lanes: number("P")?,
                })
            }
            _ => Err(ImportError::Newer { format: KeePass::NAME, version: "another key derivation".into() }),
        }
    }
}
