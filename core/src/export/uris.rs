//! Links, one a line, which nearly every app reads.

use rand_core::CryptoRng;

use super::{Entry, ExportError, Lock, Part, Reason, table::Exporter};
use crate::{token::Token, uri};

/// A list of links.
pub(super) struct Uris;

impl Exporter for Uris {
    const ID: &'static str = "uri";
    const NAME: &'static str = "links";
    const EXTENSION: &'static str = "txt";
    const LACKS: &'static [Part] = &[Part::Groups, Part::Note, Part::Favourite];

    fn refuses(_: &Token) -> Option<Reason> {
        None
    }

    fn write(
        entries: &[Entry<'_>],
        _: Option<&Lock<'_>>,
        _: &mut dyn CryptoRng,
        _: u64,
    ) -> Result<Vec<u8>, ExportError> {
        let mut text = Vec::new();
        for entry in entries {
            text.extend_from_slice(uri::write(&entry.token.spec).expose().as_bytes());
            text.push(b'\n');
        }
        Ok(text)
    }
}
