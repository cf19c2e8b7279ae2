//! WinAuth: its export, links in a text, alone or in an encrypted archive.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, archive, input::Input, table::Importer, uris,
};
use crate::token::Kind;

/// WinAuth's export.
pub(super) struct WinAuth;

impl Importer for WinAuth {
    const ID: &'static str = "winauth";
    const NAME: &'static str = "WinAuth";
    const EXTENSIONS: &'static [&'static str] = &["txt", "zip"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let lines = |text: &str| uris::has_link(text) && !text.trim_start().starts_with(['{', '[', '<']);
        match input.text {
            // Only a named format tells such a list from any other one: [`read`](Self::read) is asked then.
            Some(text) if lines(text) && !text.contains("codeDisplay=") => Recognised::Perhaps,
            _ if archive::has(input.bytes, is_text) => Recognised::Yes,
            _ => Recognised::No,
        }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let mut source = Source::new(Self::NAME);
        match input.text {
            Some(text) => uris::take(&mut source, text, finish)?,
            None => {
                let bytes = archive::read(Self::NAME, input.bytes, is_text, unlock)?;
                let text =
                    super::input::decoded(&bytes).ok_or_else(|| ImportError::damaged(Self::NAME, "it is no text"))?;
                uris::take(&mut source, &text, finish)?;
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

fn is_text(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".txt")
}

/// WinAuth's entries have one name, which is mostly the service's; its Steam entries carry the whole Steam account.
fn finish(draft: &mut Draft) {
    let spec = &mut draft.spec;
    if spec.issuer.is_empty() {
        spec.issuer = std::mem::take(&mut spec.account);
    }
    let steam = spec.uri_parameters.iter().any(|(name, _)| name == "deviceid" || name == "data");
    if steam && spec.issuer.eq_ignore_ascii_case("steam") {
        spec.kind = Kind::Steam;
    }
}
