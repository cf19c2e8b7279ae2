//! What the window and the command line do alike with a file for another app.

use std::collections::HashMap;

use countersign_core::{
    import::{self, ImportError, Outcome, Unlock},
    secret::SecretText,
    token::{TokenId, TokenSpec},
    vault::Content,
};

/// Why a file that was just written is not what was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsound {
    /// It does not open.
    #[error(transparent)]
    Read(#[from] ImportError),
    /// That token is not in it, or makes other codes.
    #[error("a token is not in it as it was meant")]
    Other(TokenId),
}

/// Reads the file as the other app would, and compares the codes of the tokens that should be in it.
pub(crate) fn verify(
    bytes: &[u8],
    password: Option<&SecretText>,
    content: &Content,
    written: &[TokenId],
) -> Result<(), Unsound> {
    if written.is_empty() {
        return Ok(());
    }
    let source = import::read(bytes, None, Unlock { password, allow_costly: true })?;
    let mut found: HashMap<Vec<u8>, Vec<TokenSpec>> = HashMap::new();
    for record in source.records {
        if let Outcome::Token(draft) = record.outcome {
            found.entry(draft.spec.secret.bytes().expose().to_vec()).or_default().push(draft.spec);
        }
    }
    for token in written.iter().filter_map(|id| content.token(*id)) {
        let same = found.get_mut(token.spec.secret.bytes().expose()).and_then(|specs| {
            let at = specs.iter().position(|spec| spec.same_codes(&token.spec))?;
            Some(specs.remove(at))
        });
        if same.is_none() {
            return Err(Unsound::Other(token.id));
        }
    }
    Ok(())
}
