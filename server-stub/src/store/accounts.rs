//! Users as an administrator adds, changes, lists and deletes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Kind, Store, StoreError,
    login::{self, Validity},
    users, verify,
};
use crate::{
    domain::{audit::Event, notices::Teller, policy::Policy, texts::Notice, users::Name},
    seal::Keys,
    service::{Now, Random},
};

/// Seconds for which the session of a rescue is open.
const RESCUE_SECONDS: i64 = 3600;

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
    /// The password's hash. The user's sessions end with a change.
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
            "(SELECT count(*) FROM credentials c WHERE c.user_id = u.id), u.administrator, u.exempt ",
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

    /// Changes a user.
    ///
    /// The user is told of what others could use to come in, at what was on file before.
    pub async fn change_user(
        &self,
        keys: &Keys,
        random: &Random,
        name: &Name,
        change: &UserChange,
        now: Now,
    ) -> Result<(), StoreError> {
        if (change.administrator.is_some() || change.exempt.is_some()) && !self.over_administrators() {
            return Err(StoreError::Administrator);
        }
        let mut transaction = self.begin().await?;
        let id = self.changeable(&mut transaction, name).await?;
        let before = users::contact(&mut transaction, &id).await?;
        let mut notices = Vec::new();
        if change.phone.as_ref().is_some_and(|phone| *phone != before.phone) {
            notices.push(Notice::Phone);
        }
        if change.email.as_ref().is_some_and(|email| *email != before.email) {
            notices.push(Notice::Email);
        }
        if change.password_hash.is_some() {
            notices.push(Notice::Password);
        }
        let mut changed = serde_json::Map::new();
        let mut note = |what: &str, to: serde_json::Value| changed.insert(what.to_owned(), to);
        if let Some(phone) = &change.phone {
            note("phone", phone.is_some().into());
            let query = sqlx::query("UPDATE users SET phone = $1 WHERE id = $2").bind(phone.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(email) = &change.email {
            note("email", email.is_some().into());
            let query = sqlx::query("UPDATE users SET email = $1 WHERE id = $2").bind(email.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(group) = &change.group {
            note("group", group.as_ref().map(Name::shown).into());
            let group = group_id(&mut transaction, group.as_ref()).await?;
            let query = sqlx::query("UPDATE users SET group_id = $1 WHERE id = $2").bind(group);
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(hash) = &change.password_hash {
            note("password", hash.is_some().into());
            let query = sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2").bind(hash.clone());
            query.bind(&id).execute(&mut *transaction).await?;
            sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(administrator) = change.administrator {
            note("administrator", administrator.into());
            let query = sqlx::query("UPDATE users SET administrator = $1 WHERE id = $2").bind(i64::from(administrator));
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(exempt) = change.exempt {
            note("exempt", exempt.into());
            let query = sqlx::query("UPDATE users SET exempt = $1 WHERE id = $2").bind(i64::from(exempt));
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if !notices.is_empty() {
            let (_, policy) = users::policy(&mut transaction, &id).await?;
            for notice in notices {
                Teller { keys, random, now }.tell_at(&mut transaction, &before, &policy, notice).await?;
            }
        }
        let event = Event::new(now, "user.changed", Some(&id)).with(json!({ "changed": changed }));
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Opens a user's second factor again after wrong codes, and the password after wrong passwords.
    pub async fn unlock_user(&self, keys: &Keys, name: &Name, now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let id = self.changeable(&mut transaction, name).await?;
        forgive_all(&mut transaction, &id).await?;
        self.record(&mut transaction, keys, vec![Event::new(now, "user.unlocked", Some(&id))]).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes all of a user's tokens away; how many there were.
    pub async fn clear_user(&self, keys: &Keys, random: &Random, name: &Name, now: Now) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let id = self.changeable(&mut transaction, name).await?;
        let deleted = sqlx::query("DELETE FROM credentials WHERE user_id = $1").bind(&id).execute(&mut *transaction);
        let deleted = deleted.await?.rows_affected();
        verify::forgive(&mut transaction, &id).await?;
        if deleted > 0 {
            let (_, policy) = users::policy(&mut transaction, &id).await?;
            Teller { keys, random, now }.tell(&mut transaction, &id, &policy, Notice::Cleared).await?;
        }
        let event = Event::new(now, "user.cleared", Some(&id)).with(json!({ "tokens": deleted }));
        self.record(&mut transaction, keys, vec![event]).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// Has all of a user's tokens confirmed again; how many there are. Their secrets stay, their sessions end.
    pub async fn unconfirm_user(&self, keys: &Keys, random: &Random, name: &Name, now: Now) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE credentials SET unconfirmed_since = $1 WHERE user_id = $2";
        let mut transaction = self.begin().await?;
        let id = self.changeable(&mut transaction, name).await?;
        let tokens = sqlx::query(SQL).bind(now.seconds()).bind(&id).execute(&mut *transaction).await?.rows_affected();
        sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(&id).execute(&mut *transaction).await?;
        if tokens > 0 {
            let (_, policy) = users::policy(&mut transaction, &id).await?;
            Teller { keys, random, now }.tell(&mut transaction, &id, &policy, Notice::Unconfirmed).await?;
        }
        let event = Event::new(now, "user.unconfirmed", Some(&id)).with(json!({ "tokens": tokens }));
        self.record(&mut transaction, keys, vec![event]).await?;
        transaction.commit().await?;
        Ok(tokens)
    }

    /// Opens the door for an administrator who cannot sign in: takes the lost tokens away, forgives what was wrong, and
    /// sets what is changed. Opens a session (its id, and the hash of what opens it) where one is given. How many tokens
    /// there were.
    pub async fn rescue(
        &self,
        keys: &Keys,
        random: &Random,
        name: &Name,
        change: &UserChange,
        session: Option<(&str, &[u8; 32])>,
        now: Now,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let id = self.changeable(&mut transaction, name).await?;
        let rescued = sqlx::query("UPDATE users SET administrator = administrator WHERE id = $1 AND administrator = 1")
            .bind(&id)
            .execute(&mut *transaction)
            .await?;
        if rescued.rows_affected() == 0 {
            return Err(StoreError::Missing("administrator"));
        }
        let deleted = sqlx::query("DELETE FROM credentials WHERE user_id = $1").bind(&id).execute(&mut *transaction);
        let deleted = deleted.await?.rows_affected();
        sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(&id).execute(&mut *transaction).await?;
        forgive_all(&mut transaction, &id).await?;
        // At what was on file so far: should it be somebody else, the administrator hears of it.
        let (_, policy) = users::policy(&mut transaction, &id).await?;
        Teller { keys, random, now }.tell(&mut transaction, &id, &policy, Notice::Cleared).await?;
        let mut changed = Vec::new();
        if let Some(phone) = &change.phone {
            changed.push("phone");
            let query = sqlx::query("UPDATE users SET phone = $1 WHERE id = $2").bind(phone.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(hash) = &change.password_hash {
            changed.push("password");
            let query = sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2").bind(hash.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some((session, hash)) = session {
            // An hour in all: whoever is in registers a token at once.
            let validity = Validity { before_first: RESCUE_SECONDS, lasts: RESCUE_SECONDS };
            login::open_session(&mut transaction, session, hash, (&id, None), validity, now.seconds()).await?;
            let used = sqlx::query("UPDATE sessions SET used_at = created_at WHERE id = $1").bind(session);
            used.execute(&mut *transaction).await?;
        }
        let detail = json!({ "tokens": deleted, "changed": changed, "session": session.map(|(id, _)| id) });
        let event = Event::new(now, "administrator.rescued", Some(&id)).with(detail);
        self.record(&mut transaction, keys, vec![event]).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// Deletes a user with everything that is the user's. What the audit log says of it stays.
    pub async fn delete_user(&self, keys: &Keys, name: &Name, now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let id = self.changeable(&mut transaction, name).await?;
        sqlx::query("DELETE FROM users WHERE id = $1").bind(&id).execute(&mut *transaction).await?;
        let event = Event::new(now, "user.deleted", Some(&id)).with(json!({ "name": name.shown() }));
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }
}

async fn forgive_all(connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
    verify::forgive(connection, id).await?;
    super::registration::forgive_password(connection, id).await?;
    sqlx::query("UPDATE credentials SET failures = 0 WHERE user_id = $1").bind(id).execute(connection).await?;
    Ok(())
}
