//! What the pages decide, one controller a page: plain Rust over the core, without a window.

pub mod add;
pub mod clipboard;
pub mod lock;
pub mod tokens;

use std::{
    cell::{Cell, Ref, RefCell},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};

use countersign_core::vault::{
    Content, KdfParams, Session,
    session::{EditError, SaveError},
};
use rand_core::CryptoRng;

use crate::{
    platform::{Clipboard, FilePicker},
    tasks::Tasks,
};

/// The time, as an argument.
pub trait Clock {
    /// Unix seconds.
    fn now(&self) -> u64;
}

/// What controllers need of the world.
pub struct Services {
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Makes a source of randomness; a function, because threads need their own.
    pub random: fn() -> Box<dyn CryptoRng>,
    /// The clipboard.
    pub clipboard: Rc<dyn Clipboard>,
    /// The dialog for files.
    pub picker: Arc<dyn FilePicker>,
    /// Work off the window's thread.
    pub tasks: Tasks,
    /// What a new vault's password costs whoever guesses it.
    pub kdf: KdfParams,
}

/// The vault, open or closed. All controllers share one.
pub struct Door {
    path: PathBuf,
    session: RefCell<Option<Session>>,
    changes: Cell<u64>,
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
    /// Another program changed the password; nothing changed.
    #[error("the vault's password was changed elsewhere")]
    PasswordChanged,
}

impl Door {
    /// The vault at `path`, closed.
    pub fn new(path: PathBuf) -> Self {
        Self { path, session: RefCell::default(), changes: Cell::new(0) }
    }

    /// The vault's file.
    pub fn path(&self) -> &std::path::Path {
        &self.path
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
            _ => ChangeError::NotSaved,
        })
    }

    fn changed(&self) {
        self.changes.set(self.changes.get() + 1);
    }
}
