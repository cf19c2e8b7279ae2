//! Starting with the login.

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// Whether this program starts with the login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginStartState {
    /// It does.
    On,
    /// It does not.
    Off,
    /// The login starts another copy, or one that was moved since; switching on again puts it right.
    Elsewhere,
    /// This system cannot be told to.
    Unsupported,
}

/// Why the start was not changed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginStartError {
    /// The system cannot be told to.
    #[error("this system cannot start the program with the login")]
    Unsupported,
    /// The program's path cannot be written into a start entry.
    #[error("the path of the program cannot stand in a start entry: {}; move the program to a plain folder", .0.display())]
    UnusablePath(PathBuf),
    /// A file could not be read or written.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The switch for starting with the login.
pub trait LoginStart: Send + Sync {
    /// How it stands.
    fn state(&self) -> Result<LoginStartState, LoginStartError>;

    /// Switches it. Switching to where it stands already changes nothing and is no error.
    fn switch(&self, on: bool) -> Result<(), LoginStartError>;
}

/// A system that cannot be told to start programs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLoginStart;

impl LoginStart for NoLoginStart {
    fn state(&self) -> Result<LoginStartState, LoginStartError> {
        Ok(LoginStartState::Unsupported)
    }

    fn switch(&self, _: bool) -> Result<(), LoginStartError> {
        Err(LoginStartError::Unsupported)
    }
}

/// A switch in memory; `refuses` makes the next changes fail as on a full or read-only disk.
#[derive(Debug)]
pub struct ScriptedLoginStart {
    /// How it stands.
    pub state: Mutex<LoginStartState>,
    /// Whether changes fail.
    pub refuses: bool,
}

impl LoginStart for ScriptedLoginStart {
    fn state(&self) -> Result<LoginStartState, LoginStartError> {
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn switch(&self, on: bool) -> Result<(), LoginStartError> {
        if self.refuses {
            let error = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
            return Err(LoginStartError::File { path: "autostart".into(), error });
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) =
            if on { LoginStartState::On } else { LoginStartState::Off };
        Ok(())
    }
}
