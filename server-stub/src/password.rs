//! Passwords of users: Argon2id, on a few threads, so that a storm of logins slows logins and nothing else.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher as _, Version, password_hash::phc::PasswordHash};
use countersign_core::secret::Password;
use data_encoding::BASE64_NOPAD;
use subtle::ConstantTimeEq as _;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

use crate::service::Random;

/// Memory in KiB, passes and lanes: what OWASP's password storage sheet asks for at least.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Passwords that may wait; further ones wait to be let in.
const WAITING: usize = 64;
/// How much lower than the process's priority that of the threads is.
#[cfg(target_os = "linux")]
const YIELDING: i32 = 10;

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
    matches_in(password, hash, &mut Vec::new())
}

/// The same in memory that was needed before, or is from now on.
fn matches_in(password: &Password, hash: &str, memory: &mut Vec<Block>) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let (Ok(params), Some(salt), Some(right)) = (Params::try_from(&parsed), &parsed.salt, &parsed.hash) else {
        return false;
    };
    memory.resize(params.block_count(), Block::default());
    let mut found = Zeroizing::new(vec![0; right.as_bytes().len()]);
    let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password.expose().as_bytes(),
        salt.as_ref(),
        &mut found,
        memory,
    );
    made.is_ok() && bool::from(found.ct_eq(right.as_bytes()))
}

/// A password to be checked, its hash, and who waits.
struct Job {
    password: Password,
    hash: String,
    reply: oneshot::Sender<bool>,
}

/// Checks passwords a few at a time, on threads and in memory that are kept for it.
#[derive(Clone, Debug)]
pub struct Checker {
    queue: mpsc::Sender<Job>,
    /// The hash of nobody's password, for users who are not there.
    nobody: Arc<str>,
}

impl Checker {
    /// As many at once as given; the threads end when the last clone is dropped.
    ///
    /// # Errors
    ///
    /// There are no threads to be had.
    pub fn new(at_once: usize, random: &Random) -> Result<Self, HashFailed> {
        let (queue, jobs) = mpsc::channel(WAITING);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..at_once.max(1) {
            let jobs = jobs.clone();
            let thread = thread::Builder::new().name("passwords".to_owned());
            thread.spawn(move || check(&jobs)).map_err(|_| HashFailed)?;
        }
        let (salt, output): ([u8; 16], [u8; 32]) = (random.bytes(), random.bytes());
        let nobody = format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            BASE64_NOPAD.encode(&salt),
            BASE64_NOPAD.encode(&output)
        );
        Ok(Self { queue, nobody: nobody.into() })
    }

    /// Whether the password is the one that was hashed. `None` takes as long and is false.
    pub async fn matches(&self, password: Password, hash: Option<String>) -> bool {
        let (known, hash) = (hash.is_some(), hash.unwrap_or_else(|| self.nobody.to_string()));
        let (reply, answer) = oneshot::channel();
        if self.queue.send(Job { password, hash, reply }).await.is_err() {
            return false;
        }
        answer.await.unwrap_or(false) && known
    }
}

fn check(jobs: &Mutex<mpsc::Receiver<Job>>) {
    // Whoever verifies a code at the same time goes first. On Linux this is about the thread alone.
    #[cfg(target_os = "linux")]
    if let Ok(own) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, (own + YIELDING).min(19));
    }
    let mut memory = Vec::new();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(Job { password, hash, reply }) = next else { return };
        // Who asked may be gone.
        if !reply.is_closed() {
            let _ = reply.send(matches_in(&password, &hash, &mut memory));
        }
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

    #[tokio::test]
    async fn nobody_has_a_hash_that_costs_as_much() {
        let checker = Checker::new(2, &Random::system()).unwrap();
        let parsed = PasswordHash::new(&checker.nobody).unwrap();
        assert_eq!(Params::try_from(&parsed).unwrap().block_count(), argon2().unwrap().params().block_count());
        assert!(!checker.matches(Password::new("x"), None).await);
        let hash = hash(&Password::new("x"), &Random::system()).unwrap();
        assert!(checker.matches(Password::new("x"), Some(hash.clone())).await);
        assert!(!checker.matches(Password::new("y"), Some(hash)).await);
    }
}
