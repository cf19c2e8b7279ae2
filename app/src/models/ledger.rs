//! The lines of a backup's ledger. Codes are worked out for the lines on the screen only.

use std::{cell::Cell, cell::RefCell, collections::BTreeMap, rc::Rc};

use countersign_core::{token::TokenSpec, vault::ledger};
use countersign_ui::{LedgerRow, Verdict};
use slint::{Model, ModelNotify, ModelTracker};

use super::rows::Looks;
use crate::controllers::backup::restore::RestoreController;

/// The ledger of what was opened: its tokens, then the entries that cannot be read.
pub struct LedgerModel {
    restore: Rc<RestoreController>,
    now: Cell<u64>,
    /// Until when the codes stand that were handed out.
    until: RefCell<BTreeMap<usize, u64>>,
    looks: Looks,
    notify: ModelNotify,
}

/// How many entries meet which fate; together they are all entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New ones.
    pub new: usize,
    /// Those that are there already.
    pub already_here: usize,
    /// New ones that have the name of a token that is there.
    pub conflicts: usize,
    /// Those that cannot be read.
    pub unreadable: usize,
}

impl LedgerModel {
    /// Over what was opened, with the codes of `now`.
    pub fn new(restore: Rc<RestoreController>, now: u64) -> Self {
        Self {
            restore,
            now: Cell::new(now),
            until: RefCell::default(),
            looks: Looks::default(),
            notify: ModelNotify::default(),
        }
    }

    /// The counts.
    pub fn counts(&self) -> Counts {
        let Some(opened) = self.restore.opened() else { return Counts::default() };
        let (source, ledger) = &*opened;
        let mut counts = Counts { unreadable: source.unreadable().len(), ..Counts::default() };
        for line in &ledger.lines {
            match line.verdict {
                ledger::Verdict::AlreadyThere(_) => counts.already_here += 1,
                ledger::Verdict::Differs(_) => counts.conflicts += 1,
                _ => counts.new += 1,
            }
        }
        counts
    }

    /// Renews the codes that ran out.
    pub fn tick(&self, now: u64) {
        self.now.set(now);
        let mut until = self.until.borrow_mut();
        let over: Vec<usize> = until.iter().filter(|(_, until)| **until <= now).map(|(row, _)| *row).collect();
        until.retain(|_, until| *until > now);
        // The rows are asked for again at once, and tell anew until when they stand.
        drop(until);
        over.into_iter().for_each(|row| self.notify.row_changed(row));
    }

    fn code(&self, row: usize, spec: &TokenSpec) -> String {
        let Ok(code) = spec.code_at(self.now.get()) else { return String::new() };
        if let Some(stands) = code.stands() {
            let mut until = self.until.borrow_mut();
            let earliest = until.get(&row).map_or(stands.until, |known| stands.until.min(*known));
            until.insert(row, earliest);
        }
        code.grouped().expose().to_owned()
    }
}

impl Model for LedgerModel {
    type Data = LedgerRow;

    fn row_count(&self) -> usize {
        self.restore.opened().map_or(0, |opened| opened.1.lines.len() + opened.0.unreadable().len())
    }

    fn row_data(&self, row: usize) -> Option<LedgerRow> {
        let opened = self.restore.opened()?;
        let (source, ledger) = &*opened;
        let Some(line) = ledger.lines.get(row) else {
            let unreadable = source.unreadable().get(row - ledger.lines.len())?;
            return Some(LedgerRow {
                verdict: Verdict::Unreadable,
                title: unreadable.name.as_str().into(),
                look: self.looks.look(&unreadable.name, "", None),
                counter: -1,
                ..LedgerRow::default()
            });
        };
        let spec = &line.token.spec;
        let (verdict, here) = match &line.verdict {
            ledger::Verdict::AlreadyThere(_) => (Verdict::AlreadyHere, None),
            ledger::Verdict::Differs(id) => (Verdict::Conflict, Some(*id)),
            _ => (Verdict::New, None),
        };
        let code_here = here.and_then(|id| {
            let vault = self.restore.vault()?;
            // A record may also differ from an earlier one of the same backup.
            let earlier = || ledger.lines.iter().map(|line| &line.token).find(|token| token.id == id);
            let token = vault.token(id).or_else(earlier)?;
            Some(self.code(row, &token.spec))
        });
        let counter = spec.kind.counter().filter(|_| here.is_none());
        let title = if spec.issuer.is_empty() { &spec.account } else { &spec.issuer };
        Some(LedgerRow {
            verdict,
            title: title.into(),
            account: if spec.issuer.is_empty() { "".into() } else { spec.account.as_str().into() },
            look: self.looks.look(&spec.issuer, &spec.account, line.token.icon.as_deref()),
            code: self.code(row, spec).into(),
            counter: counter.map_or(-1, |counter| i32::try_from(counter).unwrap_or(i32::MAX)),
            code_here: code_here.unwrap_or_default().into(),
        })
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
