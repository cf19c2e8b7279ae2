//! Users and their tokens.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    super::texts::{EmailText, GroupText, LinkText, NameText, PhoneText, ViaText},
    instant,
};
use crate::store::admin as rows;

/// A user.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: String,
    /// The name as it was given.
    pub name: String,
    /// The number that codes go to.
    pub phone: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The group.
    pub group: Option<String>,
    /// Whether the user administers the server.
    pub administrator: bool,
    /// Whether the user signs in without a second factor.
    pub exempt: bool,
    /// Whether there is a password.
    pub has_password: bool,
    /// Wrong codes in a row.
    pub failures: i64,
    /// Until when codes are refused.
    pub blocked_until: Option<String>,
    /// Since when the second factor is locked.
    pub locked_at: Option<String>,
    /// Wrong passwords in a row.
    pub password_failures: i64,
    /// Until when passwords are refused, also right ones.
    pub password_blocked_until: Option<String>,
    /// How many tokens there are.
    pub token_count: i64,
    /// When the user was added.
    pub created_at: String,
}

impl User {
    pub(in crate::admin) fn new(user: rows::User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            phone: user.phone,
            email: user.email,
            group: user.group,
            administrator: user.rights.administrator,
            exempt: user.rights.exempt,
            has_password: user.has_password,
            failures: user.failures,
            blocked_until: (user.blocked_until > 0).then(|| instant(user.blocked_until)),
            locked_at: user.locked_at.map(instant),
            password_failures: user.password_failures,
            password_blocked_until: (user.password_blocked_until > 0).then(|| instant(user.password_blocked_until)),
            token_count: user.tokens,
            created_at: instant(user.created_at),
        }
    }
}

/// A user with the tokens.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserDetail {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The tokens, for whoever may list them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<Token>>,
}

/// Users by name, as many as were asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserPage {
    /// The users.
    pub users: Vec<User>,
    /// What to ask the next page with; none after the last.
    pub next: Option<String>,
}

/// Which users.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserQuery {
    /// Those whose names hold this text.
    #[serde(default)]
    pub search: String,
    /// Those after the page whose `next` this is.
    #[serde(default)]
    pub after: String,
    /// How many, 1 to 1000.
    #[serde(default = "super::hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
}

/// A user to be added.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct NewUser {
    /// The name; spelling, case and Unicode form make no difference.
    #[schema(value_type = NameText)]
    pub name: String,
    /// The phone number, as in +49 170 1234567.
    #[serde(default)]
    #[schema(value_type = Option<PhoneText>)]
    pub phone: Option<String>,
    /// The mail address.
    #[serde(default)]
    #[schema(value_type = Option<EmailText>)]
    pub email: Option<String>,
    /// The group.
    #[serde(default)]
    #[schema(value_type = Option<GroupText>)]
    pub group: Option<String>,
    /// The password.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1024)]
    pub password: Option<String>,
    /// Whether the user administers the server. Only with the scope `admin`.
    #[serde(default)]
    pub administrator: bool,
    /// Whether the user signs in without a second factor. Only with the scope `admin`.
    #[serde(default)]
    pub exempt: bool,
}

/// A password must not end in a log.
impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What is changed of a user: what is not named stays, an empty text takes away.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub struct UserChange {
    /// The phone number, as in +49 170 1234567.
    #[serde(default)]
    #[schema(value_type = Option<PhoneText>)]
    pub phone: Option<String>,
    /// The mail address.
    #[serde(default)]
    #[schema(value_type = Option<EmailText>)]
    pub email: Option<String>,
    /// The group.
    #[serde(default)]
    #[schema(value_type = Option<GroupText>)]
    pub group: Option<String>,
    /// The password. The user's sessions end.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1024)]
    pub password: Option<String>,
    /// Whether the user administers the server. Only with the scope `admin`.
    #[serde(default)]
    pub administrator: Option<bool>,
    /// Whether the user signs in without a second factor. Only with the scope `admin`.
    #[serde(default)]
    pub exempt: Option<bool>,
}

/// A password must not end in a log.
impl fmt::Debug for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserChange").finish_non_exhaustive()
    }
}

/// How to begin anew with a user's second factor.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub struct Reset {
    /// What becomes of the tokens.
    pub mode: ResetMode,
}

/// What becomes of a user's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResetMode {
    /// They are deleted with their secrets.
    Clear,
    /// They stay, and have to be confirmed by a code before they count again.
    Unconfirm,
}

/// What became of a user's tokens.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct ResetReply {
    /// How many were deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_deleted: Option<u64>,
    /// How many have to be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_unconfirmed: Option<u64>,
}

/// A token: everything but its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Token {
    /// The id.
    pub id: String,
    /// `totp` or `hotp`.
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// Whose it is, as its issuer says.
    pub account: String,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub algorithm: String,
    /// Digits of a code.
    pub digits: i64,
    /// Seconds of a step; none for a counter.
    pub period: Option<i64>,
    /// Whether a code of it was accepted.
    pub used: bool,
    /// Whether it counts. One that does not waits for a code.
    pub confirmed: bool,
    /// When it was added.
    pub created_at: String,
}

impl From<rows::TokenRow> for Token {
    fn from(row: rows::TokenRow) -> Self {
        Self {
            id: row.id,
            kind: row.columns.kind,
            issuer: row.columns.issuer,
            account: row.columns.account,
            algorithm: row.columns.algorithm,
            digits: row.columns.digits,
            period: (row.columns.period > 0).then_some(row.columns.period),
            used: row.last_step >= 0,
            confirmed: row.confirmed,
            created_at: instant(row.created_at),
        }
    }
}

/// A token of another server.
#[derive(Clone, Deserialize, ToSchema)]
pub struct NewToken {
    /// The `otpauth://` link.
    #[schema(value_type = LinkText)]
    pub uri: String,
}

/// Which ways an enrollment link goes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewLink {
    /// Any of `sms`, `email` and `link`, which answers it.
    #[schema(value_type = Vec<ViaText>)]
    pub via: Vec<String>,
}

/// An enrollment link that was made.
#[derive(Clone, Serialize, ToSchema)]
pub struct SentLink {
    /// The link, where it was asked for. Whoever has it can register.
    pub link: Option<String>,
    /// The ways on which it was written.
    pub sent: Vec<String>,
    /// Until when it is open.
    pub expires_at: String,
    /// Whether `public_url` is set; otherwise the link leads to the address that the server was asked at, or, where it was
    /// written to the console, too, to the one that the server has on its own machine.
    pub address_set: bool,
}

/// What opens a registration must not end in a log.
impl fmt::Debug for SentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentLink").field("sent", &self.sent).finish_non_exhaustive()
    }
}
