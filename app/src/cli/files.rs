//! Files that a command writes.

use std::path::Path;

use countersign_core::vault::store::FileStore;

use super::failure::Failure;
use crate::files::{self, ReplaceError, same};

/// Refuses to write over one of the vault's own files. `what` is what would be written: `The backup`.
pub(crate) fn keep_vault(output: Option<&Path>, vault: &Path, what: &str) -> Result<(), Failure> {
    match output {
        Some(output) if same(output, vault) => {
            Err(Failure::usage(format!("{what} would replace the vault itself.")).hint("Name another --output."))
        }
        Some(output) if FileStore::new(vault).owns(output) => {
            Err(Failure::usage(format!("{what} would replace {}, a file of the vault.", output.display()))
                .hint("Name another --output."))
        }
        _ => Ok(()),
    }
}

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
