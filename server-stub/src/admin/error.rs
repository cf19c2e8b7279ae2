//! Why something was not done.

use countersign_core::uri;

use crate::{
    domain::{
        links::LinkError,
        policy::SettingError,
        scope::ScopeError,
        second_factor::Unfit,
        users::{EmailError, NameError, PasswordError, PhoneError},
    },
    password::HashFailed,
    store::StoreError,
};

/// Why something was not done. Nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// A name that cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A phone number that is none.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// A mail address that is none.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// A password that cannot be kept or sent.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A setting that does not exist, or a value that it does not take.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A setting of the whole server was given to a group.
    #[error("{0} is of the whole server, not of a group")]
    PerServer(&'static str),
    /// A setting that says where secrets go, and whoever asks may not lead them elsewhere.
    #[error("{0} says where stored secrets are sent: only with the scope admin is it changed")]
    LeadsSecrets(&'static str),
    /// A sender that lacks what it needs.
    #[error("{0}")]
    Sender(String),
    /// A link that is no token.
    #[error("the link: {0}")]
    Link(#[from] uri::UriError),
    /// A token that is no second factor here.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// A token that the user has.
    #[error("{0} has this token already: two of one secret would take each code twice")]
    HasToken(String),
    /// A token that the user's policy does not admit.
    #[error("the policy of {user} admits no {kind} token here ({setting})")]
    NotAdmitted {
        /// Whose.
        user: String,
        /// The kind.
        kind: &'static str,
        /// The setting that says so.
        setting: &'static str,
    },
    /// An enrollment link that was not made.
    #[error(transparent)]
    Enrollment(LinkError),
    /// A link would go out to people, and nobody has said what address leads here for them.
    #[error(
        "the link would lead nowhere from the user's device: this server has no public address. Set it first: \
         settings set public_url https://NAME"
    )]
    NoAddress,
    /// A way for a link that there is not.
    #[error("a link goes via sms, email or link")]
    Via,
    /// A scope that does not exist.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// A key that may nothing.
    #[error("a key needs a scope")]
    NoScope,
    /// A key that would be allowed more than who makes it.
    #[error("a key cannot be allowed more than the one that makes it")]
    ScopeBeyond,
    /// No memory for the password's hash.
    #[error(transparent)]
    Hash(#[from] HashFailed),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LinkError> for AdminError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Store(error) => Self::Store(error),
            error => Self::Enrollment(error),
        }
    }
}

impl AdminError {
    /// The stable code, the same on the command line as in the API.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::HasToken(_) => "exists",
            Self::NoAddress => "public_url_missing",
            Self::ScopeBeyond => "scope_beyond",
            Self::LeadsSecrets(_) => "scope_missing",
            Self::Hash(_) => "unavailable",
            Self::Store(error) => error.code(),
            _ => "field_invalid",
        }
    }

    /// The field of a request that was wrong.
    pub(crate) fn field(&self) -> Option<&str> {
        Some(match self {
            Self::Name(_) => "name",
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
            Self::Password(_) => "password",
            Self::Setting(SettingError::Unknown(_)) | Self::PerServer(_) => "policy",
            Self::Setting(SettingError::Value { name, .. }) => name,
            Self::Sender(_) => "value",
            Self::Link(_) | Self::Unfit(_) | Self::HasToken(_) | Self::NotAdmitted { .. } => "uri",
            Self::Enrollment(LinkError::NoPhone) => "phone",
            Self::Enrollment(LinkError::NoEmail) => "email",
            Self::Store(StoreError::Contradiction { .. }) => "first_kind",
            Self::Via => "via",
            Self::Scope(_) | Self::NoScope => "scopes",
            _ => return None,
        })
    }
}
