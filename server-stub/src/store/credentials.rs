//! Rows of tokens, wherever they come from, and of tokens to be.

use sqlx::{
    Any, AnyConnection, Row as _,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{StoreError, verify::Columns};

/// A token to be added.
pub(super) struct New<'a> {
    /// Its id, which the secret is sealed for.
    pub(super) id: &'a str,
    /// What it is.
    pub(super) columns: &'a Columns,
    /// The sealed secret.
    pub(super) secret: &'a [u8],
    /// The last step or counter that counts as accepted; -1 for none.
    pub(super) last_step: i64,
}

/// Gives a user a token, at `now` in Unix seconds.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    user_id: &str,
    new: &New<'_>,
    now: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO credentials \
        (id, user_id, kind, issuer, account, algorithm, digits, period, secret, last_step, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let New { id, columns, secret, last_step } = new;
    sqlx::query(SQL)
        .bind(*id)
        .bind(user_id)
        .bind(&columns.kind)
        .bind(&columns.issuer)
        .bind(&columns.account)
        .bind(&columns.algorithm)
        .bind(columns.digits)
        .bind(columns.period)
        .bind(secret.to_vec())
        .bind(*last_step)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Binds a token that something under way leads to: id, issuer, algorithm, digits, period, secret, after what is bound.
pub(super) fn bind_to_be<'q>(
    query: Query<'q, Any, AnyArguments>,
    id: &'q str,
    columns: &'q Columns,
    secret: Vec<u8>,
) -> Query<'q, Any, AnyArguments> {
    let Columns { issuer, algorithm, digits, period, .. } = columns;
    query.bind(id).bind(issuer).bind(algorithm).bind(*digits).bind(*period).bind(secret)
}

/// The token that something under way leads to: its id, what it is, its sealed secret, which is gone once it has become a
/// token or never will. `None` before there is one. The row has from column `first` on: id, issuer, algorithm, digits,
/// period, secret.
pub(super) fn to_be(
    row: &AnyRow,
    first: usize,
    account: String,
) -> Result<Option<(String, Columns, Vec<u8>)>, StoreError> {
    let Some(id) = row.try_get::<Option<String>, _>(first)? else { return Ok(None) };
    let columns = Columns {
        kind: "totp".to_owned(),
        issuer: row.try_get(first + 1)?,
        account,
        algorithm: row.try_get(first + 2)?,
        digits: row.try_get(first + 3)?,
        period: row.try_get(first + 4)?,
    };
    let secret: Option<Vec<u8>> = row.try_get(first + 5)?;
    Ok(Some((id, columns, secret.unwrap_or_default())))
}
