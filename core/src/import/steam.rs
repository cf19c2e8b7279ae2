//! Steam: the file of its Android app, old and new, and the files of Steam Desktop Authenticator.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock,
    input::Input,
    json::{self, Object},
    table::Importer,
    text::Said,
};
use crate::token::TokenSecret;

/// Steam's file.
pub(super) struct Steam;

impl Importer for Steam {
    const ID: &'static str = "steam";
    const NAME: &'static str = "Steam";
    const EXTENSIONS: &'static [&'static str] = &["json", "maFile"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let is = input.object().is_some_and(|object| object.has("shared_secret") || accounts(object).is_some());
        if is { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let outer = input.object().ok_or(ImportError::NotThis { format: Self::NAME })?;
        let mut source = Source::new(Self::NAME);
        match accounts(outer) {
            Some(accounts) => {
                for (_, raw) in accounts.fields() {
                    source.push_object(raw.get(), name, draft);
                }
            }
            None => source.push(name(outer), draft(outer), input.text.unwrap_or_default()),
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?)
    }
}

/// The accounts of the new file.
fn accounts<'a>(outer: &Object<'a>) -> Option<Object<'a>> {
    let accounts = outer.object("accounts").ok().flatten()?;
    let first = accounts.fields().next().and_then(|(_, raw)| json::object_of(raw.get()).ok())?;
    first.has("shared_secret").then_some(accounts)
}

fn name(account: &Object<'_>) -> String {
    account.text("account_name").ok().flatten().unwrap_or_default()
}

fn draft(account: &Object<'_>) -> Result<Draft, Problem> {
    let said = Said { issuer: "Steam".into(), account: name(account), kind: "steam", ..Said::default() };
    said.with(TokenSecret::from_base64(&account.needed("shared_secret")?)?)
}
