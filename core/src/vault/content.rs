//! What a vault holds while it is open.

mod flaw;
mod foreign;
mod kept;
mod part;
mod places;
mod query;
mod read;
pub mod servers;
#[cfg(test)]
mod tests;
mod write;

pub use flaw::Flaw;
pub(crate) use foreign::{Foreign, NewGroups};
pub use kept::{KeptEntry, KeptId};
pub(crate) use read::ContentError;
#[cfg(test)]
pub(super) use tests::UNKNOWN_FIELDS;

use query::Query;

use std::collections::HashMap;

use crate::{
    matching::fold,
    secret::SecretText,
    token::{Group, GroupId, Kind, Revision, Token, TokenId, TokenSpec},
};

/// The content of an open vault.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    pub(super) tokens: Vec<Token>,
    pub(super) groups: Vec<Group>,
    pub(super) trash: Vec<Trashed>,
    pub(super) imports: Vec<Import>,
    pub(super) unreadable: Vec<Unreadable>,
    /// The entries of `unreadable`, one for one.
    pub(super) kept: Vec<Kept>,
    pub(super) extra: Extras,
    settings: Fields,
    app_keys: Fields,
}

/// Fields that this program does not know, or does not look into: name and JSON text, in their order.
pub(super) type Fields = Vec<(String, SecretText)>;

/// Fields of newer programs, kept beside what they belong to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extras {
    pub(super) content: Fields,
    pub(super) tokens: HashMap<TokenId, Extra>,
    pub(super) groups: HashMap<GroupId, Fields>,
    /// By the import's time and source.
    pub(super) imports: HashMap<(u64, String), Fields>,
}

/// Fields of a newer program within a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extra {
    pub(super) fields: Fields,
    pub(super) spec: Fields,
    pub(super) registration: Fields,
    /// One for each revision, of the revision and of its spec; or none at all.
    pub(super) history: Vec<(Fields, Fields)>,
}

/// An entry that could not be read, word for word.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) section: Section,
    /// Its index within its section.
    pub(super) place: usize,
    pub(super) json: SecretText,
}

impl PartialEq for Kept {
    /// The place is where it goes, not what it is: it moves with its neighbours.
    fn eq(&self, other: &Self) -> bool {
        self.section == other.section && self.json == other.json
    }
}

/// The lists of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Tokens,
    Groups,
    Trash,
    Imports,
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

/// How many earlier values a token remembers; the oldest go first.
pub const MAX_HISTORY: usize = 20;

/// How many imports can be undone; the oldest are forgotten first, their tokens stay.
pub const MAX_IMPORTS: usize = 50;

/// Tokens that came in together, so that they can go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// When, in Unix seconds.
    pub at: u64,
    /// Where from, in words: `backup`, `Aegis`.
    pub source: String,
    /// The tokens that it added.
    pub added: Vec<TokenId>,
    /// The groups that it made.
    pub groups: Vec<GroupId>,
}

/// An entry that this program could not read. It is written back word for word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What it seems to be called; empty where that could not be read either.
    pub name: String,
    /// Why, in words.
    pub reason: String,
    /// The same for other languages, where it is known: an entry of this vault itself has none.
    pub flaw: Option<Flaw>,
}

/// No token or group has that identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such token")]
pub struct NoSuchToken;

/// No group has that identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such group")]
pub struct NoSuchGroup;

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
        &self.unreadable
    }

    /// The token with that identifier.
    pub fn token(&self, id: TokenId) -> Option<&Token> {
        self.tokens.iter().find(|token| token.id == id)
    }

    /// Tokens whose id is `query` or begins so, or that have all its words in their issuer and account, in any order
    /// (compared as [`crate::matching::search_key`] does).
    pub fn find(&self, query: &str) -> Vec<&Token> {
        Query::new(query).matching(self.tokens.iter())
    }

    /// What [`Content::find`] finds among the tokens in the trash.
    pub fn find_in_trash(&self, query: &str) -> Vec<&Token> {
        Query::new(query).matching(self.trash.iter().map(|trashed| &trashed.token))
    }

    /// Tokens that `query` names, by the first of these that there are any by: their id; their issuer, their account,
    /// or both of them; the beginning of their id; what [`Content::find`] finds. So a name that is a part of others
    /// still names one token.
    pub fn named(&self, query: &str) -> Vec<&Token> {
        Query::new(query).named(self.tokens.iter())
    }

    /// What [`Content::named`] finds among the tokens in the trash.
    pub fn named_in_trash(&self, query: &str) -> Vec<&Token> {
        Query::new(query).named(self.trash.iter().map(|trashed| &trashed.token))
    }

    /// Adds a token at the end.
    pub fn add(&mut self, id: TokenId, spec: TokenSpec, now: u64) -> TokenId {
        self.tokens.push(Token {
            id,
            spec,
            groups: Vec::new(),
            favourite: false,
            note: String::new(),
            icon: None,
            created_at: now,
            updated_at: now,
            used_at: None,
            use_count: 0,
            registration: None,
            history: Vec::new(),
        });
        id
    }

    /// Changes a token; the earlier name, parameters and note go into its history, which keeps [`MAX_HISTORY`].
    pub fn change(&mut self, id: TokenId, change: Change, now: u64) -> Result<(), NoSuchToken> {
        let token = self.tokens.iter_mut().find(|token| token.id == id).ok_or(NoSuchToken)?;
        let before = token.clone();
        let Change { spec, groups, favourite, note, icon } = change;
        if let Some(spec) = spec {
            token.spec = spec;
        }
        if let Some(groups) = groups {
            token.groups = groups;
        }
        if let Some(favourite) = favourite {
            token.favourite = favourite;
        }
        if let Some(note) = note {
            token.note = note;
        }
        if let Some(icon) = icon {
            token.icon = icon;
        }
        if *token == before {
            return Ok(());
        }
        token.updated_at = now;
        if token.spec != before.spec || token.note != before.note {
            token.history.push(Revision { replaced_at: now, spec: before.spec, note: before.note });
            let too_many = token.history.len().saturating_sub(MAX_HISTORY);
            token.history.drain(..too_many);
            if let Some(extra) = self.extra.tokens.get_mut(&id) {
                extra.push_revision(token.history.len());
                // What meant nothing to the old kind may be a parameter of the new one, which has its own value.
                let parameters = read::kind_fields(token.spec.kind.name().name());
                extra.spec.retain(|(name, _)| !parameters.contains(&name.as_str()));
                if extra.is_empty() {
                    self.extra.tokens.remove(&id);
                }
            }
        }
        Ok(())
    }

    /// Notes that a code was used, and moves a counter-based token to its next counter.
    pub fn note_use(&mut self, id: TokenId, now: u64) -> Result<(), NoSuchToken> {
        let token = self.tokens.iter_mut().find(|token| token.id == id).ok_or(NoSuchToken)?;
        token.used_at = Some(now);
        token.use_count = token.use_count.saturating_add(1);
        if let Kind::Hotp { counter, .. } = &mut token.spec.kind {
            *counter = counter.saturating_add(1);
        }
        Ok(())
    }

    /// The group of that name, made where there is none.
    pub fn group(&mut self, new_id: GroupId, name: &str) -> GroupId {
        let folded = fold(name);
        if let Some(group) = self.groups.iter().find(|group| fold(&group.name) == folded) {
            return group.id;
        }
        self.groups.push(Group { id: new_id, name: name.trim().to_owned() });
        new_id
    }

    /// Gives a group another name.
    pub fn rename_group(&mut self, id: GroupId, name: &str) -> Result<(), NoSuchGroup> {
        let group = self.groups.iter_mut().find(|group| group.id == id).ok_or(NoSuchGroup)?;
        name.trim().clone_into(&mut group.name);
        Ok(())
    }

    /// Removes a group; its tokens stay.
    pub fn remove_group(&mut self, id: GroupId) -> Result<(), NoSuchGroup> {
        let from = self.groups.iter().position(|group| group.id == id).ok_or(NoSuchGroup)?;
        self.groups.remove(from);
        self.extra.groups.remove(&id);
        let trashed = self.trash.iter_mut().map(|trashed| &mut trashed.token);
        for token in self.tokens.iter_mut().chain(trashed) {
            token.groups.retain(|group| *group != id);
        }
        Ok(())
    }

    /// Takes back the newest import: its tokens go to the trash, and the groups that it made where nothing else is
    /// in them. Says how many tokens went; 0 where there is no import.
    pub fn undo_import(&mut self, now: u64) -> usize {
        let Some(import) = self.imports.pop() else { return 0 };
        self.drop_foreign(&import);
        self.extra.imports.remove(&(import.at, import.source));
        let gone = import.added.iter().filter(|id| self.remove(**id, now).is_ok()).count();
        for group in import.groups {
            if !self.tokens.iter().any(|token| token.groups.contains(&group)) {
                // Already removed by hand: nothing is left to do.
                let _ = self.remove_group(group);
            }
        }
        gone
    }

    /// A private setting as JSON text.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(key, _)| key == name).map(|(_, json)| json.expose())
    }

    /// Sets a private setting, or removes it. It stays on this device: no backup has it.
    pub fn set_setting(&mut self, name: &str, value: Option<&serde_json::Value>) {
        let at = self.settings.iter().position(|(key, _)| key == name);
        match (at, value.map(|value| SecretText::new(value.to_string()))) {
            (Some(at), Some(json)) => self.settings[at].1 = json,
            (Some(at), None) => drop(self.settings.remove(at)),
            (None, Some(json)) => self.settings.push((name.to_owned(), json)),
            (None, None) => {}
        }
    }
}

impl Extra {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Follows a new revision, of which the history now has `length`: it has the fields that the spec has.
    fn push_revision(&mut self, length: usize) {
        if self.history.is_empty() {
            if self.spec.is_empty() {
                return;
            }
            self.history.resize(length - 1, Default::default());
        }
        self.history.push((Fields::new(), self.spec.clone()));
        let too_many = self.history.len().saturating_sub(length);
        self.history.drain(..too_many);
        if self.history.iter().all(|(revision, spec)| revision.is_empty() && spec.is_empty()) {
            self.history.clear();
        }
    }
}
