//! Bitwarden Authenticator: its export, which is never encrypted.

use serde_json::{Value, json};

use super::{
    ExportError, Part, Reason,
    table::{Exporter, Job},
    uuid,
};
use crate::{
    token::{Kind, Token},
    uri,
};

/// Bitwarden Authenticator's export.
pub(super) struct BitwardenAuthenticator;

impl Exporter for BitwardenAuthenticator {
    const ID: &'static str = "bitwarden-authenticator";
    const NAME: &'static str = "Bitwarden Authenticator";
    const EXTENSION: &'static str = "json";
    const LACKS: &'static [Part] = &[Part::Groups, Part::Note];

    fn refuses(token: &Token) -> Option<Reason> {
        match &token.spec.kind {
            Kind::Totp { digits, .. } if digits.get() > 10 => {
                Some(Reason::Digits { digits: digits.get(), allowed: "1 to 10" })
            }
            Kind::Totp { .. } | Kind::Steam => None,
            kind => Some(Reason::Kind(kind.name())),
        }
    }

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let items: Vec<Value> = job
            .entries
            .iter()
            .map(|entry| {
                let spec = &entry.token.spec;
                let link = match spec.kind {
                    Kind::Steam => format!("steam://{}", spec.secret.base32().expose()),
                    _ => uri::write(spec).expose().to_owned(),
                };
                json!({
                    "id": uuid(job.rng), "name": spec.issuer, "folderId": null, "organizationId": null,
                    "collectionIds": null, "notes": null, "type": 1, "favorite": entry.token.favourite,
                    "login": { "username": spec.account, "totp": link },
                })
            })
            .collect();
        Ok(json!({ "encrypted": false, "items": items }).to_string().into_bytes())
    }
}
