//! 2FAS: its backup, schema 4, not encrypted.

use rand_core::CryptoRng;
use serde_json::{Value, json};

use super::{Entry, ExportError, Lock, Part, Reason, table::Exporter, uuid};
use crate::token::{Digits, Kind, KindName, Token};

/// 2FAS's backup.
pub(super) struct TwoFas;

impl Exporter for TwoFas {
    const ID: &'static str = "2fas";
    const NAME: &'static str = "2FAS";
    const EXTENSION: &'static str = "2fas";
    // 2FAS drops the second token of a secret without a word.
    const ONE_PER_SECRET: bool = true;
    const LACKS: &'static [Part] = &[Part::MoreGroups, Part::Note, Part::Favourite, Part::Parameters, Part::Issuer];

    fn refuses(token: &Token) -> Option<Reason> {
        let wrong = |digits: Digits| (!(5..=8).contains(&digits.get())).then(|| digits.get());
        match &token.spec.kind {
            Kind::Motp { .. } => Some(Reason::Kind(KindName::Motp)),
            Kind::Yandex { .. } => Some(Reason::Kind(KindName::Yandex)),
            Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if wrong(*digits).is_some() => {
                Some(Reason::Digits { digits: digits.get(), allowed: "5 to 8" })
            }
            Kind::Totp { period, .. } if !matches!(period.seconds(), 10 | 30 | 60 | 90) => {
                Some(Reason::Period { seconds: period.seconds(), allowed: "10, 30, 60 and 90" })
            }
            Kind::Hotp { counter, .. } if *counter > i32::MAX as u64 => Some(Reason::Counter(*counter)),
            _ => None,
        }
    }

    fn write(
        entries: &[Entry<'_>],
        _: Option<&Lock<'_>>,
        rng: &mut dyn CryptoRng,
        now: u64,
    ) -> Result<Vec<u8>, ExportError> {
        let millis = now.saturating_mul(1000);
        let mut groups: Vec<(&str, String)> = Vec::new();
        for name in entries.iter().filter_map(|entry| entry.groups.first()) {
            if !groups.iter().any(|(known, _)| known == name) {
                groups.push((name, uuid(rng)));
            }
        }
        let services: Vec<Value> = entries
            .iter()
            .enumerate()
            .map(|(position, entry)| {
                let group = entry.groups.first().and_then(|name| groups.iter().find(|(known, _)| known == name));
                service(entry.token, group.map(|(_, id)| id.as_str()), position, millis)
            })
            .collect();
        let groups: Vec<Value> = groups
            .iter()
            .map(|(name, id)| json!({ "id": id, "name": name, "isExpanded": true, "updatedAt": millis }))
            .collect();
        let file = json!({
            "services": services, "groups": groups, "updatedAt": millis, "schemaVersion": 4,
            "appVersionCode": 5000000, "appVersionName": "5.0.0", "appOrigin": "android",
        });
        Ok(file.to_string().into_bytes())
    }
}

fn service(token: &Token, group: Option<&str>, position: usize, millis: u64) -> Value {
    let spec = &token.spec;
    let algorithm = spec.kind.algorithm().map_or("SHA1", |algorithm| algorithm.name());
    let (issuer, account) = super::with_issuer(spec);
    let mut otp = json!({
        "label": account, "account": account, "issuer": issuer, "digits": spec.kind.digits(),
        "algorithm": algorithm, "source": "Manual",
        "tokenType": match spec.kind.name() {
            KindName::Hotp => "HOTP",
            KindName::Steam => "STEAM",
            _ => "TOTP",
        },
    });
    match &spec.kind {
        Kind::Hotp { counter, .. } => otp["counter"] = (*counter).into(),
        kind => otp["period"] = kind.period().map_or(30, |period| period.seconds()).into(),
    }
    let secret = spec.secret.base32();
    json!({
        "name": issuer, "secret": secret.expose(), "updatedAt": millis, "otp": otp, "groupId": group,
        "order": { "position": position },
    })
}
