//! Uses of codes, gathered: copying never waits for the disk.

use std::cell::{Cell, RefCell};

use countersign_core::token::TokenId;

/// How long uses wait for company, in seconds.
const WAIT: u64 = 2;

/// Uses that are not saved yet.
#[derive(Default)]
pub(super) struct Uses {
    /// Which token, and when.
    waiting: RefCell<Vec<(TokenId, u64)>>,
    since: Cell<u64>,
}

impl Uses {
    pub(super) fn note(&self, id: TokenId, now: u64) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() {
            self.since.set(now);
        }
        waiting.push((id, now));
    }

    /// Whether they have waited long enough. A clock that was set back keeps nothing waiting.
    pub(super) fn due(&self, now: u64) -> bool {
        let since = self.since.get();
        !self.waiting.borrow().is_empty() && (now >= since.saturating_add(WAIT) || now < since)
    }

    pub(super) fn take(&self) -> Vec<(TokenId, u64)> {
        self.waiting.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_wait_for_each_other_but_not_for_ever() {
        let (uses, id) = (Uses::default(), TokenId::from_random([1; 16]));
        assert!(!uses.due(100));
        uses.note(id, 100);
        uses.note(id, 101);
        assert!(!uses.due(101));
        assert!(uses.due(102), "the second one does not begin anew");
        assert!(uses.due(99), "the clock was set back");
        assert_eq!(uses.take(), [(id, 100), (id, 101)]);
        assert!(!uses.due(200));
    }
}
