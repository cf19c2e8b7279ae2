//! Which token a sign-in uses, and why.

use countersign_core::{
    matching::{self, Answer, Ask, NoToken},
    token::TokenId,
    vault::{Content, content::servers::Server},
};

use super::keep::{OwnApps, Standing, own_app};

/// The token, or what is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This one.
    Token {
        /// Which.
        id: TokenId,
        /// Why.
        why: Why,
    },
    /// The user has to say which.
    Ask {
        /// Those that may be meant.
        tokens: Vec<TokenId>,
        /// Why none is taken.
        because: Ask,
    },
    /// There is none: the way is to registration.
    None(NoToken),
}

/// Why a token was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is registered at the server, and its name is the server's issuer.
    Issuer,
    /// The user chose it the last time.
    Remembered,
}

/// Picks the token for signing in at a server that calls itself `issuer`. Only this app's own tokens there count: a code
/// of another would tell it to somebody whom it is not for.
pub fn pick(content: &Content, server: &Server, issuer: &str) -> Choice {
    let app = own_app(server).unwrap_or_default();
    let remembered = server.chosen.and_then(|id| content.token(id)).filter(|token| {
        OwnApps::of(content).standing(token) == Some(Standing::Here)
            && token.registration.as_ref().is_some_and(|registration| {
                matching::address(&registration.server) == matching::address(&server.address)
            })
    });
    if let Some(token) = remembered {
        return Choice::Token { id: token.id, why: Why::Remembered };
    }
    match matching::pick(content.tokens(), &server.address, issuer, &app) {
        Answer::One(id) => Choice::Token { id, why: Why::Issuer },
        Answer::Ask { tokens, because } => Choice::Ask { tokens, because },
        Answer::None(why) => Choice::None(why),
    }
}
