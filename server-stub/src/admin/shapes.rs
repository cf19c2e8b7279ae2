//! What the admin API takes and answers, and what the command line prints with `--json`. Times are RFC 3339.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};

use super::texts::{EmailText, GroupText, LinkText, NameText, PhoneText, ScopeText, ViaText};
use crate::{
    domain::{
        audit::Entry,
        policy::{Setting as Known, Settings},
    },
    store::{admin as rows, outbox, registration::Binding},
};

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
    /// How many tokens there are.
    pub token_count: i64,
    /// When the user was added.
    pub created_at: String,
}

impl User {
    pub(super) fn new(user: rows::User) -> Self {
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
    /// The tokens.
    pub tokens: Vec<Token>,
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
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
}

fn hundred() -> u32 {
    100
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
    #[schema(min_length = 1)]
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
    #[schema(min_length = 1)]
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
    /// Whether `public_url` is set; otherwise the link leads to the address that the server was asked at.
    pub address_set: bool,
}

/// What opens a registration must not end in a log.
impl fmt::Debug for SentLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentLink").field("sent", &self.sent).finish_non_exhaustive()
    }
}

/// A group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Group {
    /// The name.
    pub name: String,
    /// How many users are in it.
    pub users: i64,
    /// The settings that differ from the server's.
    pub policy: BTreeMap<String, String>,
}

impl From<rows::Group> for Group {
    fn from(row: rows::Group) -> Self {
        Self { name: row.name, users: row.users, policy: row.policy }
    }
}

/// A group to be added.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewGroup {
    /// The name.
    #[schema(value_type = NameText)]
    pub name: String,
    /// The settings that differ from the server's.
    #[serde(default)]
    pub policy: BTreeMap<String, String>,
}

/// What is changed of a group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct GroupChange {
    /// Settings and their values; one without a value goes back to the server's.
    pub policy: BTreeMap<String, Option<String>>,
}

/// A setting.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// What it takes, in words.
    pub takes: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whether a group may have its own.
    pub per_group: bool,
}

impl Setting {
    pub(super) fn new(known: &Known, all: &Settings) -> Self {
        let Known { name, takes, about, per_group, .. } = *known;
        Self { name, value: all.get(known), takes, about, per_group }
    }
}

/// A setting's value.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct SettingValue {
    /// As text.
    pub value: String,
}

/// An app that has a token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct App {
    /// Whose.
    pub user: String,
    /// The app's id.
    pub app: String,
    /// The app's name.
    pub name: String,
    /// Its platform.
    pub platform: String,
    /// The token.
    pub token: String,
    /// Since when.
    pub bound_at: String,
}

impl From<Binding> for App {
    fn from(row: Binding) -> Self {
        Self {
            user: row.user,
            app: row.app_id,
            name: row.app_name,
            platform: row.platform,
            token: row.credential_id,
            bound_at: instant(row.bound_at),
        }
    }
}

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Those after this number, oldest first. Without it the newest, oldest of them first.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// Those of one user.
    #[param(min_length = 1, max_length = 128, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    pub user: Option<String>,
    /// How many, 1 to 1000.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
}

/// Events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The events.
    pub entries: Vec<AuditEntry>,
    /// What to ask for what comes after with.
    pub next: Option<i64>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: String,
    /// What.
    pub event: String,
    /// Whom it concerns.
    pub user_id: Option<String>,
    /// More; `by` is who asked for it.
    #[schema(value_type = Object)]
    pub detail: Value,
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            at: instant(entry.at / 1000),
            event: entry.event,
            user_id: entry.user_id,
            detail: serde_json::from_str(&entry.detail).unwrap_or_else(|_| Value::Object(serde_json::Map::new())),
        }
    }
}

/// Whether the audit log is whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditCheck {
    /// Whether it is.
    pub whole: bool,
    /// How many entries it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<i64>,
    /// Where it breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A message on its way out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message {
    /// The id.
    pub id: String,
    /// `sms` or `mail`.
    pub channel: &'static str,
    /// Where to.
    pub recipient: String,
    /// The text, where it is shown.
    pub text: Option<String>,
    /// `waiting`, `sending`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub tries: i64,
    /// What the last try ended with.
    pub reason: Option<String>,
    /// What the gateway calls it.
    pub gateway_id: Option<String>,
    /// When it was written.
    pub created_at: String,
    /// When it was sent.
    pub sent_at: Option<String>,
}

impl Message {
    pub(super) fn new(message: outbox::Message, text: bool) -> Self {
        let body = match message.channel {
            outbox::Channel::Sms => message.body,
            outbox::Channel::Mail => format!("{}: {}", message.subject, message.body),
        };
        Self {
            id: message.id,
            channel: message.channel.name(),
            recipient: message.recipient,
            text: text.then_some(body),
            state: message.state,
            tries: message.tries,
            reason: message.reason,
            gateway_id: message.gateway_id,
            created_at: instant(message.created_at),
            sent_at: message.sent_at.map(instant),
        }
    }
}

/// An API key to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewKey {
    /// What the other system is called.
    #[schema(value_type = NameText)]
    pub name: String,
    /// What it may do.
    #[schema(min_items = 1, value_type = Vec<ScopeText>)]
    pub scopes: Vec<String>,
}

/// An API key that was made.
#[derive(Clone, Serialize, ToSchema)]
pub struct MadeKey {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The key. It is shown this once.
    pub key: String,
}

/// An API key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKey {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: String,
}

impl From<rows::ApiKey> for ApiKey {
    fn from(row: rows::ApiKey) -> Self {
        Self { name: row.name, scopes: row.scopes, created_at: instant(row.created_at) }
    }
}

/// An instant as RFC 3339 writes it, from Unix seconds.
pub(crate) fn instant(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}
