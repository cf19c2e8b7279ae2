//! Files with secrets in them: written beside, read back, and only then put in place.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::Path,
};

use zeroize::Zeroizing;

/// Why a file was not replaced. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError<E> {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It did not read back as it was meant; what the check said.
    #[error("the file did not read back as it was written")]
    Check(E),
}

/// Replaces `path` by a file with these bytes that only its owner may read. `check` gets what is on the disk and says
/// whether it is what was meant; until then an earlier file stays.
pub fn replace<E>(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&[u8]) -> Result<(), E>,
) -> Result<(), ReplaceError<E>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600, and gone again on every early return.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // It may hold secrets as they are.
    check(&Zeroizing::new(fs::read(file.path())?)).map_err(ReplaceError::Check)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(sync_folder(folder)?)
}

/// All bytes of a file, of which it may have `limit`. The length that the system tells is not relied on.
pub fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    take_limited(fs::File::open(path)?, limit)
}

/// All bytes that come, of which there may be `limit`.
pub fn take_limited(from: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Whether both name the same file.
pub fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// A rename is on the disk only when its folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match fs::File::open(folder)?.sync_all() {
        // Some network file systems know no fsync of a folder; the rename is theirs to keep.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}
