//! Tokens by what a person calls them.

use crate::{
    matching::{fold, search_key},
    token::{Token, TokenId},
};

/// How many digits of an id are its beginning; fewer may well be a part of a name.
const ID_DIGITS: usize = 8;

/// What is looked for, in the forms in which it is compared.
pub(super) struct Query {
    id: Option<TokenId>,
    /// The digits of the beginning of an id.
    id_begins: Option<String>,
    folded: String,
    key: String,
}

impl Query {
    pub(super) fn new(text: &str) -> Self {
        let digits = text.trim().replace('-', "").to_ascii_lowercase();
        let begins = digits.len() >= ID_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        Self {
            id: text.trim().parse().ok(),
            id_begins: begins.then_some(digits),
            folded: fold(text),
            key: search_key(text),
        }
    }

    /// What [`super::Content::find`] says.
    pub(super) fn matching<'a>(&self, tokens: impl Iterator<Item = &'a Token>) -> Vec<&'a Token> {
        tokens.filter(|token| self.begins_id(token) || self.has_words(token)).collect()
    }

    /// What [`super::Content::named`] says.
    pub(super) fn named<'a>(&self, tokens: impl Iterator<Item = &'a Token> + Clone) -> Vec<&'a Token> {
        let rules: [&dyn Fn(&Token) -> bool; 5] = [
            &|token| Some(token.id) == self.id,
            &|token| names(token).iter().any(|name| fold(name) == self.folded),
            &|token| names(token).iter().any(|name| search_key(name) == self.key),
            &|token| self.begins_id(token),
            &|token| self.has_words(token),
        ];
        let mut found = rules.iter().map(|rule| tokens.clone().filter(|token| rule(token)).collect::<Vec<_>>());
        found.find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn begins_id(&self, token: &Token) -> bool {
        self.id_begins.as_ref().is_some_and(|digits| token.id.to_string().replace('-', "").starts_with(digits))
    }

    fn has_words(&self, token: &Token) -> bool {
        let text = search_key(&names(token).join("\n"));
        self.key.split_whitespace().all(|word| text.contains(word))
    }
}

/// What a token may be called.
fn names(token: &Token) -> [String; 5] {
    let (issuer, account) = (&token.spec.issuer, &token.spec.account);
    [issuer.clone(), account.clone(), format!("{issuer}:{account}"), format!("{issuer} {account}"), token.spec.title()]
}
