//! Aegis: its export with content of version 3, plain or encrypted.

use data_encoding::{BASE64, HEXLOWER};
use rand_core::CryptoRng;
use serde_json::{Value, json};

use super::{
    Entry, ExportError, Part, Reason,
    table::{Exporter, GroupIds, Job},
    uuid,
};
use crate::{
    secret::SecretBytes,
    token::{Kind, Token},
    vault::cipher::{self, SecretKey, TAG_BYTES},
};

/// Aegis's export.
pub(super) struct Aegis<const ENCRYPTED: bool>;

/// scrypt as Aegis itself asks for it: N = 2^15, r = 8, p = 1.
const LOG_N: u8 = 15;
const R: u32 = 8;
const P: u32 = 1;

impl<const ENCRYPTED: bool> Exporter for Aegis<ENCRYPTED> {
    const ID: &'static str = if ENCRYPTED { "aegis-encrypted" } else { "aegis" };
    const NAME: &'static str = if ENCRYPTED { "Aegis" } else { "Aegis, not encrypted" };
    const EXTENSION: &'static str = "json";
    const ENCRYPTED: bool = ENCRYPTED;
    const LACKS: &'static [Part] = &[Part::Parameters];

    fn refuses(token: &Token) -> Option<Reason> {
        /// Aegis multiplies a period by a thousand in 32 bits.
        const MAX_PERIOD: u64 = i32::MAX as u64 / 1000;

        match &token.spec.kind {
            Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if digits.get() > 10 => {
                Some(Reason::Digits { digits: digits.get(), allowed: "1 to 10" })
            }
            Kind::Totp { period, .. } if period.seconds() > MAX_PERIOD => {
                Some(Reason::Period { seconds: period.seconds(), allowed: "up to 2147483" })
            }
            Kind::Hotp { counter, .. } if *counter > i64::MAX as u64 => Some(Reason::Counter(*counter)),
            Kind::Motp { pin: None } | Kind::Yandex { pin: None } => Some(Reason::PinMissing),
            _ => None,
        }
    }

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let db = content(job.entries, job.rng);
        if !ENCRYPTED {
            let file = json!({ "version": 1, "header": { "slots": null, "params": null }, "db": db });
            return Ok(file.to_string().into_bytes());
        }
        let password = job.password(Self::NAME)?;
        let master = cipher::random_key(job.rng);
        let salt: [u8; 32] = cipher::random(job.rng);
        let mut key = SecretKey::default();
        let params = scrypt::Params::new(LOG_N, R, P).map_err(|_| ExportError::Memory)?;
        scrypt::scrypt(password.expose().as_bytes(), &salt, &params, key.as_mut_slice())
            .map_err(|_| ExportError::Memory)?;
        let (wrapped, key_params) = sealed(&key, master.as_slice(), job.rng)?;
        let db = SecretBytes::new(db.to_string().into_bytes());
        let (content, params) = sealed(&master, db.expose(), job.rng)?;
        let slot = json!({
            "type": 1, "uuid": uuid(job.rng), "key": HEXLOWER.encode(&wrapped), "key_params": key_params,
            "n": 1u32 << LOG_N, "r": R, "p": P, "salt": HEXLOWER.encode(&salt), "repaired": true, "is_backup": false,
        });
        let file = json!({
            "version": 1, "header": { "slots": [slot], "params": params }, "db": BASE64.encode(&content),
        });
        Ok(file.to_string().into_bytes())
    }
}

/// The ciphertext, and nonce and tag as Aegis writes them.
fn sealed(key: &SecretKey, plain: &[u8], rng: &mut dyn CryptoRng) -> Result<(Vec<u8>, Value), ExportError> {
    let nonce = cipher::random(rng);
    let mut sealed = cipher::seal(key, &nonce, &[], plain).ok_or(ExportError::Memory)?;
    let tag = sealed.split_off(sealed.len() - TAG_BYTES);
    Ok((sealed, json!({ "nonce": HEXLOWER.encode(&nonce), "tag": HEXLOWER.encode(&tag) })))
}

fn content(entries: &[Entry<'_>], rng: &mut dyn CryptoRng) -> Value {
    let groups = GroupIds::of(entries.iter().flat_map(|entry| &entry.groups), rng);
    let entries: Vec<Value> = entries.iter().map(|entry| self::entry(entry, &groups)).collect();
    let groups: Vec<Value> = groups.iter().map(|(name, uuid)| json!({ "uuid": uuid, "name": name })).collect();
    json!({ "version": 3, "entries": entries, "groups": groups, "icons_optimized": true })
}

fn entry(entry: &Entry<'_>, groups: &GroupIds<'_>) -> Value {
    let token = entry.token;
    let spec = &token.spec;
    // Every secret in Base32, also those that the links have in hexadecimal digits.
    let secret = spec.secret.base32();
    let algorithm = spec.kind.algorithm().map_or("SHA1", |algorithm| algorithm.name());
    let mut info = json!({ "secret": secret.expose(), "algo": algorithm, "digits": spec.kind.digits() });
    let kind = match &spec.kind {
        Kind::Totp { period, .. } => {
            info["period"] = period.seconds().into();
            "totp"
        }
        Kind::Hotp { counter, .. } => {
            info["counter"] = (*counter).into();
            "hotp"
        }
        Kind::Steam => {
            info["period"] = 30.into();
            "steam"
        }
        Kind::Motp { pin } => {
            info["algo"] = "MD5".into();
            info["period"] = 10.into();
            info["pin"] = pin.as_ref().map(|pin| pin.expose()).into();
            "motp"
        }
        Kind::Yandex { pin } => {
            info["algo"] = "SHA256".into();
            info["period"] = 30.into();
            info["pin"] = pin.as_ref().map(|pin| pin.expose()).into();
            "yandex"
        }
    };
    let ids: Vec<&str> = entry.groups.iter().filter_map(|name| groups.id(name)).collect();
    json!({
        "type": kind, "uuid": token.id.to_string(), "name": spec.account, "issuer": spec.issuer, "note": token.note,
        "favorite": token.favourite, "icon": null, "info": info, "groups": ids,
    })
}
