//! What the system gives, as traits: each has its twin in [`fake`] and its implementations in a folder a system.
//!
//! What a system lacks is [`Support::Unsupported`], a value that hides a button and no error text.

pub mod camera;
pub mod clock_trust;
pub mod fake;
pub mod files;
pub mod frame;
pub mod keyring;
pub mod login_start;
pub mod presence;
pub mod tray;
pub mod wishes;

#[cfg(not(any(target_os = "android", target_os = "ios")))]
pub mod desktop;

use std::{path::PathBuf, rc::Rc, sync::Arc};

use countersign_core::qr::Luma;

use crate::api::{Answer, Contact, Failure, Request, Transport};
use camera::Camera;
use clock_trust::{ClockTrust, ClockWitness, FixedWitness};
use files::{Disk, Files};
use keyring::Keyring;
use login_start::LoginStart;
use presence::Presence;
use tray::Tray;
use wishes::SystemWishes;

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

    /// The picture that it holds, where it holds one, in grey.
    fn image(&self) -> Result<Option<Luma>, PlatformError>;
}

/// What a dialog asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A picture to read.
    Picture,
    /// Any file to read.
    File,
    /// A folder.
    Folder,
    /// A place for a new file; the dialog offers this name, and asks before it overwrites.
    Save {
        /// The file's name.
        name: String,
    },
}

/// How a dialog for choosing a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// A file or folder was chosen.
    File(PathBuf),
    /// The user thought better of it.
    Cancelled,
    /// The dialog could not be opened.
    NoDialog,
}

impl Picked {
    /// What was chosen, or that error where there was no dialog; `None` where the user thought better of it.
    pub fn chosen<E>(self, no_dialog: E) -> Option<Result<PathBuf, E>> {
        match self {
            Self::File(path) => Some(Ok(path)),
            Self::Cancelled => None,
            Self::NoDialog => Some(Err(no_dialog)),
        }
    }
}

/// The dialog could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's dialog for files could not be opened")]
pub struct NoDialog;

/// The system's dialog for choosing a file. It blocks, so it is asked off the window's thread.
pub trait FilePicker: Send + Sync {
    /// Whether there is one.
    fn support(&self) -> Support;

    /// Asks under that title, which is in the user's language.
    fn pick(&self, ask: &Ask, title: &str) -> Picked;

    /// Asks for pictures to read, several at once where the system's dialog can; none where the user thought better
    /// of it.
    fn pick_pictures(&self, title: &str) -> Result<Vec<PathBuf>, NoDialog> {
        self.pick(&Ask::Picture, title).chosen(NoDialog).transpose().map(|chosen| chosen.into_iter().collect())
    }
}

/// The program that the desktop shows pages with.
pub trait Viewer: Send + Sync {
    /// Whether there is a way to ask for it.
    fn support(&self) -> Support;

    /// Asks the desktop to show a file. Whether it does is another program's matter.
    fn open(&self, path: &std::path::Path) -> Result<(), PlatformError>;
}

/// What the screen shows, for codes on it. Looking may ask the person and so block.
pub trait Screen: Send + Sync {
    /// Whether it can be looked at.
    fn support(&self) -> Support;

    /// A grey picture of it, or of the part that the person chose; nothing where the person thought better of it.
    fn capture(&self) -> Result<Option<Luma>, PlatformError>;
}

/// All services of one system.
pub struct Platform {
    /// The clipboard.
    pub clipboard: Rc<dyn Clipboard>,
    /// The dialog for files.
    pub picker: Arc<dyn FilePicker>,
    /// The program that shows pages.
    pub viewer: Arc<dyn Viewer>,
    /// Files that leave the program: backups.
    pub files: Arc<dyn Files>,
    /// The cameras.
    pub camera: Arc<dyn Camera>,
    /// The way to servers.
    pub network: Arc<dyn Transport>,
    /// Where the system keeps secrets for programs.
    pub keyring: Arc<dyn Keyring>,
    /// Whether somebody is there.
    pub presence: Arc<dyn Presence>,
    /// Starting with the login.
    pub login_start: Arc<dyn LoginStart>,
    /// Who vouches for the clock.
    pub clock_witness: Arc<dyn ClockWitness>,
    /// The icon in the tray.
    pub tray: Arc<dyn Tray>,
    /// What the user asked of every program.
    pub wishes: Arc<dyn SystemWishes>,
    /// The system's language as a tag, `de-DE`; `None` where it is not known.
    pub locale: Option<String>,
    /// Being opened for links: an entry that the desktop reads, as for the start with the login.
    pub links: Arc<dyn LoginStart>,
    /// The screen.
    pub screen: Arc<dyn Screen>,
}

impl Platform {
    /// A system that has none of it.
    pub fn unsupported() -> Self {
        Self {
            clipboard: Rc::new(Unsupported),
            picker: Arc::new(Unsupported),
            viewer: Arc::new(Unsupported),
            files: Arc::new(Disk),
            camera: Arc::new(Unsupported),
            network: Arc::new(Unsupported),
            keyring: Arc::new(keyring::NoKeyring),
            presence: Arc::new(presence::NoPresence),
            login_start: Arc::new(login_start::NoLoginStart),
            clock_witness: Arc::new(FixedWitness(ClockTrust::Unknown)),
            tray: Arc::new(tray::NoTray),
            wishes: Arc::new(wishes::FixedWishes::default()),
            locale: None,
            links: Arc::new(login_start::NoLoginStart),
            screen: Arc::new(Unsupported),
        }
    }
}

/// The services of the system that this program was built for. Nothing is opened yet.
pub fn current() -> Platform {
    // Phones: every service is missing until it is written, and so what would need it is hidden.
    #[cfg(any(target_os = "android", target_os = "ios"))]
    return Platform::unsupported();
    #[cfg(not(any(target_os = "android", target_os = "ios")))]
    return desktop::platform();
}

/// A service that is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unsupported;

impl Transport for Unsupported {
    fn send(&self, _: &Contact, _: &Request<'_>) -> Result<Answer, Failure> {
        Err(Failure::Unreachable("this system has no network".to_owned()))
    }
}

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

    fn image(&self) -> Result<Option<Luma>, PlatformError> {
        Err(PlatformError::Unsupported)
    }
}

impl FilePicker for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn pick(&self, _: &Ask, _: &str) -> Picked {
        Picked::NoDialog
    }
}

impl Viewer for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn open(&self, _: &std::path::Path) -> Result<(), PlatformError> {
        Err(PlatformError::Unsupported)
    }
}

impl Screen for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn capture(&self) -> Result<Option<Luma>, PlatformError> {
        Err(PlatformError::Unsupported)
    }
}
