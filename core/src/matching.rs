//! Which token answers to a server.

use unicase::UniCase;
use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use crate::token::{Registration, Token, TokenId};

/// An issuer as it is compared: trimmed, NFKC, case folded, so that `Corp PAM` and ` corp pam` are one.
///
/// This is the compatibility caseless match of Unicode (definition D146). Lower case after NFKC would not do: `ß` and
/// `SS`, `ſ` and `s`, or the final `ς` and `Σ` differ in lower case and only fold to the same. Folding does not depend
/// on a language, so `İ` keeps its dot and is neither `i` nor `ı`: a name that is missed is asked for, while one that
/// is matched wrongly would send a code to the wrong place.
pub fn fold(name: &str) -> String {
    let name = name.trim();
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    // Folding undoes normal forms and the normal form undoes folding, so that each is done twice.
    let decomposed: String = name.nfd().collect();
    let once: String = UniCase::unicode(decomposed).to_folded_case().nfkc().collect();
    UniCase::unicode(once).to_folded_case().nfkc().collect()
}

/// A text as it is searched: folded, without combining marks, and with one `i` for that with and that without a dot, so
/// that `istanbul` finds `İstanbul` and `cafe` finds `Café`. A person looks at what is found; what decides by itself
/// compares by [`fold`].
pub fn search_key(text: &str) -> String {
    let folded = fold(text);
    if folded.is_ascii() {
        return folded;
    }
    let letters = folded.nfkd().filter(|&c| canonical_combining_class(c) == 0);
    letters.map(|c| if c == 'ı' { 'i' } else { c }).collect()
}

/// Which token a sign-in uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one: it alone is registered at the server and named like its issuer.
    One(TokenId),
    /// The user has to choose, or to confirm the only one.
    Ask {
        /// The tokens that may be meant, in the order in which they were given.
        tokens: Vec<TokenId>,
        /// Why none is taken without asking.
        because: Ask,
    },
    /// None: the way is to registration.
    None(NoToken),
}

/// Why the user is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ask {
    /// Several are registered at the server and named like its issuer.
    #[error("several tokens are registered at this server under its issuer")]
    Several,
    /// Tokens are registered at the server, but under another issuer: one of the two was renamed.
    #[error("the tokens of this server have another issuer")]
    OtherIssuer,
    /// Tokens are named like the issuer, but registered at another address: the server has moved, or another pretends
    /// to be it.
    #[error("the tokens of this issuer are registered at another server")]
    OtherServer,
}

/// Why there is no token to sign in with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoToken {
    /// Tokens of the issuer are there, but none is registered: they came from a QR code or another app.
    #[error("the tokens of this issuer are not registered in this app")]
    NotRegistered(Vec<TokenId>),
    /// Nothing has the issuer's name and nothing is registered at the server.
    #[error("no token belongs to this server")]
    NoMatch,
}

/// Picks the token for a sign-in at `server` (its address), which calls itself `issuer`, from the app with the id `app`.
/// Only a token that is registered at this very server under this issuer is taken without asking, so that no server gets
/// the code of another. One that is registered to another app, or moved there, counts as not registered.
pub fn pick<'a>(tokens: impl IntoIterator<Item = &'a Token>, server: &str, issuer: &str, app: &str) -> Answer {
    let (server, issuer) = (address(server), fold(issuer));
    let (mut both, mut here, mut named, mut unregistered) = (vec![], vec![], vec![], vec![]);
    for token in tokens {
        let is_named = !issuer.is_empty() && fold(&token.spec.issuer) == issuer;
        let is_here = |registration: &Registration| address(&registration.server) == server;
        let own = token.registration.as_ref().filter(|held| held.app_id == app && held.moved_at.is_none());
        match (own.map(is_here), is_named) {
            (Some(true), true) => both.push(token.id),
            (Some(true), false) => here.push(token.id),
            (Some(false), true) => named.push(token.id),
            (None, true) => unregistered.push(token.id),
            (Some(false) | None, false) => {}
        }
    }
    if let [only] = both[..] {
        return Answer::One(only);
    }
    let asked = [(both, Ask::Several), (here, Ask::OtherIssuer), (named, Ask::OtherServer)];
    if let Some((tokens, because)) = asked.into_iter().find(|(tokens, _)| !tokens.is_empty()) {
        return Answer::Ask { tokens, because };
    }
    Answer::None(if unregistered.is_empty() { NoToken::NoMatch } else { NoToken::NotRegistered(unregistered) })
}

/// A server's address as it is compared: scheme and host in lower case, without the usual port and a closing slash.
pub fn address(server: &str) -> String {
    let server = server.trim().trim_end_matches('/');
    let host_at = server.find("://").map_or(0, |at| at + 3);
    let path_at = server[host_at..].find('/').map_or(server.len(), |at| host_at + at);
    let (host, path) = server.split_at(path_at);
    let host = host.to_lowercase();
    let usual_port = match host.split_once("://") {
        Some(("https", _)) => ":443",
        Some(("http", _)) => ":80",
        _ => "",
    };
    format!("{}{path}", host.strip_suffix(usual_port).unwrap_or(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_however_they_are_typed() {
        for (a, b) in [
            (" Corp PAM\u{a0}", "corp pam"),
            ("STRASSE", "straße"),
            ("Straẞe", "strasse"),
            ("paſſword", "PASSWORD"),
            ("ΟΔΟΣ", "οδος"),
            ("οδος", "οδοσ"),
            ("Ｃｏｒｐ", "corp"),
            ("ﬁrma", "FIRMA"),
            ("Cafe\u{301}", "CAFÉ"),
            ("№ 5", "no 5"),
            ("İ", "i\u{307}"),
            ("ᾳ", "ΑΙ"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        for (a, b) in [("i", "İ"), ("i", "ı"), ("Corp", "Corp."), ("e", "é"), ("a b", "ab"), ("", "a")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn a_search_overlooks_marks_and_the_dot_of_i() {
        for (typed, name) in [
            ("istanbul", "İstanbul"),
            ("ISTANBUL", "İstanbul"),
            ("ıstanbul", "İstanbul"),
            ("cafe", "Café"),
            ("CAFE\u{301}", "cafe"),
            ("jurgen", "Jürgen"),
            ("diş", "DIS"),
            ("strasse", "Straße"),
        ] {
            assert_eq!(search_key(typed), search_key(name), "{typed} {name}");
        }
        for (a, b) in [("Corp", "Corp."), ("a b", "ab"), ("l", "i"), ("कि", "का")] {
            assert_ne!(search_key(a), search_key(b), "{a} {b}");
        }
    }

    #[test]
    fn an_address_is_one_however_it_is_typed() {
        for (a, b) in [
            ("https://PAM.corp.example/", "https://pam.corp.example"),
            ("https://pam.example:443/x/", "HTTPS://pam.example/x"),
            ("http://pam.example:80", "http://pam.example"),
        ] {
            assert_eq!(address(a), address(b), "{a} {b}");
        }
        for (a, b) in [
            ("https://pam.example", "http://pam.example"),
            ("https://pam.example:8443", "https://pam.example"),
            ("https://pam.example/A", "https://pam.example/a"),
            ("https://pam.example", "https://pam.example.evil"),
        ] {
            assert_ne!(address(a), address(b), "{a} {b}");
        }
    }
}
