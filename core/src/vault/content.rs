//! What a vault holds while it is open.

use crate::token::{Group, GroupId, Token, TokenId, TokenSpec};

/// The content of an open vault.
#[derive(Clone, Debug, Default)]
pub struct Content {
    tokens: Vec<Token>,
    groups: Vec<Group>,
    trash: Vec<Trashed>,
    imports: Vec<Import>,
}

/// A token in the trash, kept for [`TRASH_SECONDS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// The token as it was.
    pub token: Token,
    /// When it was removed, in Unix seconds.
    pub removed_at: u64,
}

/// How long the trash keeps a token: 30 days.
pub const TRASH_SECONDS: u64 = 30 * 24 * 60 * 60;

/// Tokens that came in together, so that they can go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// When, in Unix seconds.
    pub at: u64,
    /// Where from, in words: `backup`, `Aegis`.
    pub source: String,
    /// The tokens that it added.
    pub added: Vec<TokenId>,
}

/// An entry that this program could not read. It is written back word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why, in words.
    pub reason: String,
}

/// No token or group has that identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such token")]
pub struct NoSuchToken;

/// A change to a token; `None` leaves the value as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Name and parameters.
    pub spec: Option<TokenSpec>,
    /// The groups it is in.
    pub groups: Option<Vec<GroupId>>,
    /// Whether it is shown first.
    pub favourite: Option<bool>,
    /// The user's note.
    pub note: Option<String>,
    /// Its icon.
    pub icon: Option<Option<String>>,
}

impl Content {
    /// The tokens in the order that the user gave them.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The groups in their order.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The trash, newest last.
    pub fn trash(&self) -> &[Trashed] {
        &self.trash
    }

    /// Imports that can be undone, newest last.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    /// Entries that could not be read.
    pub fn unreadable(&self) -> &[Unreadable] {
        todo!()
    }

    /// The token with that identifier.
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.iter().find(|token| token.id == id)
    }

    /// Tokens whose id is `query`, or whose issuer or account contains it (folded as [`crate::matching::fold`] does).
    pub fn find(&self, query: &str) -> Vec<&Token> {
        let _ = query;
        todo!()
    }

    /// Adds a token at the end.
    pub fn add(&mut self, id: TokenId, spec: TokenSpec, now: u64) -> TokenId {
        let _ = (id, spec, now);
        todo!()
    }

    /// Changes a token; the earlier name and parameters go into its history.
    pub fn change(&mut self, id: TokenId, change: Change, now: u64) -> Result<(), NoSuchToken> {
        let _ = (id, change, now);
        todo!()
    }

    /// Notes that a code was used, and moves a counter-based token to its next counter.
    pub fn note_use(&mut self, id: TokenId, now: u64) -> Result<(), NoSuchToken> {
        let _ = (id, now);
        todo!()
    }

    /// Moves a token to the trash.
    pub fn remove(&mut self, id: TokenId, now: u64) -> Result<(), NoSuchToken> {
        let _ = (id, now);
        todo!()
    }

    /// Takes a token back out of the trash.
    pub fn restore(&mut self, id: TokenId, now: u64) -> Result<(), NoSuchToken> {
        let _ = (id, now);
        todo!()
    }

    /// The group of that name, made where there is none.
    pub fn group(&mut self, new_id: GroupId, name: &str) -> GroupId {
        let _ = (new_id, name);
        todo!()
    }

    /// Takes back the newest import: its tokens go to the trash. Says how many went; 0 where there is no import.
    pub fn undo_import(&mut self, now: u64) -> usize {
        let _ = now;
        todo!()
    }
}
