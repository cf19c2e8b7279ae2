//! Backups: out as a text, back in with a ledger, by themselves into a folder, and what is in none.

pub mod automatic;
pub mod export;
pub mod reminder;
pub mod restore;
pub mod rotation;

use std::{
    cell::RefCell,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Why a file could not be written, or a folder not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileTrouble {
    /// The folder is gone: a disk that was taken out, a name that was mistyped.
    Gone,
    /// The system does not allow it.
    Denied,
    /// The disk takes nothing at all.
    ReadOnly,
    /// The disk is full.
    Full,
    /// What was read back is not what was written.
    Unsound,
    /// The file would replace the vault itself.
    Vault,
    /// Something else.
    Other,
}

impl From<&io::Error> for FileTrouble {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Gone,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::Full,
            _ => Self::Other,
        }
    }
}

/// Tells work on another thread that nobody wants its result any more.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Nobody does.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether nobody does.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Work of which there is one at a time: what is begun takes the place of what was.
#[derive(Debug, Default)]
pub struct Latest(RefCell<Cancel>);

impl Latest {
    /// Begins, and cancels what is under way.
    pub fn begin(&self) -> Cancel {
        let cancel = Cancel::default();
        self.0.replace(cancel.clone()).cancel();
        cancel
    }

    /// Cancels what is under way.
    pub fn cancel(&self) {
        self.0.borrow().cancel();
    }
}
