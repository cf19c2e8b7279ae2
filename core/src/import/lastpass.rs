//! LastPass Authenticator: its export, which is never encrypted.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock,
    input::Input,
    json::{self, Names, Object},
    table::Importer,
    text::{self, Said},
};

/// LastPass Authenticator's export.
pub(super) struct LastPass;

impl Importer for LastPass {
    const ID: &'static str = "lastpass";
    const NAME: &'static str = "LastPass Authenticator";
    const EXTENSIONS: &'static [&'static str] = &["json"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let is = input.object().is_some_and(|object| {
            let first = object.list("accounts").ok().and_then(|accounts| accounts.first().copied());
            let first = first.and_then(|account| json::object_of(account.get()).ok());
            first.is_some_and(|account| account.has("issuerName") || account.has("timeStep"))
                || (object.has("accounts") && object.has("folders") && object.has("version"))
        });
        if is { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let outer = input.object().ok_or(ImportError::NotThis { format: Self::NAME })?;
        let wrong = |problem: Problem| ImportError::outer(Self::NAME, &problem);
        let folders = outer.names("folders", "id", "name").map_err(wrong)?;
        let mut source = Source::new(Self::NAME);
        for raw in outer.list("accounts").map_err(wrong)? {
            source.push_object(raw.get(), name, |a| draft(a, &folders));
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?, &Names::new())
    }
}

fn name(account: &Object<'_>) -> String {
    let text = |field| account.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuerName"), &text("userName"))
}

fn draft(account: &Object<'_>, folders: &Names) -> Result<Draft, Problem> {
    let algorithm = account.text("algorithm")?;
    let said = Said {
        issuer: account.text_or_empty("issuerName")?,
        account: account.text_or_empty("userName")?,
        algorithm: algorithm.as_deref(),
        digits: account.number("digits")?,
        period: account.number("timeStep")?,
        ..Said::default()
    };
    let mut draft = said.with_text(&account.needed("secret")?)?;
    draft.favourite = account.flag("isFavorite");
    let folder = account.object("folderData")?.and_then(|data| data.text("folderId").ok().flatten());
    let folder = folder.filter(|id| id != "0").and_then(|id| folders.get(&id));
    draft.groups.extend(folder.map(|name| String::from(&**name)));
    Ok(draft)
}
