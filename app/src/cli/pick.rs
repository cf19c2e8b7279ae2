//! From a query to one token.

use countersign_core::{
    matching::fold,
    token::{Token, TokenId},
    vault::Content,
};

use super::{
    failure::{Exit, Failure},
    text,
};

/// How many candidates are named where several match.
const SHOWN: usize = 10;

/// The one token that the query means.
pub(crate) fn one<'a>(content: &'a Content, query: &str) -> Result<&'a Token, Failure> {
    only(content.find(query), query, "countersign list")
}

/// The one token in the trash that the query means.
pub(crate) fn one_trashed<'a>(content: &'a Content, query: &str) -> Result<&'a Token, Failure> {
    only(trashed(content, query), query, "countersign list --trash")
}

/// The tokens in the trash that the query means, by the same rule as [`Content::find`].
pub(crate) fn trashed<'a>(content: &'a Content, query: &str) -> Vec<&'a Token> {
    let tokens = content.trash().iter().map(|trashed| &trashed.token);
    if let Ok(id) = query.parse::<TokenId>() {
        return tokens.filter(|token| token.id == id).collect();
    }
    let part = fold(query);
    tokens
        .filter(|token| fold(&token.spec.issuer).contains(&part) || fold(&token.spec.account).contains(&part))
        .collect()
}

fn only<'a>(found: Vec<&'a Token>, query: &str, list: &str) -> Result<&'a Token, Failure> {
    match found[..] {
        [token] => Ok(token),
        [] => Err(none(query).hint(format!("`{list}` shows what there is."))),
        _ => {
            let mut failure = Failure::new(Exit::NoMatch, format!("{} match {query:?}.", text::tokens(found.len())))
                .hint("Name more of it, or its id.");
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
