//! The desktop's program for a page: `xdg-open` and its like.

use std::path::Path;

use crate::platform::{PlatformError, Support, Viewer};

pub(super) struct SystemViewer;

impl Viewer for SystemViewer {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn open(&self, path: &Path) -> Result<(), PlatformError> {
        open::that_detached(path).map_err(|error| PlatformError::Refused(error.to_string()))
    }
}
