//! Core through its public doors.

#[cfg(feature = "vault")]
mod backup;
mod codes;
#[cfg(all(feature = "qr", feature = "vault"))]
mod corpus;
#[cfg(feature = "vault")]
mod decrypt;
#[cfg(all(feature = "qr", feature = "vault"))]
mod importers;
#[cfg(all(feature = "qr", feature = "vault"))]
mod intake;
mod matching;
mod migration;
#[cfg(feature = "qr")]
mod qr;
#[cfg(feature = "vault")]
mod store;
#[cfg(all(feature = "qr", feature = "vault"))]
mod transfer;
mod uri;
#[cfg(feature = "vault")]
mod vault;
