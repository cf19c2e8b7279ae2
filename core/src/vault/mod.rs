//! The encrypted vault: its file, its slots, its content, and the session that holds it open.
//!
//! The byte format is in `core/docs/vault.md`.

pub mod content;
pub mod kdf;
pub mod ledger;
pub mod session;
pub mod store;

pub use content::Content;
pub use kdf::KdfParams;
pub use session::Session;
