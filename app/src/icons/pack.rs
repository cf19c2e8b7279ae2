//! The packed icons, as `app/assets/icons/make.py` writes and describes them. Read in place: a lookup touches the few
//! pages that a binary search needs and allocates nothing; only a path is decompressed, alone.
//!
//! The file is part of the program, so it cannot be damaged by itself. Reads are checked all the same, and what is not
//! there is empty.

use super::Rgb;

static PACK: &[u8] = include_bytes!("../../assets/icons/simple-icons.bin");

const MAGIC: &[u8] = b"CSICON01";
const HEADER: usize = 24;
const ICON: usize = 16;
const KEY: usize = 8;
/// The longest path that `make.py` takes, in bytes.
const LONGEST_PATH: usize = 16 * 1024;

/// The number of an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Entry(u16);

impl Entry {
    pub(super) fn slug(self) -> &'static str {
        let record = self.record();
        text(number(record, 0), byte(record, 10))
    }

    pub(super) fn title(self) -> &'static str {
        let record = self.record();
        text(number(record, 0) + byte(record, 10), byte(record, 11))
    }

    pub(super) fn colour(self) -> Rgb {
        let part = |at| self.record().get(at).copied().unwrap_or_default();
        Rgb { red: part(12), green: part(13), blue: part(14) }
    }

    pub(super) fn path(self) -> String {
        let record = self.record();
        let stream = slice(number(PACK, 20) + number(record, 4), half(record, 8));
        miniz_oxide::inflate::decompress_to_vec_with_limit(stream, LONGEST_PATH)
            .ok()
            .and_then(|path| String::from_utf8(path).ok())
            .unwrap_or_default()
    }

    fn record(self) -> &'static [u8] {
        slice(HEADER + usize::from(self.0) * ICON, ICON)
    }
}

/// All icons, by slug.
pub(super) fn entries() -> impl Iterator<Item = Entry> {
    (0..u16::try_from(icon_count()).unwrap_or_default()).map(Entry)
}

/// All keys in the order of their bytes: squashed names, and domains.
pub(super) fn keys() -> impl Iterator<Item = (&'static str, Entry)> {
    (0..key_count()).map(key)
}

pub(super) fn by_slug(slug: &str) -> Option<Entry> {
    let at = partition_point(icon_count(), |at| entry(at).slug() < slug);
    (at < icon_count()).then(|| entry(at)).filter(|entry| entry.slug() == slug)
}

/// The icon that has exactly this key.
pub(super) fn by_key(wanted: &str) -> Option<Entry> {
    let at = partition_point(key_count(), |at| key(at).0 < wanted);
    (at < key_count()).then(|| key(at)).filter(|found| found.0 == wanted).map(|found| found.1)
}

/// Whether any key begins with this.
pub(super) fn has_key_prefix(prefix: &str) -> bool {
    let at = partition_point(key_count(), |at| key(at).0 < prefix);
    at < key_count() && key(at).0.starts_with(prefix)
}

fn icon_count() -> usize {
    if PACK.starts_with(MAGIC) { number(PACK, 8) } else { 0 }
}

fn key_count() -> usize {
    if PACK.starts_with(MAGIC) { number(PACK, 12) } else { 0 }
}

fn entry(at: usize) -> Entry {
    Entry(u16::try_from(at).unwrap_or(u16::MAX))
}

fn key(at: usize) -> (&'static str, Entry) {
    let record = slice(HEADER + icon_count() * ICON + at * KEY, KEY);
    (text(number(record, 0), byte(record, 6)), entry(half(record, 4)))
}

fn text(at: usize, length: usize) -> &'static str {
    std::str::from_utf8(slice(number(PACK, 16) + at, length)).unwrap_or_default()
}

fn slice(at: usize, length: usize) -> &'static [u8] {
    PACK.get(at..at + length).unwrap_or_default()
}

fn number(bytes: &[u8], at: usize) -> usize {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .and_then(|four| usize::try_from(u32::from_le_bytes(four)).ok())
        .unwrap_or_default()
}

fn half(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([
        bytes.get(at).copied().unwrap_or_default(),
        bytes.get(at + 1).copied().unwrap_or_default(),
    ]))
}

fn byte(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes.get(at).copied().unwrap_or_default())
}

/// The first of `0..count` that is not `before`, as `slice::partition_point` finds it.
fn partition_point(count: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::icons::issuer::squash;

    #[test]
    fn tables_are_sorted_and_point_at_icons() {
        let slugs: Vec<_> = entries().map(Entry::slug).collect();
        assert!(slugs.is_sorted_by(|a, b| a < b));
        let keys: Vec<_> = keys().collect();
        assert!(keys.len() > slugs.len());
        assert!(keys.is_sorted_by(|a, b| a.0 < b.0));
        for (key, entry) in keys {
            assert!(!key.is_empty() && !entry.slug().is_empty(), "{key}");
            assert_eq!(by_key(key), Some(entry));
        }
        assert_eq!(by_key(""), None);
        assert_eq!(by_key("\u{10ffff}"), None);
    }

    #[test]
    fn names_are_squashed_by_the_script_as_they_are_here() {
        for (key, _) in keys().filter(|(key, _)| !key.contains('.')) {
            assert_eq!(squash(key), key);
        }
        let mut titles: HashMap<String, Vec<Entry>> = HashMap::new();
        for entry in entries() {
            titles.entry(squash(entry.title())).or_default().push(entry);
        }
        for (squashed, sharing) in titles {
            let found = by_key(&squashed);
            if sharing.len() > 1 || SHARED_WITH_ONE_LEFT_OUT.contains(&squashed.as_str()) {
                assert_eq!(found, None, "{squashed}");
            } else {
                assert_eq!(found, Some(sharing[0]), "{squashed}");
            }
        }
    }

    /// The collection has another icon of this name, whose licence is not free: the name is still not this one's alone.
    const SHARED_WITH_ONE_LEFT_OUT: &[&str] = &["graphite"];
}
