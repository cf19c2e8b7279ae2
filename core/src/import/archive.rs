//! One file out of a ZIP archive, in memory, within bounds.

use std::io::{Cursor, Read as _};

use zeroize::Zeroizing;
use zip::{ZipArchive, result::ZipError};

use super::{ImportError, Unlock};

/// The most bytes that a file may unpack to, and no more than a small archive leads to expect.
const MAX_UNPACKED: u64 = 32 * 1024 * 1024;
/// More files than an export has.
const MAX_FILES: usize = 1000;

fn open(bytes: &[u8]) -> Option<ZipArchive<Cursor<&[u8]>>> {
    // A ZIP may have anything before it; an export does not.
    if !bytes.starts_with(b"PK") {
        return None;
    }
    ZipArchive::new(Cursor::new(bytes)).ok().filter(|archive| archive.len() <= MAX_FILES)
}

/// The name without the folders before it.
fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The number of the first file whose name, without folders, is meant.
fn find(archive: &ZipArchive<Cursor<&[u8]>>, is: impl Fn(&str) -> bool) -> Option<usize> {
    archive.file_names().position(|name| name.is_ok_and(|name| is(base(&name))))
}

/// Whether the bytes are an archive with a file whose name, without folders, is meant.
pub(super) fn has(bytes: &[u8], is: impl Fn(&str) -> bool) -> bool {
    open(bytes).is_some_and(|archive| find(&archive, is).is_some())
}

/// The first file whose name, without folders, is meant.
pub(super) fn read(
    format: &'static str,
    bytes: &[u8],
    is: impl Fn(&str) -> bool,
    unlock: Unlock<'_>,
) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let damaged = || ImportError::damaged(format, "its archive cannot be read");
    let mut archive = open(bytes).ok_or_else(damaged)?;
    let index = find(&archive, is).ok_or_else(damaged)?;
    let encrypted = archive.by_index_raw(index).map_err(|_| damaged())?.encrypted();
    let file = match (encrypted, unlock.password) {
        (false, _) => archive.by_index(index),
        (true, None) => return Err(ImportError::PasswordNeeded { format }),
        (true, Some(password)) => archive.by_index_decrypt(index, password.expose().as_bytes()),
    };
    let file = file.map_err(|error| match error {
        ZipError::InvalidPassword => ImportError::WrongPassword { format },
        _ => damaged(),
    })?;
    let limit = MAX_UNPACKED.min(10 * bytes.len() as u64 + 16 * 1024 * 1024);
    // Reserved at once: growing would take twice as much, and leave copies behind.
    let mut unpacked = Zeroizing::new(Vec::with_capacity(file.size().min(limit) as usize + 1));
    // The old encryption checks one byte of the password only: a wrong one may show here.
    file.take(limit + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| if encrypted { ImportError::WrongPassword { format } } else { damaged() })?;
    if unpacked.len() as u64 > limit {
        return Err(ImportError::damaged(format, "its archive unpacks to more than any export has"));
    }
    Ok(unpacked)
}
