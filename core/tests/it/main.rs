//! Core through its public doors.

mod codes;
#[cfg(feature = "qr")]
mod qr;
mod vault;
