//! Apps that had a token: they may be told that it works elsewhere, and since when.

use sqlx::{AnyConnection, Row as _};

use super::{Store, StoreError};

/// How long an app is told, in seconds: a year.
const KEPT: i64 = 365 * 24 * 3600;

/// What became of a token that an app asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works in this app.
    Bound,
    /// Another app took it, at that Unix second.
    Moved(i64),
    /// It was taken back at that Unix second.
    Ended(i64),
    /// The app never had it, or nobody remembers.
    Unknown,
}

/// Remembers which app a user's token was bound to before the binding goes.
pub async fn remember(connection: &mut AnyConnection, user_id: &str, moved: bool, now: i64) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO former_bindings (credential_id, user_id, app_id, moved, ended_at) \
        SELECT credential_id, user_id, app_id, $2, $3 FROM bindings WHERE user_id = $1 \
        ON CONFLICT (credential_id) DO NOTHING";
    sqlx::query(SQL).bind(user_id).bind(i64::from(moved)).bind(now).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM former_bindings WHERE ended_at < $1").bind(now - KEPT).execute(connection).await?;
    Ok(())
}

/// What became of a token, as far as the app with that id may know.
pub async fn state(connection: &mut AnyConnection, token: &str, app_id: &str) -> Result<State, StoreError> {
    const BOUND: &str = "SELECT credential_id FROM bindings WHERE credential_id = $1 AND app_id = $2";
    const FORMER: &str = "SELECT moved, ended_at FROM former_bindings WHERE credential_id = $1 AND app_id = $2";
    if sqlx::query(BOUND).bind(token).bind(app_id).fetch_optional(&mut *connection).await?.is_some() {
        return Ok(State::Bound);
    }
    let Some(row) = sqlx::query(FORMER).bind(token).bind(app_id).fetch_optional(connection).await? else {
        return Ok(State::Unknown);
    };
    let (moved, at): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(if moved == 0 { State::Ended(at) } else { State::Moved(at) })
}

impl Store {
    /// [`state`], outside of any other transaction.
    pub async fn token_state(&self, token: &str, app_id: &str) -> Result<State, StoreError> {
        let mut connection = self.readers.acquire().await?;
        state(&mut connection, token, app_id).await
    }
}
