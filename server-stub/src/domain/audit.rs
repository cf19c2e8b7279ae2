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
        let key_id = u32::try_from(self.key_id).ok()?;
        keys.audit_code(
            key_id,
            &[
                previous,
                &self.seq.to_be_bytes(),
                &self.at.to_be_bytes(),
                self.event.as_bytes(),
                &[u8::from(self.user_id.is_some())],
                self.user_id.as_deref().unwrap_or_default().as_bytes(),
                self.detail.as_bytes(),
            ],
        )
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
}

/// Checks a chain entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    seq: i64,
    mac: Vec<u8>,
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
        let code = entry.code(keys, &self.mac).ok_or(Break::KeyMissing { seq: entry.seq, key_id: entry.key_id })?;
        if entry.mac != code {
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
    /// The end is another.
    pub fn end(self, seq: i64, mac: &[u8]) -> Result<i64, Break> {
        if self.seq != seq || self.mac != mac {
            return Err(Break::End { found: self.seq, expected: seq });
        }
        Ok(seq)
    }
}
