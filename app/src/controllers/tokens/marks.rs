//! Several tokens chosen at once.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
};

use countersign_core::token::TokenId;

use super::Place;

/// The tokens that are marked, while tokens are being marked.
#[derive(Default)]
pub struct Marks {
    marked: RefCell<HashSet<TokenId>>,
    active: Cell<bool>,
    /// Where a range begins: the token that was marked last by itself.
    anchor: Cell<Option<TokenId>>,
}

impl Marks {
    /// Whether tokens are being marked.
    pub fn active(&self) -> bool {
        self.active.get()
    }

    /// Whether a token is marked.
    pub fn has(&self, id: TokenId) -> bool {
        self.marked.borrow().contains(&id)
    }

    /// The marked tokens.
    pub fn all(&self) -> HashSet<TokenId> {
        self.marked.borrow().clone()
    }

    /// How many are marked.
    pub fn count(&self) -> usize {
        self.marked.borrow().len()
    }

    /// Begins to mark.
    pub fn begin(&self) {
        self.active.set(true);
    }

    /// Marks a token, or no longer.
    pub fn toggle(&self, id: TokenId) {
        self.begin();
        let mut marked = self.marked.borrow_mut();
        if !marked.remove(&id) {
            marked.insert(id);
        }
        self.anchor.set(Some(id));
    }

    /// Marks what is shown from the last marked token, or from `current`, to this one.
    pub fn extend(&self, id: TokenId, current: Option<TokenId>, shown: &[Place]) {
        self.begin();
        let row = |id: TokenId| shown.iter().position(|place| place.id == id);
        let from = self.anchor.get().and_then(row).or_else(|| current.and_then(row));
        let (Some(to), from) = (row(id), from) else { return };
        let from = from.unwrap_or(to);
        self.anchor.set(shown.get(from).map(|place| place.id));
        let range = &shown[from.min(to)..=from.max(to)];
        self.marked.borrow_mut().extend(range.iter().map(|place| place.id));
    }

    /// Marks everything that is shown.
    pub fn mark_all(&self, shown: &[Place]) {
        self.begin();
        self.marked.borrow_mut().extend(shown.iter().map(|place| place.id));
    }

    /// Keeps only marks on what is shown: what is done to them must not surprise.
    pub fn keep(&self, shown: &[Place]) {
        if self.marked.borrow().is_empty() {
            return;
        }
        let shown: HashSet<TokenId> = shown.iter().map(|place| place.id).collect();
        self.marked.borrow_mut().retain(|id| shown.contains(id));
    }

    /// Marks nothing.
    pub fn clear(&self) {
        self.active.set(false);
        self.anchor.set(None);
        self.marked.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> TokenId {
        TokenId::from_random([n; 16])
    }

    fn shown() -> Vec<Place> {
        (1..=6).map(|n| Place { at: usize::from(n), id: id(n) }).collect()
    }

    fn marked(marks: &Marks) -> Vec<u8> {
        (1..=9).filter(|n| marks.has(id(*n))).collect()
    }

    #[test]
    fn a_range_goes_from_the_last_mark_in_both_directions() {
        let marks = Marks::default();
        marks.toggle(id(3));
        marks.extend(id(5), None, &shown());
        assert_eq!(marked(&marks), [3, 4, 5]);
        marks.extend(id(2), None, &shown());
        assert_eq!(marked(&marks), [2, 3, 4, 5]);
        marks.toggle(id(4));
        assert_eq!((marked(&marks), marks.count()), (vec![2, 3, 5], 3));
    }

    #[test]
    fn the_first_range_begins_where_the_keyboard_stands() {
        let marks = Marks::default();
        marks.extend(id(4), Some(id(2)), &shown());
        assert_eq!(marked(&marks), [2, 3, 4]);
        marks.clear();
        assert!(!marks.active());
        marks.extend(id(4), None, &shown());
        assert_eq!(marked(&marks), [4]);
        marks.extend(id(9), None, &shown());
        assert_eq!(marked(&marks), [4], "what is not shown is not marked");
    }

    #[test]
    fn what_is_no_longer_shown_is_no_longer_marked() {
        let marks = Marks::default();
        marks.mark_all(&shown());
        marks.keep(&shown()[..2]);
        assert!(marks.active());
        assert_eq!(marked(&marks), [1, 2]);
    }
}
