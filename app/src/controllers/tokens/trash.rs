//! Tokens that are removed, and come back or go for good.

use std::collections::HashSet;

use countersign_core::{
    token::{Token, TokenId},
    vault::content::{NoSuchToken, TRASH_SECONDS, Trashed},
};

use super::TokensController;
use crate::controllers::ChangeError;

/// Tokens that were moved to the trash, and where they were.
#[derive(Clone, Debug)]
pub struct Removed {
    ids: HashSet<TokenId>,
    /// The order of the vault before.
    order: Vec<TokenId>,
}

impl TokensController {
    /// Moves tokens to the trash.
    pub fn remove(&self, ids: &HashSet<TokenId>) -> Result<Removed, ChangeError> {
        let now = self.now();
        self.door.edit(&self.services, |content| {
            let order = content.tokens().iter().map(|token| token.id).collect();
            match content.remove_all(ids, now) {
                0 => Err(NoSuchToken),
                _ => Ok(Removed { ids: ids.clone(), order }),
            }
        })
    }

    /// Takes a removal back: the tokens are where they were.
    pub fn take_back(&self, removed: &Removed) -> Result<(), ChangeError> {
        let now = self.now();
        self.door.edit(&self.services, |content| {
            content.restore_all(&removed.ids, now);
            content.arrange(&removed.order);
            Ok::<_, NoSuchToken>(())
        })
    }

    /// What is in the trash, newest first, and after how many days it goes for good.
    pub fn trash<T>(&self, row: impl Fn(&Token, u64) -> T) -> Vec<T> {
        let now = self.now();
        let Some(content) = self.content() else { return Vec::new() };
        content.trash().iter().rev().map(|trashed| row(&trashed.token, days_left(trashed, now))).collect()
    }

    /// Takes a token out of the trash.
    pub fn restore(&self, id: TokenId) -> Result<(), ChangeError> {
        let now = self.now();
        self.door.edit(&self.services, |content| content.restore(id, now))
    }

    /// Takes everything out of the trash, and says how many tokens that were.
    pub fn restore_all(&self) -> Result<usize, ChangeError> {
        let now = self.now();
        self.door.edit(&self.services, |content| {
            let all = content.trash().iter().map(|trashed| trashed.token.id).collect();
            Ok::<_, NoSuchToken>(content.restore_all(&all, now))
        })
    }

    /// Removes a token of the trash for good.
    pub fn delete_for_good(&self, id: TokenId) -> Result<(), ChangeError> {
        self.door.edit(&self.services, |content| content.delete_for_good(id))
    }

    /// Removes everything in the trash for good, and says how many tokens that were.
    pub fn empty_trash(&self) -> Result<usize, ChangeError> {
        self.door.edit(&self.services, |content| Ok::<_, NoSuchToken>(content.empty_trash()))
    }
}

/// Whole days, at least 1: the last day counts.
fn days_left(trashed: &Trashed, now: u64) -> u64 {
    trashed.removed_at.saturating_add(TRASH_SECONDS).saturating_sub(now).div_ceil(24 * 60 * 60).max(1)
}
