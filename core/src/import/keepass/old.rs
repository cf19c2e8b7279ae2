//! The databases of KeePass 2 before KDBX 4: AES-KDF, content in blocks with hashes instead of codes, and the key of the
//! protected values in the outer header.

use std::collections::HashMap;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Cipher, Kdf, KeePass, cut, damaged, decrypted,
    entries::{self, Protection},
    keys::Composite,
    unzipped,
};
use crate::import::{ImportError, Source, Unlock, table::Importer as _};

/// Reads a file whose signature and version were looked at already.
pub(super) fn read(bytes: &[u8], composite: &Composite, unlock: Unlock<'_>) -> Result<Source, ImportError> {
    let (fields, length) = fields(bytes)?;
    let field = |id: u8| fields.get(&id).copied().ok_or_else(|| damaged("its header is incomplete"));
    let number = |id: u8| {
        let bytes = field(id)?;
        if bytes.len() > 8 {
            return Err(damaged("its header is incomplete"));
        }
        Ok(bytes.iter().rev().fold(0u64, |number, byte| (number << 8) | u64::from(*byte)))
    };
    let cipher = Cipher::of(field(2)?)?;
    let (seed, iv, start) = (field(4)?, field(7)?, field(9)?);
    let kdf = Kdf::Aes { seed: field(5)?.to_vec(), rounds: number(6)? };
    let protection = Protection { kind: number(10)?, key: field(8)? };

    let wrong = || ImportError::WrongPassword { format: KeePass::NAME };
    composite.open(|key| {
        let transformed = super::transformed(&kdf, key, unlock)?;
        let key = Sha256::new().chain_update(seed).chain_update(&*transformed).finalize();
        // Nothing but the bytes at the start tells a wrong password; most show in the padding before that.
        let plain = decrypted(cipher, &key, iv, Zeroizing::new(bytes[length..].to_vec())).map_err(|_| wrong())?;
        let content = plain.strip_prefix(start).filter(|_| start.len() == 32).ok_or_else(wrong)?;
        let content = blocks(content)?;
        let content = if number(3)? == 1 { unzipped(&content, bytes.len())? } else { content };
        let header = Sha256::digest(&bytes[..length]);
        entries::xml(&protection, &content, Some(&BASE64.encode(&header)))
    })
}

/// The fields of the header and its length.
fn fields(bytes: &[u8]) -> Result<(HashMap<u8, &[u8]>, usize), ImportError> {
    let mut fields = HashMap::new();
    let mut at = 12;
    loop {
        let head = bytes.get(at..at + 3).ok_or_else(cut)?;
        let length = usize::from(u16::from_le_bytes([head[1], head[2]]));
        let value = bytes.get(at + 3..at + 3 + length).ok_or_else(cut)?;
        at += 3 + length;
        if head[0] == 0 {
            return Ok((fields, at));
        }
        fields.insert(head[0], value);
    }
}

/// The blocks, each behind its number, hash and length, up to an empty one.
fn blocks(mut rest: &[u8]) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let mut content = Zeroizing::new(Vec::with_capacity(rest.len()));
    for index in 0u32.. {
        let (number, after) = rest.split_at_checked(4).ok_or_else(cut)?;
        let (hash, after) = after.split_at_checked(32).ok_or_else(cut)?;
        let (length, after) = after.split_at_checked(4).ok_or_else(cut)?;
        let bytes = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        let (block, after) = after.split_at_checked(bytes as usize).ok_or_else(cut)?;
        if block.is_empty() {
            break;
        }
        if number != index.to_le_bytes() || Sha256::digest(block).as_slice() != hash {
            return Err(damaged("a part of it was changed after it was written"));
        }
        content.extend_from_slice(block);
        rest = after;
    }
    Ok(content)
}
