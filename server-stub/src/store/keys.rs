//! Keys of other systems, and the key that secrets are sealed with.

use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Store, StoreError, verify};
use crate::{
    domain::{audit::Event, policy::Setting},
    seal::Keys,
    service::{Now, Random},
};

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

impl Store {
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
        self.record(&mut transaction, keys, vec![event]).await?;
        Ok(transaction.commit().await?)
    }

    /// All API keys by name.
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query("SELECT id, name, scopes, created_at FROM api_keys ORDER BY name");
        let rows = rows.fetch_all(&self.readers).await?;
        rows.iter().map(api_key).collect()
    }

    /// The hashes of all API keys, with the name of each and what it may do.
    pub async fn api_key_hashes(&self) -> Result<Vec<([u8; 32], String, Vec<String>)>, StoreError> {
        let rows = sqlx::query("SELECT hash, name, scopes FROM api_keys").fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let (hash, name, scopes): (Vec<u8>, String, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                let hash = hash.try_into().map_err(|_| StoreError::Damaged("api_keys"))?;
                Ok((hash, name, scopes.split_whitespace().map(str::to_owned).collect()))
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
        self.record(&mut transaction, keys, vec![event]).await?;
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
                self.record(&mut transaction, keys, vec![event]).await?;
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
