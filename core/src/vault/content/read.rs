//! JSON text to content.
//!
//! What this program wrote is read in one go. Where that fails, entry by entry: unknown fields are split off and kept,
//! and an entry that still cannot be read is kept word for word.

mod split;
mod v1;

pub(super) use v1::kind_fields;

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Content, Extra, Fields, Foreign, Kept, Section, Unreadable, write::CONTENT_VERSION};
use crate::{
    secret::SecretText,
    token::{GroupId, TokenId},
    vault::json,
};

/// Why a text is no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ContentError {
    /// It does not have the shape of a content.
    #[error("the content cannot be read: {0}")]
    Malformed(String),
    /// A newer program wrote it.
    #[error("the content was written by a newer version ({0})")]
    Newer(u64),
}

impl Content {
    /// Reads what [`Content::to_json`] wrote, in this or an earlier version.
    pub(in crate::vault) fn from_json(text: &[u8]) -> Result<Self, ContentError> {
        let text = std::str::from_utf8(text).map_err(|_| ContentError::Malformed("it is not UTF-8".to_owned()))?;
        if let Ok(content) = serde_json::from_str::<v1::Content<'_>>(text)
            && content.content_version == CONTENT_VERSION
            && let Some(content) = whole(content)
        {
            return Ok(content);
        }
        #[derive(Deserialize)]
        struct Version {
            content_version: u64,
        }
        let version: Version = serde_json::from_str(text).map_err(|error| ContentError::Malformed(reason(&error)))?;
        // A later version gets a module beside `v1`, and its own line here; `v1` stays as it is.
        match version.content_version {
            CONTENT_VERSION => entry_by_entry(text),
            0 => Err(ContentError::Malformed("its version is 0".to_owned())),
            newer => Err(ContentError::Newer(newer)),
        }
    }

    /// Reads what [`Content::to_backup_json`] wrote.
    pub(crate) fn from_backup_json(text: &[u8]) -> Result<Self, ContentError> {
        Self::from_json(text)
    }
}

/// The content, if every entry of it can be read and has only known fields.
fn whole(read: v1::Content<'_>) -> Option<Content> {
    let mut content = Content {
        tokens: Vec::with_capacity(read.tokens.len()),
        settings: fields(read.settings),
        app_keys: fields(read.app_keys),
        ..Content::default()
    };
    let mut known = HashSet::with_capacity(read.tokens.len() + read.trash.len());
    for token in read.tokens {
        let token = token.into_token().ok()?;
        known.insert(token.id).then_some(())?;
        content.tokens.push(token);
    }
    for trashed in read.trash {
        let trashed = trashed.into_trashed().ok()?;
        known.insert(trashed.token.id).then_some(())?;
        content.trash.push(trashed);
    }
    let mut known_groups = HashSet::new();
    for group in read.groups {
        let group = group.into_group().ok()?;
        known_groups.insert(group.id).then_some(())?;
        content.groups.push(group);
    }
    for import in read.imports {
        content.imports.push(import.into_import().ok()?);
    }
    Some(content)
}

fn entry_by_entry(text: &str) -> Result<Content, ContentError> {
    let malformed = |error: serde_json::Error| ContentError::Malformed(reason(&error));
    let all: json::Fields<'_> = serde_json::from_str(text).map_err(malformed)?;
    if all.get("tokens").is_none() {
        return Err(ContentError::Malformed("missing field `tokens`".to_owned()));
    }
    let mut content = Content::default();
    let mut known = HashSet::new();
    for (name, value) in all.0 {
        let list = || serde_json::from_str::<Vec<&RawValue>>(value.get()).map_err(malformed);
        match &*name {
            "content_version" => {}
            "tokens" => content.read_section(Section::Tokens, list()?, &mut known),
            "trash" => content.read_section(Section::Trash, list()?, &mut known),
            "groups" => content.read_section(Section::Groups, list()?, &mut known),
            "imports" => content.read_section(Section::Imports, list()?, &mut known),
            "settings" => content.settings = fields(serde_json::from_str(value.get()).map_err(malformed)?),
            "app_keys" => content.app_keys = fields(serde_json::from_str(value.get()).map_err(malformed)?),
            _ => content.extra.content.push(field(&name, value)),
        }
    }
    Ok(content)
}

impl Content {
    fn read_section(&mut self, section: Section, entries: Vec<&RawValue>, known: &mut HashSet<TokenId>) {
        for (place, entry) in entries.into_iter().enumerate() {
            if let Err(reason) = self.read_entry(section, entry, known) {
                let (reason, flaw) =
                    Foreign::from_json(entry.get()).map_or((reason, None), |foreign| (foreign.reason, foreign.flaw));
                self.unreadable.push(Unreadable { name: split::name(entry), reason, flaw });
                self.kept.push(Kept { section, place, json: SecretText::new(entry.get().to_owned()) });
            }
        }
    }

    fn read_entry(&mut self, section: Section, entry: &RawValue, known: &mut HashSet<TokenId>) -> Result<(), String> {
        match section {
            Section::Tokens => {
                let (text, extra) = split::token(entry, false)?;
                let mut token = parse::<v1::Token<'_>>(&text)?.into_token()?;
                token.id = free_id(token.id, TokenId::from_random, entry, |id| known.insert(id));
                self.keep_extra(token.id, extra);
                self.tokens.push(token);
            }
            Section::Trash => {
                let (text, extra) = split::token(entry, true)?;
                let mut trashed = parse::<v1::Token<'_>>(&text)?.into_trashed()?;
                trashed.token.id = free_id(trashed.token.id, TokenId::from_random, entry, |id| known.insert(id));
                self.keep_extra(trashed.token.id, extra);
                self.trash.push(trashed);
            }
            Section::Groups => {
                let (text, extra) = split::flat(entry, &v1::GROUP_FIELDS)?;
                let mut group = parse::<v1::Group<'_>>(&text)?.into_group()?;
                let is_free = |id| self.groups.iter().all(|other| other.id != id);
                group.id = free_id(group.id, GroupId::from_random, entry, is_free);
                if !extra.is_empty() {
                    self.extra.groups.insert(group.id, extra);
                }
                self.groups.push(group);
            }
            Section::Imports => {
                let (text, extra) = split::flat(entry, &v1::IMPORT_FIELDS)?;
                let import = parse::<v1::Import<'_>>(&text)?.into_import()?;
                if !extra.is_empty() {
                    self.extra.imports.insert((import.at, import.source.clone()), extra);
                }
                self.imports.push(import);
            }
        }
        Ok(())
    }

    fn keep_extra(&mut self, id: TokenId, extra: Extra) {
        if !extra.is_empty() {
            self.extra.tokens.insert(id, extra);
        }
    }
}

/// The entry's own id; or, where another entry has it, one made of the entry, the same at each reading.
fn free_id<T: Copy>(own: T, make: fn([u8; 16]) -> T, entry: &RawValue, mut take: impl FnMut(T) -> bool) -> T {
    let mut id = own;
    let mut attempt = 0u64;
    while !take(id) {
        let digest = Sha256::new().chain_update(attempt.to_le_bytes()).chain_update(entry.get()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        id = make(bytes);
        attempt += 1;
    }
    id
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| reason(&error))
}

fn fields(fields: json::Fields<'_>) -> Fields {
    fields.0.iter().map(|(name, value)| field(name, value)).collect()
}

fn field(name: &str, value: &RawValue) -> (String, SecretText) {
    (name.to_owned(), SecretText::new(value.get().to_owned()))
}

/// What was wrong, without the values that serde_json would quote: one may be a secret.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let told = text.split(" at line ").next().unwrap_or_default();
    if told.starts_with("missing field") || told.starts_with("the field") {
        told.to_owned()
    } else if error.is_data() {
        "a field has another type than it should".to_owned()
    } else {
        "it is no JSON".to_owned()
    }
}
