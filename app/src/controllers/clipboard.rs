//! Codes on the clipboard, and that they do not stay there.

use std::{cell::RefCell, rc::Rc};

use countersign_core::secret::SecretText;

use super::Services;
use crate::platform::{PlatformError, Support};

struct Copied {
    text: SecretText,
    from: u64,
    until: u64,
}

/// Copies, and clears what it copied.
pub struct ClipboardController {
    services: Rc<Services>,
    copied: RefCell<Option<Copied>>,
}

impl ClipboardController {
    /// Over the clipboard of `services`.
    pub fn new(services: Rc<Services>) -> Self {
        Self { services, copied: RefCell::default() }
    }

    /// Copies a code and says after how many seconds it will be cleared.
    pub fn copy(&self, text: SecretText) -> Result<u64, PlatformError> {
        let seconds = self.services.settings.with(|settings| settings.clipboard_seconds);
        self.copy_for(text, seconds).map(|()| seconds)
    }

    /// Copies a text that is cleared after so many seconds.
    pub fn copy_for(&self, text: SecretText, seconds: u64) -> Result<(), PlatformError> {
        if self.services.platform.clipboard.support() == Support::Unsupported {
            return Err(PlatformError::Unsupported);
        }
        self.services.platform.clipboard.put(text.expose())?;
        let from = self.services.clock.now();
        *self.copied.borrow_mut() = Some(Copied { text, from, until: from.saturating_add(seconds) });
        Ok(())
    }

    /// Seconds until there is something to clear; `None` where nothing was copied.
    pub fn due_in(&self) -> Option<u64> {
        let now = self.services.clock.now();
        self.copied.borrow().as_ref().map(|copied| copied.until.saturating_sub(now))
    }

    /// Clears the clipboard where its time has come and it still holds what was copied. Whatever another program put
    /// there meanwhile stays.
    pub fn tick(&self) {
        let now = self.services.clock.now();
        // A clock that was set back keeps nothing longer than its time.
        let due = self.copied.borrow().as_ref().is_some_and(|c| now >= c.until || now < c.from);
        if due {
            self.clear();
        }
    }

    /// Clears at once what is still there of what was copied.
    pub fn clear(&self) {
        let Some(copied) = self.copied.borrow_mut().take() else { return };
        // Nothing to tell: where the clipboard cannot be read, another program has it.
        let _ = self.services.platform.clipboard.clear_if_holds(copied.text.expose());
    }
}
