//! What an import or a backup would change, one line a record, before anything changes.

use rand_core::CryptoRng;

use super::content::Content;
use crate::token::{Token, TokenId};

/// What happens to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is new.
    Add,
    /// A token with the same secret and parameters is there.
    AlreadyThere(TokenId),
    /// A token of the same issuer and account is there with another secret or other parameters: it is added beside it.
    Differs(TokenId),
}

/// One record and what happens to it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The record.
    pub token: Token,
    /// What happens to it.
    pub verdict: Verdict,
}

/// All lines; as many as there are records.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The lines, in the order of the records.
    pub lines: Vec<Line>,
    /// Entries of the source that could not be read; they come along word for word.
    pub unreadable: usize,
}

impl Ledger {
    /// Number of lines that add a token.
    pub fn adds(&self) -> usize {
        self.lines.iter().filter(|line| !matches!(line.verdict, Verdict::AlreadyThere(_))).count()
    }
}

impl Content {
    /// Compares `source` (a backup's content, say) with what is here. Nothing changes.
    pub fn compare(&self, source: &Content) -> Ledger {
        let _ = source;
        todo!()
    }

    /// Adds what [`Content::compare`] says is new, with its groups, as one [`super::content::Import`] that can be undone.
    pub fn merge(&mut self, source: &Content, source_name: &str, rng: &mut dyn CryptoRng, now: u64) -> Ledger {
        let _ = (source, source_name, rng, now);
        todo!()
    }
}
