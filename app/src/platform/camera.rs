//! Cameras: which there are, and frames of one of them.

use super::{Support, Unsupported};

pub use super::frame::{BadFrame, Decoded, PixelFormat, Preview, RawFrame};

/// A camera that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraDevice {
    /// What [`Camera::open`] takes; means something on this system only.
    pub id: String,
    /// What the maker calls it.
    pub name: String,
}

/// Why a camera gives no frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// There is none.
    #[error("there is no camera")]
    NoCamera,
    /// The system does not let this program use it.
    #[error("the system does not allow the camera to be used")]
    Denied,
    /// Another program has it.
    #[error("another program uses the camera")]
    Busy,
    /// It was there, and is no more.
    #[error("the camera is gone")]
    Gone,
    /// It has no frames that can be read here.
    #[error("the camera has no format that can be read")]
    Format,
    /// Something else.
    #[error("the camera failed: {0}")]
    Failed(String),
}

/// The cameras of a system. Everything here may block, so it is called off the window's thread.
pub trait Camera: Send + Sync {
    /// Whether the system can be asked for cameras at all; there may still be none.
    fn support(&self) -> Support;

    /// Those that are there, the one to begin with first; asks the person's leave where the system wants it asked.
    fn devices(&self) -> Result<Vec<CameraDevice>, CameraError>;

    /// Opens one of them. It is closed when what comes back is dropped, on the thread that opened it.
    fn open(&self, id: &str) -> Result<Box<dyn CameraStream>, CameraError>;
}

/// A camera that is open.
pub trait CameraStream {
    /// Waits for the next frame.
    fn frame(&mut self) -> Result<RawFrame, CameraError>;
}

impl Camera for Unsupported {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn devices(&self) -> Result<Vec<CameraDevice>, CameraError> {
        Err(CameraError::NoCamera)
    }

    fn open(&self, _: &str) -> Result<Box<dyn CameraStream>, CameraError> {
        Err(CameraError::NoCamera)
    }
}
