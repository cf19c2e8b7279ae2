//! FreeOTP: the preferences of version 1, the backup of version 2, and the JSON and preferences of FreeOTP+.

use std::collections::HashMap;

use sha1::Sha1;
use sha2::Sha512;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    java,
    json::{self, Object},
    kdf, prefs,
    table::Importer,
    text::{self, Said},
};
use crate::token::TokenSecret;

/// FreeOTP's preferences (version 1) and backup (version 2).
pub(super) struct FreeOtp;

/// FreeOTP+'s export.
pub(super) struct FreeOtpPlus;

/// Where the key of a version 2 backup is.
const MASTER_KEY: &str = "masterKey";
/// What follows a token's identifier in the name of its parameters.
const TOKEN_SUFFIX: &str = "-token";
/// Preferences that are no tokens.
const ORDER: &str = "tokenOrder";

impl Importer for FreeOtp {
    const ID: &'static str = "freeotp";
    const NAME: &'static str = "FreeOTP";
    const EXTENSIONS: &'static [&'static str] = &["xml"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let backup =
            || java::string_map(input.bytes).is_some_and(|map| map.iter().any(|(name, _)| *name == MASTER_KEY));
        let is =
            input.bytes.starts_with(java::MAGIC) && backup() || prefs::strings(input).is_some_and(|s| is_tokens(&s));
        if is { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        if let Some(map) = java::string_map(input.bytes) {
            return backup(&map, unlock);
        }
        let strings = prefs::strings(input).ok_or(ImportError::NotThis { format: Self::NAME })?;
        let mut source = Source::new(Self::NAME);
        for (name, text) in strings.iter().filter(|(name, _)| name != ORDER) {
            let draft = json::object_of(text).map_err(|_| Problem::Shape).and_then(|token| plain(&token));
            source.push(name.as_str(), draft, text);
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        plain(&json::record(raw)?)
    }
}

impl Importer for FreeOtpPlus {
    const ID: &'static str = "freeotp+";
    const NAME: &'static str = "FreeOTP+";
    const EXTENSIONS: &'static [&'static str] = &["json", "xml"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let is = input.object().is_some_and(|object| object.has("tokens") && object.has("tokenOrder"));
        if is { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let Some(outer) = input.object() else {
            let mut source = <FreeOtp as Importer>::read(input, unlock)?;
            source.format = Self::NAME;
            return Ok(source);
        };
        let mut source = Source::new(Self::NAME);
        for raw in outer.list("tokens").map_err(|problem| ImportError::outer(Self::NAME, &problem))? {
            source.push_object(raw.get(), name, plain);
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        plain(&json::record(raw)?)
    }
}

/// Whether the preferences hold FreeOTP's tokens: a list of their order, or one that looks like it.
fn is_tokens(strings: &[(String, String)]) -> bool {
    strings.iter().any(|(name, text)| {
        name == ORDER
            || json::object_of(text).is_ok_and(|token| token.has("secret") && token.has("type") && token.has("algo"))
    })
}

fn name(token: &Object<'_>) -> String {
    let text = |field| token.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuerExt"), &text("label"))
}

/// A token whose secret is beside its parameters. The counter is that of the last code.
fn plain(token: &Object<'_>) -> Result<Draft, Problem> {
    let secret = TokenSecret::from_bytes(token.signed_bytes("secret")?)?;
    let counter = token.number("counter")?.map(|counter| counter.saturating_add(1));
    said(token, counter, secret)
}

fn said(token: &Object<'_>, counter: Option<u64>, secret: TokenSecret) -> Result<Draft, Problem> {
    let kind = token.needed("type")?;
    let algorithm = token.text("algo")?;
    // The external issuer is the one in the list; the internal one is what the link said.
    let issuer = token.text("issuerExt")?.filter(|issuer| !issuer.is_empty());
    let issuer = match issuer {
        Some(issuer) => issuer,
        None => token.text_or_empty("issuerInt")?,
    };
    let said = Said {
        issuer,
        account: token.text_or_empty("label")?,
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: token.number("digits")?,
        period: token.number("period")?,
        counter,
        pin: None,
    };
    said.with(secret)
}

/// Texts by their names, as Java serialised them.
fn backup(map: &[(&str, &str)], unlock: Unlock<'_>) -> Result<Source, ImportError> {
    let damaged = |what: &str| ImportError::damaged(FreeOtp::NAME, what);
    let by_name: HashMap<&str, &str> = map.iter().copied().collect();
    let master = by_name.get(MASTER_KEY).ok_or_else(|| damaged("it has no key"))?;
    let master = json::object_of(master).map_err(|_| damaged("its key cannot be read"))?;
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: FreeOtp::NAME });
    };
    let outer = |problem: Problem| ImportError::outer(FreeOtp::NAME, &problem);
    let salt = master.signed_bytes("mSalt").map_err(outer)?;
    let rounds = master.number("mIterations").map_err(outer)?.ok_or_else(|| outer(Problem::Missing("mIterations")))?;
    let password = password.expose().as_bytes();
    let algorithm = master.text_or_empty("mAlgorithm").map_err(outer)?;
    let key = if algorithm.ends_with("SHA512") {
        kdf::pbkdf2::<Sha512>(password, &salt, rounds, 32)?
    } else if algorithm.ends_with("SHA1") {
        kdf::pbkdf2::<Sha1>(password, &salt, rounds, 32)?
    } else {
        return Err(ImportError::Newer { format: FreeOtp::NAME, version: algorithm });
    };
    let sealed = master.object("mEncryptedKey").map_err(outer)?.ok_or_else(|| damaged("it has no key"))?;
    let master = open(&sealed, &key).map_err(|problem| match problem {
        Problem::Sealed => ImportError::WrongPassword { format: FreeOtp::NAME },
        other => outer(other),
    })?;
    let mut source = Source::new(FreeOtp::NAME);
    for (name, parameters) in map {
        let Some(id) = name.strip_suffix(TOKEN_SUFFIX) else { continue };
        let sealed = by_name.get(id).copied();
        let token = json::object_of(parameters);
        let title = token.as_ref().map_or_else(|_| id.to_owned(), self::name);
        let draft = token.map_err(|_| Problem::Shape).and_then(|token| sealed_token(&token, sealed, &master));
        source.push(title, draft, &format!("{parameters}\n{}", sealed.unwrap_or_default()));
    }
    Ok(source)
}

fn sealed_token(token: &Object<'_>, sealed: Option<&str>, master: &[u8]) -> Result<Draft, Problem> {
    let outer = json::object_of(sealed.ok_or(Problem::Missing("key"))?).map_err(|_| Problem::Malformed("key"))?;
    let inner = outer.needed("key")?;
    let key = open(&json::object_of(&inner).map_err(|_| Problem::Malformed("key"))?, master)?;
    said(token, token.number("counter")?, TokenSecret::from_bytes(key.to_vec())?)
}

/// Opens a key that is wrapped with AES-GCM; its purpose is authenticated with it.
fn open(object: &Object<'_>, key: &[u8]) -> Result<crypt::Plain, Problem> {
    let parameters = object.signed_bytes("mParameters")?;
    let nonce = nonce(&parameters).ok_or(Problem::Malformed("mParameters"))?;
    let aad = object.needed("mToken")?;
    crypt::gcm(key, nonce, aad.as_bytes(), &object.signed_bytes("mCipherText")?).ok_or(Problem::Sealed)
}

/// The nonce in ASN.1 (RFC 5084): an octet string, or a sequence that begins with one.
fn nonce(der: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    let body = rest.get(..usize::from(*length))?;
    match tag {
        0x04 => Some(body),
        0x30 if body.first() == Some(&0x04) => nonce(body),
        _ => None,
    }
}
