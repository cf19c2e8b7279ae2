//! What changes of a user who is there.

use serde_json::json;
use sqlx::AnyConnection;

use super::{UserChange, group_id};
use crate::{
    domain::{audit::Event, notices::Teller, texts::Notice, users::Name},
    seal::Keys,
    service::{Now, Random},
    store::{
        Store, StoreError,
        login::{self, Validity},
        registration,
        under_way::{self, Change},
        users, verify,
    },
};

/// Seconds for which the session of a rescue is open.
const RESCUE_SECONDS: i64 = 3600;

impl Store {
    /// Changes a user.
    ///
    /// The user is told of what others could use to come in, at what was on file before. What is under way and was begun
    /// with what is changed ends.
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
        let id = self.locked(&mut transaction, name).await?;
        let before = users::contact(&mut transaction, &id).await?;
        let rights = login::standing(&mut transaction, &id).await?.rights;
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
        for (ends, what) in [
            (notices.contains(&Notice::Password), Change::Password),
            (notices.contains(&Notice::Phone), Change::Phone),
            (change.administrator.is_some_and(|given| given != rights.administrator), Change::Everything),
            (rights.exempt && change.exempt == Some(false), Change::Asked),
        ] {
            if ends {
                under_way::end(&mut transaction, &id, what).await?;
            }
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
        let id = self.locked(&mut transaction, name).await?;
        forgive_all(&mut transaction, &id).await?;
        self.record(&mut transaction, keys, vec![Event::new(now, "user.unlocked", Some(&id))]).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes all of a user's tokens away, and ends what is under way; how many there were.
    pub async fn clear_user(&self, keys: &Keys, random: &Random, name: &Name, now: Now) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let id = self.locked(&mut transaction, name).await?;
        let deleted = sqlx::query("DELETE FROM credentials WHERE user_id = $1").bind(&id).execute(&mut *transaction);
        let deleted = deleted.await?.rows_affected();
        under_way::end(&mut transaction, &id, Change::Everything).await?;
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

    /// Has all of a user's tokens confirmed again; how many there are. Their secrets stay; sessions and registrations under
    /// way end.
    pub async fn unconfirm_user(&self, keys: &Keys, random: &Random, name: &Name, now: Now) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE credentials SET unconfirmed_since = $1 WHERE user_id = $2";
        let mut transaction = self.begin().await?;
        let id = self.locked(&mut transaction, name).await?;
        let tokens = sqlx::query(SQL).bind(now.seconds()).bind(&id).execute(&mut *transaction).await?.rows_affected();
        under_way::end(&mut transaction, &id, Change::Unconfirmed).await?;
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
        let id = self.locked(&mut transaction, name).await?;
        let rescued = sqlx::query("UPDATE users SET administrator = administrator WHERE id = $1 AND administrator = 1")
            .bind(&id)
            .execute(&mut *transaction)
            .await?;
        if rescued.rows_affected() == 0 {
            return Err(StoreError::Missing("administrator"));
        }
        let deleted = sqlx::query("DELETE FROM credentials WHERE user_id = $1").bind(&id).execute(&mut *transaction);
        let deleted = deleted.await?.rows_affected();
        under_way::end(&mut transaction, &id, Change::Everything).await?;
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
            let used = sqlx::query("UPDATE sessions SET used_at = created_at, rescue = 1 WHERE id = $1").bind(session);
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
        let id = self.locked(&mut transaction, name).await?;
        sqlx::query("DELETE FROM users WHERE id = $1").bind(&id).execute(&mut *transaction).await?;
        let event = Event::new(now, "user.deleted", Some(&id)).with(json!({ "name": name.shown() }));
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }
}

async fn forgive_all(connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
    verify::forgive(connection, id).await?;
    registration::forgive_password(connection, id).await?;
    sqlx::query("UPDATE credentials SET failures = 0 WHERE user_id = $1").bind(id).execute(connection).await?;
    Ok(())
}
