//! The table of formats that are written.

use std::collections::HashMap;

use rand_core::CryptoRng;

use super::{
    Entry, ExportError, Lock, Part, Reason, aegis, bitwarden_authenticator, google, html, stratum, two_fas, uris, uuid,
};
use crate::{secret::SecretText, token::Token};

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

    /// Why the app cannot make a token's codes; `None` where it can.
    fn refuses(_: &Token) -> Option<Reason> {
        None
    }

    /// Writes the file.
    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError>;
}

/// A file to be written.
pub(super) struct Job<'a> {
    pub(super) entries: &'a [Entry<'a>],
    lock: Option<&'a Lock<'a>>,
    pub(super) rng: &'a mut dyn CryptoRng,
    /// Unix seconds.
    pub(super) now: u64,
}

impl<'a> Job<'a> {
    /// The password of an encrypted format.
    pub(super) fn password(&self, format: &'static str) -> Result<&'a SecretText, ExportError> {
        self.lock.map(|lock| lock.password).ok_or(ExportError::PasswordNeeded(format))
    }
}

/// New identifiers for the groups of a file, in the order in which they first come.
pub(super) struct GroupIds<'a> {
    ids: Vec<(&'a str, String)>,
    places: HashMap<&'a str, usize>,
}

impl<'a> GroupIds<'a> {
    pub(super) fn of(names: impl Iterator<Item = &'a &'a str>, rng: &mut dyn CryptoRng) -> Self {
        let (mut ids, mut places) = (Vec::new(), HashMap::new());
        for name in names {
            places.entry(*name).or_insert_with(|| {
                ids.push((*name, uuid(rng)));
                ids.len() - 1
            });
        }
        Self { ids, places }
    }

    pub(super) fn id(&self, name: &str) -> Option<&str> {
        self.places.get(name).map(|place| self.ids[*place].1.as_str())
    }

    /// Names and identifiers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'a str, String)> {
        self.ids.iter()
    }
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
    #[allow(clippy::type_complexity, reason = "the parts of a `Job`")]
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
        write: |entries, lock, rng, now| E::write(&mut Job { entries, lock, rng, now }),
    }
}

/// Every format, encrypted ones first.
pub static FORMATS: &[Format] = &[
    row::<aegis::Aegis<true>>(),
    row::<stratum::Stratum<true>>(),
    row::<two_fas::TwoFas<true>>(),
    row::<aegis::Aegis<false>>(),
    row::<stratum::Stratum<false>>(),
    row::<two_fas::TwoFas<false>>(),
    row::<bitwarden_authenticator::BitwardenAuthenticator>(),
    row::<google::Google>(),
    row::<uris::Uris>(),
    row::<html::Html>(),
];

/// The format of that name on the command line.
pub fn format(id: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.id.eq_ignore_ascii_case(id))
}
