//! Passwords to keys as other apps do it, with bounds on what a file may ask for.

use hmac::{EagerHash, Hmac, KeyInit};
use zeroize::Zeroizing;

use super::{ASK_KDF_BYTES, ImportError, MAX_KDF_BYTES, Unlock};

/// A derived key; wiped on drop.
pub(super) type KeyBytes = Zeroizing<Vec<u8>>;

/// The most rounds of PBKDF2 or AES-KDF that a file may ask for.
const MAX_ROUNDS: u64 = 20_000_000;
/// The most bytes that a memory-hard derivation may write, all passes together.
const MAX_WORK_BYTES: u64 = 16 * MAX_KDF_BYTES;

/// Refuses a demand for memory that is above the bound, and asks about a large one.
fn admit(memory: u64, work: u64, unlock: Unlock<'_>) -> Result<(), ImportError> {
    if memory > MAX_KDF_BYTES {
        return Err(ImportError::too_much_memory(memory));
    }
    if work > MAX_WORK_BYTES {
        return Err(ImportError::TooCostly { what: "hours of work".to_owned() });
    }
    if memory > ASK_KDF_BYTES && !unlock.allow_costly {
        return Err(ImportError::Costly { mib: memory / (1024 * 1024) });
    }
    Ok(())
}

/// Refuses more rounds than any app makes.
pub(super) fn admit_rounds(rounds: u64) -> Result<u32, ImportError> {
    match u32::try_from(rounds) {
        Ok(rounds) if (1..=MAX_ROUNDS).contains(&u64::from(rounds)) => Ok(rounds),
        _ => Err(ImportError::TooCostly { what: format!("{rounds} rounds of key derivation") }),
    }
}

/// scrypt (RFC 7914): `n` a power of two, `r` blocks, `p` lanes.
pub(super) fn scrypt(
    password: &[u8],
    salt: &[u8],
    (n, r, p): (u64, u64, u64),
    length: usize,
    unlock: Unlock<'_>,
) -> Result<KeyBytes, ImportError> {
    let memory = n.checked_mul(r).and_then(|blocks| blocks.checked_mul(128)).unwrap_or(u64::MAX);
    let work = memory.saturating_mul(p.saturating_mul(2));
    admit(memory.saturating_add(p.saturating_mul(r).saturating_mul(128)), work, unlock)?;
    let bad = || ImportError::TooCostly { what: "a key derivation that does not exist".to_owned() };
    if !n.is_power_of_two() || n < 2 {
        return Err(bad());
    }
    let (r, p) = (u32::try_from(r).map_err(|_| bad())?, u32::try_from(p).map_err(|_| bad())?);
    let params = scrypt::Params::new(n.ilog2() as u8, r, p).map_err(|_| bad())?;
    let mut key = Zeroizing::new(vec![0; length]);
    scrypt::scrypt(password, salt, &params, &mut key).map_err(|_| bad())?;
    Ok(key)
}

/// PBKDF2 (RFC 8018) with HMAC over the hash `D`.
pub(super) fn pbkdf2<D>(password: &[u8], salt: &[u8], rounds: u64, length: usize) -> Result<KeyBytes, ImportError>
where
    D: EagerHash,
    Hmac<D>: KeyInit + hmac::digest::FixedOutput + hmac::digest::Update + Clone + Sync,
{
    let rounds = admit_rounds(rounds)?;
    let mut key = Zeroizing::new(vec![0; length]);
    pbkdf2::pbkdf2_hmac::<D>(password, salt, rounds, &mut key);
    Ok(key)
}

/// Argon2 (RFC 9106): memory in KiB.
pub(super) fn argon2(
    variant: argon2::Algorithm,
    password: &[u8],
    salt: &[u8],
    (memory_kib, passes, lanes): (u64, u64, u64),
    length: usize,
    unlock: Unlock<'_>,
) -> Result<KeyBytes, ImportError> {
    let memory = memory_kib.saturating_mul(1024);
    admit(memory, memory.saturating_mul(passes), unlock)?;
    let bad = || ImportError::TooCostly { what: "a key derivation that does not exist".to_owned() };
    if !(1..=64).contains(&lanes) {
        return Err(bad());
    }
    let narrow = |number: u64| u32::try_from(number).map_err(|_| bad());
    let params = argon2::Params::new(narrow(memory_kib)?, narrow(passes)?, narrow(lanes)?, Some(length));
    let mut key = Zeroizing::new(vec![0; length]);
    argon2::Argon2::new(variant, argon2::Version::V0x13, params.map_err(|_| bad())?)
        .hash_password_into(password, salt, &mut key)
        .map_err(|_| ImportError::Memory)?;
    Ok(key)
}
