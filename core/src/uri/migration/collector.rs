//! Parts of exports, gathered until they are complete.

use std::collections::BTreeMap;

use super::{EntryError, Part};
use crate::uri::Parsed;

/// Gathers the parts of exports in any order; a part that came before changes nothing.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    exports: Vec<Export>,
}

#[derive(Clone, Debug)]
struct Export {
    batch_id: i32,
    size: u32,
    parts: BTreeMap<u32, Vec<Result<Parsed, EntryError>>>,
}

impl Export {
    fn progress(&self) -> Progress {
        // Indices are below the size, so that there are never more than fit.
        Progress { have: self.parts.len() as u32, of: self.size }
    }
}

/// How much of an export has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Parts seen.
    pub have: u32,
    /// Parts there are.
    pub of: u32,
}

impl Progress {
    /// Whether every part has been seen.
    pub fn is_complete(self) -> bool {
        self.have >= self.of
    }
}

/// What a part changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// How far its export is now.
    pub progress: Progress,
    /// The entries that this part brought; none where it came before.
    pub entries: Vec<Result<Parsed, EntryError>>,
    /// Whether the part came before.
    pub repeated: bool,
    /// Whether it has the id of an export that it cannot be of (another number of parts, or other entries at the same
    /// place). It was taken as one of an export of its own, so that nothing is lost.
    pub conflicting: bool,
}

impl Collector {
    /// Takes a part, hands out what it brought, and says how far its export is.
    pub fn add(&mut self, part: Part) -> Added {
        let Part { batch_id, index, size, entries } = part;
        let of_batch = |export: &&mut Export| export.batch_id == batch_id;
        let mut seen = self.exports.iter_mut().filter(of_batch);
        if let Some(export) = seen.find(|e| e.size == size && e.parts.get(&index) == Some(&entries)) {
            return Added { progress: export.progress(), entries: vec![], repeated: true, conflicting: false };
        }
        let mut open = self.exports.iter_mut().filter(of_batch);
        if let Some(export) = open.find(|e| e.size == size && !e.parts.contains_key(&index)) {
            export.parts.insert(index, entries.clone());
            return Added { progress: export.progress(), entries, repeated: false, conflicting: false };
        }
        let conflicting = self.exports.iter().any(|export| export.batch_id == batch_id);
        let export = Export { batch_id, size, parts: BTreeMap::from([(index, entries.clone())]) };
        let progress = export.progress();
        self.exports.push(export);
        Added { progress, entries, repeated: false, conflicting }
    }

    /// The exports that are not complete: batch id and progress, in the order in which they began.
    pub fn incomplete(&self) -> Vec<(i32, Progress)> {
        self.exports
            .iter()
            .map(|export| (export.batch_id, export.progress()))
            .filter(|(_, progress)| !progress.is_complete())
            .collect()
    }
}
