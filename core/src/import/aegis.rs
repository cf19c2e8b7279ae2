//! Aegis: its export, plain or encrypted, with content of versions 1 to 3.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Names, Object},
    kdf,
    table::Importer,
    text::{self, Said},
};

/// Aegis's export.
pub(super) struct Aegis;

/// The newest version of the outer object.
const VERSION: u64 = 1;
/// The newest version of the content.
const CONTENT_VERSION: u64 = 3;
/// The type of a slot that a password opens.
const PASSWORD_SLOT: u64 = 1;

impl Importer for Aegis {
    const ID: &'static str = "aegis";
    const NAME: &'static str = "Aegis";
    const EXTENSIONS: &'static [&'static str] = &["json"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        match input.object() {
            Some(object) if object.has("header") && object.has("db") => Recognised::Yes,
            _ => Recognised::No,
        }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let outer = input.object().ok_or(ImportError::NotThis { format: Self::NAME })?;
        let wrong = |problem: Problem| ImportError::outer(Self::NAME, &problem);
        let version = outer.number("version").map_err(wrong)?.unwrap_or(VERSION);
        newer(version, VERSION)?;
        let db = outer.get("db").ok_or_else(|| ImportError::damaged(Self::NAME, "it has no content"))?;
        if !db.get().starts_with('"') {
            return content(&json::object_of(db.get()).map_err(|_| wrong(Problem::Malformed("db")))?);
        }
        let sealed = json::text_of(db).and_then(|text| BASE64.decode(text.as_bytes()).ok());
        let sealed = sealed.ok_or_else(|| ImportError::damaged(Self::NAME, "its content is not Base64"))?;
        let header = outer.object("header").map_err(wrong)?.ok_or_else(|| wrong(Problem::Missing("header")))?;
        let plain = open(&header, sealed, unlock)?;
        let text = std::str::from_utf8(&plain).map_err(|_| ImportError::damaged(Self::NAME, "it is not UTF-8"))?;
        content(&json::object_of(text).map_err(|_| wrong(Problem::Malformed("db")))?)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?, &Names::new())
    }
}

fn newer(version: u64, known: u64) -> Result<(), ImportError> {
    if version > known {
        return Err(ImportError::Newer { format: Aegis::NAME, version: version.to_string() });
    }
    Ok(())
}

/// Nonce and tag.
fn params(object: &Object<'_>) -> Result<(Vec<u8>, Vec<u8>), Problem> {
    Ok((hex(object, "nonce")?, hex(object, "tag")?))
}

fn hex(object: &Object<'_>, name: &'static str) -> Result<Vec<u8>, Problem> {
    HEXLOWER_PERMISSIVE.decode(object.needed(name)?.as_bytes()).map_err(|_| Problem::Malformed(name))
}

/// Tries the password on each of the password's slots, as old and new versions of Aegis derive the key.
fn open(header: &Object<'_>, sealed: Vec<u8>, unlock: Unlock<'_>) -> Result<crypt::Plain, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(Aegis::NAME, &problem);
    let slots: Vec<Object<'_>> = header
        .list("slots")
        .map_err(wrong)?
        .into_iter()
        .filter_map(|slot| json::object_of(slot.get()).ok())
        .filter(|slot| slot.number("type") == Ok(Some(PASSWORD_SLOT)))
        .collect();
    let params_of =
        |object: &Object<'_>, name| object.object(name)?.map_or(Err(Problem::Missing(name)), |o| params(&o));
    let (nonce, tag) = params_of(header, "params").map_err(wrong)?;
    if slots.is_empty() {
        return Err(ImportError::Refused {
            what: "this Aegis export can only be opened by the phone that made it",
            instead: "export again from Aegis with a password",
        });
    }
    // A file with many slots would ask for the derivation many times.
    if slots.len() > 32 {
        return Err(ImportError::damaged(Aegis::NAME, "it has too many slots"));
    }
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: Aegis::NAME });
    };
    let mut content = sealed;
    content.extend_from_slice(&tag);
    for slot in &slots {
        let (key_nonce, key_tag) = params_of(slot, "key_params").map_err(wrong)?;
        let mut wrapped = hex(slot, "key").map_err(wrong)?;
        wrapped.extend_from_slice(&key_tag);
        let salt = hex(slot, "salt").map_err(wrong)?;
        let number = |name| slot.number(name).and_then(|n| n.ok_or(Problem::Missing(name))).map_err(wrong);
        let cost = (number("n")?, number("r")?, number("p")?);
        for variant in spellings(password.expose(), slot.flag("repaired")) {
            let key = kdf::scrypt(&variant, &salt, cost, 32, unlock)?;
            let Some(master) = crypt::gcm(&key, &key_nonce, &[], &wrapped) else { continue };
            return crypt::gcm(&master, &nonce, &[], &content)
                .ok_or_else(|| ImportError::damaged(Aegis::NAME, "its content was changed after it was written"));
        }
    }
    Err(ImportError::WrongPassword { format: Aegis::NAME })
}

/// The bytes that the password may have been: as they are, and, in a slot that was never repaired, followed by the
/// zero bytes that an old version of Aegis left in its buffer. HMAC makes them a difference beyond 64 bytes only.
fn spellings(password: &str, repaired: bool) -> Vec<Zeroizing<Vec<u8>>> {
    let bytes = password.as_bytes();
    let mut spellings = vec![Zeroizing::new(bytes.to_vec())];
    // Java's encoder reserves 1.1 bytes for each UTF-16 unit, and grows to twice that and two more where it must.
    let mut buffer = (password.encode_utf16().count() as f32 * 1.1) as usize;
    while buffer < bytes.len() {
        buffer = 2 * buffer + 1;
    }
    if !repaired && buffer > 64 && buffer > bytes.len() {
        let mut padded = Zeroizing::new(bytes.to_vec());
        padded.resize(buffer, 0);
        spellings.push(padded);
    }
    spellings
}

fn content(db: &Object<'_>) -> Result<Source, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(Aegis::NAME, &problem);
    newer(db.number("version").map_err(wrong)?.unwrap_or(1), CONTENT_VERSION)?;
    let groups = db.names("groups", "uuid", "name").map_err(wrong)?;
    if !db.has("entries") {
        return Err(wrong(Problem::Missing("entries")));
    }
    let mut source = Source::new(Aegis::NAME);
    for raw in db.list("entries").map_err(wrong)? {
        source.push_object(raw.get(), name, |entry| draft(entry, &groups));
    }
    Ok(source)
}

fn name(entry: &Object<'_>) -> String {
    let text = |field| entry.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuer"), &text("name"))
}

fn draft(entry: &Object<'_>, groups: &Names) -> Result<Draft, Problem> {
    let info = entry.object("info")?.ok_or(Problem::Missing("info"))?;
    let kind = entry.needed("type")?;
    let algorithm = info.text("algo")?;
    let said = Said {
        issuer: entry.text_or_empty("issuer")?,
        account: entry.text_or_empty("name")?,
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: info.number("digits")?,
        period: info.number("period")?,
        counter: info.number("counter")?,
        pin: info.text("pin")?,
    };
    let secret = info.needed("secret")?;
    // Aegis writes every secret in Base32, also those of mOTP.
    let mut draft = said.with(crate::token::TokenSecret::from_base32(&secret)?)?;
    draft.note = text::note(entry.text("note")?)?;
    draft.favourite = entry.flag("favorite");
    // Version 2 has one group as a name, version 3 a list of identifiers.
    draft.groups.extend(entry.text("group")?.filter(|group| !group.is_empty()));
    draft.groups.extend(entry.groups("groups", groups)?);
    Ok(draft)
}
