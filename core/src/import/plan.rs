//! What an import would change, one line a record, before anything changes; and the change itself.

use rand_core::CryptoRng;

use super::{Draft, Outcome, Record, Source};
use crate::{
    otp::{Code, CodeError},
    token::{Token, TokenId},
    vault::{
        Content,
        content::Foreign,
        ledger::{Ledger, Verdict},
    },
};

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It is added.
    Added,
    /// It is added with something assumed or put right; the line says what and why.
    Repaired,
    /// The vault has it already: that token.
    AlreadyThere(TokenId),
    /// It is added beside a token of the same name that has another secret or other parameters: that token.
    Conflict(TokenId),
    /// It could not be read, and is kept as it is.
    Unreadable,
}

/// One record and what becomes of it.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called in the file.
    pub name: String,
    /// What becomes of it.
    pub fate: Fate,
    /// The token, where it is one.
    pub token: Option<Token>,
    /// The first code to compare with the other app, or why there is none.
    pub code: Option<Result<Code, CodeError>>,
    /// What was assumed, put right or unusual; or why it could not be read. One sentence each.
    pub remarks: Vec<String>,
}

/// How many records there are of each fate. They add up to the file's own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records of the file.
    pub records: usize,
    /// Added as they are.
    pub added: usize,
    /// Added with something put right.
    pub repaired: usize,
    /// There already.
    pub already_there: usize,
    /// Added beside one of the same name.
    pub conflict: usize,
    /// Kept as they are.
    pub unreadable: usize,
    /// No token by their nature.
    pub without_token: usize,
}

impl Counts {
    /// The sum of all fates; equal to `records`.
    pub fn sum(&self) -> usize {
        self.added + self.repaired + self.already_there + self.conflict + self.unreadable + self.without_token
    }

    /// How many tokens the vault has more afterwards.
    pub fn new_tokens(&self) -> usize {
        self.added + self.repaired + self.conflict
    }
}

/// All lines and their counts.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The lines, in the order of the records.
    pub lines: Vec<Line>,
    /// Their counts.
    pub counts: Counts,
}

impl Source {
    /// The tokens as the content of a vault of their own, new at `now` Unix seconds.
    fn to_content(&self, rng: &mut dyn CryptoRng, now: u64) -> Content {
        let mut content = Content::default();
        let mut groups = crate::vault::content::NewGroups::default();
        for record in &self.records {
            if let Outcome::Token(draft) = &record.outcome {
                let ids = draft.groups.iter().map(|name| groups.id(&mut content, name, rng)).collect();
                content.push(token(draft, ids, rng, now));
            }
        }
        content
    }

    /// The records that could not be read.
    fn unread(&self) -> impl Iterator<Item = Foreign> {
        self.records.iter().filter_map(|record| match &record.outcome {
            Outcome::Token(_) => None,
            Outcome::Unreadable(unread) => Some(Foreign {
                name: record.name.clone(),
                format: self.format.to_owned(),
                reason: unread.problem.to_string(),
                flaw: unread.problem.flaw(),
                raw: unread.raw.clone(),
                import: None,
            }),
        })
    }

    /// Compares the records with a vault, and works out the first codes, at `now` Unix seconds. Nothing changes.
    pub fn plan(&self, vault: &Content, rng: &mut dyn CryptoRng, now: u64) -> Plan {
        let ledger = vault.compare(&self.to_content(rng, now));
        self.lines(ledger, now)
    }

    /// Adds what is new to a vault, as one import that [`Content::undo_import`] takes back, and says what it did.
    pub fn merge_into(&self, vault: &mut Content, rng: &mut dyn CryptoRng, now: u64) -> Plan {
        let content = self.to_content(rng, now);
        let ledger = vault.merge_foreign(&content, self.unread(), self.format, rng, now);
        self.lines(ledger, now)
    }

    /// Adds the tokens that are new, and nothing else: there is no import to take back.
    pub(super) fn add_to(&self, vault: &mut Content, rng: &mut dyn CryptoRng, now: u64) -> Plan {
        let content = self.to_content(rng, now);
        let ledger = vault.add_new(&content, rng).0;
        self.lines(ledger, now)
    }

    fn lines(&self, ledger: Ledger, now: u64) -> Plan {
        let mut tokens = ledger.lines.into_iter();
        let mut counts = Counts { records: self.count(), without_token: self.without_token, ..Counts::default() };
        let lines = self.records.iter().map(|record| {
            let line = match &record.outcome {
                Outcome::Token(draft) => token_line(record, draft, tokens.next(), now),
                Outcome::Unreadable(unread) => Line {
                    name: record.name.clone(),
                    fate: Fate::Unreadable,
                    token: None,
                    code: None,
                    remarks: vec![unread.problem.to_string()],
                },
            };
            *match line.fate {
                Fate::Added => &mut counts.added,
                Fate::Repaired => &mut counts.repaired,
                Fate::AlreadyThere(_) => &mut counts.already_there,
                Fate::Conflict(_) => &mut counts.conflict,
                Fate::Unreadable => &mut counts.unreadable,
            } += 1;
            line
        });
        let lines = lines.collect();
        Plan { lines, counts }
    }
}

fn token(draft: &Draft, groups: Vec<crate::token::GroupId>, rng: &mut dyn CryptoRng, now: u64) -> Token {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    Token {
        id: TokenId::from_random(id),
        spec: draft.spec.clone(),
        groups,
        favourite: draft.favourite,
        note: draft.note.clone(),
        icon: None,
        created_at: now,
        updated_at: now,
        used_at: None,
        use_count: draft.use_count,
        registration: None,
        history: Vec::new(),
    }
}

fn token_line(record: &Record, draft: &Draft, line: Option<crate::vault::ledger::Line>, now: u64) -> Line {
    let fate = match line.as_ref().map(|line| &line.verdict) {
        Some(Verdict::AlreadyThere(id)) => Fate::AlreadyThere(*id),
        Some(Verdict::Differs(id)) => Fate::Conflict(*id),
        _ if draft.is_repaired() => Fate::Repaired,
        _ => Fate::Added,
    };
    Line {
        name: record.name.clone(),
        fate,
        token: line.map(|line| line.token),
        code: Some(draft.spec.code_at(now)),
        remarks: draft.remarks.iter().map(ToString::to_string).collect(),
    }
}
