//! The protocol buffers of an export, both ways.

use data_encoding::{BASE64, BASE64_NOPAD};
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

use super::{ENTRIES_PER_PART, EntryError, EntryProblem, Export, LeftOut, MAX_BYTES, MigrationError, Part, Reason};
use crate::{
    secret::SecretText,
    token::{Algorithm, Digits, Kind, MAX_TEXT_BYTES, Period, TokenSecret, TokenSpec},
    uri::{Parsed, Warning, percent},
};

const SCHEME: &str = "otpauth-migration:";
/// The most parts that one export may claim to have.
const MAX_PARTS: i32 = 10_000;

const SHA1: i32 = 1;
const SHA256: i32 = 2;
const SHA512: i32 = 3;
const MD5: i32 = 4;
const SIX: i32 = 1;
const EIGHT: i32 = 2;
const HOTP: i32 = 1;
const TOTP: i32 = 2;
const VERSION: i32 = 1;

/// Google's `MigrationPayload`. An entry is taken as bytes, which look the same on the wire as a message, so that a
/// damaged one spoils no other.
#[derive(Clone, PartialEq, Message)]
struct Payload {
    #[prost(bytes = "vec", repeated, tag = "1")]
    entries: Vec<Vec<u8>>,
    #[prost(int32, tag = "2")]
    version: i32,
    #[prost(int32, tag = "3")]
    batch_size: i32,
    #[prost(int32, tag = "4")]
    batch_index: i32,
    #[prost(int32, tag = "5")]
    batch_id: i32,
}

/// Google's `OtpParameters`. Texts are taken as bytes and enums as numbers, so that neither stops the decoder.
#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(bytes = "vec", tag = "1")]
    secret: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    name: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    issuer: Vec<u8>,
    #[prost(int32, tag = "4")]
    algorithm: i32,
    #[prost(int32, tag = "5")]
    digits: i32,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(int64, tag = "7")]
    counter: i64,
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.entries.zeroize();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

pub(super) fn parse(text: &str) -> Result<Part, MigrationError> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.len() > MAX_BYTES {
        return Err(MigrationError::TooLong);
    }
    let is_migration = text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
    if !is_migration {
        return Err(MigrationError::NotAMigration);
    }
    let bytes = Zeroizing::new(decode_data(data(text).ok_or(MigrationError::DataMissing)?)?);
    let payload = Payload::decode(bytes.as_slice()).map_err(|_| MigrationError::Damaged)?;
    // An export that says nothing of parts is one.
    let size = if payload.batch_size == 0 { 1 } else { payload.batch_size };
    let index = payload.batch_index;
    let wrong = MigrationError::Batch { index, size };
    if !(1..=MAX_PARTS).contains(&size) || index >= size {
        return Err(wrong);
    }
    let (Ok(index), Ok(size)) = (u32::try_from(index), u32::try_from(size)) else { return Err(wrong) };
    let entries = payload.entries.iter().zip(1..).map(|(bytes, position)| entry(bytes, position)).collect();
    Ok(Part { batch_id: payload.batch_id, index, size, entries })
}

/// The parameter `data`, as it is written.
fn data(text: &str) -> Option<&str> {
    let (_, parameters) = text.split_once('?')?;
    let mut pairs = parameters.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, value)| name.eq_ignore_ascii_case("data") && !value.is_empty()).map(|(_, value)| value)
}

/// Base64 of both alphabets, escaped or not, padded or not. A space was a `+` before somebody decoded a form.
fn decode_data(raw: &str) -> Result<Vec<u8>, MigrationError> {
    let decoded = Zeroizing::new(percent::decode(raw).text);
    let mut clean = Zeroizing::new(Vec::with_capacity(decoded.len()));
    clean.extend(decoded.bytes().filter(|b| !matches!(b, b'\r' | b'\n' | b'\t')).map(|b| match b {
        b' ' | b'-' => b'+',
        b'_' => b'/',
        other => other,
    }));
    let end = clean.iter().rposition(|b| *b != b'=').map_or(0, |last| last + 1);
    BASE64_NOPAD.decode(&clean[..end]).map_err(|_| MigrationError::Base64)
}

fn entry(bytes: &[u8], position: usize) -> Result<Parsed, EntryError> {
    let Ok(mut entry) = Entry::decode(bytes) else {
        return Err(EntryError { position, title: String::new(), problem: EntryProblem::Damaged });
    };
    let mut warnings = Vec::new();
    let (name, issuer) = (lenient_text(&entry.name), lenient_text(&entry.issuer));
    let (issuer, account) = names(issuer, name);
    let title = if issuer.is_empty() || account.is_empty() {
        format!("{issuer}{account}")
    } else {
        format!("{issuer} ({account})")
    };
    let result = kind(&entry, &mut warnings).and_then(|kind| {
        if issuer.len().max(account.len()) > MAX_TEXT_BYTES {
            return Err(EntryProblem::TooLong);
        }
        let secret = TokenSecret::from_bytes(std::mem::take(&mut entry.secret)).map_err(EntryProblem::Secret)?;
        Ok((kind, secret))
    });
    let (kind, secret) = match result {
        Ok(values) => values,
        Err(EntryProblem::TooLong) => {
            return Err(EntryError { position, title: String::new(), problem: EntryProblem::TooLong });
        }
        Err(problem) => return Err(EntryError { position, title, problem }),
    };
    if title.trim().is_empty() {
        warnings.push(Warning::NameMissing);
    }
    let spec = TokenSpec { issuer, account, kind, secret, label_issuer: None, uri_parameters: Vec::new() };
    Ok(Parsed { spec, warnings })
}

fn kind(entry: &Entry, warnings: &mut Vec<Warning>) -> Result<Kind, EntryProblem> {
    let algorithm = match entry.algorithm {
        0 | SHA1 => Algorithm::Sha1,
        SHA256 => Algorithm::Sha256,
        SHA512 => Algorithm::Sha512,
        MD5 => return Err(EntryProblem::Md5),
        other => return Err(EntryProblem::Algorithm(other)),
    };
    let digits = match entry.digits {
        0 | SIX => Digits::SIX,
        EIGHT => Digits::EIGHT,
        other => return Err(EntryProblem::Digits(other)),
    };
    match entry.kind {
        HOTP => {
            let counter = u64::try_from(entry.counter).map_err(|_| EntryProblem::Counter(entry.counter))?;
            Ok(Kind::Hotp { algorithm, digits, counter })
        }
        0 | TOTP => {
            if entry.kind == 0 {
                warnings.push(Warning::TypeMissing);
            }
            Ok(Kind::Totp { algorithm, digits, period: Period::THIRTY })
        }
        other => Err(EntryProblem::Type(other)),
    }
}

/// Issuer and account: the name may repeat the issuer, or be the only place that has it.
fn names(issuer: String, name: String) -> (String, String) {
    let after_colon = |account: &str| account.strip_prefix(' ').unwrap_or(account).to_owned();
    if !issuer.is_empty() {
        let account = name.strip_prefix(&issuer).and_then(|rest| rest.strip_prefix(':')).map(after_colon);
        return (issuer, account.unwrap_or(name));
    }
    match name.split_once(':') {
        Some((issuer, account)) => (issuer.to_owned(), after_colon(account)),
        None => (issuer, name),
    }
}

/// The name so that [`names`] splits it as it was.
fn written_name(spec: &TokenSpec) -> String {
    let (issuer, account) = (&spec.issuer, &spec.account);
    let repeats = account.strip_prefix(issuer.as_str()).is_some_and(|rest| rest.starts_with(':'));
    if repeats || (issuer.is_empty() && account.contains(':')) {
        let space = if account.starts_with(' ') { " " } else { "" };
        format!("{issuer}:{space}{account}")
    } else {
        account.clone()
    }
}

/// UTF-8, with bytes that are none of it shown as escapes.
fn lenient_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| percent_encoding::percent_encode_byte(*byte)));
    }
    text
}

pub(super) fn write(tokens: &[TokenSpec], batch_id: i32) -> Export {
    let (mut entries, mut left_out, mut reduced) = (Vec::new(), Vec::new(), Vec::new());
    for (index, spec) in tokens.iter().enumerate() {
        match to_entry(spec) {
            Ok(entry) => {
                if spec.label_issuer.is_some() || !spec.uri_parameters.is_empty() {
                    reduced.push(index);
                }
                entries.push(entry.encode_to_vec());
            }
            Err(reason) => left_out.push(LeftOut { index, reason }),
        }
    }
    let batch_size = i32::try_from(entries.len().div_ceil(ENTRIES_PER_PART)).unwrap_or(i32::MAX);
    let mut parts = Vec::new();
    let mut entries = entries.into_iter();
    for batch_index in 0..batch_size {
        let entries = entries.by_ref().take(ENTRIES_PER_PART).collect();
        let payload = Payload { entries, version: VERSION, batch_size, batch_index, batch_id };
        parts.push(part_uri(&payload));
    }
    Export { parts, left_out, reduced }
}

fn part_uri(payload: &Payload) -> SecretText {
    let bytes = Zeroizing::new(payload.encode_to_vec());
    let data = Zeroizing::new(BASE64.encode(&bytes));
    let mut uri = String::with_capacity(64 + 3 * data.len());
    uri.push_str(SCHEME);
    uri.push_str("//offline?data=");
    percent::encode(&data, &mut uri);
    SecretText::new(uri)
}

fn to_entry(spec: &TokenSpec) -> Result<Entry, Reason> {
    let (kind, algorithm, digits, counter) = match &spec.kind {
        Kind::Totp { period, .. } if *period != Period::THIRTY => return Err(Reason::Period(period.seconds())),
        Kind::Totp { algorithm, digits, .. } => (TOTP, algorithm, digits, 0),
        Kind::Hotp { algorithm, digits, counter } => {
            (HOTP, algorithm, digits, i64::try_from(*counter).map_err(|_| Reason::Counter(*counter))?)
        }
        other => return Err(Reason::Kind(other.name())),
    };
    let algorithm = match algorithm {
        Algorithm::Sha1 => SHA1,
        Algorithm::Sha256 => SHA256,
        Algorithm::Sha512 => SHA512,
    };
    let digits = match digits.get() {
        6 => SIX,
        8 => EIGHT,
        other => return Err(Reason::Digits(other)),
    };
    Ok(Entry {
        secret: spec.secret.bytes().expose().to_vec(),
        name: written_name(spec).into_bytes(),
        issuer: spec.issuer.clone().into_bytes(),
        algorithm,
        digits,
        kind,
        counter,
    })
}
