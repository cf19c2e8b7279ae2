//! Core through its public doors.

mod codes;
mod matching;
mod migration;
#[cfg(feature = "qr")]
mod qr;
mod uri;
#[cfg(feature = "vault")]
mod vault;
