//! Opens, makes and locks the vault.

use std::rc::Rc;

use countersign_core::{
    backup,
    secret::Password,
    vault::{
        Session,
        session::{Key, OpenError, SaveError},
        store::FileStore,
    },
};

use super::{Door, Services};

/// Why a vault did not open, or was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnlockProblem {
    /// The password is another one.
    WrongPassword,
    /// There is no file.
    Missing,
    /// The file is not as it was written.
    Damaged,
    /// A newer program wrote it.
    Newer,
    /// The system does not let it be read.
    Unreadable,
    /// The system does not let it be written.
    CannotSave,
}

impl From<OpenError> for UnlockProblem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Missing(_) => Self::Missing,
            OpenError::WrongKey => Self::WrongPassword,
            OpenError::Newer { .. } => Self::Newer,
            OpenError::Io(_) => Self::Unreadable,
            _ => Self::Damaged,
        }
    }
}

impl From<SaveError> for UnlockProblem {
    fn from(_: SaveError) -> Self {
        Self::CannotSave
    }
}

/// What two typings of a new password are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCheck {
    /// 0 (seconds to guess) to 4 (centuries); `None` where nothing is typed.
    pub strength: Option<u8>,
    /// Both are there and the second is not the beginning of the first.
    pub differs: bool,
    /// A vault can be made with it.
    pub good: bool,
}

/// The lowest strength that a vault is made with: what falls in seconds protects nothing.
const LOWEST_STRENGTH: u8 = 1;

/// Compares the two and judges the first.
pub fn check_new(password: &str, again: &str) -> PasswordCheck {
    let strength = (!password.is_empty()).then(|| backup::strength(&Password::new(password)).score);
    // Whoever is still typing the second one has made no mistake yet.
    let differs = !again.is_empty() && !password.starts_with(again);
    PasswordCheck { strength, differs, good: password == again && strength.is_some_and(|s| s >= LOWEST_STRENGTH) }
}

/// The pages of a closed vault.
pub struct LockController {
    services: Rc<Services>,
    door: Rc<Door>,
}

impl LockController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door }
    }

    /// Whether the vault's file is there, so that it can be opened; otherwise it can be made.
    pub fn exists(&self) -> bool {
        self.door.path().exists()
    }

    /// Opens the vault; `done` is called here when the key was worked out.
    pub fn open(&self, password: Password, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        let path = self.door.path().to_owned();
        self.enter_with(
            move || {
                Session::open(Box::new(FileStore::new(path)), &Key::Password(password)).map_err(UnlockProblem::from)
            },
            done,
        );
    }

    /// Makes the vault; `done` is called here when it is on the disk.
    pub fn create(&self, password: Password, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        let path = self.door.path().to_owned();
        let (kdf, random, now) = (self.services.kdf, self.services.random, self.services.clock.now());
        self.enter_with(
            move || {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).map_err(|_| UnlockProblem::CannotSave)?;
                }
                Session::create(Box::new(FileStore::new(path)), &password, kdf, &mut *random(), now)
                    .map_err(UnlockProblem::from)
            },
            done,
        );
    }

    /// Locks: keys and content are dropped, and so is what is still being worked out.
    pub fn lock(&self) {
        self.services.tasks.forget();
        self.door.close();
    }

    fn enter_with(
        &self,
        work: impl FnOnce() -> Result<Session, UnlockProblem> + Send + 'static,
        done: impl FnOnce(Result<(), UnlockProblem>) + 'static,
    ) {
        let door = self.door.clone();
        self.services.tasks.run(work, move |result| {
            done(result.map(|session| door.enter(session)));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_is_judged_while_it_is_typed() {
        assert_eq!(check_new("", ""), PasswordCheck { strength: None, differs: false, good: false });
        let half = check_new("correct horse battery staple", "correct ho");
        assert!(!half.differs && !half.good);
        assert!(check_new("correct horse battery staple", "correct hp").differs);
        assert!(check_new("correct horse battery staple", "correct horse battery staple").good);
    }

    #[test]
    fn what_falls_in_seconds_makes_no_vault() {
        let check = check_new("password", "password");
        assert_eq!(check.strength, Some(0));
        assert!(!check.good && !check.differs);
    }
}
