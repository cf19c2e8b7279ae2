//! The lines of a ledger. Codes are worked out for the lines on the screen only.

use std::{cell::Cell, cell::RefCell, collections::BTreeMap, rc::Rc};

use countersign_core::token::TokenSpec;
use countersign_ui::{LedgerCounts, LedgerPart, LedgerRemark, LedgerRow, Verdict};
use slint::{Model, ModelNotify, ModelRc, ModelTracker};

use super::{number, rows::Looks, token_list::spoken};

/// What comes in, entry by entry.
pub trait Entries {
    /// How many there are.
    fn count(&self) -> usize;

    /// How many meet which fate.
    fn counts(&self) -> LedgerCounts;

    /// Shows one of them.
    fn show(&self, at: usize, to: &mut dyn FnMut(Entry<'_>));
}

/// An entry of what comes in.
pub struct Entry<'a> {
    /// What happens to it.
    pub verdict: Verdict,
    /// What it is called where it comes from; shown where it is no token.
    pub name: &'a str,
    /// The token, and the name of its icon.
    pub token: Option<(&'a TokenSpec, Option<&'a str>)>,
    /// The token here that has its name, where they conflict.
    pub here: Option<&'a TokenSpec>,
    /// The first thing to know of it.
    pub remark: Option<RemarkRow>,
    /// How many more there are.
    pub more: usize,
}

/// A remark in the window's words.
#[derive(Clone, Debug, PartialEq)]
pub struct RemarkRow {
    /// What it says.
    pub remark: LedgerRemark,
    /// What it is about.
    pub part: LedgerPart,
    /// What was there.
    pub found: String,
    /// What was taken.
    pub taken: String,
}

/// A ledger for the window.
pub struct LedgerModel {
    entries: Rc<dyn Entries>,
    now: Cell<u64>,
    /// Until when the codes stand that were handed out.
    until: RefCell<BTreeMap<usize, u64>>,
    looks: Looks,
    notify: ModelNotify,
}

impl LedgerModel {
    /// Over what comes in, with the codes of `now`.
    pub fn new(entries: Rc<dyn Entries>, now: u64) -> Self {
        Self {
            entries,
            now: Cell::new(now),
            until: RefCell::default(),
            looks: Looks::default(),
            notify: ModelNotify::default(),
        }
    }

    /// The counts.
    pub fn counts(&self) -> LedgerCounts {
        self.entries.counts()
    }

    /// Renews the codes that ran out, where those rows are a ledger's.
    pub fn tick_shown(rows: &ModelRc<LedgerRow>, now: u64) {
        if let Some(ledger) = rows.as_any().downcast_ref::<Self>() {
            ledger.tick(now);
        }
    }

    fn tick(&self, now: u64) {
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

    fn row(&self, at: usize, entry: &Entry<'_>) -> LedgerRow {
        let mut row = LedgerRow { verdict: entry.verdict, counter: -1, ..LedgerRow::default() };
        match entry.token {
            Some((spec, icon)) => {
                let title = if spec.issuer.is_empty() { &spec.account } else { &spec.issuer };
                let counter = spec.kind.counter().filter(|_| entry.here.is_none());
                row.title = title.into();
                row.account = if spec.issuer.is_empty() { "".into() } else { spec.account.as_str().into() };
                row.look = self.looks.look(&spec.issuer, &spec.account, icon);
                let code = self.code(at, spec);
                row.spoken = spoken(&code).into();
                row.code = code.into();
                row.counter = counter.map_or(-1, number);
            }
            None => {
                row.title = entry.name.into();
                row.look = self.looks.look(entry.name, "", None);
            }
        }
        if let Some(here) = entry.here {
            let code = self.code(at, here);
            row.spoken_here = spoken(&code).into();
            row.code_here = code.into();
        }
        if let Some(remark) = &entry.remark {
            row.remark = remark.remark;
            row.remark_part = remark.part;
            row.remark_found = remark.found.as_str().into();
            row.remark_taken = remark.taken.as_str().into();
            row.more_remarks = number(entry.more);
        }
        row
    }
}

impl Model for LedgerModel {
    type Data = LedgerRow;

    fn row_count(&self) -> usize {
        self.entries.count()
    }

    fn row_data(&self, row: usize) -> Option<LedgerRow> {
        let mut data = None;
        self.entries.show(row, &mut |entry| data = Some(self.row(row, &entry)));
        data
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
