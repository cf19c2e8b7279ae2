//! Proton Authenticator: its export, plain or encrypted.

use data_encoding::BASE64;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf,
    table::Importer,
    text,
};

/// Proton Authenticator's export.
pub(super) struct Proton;

/// The newest version.
const VERSION: u64 = 1;
/// What an encrypted export is bound to.
const AAD: &[u8] = b"proton.authenticator.export.v1";
/// Argon2id: memory in KiB, passes, lanes; the same in every file.
const COST: (u64, u64, u64) = (19 * 1024, 2, 1);

impl Importer for Proton {
    const ID: &'static str = "proton";
    const NAME: &'static str = "Proton Authenticator";
    const EXTENSIONS: &'static [&'static str] = &["json"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let Some(object) = input.object() else { return Recognised::No };
        let first =
            object.list("entries").ok().and_then(|list| list.first().and_then(|e| json::object_of(e.get()).ok()));
        let plain = first.is_some_and(|entry| entry.has("content"));
        let empty = object.has("entries") && object.has("version") && !object.has("db");
        let sealed = object.has("salt") && object.has("content") && object.has("version");
        if plain || empty || sealed { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let outer = input.object().ok_or(ImportError::NotThis { format: Self::NAME })?;
        let wrong = |problem: Problem| ImportError::outer(Self::NAME, &problem);
        let version = outer.number("version").map_err(wrong)?.unwrap_or(VERSION);
        if version > VERSION {
            return Err(ImportError::Newer { format: Self::NAME, version: version.to_string() });
        }
        if outer.has("entries") {
            return entries(outer);
        }
        let base64 = |name| {
            outer.needed(name).and_then(|text| BASE64.decode(text.as_bytes()).map_err(|_| Problem::Malformed(name)))
        };
        let (salt, content) = (base64("salt").map_err(wrong)?, base64("content").map_err(wrong)?);
        let Some(password) = unlock.password else {
            return Err(ImportError::PasswordNeeded { format: Self::NAME });
        };
        let (nonce, sealed) = content.split_at_checked(12).ok_or_else(|| wrong(Problem::Malformed("content")))?;
        let key = kdf::argon2(argon2::Algorithm::Argon2id, password.expose().as_bytes(), &salt, COST, 32, unlock)?;
        let plain = crypt::gcm(&key, nonce, AAD, sealed).ok_or(ImportError::WrongPassword { format: Self::NAME })?;
        let text = std::str::from_utf8(&plain).map_err(|_| wrong(Problem::Malformed("content")))?;
        entries(&json::object_of(text).map_err(|_| wrong(Problem::Malformed("content")))?)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        let entry = json::record(raw)?;
        let content = entry.object("content")?;
        let name = content.as_ref().map_or(Ok(String::new()), |content| content.text_or_empty("name"))?;
        draft(&entry, content.as_ref(), &name)
    }
}

fn entries(outer: &Object<'_>) -> Result<Source, ImportError> {
    let mut source = Source::new(Proton::NAME);
    for raw in outer.list("entries").map_err(|problem| ImportError::outer(Proton::NAME, &problem))? {
        let entry = json::object_of(raw.get());
        let content = entry.as_ref().ok().and_then(|entry| entry.object("content").ok().flatten());
        let name = content.as_ref().and_then(|content| content.text("name").ok().flatten()).unwrap_or_default();
        let draft = entry.map_err(|_| Problem::Shape).and_then(|entry| draft(&entry, content.as_ref(), &name));
        source.push(name, draft, raw.get());
    }
    Ok(source)
}

fn draft(entry: &Object<'_>, content: Option<&Object<'_>>, name: &str) -> Result<Draft, Problem> {
    let content = content.ok_or(Problem::Missing("content"))?;
    let mut draft = Draft::from_uri(&content.needed("uri")?)?;
    if draft.spec.account.is_empty() {
        name.clone_into(&mut draft.spec.account);
    }
    draft.note = text::note(entry.text("note")?)?;
    Ok(draft)
}
