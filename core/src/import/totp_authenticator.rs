//! TOTP Authenticator: its encrypted backup, and the preferences of its Android app.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Remark, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    prefs,
    table::Importer,
    text::{self, Said},
};
use crate::token::TokenSecret;

/// TOTP Authenticator's backup.
pub(super) struct TotpAuthenticator;

/// Where the tokens are in the preferences.
const TOKENS: &str = "STATIC_TOTP_CODES_LIST";
/// What the app encrypts with where its user chose no password.
const NO_PASSWORD: &str = "TotpAuthenticator";

impl Importer for TotpAuthenticator {
    const ID: &'static str = "totp-authenticator";
    const NAME: &'static str = "TOTP Authenticator";
    const EXTENSIONS: &'static [&'static str] = &["bin", "encrypt", "xml"];
    const PASSWORD: PasswordUse = PasswordUse::Always;

    fn recognise(input: &Input<'_>) -> Recognised {
        if prefs::strings(input).is_some_and(|strings| strings.iter().any(|(name, _)| name == TOKENS)) {
            return Recognised::Yes;
        }
        // Whole blocks in Base64 and nothing else.
        let text = input.text.map(str::trim_ascii).unwrap_or_default();
        let blocks = text.len() >= 64 && text.len().is_multiple_of(4) && !text.contains(['\n', ' ']);
        let sealed = blocks && BASE64.decode_len(text.len()).is_ok() && base64(input).is_some();
        if sealed { Recognised::Perhaps } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        if let Some(strings) = prefs::strings(input) {
            let list = strings.iter().find(|(name, _)| name == TOKENS).map(|(_, text)| text.as_str());
            return list.and_then(entries).ok_or_else(|| ImportError::damaged(Self::NAME, "its list is no JSON"));
        }
        let sealed = base64(input).ok_or(ImportError::NotThis { format: Self::NAME })?;
        if let Some(source) = opened(&sealed, NO_PASSWORD) {
            return Ok(source);
        }
        let Some(password) = unlock.password else {
            return Err(ImportError::PasswordNeeded { format: Self::NAME });
        };
        opened(&sealed, password.expose()).ok_or(ImportError::WrongPassword { format: Self::NAME })
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?)
    }
}

fn base64(input: &Input<'_>) -> Option<Vec<u8>> {
    let text = input.text?.trim_ascii();
    BASE64.decode(text.as_bytes()).ok().filter(|bytes| !bytes.is_empty() && bytes.len().is_multiple_of(16))
}

/// An object whose first name, of all things, is the list.
fn opened(sealed: &[u8], password: &str) -> Option<Source> {
    let plain = crypt::cbc_aes256(&Sha256::digest(password), &[0; 16], sealed)?;
    let outer = json::object_of(std::str::from_utf8(&plain).ok()?).ok()?;
    let (list, _) = outer.fields().next()?;
    entries(list)
}

/// A list of objects, or of texts that are objects.
fn entries(list: &str) -> Option<Source> {
    let mut source = Source::new(TotpAuthenticator::NAME);
    for raw in json::list_of(list).ok()? {
        let inner = json::text_of(raw);
        let text = inner.as_deref().unwrap_or(raw.get());
        source.push_object(text, name, draft);
    }
    Some(source)
}

fn name(entry: &Object<'_>) -> String {
    let text = |field| entry.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuer"), &text("name"))
}

fn draft(entry: &Object<'_>) -> Result<Draft, Problem> {
    let key = entry.needed("key")?;
    let secret = match entry.number("base")? {
        Some(16) => TokenSecret::from_hex(&key),
        None | Some(32) => TokenSecret::from_base32(&key),
        Some(64) => TokenSecret::from_base64(&key),
        Some(_) => return Err(Problem::Malformed("base")),
    };
    let said = Said {
        issuer: entry.text_or_empty("issuer")?,
        account: entry.text_or_empty("name")?,
        digits: entry.number("digits")?,
        period: entry.number("period")?,
        ..Said::default()
    };
    let mut draft = said.with(secret?)?;
    draft.favourite = entry.flag("isFavorite");
    draft.remark(Remark::Unsaid);
    Ok(draft)
}
