//! Codes that are hidden until they are asked for.

use std::{cell::RefCell, collections::HashMap};

use countersign_core::token::TokenId;

/// How long a code stays once it was asked for, in seconds.
const SHOWN: u64 = 30;

/// The tokens whose codes were asked for, and when.
#[derive(Default)]
pub(super) struct Revealed(RefCell<HashMap<TokenId, u64>>);

impl Revealed {
    /// Shows the codes of a token for a while, from now on.
    pub(super) fn reveal(&self, id: TokenId, now: u64) {
        self.0.borrow_mut().insert(id, now);
    }

    pub(super) fn is_shown(&self, id: TokenId, now: u64) -> bool {
        self.0.borrow().get(&id).is_some_and(|&from| lasts(from, now))
    }

    /// Takes the tokens whose time is over.
    pub(super) fn over(&self, now: u64) -> Vec<TokenId> {
        let mut revealed = self.0.borrow_mut();
        let over: Vec<TokenId> = revealed.iter().filter(|(_, from)| !lasts(**from, now)).map(|(id, _)| *id).collect();
        over.iter().for_each(|id| _ = revealed.remove(id));
        over
    }

    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// A clock that was set back shows nothing longer.
fn lasts(from: u64, now: u64) -> bool {
    (from..from.saturating_add(SHOWN)).contains(&now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_for_a_while() {
        let (revealed, id) = (Revealed::default(), TokenId::from_random([1; 16]));
        assert!(!revealed.is_shown(id, 100));
        revealed.reveal(id, 100);
        assert!(revealed.is_shown(id, 129) && revealed.over(129).is_empty());
        assert!(!revealed.is_shown(id, 130) && !revealed.is_shown(id, 99));
        assert_eq!(revealed.over(130), [id]);
        assert!(revealed.over(131).is_empty());
    }
}
