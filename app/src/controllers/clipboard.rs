//! Codes on the clipboard, and that they do not stay there.

use std::{cell::RefCell, rc::Rc};

use countersign_core::secret::SecretText;

use super::Services;
use crate::platform::{PlatformError, Support};

/// How long a code stays on the clipboard, in seconds.
pub const CLEAR_AFTER: u64 = 30;

struct Copied {
    text: SecretText,
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
        if self.services.clipboard.support() == Support::Unsupported {
            return Err(PlatformError::Unsupported);
        }
        self.services.clipboard.put(text.expose())?;
        let until = self.services.clock.now() + CLEAR_AFTER;
        *self.copied.borrow_mut() = Some(Copied { text, until });
        Ok(CLEAR_AFTER)
    }

    /// Clears the clipboard where its time has come and it still holds what was copied. Whatever another program put
    /// there meanwhile stays.
    pub fn tick(&self) {
        let now = self.services.clock.now();
        // A clock that was set back far keeps a code no longer than its time.
        let due = self.copied.borrow().as_ref().is_some_and(|c| now >= c.until || now + CLEAR_AFTER < c.until);
        if due {
            self.clear();
        }
    }

    /// Clears at once what is still there of what was copied.
    pub fn clear(&self) {
        let Some(copied) = self.copied.borrow_mut().take() else { return };
        // Nothing to tell: where the clipboard cannot be read, another program has it.
        let _ = self.services.clipboard.clear_if_holds(copied.text.expose());
    }
}
