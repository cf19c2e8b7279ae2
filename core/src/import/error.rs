//! Why a file was not read.

use super::{MAX_FILE_BYTES, MAX_KDF_BYTES, MAX_RECORDS, MAX_TOKENS, Problem};

const MIB: u64 = 1024 * 1024;

/// Why a file was not read. Nothing was changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// The file is larger than any export is.
    #[error("the file of {bytes} bytes is larger than {max} bytes", max = MAX_FILE_BYTES)]
    TooLarge {
        /// Its length.
        bytes: u64,
    },
    /// More records than any vault has.
    #[error("the file holds more than {max} records", max = MAX_RECORDS)]
    TooMany,
    /// More tokens than are taken at once.
    #[error("the file holds more than {max} tokens", max = MAX_TOKENS)]
    TooManyTokens,
    /// No format looks like this. With a password, headerless encrypted formats are tried as well.
    #[error("the file is of no format that is known here")]
    Unknown,
    /// It is text, but in an encoding that cannot be known.
    #[error("the file is text, but neither UTF-8 nor UTF-16")]
    Encoding,
    /// The file is not of the format that was named.
    #[error("the file is no export of {format}")]
    NotThis {
        /// The format's name.
        format: &'static str,
    },
    /// The file is encrypted, and no password was given.
    #[error("the export of {format} is encrypted: its password is needed")]
    PasswordNeeded {
        /// The format's name.
        format: &'static str,
    },
    /// The password does not open it.
    #[error("the password does not open the export of {format}")]
    WrongPassword {
        /// The format's name.
        format: &'static str,
    },
    /// The key file that was given with it is none.
    #[error("the key file cannot be used: {what}")]
    KeyFile {
        /// What is wrong, without any value of it.
        what: &'static str,
    },
    /// The file's structure is not what its format has.
    #[error("the export of {format} is damaged: {what}")]
    Damaged {
        /// The format's name.
        format: &'static str,
        /// What is wrong, without any value of the file.
        what: String,
    },
    /// A newer version of the app wrote it.
    #[error("the export of {format} has version {version}, which is newer than what is known here")]
    Newer {
        /// The format's name.
        format: &'static str,
        /// The version as it stands there.
        version: String,
    },
    /// It cannot be opened here at all; `instead` says what can be done in the other app.
    #[error("{what}: {instead}")]
    Refused {
        /// What the file is.
        what: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// Its key derivation takes much memory: a person should agree first.
    #[error("opening the file takes {mib} MiB of memory")]
    Costly {
        /// Memory in MiB.
        mib: u64,
    },
    /// Its key derivation takes more than is ever spent on a file.
    #[error("opening the file would take {what}, more than any app asks for: it was refused")]
    TooCostly {
        /// What it asks for, in words.
        what: String,
    },
    /// The system has not enough memory for the key derivation.
    #[error("there is not enough memory to open the file")]
    Memory,
}

impl ImportError {
    pub(super) fn damaged(format: &'static str, what: impl Into<String>) -> Self {
        Self::Damaged { format, what: what.into() }
    }

    /// What is wrong with a file where its outer structure has a problem.
    pub(super) fn outer(format: &'static str, problem: &Problem) -> Self {
        match problem {
            Problem::TooMany => Self::TooMany,
            other => Self::damaged(format, other.to_string()),
        }
    }

    /// A demand for memory that is above the bound.
    pub(super) fn too_much_memory(bytes: u64) -> Self {
        Self::TooCostly { what: format!("{} MiB of memory (at most {} are given)", bytes / MIB, MAX_KDF_BYTES / MIB) }
    }
}
