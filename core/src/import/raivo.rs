//! Raivo: its export, a list in JSON, alone or in the encrypted archive that the app writes.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, archive,
    input::Input,
    json::{self, Object},
    table::Importer,
    text::{self, Said},
};

/// Raivo's export.
pub(super) struct Raivo;

/// The file in the archive.
const FILE: &str = "raivo-otp-export.json";

impl Importer for Raivo {
    const ID: &'static str = "raivo";
    const NAME: &'static str = "Raivo OTP";
    const EXTENSIONS: &'static [&'static str] = &["zip", "json"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let json =
            input.list().and_then(|(_, first)| first).is_some_and(|first| first.has("kind") && first.has("timer"));
        if json || archive::has(input.bytes, |name| name == FILE) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        if let Some((items, _)) = input.list() {
            return Ok(entries(items));
        }
        let bytes = archive::read(Self::NAME, input.bytes, |name| name == FILE, unlock)?;
        let damaged = |_| ImportError::damaged(Self::NAME, "its file is no list of tokens");
        let text = std::str::from_utf8(&bytes).map_err(|_| damaged(()))?;
        Ok(entries(&json::list_of(text).map_err(|_| damaged(()))?))
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?)
    }
}

fn entries(items: &[&serde_json::value::RawValue]) -> Source {
    let mut source = Source::new(Raivo::NAME);
    for raw in items {
        source.push_object(raw.get(), name, draft);
    }
    source
}

fn name(entry: &Object<'_>) -> String {
    let text = |field| entry.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuer"), &text("account"))
}

fn draft(entry: &Object<'_>) -> Result<Draft, Problem> {
    let kind = entry.text_or_empty("kind")?;
    let algorithm = entry.text("algorithm")?;
    let said = Said {
        issuer: entry.text_or_empty("issuer")?,
        account: entry.text_or_empty("account")?,
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: entry.number("digits")?,
        period: entry.number("timer")?,
        counter: entry.number("counter")?,
        pin: None,
    };
    let mut draft = said.with_text(&entry.needed("secret")?)?;
    draft.favourite = entry.flag("pinned");
    Ok(draft)
}
