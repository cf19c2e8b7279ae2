//! What a token is: who it answers to, how its codes are made, and what the user added to it.

mod kind;
mod secret;

pub use kind::{
    Algorithm, Digits, InvalidDigits, InvalidPeriod, Kind, KindName, Period, UnknownAlgorithm, UnknownKind,
};
pub use secret::{SecretError, TokenSecret};

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The longest issuer, account, note or parameter that is taken, in bytes. Longer texts are an error, never cut.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Identifies a token for as long as it lives, in the vault and on the command line. Random, shown hyphenated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(Uuid);

/// Identifies a group of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(Uuid);

/// The text is not an identifier (32 hexadecimal digits, hyphens allowed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct InvalidId;

macro_rules! identifier {
    ($name:ident) => {
        impl $name {
            /// Makes an identifier of 16 random bytes (UUID version 4, RFC 9562).
            pub fn from_random(bytes: [u8; 16]) -> Self {
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }

            /// Its 16 bytes.
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    };
}

identifier!(TokenId);
identifier!(GroupId);

/// What a QR code, a URI or a form says of a token: everything that its codes and its name need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSpec {
    /// Who issued the token; empty where nobody is named.
    pub issuer: String,
    /// The account at the issuer; empty where none is named.
    pub account: String,
    /// The algorithm and its parameters.
    pub kind: Kind,
    /// The shared secret.
    pub secret: TokenSecret,
    /// The issuer that the label named, where it differs from the `issuer` parameter.
    pub label_issuer: Option<String>,
    /// Parameters of the URI that mean nothing to Countersign, in their order, decoded. They are written back.
    pub uri_parameters: Vec<(String, String)>,
}

impl TokenSpec {
    /// Whether both make the same codes: same secret and same parameters (a counter may differ).
    pub fn same_codes(&self, other: &Self) -> bool {
        self.secret.bytes() == other.secret.bytes() && self.kind.same_parameters(&other.kind)
    }

    /// The issuer and account in one line, as a list shows them: `Issuer (account)`, or the one that there is.
    pub fn title(&self) -> String {
        match (self.issuer.is_empty(), self.account.is_empty()) {
            (false, false) => format!("{} ({})", self.issuer, self.account),
            (false, true) => self.issuer.clone(),
            (true, _) => self.account.clone(),
        }
    }
}

/// Which app a token is registered to, as the server said. A reference: the app's key is never here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The server's address.
    pub server: String,
    /// The token's identifier at the server.
    pub token_id: String,
    /// The identifier of the app that the token is bound to.
    pub app_id: String,
    /// When it was registered, in Unix seconds.
    pub registered_at: u64,
    /// When it stopped working in this app because another took it, as far as this one heard, in Unix seconds.
    pub moved_at: Option<u64>,
    /// It was taken back by the server then, and no other app has it.
    pub taken_back: bool,
    /// Whether the server lets its secret leave this app.
    pub exportable: bool,
}

/// Earlier values of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// When these values were replaced, in Unix seconds.
    pub replaced_at: u64,
    /// The values as they were.
    pub spec: TokenSpec,
    /// The note as it was.
    pub note: String,
}

/// A token in the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its identifier.
    pub id: TokenId,
    /// Its name and how its codes are made.
    pub spec: TokenSpec,
    /// The groups it is in.
    pub groups: Vec<GroupId>,
    /// Whether it is shown first.
    pub favourite: bool,
    /// What the user wrote about it.
    pub note: String,
    /// The name of its icon, where one was chosen.
    pub icon: Option<String>,
    /// When it was added, in Unix seconds.
    pub created_at: u64,
    /// When it was last changed, in Unix seconds. A code that was made is not a change.
    pub updated_at: u64,
    /// When its code was last copied or shown on demand, in Unix seconds.
    pub used_at: Option<u64>,
    /// How often its code was copied or shown on demand.
    pub use_count: u64,
    /// The server registration, for a token that a server handed out.
    pub registration: Option<Registration>,
    /// Earlier values, oldest first.
    pub history: Vec<Revision>,
}

impl Token {
    /// Whether its secret may leave this app as it is: the server that handed it out has a say in that.
    pub fn may_leave(&self) -> bool {
        self.registration.as_ref().is_none_or(|registration| registration.exportable)
    }
}

/// A group of tokens. A token may be in many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its identifier.
    pub id: GroupId,
    /// Its name as shown.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_survives_its_text() {
        let id = TokenId::from_random([7; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("not-an-id".parse::<TokenId>(), Err(InvalidId));
    }
}
