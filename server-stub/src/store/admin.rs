//! What an administrator adds, changes, lists and deletes. Every change and its audit event are one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Store, StoreError, apps, credentials, former, in_dialect, json as json_text, users, verify};
pub use super::{
    accounts::{NewUser, Rights, User, UserChange},
    keys::ApiKey,
};
use crate::{
    domain::{
        audit::Event,
        notices::Teller,
        policy::{CONTRADICTING, Setting, Settings},
        texts::Notice,
        users::Name,
    },
    seal::Keys,
    service::{Now, Random},
};

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
    /// Whether it counts; one that does not waits for a code.
    pub confirmed: bool,
    /// When it was added, in Unix seconds.
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

/// Whether, after settings of those names have changed, somebody could live under the policy of a group (its name, and what
/// differs in it), or else of the server and of every group.
async fn consistent(
    connection: &mut AnyConnection,
    group: Option<(&str, &BTreeMap<String, String>)>,
    changed: impl IntoIterator<Item: AsRef<str>>,
) -> Result<(), StoreError> {
    if !changed.into_iter().any(|name| CONTRADICTING.contains(&name.as_ref())) {
        return Ok(());
    }
    let stored = Store::settings(&mut *connection).await?;
    let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let check = |group: Option<&str>, policy: Option<&str>| {
        let consistent = settings.policy_of(policy).consistent();
        consistent.map_err(|what| StoreError::Contradiction { group: group.map(str::to_owned), what })
    };
    if let Some((name, policy)) = group {
        return check(Some(name), Some(&json!(policy).to_string()));
    }
    check(None, None)?;
    for row in sqlx::query("SELECT name, policy FROM groups ORDER BY folded").fetch_all(connection).await? {
        check(Some(row.try_get(0)?), Some(row.try_get(1)?))?;
    }
    Ok(())
}

async fn has_secret(
    connection: &mut AnyConnection,
    keys: &Keys,
    name: &Name,
    secret: &[u8],
) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT c.id, c.secret FROM credentials c JOIN users u ON u.id = c.user_id WHERE u.folded = $1";
    for row in sqlx::query(SQL).bind(name.folded()).fetch_all(connection).await? {
        let (id, sealed): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let own = keys.open(verify::SECRET_PLACE, &id, &sealed).map_err(|_| StoreError::Damaged("credentials"))?;
        if own.expose() == secret {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store {
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
        consistent(&mut transaction, Some((name.shown(), policy)), policy.keys()).await?;
        sqlx::query("INSERT INTO groups (id, name, folded, policy) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(name.shown())
            .bind(name.folded())
            .bind(json!(policy).to_string())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "group.added", None).with(json!({ "group": name.shown(), "policy": policy }));
        self.record(&mut transaction, keys, vec![event]).await?;
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
        if !self.over_administrators() {
            const ADMINISTRATORS: &str = "SELECT u.id FROM users u JOIN groups g ON g.id = u.group_id \
                WHERE g.folded = $1 AND u.administrator = 1 LIMIT 1";
            let has = sqlx::query(ADMINISTRATORS).bind(name.folded()).fetch_optional(&mut *transaction).await?;
            if has.is_some() {
                return Err(StoreError::Administrator);
            }
        }
        let stored: String = row.try_get(0)?;
        let mut policy: BTreeMap<String, String> =
            serde_json::from_str(&stored).map_err(|_| StoreError::Damaged("groups"))?;
        for (name, value) in changes {
            match value {
                Some(value) => policy.insert(name.clone(), value.clone()),
                None => policy.remove(name),
            };
        }
        consistent(&mut transaction, Some((name.shown(), &policy)), changes.keys()).await?;
        sqlx::query("UPDATE groups SET policy = $1 WHERE folded = $2")
            .bind(json!(policy).to_string())
            .bind(name.folded())
            .execute(&mut *transaction)
            .await?;
        let event = Event::new(now, "group.changed", None).with(json!({ "group": name.shown(), "changed": changes }));
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes a group. [`StoreError::InUse`] where somebody is in it.
    pub async fn delete_group(&self, keys: &Keys, name: &Name, now: Now) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let deleted = sqlx::query("DELETE FROM groups WHERE folded = $1").bind(name.folded());
        // Users name their group: the database lets none go that one of them names.
        let deleted = deleted.execute(&mut *transaction).await.map_err(|error| match &error {
            sqlx::Error::Database(told) if told.is_foreign_key_violation() => StoreError::InUse,
            _ => error.into(),
        })?;
        if deleted.rows_affected() == 0 {
            return Err(StoreError::Missing("group"));
        }
        let event = Event::new(now, "group.deleted", None).with(json!({ "group": name.shown() }));
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes one of a user's tokens. One that an app has is taken away from it, and the app may hear so.
    pub async fn delete_token(
        &self,
        keys: &Keys,
        random: &Random,
        user: &Name,
        token: &str,
        now: Now,
    ) -> Result<(), StoreError> {
        const DELETE: &str = "DELETE FROM credentials WHERE id = $1 AND user_id = $2 RETURNING kind";
        let mut transaction = self.begin().await?;
        let user_id = self.locked(&mut transaction, user).await?;
        let bound = apps::binding_of(&mut transaction, &user_id).await?;
        let bound = bound.filter(|bound| bound.credential_id == token);
        if bound.is_some() {
            former::remember(&mut transaction, &user_id, false, now.seconds()).await?;
        }
        let deleted = sqlx::query(DELETE).bind(token).bind(&user_id).fetch_optional(&mut *transaction).await?;
        let kind: String = deleted.ok_or(StoreError::Missing("token"))?.try_get(0)?;
        let notice = if bound.is_some() { Notice::Revoked } else { Notice::Deleted };
        let (_, policy) = users::policy(&mut transaction, &user_id).await?;
        Teller { keys, random, now }.tell(&mut transaction, &user_id, &policy, notice).await?;
        let detail = json!({ "token": token, "kind": kind, "app": bound.map(|bound| bound.app_id) });
        let event = Event::new(now, "token.deleted", Some(&user_id)).with(detail);
        self.record(&mut transaction, keys, vec![event]).await?;
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
        consistent(&mut transaction, None, [name]).await?;
        // Not even sealed: the log outlives a key that is thrown away.
        let told = if Setting::find(name).is_ok_and(|setting| setting.secret) { value.map(|_| "(set)") } else { value };
        let event = Event::new(now, "settings.changed", None).with(json!({ "name": name, "value": told }));
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }

    /// What was set.
    pub async fn stored_settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        Self::settings(&mut *self.readers.acquire().await?).await
    }

    /// Adds a token to a user, confirmed. [`StoreError::Exists`] where the user has one with that secret.
    pub async fn add_token(&self, keys: &Keys, name: &Name, new: &NewToken, now: Now) -> Result<(), StoreError> {
        self.add_tokens(keys, &[(name.clone(), new.clone())], now).await
    }

    /// Adds tokens to users, confirmed: all or, where one cannot be added, none.
    pub async fn add_tokens(&self, keys: &Keys, all: &[(Name, NewToken)], now: Now) -> Result<(), StoreError> {
        // In the order in which all lock users.
        const LOCK: &str = "SELECT u.id FROM users u WHERE u.folded {in_list} ORDER BY u.id {lock}";
        let mut transaction = self.begin().await?;
        let names: BTreeSet<&str> = all.iter().map(|(name, _)| name.folded()).collect();
        let lock = in_dialect(&transaction, LOCK);
        sqlx::query(AssertSqlSafe(lock)).bind(json_text(&names)?).fetch_all(&mut *transaction).await?;
        let mut events = Vec::with_capacity(all.len());
        for (name, new) in all {
            let user_id = self.changeable(&mut transaction, name).await?;
            let secret = keys.open(verify::SECRET_PLACE, &new.id, &new.secret);
            let secret = secret.map_err(|_| StoreError::Damaged("credentials"))?;
            if has_secret(&mut transaction, keys, name, secret.expose()).await? {
                return Err(StoreError::Exists);
            }
            let detail = json!({ "token": new.id, "kind": new.columns.kind });
            let NewToken { id, columns, last_step, secret } = new;
            let row = credentials::New { id, columns, secret, last_step: *last_step };
            credentials::insert(&mut transaction, &user_id, &row, now.seconds()).await?;
            events.push(Event::new(now, "token.added", Some(&user_id)).with(detail));
        }
        self.record(&mut transaction, keys, events).await?;
        Ok(transaction.commit().await?)
    }

    /// Whether a user has a token with that secret.
    pub async fn has_secret(&self, keys: &Keys, name: &Name, secret: &[u8]) -> Result<bool, StoreError> {
        has_secret(&mut *self.readers.acquire().await?, keys, name, secret).await
    }

    /// A user's tokens, oldest first.
    pub async fn tokens(&self, name: &Name) -> Result<Vec<TokenRow>, StoreError> {
        const SQL: &str = "SELECT id, kind, issuer, account, algorithm, digits, period, last_step, created_at, unconfirmed_since \
            FROM credentials WHERE user_id = $1 ORDER BY id";
        let id = self.user(name).await?.id;
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
                    confirmed: row.try_get::<Option<i64>, _>(9)?.is_none(),
                })
            })
            .collect()
    }
}
