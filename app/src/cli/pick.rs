//! From a query to one token.

use countersign_core::{token::Token, vault::Content};

use super::{
    failure::{Exit, Failure},
    text,
};

/// How many candidates are named where several match.
const SHOWN: usize = 10;

/// The one token that the query means.
pub(crate) fn one<'a>(content: &'a Content, query: &str) -> Result<&'a Token, Failure> {
    only(content.named(query), query, "countersign list")
}

/// The one token in the trash that the query means.
pub(crate) fn one_trashed<'a>(content: &'a Content, query: &str) -> Result<&'a Token, Failure> {
    only(content.named_in_trash(query), query, "countersign list --trash")
}

fn only<'a>(found: Vec<&'a Token>, query: &str, list: &str) -> Result<&'a Token, Failure> {
    match found[..] {
        [token] => Ok(token),
        [] => Err(none(query).hint(format!("`{list}` shows what there is."))),
        _ => {
            let mut failure = Failure::new(Exit::NoMatch, format!("{} match {query:?}.", text::tokens(found.len())))
                .hint("Name it as `issuer:account`, or by its id.");
            failure.lines =
                found.iter().take(SHOWN).map(|token| format!("{}  {}", token.id, token.spec.title())).collect();
            if found.len() > SHOWN {
                failure.lines.push(format!("and {} more", text::thousands(found.len() - SHOWN)));
            }
            Err(failure)
        }
    }
}

/// Nothing matches.
pub(crate) fn none(query: &str) -> Failure {
    Failure::new(Exit::NoMatch, format!("No token matches {query:?}."))
}
