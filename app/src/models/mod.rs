//! Slint models over the session.

mod entries;
mod ledger;
mod rows;
mod token_list;

pub use entries::{by_a_newer_one, unread};
pub use ledger::{Entries, Entry, LedgerModel, RemarkRow};
pub use rows::{Looks, badge, look, parameters};
pub use token_list::TokenListModel;

/// A number for the window, whose numbers are short: the largest of them where it is larger.
pub fn number(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}
