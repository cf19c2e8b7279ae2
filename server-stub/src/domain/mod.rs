//! The rules. Nothing here reads a clock or opens a connection; what must hold across processes is decided by the
//! statements of [`crate::store`], which these functions name.

pub mod app_key;
pub mod audit;
pub mod judge;
pub mod links;
pub mod login;
pub mod network;
pub mod notices;
pub mod policy;
pub mod registration;
pub mod scope;
pub mod second_factor;
pub mod shown;
pub mod texts;
pub mod users;
pub mod verification;
