//! KeePass and KeePassXC: a password database (KDBX 4) and the tokens in it.
//!
//! Not the `keepass` crate: it spends on the key derivation whatever the file demands, and unpacks without a bound.

mod entries;
mod header;

use aes::{Aes256, cipher::BlockCipherEncrypt};
use cbc::cipher::{KeyInit, KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use twofish::Twofish;
use zeroize::Zeroizing;

use super::{ImportError, PasswordUse, Recognised, Source, Unlock, crypt, input::Input, kdf, table::Importer};
use header::{Cipher, Header, Kdf};

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

    fn recognise(input: &Input<'_>) -> Recognised {
        if input.bytes.starts_with(SIGNATURE) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let header = Header::read(input.bytes)?;
        let Some(password) = unlock.password else {
            return Err(ImportError::PasswordNeeded { format: Self::NAME });
        };
        let transformed = transformed(&header.kdf, password.expose().as_bytes(), unlock)?;
        let (sealed, rest) = header.split(input.bytes)?;
        let hmac_key =
            Sha512::new().chain_update(&header.seed).chain_update(&*transformed).chain_update([1]).finalize();
        let block_key = |index: u64| Sha512::new().chain_update(index.to_le_bytes()).chain_update(hmac_key).finalize();
        let mac = crypt::hmac_sha256(&block_key(u64::MAX), &[sealed.bytes]);
        if !bool::from(mac.ct_eq(sealed.mac)) {
            return Err(ImportError::WrongPassword { format: Self::NAME });
        }
        let content = blocks(rest, block_key)?;
        let key = Sha256::new().chain_update(&header.seed).chain_update(&*transformed).finalize();
        let plain = decrypted(header.cipher, &key, &header.iv, content)?;
        let plain = if header.gzip { unzipped(&plain, input.bytes.len())? } else { plain };
        entries::read(&plain)
    }
}

pub(super) fn damaged(what: &str) -> ImportError {
    ImportError::damaged(KeePass::NAME, what)
}

/// The key that the password and the derivation give. A key file is not asked for: a database with one does not open.
fn transformed(kdf: &Kdf, password: &[u8], unlock: Unlock<'_>) -> Result<kdf::KeyBytes, ImportError> {
    let composite = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(Sha256::digest(password))));
    match kdf {
        Kdf::Argon2 { variant, salt, memory_kib, passes, lanes } => {
            kdf::argon2(*variant, &*composite, salt, (*memory_kib, *passes, *lanes), 32, unlock)
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
        let cut = || damaged("it is cut off");
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

fn decrypted(cipher: Cipher, key: &[u8], iv: &[u8], content: Zeroizing<Vec<u8>>) -> Result<crypt::Plain, ImportError> {
    let plain = match cipher {
        Cipher::Aes => crypt::cbc_of::<Aes256>(key, iv, &content),
        Cipher::Twofish => crypt::cbc_of::<Twofish>(key, iv, &content),
        Cipher::ChaCha => {
            let mut plain = content;
            ChaCha20::new_from_slices(key, iv).ok().map(|mut cipher| {
                cipher.apply_keystream(&mut plain);
                plain
            })
        }
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
