//! The statements that decide about a code. Each decides alone: whatever else runs on whatever machine, an attempt is
//! claimed once and a step accepted once.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::{
    secret::SecretBytes,
    token::{Digits, Kind, Period, TokenSecret, TokenSpec},
};
use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use super::{StoreError, in_dialect, json};
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
///
/// Each is about many rows at once: `asked` has one for each attempt, of as many different users.
#[derive(Clone, Copy, Debug)]
pub struct Statements {
    /// Claims attempts: `asked` has `who` (the user's key), `at` (Unix seconds), `quick` and `most` (failures), and
    /// `counts`: 0 for an attempt that only takes as long. A user's id, failures, and 1 that come back mean: this attempt
    /// may be looked at.
    pub claim: &'static str,
    /// Accepts steps: `asked` has `what` (the token's key), `step`, and `until`, which is null unless the step is one to
    /// be remembered until then, for another code to confirm it. The id of a token that comes back means: nobody had
    /// the step, nor a later one.
    pub accept: &'static str,
}

/// The condition under which an attempt is claimed.
macro_rules! open {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " WHEN asked.counts = 1 AND locked_at IS NULL AND failures < asked.most \
              AND (blocked_until <= asked.at OR blocked_until > asked.at + 3600) ",
            $after
        )
    };
}

impl Statements {
    /// As they must be.
    ///
    /// The claim counts the attempt as a failure before anybody knows whether it is one. From the `quick`th failure on
    /// it also closes the door for a while: 30 s, doubled by each further one, at most an hour. A door that is closed
    /// for longer than that was closed under a clock that has since been set back: it counts as open. An attempt that is
    /// not claimed changes the row as well, in `knocks`, so that it takes as long.
    pub const REAL: Self = Self {
        claim: concat!(
            "UPDATE users SET knocks = 2 + (knocks + 1) % 100, ",
            open!("claimed = CASE", "THEN 1 ELSE 0 END, "),
            open!("failures = CASE", "THEN failures + 1 ELSE failures END, "),
            open!(
                "blocked_until = CASE",
                "THEN CASE \
                    WHEN failures + 1 < asked.quick THEN 0 \
                    WHEN failures + 1 - asked.quick >= 7 THEN asked.at + 3600 \
                    ELSE asked.at + (CAST(30 AS BIGINT) << CAST(failures + 1 - asked.quick AS INTEGER)) END \
                  ELSE blocked_until END, "
            ),
            open!("locked_at = CASE", "AND failures + 1 >= asked.most THEN asked.at ELSE locked_at END "),
            "FROM asked WHERE users.{user_key} = asked.who RETURNING id, failures, claimed",
        ),
        accept: "UPDATE credentials SET \
            last_step = CASE WHEN asked.until IS NULL THEN asked.step ELSE last_step END, \
            failures = CASE WHEN asked.until IS NULL THEN 0 ELSE failures END, \
            resync_step = CASE WHEN asked.until IS NULL THEN NULL ELSE asked.step END, \
            resync_until = asked.until, \
            unconfirmed_since = CASE WHEN asked.until IS NULL THEN NULL ELSE unconfirmed_since END \
            FROM asked WHERE credentials.{key} = asked.what AND last_step < asked.step RETURNING id",
    };
}

/// Who an attempt is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// What its row is found by, inside this transaction.
    pub key: String,
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
    /// What the user's row is found by, inside this transaction.
    pub key: String,
    /// What the user's group changes of the policy, as JSON.
    pub group_policy: Option<String>,
    /// The tokens.
    pub credentials: Vec<Credential>,
}

/// Who was asked for.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// Those who are there.
    pub known: BTreeMap<Who, Subject>,
    /// For names that nobody has: the users that come next after them, so that the same work is done for somebody. None
    /// of them is among the known.
    pub others: Vec<Subject>,
}

macro_rules! subject_sql {
    ($condition:literal) => {
        concat!(
            "SELECT u.id, g.policy, c.id, c.kind, c.issuer, c.account, c.algorithm, c.digits, c.period, c.secret, ",
            "c.last_step, c.resync_step, c.resync_until, c.unconfirmed_since, u.folded, ",
            "CAST(u.{user_key} AS TEXT), CAST(c.{key} AS TEXT) ",
            "FROM users u LEFT JOIN groups g ON g.id = u.group_id LEFT JOIN credentials c ON c.user_id = u.id ",
            "WHERE ",
            $condition,
            " ORDER BY u.id, c.id {lock}"
        )
    };
}

/// By names. Whoever has one is the first that is not before it; where nobody has, it is the next, and after the last
/// the first of all.
const BY_NAME: &str = subject_sql!(
    "u.{user_key} {any}SELECT coalesce( \
        (SELECT n.{user_key} FROM users n WHERE n.folded >= value ORDER BY n.folded LIMIT 1), \
        (SELECT n.{user_key} FROM users n ORDER BY n.folded LIMIT 1)) FROM {texts}{end}"
);
const BY_ID: &str = subject_sql!("u.id {in_list}");

/// Reads a user with the tokens; `None` where there is no such user.
pub async fn subject(connection: &mut AnyConnection, keys: &Keys, who: &Who) -> Result<Option<Subject>, StoreError> {
    Ok(subjects(connection, keys, &BTreeSet::from([who])).await?.known.remove(who))
}

/// Reads users with their tokens. From here to the end of the transaction nobody else changes these users; all who lock
/// several do it in the order of their ids, so that no two wait for each other.
pub async fn subjects(connection: &mut AnyConnection, keys: &Keys, who: &BTreeSet<&Who>) -> Result<Met, StoreError> {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for who in who {
        match who {
            Who::Folded(name) => names.insert(name.as_str()),
            Who::Id(id) => ids.insert(id.as_str()),
        };
    }
    let mut met = Met::default();
    for (sql, list) in [(BY_NAME, &names), (BY_ID, &ids)] {
        if list.is_empty() {
            continue;
        }
        let mut found: Vec<(Option<Who>, Subject)> = Vec::with_capacity(list.len());
        for row in listed(connection, sql, list).await? {
            let id: String = row.try_get(0)?;
            if found.last().is_none_or(|(_, before)| before.user_id != id) {
                let folded: String = row.try_get(14)?;
                let who = match sql {
                    BY_ID => Some(Who::Id(id.clone())),
                    _ => names.contains(folded.as_str()).then_some(Who::Folded(folded)),
                };
                let subject =
                    Subject { user_id: id, key: row.try_get(15)?, group_policy: row.try_get(1)?, credentials: vec![] };
                found.push((who, subject));
            }
            if let Some((_, subject)) = found.last_mut()
                && row.try_get::<Option<String>, _>(2)?.is_some()
            {
                subject.credentials.push(credential(&row, keys)?);
            }
        }
        for (who, subject) in found {
            match who {
                Some(who) => drop(met.known.insert(who, subject)),
                None => met.others.push(subject),
            }
        }
    }
    met.others.retain(|other| met.known.values().all(|known| known.user_id != other.user_id));
    Ok(met)
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
    Ok(Credential { id, key: row.try_get(16)?, token, last_step: counting, resync, confirmed })
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

/// An attempt to be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The key of the user's row.
    pub key: &'a str,
    /// Whether it is really that user's. Where it is not, the row is written and says the same as before.
    pub counts: bool,
    /// When, in Unix seconds.
    pub at: i64,
    /// What that user has.
    pub policy: &'a Policy,
}

/// Claims attempts of different users: the ids of those whose attempt may be looked at, and how many have failed in a row
/// then, this one among them. Of the others the budget is used up, the door is closed for a while, or locked.
pub async fn claims(
    connection: &mut AnyConnection,
    statements: Statements,
    claims: &[Claim<'_>],
) -> Result<BTreeMap<String, i64>, StoreError> {
    const ASKED: &str = "WITH asked AS MATERIALIZED (SELECT value ->> 0 AS who, CAST(value ->> 1 AS BIGINT) AS at, \
        CAST(value ->> 2 AS BIGINT) AS quick, CAST(value ->> 3 AS BIGINT) AS most, \
        CAST(value ->> 4 AS BIGINT) AS counts FROM {list}) ";
    let asked: Vec<_> = claims
        .iter()
        .map(|Claim { key, counts, at, policy }| {
            (key, at, policy.quick_failures, policy.max_failures, i64::from(*counts))
        })
        .collect();
    let mut claimed = BTreeMap::new();
    for row in listed(connection, &[ASKED, statements.claim].concat(), &asked).await? {
        if row.try_get::<i64, _>(2)? == 1 {
            claimed.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    Ok(claimed)
}

/// Claims one attempt: how many have failed in a row then, this one among them.
pub async fn claim(
    connection: &mut AnyConnection,
    user_id: &str,
    policy: &Policy,
    now: i64,
) -> Result<Option<i64>, StoreError> {
    const KEY: &str = "SELECT CAST({user_key} AS TEXT) FROM users WHERE id = $1";
    let sql = in_dialect(connection, KEY);
    let row = sqlx::query(AssertSqlSafe(sql)).bind(user_id).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let key: String = row.try_get(0)?;
    let claim = Claim { key: &key, counts: true, at: now, policy };
    Ok(claims(connection, Statements::REAL, &[claim]).await?.remove(user_id))
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
    let claim = sqlx::query(SQL).bind(credential_id).bind(user_id).bind(MOST_FAILURES);
    Ok(claim.fetch_optional(connection).await?.is_some())
}

/// Counts attempts by the network address that they come from: how many each has had now in its window.
pub async fn count_addresses(
    connection: &mut AnyConnection,
    attempts: &BTreeMap<&str, i64>,
    now: i64,
) -> Result<BTreeMap<String, i64>, StoreError> {
    // In order, as users are. SQLite wants the `WHERE`, lest it take `ON` for a join's.
    const SQL: &str = "INSERT INTO addresses (address, attempts, window_until) \
        SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), $2 FROM {list} WHERE $2 = $2 ORDER BY 1 \
        ON CONFLICT (address) DO UPDATE SET \
        attempts = CASE WHEN addresses.window_until <= $3 OR addresses.window_until > $2 \
            THEN excluded.attempts ELSE addresses.attempts + excluded.attempts END, \
        window_until = CASE WHEN addresses.window_until <= $3 OR addresses.window_until > $2 \
            THEN $2 ELSE addresses.window_until END \
        RETURNING address, attempts";
    let asked: Vec<_> = attempts.iter().collect();
    let sql = in_dialect(connection, SQL);
    let query = sqlx::query(AssertSqlSafe(sql)).bind(json(&asked)?).bind(now + ADDRESS_WINDOW).bind(now);
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A step to be accepted, or to be remembered.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The token. Where there is none, an empty id.
    pub credential_id: &'a str,
    /// The key of its row; an empty one is nobody's.
    pub key: &'a str,
    /// The step; -1, which no token takes, where the code is of none.
    pub step: i64,
    /// Until when it is to be remembered for the next code to confirm it, in Unix seconds; `None`: it is accepted.
    pub until: Option<i64>,
}

/// Accepts steps of different tokens: the ids of those that took theirs. Of the others it, or a later one, was accepted
/// before.
pub async fn accept(
    connection: &mut AnyConnection,
    statements: Statements,
    steps: &[Step<'_>],
) -> Result<BTreeSet<String>, StoreError> {
    const ASKED: &str = "WITH asked AS MATERIALIZED (SELECT value ->> 0 AS what, CAST(value ->> 1 AS BIGINT) AS step, \
        CAST(value ->> 2 AS BIGINT) AS until FROM {list}) ";
    let asked: Vec<_> = steps.iter().map(|step| (step.key, step.step, step.until)).collect();
    let rows = listed(connection, &[ASKED, statements.accept].concat(), &asked).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Opens the door again after a right code.
pub async fn forgive(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    forgive_all(connection, &[user_id]).await
}

/// The same for several users.
pub async fn forgive_all(connection: &mut AnyConnection, user_ids: &[&str]) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET failures = 0, blocked_until = 0, locked_at = NULL WHERE id {in_list}";
    let sql = in_dialect(connection, SQL);
    sqlx::query(AssertSqlSafe(sql)).bind(json(&user_ids)?).execute(connection).await?;
    Ok(())
}

/// Takes back a claim whose code was right, but is not one that forgives: an SMS code. What was open before it is open
/// again.
pub async fn give_back(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET failures = failures - 1, blocked_until = 0, locked_at = NULL WHERE id = $1";
    sqlx::query(SQL).bind(user_id).execute(connection).await?;
    Ok(())
}

/// Runs a statement about a list.
async fn listed(
    connection: &mut AnyConnection,
    sql: &str,
    list: &(impl Serialize + Sync),
) -> Result<Vec<AnyRow>, StoreError> {
    let sql = in_dialect(connection, sql);
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(json(list)?).fetch_all(connection).await?)
}

const _: () = assert!(LONGEST_DELAY == 3600, "the statement says it in figures");
