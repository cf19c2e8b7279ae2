//! Slint models over the session.

mod ledger;
mod rows;
mod token_list;

pub use ledger::{Counts, LedgerModel};
pub use rows::{Looks, badge, look, parameters};
pub use token_list::TokenListModel;
