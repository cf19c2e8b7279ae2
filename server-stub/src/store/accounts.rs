//! Users as an administrator adds, lists, changes and deletes them.

mod change;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Kind, Store, StoreError, users};
use crate::{
    domain::{audit::Event, policy::Policy, users::Name},
    seal::Keys,
    service::Now,
};

/// A user as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: String,
    /// The name as it was given.
    pub name: String,
    /// The number that codes go to.
    pub phone: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The group's name.
    pub group: Option<String>,
    /// Whether there is a password.
    pub has_password: bool,
    /// What the user may.
    pub rights: Rights,
    /// Wrong codes in a row.
    pub failures: i64,
    /// Until when attempts are refused, in Unix seconds; 0 where they are not.
    pub blocked_until: i64,
    /// Since when the second factor is locked, in Unix seconds.
    pub locked_at: Option<i64>,
    /// Wrong passwords in a row.
    pub password_failures: i64,
    /// Until when passwords are refused, in Unix seconds; 0 where they are not.
    pub password_blocked_until: i64,
    /// How many tokens there are.
    pub tokens: i64,
    /// When the user was added, in Unix seconds.
    pub created_at: i64,
}

/// What a user may that others may not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Administers the server.
    pub administrator: bool,
    /// Signs in without a second factor.
    pub exempt: bool,
}

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The id.
    pub id: String,
    /// The name.
    pub name: Name,
    /// The number that codes go to.
    pub phone: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// The group's name.
    pub group: Option<Name>,
    /// The password's Argon2id hash.
    pub password_hash: Option<String>,
}

/// What is changed of a user. Outer `None`: it stays; inner `None`: it is taken away.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The number.
    pub phone: Option<Option<String>>,
    /// The mail address.
    pub email: Option<Option<String>>,
    /// The group's name.
    pub group: Option<Option<Name>>,
    /// The password's hash.
    pub password_hash: Option<Option<String>>,
    /// Whether the user administers the server.
    pub administrator: Option<bool>,
    /// Whether the user signs in without a second factor.
    pub exempt: Option<bool>,
}

macro_rules! user_sql {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.name, u.phone, u.email, g.name, CASE WHEN u.password_hash IS NULL THEN CAST(0 AS BIGINT) ",
            "ELSE CAST(1 AS BIGINT) END, u.failures, u.blocked_until, u.locked_at, u.created_at, ",
            "(SELECT count(*) FROM credentials c WHERE c.user_id = u.id), u.administrator, u.exempt, ",
            "u.password_failures, u.password_blocked_until ",
            "FROM users u LEFT JOIN groups g ON g.id = u.group_id ",
            $rest
        )
    };
}

fn user(row: &AnyRow) -> Result<User, StoreError> {
    Ok(User {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        phone: row.try_get(2)?,
        email: row.try_get(3)?,
        group: row.try_get(4)?,
        has_password: row.try_get::<i64, _>(5)? == 1,
        failures: row.try_get(6)?,
        blocked_until: row.try_get(7)?,
        locked_at: row.try_get(8)?,
        created_at: row.try_get(9)?,
        tokens: row.try_get(10)?,
        password_failures: row.try_get(13)?,
        password_blocked_until: row.try_get(14)?,
        rights: Rights { administrator: row.try_get::<i64, _>(11)? == 1, exempt: row.try_get::<i64, _>(12)? == 1 },
    })
}

async fn group_id(connection: &mut AnyConnection, name: Option<&Name>) -> Result<Option<String>, StoreError> {
    let Some(name) = name else { return Ok(None) };
    let row = sqlx::query("SELECT id FROM groups WHERE folded = $1")
        .bind(name.folded())
        .fetch_optional(connection)
        .await?
        .ok_or(StoreError::Missing("group"))?;
    Ok(Some(row.try_get(0)?))
}

async fn insert(connection: &mut AnyConnection, new: &NewUser, rights: Rights, now: Now) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO users \
        (id, name, folded, phone, email, group_id, password_hash, created_at, administrator, exempt) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let group = group_id(connection, new.group.as_ref()).await?;
    sqlx::query(SQL)
        .bind(&new.id)
        .bind(new.name.shown())
        .bind(new.name.folded())
        .bind(new.phone.clone())
        .bind(new.email.clone())
        .bind(group)
        .bind(new.password_hash.clone())
        .bind(now.seconds())
        .bind(i64::from(rights.administrator))
        .bind(i64::from(rights.exempt))
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// The id of a user that whoever asks may change.
    pub(crate) async fn changeable(&self, connection: &mut AnyConnection, name: &Name) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT id, administrator FROM users WHERE folded = $1")
            .bind(name.folded())
            .fetch_optional(connection)
            .await?
            .ok_or(StoreError::Missing("user"))?;
        if row.try_get::<i64, _>(1)? == 1 && !self.over_administrators() {
            return Err(StoreError::Administrator);
        }
        Ok(row.try_get(0)?)
    }

    /// The same, whose row nobody else changes until the transaction ends.
    pub(crate) async fn locked(&self, connection: &mut AnyConnection, name: &Name) -> Result<String, StoreError> {
        let lock = sqlx::query("UPDATE users SET failures = failures WHERE folded = $1").bind(name.folded());
        lock.execute(&mut *connection).await?;
        self.changeable(connection, name).await
    }

    /// Adds a user without any rights.
    pub async fn add_user(&self, keys: &Keys, new: &NewUser, now: Now) -> Result<(), StoreError> {
        self.add_users(keys, std::slice::from_ref(new), Rights::default(), now).await
    }

    /// Adds users: all or, where one cannot be added, none.
    pub async fn add_users(&self, keys: &Keys, all: &[NewUser], rights: Rights, now: Now) -> Result<(), StoreError> {
        if rights != Rights::default() && !self.over_administrators() {
            return Err(StoreError::Administrator);
        }
        let mut transaction = self.begin().await?;
        let mut events = Vec::with_capacity(all.len());
        for new in all {
            insert(&mut transaction, new, rights, now).await?;
            let mut detail = json!({ "name": new.name.shown() });
            if rights.administrator {
                detail["administrator"] = true.into();
            }
            events.push(Event::new(now, "user.added", Some(&new.id)).with(detail));
        }
        self.record(&mut transaction, keys, events).await?;
        Ok(transaction.commit().await?)
    }

    /// One user.
    pub async fn user(&self, name: &Name) -> Result<User, StoreError> {
        let row = sqlx::query(user_sql!("WHERE u.folded = $1"))
            .bind(name.folded())
            .fetch_optional(&self.readers)
            .await?
            .ok_or(StoreError::Missing("user"))?;
        user(&row)
    }

    /// The rules that a user lives under.
    pub async fn policy_of(&self, name: &Name) -> Result<Policy, StoreError> {
        let id = self.user(name).await?.id;
        Ok(users::policy(&mut *self.readers.acquire().await?, &id).await?.1)
    }

    /// The names of the users of these ids who are still there.
    pub async fn user_names(&self, ids: &BTreeSet<&str>) -> Result<BTreeMap<String, String>, StoreError> {
        let sql = match self.kind {
            Kind::Sqlite => "SELECT id, name FROM users WHERE id IN (SELECT value FROM json_each($1))",
            Kind::Postgres => {
                "SELECT id, name FROM users WHERE id IN (SELECT json_array_elements_text(CAST($1 AS json)))"
            }
        };
        let rows = sqlx::query(sql).bind(json!(ids).to_string()).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Users in the order of their folded names, after that one.
    pub async fn users_after(&self, folded: &str, most: i64) -> Result<Vec<(String, User)>, StoreError> {
        self.users_like("", folded, most).await
    }

    /// Users whose folded name holds that text, in the order of their folded names, after that one.
    pub async fn users_like(&self, part: &str, after: &str, most: i64) -> Result<Vec<(String, User)>, StoreError> {
        const SQL: &str = user_sql!("WHERE u.folded > $1 ORDER BY u.folded LIMIT $2");
        const LIKE: &str = user_sql!("WHERE u.folded > $1 AND u.folded LIKE $3 ESCAPE '\\' ORDER BY u.folded LIMIT $2");
        let pattern = part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let query = if part.is_empty() {
            sqlx::query(SQL).bind(after).bind(most)
        } else {
            sqlx::query(LIKE).bind(after).bind(most).bind(format!("%{pattern}%"))
        };
        let rows = query.fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let user = user(row)?;
                Ok((countersign_core::matching::fold(&user.name), user))
            })
            .collect()
    }
}
