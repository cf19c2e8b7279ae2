//! Countersign's own: a backup text, or a copy of a vault.

use super::{Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, input::Input, table::Importer};
use crate::{
    backup,
    secret::Password,
    vault::{self, Content, session::Key},
};

/// Countersign's backup text and vault.
pub(super) struct Countersign;

impl Importer for Countersign {
    const ID: &'static str = "countersign";
    const NAME: &'static str = "Countersign";
    const EXTENSIONS: &'static [&'static str] = &["txt", "json"];
    const PASSWORD: PasswordUse = PasswordUse::Always;

    fn recognise(input: &Input<'_>) -> Recognised {
        let is_text = |text: &str| text.to_ascii_uppercase().contains("BEGIN COUNTERSIGN BACKUP");
        let is_backup = input.bytes.len() <= crate::intake::MAX_TEXT_BYTES && input.text.is_some_and(is_text);
        if is_backup || vault::looks_like_copy(input.bytes) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let damaged = |what: String| ImportError::damaged(Self::NAME, what);
        let wrong = ImportError::WrongPassword { format: Self::NAME };
        let needed = ImportError::PasswordNeeded { format: Self::NAME };
        let password = unlock.password.map(|password| Password::new(password.expose()));
        if vault::looks_like_copy(input.bytes) {
            vault::inspect_copy(input.bytes).map_err(|error| damaged(error.to_string()))?;
            let key = Key::Password(password.ok_or(needed)?);
            let content = vault::open_copy(input.bytes, &key).map_err(|error| match error {
                vault::session::OpenError::WrongKey => wrong,
                other => damaged(other.to_string()),
            })?;
            return Ok(source(&content));
        }
        let sealed = backup::find(input.text.unwrap_or_default()).map_err(|error| damaged(error.to_string()))?;
        let content = sealed.open(&password.ok_or(needed)?).map_err(|error| match error {
            backup::OpenError::WrongPassword => wrong,
            other => damaged(other.to_string()),
        })?;
        Ok(source(&content))
    }
}

fn source(content: &Content) -> Source {
    let mut source = Source::new(Countersign::NAME);
    for token in content.tokens() {
        let names = token.groups.iter().filter_map(|id| content.groups().iter().find(|group| group.id == *id));
        let draft = Draft {
            groups: names.map(|group| group.name.clone()).collect(),
            note: token.note.clone(),
            favourite: token.favourite,
            use_count: token.use_count,
            ..Draft::new(token.spec.clone())
        };
        source.push(token.spec.title(), Ok(draft), "");
    }
    for (unreadable, raw) in content.unreadable().iter().zip(content.unreadable_texts()) {
        let problem = Problem::Kept(unreadable.reason.clone(), unreadable.flaw.clone());
        source.push(unreadable.name.clone(), Err(problem), raw.expose());
    }
    source
}
