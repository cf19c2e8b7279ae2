//! Bitwarden Authenticator: its export, which is never encrypted, as JSON or CSV.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, bitwarden, input::Input, json,
    table::Importer, text,
};

/// Bitwarden Authenticator's export.
pub(super) struct BitwardenAuthenticator;

impl Importer for BitwardenAuthenticator {
    const ID: &'static str = "bitwarden-authenticator";
    const NAME: &'static str = "Bitwarden Authenticator";
    const EXTENSIONS: &'static [&'static str] = &["json", "csv"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let object = input.object().filter(|object| object.has("items") && object.has("encrypted"));
        // The same outer shape as Bitwarden's; but its items have no identity, folder or password of a vault.
        let items = object.and_then(|object| object.list("items").ok());
        let first = items.as_ref().and_then(|items| items.first()).and_then(|item| json::object_of(item.get()).ok());
        let own = first.is_some_and(|item| {
            let login = item.object("login").ok().flatten();
            item.has("login") && login.is_some_and(|login| login.has("totp") && !login.has("password"))
        });
        let csv = input
            .text
            .and_then(|text| text.lines().next())
            .is_some_and(|head| head.contains("login_totp") && !head.contains("login_password"));
        if own || csv { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let Some(outer) = input.object() else {
            let mut source = <bitwarden::Bitwarden as Importer>::read(input, unlock)?;
            source.format = Self::NAME;
            return Ok(source);
        };
        let mut source = Source::new(Self::NAME);
        for raw in outer.list("items").map_err(|problem| ImportError::outer(Self::NAME, &problem))? {
            let item = json::object_of(raw.get());
            let name = item.as_ref().ok().and_then(|item| item.text("name").ok().flatten()).unwrap_or_default();
            source.push(
                text::title(&name, ""),
                item.map_err(|_| Problem::Shape).and_then(|item| draft(&item, &name)),
                raw.get(),
            );
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        let item = json::record(raw)?;
        let name = item.text_or_empty("name")?;
        draft(&item, &name)
    }
}

fn draft(item: &json::Object<'_>, name: &str) -> Result<Draft, Problem> {
    let login = item.object("login")?.ok_or(Problem::Missing("login"))?;
    let user = login.text_or_empty("username")?;
    let mut draft = bitwarden::token(&login.needed("totp")?, name, &user)?;
    // The app shows these two, and lets them be changed without touching the link.
    if !name.is_empty() {
        name.clone_into(&mut draft.spec.issuer);
    }
    if !user.is_empty() {
        draft.spec.account = user;
    }
    draft.spec.label_issuer = None;
    draft.favourite = item.flag("favorite");
    Ok(draft)
}
