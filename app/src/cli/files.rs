//! Files that a command writes.

use std::path::Path;

use super::failure::Failure;
use crate::files::{self, ReplaceError};

/// Replaces `path` by a file with these bytes that only its owner may read, once `check` has seen what is on the disk.
pub(crate) fn replace(
    path: &Path,
    bytes: &[u8],
    check: impl FnOnce(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    files::replace(path, bytes, check).map_err(|error| match error {
        ReplaceError::Io(error) => Failure::file("written", path, &error),
        ReplaceError::Check(failure) => failure,
    })
}
