//! Keys of other systems.

use serde_json::json;
use sqlx::{Row as _, any::AnyRow};

use super::{Store, StoreError};
use crate::{domain::audit::Event, seal::Keys, service::Now};

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
