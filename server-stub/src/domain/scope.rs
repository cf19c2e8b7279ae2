//! What an API key may do.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// One thing that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All that follows, what will follow, and changes of administrators.
    Admin,
    /// `/api/v1/verify` and `/validate/check`.
    Verify,
    /// List and show users.
    UsersRead,
    /// Add, change, reset, unlock and delete users.
    UsersWrite,
    /// List groups.
    GroupsRead,
    /// Add, change and delete groups.
    GroupsWrite,
    /// Show settings.
    SettingsRead,
    /// Change settings.
    SettingsWrite,
    /// List tokens.
    TokensRead,
    /// Add and delete tokens.
    TokensWrite,
    /// List apps.
    AppsRead,
    /// Take tokens away from their apps.
    AppsWrite,
    /// Read and check the audit log.
    AuditRead,
    /// List messages, without their texts.
    OutboxRead,
    /// List API keys.
    KeysRead,
    /// Make and revoke API keys that may no more than this one.
    KeysWrite,
    /// `/metrics`.
    Metrics,
}

/// Every scope with its name and what it opens.
pub const SCOPES: &[(Scope, &str, &str)] = &[
    (Scope::Admin, "admin", "everything"),
    (Scope::Verify, "verify", "ask whether a code is right"),
    (Scope::UsersRead, "users:read", "list and show users"),
    (Scope::UsersWrite, "users:write", "add, change, reset, unlock and delete users who are no administrators"),
    (Scope::GroupsRead, "groups:read", "list groups"),
    (Scope::GroupsWrite, "groups:write", "add, change and delete groups"),
    (Scope::SettingsRead, "settings:read", "show settings"),
    (Scope::SettingsWrite, "settings:write", "change settings"),
    (Scope::TokensRead, "tokens:read", "list tokens"),
    (Scope::TokensWrite, "tokens:write", "add and delete tokens"),
    (Scope::AppsRead, "apps:read", "list apps"),
    (Scope::AppsWrite, "apps:write", "take tokens away from their apps"),
    (Scope::AuditRead, "audit:read", "read and check the audit log"),
    (Scope::OutboxRead, "outbox:read", "list messages, without their texts"),
    (Scope::KeysRead, "keys:read", "list API keys"),
    (Scope::KeysWrite, "keys:write", "make and revoke API keys that may no more than this one"),
    (Scope::Metrics, "metrics", "read /metrics"),
];

impl Scope {
    /// Its name.
    pub fn name(self) -> &'static str {
        SCOPES.iter().find(|(scope, ..)| *scope == self).map_or("", |(_, name, _)| name)
    }
}

/// There is no such scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scope {0:?}; there are {list}", list = names())]
pub struct ScopeError(String);

fn names() -> String {
    SCOPES.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let found = SCOPES.iter().find(|(_, name, _)| *name == text);
        found.map(|(scope, ..)| *scope).ok_or_else(|| ScopeError(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a key may do, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Everything.
    pub fn all() -> Self {
        Self([Scope::Admin].into())
    }

    /// Reads names.
    ///
    /// # Errors
    ///
    /// One of them is no scope.
    pub fn parse(names: &[String]) -> Result<Self, ScopeError> {
        names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map(Self)
    }

    /// Reads names as they were kept. One of a newer server opens nothing here.
    pub fn from_stored(names: &[String]) -> Self {
        Self(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Whether it may.
    pub fn may(&self, scope: Scope) -> bool {
        self.0.contains(&scope) || self.0.contains(&Scope::Admin)
    }

    /// Whether whoever may this may all of `other`.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.may(*scope))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|scope| scope.name().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hands_on_no_more_than_it_has() {
        let of = |names: &[&str]| Scopes::parse(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let some = of(&["users:read", "keys:write"]).unwrap();
        assert!(some.may(Scope::UsersRead) && !some.may(Scope::UsersWrite));
        assert!(some.covers(&of(&["users:read"]).unwrap()));
        assert!(!some.covers(&of(&["users:read", "audit:read"]).unwrap()));
        assert!(!some.covers(&Scopes::all()));
        assert!(Scopes::all().covers(&some));
        assert!(of(&["users"]).unwrap_err().to_string().contains("users:read"));
        for (scope, name, _) in SCOPES {
            assert_eq!(name.parse::<Scope>().unwrap(), *scope);
        }
    }
}
