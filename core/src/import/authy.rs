//! Authy: the preferences that its Android app keeps, secrets plain or encrypted one by one.

use data_encoding::BASE64;
use sha1::Sha1;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Remark, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf, prefs,
    table::Importer,
    text::{self, Said},
};
use crate::token::TokenSecret;

/// Authy's preferences.
pub(super) struct Authy;

/// Where the tokens of other services are.
const TOKENS: &str = "com.authy.storage.tokens.authenticator.key";
/// Where the tokens that Authy handed out itself are.
const OWN_TOKENS: &str = "com.authy.storage.tokens.authy.key";
/// Rounds of PBKDF2 where the file names none.
const ROUNDS: u64 = 1000;

impl Importer for Authy {
    const ID: &'static str = "authy";
    const NAME: &'static str = "Authy";
    const EXTENSIONS: &'static [&'static str] = &["xml"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let strings = prefs::strings(input).unwrap_or_default();
        if strings.iter().any(|(name, _)| name == TOKENS || name == OWN_TOKENS) {
            Recognised::Yes
        } else {
            Recognised::No
        }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let strings = prefs::strings(input).ok_or(ImportError::NotThis { format: Self::NAME })?;
        let mut source = Source::new(Self::NAME);
        for (_, text) in strings.iter().filter(|(name, _)| name == TOKENS || name == OWN_TOKENS) {
            let items = json::list_of(text).map_err(|_| ImportError::damaged(Self::NAME, "its list is no JSON"))?;
            for raw in items {
                take(&mut source, raw.get(), unlock)?;
            }
        }
        // One secret after the other: a password that opens none is the wrong one.
        let sealed = |record: &super::Record| matches!(&record.outcome, super::Outcome::Unreadable(unread) if unread.problem == Problem::Sealed);
        if !source.records.is_empty() && source.records.iter().all(sealed) {
            return Err(ImportError::WrongPassword { format: Self::NAME });
        }
        Ok(source)
    }
}

fn take(source: &mut Source, raw: &str, unlock: Unlock<'_>) -> Result<(), ImportError> {
    let Ok(token) = json::object_of(raw) else {
        source.push("", Err(Problem::Shape), raw);
        return Ok(());
    };
    let name = token.text("name").ok().flatten().unwrap_or_default();
    let plain = ["decryptedSecret", "secretSeed"].into_iter().find(|name| token.get(name).is_some());
    let draft = match plain {
        // What Authy hands out itself is hexadecimal and has seven digits of ten seconds.
        Some("secretSeed") => own(&token),
        Some(field) => token.needed(field).and_then(|secret| said(&token)?.with_text(&secret)),
        None => match secret(&token, unlock)? {
            Some(secret) => said(&token).and_then(|said| said.with(TokenSecret::from_base32(&secret)?)),
            None => Err(Problem::Sealed),
        },
    };
    let draft = draft.map(|mut draft| {
        draft.remark(Remark::Unsaid);
        draft
    });
    source.push(name, draft, raw);
    Ok(())
}

fn own(token: &Object<'_>) -> Result<Draft, Problem> {
    let secret = TokenSecret::from_hex(&token.needed("secretSeed")?)?;
    let said = said(token)?;
    Said { digits: Some(7), period: Some(10), ..said }.with(secret)
}

/// Issuer and account as they stand in the link, or as the app split the name.
fn said<'a>(token: &Object<'_>) -> Result<Said<'a>, Problem> {
    let name = token.text_or_empty("name")?;
    let original = token.text_or_empty("originalName")?;
    let (issuer, account) = match (original.split_once(':'), name.split_once(" - ")) {
        (Some((issuer, account)), _) => (issuer.to_owned(), account.to_owned()),
        (None, Some((issuer, account))) => (issuer.to_owned(), account.to_owned()),
        (None, None) => (String::new(), if name.is_empty() { original } else { name }),
    };
    let issuer = if issuer.is_empty() { token.text_or_empty("originalIssuer")? } else { issuer };
    let digits = token.number("digits")?;
    Ok(Said { issuer: issuer.trim().to_owned(), account: account.trim().to_owned(), digits, ..Said::default() })
}

/// Opens one secret; `None` where the password does not, or the token has none.
fn secret(token: &Object<'_>, unlock: Unlock<'_>) -> Result<Option<String>, ImportError> {
    let base64 = |text: String| BASE64.decode(text.as_bytes()).ok();
    let sealed = token.text("encryptedSecret").ok().flatten().and_then(base64);
    let salt = token.text("salt").ok().flatten();
    let (Some(sealed), Some(salt)) = (sealed, salt) else { return Ok(None) };
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: Authy::NAME });
    };
    let rounds = token.number("keyDerivationIterations").ok().flatten().unwrap_or(ROUNDS);
    // The salt is its text, not what it may encode; later versions also keep a nonce.
    let key = kdf::pbkdf2::<Sha1>(password.expose().as_bytes(), salt.as_bytes(), rounds, 32)?;
    let iv = token.text("uniqueIV").ok().flatten().or_else(|| token.text("unique_iv").ok().flatten()).and_then(base64);
    let plain = crypt::cbc_aes256(&key, &iv.unwrap_or_else(|| vec![0; 16]), &sealed);
    let text = plain.and_then(|plain| String::from_utf8(plain.to_vec()).ok());
    Ok(text.filter(|text| TokenSecret::from_base32(text).is_ok()).map(|text| text::title(&text, "")))
}
