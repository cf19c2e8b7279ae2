//! Groups of tokens.

use std::collections::HashSet;

use countersign_core::{
    matching::fold,
    token::{GroupId, TokenId},
    vault::content::{Change, NoSuchToken},
};

use super::TokensController;
use crate::controllers::ChangeError;

/// The longest name of a group, in characters: it stands on a chip.
pub const MAX_NAME: usize = 60;

/// Why a group was not made or renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// Nothing is typed.
    #[error("the group has no name")]
    Empty,
    /// The name has more than [`MAX_NAME`] characters.
    #[error("the group's name is too long")]
    TooLong,
    /// Another group has that name, however it is written.
    #[error("another group has this name")]
    Taken,
    /// It was not saved.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// How many of some tokens a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// None of them.
    None,
    /// Some, but not all.
    Some,
    /// All of them.
    All,
}

impl TokensController {
    /// Whether a name can be given to a group; `of` is the group that has it already.
    pub fn check_group_name(&self, name: &str, of: Option<GroupId>) -> Result<(), GroupError> {
        let folded = fold(name);
        if folded.is_empty() {
            return Err(GroupError::Empty);
        }
        if name.trim().chars().count() > MAX_NAME {
            return Err(GroupError::TooLong);
        }
        let content = self.content().ok_or(ChangeError::Locked)?;
        let taken = content.groups().iter().any(|group| Some(group.id) != of && fold(&group.name) == folded);
        if taken { Err(GroupError::Taken) } else { Ok(()) }
    }

    /// Makes a group.
    pub fn add_group(&self, name: &str) -> Result<GroupId, GroupError> {
        self.check_group_name(name, None)?;
        let mut bytes = [0; 16];
        (self.services.random)().fill_bytes(&mut bytes);
        let id = GroupId::from_random(bytes);
        Ok(self.door.edit(&self.services, |content| Ok::<_, NoSuchToken>(content.group(id, name)))?)
    }

    /// Gives a group another name.
    pub fn rename_group(&self, id: GroupId, name: &str) -> Result<(), GroupError> {
        self.check_group_name(name, Some(id))?;
        Ok(self.door.edit(&self.services, |content| content.rename_group(id, name))?)
    }

    /// Removes a group; its tokens stay.
    pub fn remove_group(&self, id: GroupId) -> Result<(), ChangeError> {
        self.door.edit(&self.services, |content| content.remove_group(id))
    }

    /// The groups in their order, and how many of these tokens each has.
    pub fn shares(&self, ids: &HashSet<TokenId>) -> Vec<(GroupId, String, Share)> {
        let Some(content) = self.content() else { return Vec::new() };
        let meant: Vec<_> = content.tokens().iter().filter(|token| ids.contains(&token.id)).collect();
        let share = |group| match meant.iter().filter(|token| token.groups.contains(&group)).count() {
            0 => Share::None,
            count if count == meant.len() => Share::All,
            _ => Share::Some,
        };
        content.groups().iter().map(|group| (group.id, group.name.clone(), share(group.id))).collect()
    }

    /// Puts tokens into a group, or takes them out of it.
    pub fn set_group(&self, ids: &HashSet<TokenId>, group: GroupId, within: bool) -> Result<(), ChangeError> {
        self.change_all(ids, |token| {
            let has = token.groups.contains(&group);
            (has != within).then(|| {
                let mut groups = token.groups.clone();
                if within {
                    groups.push(group);
                } else {
                    groups.retain(|id| *id != group);
                }
                Change { groups: Some(groups), ..Change::default() }
            })
        })
    }
}
