//! Passwords of users: Argon2id, on a few threads, so that a storm of logins slows logins and nothing else.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version, password_hash::phc::PasswordHash,
};
use countersign_core::secret::Password;
use tokio::sync::Semaphore;

use crate::service::Random;

/// Memory in KiB, passes and lanes: what OWASP's password storage sheet asks for at least.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashFailed;

/// The hash of a password as it is kept (`$argon2id$..`).
pub fn hash(password: &Password, random: &Random) -> Result<String, HashFailed> {
    let salt: [u8; 16] = random.bytes();
    let hash: PasswordHash =
        argon2()?.hash_password_with_salt(password.expose().as_bytes(), &salt).map_err(|_| HashFailed)?;
    Ok(hash.to_string())
}

/// Whether the password is the one that was hashed.
pub fn matches(password: &Password, hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    argon2().is_ok_and(|argon2| argon2.verify_password(password.expose().as_bytes(), &parsed).is_ok())
}

/// Checks passwords a few at a time.
#[derive(Clone, Debug)]
pub struct Checker {
    places: Arc<Semaphore>,
    /// The hash of nobody's password, for users who are not there.
    nobody: Arc<str>,
}

impl Checker {
    /// As many at once as given.
    pub fn new(at_once: usize, random: &Random) -> Result<Self, HashFailed> {
        let nobody = Password::new(&data_encoding::HEXLOWER.encode(&random.bytes::<32>()));
        Ok(Self { places: Arc::new(Semaphore::new(at_once.max(1))), nobody: hash(&nobody, random)?.into() })
    }

    /// Whether the password is the one that was hashed. `None` takes as long and is false.
    pub async fn matches(&self, password: Password, hash: Option<String>) -> bool {
        let Ok(_place) = self.places.acquire().await else { return false };
        let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| self.nobody.to_string()));
        tokio::task::spawn_blocking(move || matches(&password, &hash)).await.unwrap_or(false) && known
    }
}

fn argon2() -> Result<Argon2<'static>, HashFailed> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashFailed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_its_password_only() {
        let random = Random::system();
        let hash = hash(&Password::new("cafe\u{301}"), &random).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches(&Password::new("café"), &hash));
        assert!(!matches(&Password::new("cafe"), &hash));
        assert!(!matches(&Password::new("café"), "nonsense"));
    }
}
