//! Files of other apps: their tokens, and what could not be read, counted so that nothing gets lost on the way.
//!
//! A file goes through [`read`] and becomes a [`Source`], one [`Record`] for each record of the file. [`Plan`] compares
//! it with a vault, and [`Source::merge_into`] adds it as one import that can be taken back.

mod aegis;
mod again;
mod andotp;
mod archive;
mod authenticator_plus;
mod authy;
mod battle_net;
mod bitwarden;
mod bitwarden_authenticator;
mod countersign;
mod crypt;
mod databases;
mod duo;
mod ente;
mod error;
mod freeotp;
mod html;
mod input;
mod java;
mod json;
mod kdf;
mod keepass;
mod lastpass;
mod otpclient;
mod plan;
mod prefs;
mod privacyidea;
mod proton;
mod raivo;
mod record;
mod rows;
mod sqlite;
mod steam;
mod stratum;
mod table;
mod text;
mod totp_authenticator;
mod two_fas;
mod uris;
mod winauth;

pub use again::read_again;
pub use error::ImportError;
pub use plan::{Counts, Fate, Line, Plan};
pub use record::{Draft, Outcome, Problem, Record, Remark, Source, Unread};
pub use table::{FORMATS, Format, PasswordUse, Recognised, detect, format, read, read_with_key_file};

use crate::secret::SecretText;

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 64 * 1024 * 1024;
/// The most records that a file may have, those without a token among them.
pub const MAX_RECORDS: usize = 100_000;
/// The most tokens that are taken from one file, those that cannot be read among them.
pub const MAX_TOKENS: usize = 20_000;

/// What opens an encrypted file, and what it may cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlock<'a> {
    /// The password as it was typed. Other apps do not prepare it, so it is taken byte for byte.
    pub password: Option<&'a SecretText>,
    /// Whether a person agreed to a key derivation that takes more than [`ASK_KDF_BYTES`].
    pub allow_costly: bool,
}

/// A key derivation that takes more memory than this, in bytes, is asked about first.
pub const ASK_KDF_BYTES: u64 = 256 * 1024 * 1024;
/// A key derivation that takes more memory than this, in bytes, is refused.
pub const MAX_KDF_BYTES: u64 = 1024 * 1024 * 1024;
