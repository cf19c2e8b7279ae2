//! The privacyIDEA app: its encrypted backup, and the QR code of one token (`pia://`).

use data_encoding::{BASE64, BASE64URL_NOPAD};
use sha2::{Sha256, Sha512};

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf,
    table::Importer,
    text::{self, Said},
};

/// The privacyIDEA app's backup.
pub(super) struct PrivacyIdea;

/// Begins the link of one token.
const LINK: &str = "pia://";

impl Importer for PrivacyIdea {
    const ID: &'static str = "privacyidea";
    const NAME: &'static str = "privacyIDEA Authenticator";
    const EXTENSIONS: &'static [&'static str] = &["json", "txt"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let sealed =
            input.object().is_some_and(|object| object.has("cypher") && object.has("kdf") && object.has("data"));
        let link = input.text.is_some_and(|text| text.trim_start().starts_with(LINK));
        if sealed || link { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let mut source = Source::new(Self::NAME);
        let Some(outer) = input.object() else {
            for line in input.text.unwrap_or_default().lines().filter(|line| line.trim_start().starts_with(LINK)) {
                match linked(line.trim()) {
                    Some(json) => take(&mut source, &json),
                    None => source.push("", Err(Problem::Shape), line),
                }
            }
            return Ok(source);
        };
        let plain = open(outer, unlock)?;
        let damaged = |_| ImportError::damaged(Self::NAME, "its content is no list of tokens");
        let text = std::str::from_utf8(&plain).map_err(|_| damaged(()))?;
        for raw in json::list_of(text).map_err(|_| damaged(()))? {
            take(&mut source, raw.get());
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        let token = json::record(raw)?;
        let kind = token.text_or_empty("type")?;
        draft(&token, &kind)
    }
}

/// The token in a link: JSON in Base64.
fn linked(line: &str) -> Option<String> {
    let (_, data) = line.split_once("data=")?;
    let data = data.split('&').next()?.replace("%3D", "").replace("%3d", "");
    String::from_utf8(BASE64URL_NOPAD.decode(data.trim_end_matches('=').as_bytes()).ok()?).ok()
}

fn take(source: &mut Source, raw: &str) {
    let Ok(token) = json::object_of(raw) else { return source.push("", Err(Problem::Shape), raw) };
    let kind = token.text("type").ok().flatten().unwrap_or_default();
    // A push token holds keys and makes no codes.
    if kind.eq_ignore_ascii_case("pipush") {
        source.without_token += 1;
        return;
    }
    let text = |field| token.text(field).ok().flatten().unwrap_or_default();
    source.push(text::title(&text("issuer"), &text("label")), draft(&token, &kind), raw);
}

fn draft(token: &Object<'_>, kind: &str) -> Result<Draft, Problem> {
    let algorithm = token.text("algorithm")?;
    let said = Said {
        issuer: token.text_or_empty("issuer")?,
        account: token.text_or_empty("label")?,
        kind,
        algorithm: algorithm.as_deref(),
        digits: token.number("digits")?,
        period: token.number("period")?,
        counter: token.number("counter")?,
        pin: None,
    };
    said.with_text(&token.needed("secret")?)
}

/// Derives the key as the file says, within bounds, and opens it.
fn open(outer: &Object<'_>, unlock: Unlock<'_>) -> Result<crypt::Plain, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(PrivacyIdea::NAME, &problem);
    let base64 =
        |name| outer.needed(name).and_then(|text| BASE64.decode(text.as_bytes()).map_err(|_| Problem::Malformed(name)));
    let (mut sealed, salt, iv) =
        (base64("data").map_err(wrong)?, base64("salt").map_err(wrong)?, base64("iv").map_err(wrong)?);
    sealed.extend(base64("mac").map_err(wrong)?);
    let object = |name| outer.object(name).and_then(|o| o.ok_or(Problem::Missing(name))).map_err(wrong);
    let (kdf_object, cipher) = (object("kdf")?, object("cypher")?);
    let unknown = |what: &str| ImportError::Newer { format: PrivacyIdea::NAME, version: what.to_owned() };
    if cipher.text("algorithm").map_err(wrong)?.as_deref() != Some("AesGcm") {
        return Err(unknown("another cipher than AES-GCM"));
    }
    if kdf_object.text("algorithm").map_err(wrong)?.as_deref() != Some("Pbkdf2") {
        return Err(unknown("another key derivation than PBKDF2"));
    }
    let rounds =
        kdf_object.number("iterations").map_err(wrong)?.ok_or_else(|| wrong(Problem::Missing("iterations")))?;
    let bits = kdf_object.number("bits").map_err(wrong)?.unwrap_or(256);
    if !matches!(bits, 128 | 192 | 256) {
        return Err(wrong(Problem::Malformed("bits")));
    }
    let hash = kdf_object
        .object("macAlgorithm")
        .and_then(|mac| mac.map_or(Ok(None), |mac| mac.object("hashAlgorithm")))
        .and_then(|hash| hash.map_or(Ok(None), |hash| hash.text("algorithm")))
        .map_err(wrong)?;
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: PrivacyIdea::NAME });
    };
    let password = password.expose().as_bytes();
    let length = (bits / 8) as usize;
    let key = if hash.is_some_and(|hash| hash.to_ascii_lowercase().ends_with("sha512")) {
        kdf::pbkdf2::<Sha512>(password, &salt, rounds, length)?
    } else {
        kdf::pbkdf2::<Sha256>(password, &salt, rounds, length)?
    };
    crypt::gcm(&key, &iv, &[], &sealed).ok_or(ImportError::WrongPassword { format: PrivacyIdea::NAME })
}
