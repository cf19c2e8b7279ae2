//! Slint models over the session.

mod rows;
mod token_list;

pub use rows::{badge, colour, initial, parameters};
pub use token_list::TokenListModel;
