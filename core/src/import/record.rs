//! What a file holds, record by record.

use super::{
    ImportError, MAX_TOKENS,
    json::{self, Object},
};
use crate::{
    secret::SecretText,
    token::{InvalidDigits, InvalidPeriod, MAX_TEXT_BYTES, SecretError, TokenSpec, UnknownAlgorithm},
    uri::{Parsed, Part, UriError, Warning, migration::EntryProblem},
    vault::content::Flaw,
};

/// What a file holds.
#[derive(Debug)]
pub struct Source {
    /// The name of its format, as [`super::Format::name`] has it.
    pub format: &'static str,
    /// One for each record of the file that is or should be a token, in their order.
    pub records: Vec<Record>,
    /// Records of the file that hold no token by their nature: logins without one, notes, cards.
    pub without_token: usize,
    /// Parts of a Google export that are missing, of how many.
    pub missing_parts: Option<(u32, u32)>,
    budget: Budget,
}

/// What a source may hold beside its tokens, so that a small file never becomes a large one.
#[derive(Debug, Default)]
struct Budget {
    unread_bytes: usize,
    group_bytes: usize,
    /// Why it is too much.
    exceeded: Option<Exceeded>,
}

#[derive(Clone, Copy, Debug)]
enum Exceeded {
    Tokens,
    Unread,
    Groups,
}

/// The most bytes of records that are kept unreadable. A vault is no place for a file that is none.
const MAX_UNREAD_BYTES: usize = 8 * 1024 * 1024;
/// The most bytes of the names of groups, as often as tokens have them.
const MAX_GROUP_BYTES: usize = 8 * 1024 * 1024;
/// The most groups of one token.
pub(super) const MAX_GROUPS: usize = 100;

impl Source {
    pub(super) fn new(format: &'static str) -> Self {
        Self { format, records: Vec::new(), without_token: 0, missing_parts: None, budget: Budget::default() }
    }

    /// Why there is more in the file than in any export; nothing was taken from then on.
    pub(super) fn exceeded(&self) -> Option<ImportError> {
        let damaged = |what| ImportError::damaged(self.format, what);
        self.budget.exceeded.map(|exceeded| match exceeded {
            Exceeded::Tokens => ImportError::TooManyTokens,
            Exceeded::Unread => damaged("more than 8 MiB of its records cannot be read"),
            Exceeded::Groups => damaged("it has more groups, or longer names of them, than any export"),
        })
    }

    /// How many records the file has itself: `records` and `without_token` together.
    pub fn count(&self) -> usize {
        self.records.len() + self.without_token
    }

    pub(super) fn push(&mut self, name: impl Into<String>, draft: Result<Draft, Problem>, raw: &str) {
        let name = name.into();
        match &draft {
            Ok(draft) => self.budget.admit_groups(&draft.groups),
            Err(_) => self.budget.admit_unread(name.len() + raw.len()),
        }
        if self.records.len() == MAX_TOKENS {
            self.budget.exceeded = Some(Exceeded::Tokens);
        }
        if self.budget.exceeded.is_some() {
            return;
        }
        let outcome = match draft {
            Ok(draft) => Outcome::Token(Box::new(draft)),
            Err(problem) => Outcome::Unreadable(Unread { problem, raw: SecretText::new(raw.to_owned()) }),
        };
        self.records.push(Record { name, outcome });
    }

    /// Takes a record that should be an object.
    pub(super) fn push_object(
        &mut self,
        raw: &str,
        name: impl FnOnce(&Object<'_>) -> String,
        draft: impl FnOnce(&Object<'_>) -> Result<Draft, Problem>,
    ) {
        match json::record(raw) {
            Ok(object) => self.push(name(&object), draft(&object), raw),
            Err(problem) => self.push("", Err(problem), raw),
        }
    }
}

impl Budget {
    fn admit_groups(&mut self, groups: &[String]) {
        self.group_bytes += groups.iter().map(String::len).sum::<usize>();
        let is_long = groups.iter().any(|name| name.len() > MAX_TEXT_BYTES);
        if is_long || groups.len() > MAX_GROUPS || self.group_bytes > MAX_GROUP_BYTES {
            self.exceeded = Some(Exceeded::Groups);
        }
    }

    fn admit_unread(&mut self, bytes: usize) {
        self.unread_bytes += bytes;
        if self.unread_bytes > MAX_UNREAD_BYTES {
            self.exceeded = Some(Exceeded::Unread);
        }
    }
}

/// One record of a file.
#[derive(Debug)]
pub struct Record {
    /// What it is called there.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a record.
#[derive(Debug)]
pub enum Outcome {
    /// A token.
    Token(Box<Draft>),
    /// It could not be read; the vault keeps it as it is.
    Unreadable(Unread),
}

/// A record that could not be read.
#[derive(Debug)]
pub struct Unread {
    /// Why.
    pub problem: Problem,
    /// The record as it stands in the file, decrypted.
    pub raw: SecretText,
}

/// A token as the other app had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its name and how its codes are made.
    pub spec: TokenSpec,
    /// The names of the groups (tags, folders, categories) that it is in.
    pub groups: Vec<String>,
    /// The note.
    pub note: String,
    /// Whether it is a favourite (pinned).
    pub favourite: bool,
    /// How often it was used, where the app counts.
    pub use_count: u64,
    /// What was unusual or repaired.
    pub remarks: Vec<Remark>,
}

impl Draft {
    pub(super) fn new(spec: TokenSpec) -> Self {
        Self { spec, groups: Vec::new(), note: String::new(), favourite: false, use_count: 0, remarks: Vec::new() }
    }

    /// Reads a link.
    pub(super) fn from_uri(text: &str) -> Result<Self, Problem> {
        crate::uri::parse(text.trim()).map(Self::from).map_err(Problem::Uri)
    }

    /// Whether something had to be assumed or put right.
    pub fn is_repaired(&self) -> bool {
        self.remarks.iter().any(Remark::is_repair)
    }

    pub(super) fn remark(&mut self, remark: Remark) {
        self.remarks.push(remark);
    }
}

impl From<Parsed> for Draft {
    fn from(parsed: Parsed) -> Self {
        let remarks = parsed.warnings.into_iter().map(Remark::Link).collect();
        Self { remarks, ..Self::new(parsed.spec) }
    }
}

/// What a person should know of a token that was read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Remark {
    /// What was unusual in its link.
    #[error(transparent)]
    Link(Warning),
    /// A value is missing, and the usual one was taken.
    #[error("the {part} is missing and was taken as {taken}")]
    Assumed {
        /// Which.
        part: Part,
        /// What was taken.
        taken: String,
    },
    /// A value that its own app could not have used was put right.
    #[error("the {part} {found:?} was taken as {taken}")]
    Replaced {
        /// Which.
        part: Part,
        /// What was there.
        found: String,
        /// What was taken.
        taken: String,
    },
    /// The token was in the other app's trash.
    #[error("it was in the trash of the other app")]
    Trashed,
    /// The other app keeps no algorithm and period in this file.
    #[error("the file does not say the algorithm and the period: compare the first code with the other app")]
    Unsaid,
}

impl Remark {
    /// Whether something was assumed or put right, and not only noted.
    pub fn is_repair(&self) -> bool {
        match self {
            Self::Assumed { .. } | Self::Replaced { .. } => true,
            Self::Link(warning) => matches!(
                warning,
                Warning::CounterMissing
                    | Warning::Duplicate(_)
                    | Warning::Empty(_)
                    | Warning::BadPercent(_)
                    | Warning::RawHash
                    | Warning::TypeMissing
            ),
            Self::Trashed | Self::Unsaid => false,
        }
    }
}

/// Why a record could not be read. The text holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Its link is wrong.
    #[error(transparent)]
    Uri(UriError),
    /// An entry of a Google export is wrong.
    #[error(transparent)]
    Entry(EntryProblem),
    /// Something else than a link stands there.
    #[error("{0}")]
    Line(String),
    /// It was kept unreadable before, for that reason.
    #[error("{0}")]
    Kept(String, Option<Flaw>),
    /// A field is missing.
    #[error("the field {0:?} is missing")]
    Missing(&'static str),
    /// A field has another type than it should.
    #[error("the field {0:?} is not what it should be")]
    Malformed(&'static str),
    /// The record has not the shape of a record.
    #[error("it is no record of this format")]
    Shape,
    /// The secret is none.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The algorithm is unknown, or makes no codes here.
    #[error(transparent)]
    Algorithm(#[from] UnknownAlgorithm),
    /// The digits are outside 1 to 12.
    #[error(transparent)]
    Digits(#[from] InvalidDigits),
    /// The period is outside 1 to 2^32 - 1.
    #[error(transparent)]
    Period(#[from] InvalidPeriod),
    /// The type makes no codes here.
    #[error("tokens of the type {0:?} cannot be used here")]
    Kind(String),
    /// The record is encrypted apart from the file, and did not open.
    #[error("it could not be decrypted")]
    Sealed,
    /// A list has more items than [`super::MAX_RECORDS`].
    #[error("it has more than {max} items", max = super::MAX_RECORDS)]
    TooMany,
    /// A name or note is longer than any is.
    #[error("its {0} is longer than {max} bytes", max = MAX_TEXT_BYTES)]
    TooLong(&'static str),
}

impl Problem {
    /// The same for whoever says it in another language; `None` where it is not known.
    pub fn flaw(&self) -> Option<Flaw> {
        Some(match self {
            Self::Uri(error) => of_link(error),
            Self::Entry(problem) => of_entry(problem),
            Self::Line(_) => Flaw::Link,
            Self::Kept(_, flaw) => return flaw.clone(),
            Self::Missing(field) => Flaw::Missing((*field).to_owned()),
            Self::Malformed(field) => Flaw::Malformed((*field).to_owned()),
            Self::Shape => Flaw::Shape,
            Self::Secret(error) => of_secret(error),
            Self::Algorithm(_) => Flaw::Algorithm,
            Self::Digits(_) => Flaw::Digits,
            Self::Period(_) => Flaw::Period,
            Self::Kind(kind) => Flaw::Kind(kind.clone()),
            Self::Sealed => Flaw::Sealed,
            Self::TooMany => Flaw::TooMany,
            Self::TooLong(_) => Flaw::TooLong,
        })
    }
}

fn of_secret(error: &SecretError) -> Flaw {
    match *error {
        SecretError::Character { position, character, .. } => Flaw::Character(position, character),
        _ => Flaw::Secret,
    }
}

fn of_link(error: &UriError) -> Flaw {
    match error {
        UriError::SecretMissing | UriError::YandexSecret(_) => Flaw::Secret,
        UriError::Secret(error) => of_secret(error),
        UriError::TypeMissing => Flaw::Missing("type".to_owned()),
        UriError::Type(Some(kind)) => Flaw::Kind(kind.clone()),
        UriError::Algorithm(_) => Flaw::Algorithm,
        UriError::Digits(_) => Flaw::Digits,
        UriError::Period(_) => Flaw::Period,
        UriError::Number { part, .. } => Flaw::Malformed(part.to_string()),
        UriError::Encoder(_) => Flaw::Malformed(Part::Encoder.to_string()),
        UriError::Pin => Flaw::Malformed(Part::Pin.to_string()),
        UriError::TooLong(_) => Flaw::TooLong,
        _ => Flaw::Link,
    }
}

fn of_entry(problem: &EntryProblem) -> Flaw {
    match problem {
        EntryProblem::Damaged => Flaw::Shape,
        EntryProblem::Secret(error) => of_secret(error),
        EntryProblem::Md5 | EntryProblem::Algorithm(_) => Flaw::Algorithm,
        EntryProblem::Digits(_) => Flaw::Malformed(Part::Digits.to_string()),
        EntryProblem::Type(_) => Flaw::Malformed("type".to_owned()),
        EntryProblem::Counter(_) => Flaw::Malformed(Part::Counter.to_string()),
        EntryProblem::TooLong => Flaw::TooLong,
    }
}
