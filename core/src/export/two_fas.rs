//! 2FAS: its backup, schema 4, plain or encrypted.

use data_encoding::BASE64;
use rand_core::CryptoRng;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    ExportError, Part, Reason,
    table::{Exporter, GroupIds, Job},
};
use crate::{
    secret::{SecretBytes, SecretText},
    token::{Digits, Kind, KindName, Token},
    vault::cipher::{self, SecretKey},
};

/// 2FAS's backup.
pub(super) struct TwoFas<const ENCRYPTED: bool>;

/// Rounds of PBKDF2, the same in every version of 2FAS.
const ROUNDS: u32 = 10_000;
/// Bytes of the salt.
const SALT_BYTES: usize = 256;
/// What 2FAS encrypts beside the tokens, to tell a wrong password.
const REFERENCE: &str = "tRViSsLKzd86Hprh4ceC2OP7xazn4rrt4xhfEUbOjxLX8Rc3mkISXE0lWbmnWfggogbBJhtYgpK6fMl1D6mtsy92R3HkdGfwuXbzLebq\
                         VFJsR7IZ2w58t938iymwG4824igYy1wi6n2WDpO1Q1P69zwJGs2F5a1qP4MyIiDSD7NCV2OvidXQCBnDlGfmz0f1BQySRkkt4ryiJe\
                         CjD2o4QsveJ9uDBUn8ELyOrESv5R5DMDkD4iAF8TXU7KyoJujd";

impl<const ENCRYPTED: bool> Exporter for TwoFas<ENCRYPTED> {
    const ID: &'static str = if ENCRYPTED { "2fas-encrypted" } else { "2fas" };
    const NAME: &'static str = if ENCRYPTED { "2FAS" } else { "2FAS, not encrypted" };
    const EXTENSION: &'static str = "2fas";
    const ENCRYPTED: bool = ENCRYPTED;
    // 2FAS drops the second token of a secret without a word.
    const ONE_PER_SECRET: bool = true;
    const LACKS: &'static [Part] = &[Part::MoreGroups, Part::Note, Part::Favourite, Part::Parameters, Part::Issuer];

    fn refuses(token: &Token) -> Option<Reason> {
        let wrong = |digits: Digits| !(5..=8).contains(&digits.get());
        match &token.spec.kind {
            Kind::Motp { .. } => Some(Reason::Kind(KindName::Motp)),
            Kind::Yandex { .. } => Some(Reason::Kind(KindName::Yandex)),
            Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if wrong(*digits) => {
                Some(Reason::Digits { digits: digits.get(), allowed: "5 to 8" })
            }
            Kind::Totp { period, .. } if !matches!(period.seconds(), 10 | 30 | 60 | 90) => {
                Some(Reason::Period { seconds: period.seconds(), allowed: "10, 30, 60 and 90" })
            }
            Kind::Hotp { counter, .. } if *counter > i32::MAX as u64 => Some(Reason::Counter(*counter)),
            _ => None,
        }
    }

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let mut file = file(job);
        if ENCRYPTED {
            seal(&mut file, job.password(Self::NAME)?, job.rng)?;
        }
        Ok(file.to_string().into_bytes())
    }
}

/// Encrypts the tokens of a file.
fn seal(file: &mut Value, password: &SecretText, rng: &mut dyn CryptoRng) -> Result<(), ExportError> {
    let salt: [u8; SALT_BYTES] = cipher::random(rng);
    let mut key = SecretKey::default();
    pbkdf2::pbkdf2_hmac::<Sha256>(password.expose().as_bytes(), &salt, ROUNDS, key.as_mut_slice());
    let mut sealed = |plain: &[u8]| {
        let nonce = cipher::random(rng);
        let sealed = cipher::seal(&key, &nonce, &[], plain).ok_or(ExportError::Memory)?;
        Ok([&sealed[..], &salt, &nonce].map(|part| BASE64.encode(part)).join(":"))
    };
    let services = SecretBytes::new(file["services"].take().to_string().into_bytes());
    file["services"] = json!([]);
    file["servicesEncrypted"] = sealed(services.expose())?.into();
    file["reference"] = sealed(REFERENCE.as_bytes())?.into();
    Ok(())
}

fn file(job: &mut Job<'_>) -> Value {
    let millis = job.now.saturating_mul(1000);
    let groups = GroupIds::of(job.entries.iter().filter_map(|entry| entry.groups.first()), job.rng);
    let services: Vec<Value> = job
        .entries
        .iter()
        .enumerate()
        .map(|(position, entry)| {
            let group = entry.groups.first().and_then(|name| groups.id(name));
            service(entry.token, group, position, millis)
        })
        .collect();
    let groups: Vec<Value> = groups
        .iter()
        .map(|(name, id)| json!({ "id": id, "name": name, "isExpanded": true, "updatedAt": millis }))
        .collect();
    json!({
        "services": services, "groups": groups, "updatedAt": millis, "schemaVersion": 4,
        "appVersionCode": 5000000, "appVersionName": "5.0.0", "appOrigin": "android",
    })
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
