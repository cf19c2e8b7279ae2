//! The rows of the list. A code is worked out when a row is asked for, and only rows on the screen are.

use std::{
    any::Any,
    borrow::Cow,
    cell::{Cell, Ref, RefCell},
    collections::{HashMap, HashSet},
    rc::Rc,
};

use countersign_core::{
    otp::{Code, CodeError},
    token::{Token, TokenId},
    vault::Content,
};
use countersign_ui::{CodeState, TokenRow, TokenStanding};
use slint::{Model, ModelNotify, ModelTracker};

use super::{
    number,
    rows::{Looks, badge},
};
use crate::{
    account::keep::Standing,
    controllers::tokens::{Filter, Place, Shown, TokensController},
};

/// A model over the vault, filtered by a query.
pub struct TokenListModel {
    tokens: Rc<TokensController>,
    places: RefCell<Vec<Place>>,
    query: RefCell<String>,
    filter: Cell<Filter>,
    /// The moment from which rows count their seconds, in Unix seconds: their numbers are too short for all of them.
    base: Cell<u64>,
    /// When the codes of rows that were asked for run out, by row.
    ends: RefCell<HashMap<usize, u64>>,
    last_tick: Cell<u64>,
    looks: Looks,
    notify: ModelNotify,
}

impl TokenListModel {
    /// An empty list; [`TokenListModel::refresh`] fills it.
    pub fn new(tokens: Rc<TokensController>) -> Self {
        let now = tokens.now();
        Self {
            tokens,
            places: RefCell::default(),
            query: RefCell::default(),
            filter: Cell::default(),
            base: Cell::new(now),
            ends: RefCell::default(),
            last_tick: Cell::new(now),
            looks: Looks::default(),
            notify: ModelNotify::default(),
        }
    }

    /// Shows what matches `query`.
    pub fn search(&self, query: &str) {
        *self.query.borrow_mut() = query.to_owned();
        self.refresh();
    }

    /// Shows only what the filter lets through.
    pub fn set_filter(&self, filter: Filter) {
        self.filter.set(filter);
        self.refresh();
    }

    /// What the filter lets through.
    pub fn filter(&self) -> Filter {
        self.filter.get()
    }

    /// Looks again which tokens there are, and sorts them anew. One reset, however many rows change.
    pub fn refresh(&self) {
        *self.places.borrow_mut() = self.tokens.matching(&self.query.borrow(), self.filter.get());
        self.tokens.marks.keep(&self.places.borrow());
        self.ends.borrow_mut().clear();
        self.notify.reset();
    }

    /// Looks again where the tokens of the rows are, and sorts nothing: no row moves under the pointer. Refreshes where
    /// tokens came or went.
    pub fn follow(&self) {
        let moved = {
            let Some(content) = self.tokens.content() else { return };
            let tokens = content.tokens();
            let stands = |place: &Place| tokens.get(place.at).is_some_and(|token| token.id == place.id);
            let places = self.places.borrow();
            let all = self.query.borrow().is_empty() && self.filter.get() == Filter::All;
            !places.iter().all(stands) || (all && places.len() != tokens.len())
        };
        if moved {
            self.refresh();
        }
    }

    /// Shows nothing, searches nothing, and lets everything through.
    pub fn clear(&self) {
        self.query.borrow_mut().clear();
        self.filter.set(Filter::All);
        self.looks.clear();
        self.refresh();
    }

    /// Renews the rows whose code ran out, and no other; says whether there were any.
    pub fn tick(&self) -> bool {
        let now = self.tokens.now();
        let back = now < self.last_tick.replace(now);
        let over: Vec<usize> = {
            let mut ends = self.ends.borrow_mut();
            let over: Vec<usize> = ends.iter().filter(|(_, end)| back || **end <= now).map(|(row, _)| *row).collect();
            over.iter().for_each(|row| _ = ends.remove(row));
            over
        };
        let any = !over.is_empty();
        over.into_iter().for_each(|row| self.notify.row_changed(row));
        any
    }

    /// The seconds of the rows' clock.
    pub fn seconds(&self, unix: u64) -> i32 {
        number(unix as i64 - self.base.get() as i64)
    }

    /// The tokens of the rows.
    pub fn places(&self) -> Ref<'_, Vec<Place>> {
        self.places.borrow()
    }

    /// The token of a row.
    pub fn id_at(&self, row: usize) -> Option<TokenId> {
        self.places.borrow().get(row).map(|place| place.id)
    }

    /// The row of a token, where it is shown.
    pub fn row_of(&self, id: &str) -> Option<usize> {
        let id = id.parse::<TokenId>().ok()?;
        self.places.borrow().iter().position(|place| place.id == id)
    }

    /// A row again, because what it shows changed.
    pub fn renew(&self, id: &str) {
        if let Some(row) = self.row_of(id) {
            self.notify.row_changed(row);
        }
    }

    /// The rows of these tokens again.
    pub fn renew_all(&self, ids: &HashSet<TokenId>) {
        let is_one = |(_, place): &(usize, &Place)| ids.contains(&place.id);
        let rows: Vec<usize> = self.places.borrow().iter().enumerate().filter(is_one).map(|(row, _)| row).collect();
        rows.into_iter().for_each(|row| self.notify.row_changed(row));
    }

    /// The row that shows a token at `now`.
    pub fn row(&self, token: &Token, now: u64) -> TokenRow {
        let spec = &token.spec;
        let (title, account) =
            if spec.issuer.is_empty() { (&spec.account, "") } else { (&spec.issuer, spec.account.as_str()) };
        let mut row = TokenRow {
            id: token.id.to_string().into(),
            title: in_one_line(title).as_ref().into(),
            account: in_one_line(account).as_ref().into(),
            look: self.looks.look(&spec.issuer, &spec.account, token.icon.as_deref()),
            badge: badge(spec.kind.name()).into(),
            favourite: token.favourite,
            counter: spec.kind.counter().map(|n| n.to_string()).unwrap_or_default().into(),
            marked: self.tokens.marks.has(token.id),
            twin: self.tokens.twin(token.id).unwrap_or_default().into(),
            standing: standing(self.tokens.standing(token)),
            ..TokenRow::default()
        };
        match self.tokens.shown(token, now) {
            Shown::Live(code) => {
                if let Some(stands) = code.stands() {
                    row.until = self.seconds(stands.until);
                    row.period = number(stands.until - stands.from);
                }
                if self.tokens.is_hidden(token, now) {
                    row.hidden = true;
                    row.code = dots(&code).into();
                } else {
                    show(&mut row, &code);
                    if self.tokens.shows_next() {
                        let next = token.spec.next_code_at(now).ok();
                        row.next_code = next.map(|code| code.grouped().expose().into()).unwrap_or_default();
                    }
                }
            }
            Shown::Counter(code) => {
                show(&mut row, &code);
                row.state = CodeState::CounterShown;
            }
            Shown::CounterWaiting => row.state = CodeState::CounterWaiting,
            Shown::Failed(CodeError::PinMissing) => row.state = CodeState::PinMissing,
            Shown::Failed(_) => row.state = CodeState::WrongSecret,
        }
        row
    }
}

fn standing(standing: Option<Standing>) -> TokenStanding {
    match standing {
        None => TokenStanding::None,
        Some(Standing::Here) => TokenStanding::Here,
        Some(Standing::Elsewhere) => TokenStanding::Elsewhere,
        Some(Standing::Moved(_)) => TokenStanding::Moved,
        Some(Standing::TakenBack(_)) => TokenStanding::TakenBack,
    }
}

fn show(row: &mut TokenRow, code: &Code) {
    row.code = code.grouped().expose().into();
    row.spoken = spoken(&row.code).into();
}

/// A code in groups, as it is read aloud: `4 9 2, 8 7 1`.
/// A name as a row has room for it: a break in it is a space.
fn in_one_line(name: &str) -> Cow<'_, str> {
    match name.contains(char::is_control) {
        true => Cow::Owned(name.replace(char::is_control, " ")),
        false => Cow::Borrowed(name),
    }
}

/// A code as it is said: character by character, with a pause between its groups.
pub(super) fn spoken(grouped: &str) -> String {
    let mut spoken = String::with_capacity(grouped.len() * 2);
    let mut first = true;
    for sign in grouped.chars() {
        if sign == ' ' {
            spoken.push(',');
        } else {
            if !first {
                spoken.push(' ');
            }
            spoken.push(sign);
        }
        first = false;
    }
    spoken
}

/// In the place of a code that is hidden, as long as it.
fn dots(code: &Code) -> String {
    code.grouped().expose().chars().map(|sign| if sign == ' ' { ' ' } else { '•' }).collect()
}

/// The token of a place, even where another program moved it.
fn at(content: &Content, place: Place) -> Option<&Token> {
    content.tokens().get(place.at).filter(|token| token.id == place.id).or_else(|| content.token(place.id))
}

impl Model for TokenListModel {
    type Data = TokenRow;

    fn row_count(&self) -> usize {
        self.places.borrow().len()
    }

    fn row_data(&self, row: usize) -> Option<TokenRow> {
        let place = *self.places.borrow().get(row)?;
        let content = self.tokens.content()?;
        let token = at(&content, place)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_spoken_in_its_groups() {
        assert_eq!(spoken("492 871"), "4 9 2, 8 7 1");
        assert_eq!(spoken("8F6PQ"), "8 F 6 P Q");
        assert_eq!(spoken(""), "");
    }
}
