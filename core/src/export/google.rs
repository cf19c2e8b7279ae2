//! Google Authenticator: QR codes on a page, ten tokens each.

use super::{
    ExportError, Part, Reason, html,
    table::{Exporter, Job},
};
use crate::{
    token::{Token, TokenSpec},
    uri::migration,
};

/// Google Authenticator's QR codes.
pub(super) struct Google;

impl Exporter for Google {
    const ID: &'static str = "google";
    const NAME: &'static str = "Google Authenticator (a page of QR codes)";
    const EXTENSION: &'static str = "html";
    const LACKS: &'static [Part] = &[Part::Groups, Part::Note, Part::Favourite, Part::Parameters];

    fn refuses(token: &Token) -> Option<Reason> {
        let export = migration::write(std::slice::from_ref(&token.spec), 0);
        export.left_out.first().map(|left_out| Reason::Google(left_out.reason))
    }

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let mut id = [0; 4];
        job.rng.fill_bytes(&mut id);
        let specs: Vec<TokenSpec> = job.entries.iter().map(|entry| entry.token.spec.clone()).collect();
        let export = migration::write(&specs, i32::from_be_bytes(id));
        let count = export.parts.len();
        let rows = export.parts.iter().enumerate().map(|(index, link)| html::Row {
            title: format!("Part {} of {count}", index + 1),
            detail: "In Google Authenticator: Transfer accounts, Import accounts, Scan QR code".to_owned(),
            link: link.clone(),
        });
        html::page("Google Authenticator", rows)
    }
}
