//! andOTP: its backup, plain or encrypted in the new or the old way.

use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf,
    table::Importer,
    text::{self, Said},
};

/// andOTP's backup.
pub(super) struct AndOtp;

/// Bytes of the salt and of the nonce.
const BYTES: usize = 12;
/// More rounds than andOTP ever made: the number is then no number of rounds.
const MAX_ROUNDS: u32 = 10_000_000;

impl Importer for AndOtp {
    const ID: &'static str = "andotp";
    const NAME: &'static str = "andOTP";
    const EXTENSIONS: &'static [&'static str] = &["json", "aes", "bin"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        match input.list() {
            Some((_, Some(first))) if first.has("secret") && first.has("type") && first.has("label") => {
                if first.has("tags") || first.has("thumbnail") || first.has("used_frequency") || first.has("last_used")
                {
                    Recognised::Yes
                } else {
                    Recognised::No
                }
            }
            _ if input.may_be_encrypted() && input.bytes.len() > BYTES + 16 => Recognised::Perhaps,
            _ => Recognised::No,
        }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        if let Some((items, _)) = input.list() {
            return Ok(entries(items));
        }
        let Some(password) = unlock.password else {
            return Err(ImportError::PasswordNeeded { format: Self::NAME });
        };
        let password = password.expose().as_bytes();
        let plain = match new_way(input.bytes, password)? {
            Some(plain) => plain,
            None => old_way(input.bytes, password).ok_or(ImportError::WrongPassword { format: Self::NAME })?,
        };
        let text = std::str::from_utf8(&plain).map_err(|_| ImportError::damaged(Self::NAME, "it is not UTF-8"))?;
        let items = json::list_of(text).map_err(|_| ImportError::damaged(Self::NAME, "it is no list of tokens"))?;
        Ok(entries(&items))
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?)
    }
}

/// Rounds, salt and nonce before the ciphertext.
fn new_way(bytes: &[u8], password: &[u8]) -> Result<Option<crypt::Plain>, ImportError> {
    let Some((rounds, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let rounds = u32::from_be_bytes(*rounds);
    if !(1..=MAX_ROUNDS).contains(&rounds) || rest.len() < 2 * BYTES {
        return Ok(None);
    }
    let (salt, rest) = rest.split_at(BYTES);
    let (nonce, sealed) = rest.split_at(BYTES);
    let key = kdf::pbkdf2::<Sha1>(password, salt, rounds.into(), 32)?;
    Ok(crypt::gcm(&key, nonce, &[], sealed))
}

/// The key is the hash of the password.
fn old_way(bytes: &[u8], password: &[u8]) -> Option<crypt::Plain> {
    let (nonce, sealed) = bytes.split_at_checked(BYTES)?;
    crypt::gcm(&Sha256::digest(password), nonce, &[], sealed)
}

fn entries(items: &[&serde_json::value::RawValue]) -> Source {
    let mut source = Source::new(AndOtp::NAME);
    for raw in items {
        source.push_object(raw.get(), name, draft);
    }
    source
}

fn name(entry: &Object<'_>) -> String {
    let text = |field| entry.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuer"), &text("label"))
}

fn draft(entry: &Object<'_>) -> Result<Draft, Problem> {
    let label = entry.text_or_empty("label")?;
    let (issuer, account) = match entry.text("issuer")? {
        Some(issuer) => (issuer, label),
        // Early versions have a label only: `Issuer - account`.
        None => match label.split_once(" - ") {
            Some((issuer, account)) => (issuer.to_owned(), account.to_owned()),
            None => text::split_label(&label),
        },
    };
    let kind = entry.needed("type")?;
    let algorithm = entry.text("algorithm")?;
    let said = Said {
        issuer,
        account,
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: entry.number("digits")?,
        period: entry.number("period")?,
        counter: entry.number("counter")?,
        pin: None,
    };
    let secret = entry.needed("secret")?;
    // mOTP's secret is hexadecimal everywhere else; andOTP keeps what was typed.
    let mut draft = said.with_text(&secret)?;
    draft.groups = entry.texts("tags")?;
    draft.use_count = entry.number("used_frequency")?.unwrap_or(0);
    Ok(draft)
}
