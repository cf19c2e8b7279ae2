//! Where a vault's bytes live: a file that is replaced as a whole, its earlier generations, and a lock.

use std::{
    fs, io,
    io::{Read, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How many earlier generations are kept.
pub const GENERATIONS: u8 = 3;

/// A file larger than this is no vault: 256 MiB.
pub const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// One of the files that make up a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `vault.json`.
    Current,
    /// `vault.json.1` (the generation before) to `vault.json.3`.
    Earlier(u8),
    /// `vault.json.new`: what is being written. It is worth nothing until it is renamed.
    New,
    /// `vault.json.aside-N`: a file that was in the way and is not thrown away.
    Aside(u32),
}

/// The file operations that a vault needs, so that a test can let each of them fail.
pub trait Store: Send {
    /// The path of the current file.
    fn path(&self) -> &Path;

    /// Keeps other programs from writing until the guard is dropped.
    fn lock(&self) -> io::Result<Guard>;

    /// All bytes of a file; `None` where there is none.
    fn read(&self, part: Part) -> io::Result<Option<Vec<u8>>>;

    /// Whether a file is there.
    fn exists(&self, part: Part) -> io::Result<bool>;

    /// Makes [`Part::New`] anew, for its owner alone (mode 0600), and fills it.
    fn write_new(&self, bytes: &[u8]) -> io::Result<()>;

    /// Returns when [`Part::New`] is on the disk.
    fn sync_new(&self) -> io::Result<()>;

    /// Renames a file in one step, over whatever has the name.
    fn rename(&self, from: Part, to: Part) -> io::Result<()>;

    /// Makes `to`, which is not there, another name or a copy of `from`.
    fn duplicate(&self, from: Part, to: Part) -> io::Result<()>;

    /// Removes a file; it is no error that there is none.
    fn remove(&self, part: Part) -> io::Result<()>;

    /// Returns when the names in the folder are on the disk.
    fn sync_folder(&self) -> io::Result<()>;

    /// Makes the folder, for its owner alone, where it is missing.
    fn create_folder(&self) -> io::Result<()>;
}

/// Held while a vault is written; dropping it lets the next program write.
#[derive(Debug)]
pub struct Guard {
    _file: Option<fs::File>,
}

impl Guard {
    /// A guard over an open file; closing the file gives its lock up.
    pub fn new(file: Option<fs::File>) -> Self {
        Self { _file: file }
    }
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

    /// The path of a part.
    pub fn part_path(&self, part: Part) -> PathBuf {
        let target = self.target();
        match part {
            Part::Current => target,
            Part::Earlier(number) => with_suffix(&target, &format!(".{number}")),
            Part::New => with_suffix(&target, ".new"),
            Part::Aside(number) => with_suffix(&target, &format!(".aside-{number}")),
        }
    }

    /// Whether a path names one of the vault's files: a part of it, its lock, or a copy that is being made.
    pub fn owns(&self, path: &Path) -> bool {
        let target = self.target();
        let folder = |path: &Path| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
        };
        let (Some(ours), Some(theirs)) = (target.file_name(), path.file_name()) else { return false };
        let Some(suffix) = theirs.as_encoded_bytes().strip_prefix(ours.as_encoded_bytes()) else { return false };
        let suffix = suffix.strip_suffix(b".half").unwrap_or(suffix);
        let is_part = match suffix {
            b"" | b".new" | b".lock" => true,
            [b'.', number @ ..] => {
                let number = number.strip_prefix(b"aside-").unwrap_or(number);
                !number.is_empty() && number.iter().all(u8::is_ascii_digit)
            }
            _ => false,
        };
        is_part && folder(&target) == folder(path)
    }

    /// The file behind symbolic links: a rename replaces that one and leaves the link a link.
    fn target(&self) -> PathBuf {
        let mut path = self.path.clone();
        // As many as Linux follows; a ring ends in an error of the operation itself.
        for _ in 0..40 {
            let Ok(link) = fs::read_link(&path) else { break };
            path = match path.parent() {
                Some(folder) => folder.join(link),
                None => link,
            };
        }
        path
    }

    fn folder(&self) -> PathBuf {
        match self.target().parent() {
            Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
            Some(folder) => folder.to_owned(),
            None => PathBuf::from("/"),
        }
    }
}

impl Store for FileStore {
    fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> io::Result<Guard> {
        let path = with_suffix(&self.target(), ".lock");
        let file = private().read(true).write(true).create(true).truncate(false).open(path)?;
        // A save takes milliseconds; who holds the lock for 10 s is not saving.
        for _ in 0..1000 {
            match file.try_lock() {
                Ok(()) => return Ok(Guard::new(Some(file))),
                Err(fs::TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
                // Platforms without file locks run one program on the vault.
                Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Guard::new(None));
                }
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "another program holds the vault's lock"))
    }

    fn read(&self, part: Part) -> io::Result<Option<Vec<u8>>> {
        let path = self.part_path(part);
        // Opening a pipe would wait for who writes to it, and a device has no end.
        if fs::metadata(&path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a file"));
        }
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "the file is too large for a vault");
        let length = file.metadata()?.len();
        if length > MAX_FILE_BYTES {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(length as usize + 1);
        // The length can be wrong or grow; what is read is bounded by itself.
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(too_large());
        }
        Ok(Some(bytes))
    }

    fn exists(&self, part: Part) -> io::Result<bool> {
        self.part_path(part).try_exists()
    }

    fn write_new(&self, bytes: &[u8]) -> io::Result<()> {
        self.remove(Part::New)?;
        private().write(true).create_new(true).open(self.part_path(Part::New))?.write_all(bytes)
    }

    fn sync_new(&self) -> io::Result<()> {
        fs::OpenOptions::new().write(true).open(self.part_path(Part::New))?.sync_all()
    }

    fn rename(&self, from: Part, to: Part) -> io::Result<()> {
        fs::rename(self.part_path(from), self.part_path(to))
    }

    fn duplicate(&self, from: Part, to: Part) -> io::Result<()> {
        let (from, to) = (self.part_path(from), self.part_path(to));
        if fs::hard_link(&from, &to).is_ok() {
            return Ok(());
        }
        // File systems without links get a copy. It is made under its own name first: half a copy is no generation.
        let half = with_suffix(&to, ".half");
        fs::copy(from, &half)?;
        fs::OpenOptions::new().write(true).open(&half)?.sync_all()?;
        fs::rename(half, to)
    }

    fn remove(&self, part: Part) -> io::Result<()> {
        match fs::remove_file(self.part_path(part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    #[cfg(unix)]
    fn sync_folder(&self) -> io::Result<()> {
        match fs::File::open(self.folder())?.sync_all() {
            // Some network file systems know no fsync of a folder; the rename is theirs to keep.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            other => other,
        }
    }

    /// Windows has no fsync of a folder; NTFS keeps renames in its journal.
    #[cfg(not(unix))]
    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }

    fn create_folder(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(self.folder())
    }
}

/// Options that make a file for its owner alone.
fn private() -> fs::OpenOptions {
    #[allow(unused_mut)]
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
