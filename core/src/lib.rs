//! Tokens, their codes, and the encrypted vault that keeps them.
//!
//! Nothing here opens a window, talks to a network or reads a clock: the time and the source of randomness are
//! arguments, so that every result can be repeated in a test.

pub mod matching;
pub mod otp;
pub mod secret;
pub mod token;
pub mod uri;

#[cfg(feature = "vault")]
pub mod backup;
#[cfg(all(feature = "qr", feature = "vault"))]
pub mod export;
#[cfg(all(feature = "qr", feature = "vault"))]
pub mod import;
#[cfg(all(feature = "qr", feature = "vault"))]
pub mod intake;
#[cfg(feature = "qr")]
pub mod qr;
#[cfg(feature = "vault")]
pub mod transfer;
#[cfg(feature = "vault")]
pub mod vault;
