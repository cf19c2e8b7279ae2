//! What happened, in a chain that shows whether anything was changed or left out.

use crate::{seal::Keys, service::Now};

/// Something that is worth keeping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Now,
    /// What, from a closed list: `verify.accepted`, `user.added`, ..
    pub event: &'static str,
    /// Whom it concerns.
    pub user_id: Option<String>,
    /// More, as a JSON object. Never a secret, a code, or a password.
    pub detail: serde_json::Value,
}

impl Event {
    /// An event without further detail.
    pub fn new(at: Now, event: &'static str, user_id: Option<&str>) -> Self {
        Self { at, event, user_id: user_id.map(str::to_owned), detail: serde_json::json!({}) }
    }

    /// The same event with detail.
    pub fn with(self, detail: serde_json::Value) -> Self {
        Self { detail, ..self }
    }
}

/// An event as it lies in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// Unix milliseconds.
    pub at: i64,
    /// What.
    pub event: String,
    /// Whom it concerns.
    pub user_id: Option<String>,
    /// More, as JSON text.
    pub detail: String,
    /// The audit key's number.
    pub key_id: i64,
    /// The code over this entry and the one before.
    pub mac: Vec<u8>,
}

impl Entry {
    /// The code that this entry must have after `previous`. `None` where its key is not there.
    pub fn code(&self, keys: &Keys, previous: &[u8]) -> Option<[u8; 32]> {
        self.coded(keys, &[b"v2", previous])
    }

    /// The code of versions that did not seal the log's end: an entry with it comes before all others.
    pub fn earlier_code(&self, keys: &Keys, previous: &[u8]) -> Option<[u8; 32]> {
        self.coded(keys, &[previous])
    }

    fn coded(&self, keys: &Keys, before: &[&[u8]]) -> Option<[u8; 32]> {
        let (seq, at) = (self.seq.to_be_bytes(), self.at.to_be_bytes());
        let own: [&[u8]; 6] = [
            &seq,
            &at,
            self.event.as_bytes(),
            &[u8::from(self.user_id.is_some())],
            self.user_id.as_deref().unwrap_or_default().as_bytes(),
            self.detail.as_bytes(),
        ];
        keys.audit_code(u32::try_from(self.key_id).ok()?, &[before, &own].concat())
    }
}

/// Where the log ends: without it entries at the end could be taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// The last entry's number, 0 before the first.
    pub seq: i64,
    /// The last entry's code.
    pub mac: Vec<u8>,
    /// The number of the audit key that it is sealed under.
    pub key_id: i64,
    /// The code over all of this. `None`: it was written by a version that had none. Empty: it follows another that was
    /// found wrong.
    pub seal: Option<Vec<u8>>,
}

impl End {
    /// The end after an entry, sealed. `None` where the key is not there.
    pub fn sealed(keys: &Keys, seq: i64, mac: &[u8]) -> Option<Self> {
        let end = Self { seq, mac: mac.to_vec(), key_id: keys.newest().into(), seal: None };
        let seal = end.code(keys)?.to_vec();
        Some(Self { seal: Some(seal), ..end })
    }

    /// Whether it is sealed, and nothing of it was changed. `None` where the key is not there.
    pub fn is_whole(&self, keys: &Keys) -> Option<bool> {
        match &self.seal {
            Some(seal) if !seal.is_empty() => self.code(keys).map(|code| code[..] == seal[..]),
            _ => Some(false),
        }
    }

    fn code(&self, keys: &Keys) -> Option<[u8; 32]> {
        let parts: [&[u8]; 3] = [b"countersign-server/audit-end/v1", &self.seq.to_be_bytes(), &self.mac];
        keys.audit_code(u32::try_from(self.key_id).ok()?, &parts)
    }
}

/// Where a chain breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Break {
    /// A number is missing.
    #[error("entry {0} is missing")]
    Missing(i64),
    /// An entry is not what was written, or the one before it is not.
    #[error("entry {0} or the one before it was changed")]
    Changed(i64),
    /// The key that an entry was written under is not there.
    #[error("entry {seq} was written under key {key_id}, which is not here")]
    KeyMissing {
        /// The entry.
        seq: i64,
        /// The key's number.
        key_id: i64,
    },
    /// The log ends earlier or later than its end says.
    #[error("the log ends at entry {found}, but {expected} were written")]
    End {
        /// The last entry.
        found: i64,
        /// What the end says.
        expected: i64,
    },
    /// What the log says of its end was not written by this server.
    #[error("its end, at entry {0}, is not sealed by this server: entries after it may have been cut off")]
    Unsealed(i64),
}

/// Checks a chain entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    seq: i64,
    mac: Vec<u8>,
    /// Whether there was an entry of a version that seals the end.
    sealing: bool,
}

impl Checker {
    /// Takes the next entry.
    ///
    /// # Errors
    ///
    /// Where the chain breaks.
    pub fn next(&mut self, keys: &Keys, entry: &Entry) -> Result<(), Break> {
        let expected = self.seq + 1;
        if entry.seq != expected {
            return Err(Break::Missing(expected));
        }
        let missing = Break::KeyMissing { seq: entry.seq, key_id: entry.key_id };
        let is = |code: Option<[u8; 32]>| code.map(|code| code[..] == entry.mac[..]).ok_or(missing.clone());
        if is(entry.code(keys, &self.mac))? {
            self.sealing = true;
        } else if self.sealing || !is(entry.earlier_code(keys, &self.mac))? {
            return Err(Break::Changed(entry.seq));
        }
        self.seq = entry.seq;
        self.mac.clone_from(&entry.mac);
        Ok(())
    }

    /// Ends with what the log says of its end; how many entries there are.
    ///
    /// # Errors
    ///
    /// The end is another, or nobody knows.
    pub fn end(self, keys: &Keys, end: &End) -> Result<i64, Break> {
        if self.seq != end.seq || self.mac != end.mac {
            return Err(Break::End { found: self.seq, expected: end.seq });
        }
        match end.is_whole(keys) {
            Some(true) => Ok(end.seq),
            Some(false) => Err(Break::Unsealed(end.seq)),
            None => Err(Break::KeyMissing { seq: end.seq, key_id: end.key_id }),
        }
    }
}
