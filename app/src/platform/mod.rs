//! What the system gives, as traits: each has its twin in [`fake`] and its implementations in a folder a system.
//!
//! What a system lacks is [`Support::Unsupported`], a value that hides a button and no error text.

pub mod clock_trust;
pub mod fake;
pub mod keyring;
pub mod login_start;
pub mod presence;

#[cfg(target_os = "android")]
mod android;
#[cfg(not(any(target_os = "android", target_os = "ios")))]
pub mod desktop;
#[cfg(target_os = "ios")]
mod ios;

use std::{path::PathBuf, rc::Rc, sync::Arc};

use countersign_core::{qr::Luma, secret::SecretBytes};

/// Whether a service is there at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It is there; it may still fail.
    Supported,
    /// It is not: what would need it is not offered.
    Unsupported,
}

/// Why a service did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// The system has no such service.
    #[error("this system has no such service")]
    Unsupported,
    /// It has, and refused.
    #[error("the system refused: {0}")]
    Refused(String),
}

/// The clipboard.
pub trait Clipboard {
    /// Whether there is one.
    fn support(&self) -> Support;

    /// Puts a text there, marked as sensitive, so that histories leave it out.
    fn put(&self, text: &str) -> Result<(), PlatformError>;

    /// Clears it where it still holds `text`, and says whether it did.
    fn clear_if_holds(&self, text: &str) -> Result<bool, PlatformError>;

    /// The text that it holds, where it holds one.
    fn text(&self) -> Result<Option<String>, PlatformError>;
}

/// How a dialog for choosing a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// A file was chosen.
    File(PathBuf),
    /// The user thought better of it.
    Cancelled,
    /// The dialog could not be opened.
    NoDialog,
}

/// The system's dialog for choosing a file. It blocks, so it is asked off the window's thread.
pub trait FilePicker: Send + Sync {
    /// Whether there is one.
    fn support(&self) -> Support;

    /// Asks for a picture.
    fn pick_picture(&self) -> Picked;
}

/// A camera.
pub trait Camera {
    /// Whether there is one.
    fn support(&self) -> Support;

    /// The next grey picture, in place of waiting `None` where none came yet.
    fn frame(&mut self) -> Result<Option<Luma>, PlatformError>;
}

/// Where the system keeps secrets for programs.
pub trait SecureStore {
    /// Whether there is one.
    fn support(&self) -> Support;

    /// The secret of that name.
    fn get(&self, name: &str) -> Result<Option<SecretBytes>, PlatformError>;

    /// Keeps a secret under that name, in place of an earlier one.
    fn set(&self, name: &str, secret: &SecretBytes) -> Result<(), PlatformError>;

    /// Forgets the secret of that name.
    fn remove(&self, name: &str) -> Result<(), PlatformError>;
}

/// Links that other programs hand over: `otpauth://` among them.
pub trait DeepLinks {
    /// Whether the system hands any over.
    fn support(&self) -> Support;

    /// The next link that came, oldest first.
    fn take(&mut self) -> Option<String>;
}

/// What the screen shows, for codes on it.
pub trait Screen {
    /// Whether it can be looked at.
    fn support(&self) -> Support;

    /// A grey picture of it.
    fn capture(&self) -> Result<Luma, PlatformError>;
}

/// All services of one system.
pub struct Platform {
    /// The clipboard.
    pub clipboard: Rc<dyn Clipboard>,
    /// The dialog for files.
    pub picker: Arc<dyn FilePicker>,
    /// The camera.
    pub camera: Box<dyn Camera>,
    /// The store for secrets.
    pub secure_store: Box<dyn SecureStore>,
    /// Links from outside.
    pub deep_links: Box<dyn DeepLinks>,
    /// The screen.
    pub screen: Box<dyn Screen>,
}

/// The services of the system that this program was built for. Nothing is opened yet.
pub fn current() -> Platform {
    #[cfg(target_os = "android")]
    return android::platform();
    #[cfg(target_os = "ios")]
    return ios::platform();
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    return desktop::platform();
}

/// A service that is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsupported;

impl Clipboard for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn put(&self, _: &str) -> Result<(), PlatformError> {
        Err(PlatformError::Unsupported)
    }

    fn clear_if_holds(&self, _: &str) -> Result<bool, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    fn text(&self) -> Result<Option<String>, PlatformError> {
        Err(PlatformError::Unsupported)
    }
}

impl FilePicker for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn pick_picture(&self) -> Picked {
        Picked::NoDialog
    }
}

impl Camera for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn frame(&mut self) -> Result<Option<Luma>, PlatformError> {
        Err(PlatformError::Unsupported)
    }
}

impl SecureStore for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn get(&self, _: &str) -> Result<Option<SecretBytes>, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    fn set(&self, _: &str, _: &SecretBytes) -> Result<(), PlatformError> {
        Err(PlatformError::Unsupported)
    }

    fn remove(&self, _: &str) -> Result<(), PlatformError> {
        Err(PlatformError::Unsupported)
    }
}

impl DeepLinks for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn take(&mut self) -> Option<String> {
        None
    }
}

impl Screen for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn capture(&self) -> Result<Luma, PlatformError> {
        Err(PlatformError::Unsupported)
    }
}
