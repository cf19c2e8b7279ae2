//! KeePass and KeePassXC: a password database (KDBX 3 and 4) and the tokens in it.
//!
//! Not the `keepass` crate: it spends on the key derivation whatever the file demands, and unpacks without a bound.

mod document;
mod entries;
mod header;
mod keys;
mod old;

use aes::{Aes256, cipher::BlockCipherEncrypt};
use cbc::cipher::{KeyInit, KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use twofish::Twofish;
use zeroize::Zeroizing;

use super::{ImportError, PasswordUse, Recognised, Source, Unlock, crypt, input::Input, kdf, table::Importer};
use header::{Cipher, Header, Kdf};
use keys::{Composite, Key};

/// A KeePass database.
pub(super) struct KeePass;

/// The signatures that every version begins with.
const SIGNATURE: &[u8] = &[0x03, 0xd9, 0xa2, 0x9a];
/// The most bytes that a database may unpack to.
const MAX_UNPACKED: usize = 256 * 1024 * 1024;

impl Importer for KeePass {
    const ID: &'static str = "keepass";
    const NAME: &'static str = "KeePass";
    const EXTENSIONS: &'static [&'static str] = &["kdbx"];
    const PASSWORD: PasswordUse = PasswordUse::Always;
    const KEY_FILE: bool = true;

    fn recognise(input: &Input<'_>) -> Recognised {
        if input.bytes.starts_with(SIGNATURE) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let version = version(input.bytes)?;
        let composite = Composite::new(unlock, input.key_file)?;
        match version {
            Version::Old => old::read(input.bytes, &composite, unlock),
            Version::Four => {
                let header = Header::read(input.bytes)?;
                composite.open(|key| four(&header, input.bytes, key, unlock))
            }
        }
    }
}

/// The versions of the format that are read.
enum Version {
    /// KDBX 2 and 3.
    Old,
    /// KDBX 4.
    Four,
}

fn version(bytes: &[u8]) -> Result<Version, ImportError> {
    let head = bytes.get(4..12).ok_or_else(cut)?;
    let refused = |what| ImportError::Refused {
        what,
        instead: "open it in KeePassXC, which turns it into a newer one, and take the file that it saves",
    };
    match (head[0], &head[1..4], u16::from_le_bytes([head[6], head[7]])) {
        (0x67, [0xfb, 0x4b, 0xb5], 2 | 3) => Ok(Version::Old),
        (0x67, [0xfb, 0x4b, 0xb5], 4) => Ok(Version::Four),
        (0x67, [0xfb, 0x4b, 0xb5], newer @ 5..) => {
            Err(ImportError::Newer { format: KeePass::NAME, version: format!("KDBX {newer}") })
        }
        (0x65, ..) => Err(refused("this is a database of KeePass 1")),
        _ => Err(refused("this is a database of a trial version of KeePass 2")),
    }
}

/// Reads a KDBX 4 file with one key.
fn four(header: &Header, bytes: &[u8], key: &Key, unlock: Unlock<'_>) -> Result<Source, ImportError> {
    let transformed = transformed(&header.kdf, key, unlock)?;
    let (sealed, rest) = header.split(bytes)?;
    let hmac_key = Sha512::new().chain_update(&header.seed).chain_update(&*transformed).chain_update([1]).finalize();
    let block_key = |index: u64| Sha512::new().chain_update(index.to_le_bytes()).chain_update(hmac_key).finalize();
    let mac = crypt::hmac_sha256(&block_key(u64::MAX), &[sealed.bytes]);
    if !bool::from(mac.ct_eq(sealed.mac)) {
        return Err(ImportError::WrongPassword { format: KeePass::NAME });
    }
    let content = blocks(rest, block_key)?;
    let key = Sha256::new().chain_update(&header.seed).chain_update(&*transformed).finalize();
    let plain = decrypted(header.cipher, &key, &header.iv, content)?;
    let plain = if header.gzip { unzipped(&plain, bytes.len())? } else { plain };
    entries::read(&plain)
}

fn cut() -> ImportError {
    damaged("it is cut off")
}

pub(super) fn damaged(what: &str) -> ImportError {
    ImportError::damaged(KeePass::NAME, what)
}

/// The key that the composite key and the derivation give.
fn transformed(kdf: &Kdf, composite: &Key, unlock: Unlock<'_>) -> Result<kdf::KeyBytes, ImportError> {
    match kdf {
        Kdf::Argon2 { variant, salt, memory_kib, passes, lanes } => {
            kdf::argon2(*variant, &**composite, salt, (*memory_kib, *passes, *lanes), 32, unlock)
        }
        Kdf::Aes { seed, rounds } => {
            let rounds = kdf::admit_rounds(*rounds)?;
            let cipher = Aes256::new_from_slice(seed).map_err(|_| damaged("its key derivation is incomplete"))?;
            let mut halves = [[0u8; 16]; 2];
            halves[0].copy_from_slice(&composite[..16]);
            halves[1].copy_from_slice(&composite[16..]);
            let mut halves = halves.map(aes::Block::from);
            for _ in 0..rounds {
                cipher.encrypt_blocks(&mut halves);
            }
            let digest = Sha256::new().chain_update(halves[0]).chain_update(halves[1]).finalize();
            Ok(Zeroizing::new(digest.to_vec()))
        }
    }
}

/// The blocks, each behind its authentication code and length, up to an empty one.
fn blocks<K: AsRef<[u8]>>(mut rest: &[u8], key: impl Fn(u64) -> K) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let mut content = Zeroizing::new(Vec::with_capacity(rest.len()));
    for index in 0u64.. {
        let (mac, after) = rest.split_at_checked(32).ok_or_else(cut)?;
        let (length, after) = after.split_at_checked(4).ok_or_else(cut)?;
        let bytes = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        let (block, after) = after.split_at_checked(bytes as usize).ok_or_else(cut)?;
        let made = crypt::hmac_sha256(key(index).as_ref(), &[&index.to_le_bytes(), length, block]);
        if !bool::from(made.ct_eq(mac)) {
            return Err(damaged("a part of it was changed after it was written"));
        }
        if block.is_empty() {
            break;
        }
        content.extend_from_slice(block);
        rest = after;
    }
    Ok(content)
}

/// Decrypts in place.
fn decrypted(cipher: Cipher, key: &[u8], iv: &[u8], mut content: crypt::Plain) -> Result<crypt::Plain, ImportError> {
    let plain = match cipher {
        Cipher::Aes => crypt::cbc_in_place::<Aes256>(key, iv, content),
        Cipher::Twofish => crypt::cbc_in_place::<Twofish>(key, iv, content),
        Cipher::ChaCha => ChaCha20::new_from_slices(key, iv).ok().map(|mut cipher| {
            cipher.apply_keystream(&mut content);
            content
        }),
    };
    plain.ok_or_else(|| damaged("its content does not decrypt"))
}

/// Unpacks gzip (RFC 1952): the header is skipped, the length at the end bounds the work, and both are bounded.
fn unzipped(bytes: &[u8], file_bytes: usize) -> Result<crypt::Plain, ImportError> {
    let bad = || damaged("its compressed content cannot be unpacked");
    let (head, mut rest) =
        bytes.split_at_checked(10).filter(|(head, _)| head.starts_with(&[0x1f, 0x8b, 8])).ok_or_else(bad)?;
    let flags = head[3];
    if flags & 4 != 0 {
        let (length, after) = rest.split_at_checked(2).ok_or_else(bad)?;
        rest = after.get(usize::from(u16::from_le_bytes([length[0], length[1]]))..).ok_or_else(bad)?;
    }
    // A name and a comment, each up to a zero byte.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or_else(bad)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..).ok_or_else(bad)?;
    }
    let limit = MAX_UNPACKED.min(10 * file_bytes + 16 * 1024 * 1024);
    miniz_oxide::inflate::decompress_to_vec_with_limit(rest, limit).map(Zeroizing::new).map_err(|_| bad())
}
