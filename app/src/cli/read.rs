//! What a command reads, each up to a limit, so that an input without an end fills no memory.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use countersign_core::{import, vault::store};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::files::read_limited;

/// The most that a file with a password, or a line of standard input, may hold, in bytes.
pub(crate) const LINE_BYTES: u64 = 64 * 1024;

/// The most that a picture, a text with links or the file of another app may hold, in bytes.
pub(crate) const FILE_BYTES: u64 = import::MAX_FILE_BYTES as u64;

/// The most that a backup may hold, in bytes: as much as the vault that it is of.
pub(crate) const BACKUP_BYTES: u64 = store::MAX_FILE_BYTES;

/// All bytes of a file, of which it may have `limit`.
pub(crate) fn file(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
    read_limited(path, limit).map(Zeroizing::new).map_err(|error| failure(path, limit, &error))
}

/// Why a file, or what stands for one, was not read.
pub(crate) fn failure(path: &Path, limit: u64, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::FileTooLarge {
        Failure::failed(format!("{} is larger than {}, the most that is read of it.", path.display(), size(limit)))
            .hint("Check that it is the right file; nothing was changed.")
    } else {
        Failure::file("read", path, error)
    }
}

fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    if bytes >= MIB { format!("{} MiB", bytes / MIB) } else { format!("{} KiB", bytes / KIB) }
}
