//! Enrollment links' rows. What ends one is a single conditional statement, so that of several who try at once one has it.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Store, StoreError, credentials, verify::Columns};

/// Uses link $1 up at $2: once, of those who try at once, in whatever process.
pub const TAKE: &str = "UPDATE links SET state = 'used', used_at = $2, secret = NULL WHERE id = $1 AND state = 'open' \
    RETURNING id";

/// A link that is open, and whose it is.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its id.
    pub id: String,
    /// The user's id.
    pub user_id: String,
    /// The user's name.
    pub user: String,
    /// The number on file.
    pub phone: Option<String>,
    /// What the group changes of the policy.
    pub group_policy: Option<String>,
    /// Until when, in Unix seconds.
    pub expires_at: i64,
    /// The token to be of another authenticator, once it was shown: its id, what it is, its sealed secret.
    pub token: Option<(String, Columns, Vec<u8>)>,
}

/// Locks a user's row, so that what follows is one after another.
pub async fn lock_user(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE users SET failures = failures WHERE id = $1").bind(user_id).execute(connection).await?;
    Ok(())
}

/// Keeps a new link, and ends the one before.
pub async fn start(
    connection: &mut AnyConnection,
    id: &str,
    hash: &[u8; 32],
    user_id: &str,
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO links (id, hash, user_id, state, created_at, expires_at) \
        VALUES ($1, $2, $3, 'open', $4, $5)";
    revoke(&mut *connection, user_id).await?;
    sqlx::query(INSERT)
        .bind(id)
        .bind(hash.to_vec())
        .bind(user_id)
        .bind(now)
        .bind(expires_at)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM links WHERE expires_at < $1 - 86400").bind(now).execute(connection).await?;
    Ok(())
}

/// Ends a user's open link.
pub async fn revoke(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE links SET state = 'revoked', secret = NULL WHERE user_id = $1 AND state = 'open'";
    sqlx::query(SQL).bind(user_id).execute(connection).await?;
    Ok(())
}

/// Whether nothing has ended a link so far.
pub async fn is_open(connection: &mut AnyConnection, id: &str) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT id FROM links WHERE id = $1 AND state = 'open'").bind(id);
    Ok(row.fetch_optional(connection).await?.is_some())
}

/// Reads a link that is open. `None`: unknown, used, replaced or too old.
pub async fn read(connection: &mut AnyConnection, hash: &[u8; 32], now: i64) -> Result<Option<Link>, StoreError> {
    const SQL: &str = "SELECT l.id, l.user_id, u.name, u.phone, g.policy, l.expires_at, l.credential_id, l.issuer, \
        l.algorithm, l.digits, l.period, l.secret FROM links l JOIN users u ON u.id = l.user_id \
        LEFT JOIN groups g ON g.id = u.group_id \
        WHERE l.hash = $1 AND l.state = 'open' AND l.expires_at > $2";
    let row = sqlx::query(SQL).bind(hash.to_vec()).bind(now).fetch_optional(connection).await?;
    row.as_ref().map(link).transpose()
}

/// Ends a link that is too old, if it is one that is still open: it stays so, also when the clock is set back.
pub async fn end_if_too_old(store: &Store, hash: &[u8; 32], now: i64) -> Result<(), StoreError> {
    const FIND: &str = "SELECT id FROM links WHERE hash = $1 AND state = 'open' AND expires_at <= $2";
    const END: &str = "UPDATE links SET state = 'revoked', secret = NULL WHERE id = $1 AND state = 'open'";
    let mut reader = store.reader().await?;
    let found = sqlx::query(FIND).bind(hash.to_vec()).bind(now).fetch_optional(&mut *reader).await?;
    drop(reader);
    let Some(row) = found else { return Ok(()) };
    let mut transaction = store.begin().await?;
    sqlx::query(END).bind(row.try_get::<String, _>(0)?).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

fn link(row: &AnyRow) -> Result<Link, StoreError> {
    let token = credentials::to_be(row, 6, row.try_get(2)?)?;
    Ok(Link {
        id: row.try_get(0)?,
        user_id: row.try_get(1)?,
        user: row.try_get(2)?,
        phone: row.try_get(3)?,
        group_policy: row.try_get(4)?,
        expires_at: row.try_get(5)?,
        token,
    })
}

/// Keeps the token that another authenticator is to have. False: there is one, or the link is over.
pub async fn prepare(
    connection: &mut AnyConnection,
    id: &str,
    credential_id: &str,
    columns: &Columns,
    secret: Vec<u8>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE links SET credential_id = $2, issuer = $3, algorithm = $4, digits = $5, period = $6, \
        secret = $7 WHERE id = $1 AND state = 'open' AND credential_id IS NULL RETURNING id";
    let query = credentials::bind_to_be(sqlx::query(SQL).bind(id), credential_id, columns, secret);
    Ok(query.fetch_optional(connection).await?.is_some())
}

/// Uses a link up. False: somebody did before, or a newer one took its place.
pub async fn take(connection: &mut AnyConnection, id: &str, now: i64) -> Result<bool, StoreError> {
    Ok(sqlx::query(TAKE).bind(id).bind(now).fetch_optional(connection).await?.is_some())
}

/// Ends the registrations under way that were begun with a link.
pub async fn end_registrations(connection: &mut AnyConnection, id: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE registrations SET state = 'ended', secret = NULL WHERE link_id = $1 \
        AND state IN ('started', 'confirmed')";
    sqlx::query(SQL).bind(id).execute(connection).await?;
    Ok(())
}

/// Gives a user the token of another authenticator, bound to no app. `step` is that of the first code, which is used up.
pub async fn add_token(connection: &mut AnyConnection, link: &Link, step: i64, now: i64) -> Result<(), StoreError> {
    let (id, columns, secret) = link.token.as_ref().ok_or(StoreError::Missing("token of the link"))?;
    credentials::insert(connection, &link.user_id, &credentials::New { id, columns, secret, last_step: step }, now)
        .await
}
