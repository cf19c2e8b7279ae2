//! The statements of a sign-in.

use sqlx::{AnyConnection, Row as _};

use super::{Store, StoreError, accounts::Rights};
use crate::domain::login::CHALLENGE_SECONDS;

/// Uses a challenge ($1) up at $2. Of those who come at once one gets a row back, in whatever process.
pub const TAKE: &str = "UPDATE challenges SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING id";

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

/// Reads a challenge that is still open. One that is open for longer than any is was made under a clock that has since
/// been set back.
pub async fn read(connection: &mut AnyConnection, id: &str, now: i64) -> Result<Option<Challenge>, StoreError> {
    const SQL: &str = "SELECT id, user_id, nonce FROM challenges \
        WHERE id = $1 AND used_at IS NULL AND expires_at > $2 AND expires_at <= $3";
    let row = sqlx::query(SQL).bind(id).bind(now).bind(now + CHALLENGE_SECONDS).fetch_optional(connection).await?;
    row.map(|row| Ok(Challenge { id: row.try_get(0)?, user_id: row.try_get(1)?, nonce: row.try_get(2)? })).transpose()
}

/// Uses a challenge up. False: somebody did before.
pub async fn take(connection: &mut AnyConnection, id: &str, now: i64) -> Result<bool, StoreError> {
    Ok(sqlx::query(TAKE).bind(id).bind(now).fetch_optional(connection).await?.is_some())
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

/// What decides whether a second factor is asked of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the user may.
    pub rights: Rights,
    /// Tokens that count.
    pub tokens: i64,
}

/// Reads it.
pub async fn standing(connection: &mut AnyConnection, user_id: &str) -> Result<Standing, StoreError> {
    const SQL: &str = "SELECT administrator, exempt, (SELECT count(*) FROM credentials c \
        WHERE c.user_id = u.id AND c.unconfirmed_since IS NULL) FROM users u WHERE u.id = $1";
    let row = sqlx::query(SQL).bind(user_id).fetch_optional(connection).await?.ok_or(StoreError::Missing("user"))?;
    let rights = Rights { administrator: row.try_get::<i64, _>(0)? == 1, exempt: row.try_get::<i64, _>(1)? == 1 };
    Ok(Standing { rights, tokens: row.try_get(2)? })
}

/// How long a session is open, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Until it is used for the first time.
    pub before_first: i64,
    /// From then on.
    pub lasts: i64,
}

/// Opens a session. It ends with its token, where there is one.
pub async fn open_session(
    connection: &mut AnyConnection,
    id: &str,
    hash: &[u8; 32],
    (user_id, credential_id): (&str, Option<&str>),
    validity: Validity,
    now: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO sessions (id, hash, user_id, credential_id, created_at, expires_at, lasts) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(SQL)
        .bind(id)
        .bind(hash.to_vec())
        .bind(user_id)
        .bind(credential_id)
        .bind(now)
        .bind(now + validity.before_first)
        .bind(validity.lasts)
        .execute(connection)
        .await?;
    Ok(())
}

impl Store {
    /// The user of a session that is open, and when it ends. Its first use says when that is.
    pub async fn session(&self, hash: &[u8; 32], now: i64) -> Result<Option<(String, i64)>, StoreError> {
        Ok(self.open_session(hash, now).await?.map(|(user, _, until)| (user, until)))
    }

    /// The administrator whose session it is. One without a second factor is for who is exempt, and for a rescue.
    pub async fn administrator(&self, hash: &[u8; 32], now: i64) -> Result<Option<String>, StoreError> {
        let open = self.open_session(hash, now).await?;
        Ok(open.filter(|(_, administers, _)| *administers).map(|(user, ..)| user))
    }

    async fn open_session(&self, hash: &[u8; 32], now: i64) -> Result<Option<(String, bool, i64)>, StoreError> {
        const SQL: &str = "SELECT u.name, CASE WHEN u.administrator = 1 AND (s.credential_id IS NOT NULL \
                OR u.exempt = 1 OR s.rescue = 1) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END, \
            s.expires_at, s.used_at FROM sessions s \
            JOIN users u ON u.id = s.user_id WHERE s.hash = $1";
        const FIRST: &str = "UPDATE sessions SET used_at = $2, expires_at = $2 + lasts \
            WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING expires_at";
        let row = sqlx::query(SQL).bind(hash.to_vec()).fetch_optional(&self.readers).await?;
        let Some(row) = row else { return Ok(None) };
        let mut until: i64 = row.try_get(2)?;
        if until <= now {
            // What was over once stays over, also when the clock is set back.
            self.end_session(hash).await?;
            return Ok(None);
        }
        if row.try_get::<Option<i64>, _>(3)?.is_none() {
            let mut transaction = self.begin().await?;
            let first = sqlx::query(FIRST).bind(hash.to_vec()).bind(now).fetch_optional(&mut *transaction).await?;
            transaction.commit().await?;
            // Nothing where somebody else used it first, at the same time.
            until = first.map_or(Ok(until), |row| row.try_get(0))?;
        }
        Ok(Some((row.try_get(0)?, row.try_get::<i64, _>(1)? == 1, until)))
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
