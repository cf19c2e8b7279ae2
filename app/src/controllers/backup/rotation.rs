//! The names of automatic backups, and which of them go.

use chrono::{DateTime, Utc};

/// Whose backups they are: the vault's and this device's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The first digits of the vault's identifier.
    vault: String,
    /// What this device marks its files with.
    tag: String,
}

/// What a file's name says of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The generation of the vault that it is a copy of: grows with each save, whatever the clock does.
    pub generation: u64,
    /// When it was made: `20261122T091200Z`.
    time: String,
    /// The name itself.
    pub name: String,
}

impl Named {
    /// When it was made, in Unix seconds.
    pub fn made_at(&self) -> Option<u64> {
        let time = chrono::NaiveDateTime::parse_from_str(&self.time, TIME).ok()?;
        u64::try_from(time.and_utc().timestamp()).ok()
    }
}

const PREFIX: &str = "countersign";
const SUFFIX: &str = ".json";
const TIME: &str = "%Y%m%dT%H%M%SZ";

impl Owner {
    /// Of the vault with that identifier; `tag` is 8 digits.
    pub fn new(vault_id: &str, tag: &str) -> Self {
        Self { vault: vault_id.chars().take(8).collect(), tag: tag.to_owned() }
    }

    /// The name of a backup: `countersign-5f0c1d2e-20261122T091200Z-118-9a8b7c6d.json`.
    pub fn name(&self, generation: u64, now: u64) -> String {
        let time = i64::try_from(now).ok().and_then(|now| DateTime::<Utc>::from_timestamp(now, 0)).unwrap_or_default();
        format!("{PREFIX}-{}-{}-{generation}-{}{SUFFIX}", self.vault, time.format(TIME), self.tag)
    }

    /// Reads a name that [`Owner::name`] of this vault and this device could have given; every other is not ours.
    pub fn read(&self, name: &str) -> Option<Named> {
        let parts: Vec<&str> = name.strip_suffix(SUFFIX)?.split('-').collect();
        let [prefix, vault, time, generation, tag] = parts.as_slice() else { return None };
        if *prefix != PREFIX || *vault != self.vault || *tag != self.tag {
            return None;
        }
        let parsed: u64 = generation.parse().ok()?;
        let named = Named { generation: parsed, time: (*time).to_owned(), name: name.to_owned() };
        (self.name(parsed, named.made_at()?) == name).then_some(named)
    }

    /// Ours among the names of a folder, newest first.
    pub fn ours(&self, names: &[String]) -> Vec<Named> {
        let mut ours: Vec<Named> = names.iter().filter_map(|name| self.read(name)).collect();
        ours.sort();
        ours.reverse();
        ours
    }

    /// The names that go, once `verified` was read back and opened: ours beyond the newest `kept`, never `verified`
    /// itself, whatever its place among them.
    pub fn outdated(&self, names: &[String], verified: &str, kept: usize) -> Vec<String> {
        let others = self.ours(names).into_iter().filter(|named| named.name != verified);
        others.skip(kept.max(1) - 1).map(|named| named.name).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_795_338_720;

    fn owner() -> Owner {
        Owner::new("5f0c1d2e-0000-4000-8000-000000000000", "9a8b7c6d")
    }

    #[test]
    fn a_name_tells_what_it_is() {
        let name = owner().name(118, NOW);
        assert_eq!(name, "countersign-5f0c1d2e-20261122T091200Z-118-9a8b7c6d.json");
        let named = owner().read(&name).unwrap();
        assert_eq!((named.generation, named.made_at()), (118, Some(NOW)));
    }

    #[test]
    fn what_another_made_is_not_ours() {
        let other_vault = Owner::new("00000000-0000-4000-8000-000000000000", "9a8b7c6d").name(1, NOW);
        let other_device = Owner::new("5f0c1d2e-0000-4000-8000-000000000000", "00000000").name(1, NOW);
        for name in [
            "vault.json",
            "vault.json.1",
            "countersign-5f0c1d2e-20261122T091200Z-118-9a8b7c6d.json.1",
            "countersign-5f0c1d2e-20261122T091200Z-118-9a8b7c6d (copy).json",
            "countersign-5f0c1d2e-20261122T091200Z-0118-9a8b7c6d.json",
            "countersign-5f0c1d2e-20261322T091200Z-118-9a8b7c6d.json",
            "countersign-5f0c1d2e-20261122T091200Z-+118-9a8b7c6d.json",
            &other_vault,
            &other_device,
        ] {
            assert_eq!(owner().read(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn rotation_keeps_the_verified_one_and_what_is_not_ours(
            made in proptest::collection::vec((0_u64..40, 0_u64..4_000_000_000), 0..30),
            strangers in proptest::collection::vec("[a-z0-9.-]{1,40}", 0..10),
            kept in 0_usize..8,
            chosen in any::<prop::sample::Index>(),
        ) {
            let mut names: Vec<String> = made.iter().map(|(generation, now)| owner().name(*generation, *now)).collect();
            names.sort();
            names.dedup();
            let ours = names.len();
            prop_assume!(ours > 0);
            let verified = names[chosen.index(ours)].clone();
            names.extend(strangers.iter().cloned());
            let gone = owner().outdated(&names, &verified, kept);
            prop_assert!(!gone.contains(&verified));
            prop_assert!(gone.iter().all(|name| owner().read(name).is_some() && !strangers.contains(name)));
            // Exactly as many stay as are to be kept, the verified one among them.
            prop_assert_eq!(ours - gone.len(), ours.min(kept.max(1)));
            // No other one goes that is newer than one that stays.
            let newest_gone = gone.iter().filter_map(|name| owner().read(name)).max();
            let oldest_other = owner().ours(&names).into_iter()
                .filter(|named| named.name != verified && !gone.contains(&named.name)).min();
            if let (Some(gone), Some(stays)) = (newest_gone, oldest_other) {
                prop_assert!(gone < stays);
            }
        }
    }
}
