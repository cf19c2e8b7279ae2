//! When the vault locks by itself: after a time without a key or a movement, and when the system says that nobody is
//! there.

use std::{cell::Cell, rc::Rc};

use super::{Door, Services};
use crate::platform::presence::PresenceEvent;

/// In its last seconds an open vault says when it locks.
pub const WARNING_SECONDS: u64 = 60;

/// Counts the time in which nobody touched the window.
pub struct IdleController {
    services: Rc<Services>,
    door: Rc<Door>,
    touched: Cell<u64>,
}

impl IdleController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        let touched = Cell::new(services.clock.steady());
        Self { services, door, touched }
    }

    /// Somebody pressed a key or moved the pointer, or opened the vault.
    pub fn touch(&self) {
        self.touched.set(self.services.clock.steady());
    }

    /// Seconds until an open vault locks; `None` where it does not.
    pub fn left(&self) -> Option<u64> {
        let limit = self.services.settings.with(|settings| settings.lock_after).filter(|_| self.door.is_open())?;
        let idle = self.services.clock.steady().saturating_sub(self.touched.get());
        Some(limit.saturating_sub(idle))
    }

    /// The same, in the last minute only.
    pub fn warning(&self) -> Option<u64> {
        self.left().filter(|&left| left <= WARNING_SECONDS)
    }

    /// Whether an open vault locks at that.
    pub fn locks_at(&self, event: &PresenceEvent) -> bool {
        let set = self.services.settings.with(|settings| match event {
            PresenceEvent::ScreenLocked => settings.lock_on_screen_lock,
            PresenceEvent::Suspending(_) => settings.lock_on_sleep,
            _ => false,
        });
        // Time passed in sleep that no timer counted.
        self.door.is_open() && (set || self.left() == Some(0))
    }

    /// Whether an open vault locks when its window is minimised.
    pub fn locks_minimised(&self) -> bool {
        self.door.is_open() && self.services.settings.with(|settings| settings.lock_on_minimise)
    }
}
