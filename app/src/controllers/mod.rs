//! What the pages decide, one controller a page: plain Rust over the core, without a window.

pub mod account;
pub mod add;
pub mod backup;
pub mod camera;
pub mod clipboard;
pub mod clock;
pub mod detail;
pub mod device;
pub mod form;
pub mod idle;
pub mod lock;
pub mod moving;
pub mod problem;
pub mod security;
pub mod settings;
pub mod sheet;
pub mod tokens;

use std::{
    cell::{Cell, Ref, RefCell},
    path::PathBuf,
    rc::Rc,
    time::{Duration, SystemTime},
};

use countersign_core::{
    token::TokenId,
    vault::{
        Content, CopyKey, KdfParams, Session,
        session::{EditError, SaveError},
        store::FileStore,
    },
};
use rand_core::CryptoRng;

use crate::{platform::Platform, settings::SettingsStore, tasks::Tasks};

/// The time, as an argument.
pub trait Clock {
    /// Unix seconds.
    fn now(&self) -> u64;

    /// Seconds since some moment, sleep counted in, which no change of the clock moves.
    fn steady(&self) -> u64;

    /// Measures work on whatever thread it runs.
    fn stopwatch(&self) -> Stopwatch;

    /// Says on whatever thread whether a time is over. A clock that stands never says so.
    fn countdown(&self) -> Countdown {
        |_| Box::new(|| false)
    }
}

/// Runs the work it is handed and says how long it took.
pub type Stopwatch = fn(&mut dyn FnMut()) -> Duration;

/// Begins to count a time down; what comes back says whether it is over.
pub type Countdown = fn(Duration) -> Box<dyn Fn() -> bool>;

/// What controllers need of the world.
pub struct Services {
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Makes a source of randomness; a function, because threads need their own.
    pub random: fn() -> Box<dyn CryptoRng>,
    /// What the system gives.
    pub platform: Platform,
    /// What the user chose for this device.
    pub settings: SettingsStore,
    /// Work off the window's thread.
    pub tasks: Tasks,
    /// What a new vault's password costs whoever guesses it.
    pub kdf: KdfParams,
}

impl Services {
    /// A new token's identifier.
    pub fn random_id(&self) -> TokenId {
        let mut bytes = [0; 16];
        (self.random)().fill_bytes(&mut bytes);
        TokenId::from_random(bytes)
    }
}

/// The vault, open or closed. All controllers share one.
pub struct Door {
    path: RefCell<PathBuf>,
    session: RefCell<Option<Session>>,
    changes: Cell<u64>,
    /// The file as it was looked at last: when it was written, and its length in bytes.
    seen: Cell<Option<(SystemTime, u64)>>,
}

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The vault is locked.
    #[error("the vault is locked")]
    Locked,
    /// The token is gone.
    #[error("there is no such token")]
    NoSuchToken,
    /// The file could not be written; nothing changed.
    #[error("the vault could not be saved")]
    NotSaved,
    /// The file is gone; nothing changed, and the next change makes it anew.
    #[error("the vault file is gone")]
    FileGone,
    /// Another program changed the password; nothing changed.
    #[error("the vault's password was changed elsewhere")]
    PasswordChanged,
}

impl Door {
    /// The vault at `path`, closed.
    pub fn new(path: PathBuf) -> Self {
        Self { path: RefCell::new(path), session: RefCell::default(), changes: Cell::new(0), seen: Cell::default() }
    }

    /// The vault's file.
    pub fn path(&self) -> PathBuf {
        self.path.borrow().clone()
    }

    /// Goes to another vault, and leaves this one closed.
    pub fn move_to(&self, path: PathBuf) {
        self.close();
        *self.path.borrow_mut() = path;
    }

    /// Looks at the session, while it is open.
    pub fn with<T>(&self, look: impl FnOnce(&Session) -> T) -> Option<T> {
        self.session.borrow().as_ref().map(look)
    }

    /// The same vault once more, for work on another thread; [`Door::enter`] takes it in the place of this one.
    pub fn second(&self) -> Option<Session> {
        self.with(|session| session.second(Box::new(FileStore::new(self.path()))))
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.session.borrow().is_some()
    }

    /// Takes an open session.
    pub fn enter(&self, session: Session) {
        *self.session.borrow_mut() = Some(session);
        self.changed();
    }

    /// Drops the session, and with it the keys and the content.
    pub fn close(&self) {
        *self.session.borrow_mut() = None;
        self.changed();
    }

    /// What it holds, while it is open.
    pub fn content(&self) -> Option<Ref<'_, Content>> {
        Ref::filter_map(self.session.borrow(), |session| session.as_ref().map(Session::content)).ok()
    }

    /// Opens copies of it, while it is open.
    pub fn copy_key(&self) -> Option<CopyKey> {
        self.session.borrow().as_ref().map(Session::copy_key)
    }

    /// Takes what another program saved meanwhile, and says whether there was anything. The file is read only where it
    /// was written since the last look. One that does not open is left to the next save, which says why.
    pub fn follow(&self) -> bool {
        let mut session = self.session.borrow_mut();
        let Some(session) = session.as_mut() else { return false };
        let file = std::fs::metadata(session.store().path());
        let seen = file.ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        if seen.is_none() || self.seen.replace(seen) == seen {
            return false;
        }
        let newer = session.refresh().unwrap_or(false);
        if newer {
            self.changed();
        }
        newer
    }

    /// Counts changes of the content, so that what was worked out from it can be thrown away.
    pub fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// Changes the content and saves it. On an error nothing changed, here and on the disk.
    pub fn edit<T, E>(
        &self,
        services: &Services,
        change: impl FnOnce(&mut Content) -> Result<T, E>,
    ) -> Result<T, ChangeError> {
        let mut session = self.session.borrow_mut();
        let session = session.as_mut().ok_or(ChangeError::Locked)?;
        let result = session.edit(&mut *(services.random)(), services.clock.now(), change);
        self.changed();
        result.map_err(|error| match error {
            EditError::Change(_) => ChangeError::NoSuchToken,
            EditError::Save(SaveError::KeyChanged) => ChangeError::PasswordChanged,
            EditError::Save(SaveError::Gone(_)) => ChangeError::FileGone,
            _ => ChangeError::NotSaved,
        })
    }

    fn changed(&self) {
        self.changes.set(self.changes.get() + 1);
    }
}
