//! What several rooms ask of a user.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, Row as _};

use super::{Store, StoreError};
use crate::domain::policy::{Policy, Settings, TokenKind};

/// Where a user can be told something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// The number.
    pub phone: Option<String>,
    /// The mail address.
    pub email: Option<String>,
}

/// What is on file of a user.
pub async fn contact(connection: &mut AnyConnection, user_id: &str) -> Result<Contact, StoreError> {
    let row = sqlx::query("SELECT phone, email FROM users WHERE id = $1").bind(user_id).fetch_optional(connection);
    let row = row.await?.ok_or(StoreError::Missing("user"))?;
    Ok(Contact { phone: row.try_get(0)?, email: row.try_get(1)? })
}

/// A user's name as it was given.
pub async fn user_name(connection: &mut AnyConnection, user_id: &str) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT name FROM users WHERE id = $1").bind(user_id).fetch_optional(connection).await?;
    Ok(row.ok_or(StoreError::Missing("user"))?.try_get(0)?)
}

/// What is set, and the policy that a user lives under.
pub async fn policy(connection: &mut AnyConnection, user_id: &str) -> Result<(Settings, Policy), StoreError> {
    const SQL: &str = "SELECT g.policy FROM users u LEFT JOIN groups g ON g.id = u.group_id WHERE u.id = $1";
    let stored = Store::settings(&mut *connection).await?;
    let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let row = sqlx::query(SQL).bind(user_id).fetch_optional(connection).await?;
    let group: Option<String> = row.ok_or(StoreError::Missing("user"))?.try_get(0)?;
    let policy = settings.policy_of(group.as_deref());
    Ok((settings, policy))
}

/// The kinds of tokens that a user has.
pub async fn kinds(connection: &mut AnyConnection, user_id: &str) -> Result<BTreeSet<TokenKind>, StoreError> {
    let rows = sqlx::query("SELECT DISTINCT kind FROM credentials WHERE user_id = $1").bind(user_id);
    let rows = rows.fetch_all(connection).await?;
    rows.iter().map(|row| TokenKind::named(row.try_get(0)?).ok_or(StoreError::Damaged("credentials"))).collect()
}
