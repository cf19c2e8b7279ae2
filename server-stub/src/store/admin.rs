//! What an administrator adds, changes, lists and deletes. Every change and its audit event are one transaction.

use std::collections::BTreeMap;

use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Store, StoreError, audit, users, verify};
use crate::{
    domain::{audit::Event, notices::Teller, policy::Setting, texts::Notice, users::Name},
    seal::Keys,
    service::{Now, Random},
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
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: String,
    /// What it changes of the policy.
    pub policy: BTreeMap<String, String>,
    /// How many users are in it.
    pub users: i64,
}

/// A token as a list shows it: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// The id.
    pub id: String,
    /// What it is.
    pub columns: verify::Columns,
    /// The last step or counter that was accepted; -1 before the first.
    pub last_step: i64,
    /// When it was added, in Unix seconds.
    pub created_at: i64,
}

/// Another system that may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
}

/// A token to be added, its secret sealed already.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The id, which the secret is sealed for.
    pub id: String,
    /// What it is.
    pub columns: verify::Columns,
    /// Where it begins.
    pub last_step: i64,
    /// The sealed secret.
    pub secret: Vec<u8>,
}

macro_rules! user_sql {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.name, u.phone, u.email, g.name, CASE WHEN u.password_hash IS NULL THEN CAST(0 AS BIGINT) ",
            "ELSE CAST(1 AS BIGINT) END, u.failures, u.blocked_until, u.locked_at, u.created_at, ",
            "(SELECT count(*) FROM credentials c WHERE c.user_id = u.id) ",
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

async fn user_id(connection: &mut AnyConnection, name: &Name) -> Result<String, StoreError> {
    let row = sqlx::query("SELECT id FROM users WHERE folded = $1")
        .bind(name.folded())
        .fetch_optional(connection)
        .await?
        .ok_or(StoreError::Missing("user"))?;
    Ok(row.try_get(0)?)
}

impl Store {
    /// Adds a user.
    pub async fn add_user(&self, keys: &Keys, new: &NewUser, now: Now) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO users (id, name, folded, phone, email, group_id, password_hash, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let mut transaction = self.begin().await?;
        let group = group_id(&mut transaction, new.group.as_ref()).await?;
        sqlx::query(SQL)
            .bind(&new.id)
            .bind(new.name.shown())
            .bind(new.name.folded())
            .bind(new.phone.clone())
            .bind(new.email.clone())
            .bind(group)
            .bind(new.password_hash.clone())
            .bind(now.seconds())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "user.added", Some(&new.id)).with(json!({ "name": new.name.shown() }));
        audit::append(&mut transaction, keys, &[event]).await?;
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

    /// Users in the order of their folded names, after that one.
    pub async fn users_after(&self, folded: &str, most: i64) -> Result<Vec<(String, User)>, StoreError> {
        const SQL: &str = user_sql!("WHERE u.folded > $1 ORDER BY u.folded LIMIT $2");
        let rows = sqlx::query(SQL).bind(folded).bind(most).fetch_all(&self.readers).await?;
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
        let mut transaction = self.begin().await?;
        let id = user_id(&mut transaction, name).await?;
        let before = users::contact(&mut transaction, &id).await?;
        let (mut changed, mut notices) = (Vec::new(), Vec::new());
        if change.phone.as_ref().is_some_and(|phone| *phone != before.phone) {
            notices.push(Notice::Phone);
        }
        if change.email.as_ref().is_some_and(|email| *email != before.email) {
            notices.push(Notice::Email);
        }
        if change.password_hash.is_some() {
            notices.push(Notice::Password);
        }
        if let Some(phone) = &change.phone {
            changed.push("phone");
            let query = sqlx::query("UPDATE users SET phone = $1 WHERE id = $2").bind(phone.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(email) = &change.email {
            changed.push("email");
            let query = sqlx::query("UPDATE users SET email = $1 WHERE id = $2").bind(email.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(group) = &change.group {
            changed.push("group");
            let group = group_id(&mut transaction, group.as_ref()).await?;
            let query = sqlx::query("UPDATE users SET group_id = $1 WHERE id = $2").bind(group);
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if let Some(hash) = &change.password_hash {
            changed.push("password");
            let query = sqlx::query("UPDATE users SET password_hash = $1 WHERE id = $2").bind(hash.clone());
            query.bind(&id).execute(&mut *transaction).await?;
        }
        if !notices.is_empty() {
            let (_, policy) = users::policy(&mut transaction, &id).await?;
            for notice in notices {
                Teller { keys, random, now }.tell_at(&mut transaction, &before, &policy, notice).await?;
            }
        }
        let event = Event::new(now, "user.changed", Some(&id)).with(json!({ "changed": changed }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Opens a user's second factor again after wrong codes.
    pub async fn unlock_user(&self, keys: &Keys, name: &Name, now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let id = user_id(&mut transaction, name).await?;
        verify::forgive(&mut transaction, &id).await?;
        sqlx::query("UPDATE credentials SET failures = 0 WHERE user_id = $1")
            .bind(&id)
            .execute(&mut *transaction)
            .await?;
        audit::append(&mut transaction, keys, &[Event::new(now, "user.unlocked", Some(&id))]).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes all of a user's tokens away; how many there were.
    pub async fn clear_user(&self, keys: &Keys, random: &Random, name: &Name, now: Now) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let id = user_id(&mut transaction, name).await?;
        let deleted = sqlx::query("DELETE FROM credentials WHERE user_id = $1").bind(&id).execute(&mut *transaction);
        let deleted = deleted.await?.rows_affected();
        verify::forgive(&mut transaction, &id).await?;
        if deleted > 0 {
            let (_, policy) = users::policy(&mut transaction, &id).await?;
            Teller { keys, random, now }.tell(&mut transaction, &id, &policy, Notice::Cleared).await?;
        }
        let event = Event::new(now, "user.cleared", Some(&id)).with(json!({ "tokens": deleted }));
        audit::append(&mut transaction, keys, &[event]).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// Deletes a user with everything that is the user's. What the audit log says of it stays.
    pub async fn delete_user(&self, keys: &Keys, name: &Name, now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let id = user_id(&mut transaction, name).await?;
        sqlx::query("DELETE FROM users WHERE id = $1").bind(&id).execute(&mut *transaction).await?;
        let event = Event::new(now, "user.deleted", Some(&id)).with(json!({ "name": name.shown() }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Adds a group.
    pub async fn add_group(
        &self,
        keys: &Keys,
        id: &str,
        name: &Name,
        policy: &BTreeMap<String, String>,
        now: Now,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT INTO groups (id, name, folded, policy) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(name.shown())
            .bind(name.folded())
            .bind(json!(policy).to_string())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "group.added", None).with(json!({ "group": name.shown(), "policy": policy }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Changes what a group changes; a value of `None` goes back to the server's.
    pub async fn change_group(
        &self,
        keys: &Keys,
        name: &Name,
        changes: &BTreeMap<String, Option<String>>,
        now: Now,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        // Written before it is read, so that two changes at once follow each other.
        let row = sqlx::query("UPDATE groups SET policy = policy WHERE folded = $1 RETURNING policy")
            .bind(name.folded())
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(StoreError::Missing("group"))?;
        let stored: String = row.try_get(0)?;
        let mut policy: BTreeMap<String, String> =
            serde_json::from_str(&stored).map_err(|_| StoreError::Damaged("groups"))?;
        for (name, value) in changes {
            match value {
                Some(value) => policy.insert(name.clone(), value.clone()),
                None => policy.remove(name),
            };
        }
        sqlx::query("UPDATE groups SET policy = $1 WHERE folded = $2")
            .bind(json!(policy).to_string())
            .bind(name.folded())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "group.changed", None).with(json!({ "group": name.shown(), "changed": changes }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// All groups by name.
    pub async fn groups(&self) -> Result<Vec<Group>, StoreError> {
        const SQL: &str = "SELECT g.name, g.policy, (SELECT count(*) FROM users u WHERE u.group_id = g.id) \
            FROM groups g ORDER BY g.folded";
        let rows = sqlx::query(SQL).fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let policy: String = row.try_get(1)?;
                let policy = serde_json::from_str(&policy).map_err(|_| StoreError::Damaged("groups"))?;
                Ok(Group { name: row.try_get(0)?, policy, users: row.try_get(2)? })
            })
            .collect()
    }

    /// Sets one setting, sealed where it is a secret; `None` goes back to the default.
    pub async fn change_setting(
        &self,
        keys: &Keys,
        random: &Random,
        setting: &Setting,
        value: Option<&str>,
        now: Now,
    ) -> Result<(), StoreError> {
        let sealed = value.filter(|_| setting.secret).map(|value| keys.seal_setting(setting.name, value, random));
        self.set_setting(keys, setting.name, sealed.as_deref().or(value), now).await
    }

    /// Sets one setting to what is kept of it: of a secret, what is sealed. `None` goes back to the default.
    pub async fn set_setting(&self, keys: &Keys, name: &str, value: Option<&str>, now: Now) -> Result<(), StoreError> {
        const SET: &str = "INSERT INTO settings (name, value) VALUES ($1, $2) \
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let mut transaction = self.begin().await?;
        let query = match value {
            Some(value) => sqlx::query(SET).bind(name).bind(value),
            None => sqlx::query("DELETE FROM settings WHERE name = $1").bind(name),
        };
        query.execute(&mut *transaction).await?;
        // Not even sealed: the log outlives a key that is thrown away.
        let told = if Setting::find(name).is_ok_and(|setting| setting.secret) { value.map(|_| "(set)") } else { value };
        let event = Event::new(now, "settings.changed", None).with(json!({ "name": name, "value": told }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// What was set.
    pub async fn stored_settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        Self::settings(&mut *self.readers.acquire().await?).await
    }

    /// Adds a token to a user, confirmed.
    pub async fn add_token(&self, keys: &Keys, name: &Name, new: &NewToken, now: Now) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO credentials \
            (id, user_id, kind, issuer, account, algorithm, digits, period, secret, last_step, created_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let mut transaction = self.begin().await?;
        let id = user_id(&mut transaction, name).await?;
        let columns = new.columns.clone();
        let kind = columns.kind.clone();
        sqlx::query(SQL)
            .bind(&new.id)
            .bind(&id)
            .bind(columns.kind)
            .bind(columns.issuer)
            .bind(columns.account)
            .bind(columns.algorithm)
            .bind(columns.digits)
            .bind(columns.period)
            .bind(new.secret.clone())
            .bind(new.last_step)
            .bind(now.seconds())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "token.added", Some(&id)).with(json!({ "token": new.id, "kind": kind }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// A user's tokens, oldest first.
    pub async fn tokens(&self, name: &Name) -> Result<Vec<TokenRow>, StoreError> {
        const SQL: &str = "SELECT id, kind, issuer, account, algorithm, digits, period, last_step, created_at \
            FROM credentials WHERE user_id = $1 ORDER BY id";
        let id = user_id(&mut *self.readers.acquire().await?, name).await?;
        let rows = sqlx::query(SQL).bind(id).fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok(TokenRow {
                    id: row.try_get(0)?,
                    columns: verify::Columns {
                        kind: row.try_get(1)?,
                        issuer: row.try_get(2)?,
                        account: row.try_get(3)?,
                        algorithm: row.try_get(4)?,
                        digits: row.try_get(5)?,
                        period: row.try_get(6)?,
                    },
                    last_step: row.try_get(7)?,
                    created_at: row.try_get(8)?,
                })
            })
            .collect()
    }

    /// Adds an API key by the hash of its text.
    pub async fn add_api_key(&self, keys: &Keys, key: &ApiKey, hash: &[u8; 32], now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT INTO api_keys (id, name, hash, scopes, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&key.id)
            .bind(&key.name)
            .bind(hash.to_vec())
            .bind(key.scopes.join(" "))
            .bind(now.seconds())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "api_key.added", None).with(json!({ "name": key.name, "scopes": key.scopes }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// All API keys by name.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query("SELECT id, name, scopes, created_at FROM api_keys ORDER BY name");
        let rows = rows.fetch_all(&self.readers).await?;
        rows.iter().map(api_key).collect()
    }

    /// The hashes of all API keys, with what each may do.
    pub async fn api_key_hashes(&self) -> Result<Vec<([u8; 32], Vec<String>)>, StoreError> {
        let rows = sqlx::query("SELECT hash, scopes FROM api_keys").fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let (hash, scopes): (Vec<u8>, String) = (row.try_get(0)?, row.try_get(1)?);
                let hash = hash.try_into().map_err(|_| StoreError::Damaged("api_keys"))?;
                Ok((hash, scopes.split_whitespace().map(str::to_owned).collect()))
            })
            .collect()
    }

    /// Deletes an API key by name: from then on it opens nothing.
    pub async fn revoke_api_key(&self, keys: &Keys, name: &str, now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM api_keys WHERE name = $1").bind(name).execute(&mut *transaction).await?;
        if deleted.rows_affected() == 0 {
            return Err(StoreError::Missing("API key"));
        }
        let event = Event::new(now, "api_key.revoked", None).with(json!({ "name": name }));
        audit::append(&mut transaction, keys, &[event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Seals every secret anew with the newest key; how many there were.
    pub async fn reseal(&self, keys: &Keys, random: &Random, now: Now) -> Result<u64, StoreError> {
        const PAGE: i64 = 500;
        let (mut after, mut count) = (String::new(), 0);
        loop {
            let mut transaction = self.begin().await?;
            let rows = sqlx::query("SELECT id, secret FROM credentials WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(&after)
                .bind(PAGE)
                .fetch_all(&mut *transaction)
                .await?;
            let Some(last) = rows.last() else {
                count += reseal_settings(&mut transaction, keys, random).await?;
                let event =
                    Event::new(now, "key.rotated", None).with(json!({ "key": keys.newest(), "secrets": count }));
                audit::append(&mut transaction, keys, &[event]).await?;
                transaction.commit().await?;
                return Ok(count);
            };
            after = last.try_get(0)?;
            for row in &rows {
                let (id, sealed): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
                let plain =
                    keys.open(verify::SECRET_PLACE, &id, &sealed).map_err(|_| StoreError::Damaged("credentials"))?;
                let anew = keys.seal(verify::SECRET_PLACE, &id, plain.expose(), random);
                // Only where it is still what was read: a token that was replaced meanwhile is new already.
                sqlx::query("UPDATE credentials SET secret = $1 WHERE id = $2 AND secret = $3")
                    .bind(anew)
                    .bind(&id)
                    .bind(sealed)
                    .execute(&mut *transaction)
                    .await?;
                count += 1;
            }
            transaction.commit().await?;
        }
    }
}

async fn reseal_settings(connection: &mut AnyConnection, keys: &Keys, random: &Random) -> Result<u64, StoreError> {
    let mut count = 0;
    for (name, sealed) in Store::settings(&mut *connection).await? {
        if !Setting::find(&name).is_ok_and(|setting| setting.secret) {
            continue;
        }
        let plain = keys.open_setting(&name, &sealed).map_err(|_| StoreError::Damaged("settings"))?;
        sqlx::query("UPDATE settings SET value = $1 WHERE name = $2 AND value = $3")
            .bind(keys.seal_setting(&name, &plain, random))
            .bind(&name)
            .bind(sealed)
            .execute(&mut *connection)
            .await?;
        count += 1;
    }
    Ok(count)
}

fn api_key(row: &AnyRow) -> Result<ApiKey, StoreError> {
    let scopes: String = row.try_get(2)?;
    Ok(ApiKey {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        created_at: row.try_get(3)?,
    })
}
