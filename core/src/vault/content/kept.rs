//! The entries that could not be read, as a person deals with them: listed, looked at, deleted.

use std::{collections::HashMap, fmt, str::FromStr};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{Content, Flaw, Foreign};
use crate::{secret::SecretText, token::InvalidId};

/// Identifies an entry that could not be read for as long as it is kept. Shown as 32 hexadecimal digits; it says nothing
/// of what the entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeptId([u8; 16]);

impl fmt::Display for KeptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for KeptId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| InvalidId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidId)
    }
}

/// An entry that could not be read, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptEntry {
    /// What it goes by.
    pub id: KeptId,
    /// What it seems to be called; empty where that could not be read either.
    pub name: String,
    /// Why it could not be read, in words.
    pub reason: String,
    /// The same for other languages, where it is known.
    pub flaw: Option<Flaw>,
    /// The app whose file it came from (`Aegis`); `None` for an entry of this vault, which a newer version of this
    /// program wrote.
    pub source: Option<String>,
    /// When it was imported, in Unix seconds.
    pub imported_at: Option<u64>,
}

impl Content {
    /// The entries that could not be read, in the order of [`Content::unreadable`].
    pub fn kept(&self) -> Vec<KeptEntry> {
        let entries = self.kept_ids().into_iter().zip(&self.unreadable).zip(&self.kept);
        entries
            .map(|((id, unreadable), kept)| {
                let foreign = Foreign::from_json(kept.json.expose());
                KeptEntry {
                    id,
                    name: unreadable.name.clone(),
                    reason: unreadable.reason.clone(),
                    flaw: unreadable.flaw.clone(),
                    imported_at: foreign.as_ref().and_then(|foreign| foreign.import.as_ref()).map(|(at, _)| *at),
                    source: foreign.map(|foreign| foreign.format),
                }
            })
            .collect()
    }

    /// What an entry holds, word for word: as it stood in the other app's file, or as JSON for one of this vault. It may
    /// hold a secret in plain sight, so whoever shows it asks for the password first. `None` where there is none of
    /// that identifier.
    pub fn kept_raw(&self, id: KeptId) -> Option<SecretText> {
        let at = self.kept_ids().iter().position(|other| *other == id)?;
        self.unreadable_texts().nth(at)
    }

    /// Deletes entries for good, and says how many there were. Nothing brings them back, not even undoing their import.
    pub fn delete_kept(&mut self, ids: &[KeptId]) -> usize {
        let stays: Vec<bool> = self.kept_ids().iter().map(|id| !ids.contains(id)).collect();
        let before = self.kept.len();
        self.retain_kept(&stays);
        before - self.kept.len()
    }

    /// The records of other apps' files among them.
    pub(crate) fn kept_foreign(&self) -> Vec<(KeptId, Foreign)> {
        let entries = self.kept_ids().into_iter().zip(&self.kept);
        entries.filter_map(|(id, kept)| Some((id, Foreign::from_json(kept.json.expose())?))).collect()
    }

    /// Keeps the entries whose flag says so; one flag for each.
    pub(super) fn retain_kept(&mut self, stays: &[bool]) {
        let mut flags = stays.iter();
        self.kept.retain(|_| flags.next().is_none_or(|stays| *stays));
        let mut flags = stays.iter();
        self.unreadable.retain(|_| flags.next().is_none_or(|stays| *stays));
    }

    /// One for each entry; of several equal entries, each has its own.
    fn kept_ids(&self) -> Vec<KeptId> {
        let mut times = HashMap::new();
        let ids = self.kept.iter().map(|kept| {
            let content = <[u8; 32]>::from(Sha256::digest(kept.json.expose()));
            let number = times.entry((kept.section as u8, content)).and_modify(|n| *n += 1).or_insert(0u64);
            let hash = Sha256::new()
                .chain_update([kept.section as u8])
                .chain_update(number.to_le_bytes())
                .chain_update(content)
                .finalize();
            let mut id = [0; 16];
            id.copy_from_slice(&hash[..16]);
            KeptId(id)
        });
        ids.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(entries: &str) -> Content {
        Content::from_json(format!("{{\"content_version\":1,\"tokens\":[{entries}]}}").as_bytes()).unwrap()
    }

    #[test]
    fn what_is_wrong_with_an_entry_is_kept_for_every_language() {
        let foreign = |flaw: &str| {
            format!("{{\"name\":\"Ash\",\"foreign\":{{\"format\":\"Aegis\",\"reason\":\"why\"{flaw},\"raw\":\"x\"}}}}")
        };
        for (stands, flaw) in [
            ("", None),
            (",\"flaw\":\"secret\"", Some(Flaw::Secret)),
            (",\"flaw\":{\"missing\":\"info\"}", Some(Flaw::Missing("info".into()))),
            // A newer program knows more of them.
            (",\"flaw\":{\"quantum\":[1,2]}", None),
            (",\"flaw\":null", None),
        ] {
            let vault = content(&foreign(stands));
            let kept = vault.kept();
            assert_eq!((kept[0].flaw.as_ref(), kept[0].source.as_deref()), (flaw.as_ref(), Some("Aegis")), "{stands}");
            assert_eq!(vault.unreadable()[0].flaw, flaw);
            // It is written back word for word, and stays as it is when another vault takes it over.
            assert!(String::from_utf8(vault.to_json().to_vec()).unwrap().contains(&foreign(stands)));
            let mut other = Content::default();
            assert_eq!(other.adopt_kept(&vault, 60, "backup"), 1);
            assert_eq!(other.kept()[0].flaw, flaw);
            assert_eq!(other.adopt_kept(&vault, 61, "backup"), 0);
        }
    }

    #[test]
    fn an_entry_is_listed_shown_and_deleted() {
        let foreign = "{\"name\":\"Ash\",\"foreign\":{\"format\":\"Aegis\",\"reason\":\"why\",\"raw\":\"{\\\"a\\\":1}\",\"import\":[10,\"Aegis\"]}}";
        let own = "{\"kind\":\"later\",\"spec\":{}}";
        let mut vault = content(&[foreign, own, own].join(","));
        let kept = vault.kept();
        assert_eq!(kept.len(), 3);
        assert_eq!((kept[0].name.as_str(), kept[0].reason.as_str()), ("Ash", "why"));
        assert_eq!((kept[0].source.as_deref(), kept[0].imported_at), (Some("Aegis"), Some(10)));
        assert_eq!((kept[1].source.as_deref(), kept[1].imported_at), (None, None));
        assert_ne!(kept[1].id, kept[2].id, "two equal entries are two");
        assert_eq!(vault.kept_raw(kept[0].id).unwrap().expose(), "{\"a\":1}");
        assert_eq!(vault.kept_raw(kept[2].id).unwrap().expose(), own);

        // It is the same one after the vault was written and read.
        let again = Content::from_json(&vault.to_json()).unwrap();
        assert_eq!(again.kept(), kept);
        assert_eq!(kept[0].id.to_string().parse(), Ok(kept[0].id));
        assert_eq!("Ash".parse::<KeptId>(), Err(InvalidId));

        assert_eq!(vault.delete_kept(&[kept[0].id, kept[0].id]), 1);
        assert_eq!(vault.delete_kept(&[kept[0].id]), 0);
        assert!(vault.kept_raw(kept[0].id).is_none());
        assert_eq!(vault.kept(), kept[1..]);
        assert_eq!(vault.unreadable().len(), 2);
        assert_eq!(Content::from_json(&vault.to_json()).unwrap().kept(), kept[1..]);
    }
}
