//! A token as `list --json` prints it, and as a line of a list.

use countersign_core::{token::Token, vault::Content};
use serde::Serialize;

use super::text;
use crate::account::keep::{OwnApps, Standing};

/// One token of `list --json`. The names and their order are a contract; `null` where a value does not apply.
#[derive(Debug, Serialize)]
pub(crate) struct Record {
    id: String,
    issuer: String,
    account: String,
    kind: &'static str,
    algorithm: Option<&'static str>,
    digits: u8,
    period: Option<u64>,
    counter: Option<u64>,
    groups: Vec<String>,
    favourite: bool,
    note: String,
    /// How a token stands that a server registered: `here`, `elsewhere`, `moved` or `taken-back`.
    registered: Option<&'static str>,
}

impl Record {
    pub(crate) fn new(token: &Token, content: &Content) -> Self {
        let spec = &token.spec;
        let group = |id| content.groups().iter().find(|group| group.id == id).map(|group| group.name.clone());
        Self {
            id: token.id.to_string(),
            issuer: spec.issuer.clone(),
            account: spec.account.clone(),
            kind: spec.kind.name().name(),
            algorithm: spec.kind.algorithm().map(|algorithm| algorithm.name()),
            digits: spec.kind.digits(),
            period: spec.kind.period().map(|period| period.seconds()),
            counter: spec.kind.counter(),
            groups: token.groups.iter().copied().filter_map(group).collect(),
            favourite: token.favourite,
            note: token.note.clone(),
            registered: standing(token, content).map(|standing| match standing {
                Standing::Here => "here",
                Standing::Elsewhere => "elsewhere",
                Standing::Moved(_) => "moved",
                Standing::TakenBack(_) => "taken-back",
            }),
        }
    }
}

/// The title as a terminal may show it; a token that has none is called so.
pub(crate) fn title(token: &Token) -> String {
    let title = token.spec.title();
    if title.is_empty() { "a token without a name".into() } else { text::plain(&title) }
}

/// How a token stands that was registered. Few were, so that only for those the vault's servers are read.
fn standing(token: &Token, content: &Content) -> Option<Standing> {
    token.registration.as_ref()?;
    OwnApps::of(content).standing(token)
}

/// Why the server refuses a registered token's codes, where it does.
pub(crate) fn refused(token: &Token, content: &Content) -> Option<String> {
    let why = match standing(token, content)? {
        Standing::Here => return None,
        Standing::Elsewhere => "is not registered in this app: its server may refuse the code",
        Standing::Moved(_) => "was registered in another app since: its server refuses the code",
        Standing::TakenBack(_) => "was taken back by its server, which refuses the code",
    };
    Some(format!("{} {why}", title(token)))
}

/// Records as lines under a head: `*` for a favourite, issuer, account, kind, groups, where it is registered, id.
pub(crate) fn table(records: &[Record]) -> String {
    let head = ["", "ISSUER", "ACCOUNT", "KIND", "GROUPS", "REGISTERED", "ID"].map(String::from).to_vec();
    let rows = records.iter().map(|record| {
        vec![
            if record.favourite { "*".into() } else { String::new() },
            text::plain(&record.issuer),
            text::plain(&record.account),
            record.kind.into(),
            text::plain(&record.groups.join(", ")),
            record.registered.unwrap_or_default().into(),
            record.id.clone(),
        ]
    });
    let mut rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    // A column that nobody fills is left out.
    for column in [5, 4, 0] {
        if rows.iter().skip(1).all(|row| row[column].is_empty()) {
            rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
    }
    text::columns(&rows)
}
