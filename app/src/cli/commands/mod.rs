//! The commands, a theme a file.

pub(crate) mod add;
pub(crate) mod backup;
pub(crate) mod code;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod qr;
pub(crate) mod server;
pub(crate) mod unreadable;
pub(crate) mod vault;
pub(crate) mod verify;
