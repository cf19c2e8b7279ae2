//! The clipboard through arboard.

use std::cell::RefCell;

use countersign_core::qr::Luma;

use crate::platform::{Clipboard, PlatformError, Support};

/// Opened at the first use, so that the window does not wait for it, and kept: on X11 and Wayland what was copied
/// lives as long as the one who serves it.
#[derive(Default)]
pub(super) struct SystemClipboard(RefCell<Option<arboard::Clipboard>>);

impl SystemClipboard {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut arboard::Clipboard) -> Result<T, arboard::Error>,
    ) -> Result<T, PlatformError> {
        let mut slot = self.0.borrow_mut();
        let clipboard = match &mut *slot {
            Some(clipboard) => clipboard,
            empty => empty.insert(arboard::Clipboard::new().map_err(refused)?),
        };
        work(clipboard).map_err(refused)
    }
}

// The text of an error of arboard never holds what was copied.
fn refused(error: arboard::Error) -> PlatformError {
    PlatformError::Refused(error.to_string())
}

fn set(clipboard: &mut arboard::Clipboard, text: &str) -> Result<(), arboard::Error> {
    #[cfg(target_os = "linux")]
    {
        use arboard::SetExtLinux as _;
        clipboard.set().exclude_from_history().text(text)
    }
    #[cfg(target_os = "windows")]
    {
        use arboard::SetExtWindows as _;
        clipboard.set().exclude_from_monitoring().exclude_from_cloud().exclude_from_history().text(text)
    }
    #[cfg(target_os = "macos")]
    {
        use arboard::SetExtApple as _;
        clipboard.set().exclude_from_history().text(text)
    }
    #[cfg(not(any(target_os = "linux", target_os = "windows", target_os = "macos")))]
    {
        clipboard.set_text(text)
    }
}

impl Clipboard for SystemClipboard {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn put(&self, text: &str) -> Result<(), PlatformError> {
        self.with(|clipboard| set(clipboard, text))
    }

    fn clear_if_holds(&self, text: &str) -> Result<bool, PlatformError> {
        if self.text()?.as_deref() != Some(text) {
            return Ok(false);
        }
        self.with(arboard::Clipboard::clear).map(|()| true)
    }

    fn text(&self) -> Result<Option<String>, PlatformError> {
        self.with(|clipboard| match clipboard.get_text() {
            Ok(text) => Ok(Some(text)),
            Err(arboard::Error::ContentNotAvailable) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn image(&self) -> Result<Option<Luma>, PlatformError> {
        let image = self.with(|clipboard| match clipboard.get_image() {
            Ok(image) => Ok(Some(image)),
            Err(arboard::Error::ContentNotAvailable) => Ok(None),
            Err(error) => Err(error),
        })?;
        let Some(image) = image else { return Ok(None) };
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Luma::from_rgba(side(image.width), side(image.height), image.bytes.into_owned())
            .map(Some)
            .map_err(|error| PlatformError::Refused(error.to_string()))
    }
}
