//! Files that leave the program, as a trait, so that a test can let a disk fail or lie.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::files::{self, ReplaceError};

/// Whether what is on the disk is what was meant.
pub type Check<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

/// The file operations that backups need.
pub trait Files: Send + Sync {
    /// All bytes of a file, of which it may have `limit`.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// The names in a folder, in no order; those that are no text are left out.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Puts a file there, for its owner alone, once `check` has seen it read back. An error leaves what was there.
    fn replace(&self, path: &Path, bytes: &[u8], check: Check<'_>) -> Result<(), ReplaceError<()>>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        files::read_limited(path, limit)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn replace(&self, path: &Path, bytes: &[u8], check: Check<'_>) -> Result<(), ReplaceError<()>> {
        files::replace(path, bytes, |written| if check(written) { Ok(()) } else { Err(()) })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// What a [`FakeFiles`] does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every writing fails so.
    pub write: Option<io::ErrorKind>,
    /// Every look into a folder fails so.
    pub names: Option<io::ErrorKind>,
    /// Reads back something else than was written.
    pub lies: bool,
    /// No file is removed.
    pub keeps: bool,
}

/// Files in memory, with faults. Folders need not be made.
#[derive(Debug, Default)]
pub struct FakeFiles {
    /// Path and bytes.
    pub files: Mutex<HashMap<PathBuf, Vec<u8>>>,
    /// What goes wrong.
    pub faults: Mutex<Faults>,
}

impl FakeFiles {
    /// Sets what goes wrong from now on.
    pub fn fail(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// The names of all files, in order.
    pub fn all(&self) -> Vec<PathBuf> {
        let mut all: Vec<_> = self.map().keys().cloned().collect();
        all.sort();
        all
    }

    /// Puts a file there.
    pub fn put(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        self.map().insert(path.into(), bytes.into());
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for FakeFiles {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let bytes = self.map().get(path).cloned().ok_or(io::ErrorKind::NotFound)?;
        if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        if let Some(kind) = self.faults().names {
            return Err(kind.into());
        }
        let within =
            |path: &PathBuf| (path.parent() == Some(folder)).then(|| path.file_name()).flatten().map(Into::into);
        let names: Vec<std::ffi::OsString> = self.map().keys().filter_map(within).collect();
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    fn replace(&self, path: &Path, bytes: &[u8], check: Check<'_>) -> Result<(), ReplaceError<()>> {
        let faults = self.faults();
        if let Some(kind) = faults.write {
            return Err(io::Error::from(kind).into());
        }
        let mut read_back = bytes.to_vec();
        if faults.lies
            && let Some(byte) = read_back.get_mut(bytes.len() / 2)
        {
            *byte ^= 1;
        }
        if !check(&read_back) {
            return Err(ReplaceError::Check(()));
        }
        self.put(path, bytes);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.faults().keeps {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.map().remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
