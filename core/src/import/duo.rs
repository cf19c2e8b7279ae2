//! Duo Mobile: the file of its Android app.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock,
    input::Input,
    json::{self, Object},
    table::Importer,
    text::Said,
};

/// Duo Mobile's file.
pub(super) struct Duo;

impl Importer for Duo {
    const ID: &'static str = "duo";
    const NAME: &'static str = "Duo Mobile";
    const EXTENSIONS: &'static [&'static str] = &["json"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let first = input.list().and_then(|(_, first)| first);
        if first.is_some_and(|first| first.has("otpGenerator") || first.has("accountType")) {
            Recognised::Yes
        } else {
            Recognised::No
        }
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let (items, _) = input.list().ok_or(ImportError::NotThis { format: Self::NAME })?;
        let mut source = Source::new(Self::NAME);
        for raw in items {
            let account = json::object_of(raw.get());
            // Duo's own accounts approve by push, and a backup for the cloud leaves the secret out.
            if account.as_ref().is_ok_and(|account| account.text("accountType") == Ok(Some("DuoAccount".into()))) {
                source.without_token += 1;
                continue;
            }
            let name =
                account.as_ref().map_or_else(|_| String::new(), |a| a.text("name").ok().flatten().unwrap_or_default());
            source.push(name, account.map_err(|_| Problem::Shape).and_then(|account| draft(&account)), raw.get());
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?)
    }
}

fn draft(account: &Object<'_>) -> Result<Draft, Problem> {
    let generator = account.object("otpGenerator")?.ok_or(Problem::Missing("otpGenerator"))?;
    let counter = generator.number("counter")?;
    let said = Said {
        issuer: account.text("serviceTypeLabel")?.unwrap_or_default(),
        account: account.text_or_empty("name")?,
        kind: if counter.is_some() { "hotp" } else { "totp" },
        counter,
        ..Said::default()
    };
    said.with_text(&generator.needed("otpSecret")?)
}
