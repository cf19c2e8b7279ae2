//! The system's keyring: where the key of the vault's device slot is kept, so that the login opens the vault.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use countersign_core::secret::SecretBytes;

/// The smallest secret that is kept, in bytes: a key of 256 bits.
pub const MIN_SECRET: usize = 32;
/// The largest secret that is kept, in bytes: keyrings of other systems keep little.
pub const MAX_SECRET: usize = 64;

/// What a secret is found by. None of it is secret: keyrings show it, and keep it unencrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringEntry {
    /// What a person reads in the keyring's own window, such as "Countersign vault".
    pub label: String,
    /// Names and values, of which all must be equal: the vault's id, for one.
    pub attributes: Vec<(String, String)>,
}

/// Whether the keyring may open a window of its own to ask for its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompting {
    /// It may: somebody just clicked. Such a call lasts as long as a person thinks.
    Allowed,
    /// It may not, and a locked keyring is [`KeyringError::Locked`].
    Forbidden,
}

/// What the keyring would do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringState {
    /// It is open.
    Open,
    /// It asks for its password at the next use.
    Locked,
    /// The service runs and holds no collection yet: the first secret makes one, and its password is asked for.
    Empty,
}

/// Why a secret was not kept, found or forgotten. Each says what happened; what to do follows the semicolon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The system has none, or none that this program knows.
    #[error("this system has no keyring; use the password")]
    Unsupported,
    /// The session bus, by which the keyring is reached, does not answer.
    #[error("the session bus does not answer ({0}); start the program inside a desktop session, or use the password")]
    NoBus(String),
    /// The bus answers, but no program on it is a keyring.
    #[error("no keyring service is running; install or start GNOME Keyring, KWallet or KeePassXC, or use the password")]
    NoService,
    /// The keyring is locked and was not allowed to ask, or it stayed locked.
    #[error("the keyring is locked; unlock it, or use the password")]
    Locked,
    /// The person closed the keyring's question.
    #[error("the keyring's question was dismissed; try again, or use the password")]
    Dismissed,
    /// It did not answer in time, or the person did not.
    #[error("the keyring did not answer within {} s; try again, or use the password", .0.as_secs())]
    TimedOut(Duration),
    /// Not a size that is kept; nothing was changed.
    #[error("a secret of {0} bytes is not kept; it must have {MIN_SECRET} to {MAX_SECRET}")]
    WrongSize(usize),
    /// What came back after storing is not what was stored.
    #[error("the keyring did not keep the secret; use the password, and report which keyring this is")]
    NotKept,
    /// Anything else, in the keyring's own words.
    #[error("the keyring refused: {0}; try again, or use the password")]
    Refused(String),
}

/// A keyring. Each call talks to another program and may wait for a person: never call it on the window's thread.
pub trait Keyring: Send + Sync {
    /// What it would do now. Never opens a window.
    fn state(&self) -> Result<KeyringState, KeyringError>;

    /// Keeps a secret of [`MIN_SECRET`] to [`MAX_SECRET`] bytes in place of one with the same attributes, and reads it
    /// back before it says so.
    fn store(&self, entry: &KeyringEntry, secret: &SecretBytes, prompting: Prompting) -> Result<(), KeyringError>;

    /// The secret with these attributes; `None` where there is none.
    fn load(&self, entry: &KeyringEntry, prompting: Prompting) -> Result<Option<SecretBytes>, KeyringError>;

    /// Forgets every secret with these attributes, and says whether there was one.
    fn delete(&self, entry: &KeyringEntry, prompting: Prompting) -> Result<bool, KeyringError>;
}

pub(crate) fn check_size(secret: &SecretBytes) -> Result<(), KeyringError> {
    let bytes = secret.len();
    if (MIN_SECRET..=MAX_SECRET).contains(&bytes) { Ok(()) } else { Err(KeyringError::WrongSize(bytes)) }
}

/// The keyring of a system that has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoKeyring;

impl Keyring for NoKeyring {
    fn state(&self) -> Result<KeyringState, KeyringError> {
        Err(KeyringError::Unsupported)
    }

    fn store(&self, _: &KeyringEntry, _: &SecretBytes, _: Prompting) -> Result<(), KeyringError> {
        Err(KeyringError::Unsupported)
    }

    fn load(&self, _: &KeyringEntry, _: Prompting) -> Result<Option<SecretBytes>, KeyringError> {
        Err(KeyringError::Unsupported)
    }

    fn delete(&self, _: &KeyringEntry, _: Prompting) -> Result<bool, KeyringError> {
        Err(KeyringError::Unsupported)
    }
}

/// A keyring in memory, which can be locked, and which fails as a script says.
#[derive(Default)]
pub struct ScriptedKeyring(Mutex<Scripted>);

#[derive(Default)]
struct Scripted {
    entries: Vec<(Vec<(String, String)>, SecretBytes)>,
    locked: bool,
    failures: VecDeque<KeyringError>,
}

impl Scripted {
    /// What the next call meets: a failure of the script first, then the lock, which a question opens.
    fn enter(&mut self, prompting: Prompting) -> Result<(), KeyringError> {
        if let Some(failure) = self.failures.pop_front() {
            return Err(failure);
        }
        if self.locked && prompting == Prompting::Forbidden {
            return Err(KeyringError::Locked);
        }
        self.locked = false;
        Ok(())
    }
}

impl ScriptedKeyring {
    /// Locks it: the next call that may ask opens it.
    pub fn lock(&self) {
        self.inner().locked = true;
    }

    /// The call after those that fail already ends with `error` and does nothing.
    pub fn fail_next(&self, error: KeyringError) {
        self.inner().failures.push_back(error);
    }

    /// How many secrets it keeps.
    pub fn len(&self) -> usize {
        self.inner().entries.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Scripted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ScriptedKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptedKeyring({} secrets)", self.len())
    }
}

impl Keyring for ScriptedKeyring {
    fn state(&self) -> Result<KeyringState, KeyringError> {
        let mut inner = self.inner();
        match inner.failures.pop_front() {
            Some(failure) => Err(failure),
            None if inner.locked => Ok(KeyringState::Locked),
            None => Ok(KeyringState::Open),
        }
    }

    fn store(&self, entry: &KeyringEntry, secret: &SecretBytes, prompting: Prompting) -> Result<(), KeyringError> {
        check_size(secret)?;
        let mut inner = self.inner();
        inner.enter(prompting)?;
        inner.entries.retain(|(attributes, _)| *attributes != entry.attributes);
        inner.entries.push((entry.attributes.clone(), secret.clone()));
        Ok(())
    }

    fn load(&self, entry: &KeyringEntry, prompting: Prompting) -> Result<Option<SecretBytes>, KeyringError> {
        let mut inner = self.inner();
        inner.enter(prompting)?;
        let found = inner.entries.iter().find(|(attributes, _)| *attributes == entry.attributes);
        Ok(found.map(|(_, secret)| secret.clone()))
    }

    fn delete(&self, entry: &KeyringEntry, prompting: Prompting) -> Result<bool, KeyringError> {
        let mut inner = self.inner();
        inner.enter(prompting)?;
        let before = inner.entries.len();
        inner.entries.retain(|(attributes, _)| *attributes != entry.attributes);
        Ok(inner.entries.len() < before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> KeyringEntry {
        KeyringEntry { label: "Countersign vault".into(), attributes: vec![("vault".into(), id.into())] }
    }

    #[test]
    fn twin_keeps_finds_and_forgets() {
        let keyring = ScriptedKeyring::default();
        let (first, second) = (SecretBytes::new(vec![1; 32]), SecretBytes::new(vec![2; 64]));
        keyring.store(&entry("a"), &first, Prompting::Forbidden).unwrap();
        keyring.store(&entry("a"), &second, Prompting::Forbidden).unwrap();
        assert_eq!(keyring.len(), 1);
        assert_eq!(keyring.load(&entry("a"), Prompting::Forbidden).unwrap(), Some(second));
        assert_eq!(keyring.load(&entry("b"), Prompting::Forbidden).unwrap(), None);
        assert!(keyring.delete(&entry("a"), Prompting::Forbidden).unwrap());
        assert!(!keyring.delete(&entry("a"), Prompting::Forbidden).unwrap());
    }

    #[test]
    fn twin_locks_and_fails_as_told() {
        let keyring = ScriptedKeyring::default();
        keyring.lock();
        assert_eq!(keyring.state(), Ok(KeyringState::Locked));
        assert_eq!(keyring.load(&entry("a"), Prompting::Forbidden), Err(KeyringError::Locked));
        keyring.fail_next(KeyringError::Dismissed);
        assert_eq!(keyring.load(&entry("a"), Prompting::Allowed), Err(KeyringError::Dismissed));
        assert_eq!(keyring.load(&entry("a"), Prompting::Allowed), Ok(None));
        assert_eq!(keyring.state(), Ok(KeyringState::Open));
    }

    #[test]
    fn sizes_are_bounded() {
        for (bytes, kept) in [(31, false), (32, true), (64, true), (65, false)] {
            let stored =
                ScriptedKeyring::default().store(&entry("a"), &SecretBytes::new(vec![7; bytes]), Prompting::Allowed);
            assert_eq!(stored, if kept { Ok(()) } else { Err(KeyringError::WrongSize(bytes)) });
        }
    }

    #[test]
    fn every_error_says_what_to_do() {
        let errors = [
            KeyringError::Unsupported,
            KeyringError::NoBus("gone".into()),
            KeyringError::NoService,
            KeyringError::Locked,
            KeyringError::Dismissed,
            KeyringError::TimedOut(Duration::from_secs(5)),
            KeyringError::WrongSize(3),
            KeyringError::NotKept,
            KeyringError::Refused("no".into()),
        ];
        for error in errors {
            let text = error.to_string();
            let (happened, todo) = text.split_once("; ").unwrap_or_else(|| panic!("{text}"));
            assert!(!happened.is_empty() && !todo.is_empty(), "{text}");
        }
    }
}
