//! Ente Auth: its export, links with what the app adds to them, plain or encrypted.

use data_encoding::BASE64;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Remark, Source, Unlock, crypt, input::Input, json, kdf,
    table::Importer, uris,
};

/// Ente Auth's export.
pub(super) struct Ente;

/// The newest version of the encrypted export.
const VERSION: u64 = 1;
/// The parameter that holds what the app adds, as JSON.
const DISPLAY: &str = "codeDisplay";

impl Importer for Ente {
    const ID: &'static str = "ente";
    const NAME: &'static str = "Ente Auth";
    const EXTENSIONS: &'static [&'static str] = &["txt"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let encrypted = input.object().is_some_and(|object| object.has("kdfParams") && object.has("encryptedData"));
        let plain =
            |text: &str| text.contains("codeDisplay=") && uris::has_link(text) && !text.starts_with(['{', '[', '<']);
        if encrypted || input.text.is_some_and(plain) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let mut source = Source::new(Self::NAME);
        match input.object() {
            None => uris::take(&mut source, input.text.unwrap_or_default(), finish)?,
            Some(_) => {
                let plain = open(input, unlock)?;
                let text =
                    std::str::from_utf8(&plain).map_err(|_| ImportError::damaged(Self::NAME, "it is not UTF-8"))?;
                uris::take(&mut source, text, finish)?;
            }
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        let mut draft = Draft::from_uri(raw)?;
        finish(&mut draft);
        Ok(draft)
    }
}

fn open(input: &Input<'_>, unlock: Unlock<'_>) -> Result<crypt::Plain, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(Ente::NAME, &problem);
    let outer = input.object().ok_or(ImportError::NotThis { format: Ente::NAME })?;
    let version = outer.number("version").map_err(wrong)?.unwrap_or(VERSION);
    if version > VERSION {
        return Err(ImportError::Newer { format: Ente::NAME, version: version.to_string() });
    }
    let params = outer.object("kdfParams").map_err(wrong)?.ok_or_else(|| wrong(Problem::Missing("kdfParams")))?;
    let base64 = |object: &json::Object<'_>, name: &'static str| {
        let text = object.needed(name)?;
        BASE64.decode(text.as_bytes()).map_err(|_| Problem::Malformed(name))
    };
    let salt = base64(&params, "salt").map_err(wrong)?;
    let header = base64(outer, "encryptionNonce").map_err(wrong)?;
    let sealed = base64(outer, "encryptedData").map_err(wrong)?;
    let number = |name| params.number(name).and_then(|n| n.ok_or(Problem::Missing(name))).map_err(wrong);
    let cost = (number("memLimit")? / 1024, number("opsLimit")?, 1);
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: Ente::NAME });
    };
    let key = kdf::argon2(argon2::Algorithm::Argon2id, password.expose().as_bytes(), &salt, cost, 32, unlock)?;
    crypt::secretstream(&key, &header, &sealed).ok_or(ImportError::WrongPassword { format: Ente::NAME })
}

/// Takes what the app adds out of the link: tags, note, pin, trash, use count.
fn finish(draft: &mut Draft) {
    let Some(at) = draft.spec.uri_parameters.iter().position(|(name, _)| name.eq_ignore_ascii_case(DISPLAY)) else {
        return;
    };
    let Ok(display) = json::object_of(&draft.spec.uri_parameters[at].1) else { return };
    let (tags, note) = (display.texts("tags").unwrap_or_default(), display.text("note").ok().flatten());
    let (pinned, trashed) = (display.flag("pinned"), display.flag("trashed"));
    let taps = display.number("tapCount").ok().flatten().unwrap_or(0);
    draft.groups = tags;
    draft.note = note.unwrap_or_default();
    draft.favourite = pinned;
    draft.use_count = taps;
    if trashed {
        draft.remark(Remark::Trashed);
    }
    draft.spec.uri_parameters.remove(at);
}
