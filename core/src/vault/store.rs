//! Where a vault's bytes live: a file that is replaced as a whole, its earlier generations, and a lock.

use std::path::{Path, PathBuf};

/// The file operations that a vault needs, so that a test can let each of them fail.
pub trait Store: Send {
    /// The path of the current file.
    fn path(&self) -> &Path;
}

/// A vault in a folder of the file system.
#[derive(Clone, Debug)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// The vault at `path`; nothing is opened yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl Store for FileStore {
    fn path(&self) -> &Path {
        &self.path
    }
}
