//! The statements that decide about a code. Each decides alone: whatever else runs on whatever machine, an attempt is
//! claimed once and a step accepted once.

use countersign_core::{
    secret::SecretBytes,
    token::{Digits, Kind, Period, TokenSecret, TokenSpec},
};
use sqlx::{Any, AnyConnection, Row as _, any::AnyRow, query::Query};

use super::StoreError;
use crate::{
    domain::policy::{MOST_FAILURES, Policy},
    seal::Keys,
};

/// Where a token's secret is sealed for.
pub const SECRET_PLACE: &str = "credentials.secret";
/// The longest delay after a wrong code, in seconds.
pub const LONGEST_DELAY: i64 = 3600;
/// How long attempts of one address are counted together, in seconds.
pub const ADDRESS_WINDOW: i64 = 600;

/// The two statements that races end at. A test takes their conditions away, and sees the race being lost.
#[derive(Clone, Copy, Debug)]
pub struct Statements {
    /// Claims an attempt: $1 user, $2 now, $3 quick failures, $4 most failures. A row means: it may be looked at.
    pub claim: &'static str,
    /// Accepts a step: $1 step, $2 credential. A row means: nobody had it, nor a later one.
    pub accept: &'static str,
}

impl Statements {
    /// As they must be.
    ///
    /// The claim counts the attempt as a failure before anybody knows whether it is one. From the `quick`th failure on
    /// it also closes the door for a while: 30 s, doubled by each further one, at most an hour. A door that is closed
    /// for longer than that was closed under a clock that has since been set back: it counts as open.
    pub const REAL: Self = Self {
        claim: "UPDATE users SET failures = failures + 1, \
            blocked_until = CASE \
                WHEN failures + 1 < $3 THEN 0 \
                WHEN failures + 1 - $3 >= 7 THEN $2 + 3600 \
                ELSE $2 + (CAST(30 AS BIGINT) << CAST(failures + 1 - $3 AS INTEGER)) END, \
            locked_at = CASE WHEN failures + 1 >= $4 THEN $2 ELSE locked_at END \
            WHERE id = $1 AND locked_at IS NULL AND failures < $4 \
                AND (blocked_until <= $2 OR blocked_until > $2 + 3600) \
            RETURNING failures",
        accept: "UPDATE credentials SET last_step = $1, failures = 0, resync_step = NULL, resync_until = NULL, \
            unconfirmed_since = NULL \
            WHERE id = $2 AND last_step < $1 RETURNING last_step",
    };
}

/// Who an attempt is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// By the folded name, as others know the user.
    Folded(String),
    /// By the user's id.
    Id(String),
}

/// A token of a user, as verification needs it.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its id.
    pub id: String,
    /// Its kind and secret.
    pub token: TokenSpec,
    /// The last step or counter that was accepted; -1 before the first.
    pub last_step: i64,
    /// A remembered counter beyond the look-ahead, and until when.
    pub resync: Option<(i64, i64)>,
    /// Whether it counts; one that does not waits for a code that confirms it.
    pub confirmed: bool,
}

/// A user with the tokens that count.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The user's id.
    pub user_id: String,
    /// What the user's group changes of the policy, as JSON.
    pub group_policy: Option<String>,
    /// The tokens.
    pub credentials: Vec<Credential>,
}

macro_rules! subject_sql {
    ($condition:literal) => {
        concat!(
            "SELECT u.id, g.policy, c.id, c.kind, c.issuer, c.account, c.algorithm, c.digits, c.period, c.secret, ",
            "c.last_step, c.resync_step, c.resync_until, c.unconfirmed_since ",
            "FROM users u LEFT JOIN groups g ON g.id = u.group_id LEFT JOIN credentials c ON c.user_id = u.id ",
            "WHERE ",
            $condition,
            " ORDER BY c.id"
        )
    };
}

/// Reads a user with the tokens; `None` where there is no such user.
pub async fn subject(connection: &mut AnyConnection, keys: &Keys, who: &Who) -> Result<Option<Subject>, StoreError> {
    let rows = match who {
        Who::Folded(name) => sqlx::query(subject_sql!("u.folded = $1")).bind(name),
        Who::Id(id) => sqlx::query(subject_sql!("u.id = $1")).bind(id),
    }
    .fetch_all(connection)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut subject = Subject { user_id: first.try_get(0)?, group_policy: first.try_get(1)?, credentials: vec![] };
    for row in &rows {
        if row.try_get::<Option<String>, _>(2)?.is_some() {
            subject.credentials.push(credential(row, keys)?);
        }
    }
    Ok(Some(subject))
}

fn credential(row: &AnyRow, keys: &Keys) -> Result<Credential, StoreError> {
    let damaged = || StoreError::Damaged("credentials");
    let id: String = row.try_get(2)?;
    let sealed: Vec<u8> = row.try_get(9)?;
    let secret = keys.open(SECRET_PLACE, &id, &sealed).map_err(|error| {
        tracing::error!(credential = %id, %error, "a token's secret does not open");
        damaged()
    })?;
    let counting: i64 = row.try_get(10)?;
    let token = token(
        &Columns {
            kind: row.try_get(3)?,
            issuer: row.try_get(4)?,
            account: row.try_get(5)?,
            algorithm: row.try_get(6)?,
            digits: row.try_get(7)?,
            period: row.try_get(8)?,
        },
        counting,
        &secret,
    )
    .ok_or_else(damaged)?;
    let resync = match (row.try_get::<Option<i64>, _>(11)?, row.try_get::<Option<i64>, _>(12)?) {
        (Some(step), Some(until)) => Some((step, until)),
        _ => None,
    };
    let confirmed = row.try_get::<Option<i64>, _>(13)?.is_none();
    Ok(Credential { id, token, last_step: counting, resync, confirmed })
}

/// The columns that say what a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// `totp` or `hotp`.
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// Whose it is.
    pub account: String,
    /// The hash's name.
    pub algorithm: String,
    /// Digits of a code.
    pub digits: i64,
    /// Seconds of a step; 0 for a counter.
    pub period: i64,
}

/// The token that the columns and the secret make; `None` where they make none.
pub fn token(columns: &Columns, last_step: i64, secret: &SecretBytes) -> Option<TokenSpec> {
    let algorithm = columns.algorithm.parse().ok()?;
    let digits = Digits::new(u64::try_from(columns.digits).ok()?).ok()?;
    let kind = match columns.kind.as_str() {
        "totp" => Kind::Totp { algorithm, digits, period: Period::new(u64::try_from(columns.period).ok()?).ok()? },
        "hotp" => Kind::Hotp { algorithm, digits, counter: u64::try_from(last_step.saturating_add(1)).ok()? },
        _ => return None,
    };
    Some(TokenSpec {
        issuer: columns.issuer.clone(),
        account: columns.account.clone(),
        kind,
        secret: TokenSecret::from_bytes(secret.expose().to_vec()).ok()?,
        label_issuer: None,
        uri_parameters: vec![],
    })
}

/// The columns and the first `last_step` of a token; `None` for kinds that this server does not verify.
pub fn columns(token: &TokenSpec) -> Option<(Columns, i64)> {
    let (kind, algorithm, digits, period, last_step) = match &token.kind {
        Kind::Totp { algorithm, digits, period } => ("totp", algorithm, digits, period.seconds(), -1),
        // Far beyond any token's life, and far from where numbers end.
        Kind::Hotp { algorithm, digits, counter } if *counter < 1 << 53 => {
            ("hotp", algorithm, digits, 0, i64::try_from(*counter).ok()? - 1)
        }
        _ => return None,
    };
    let columns = Columns {
        kind: kind.to_owned(),
        issuer: token.issuer.clone(),
        account: token.account.clone(),
        algorithm: algorithm.to_string(),
        digits: digits.get().into(),
        period: i64::try_from(period).ok()?,
    };
    Some((columns, last_step))
}

/// Claims an attempt of a user (no such user: an empty id, for the same work); how many have failed in a row then, this
/// one among them. `None`: the budget is used up, the door is closed for a while, or locked.
pub async fn claim(
    connection: &mut AnyConnection,
    statements: Statements,
    user_id: &str,
    policy: &Policy,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let claim = sqlx::query(statements.claim).bind(user_id).bind(now).bind(policy.quick_failures);
    let row = claim.bind(policy.max_failures).fetch_optional(connection).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Claims an attempt of a token that a sign-in named. False: 100 in a row were wrong, or it is not the user's, whose
/// attempts must not count against another's token.
pub async fn claim_credential(
    connection: &mut AnyConnection,
    user_id: &str,
    credential_id: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE credentials SET failures = failures + 1 WHERE id = $1 AND user_id = $2 AND failures < $3 \
        RETURNING failures";
    has_row(sqlx::query(SQL).bind(credential_id).bind(user_id).bind(MOST_FAILURES), connection).await
}

/// Counts an attempt of a network address. False: it had too many lately.
pub async fn claim_address(
    connection: &mut AnyConnection,
    address: &str,
    most: i64,
    now: i64,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO addresses (address, attempts, window_until) VALUES ($1, 1, $2) \
        ON CONFLICT (address) DO UPDATE SET \
        attempts = CASE WHEN addresses.window_until <= $3 OR addresses.window_until > $2 \
            THEN 1 ELSE addresses.attempts + 1 END, \
        window_until = CASE WHEN addresses.window_until <= $3 OR addresses.window_until > $2 \
            THEN $2 ELSE addresses.window_until END \
        RETURNING attempts";
    let row = sqlx::query(SQL).bind(address).bind(now + ADDRESS_WINDOW).bind(now).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? <= most)
}

/// Accepts a step. False: it, or a later one, was accepted before.
pub async fn accept(
    connection: &mut AnyConnection,
    statements: Statements,
    credential_id: &str,
    step: i64,
) -> Result<bool, StoreError> {
    has_row(sqlx::query(statements.accept).bind(step).bind(credential_id), connection).await
}

/// Opens the door again after a right code.
pub async fn forgive(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET failures = 0, blocked_until = 0, locked_at = NULL WHERE id = $1";
    sqlx::query(SQL).bind(user_id).execute(connection).await?;
    Ok(())
}

/// Takes back a claim whose code was right, but is not one that forgives: an SMS code. What was open before it is open
/// again.
pub async fn give_back(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET failures = failures - 1, blocked_until = 0, locked_at = NULL WHERE id = $1";
    sqlx::query(SQL).bind(user_id).execute(connection).await?;
    Ok(())
}

/// Remembers a counter beyond the look-ahead.
pub async fn remember_far(
    connection: &mut AnyConnection,
    credential_id: &str,
    step: i64,
    until: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE credentials SET resync_step = $1, resync_until = $2 WHERE id = $3 AND last_step < $1";
    sqlx::query(SQL).bind(step).bind(until).bind(credential_id).execute(connection).await?;
    Ok(())
}

async fn has_row(
    query: Query<'_, Any, sqlx::any::AnyArguments>,
    connection: &mut AnyConnection,
) -> Result<bool, StoreError> {
    Ok(query.fetch_optional(connection).await?.is_some())
}

const _: () = assert!(LONGEST_DELAY == 3600, "the statement says it in figures");
