//! Records of other apps' files that could not be read, kept among the entries that cannot be.

use std::collections::{HashMap, HashSet};

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Content, Flaw, Import, Kept, Section, Unreadable};
use crate::{
    matching::fold,
    secret::SecretText,
    token::{Group, GroupId, Token},
    vault::cipher::random,
};

/// A record of another app's file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// What it is called there.
    pub(crate) name: String,
    /// The format's name.
    pub(crate) format: String,
    /// Why it could not be read.
    pub(crate) reason: String,
    /// The same for other languages.
    pub(crate) flaw: Option<Flaw>,
    /// The record as it stands in the file.
    pub(crate) raw: SecretText,
    /// Time and source of the import that brought it.
    pub(crate) import: Option<(u64, String)>,
}

/// Its JSON.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    foreign: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    format: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaw: Option<&'a Flaw>,
    raw: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<(u64, &'a str)>,
}

#[derive(Deserialize)]
struct OwnedEntry {
    #[serde(default)]
    name: String,
    foreign: OwnedBody,
}

#[derive(Deserialize)]
struct OwnedBody {
    format: String,
    reason: String,
    #[serde(default, deserialize_with = "Flaw::lenient")]
    flaw: Option<Flaw>,
    raw: String,
    #[serde(default)]
    import: Option<(u64, String)>,
}

impl Foreign {
    /// Reads an entry that is one.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        let OwnedEntry { name, foreign } = serde_json::from_str(json).ok()?;
        let OwnedBody { format, reason, flaw, raw, import } = foreign;
        Some(Self { name, format, reason, flaw, raw: SecretText::new(raw), import })
    }

    fn to_json(&self) -> SecretText {
        let import = self.import.as_ref().map(|(at, source)| (*at, source.as_str()));
        let flaw = self.flaw.as_ref();
        let foreign = Body { format: &self.format, reason: &self.reason, flaw, raw: self.raw.expose(), import };
        let entry = Entry { name: &self.name, foreign };
        // Its memory is taken once: growing would leave copies behind. Texts and a number always serialise.
        let mut length = Length(0);
        let _ = serde_json::to_writer(&mut length, &entry);
        let mut json = Vec::with_capacity(length.0);
        let _ = serde_json::to_writer(&mut json, &entry);
        SecretText::new(String::from_utf8(json).unwrap_or_default())
    }

    /// What is told of it.
    fn unreadable(&self) -> Unreadable {
        Unreadable { name: self.name.clone(), reason: self.reason.clone(), flaw: self.flaw.clone() }
    }

    /// What makes two of them the same, whenever they came.
    fn identity(&self) -> Identity {
        let mut hash = Sha256::new();
        for part in [&self.name, &self.format, &self.reason, self.raw.expose()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A hash that two entries share where they are the same.
pub(in crate::vault) type Identity = [u8; 32];

/// What makes two kept entries the same: a foreign one is so whichever import brought it.
pub(in crate::vault) fn identity(kept: &Kept) -> Identity {
    let json = kept.json.expose();
    Foreign::from_json(json).map_or_else(|| Sha256::digest(json).into(), |foreign| foreign.identity())
}

impl Content {
    /// Adds a token as it is.
    pub(crate) fn push(&mut self, token: Token) {
        self.tokens.push(token);
    }

    /// The texts of the entries that could not be read, in the order of [`Content::unreadable`]; those of another app's
    /// file as they stood there.
    pub(crate) fn unreadable_texts(&self) -> impl Iterator<Item = SecretText> {
        self.kept.iter().map(|kept| match Foreign::from_json(kept.json.expose()) {
            Some(foreign) => foreign.raw,
            None => kept.json.clone(),
        })
    }

    /// Keeps a record that could not be read.
    pub(crate) fn keep(&mut self, foreign: &Foreign) {
        self.unreadable.push(foreign.unreadable());
        let place = self.tokens.len() + self.kept.len();
        self.kept.push(Kept { section: Section::Tokens, place, json: foreign.to_json() });
    }

    /// Takes over the entries of `source` that could not be read and are not here yet; foreign ones go with the import
    /// of that time and name. Says how many came.
    pub(in crate::vault) fn adopt_kept(&mut self, source: &Content, at: u64, name: &str) -> usize {
        let mut known = self.identities();
        let mut came = 0;
        for (unreadable, kept) in source.unreadable.iter().zip(&source.kept) {
            if !known.insert((kept.section as u8, identity(kept))) {
                continue;
            }
            let mut kept = kept.clone();
            if let Some(mut foreign) = Foreign::from_json(kept.json.expose()) {
                foreign.import = Some((at, name.to_owned()));
                kept.json = foreign.to_json();
            }
            self.unreadable.push(unreadable.clone());
            self.kept.push(kept);
            came += 1;
        }
        came
    }

    /// Keeps the records that are not here yet, for the import of that time and name. Says how many came.
    pub(in crate::vault) fn keep_new(&mut self, records: impl Iterator<Item = Foreign>, at: u64, name: &str) -> usize {
        let mut known = self.identities();
        let before = self.kept.len();
        for mut foreign in records {
            if known.insert((Section::Tokens as u8, foreign.identity())) {
                foreign.import = Some((at, name.to_owned()));
                self.keep(&foreign);
            }
        }
        self.kept.len() - before
    }

    fn identities(&self) -> HashSet<(u8, Identity)> {
        self.kept.iter().map(|kept| (kept.section as u8, identity(kept))).collect()
    }

    /// Forgets the foreign records that an import brought.
    pub(super) fn drop_foreign(&mut self, import: &Import) {
        let stamp = (import.at, import.source.clone());
        let stays: Vec<bool> = self
            .kept
            .iter()
            .map(|kept| {
                Foreign::from_json(kept.json.expose()).and_then(|foreign| foreign.import) != Some(stamp.clone())
            })
            .collect();
        self.retain_kept(&stays);
    }
}

/// Makes the groups of many tokens without looking through all groups for each.
#[derive(Default)]
pub(crate) struct NewGroups(HashMap<String, GroupId>);

impl NewGroups {
    /// The group of that name, made where there is none.
    pub(crate) fn id(&mut self, content: &mut Content, name: &str, rng: &mut dyn CryptoRng) -> GroupId {
        *self.0.entry(fold(name)).or_insert_with(|| {
            let id = GroupId::from_random(random(rng));
            content.groups.push(Group { id, name: name.trim().to_owned() });
            id
        })
    }
}
