//! The table of formats that are written.

use rand_core::CryptoRng;

use super::{
    Entry, ExportError, Lock, Part, Reason, aegis, bitwarden_authenticator, google, html, stratum, two_fas, uris,
};
use crate::token::Token;

/// Writes one app's files. Its abilities are constants, so that the table, a page and the manual list them alike.
pub(super) trait Exporter {
    /// The name on the command line.
    const ID: &'static str;
    /// The app's own name.
    const NAME: &'static str;
    /// What the file's name ends in.
    const EXTENSION: &'static str;
    /// Whether a password protects it.
    const ENCRYPTED: bool = false;
    /// Whether the app has one token for each secret.
    const ONE_PER_SECRET: bool = false;
    /// What the app cannot hold of a token whose codes it makes.
    const LACKS: &'static [Part];

    /// Why the app cannot make a token's codes.
    fn refuses(token: &Token) -> Option<Reason>;

    /// Writes the file.
    fn write(
        entries: &[Entry<'_>],
        lock: Option<&Lock<'_>>,
        rng: &mut dyn CryptoRng,
        now: u64,
    ) -> Result<Vec<u8>, ExportError>;
}

/// One format that can be written.
#[derive(Clone, Copy)]
pub struct Format {
    /// The name on the command line: `aegis`.
    pub id: &'static str,
    /// The app's own name: `Aegis`.
    pub name: &'static str,
    /// What the file's name ends in, without the dot.
    pub extension: &'static str,
    /// Whether a password protects the file. One that is not says every secret to whoever reads it.
    pub encrypted: bool,
    pub(super) one_per_secret: bool,
    pub(super) refuses: fn(&Token) -> Option<Reason>,
    pub(super) lacks: fn(&Entry<'_>) -> Vec<Part>,
    #[allow(clippy::type_complexity, reason = "the signature of `Exporter::write`")]
    pub(super) write: fn(&[Entry<'_>], Option<&Lock<'_>>, &mut dyn CryptoRng, u64) -> Result<Vec<u8>, ExportError>,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

const fn row<E: Exporter>() -> Format {
    Format {
        id: E::ID,
        name: E::NAME,
        extension: E::EXTENSION,
        encrypted: E::ENCRYPTED,
        one_per_secret: E::ONE_PER_SECRET,
        refuses: E::refuses,
        lacks: |entry| super::had(entry, E::LACKS),
        write: E::write,
    }
}

/// Every format, encrypted ones first.
pub static FORMATS: &[Format] = &[
    row::<aegis::Encrypted>(),
    row::<stratum::Encrypted>(),
    row::<aegis::Plain>(),
    row::<stratum::Plain>(),
    row::<two_fas::TwoFas>(),
    row::<bitwarden_authenticator::BitwardenAuthenticator>(),
    row::<google::Google>(),
    row::<uris::Uris>(),
    row::<html::Html>(),
];

/// The format of that name on the command line.
pub fn format(id: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.id.eq_ignore_ascii_case(id))
}
