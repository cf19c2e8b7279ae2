//! What the admin API takes and answers, and what the command line prints with `--json`. Times are RFC 3339.

mod users;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};

pub use users::{
    NewLink, NewToken, NewUser, Reset, ResetMode, ResetReply, SentLink, Token, User, UserChange, UserDetail, UserPage,
    UserQuery,
};

use super::texts::{NameText, ScopeText};
use crate::{
    domain::{
        audit::Entry,
        policy::{Setting as Known, Settings},
        shown::{MAX_APP_NAME, app_name, tame},
    },
    store::{
        admin as rows,
        apps::{Binding, Revoked},
        outbox,
    },
};

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
    /// What is to be known of this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<&'static str>,
}

impl Setting {
    pub(in crate::admin) fn new(known: &Known, all: &Settings) -> Self {
        let Known { name, takes, about, per_group, .. } = *known;
        let value = all.get(known);
        Self { name, warning: known.warning(&value), value, takes, about, per_group }
    }
}

/// A setting's value.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct SettingValue {
    /// As text; none goes back to the default.
    pub value: Option<String>,
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
            name: app_name(&row.app_name, &row.platform, MAX_APP_NAME),
            platform: tame(&row.platform),
            token: row.credential_id,
            bound_at: instant(row.bound_at),
        }
    }
}

/// Apps by the names of their users, as many as were asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AppPage {
    /// The apps.
    pub apps: Vec<App>,
    /// What to ask the next page with; none after the last.
    pub next: Option<String>,
}

/// Which apps.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AppQuery {
    /// Those after the page whose `next` this is.
    #[serde(default)]
    pub after: String,
    /// How many, 1 to 1000.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
}

/// An app that was taken away from a user.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RevokedApp {
    /// Whose.
    pub user: String,
    /// The app's id.
    pub app: String,
    /// The app's name.
    pub name: String,
    /// Its platform.
    pub platform: String,
    /// The token that it had; none where a registration was under way only.
    pub token: Option<String>,
    /// Since when.
    pub bound_at: Option<String>,
    /// How many registrations under way have ended.
    pub registrations_ended: u64,
}

impl From<Revoked> for RevokedApp {
    fn from(row: Revoked) -> Self {
        let (token, bound_at) = row.token.unzip();
        Self {
            user: row.user,
            app: row.app_id,
            name: app_name(&row.app_name, &row.platform, MAX_APP_NAME),
            platform: tame(&row.platform),
            token,
            bound_at: bound_at.map(instant),
            registrations_ended: row.registrations,
        }
    }
}

fn hundred() -> u32 {
    100
}

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Those after this number, oldest first. Without it the newest, oldest of them first.
    #[param(minimum = 0)]
    pub after: Option<i64>,
    /// Those of one user: the name, also of one who was deleted, or the id.
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
    /// That user's name, while there is one.
    pub user: Option<String>,
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
            user: None,
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

/// Messages, newest first, as many as were asked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// What to ask the next page, of older ones, with; none after the last.
    pub next: Option<String>,
}

/// Which messages.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MessageQuery {
    /// Those after the page whose `next` this is.
    #[param(format = Uuid)]
    pub after: Option<String>,
    /// How many, 1 to 1000.
    #[serde(default = "hundred")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: u32,
}

impl Message {
    pub(in crate::admin) fn new(message: outbox::Message, text: bool) -> Self {
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
