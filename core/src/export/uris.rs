//! Links, one a line, which nearly every app reads.

use super::{
    ExportError, Part,
    table::{Exporter, Job},
};
use crate::uri;

/// A list of links.
pub(super) struct Uris;

impl Exporter for Uris {
    const ID: &'static str = "uri";
    const NAME: &'static str = "links";
    const EXTENSION: &'static str = "txt";
    const LACKS: &'static [Part] = &[Part::Groups, Part::Note, Part::Favourite];

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let mut text = Vec::new();
        for entry in job.entries {
            text.extend_from_slice(uri::write(&entry.token.spec).expose().as_bytes());
            text.push(b'\n');
        }
        Ok(text)
    }
}
