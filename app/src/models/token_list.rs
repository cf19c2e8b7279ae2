//! The rows of the list. A code is worked out when a row is asked for, and only rows on the screen are.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use countersign_core::{otp::CodeError, token::Token};
use countersign_ui::{CodeState, TokenRow};
use slint::{Model, ModelNotify, ModelTracker};

use super::rows::{badge, colour, initial};
use crate::controllers::tokens::{Shown, TokensController};

/// A model over the vault, filtered by a query.
pub struct TokenListModel {
    tokens: Rc<TokensController>,
    /// Positions in the vault of the rows.
    positions: RefCell<Vec<usize>>,
    query: RefCell<String>,
    /// The moment from which rows count their seconds, in Unix seconds: their numbers are too short for all of them.
    base: Cell<u64>,
    /// When the codes of rows that were asked for run out, by row.
    ends: RefCell<HashMap<usize, u64>>,
    last_tick: Cell<u64>,
    notify: ModelNotify,
}

impl TokenListModel {
    /// An empty list; [`TokenListModel::refresh`] fills it.
    pub fn new(tokens: Rc<TokensController>) -> Self {
        let now = tokens.now();
        Self {
            tokens,
            positions: RefCell::default(),
            query: RefCell::default(),
            base: Cell::new(now),
            ends: RefCell::default(),
            last_tick: Cell::new(now),
            notify: ModelNotify::default(),
        }
    }

    /// Shows what matches `query`.
    pub fn search(&self, query: &str) {
        *self.query.borrow_mut() = query.to_owned();
        self.refresh();
    }

    /// Looks again which tokens there are. One reset, however many rows change.
    pub fn refresh(&self) {
        *self.positions.borrow_mut() = self.tokens.matching(&self.query.borrow());
        self.ends.borrow_mut().clear();
        self.notify.reset();
    }

    /// Shows nothing, and searches nothing.
    pub fn clear(&self) {
        self.query.borrow_mut().clear();
        self.refresh();
    }

    /// Renews the rows whose code ran out, and no other.
    pub fn tick(&self) {
        let now = self.tokens.now();
        let back = now < self.last_tick.replace(now);
        let over: Vec<usize> = {
            let mut ends = self.ends.borrow_mut();
            let over: Vec<usize> = ends.iter().filter(|(_, end)| back || **end <= now).map(|(row, _)| *row).collect();
            over.iter().for_each(|row| _ = ends.remove(row));
            over
        };
        over.into_iter().for_each(|row| self.notify.row_changed(row));
    }

    /// The seconds of the rows' clock.
    pub fn seconds(&self, unix: u64) -> i32 {
        i32::try_from(unix as i64 - self.base.get() as i64).unwrap_or(i32::MAX)
    }

    /// The row of a token, where it is shown.
    pub fn row_of(&self, id: &str) -> Option<usize> {
        let content = self.tokens.content()?;
        self.positions.borrow().iter().position(|&at| content.tokens()[at].id.to_string() == id)
    }

    /// A row again, because what it shows changed.
    pub fn renew(&self, id: &str) {
        if let Some(row) = self.row_of(id) {
            self.notify.row_changed(row);
        }
    }

    /// The row that shows a token at `now`.
    pub fn row(&self, token: &Token, now: u64) -> TokenRow {
        let spec = &token.spec;
        let (title, account) =
            if spec.issuer.is_empty() { (&spec.account, "") } else { (&spec.issuer, spec.account.as_str()) };
        let mut row = TokenRow {
            id: token.id.to_string().into(),
            title: title.into(),
            account: account.into(),
            letter: initial(title).into(),
            colour: colour(title),
            badge: badge(spec.kind.name()).into(),
            favourite: token.favourite,
            counter: spec.kind.counter().map(|n| n.to_string()).unwrap_or_default().into(),
            ..TokenRow::default()
        };
        match self.tokens.shown(token, now) {
            Shown::Live(code) => {
                row.code = code.grouped().expose().into();
                if let Some(stands) = code.stands() {
                    row.until = self.seconds(stands.until);
                    row.period = i32::try_from(stands.until - stands.from).unwrap_or(i32::MAX);
                }
            }
            Shown::Counter(code) => {
                row.code = code.grouped().expose().into();
                row.state = CodeState::CounterShown;
            }
            Shown::CounterWaiting => row.state = CodeState::CounterWaiting,
            Shown::Failed(CodeError::PinMissing) => row.state = CodeState::PinMissing,
            Shown::Failed(_) => row.state = CodeState::WrongSecret,
        }
        row
    }
}

impl Model for TokenListModel {
    type Data = TokenRow;

    fn row_count(&self) -> usize {
        self.positions.borrow().len()
    }

    fn row_data(&self, row: usize) -> Option<TokenRow> {
        let position = *self.positions.borrow().get(row)?;
        let content = self.tokens.content()?;
        let token = content.tokens().get(position)?;
        let now = self.tokens.now();
        if let Some(period) = token.spec.kind.period() {
            let period = period.seconds();
            self.ends.borrow_mut().insert(row, (now / period + 1) * period);
        }
        Some(self.row(token, now))
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
