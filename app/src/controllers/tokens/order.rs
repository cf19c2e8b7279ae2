//! The order of the list.

use countersign_core::{
    token::TokenId,
    vault::content::{Content, NoSuchToken},
};

use super::{Place, TokensController};
use crate::{controllers::ChangeError, settings::Sort};

/// Why a token was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// The list is in an order that is worked out.
    #[error("the list is not sorted by hand")]
    NotByHand,
    /// It was not saved.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl TokensController {
    /// The order of the list.
    pub fn sort(&self) -> Sort {
        self.services.settings.with(|settings| settings.sort)
    }

    /// Sorts the list so from now on. An error says that the choice is not remembered.
    pub fn set_sort(&self, sort: Sort) -> std::io::Result<()> {
        self.services.settings.change(|settings| settings.sort = sort)
    }

    /// Moves a token to a row of the list that is shown. Favourites stay before the others.
    pub fn move_to(&self, id: TokenId, row: usize, shown: &[Place]) -> Result<(), MoveError> {
        if self.sort() != Sort::Hand {
            return Err(MoveError::NotByHand);
        }
        Ok(self.door.edit(&self.services, |content| {
            let position = position(content, id, row, shown).ok_or(NoSuchToken)?;
            content.reorder(id, position)
        })?)
    }
}

/// Where in the vault, without the token itself, the token has to be so that it stands in that row.
fn position(content: &Content, id: TokenId, row: usize, shown: &[Place]) -> Option<usize> {
    let favourite = content.token(id)?.favourite;
    let others: Vec<TokenId> = shown.iter().map(|place| place.id).filter(|other| *other != id).collect();
    let is_like = |other: &TokenId| content.token(*other).is_some_and(|token| token.favourite == favourite);
    let at = |id: TokenId| content.tokens().iter().position(|token| token.id == id);
    let own = at(id)?;
    // Positions are those of the vault without the token.
    let without = |at: usize| if at > own { at - 1 } else { at };
    if let Some(after) = others.get(row).filter(|other| is_like(other)) {
        return at(*after).map(without);
    }
    let before = others.get(..row.min(others.len()))?.iter().rev().find(|other| is_like(other));
    match before {
        Some(before) => at(*before).map(|at| without(at) + 1),
        // Above all that are like it.
        None => others.iter().find(|other| is_like(other)).map_or(Some(own), |first| at(*first).map(without)),
    }
}
