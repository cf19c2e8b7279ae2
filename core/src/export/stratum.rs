//! Stratum: its backup, plain or encrypted.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{
    Entry, ExportError, Part, Reason,
    table::{Exporter, Job},
};
use crate::{
    secret::SecretBytes,
    token::{Algorithm, Kind, Token},
    vault::cipher::{self, SecretKey},
};

/// Stratum's backup.
pub(super) struct Stratum<const ENCRYPTED: bool>;

/// Begins an encrypted backup.
const MAGIC: &[u8] = b"AUTHENTICATORPRO";

impl<const ENCRYPTED: bool> Exporter for Stratum<ENCRYPTED> {
    const ID: &'static str = if ENCRYPTED { "stratum-encrypted" } else { "stratum" };
    const NAME: &'static str = if ENCRYPTED { "Stratum" } else { "Stratum, not encrypted" };
    const EXTENSION: &'static str = if ENCRYPTED { "stratum" } else { "json" };
    const ENCRYPTED: bool = ENCRYPTED;
    const ONE_PER_SECRET: bool = true;
    const LACKS: &'static [Part] = &[Part::Note, Part::Favourite, Part::Parameters, Part::Issuer, Part::LongName];

    fn refuses(token: &Token) -> Option<Reason> {
        match &token.spec.kind {
            Kind::Totp { digits, .. } if !(6..=10).contains(&digits.get()) => {
                Some(Reason::Digits { digits: digits.get(), allowed: "6 to 10" })
            }
            Kind::Hotp { digits, .. } if !(6..=8).contains(&digits.get()) => {
                Some(Reason::Digits { digits: digits.get(), allowed: "6 to 8 for counter-based tokens" })
            }
            Kind::Totp { period, .. } if period.seconds() > i32::MAX as u64 => {
                Some(Reason::Period { seconds: period.seconds(), allowed: "up to 2147483647" })
            }
            Kind::Hotp { counter, .. } if *counter > i64::MAX as u64 => Some(Reason::Counter(*counter)),
            Kind::Motp { pin: None } | Kind::Yandex { pin: None } => Some(Reason::PinMissing),
            _ => None,
        }
    }

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let plain = SecretBytes::new(content(job.entries).to_string().into_bytes());
        if !ENCRYPTED {
            return Ok(plain.expose().to_vec());
        }
        let password = job.password(Self::NAME)?;
        let salt: [u8; 16] = cipher::random(job.rng);
        let nonce = cipher::random(job.rng);
        let mut key = SecretKey::default();
        // What Stratum has in every file: 64 MiB, 3 passes, 4 lanes.
        let params = argon2::Params::new(64 * 1024, 3, 4, Some(32)).map_err(|_| ExportError::Memory)?;
        argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into(password.expose().as_bytes(), &salt, key.as_mut_slice())
            .map_err(|_| ExportError::Memory)?;
        let sealed = cipher::seal(&key, &nonce, &[], plain.expose()).ok_or(ExportError::Memory)?;
        Ok([MAGIC, &salt, &nonce, &sealed].concat())
    }
}

fn content(entries: &[Entry<'_>]) -> Value {
    let (mut categories, mut bindings) = (Vec::<(&str, String)>::new(), Vec::new());
    let mut authenticators = Vec::with_capacity(entries.len());
    for (ranking, entry) in entries.iter().enumerate() {
        let secret = secret(entry.token);
        for name in &entry.groups {
            // Stratum makes the identifier of the name.
            let id = HEXLOWER.encode(&Sha1::digest(name.as_bytes()))[..8].to_owned();
            if !categories.iter().any(|(_, known)| *known == id) {
                categories.push((name, id.clone()));
            }
            bindings.push(json!({ "CategoryId": id, "AuthenticatorSecret": secret, "Ranking": 0 }));
        }
        authenticators.push(authenticator(entry.token, &secret, ranking));
    }
    let categories: Vec<Value> =
        categories.iter().map(|(name, id)| json!({ "Id": id, "Name": name, "Ranking": 0 })).collect();
    json!({
        "Authenticators": authenticators, "Categories": categories, "AuthenticatorCategories": bindings,
        "CustomIcons": [], "IconPacks": [],
    })
}

fn secret(token: &Token) -> String {
    match token.spec.kind {
        Kind::Motp { .. } => token.spec.secret.hex().expose().to_owned(),
        _ => token.spec.secret.base32().expose().to_owned(),
    }
}

fn authenticator(token: &Token, secret: &str, ranking: usize) -> Value {
    let spec = &token.spec;
    let kind = match spec.kind {
        Kind::Hotp { .. } => 1,
        Kind::Totp { .. } => 2,
        Kind::Motp { .. } => 3,
        Kind::Steam => 4,
        Kind::Yandex { .. } => 5,
    };
    let algorithm = match spec.kind.algorithm() {
        Some(Algorithm::Sha256) => 1,
        Some(Algorithm::Sha512) => 2,
        _ => 0,
    };
    let (issuer, username) = super::with_issuer(spec);
    json!({
        "Type": kind, "Icon": null, "Issuer": issuer, "Username": username, "Secret": secret,
        "Pin": spec.kind.pin().map(|pin| pin.expose()), "Algorithm": algorithm, "Digits": spec.kind.digits(),
        "Period": spec.kind.period().map_or(30, |period| period.seconds()),
        "Counter": spec.kind.counter().unwrap_or(0), "CopyCount": token.use_count, "Ranking": ranking,
    })
}
