//! Why a vault did not open, and why a change was not saved.

use crate::vault::{content::ContentError, file::FileError, kdf::KdfFailed, recovery::RecoveryKeyError};

/// Why a vault did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no file.
    #[error("there is no vault at {0}")]
    Missing(std::path::PathBuf),
    /// The password, recovery key or device key is not one of this vault.
    #[error("wrong password")]
    WrongKey,
    /// The recovery key was mistyped; it was not tried.
    #[error("{0}")]
    RecoveryKey(#[from] RecoveryKeyError),
    /// The file is not as it was written. [`crate::vault::newest_good`] finds an earlier generation that opens.
    #[error("the vault file is damaged: {reason}")]
    Damaged {
        /// What was found, in words.
        reason: String,
    },
    /// A newer program wrote the file.
    #[error("the vault was written by a newer version ({version})")]
    Newer {
        /// The format version that it has.
        version: u64,
    },
    /// The system refused.
    #[error("the vault could not be read: {0}")]
    Io(#[from] std::io::Error),
}

/// Why a change was not saved. The vault on disk and in memory is as before, unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Another program changed the password meanwhile: unlock again.
    #[error("the vault's password was changed elsewhere")]
    KeyChanged,
    /// The file on disk is damaged and is not overwritten.
    #[error("the vault file was damaged meanwhile: {0}")]
    Damaged(String),
    /// A newer program saved the vault meanwhile, in a way that this one cannot read.
    #[error("the vault was saved by a newer version ({version})")]
    Newer {
        /// The format version that it has.
        version: u64,
    },
    /// The file on disk is older than what is open: somebody put an earlier copy there. Unlocking again takes it.
    #[error("the vault file is older (generation {on_disk}) than what is open (generation {open})")]
    Older {
        /// The generation on disk.
        on_disk: u64,
        /// The generation that is open.
        open: u64,
    },
    /// The file is gone. Nothing was written; the next save makes it anew.
    #[error("the vault file {0} is gone")]
    Gone(std::path::PathBuf),
    /// There is a vault already, where one was to be made.
    #[error("there is a vault at {0} already")]
    Exists(std::path::PathBuf),
    /// The vault was opened without its password, and this change needs it.
    #[error("the password is needed")]
    PasswordNeeded,
    /// No slot has that identifier, or it is the last one.
    #[error("there is no such slot that could be removed")]
    NoSuchSlot,
    /// What was written did not read back as it should.
    #[error("the new file did not read back: {0}")]
    NotVerified(String),
    /// The new file is in its place, but the system could not promise that it stays there when the power fails.
    /// Memory and disk both have the change.
    #[error("the change is saved, but not yet safe: {0}")]
    NotSynced(std::io::Error),
    /// The system refused.
    #[error("the vault could not be saved: {0}")]
    Io(#[from] std::io::Error),
}

/// A change that failed: the change itself, or saving it.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    /// The change said no; nothing was saved.
    #[error("{0}")]
    Change(E),
    /// It could not be saved.
    #[error("{0}")]
    Save(#[from] SaveError),
}

/// Why an earlier generation was not put in place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It does not open.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// It could not be saved.
    #[error("{0}")]
    Save(#[from] SaveError),
}

impl From<RecoveryKeyError> for RestoreError {
    fn from(error: RecoveryKeyError) -> Self {
        Self::Open(error.into())
    }
}

impl From<FileError> for OpenError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Damaged(reason) => Self::Damaged { reason },
            FileError::Newer(version) => Self::Newer { version },
        }
    }
}

impl From<ContentError> for OpenError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Malformed(reason) => Self::Damaged { reason },
            ContentError::Newer(version) => Self::Newer { version },
        }
    }
}

impl From<KdfFailed> for OpenError {
    fn from(failed: KdfFailed) -> Self {
        Self::Io(failed.into())
    }
}

impl From<FileError> for SaveError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Damaged(reason) => Self::Damaged(reason),
            FileError::Newer(version) => Self::Newer { version },
        }
    }
}

impl From<ContentError> for SaveError {
    fn from(error: ContentError) -> Self {
        match error {
            ContentError::Malformed(reason) => Self::Damaged(reason),
            ContentError::Newer(version) => Self::Newer { version },
        }
    }
}
