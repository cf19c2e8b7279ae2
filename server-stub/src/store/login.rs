//! The statements of a sign-in.

use sqlx::{AnyConnection, Row as _};

use super::{Store, StoreError};

/// A sign-in that waits for its second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Its id.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// What the signature is over.
    pub nonce: String,
}

/// Keeps a challenge, and forgets those of long ago.
pub async fn start(
    connection: &mut AnyConnection,
    new: &Challenge,
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO challenges (id, user_id, nonce, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(SQL)
        .bind(&new.id)
        .bind(&new.user_id)
        .bind(&new.nonce)
        .bind(now)
        .bind(expires_at)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM challenges WHERE expires_at < $1 - 3600").bind(now).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM sessions WHERE expires_at < $1").bind(now).execute(connection).await?;
    Ok(())
}

/// Reads a challenge that is still open.
pub async fn read(connection: &mut AnyConnection, id: &str, now: i64) -> Result<Option<Challenge>, StoreError> {
    const SQL: &str = "SELECT id, user_id, nonce FROM challenges WHERE id = $1 AND used_at IS NULL AND expires_at > $2";
    let row = sqlx::query(SQL).bind(id).bind(now).fetch_optional(connection).await?;
    row.map(|row| Ok(Challenge { id: row.try_get(0)?, user_id: row.try_get(1)?, nonce: row.try_get(2)? })).transpose()
}

/// Uses a challenge up. False: somebody did before.
pub async fn take(connection: &mut AnyConnection, id: &str, now: i64) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE challenges SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING id";
    Ok(sqlx::query(SQL).bind(id).bind(now).fetch_optional(connection).await?.is_some())
}

/// The key of the app that a token of the user is bound to.
pub async fn bound_key(
    connection: &mut AnyConnection,
    user_id: &str,
    credential_id: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    const SQL: &str = "SELECT app_key FROM bindings WHERE user_id = $1 AND credential_id = $2";
    let row = sqlx::query(SQL).bind(user_id).bind(credential_id).fetch_optional(connection).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Opens a session. It ends with its token, where there is one.
pub async fn open_session(
    connection: &mut AnyConnection,
    id: &str,
    hash: &[u8; 32],
    (user_id, credential_id): (&str, Option<&str>),
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO sessions (id, hash, user_id, credential_id, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(SQL)
        .bind(id)
        .bind(hash.to_vec())
        .bind(user_id)
        .bind(credential_id)
        .bind(now)
        .bind(expires_at)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// The user of a session that is open, and when it ends.
    pub async fn session(&self, hash: &[u8; 32], now: i64) -> Result<Option<(String, i64)>, StoreError> {
        const SQL: &str = "SELECT u.name, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id \
            WHERE s.hash = $1 AND s.expires_at > $2";
        let row = sqlx::query(SQL).bind(hash.to_vec()).bind(now).fetch_optional(&self.readers).await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// The administrator whose session it is.
    pub async fn administrator(&self, hash: &[u8; 32], now: i64) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT u.name FROM sessions s JOIN users u ON u.id = s.user_id \
            WHERE s.hash = $1 AND s.expires_at > $2 AND u.administrator = 1";
        let row = sqlx::query(SQL).bind(hash.to_vec()).bind(now).fetch_optional(&self.readers).await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Ends a session. False: there was none.
    pub async fn end_session(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let ended = sqlx::query("DELETE FROM sessions WHERE hash = $1").bind(hash.to_vec());
        let ended = ended.execute(&mut *transaction).await?.rows_affected() > 0;
        transaction.commit().await?;
        Ok(ended)
    }
}
