//! Opens, makes and locks the vault.

use std::{
    cell::RefCell,
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};

use countersign_core::{
    backup,
    secret::{Password, SecretText},
    vault::{
        KdfParams, RecoveryKeyError, Session,
        session::{Key, OpenError, RestoreError, SaveError},
        store::{FileStore, GENERATIONS, Part},
        verify,
    },
};

use super::{
    Door, Services,
    device::{self, KeyringProblem},
};

/// How long the key of a new password may take.
pub const KDF_TARGET: Duration = Duration::from_millis(500);

/// Why a vault did not open, or was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnlockProblem {
    /// The password is another one.
    WrongPassword,
    /// The recovery key is one, but not of this vault.
    WrongRecoveryKey,
    /// What was typed is no recovery key.
    RecoveryKey(RecoveryKeyError),
    /// The keyring did not help.
    Keyring(KeyringProblem),
    /// The keyring's key opens it, but the password is to be typed again.
    PasswordDue,
    /// There is no file. Earlier copies can be there all the same.
    Missing(Option<EarlierCopy>),
    /// There is a file already where one was to be made.
    Exists,
    /// The file is not as it was written.
    Damaged(Option<EarlierCopy>),
    /// A newer program wrote it.
    Newer,
    /// The system does not let it be read.
    Unreadable,
    /// The system does not let it be written.
    CannotSave,
}

/// An earlier generation that opens with the key that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlierCopy {
    /// Which one, from 1.
    pub number: u8,
    /// Tokens in it.
    pub tokens: usize,
    /// When its file was written, in Unix seconds; `None` where the system does not tell.
    pub saved_at: Option<u64>,
}

impl From<OpenError> for UnlockProblem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Missing(_) => Self::Missing(None),
            OpenError::WrongKey => Self::WrongPassword,
            OpenError::RecoveryKey(error) => Self::RecoveryKey(error),
            OpenError::Newer { .. } => Self::Newer,
            OpenError::Io(_) => Self::Unreadable,
            _ => Self::Damaged(None),
        }
    }
}

impl From<SaveError> for UnlockProblem {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Exists(_) => Self::Exists,
            _ => Self::CannotSave,
        }
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

/// What a new vault begins with.
#[derive(Debug)]
pub struct Created {
    /// Its recovery key, where one was asked for.
    pub recovery_key: Option<SecretText>,
}

/// The pages of a closed vault.
pub struct LockController {
    services: Rc<Services>,
    door: Rc<Door>,
    /// What opens the earlier copy that is offered.
    offered: RefCell<Option<(Key, u8)>>,
    /// Opened with the recovery key; waits for its new password.
    recovered: RefCell<Option<Session>>,
    /// Tells the vault that is being made that nobody wants it any more.
    making: RefCell<Option<Arc<AtomicBool>>>,
}

impl LockController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, offered: RefCell::default(), recovered: RefCell::default(), making: RefCell::default() }
    }

    /// Whether the vault's file or an earlier copy of it is there, so that it can be opened; otherwise it can be made.
    pub fn exists(&self) -> bool {
        self.door.path().exists() || self.has_copies()
    }

    /// Whether earlier copies lie where the vault's file is, or was.
    pub fn has_copies(&self) -> bool {
        let store = FileStore::new(self.door.path());
        (1..=GENERATIONS).any(|number| store.part_path(Part::Earlier(number)).exists())
    }

    /// Opens the vault; `done` is called here when the key was worked out.
    pub fn open(self: &Rc<Self>, password: Password, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        let this = self.clone();
        self.try_key(Key::Password(password), move |result| {
            done(result.map(|session| {
                this.door.enter(session);
                device::note_typed(&this.services, &this.door);
            }));
        });
    }

    /// Opens the vault with the recovery key as it was typed. It stays closed until [`LockController::set_password`]
    /// or [`LockController::keep_password`].
    pub fn recover(self: &Rc<Self>, typed: SecretText, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        let this = self.clone();
        self.try_key(Key::Recovery(typed), move |result| {
            done(match result {
                Ok(session) => {
                    *this.recovered.borrow_mut() = Some(session);
                    Ok(())
                }
                Err(UnlockProblem::WrongPassword) => Err(UnlockProblem::WrongRecoveryKey),
                Err(problem) => Err(problem),
            });
        });
    }

    /// Gives the vault that the recovery key opened a new password, and opens it.
    pub fn set_password(self: &Rc<Self>, password: Password, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        let recovered = self.recovered.borrow();
        let Some(mut session) = recovered.as_ref().map(|s| s.second(Box::new(FileStore::new(self.door.path())))) else {
            return;
        };
        drop(recovered);
        let (random, now) = (self.services.random, self.services.clock.now());
        let (kdf, stopwatch) = (self.services.kdf, self.services.clock.stopwatch());
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let kdf = session.kdf().unwrap_or_else(|| kdf.calibrate(KDF_TARGET, stopwatch));
                match session.change_password(&password, kdf, &mut *random(), now) {
                    Ok(()) | Err(SaveError::NotSynced(_)) => Ok(session),
                    Err(error) => Err(UnlockProblem::from(error)),
                }
            },
            move |result| {
                done(result.map(|session| {
                    this.forget();
                    this.door.enter(session);
                    device::note_typed(&this.services, &this.door);
                }));
            },
        );
    }

    /// Opens the vault that the recovery key opened as it is, and says whether there was one.
    pub fn keep_password(&self) -> bool {
        let session = self.recovered.borrow_mut().take();
        let there = session.is_some();
        if let Some(session) = session {
            self.door.enter(session);
        }
        there
    }

    /// Opens the vault with the key that this device's keyring keeps.
    pub fn open_with_device(&self, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        device::open(&self.services, &self.door, done);
    }

    /// Puts the earlier copy that was offered in the place of the file that is damaged, which stays beside it, or gone.
    pub fn restore_offered(self: &Rc<Self>, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
        let Some((key, number)) = self.offered.borrow_mut().take() else { return };
        let (path, random) = (self.door.path(), self.services.random);
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let store = Box::new(FileStore::new(path));
                Session::restore_generation(store, &key, number, &mut *random()).map_err(|error| match error {
                    RestoreError::Open(error) => error.into(),
                    RestoreError::Save(error) => error.into(),
                    _ => UnlockProblem::CannotSave,
                })
            },
            move |result| done(result.map(|session| this.door.enter(session))),
        );
    }

    /// Makes the vault, and its recovery key where it is to have one; `done` is called here when it is on the disk.
    pub fn create(
        self: &Rc<Self>,
        password: Password,
        recovery: bool,
        done: impl FnOnce(Result<Created, UnlockProblem>) + 'static,
    ) {
        let unwanted = Arc::new(AtomicBool::new(false));
        *self.making.borrow_mut() = Some(unwanted.clone());
        let (path, random, now) = (self.door.path(), self.services.random, self.services.clock.now());
        let (kdf, stopwatch) = (self.services.kdf, self.services.clock.stopwatch());
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let unwanted = || unwanted.load(Ordering::Relaxed);
                let kdf = kdf.calibrate(KDF_TARGET, stopwatch);
                if unwanted() {
                    return Ok(None);
                }
                let made = make(&path, &password, kdf, recovery, random, now)?;
                if unwanted() {
                    drop(made);
                    // Made a moment ago, and nothing is in it.
                    let _ = std::fs::remove_file(&path);
                    return Ok(None);
                }
                Ok(Some(made))
            },
            move |result: Result<_, UnlockProblem>| {
                *this.making.borrow_mut() = None;
                match result {
                    Ok(Some((session, recovery_key))) => {
                        this.door.enter(session);
                        done(Ok(Created { recovery_key }));
                    }
                    Ok(None) => {}
                    Err(problem) => done(Err(problem)),
                }
            },
        );
    }

    /// Leaves whatever a closed vault's page was in the middle of: a vault that is being made is not wanted, and keys
    /// that waited are dropped.
    pub fn forget(&self) {
        if let Some(unwanted) = self.making.borrow_mut().take() {
            unwanted.store(true, Ordering::Relaxed);
        }
        *self.offered.borrow_mut() = None;
        *self.recovered.borrow_mut() = None;
    }

    /// Locks: keys and content are dropped, and so is what is still being worked out.
    pub fn lock(&self) {
        self.services.tasks.forget();
        self.forget();
        self.door.close();
    }

    /// Tries a key. Where the file is damaged or gone it looks for an earlier copy that the same key opens, and keeps the key
    /// until the person decides.
    fn try_key(self: &Rc<Self>, key: Key, done: impl FnOnce(Result<Session, UnlockProblem>) + 'static) {
        *self.offered.borrow_mut() = None;
        let path = self.door.path();
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let store = FileStore::new(path);
                match Session::open(Box::new(store.clone()), &key).map_err(UnlockProblem::from) {
                    Err(problem @ (UnlockProblem::Damaged(_) | UnlockProblem::Missing(_))) => {
                        let copy = earlier_copy(&store, &key);
                        let problem = match problem {
                            UnlockProblem::Missing(_) => UnlockProblem::Missing(copy),
                            _ => UnlockProblem::Damaged(copy),
                        };
                        (Err(problem), copy.map(|copy| (key, copy.number)))
                    }
                    other => (other, None),
                }
            },
            move |(result, offered)| {
                *this.offered.borrow_mut() = offered;
                done(result);
            },
        );
    }
}

fn make(
    path: &Path,
    password: &Password,
    kdf: KdfParams,
    recovery: bool,
    random: fn() -> Box<dyn rand_core::CryptoRng>,
    now: u64,
) -> Result<(Session, Option<SecretText>), UnlockProblem> {
    let mut random = random();
    let mut session = Session::create(Box::new(FileStore::new(path)), password, kdf, &mut *random, now)?;
    let key = if recovery { Some(session.new_recovery_key(&mut *random, now)?) } else { None };
    Ok((session, key))
}

fn earlier_copy(store: &FileStore, key: &Key) -> Option<EarlierCopy> {
    let (number, content) = verify(store, key)
        .into_iter()
        .filter(|report| report.earlier > 0)
        .find_map(|report| Some((report.earlier, report.outcome.ok()?)))?;
    let saved = std::fs::metadata(store.part_path(Part::Earlier(number))).and_then(|file| file.modified()).ok();
    let saved_at = saved.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
    Some(EarlierCopy { number, tokens: content.tokens, saved_at })
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
