//! The statements of a registration. Each step is one transaction of these; a process that dies between two leaves
//! either the earlier token or the new one.

use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use super::{StoreError, credentials, former, in_dialect, verify::Columns};

// Of those who send one of these at once, in whatever process, no more get a row back than the condition says.

/// The condition under which a try at a password is claimed.
macro_rules! waits_no_more {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " WHEN folded = $1 AND (password_blocked_until <= $2 OR password_blocked_until > $2 + 3600) ",
            $after
        )
    };
}

/// Claims a try at the password of $1 at $2: five, and then one after each delay. What comes back is a user's id, and 1 if
/// this try may be looked at.
///
/// For a name that nobody has it is the user that comes next, of whom nothing changes but `knocks`: the same is found,
/// written and read whether there is such a user or not, and whether that user has to wait.
pub const CLAIM_PASSWORD: &str = concat!(
    "UPDATE users SET knocks = 2 + (knocks + 1) % 100, ",
    waits_no_more!("claimed = CASE", "THEN 1 ELSE 0 END, "),
    waits_no_more!("password_failures = CASE", "THEN password_failures + 1 ELSE password_failures END, "),
    waits_no_more!(
        "password_blocked_until = CASE",
        "THEN CASE \
            WHEN password_failures + 1 < 5 THEN 0 \
            WHEN password_failures + 1 - 5 >= 7 THEN $2 + 3600 \
            ELSE $2 + (CAST(30 AS BIGINT) << CAST(password_failures + 1 - 5 AS INTEGER)) END \
          ELSE password_blocked_until END "
    ),
    "WHERE {user_key} = coalesce( \
        (SELECT n.{user_key} FROM users n WHERE n.folded >= $1 ORDER BY n.folded LIMIT 1), \
        (SELECT n.{user_key} FROM users n ORDER BY n.folded LIMIT 1)) RETURNING id, claimed",
);
/// Claims one of the five tries at the SMS code of registration $1 at $2.
pub const CLAIM_SMS: &str = "UPDATE registrations SET sms_tries = sms_tries + 1 WHERE id = $1 \
    AND state IN ('started', 'confirmed') AND sms_tries < 5 AND expires_at > $2 AND expires_at <= $2 + 600 RETURNING sms_tries";
/// Makes registration $1 the one of a token: once.
pub const CONFIRM: &str = "UPDATE registrations SET state = 'confirmed', credential_id = $2, issuer = $3, algorithm = $4, \
    digits = $5, period = $6, secret = $7, expires_at = $8, seal_key = $9 WHERE id = $1 AND state = 'started' RETURNING id";
/// Makes the token of registration $1 the one that works, at $2: once.
pub const TAKE: &str = "UPDATE registrations SET state = 'active', secret = NULL WHERE id = $1 AND state = 'confirmed' \
    AND expires_at > $2 AND expires_at <= $2 + 600 RETURNING id";

/// Who wants to register: what is on file.
#[derive(Clone, Debug)]
pub struct Registrant {
    /// The user's id.
    pub user_id: String,
    /// The user's name as it was given.
    pub name: String,
    /// The number on file.
    pub phone: Option<String>,
    /// The password's hash.
    pub password_hash: Option<String>,
    /// What the group changes of the policy.
    pub group_policy: Option<String>,
}

/// What became of a try at a password.
#[derive(Clone, Debug)]
pub enum Claim {
    /// It may be looked at.
    Open(Registrant),
    /// The user of this id has to wait.
    Waits(String),
    /// There is no such user.
    Unknown,
}

impl Claim {
    /// Who registers or signs in, where the try may be looked at; else the id of who has to wait, and the reason for the
    /// audit log.
    pub fn open(self) -> Result<Registrant, (Option<String>, &'static str)> {
        match self {
            Self::Open(registrant) => Ok(registrant),
            Self::Waits(user_id) => Err((Some(user_id), "waiting")),
            Self::Unknown => Err((None, "unknown")),
        }
    }
}

/// A registration under way.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its id.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// `started`, `confirmed`, `active`, `ended` (by another registration) or `revoked` (by a change of the user).
    pub state: String,
    /// What the signatures are over.
    pub nonce: String,
    /// The app's public key.
    pub app_key: Vec<u8>,
    /// The app's name.
    pub app_name: String,
    /// The app's platform.
    pub platform: String,
    /// The code that was sent.
    pub sms_mac: Vec<u8>,
    /// The look-up key that it is under.
    pub sms_key_id: i64,
    /// Until when it may go on, in Unix seconds.
    pub expires_at: i64,
    /// The link that it was begun with.
    pub link_id: Option<String>,
    /// The token to be, once there is one: its id, what it is, its sealed secret.
    pub token: Option<(String, Columns, Vec<u8>)>,
    /// The key that the token was sealed to, as it was sent.
    pub seal_key: Option<String>,
}

/// Reads who registers, and claims an attempt at the password by [`CLAIM_PASSWORD`]: after five wrong ones in a row delays
/// of 30 s to an hour. Whatever comes of it, the same statements are sent, and as many rows come back.
pub async fn claim_password(
    connection: &mut AnyConnection,
    statement: &str,
    folded: &str,
    now: i64,
) -> Result<Claim, StoreError> {
    const READ: &str = "SELECT u.id, u.name, u.phone, u.password_hash, g.policy, u.folded FROM users u \
        LEFT JOIN groups g ON g.id = u.group_id WHERE u.id = $1";
    let claim = in_dialect(connection, statement);
    let claim = sqlx::query(AssertSqlSafe(claim)).bind(folded).bind(now).fetch_optional(&mut *connection).await?;
    let Some(claim) = claim else { return Ok(Claim::Unknown) };
    let (id, claimed): (String, i64) = (claim.try_get(0)?, claim.try_get(1)?);
    let row = sqlx::query(READ).bind(id).fetch_one(connection).await?;
    let found = Registrant {
        user_id: row.try_get(0)?,
        name: row.try_get(1)?,
        phone: row.try_get(2)?,
        password_hash: row.try_get(3)?,
        group_policy: row.try_get(4)?,
    };
    // Somebody else's row stands for a name that nobody has.
    let own = row.try_get::<String, _>(5)? == folded;
    Ok(match claimed {
        1 => Claim::Open(found),
        _ if own => Claim::Waits(found.user_id),
        _ => Claim::Unknown,
    })
}

/// Takes wrong passwords back after a right one. Locks the user's row, so that what follows is one after another.
pub async fn forgive_password(connection: &mut AnyConnection, user_id: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE users SET password_failures = 0, password_blocked_until = 0 WHERE id = $1";
    sqlx::query(SQL).bind(user_id).execute(connection).await?;
    Ok(())
}

/// The same for whoever showed the password of that hash. False: another has taken its place since it was looked at.
pub async fn enter(connection: &mut AnyConnection, user_id: &str, hash: Option<&str>) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE users SET password_failures = 0, password_blocked_until = 0 \
        WHERE id = $1 AND password_hash = $2 RETURNING id";
    let row = sqlx::query(SQL).bind(user_id).bind(hash).fetch_optional(connection).await?;
    Ok(row.is_some())
}

/// How many SMS went out: the newest of the user (or 0), of the user in an hour and in a day, of the prefix and of all in an
/// hour. What went out under a clock that has since been set back counts as of now: nobody waits for that clock's hour.
pub async fn sends(
    connection: &mut AnyConnection,
    user_id: &str,
    prefix: &str,
    now: i64,
) -> Result<[i64; 5], StoreError> {
    const SQL: &str = "SELECT \
        (SELECT coalesce(max(at), 0) FROM sms_sends WHERE user_id = $1 AND at <= $3), \
        (SELECT count(*) FROM sms_sends WHERE user_id = $1 AND at > $3 - 3600), \
        (SELECT count(*) FROM sms_sends WHERE user_id = $1 AND at > $3 - 86400), \
        (SELECT count(*) FROM sms_sends WHERE prefix = $2 AND at > $3 - 3600), \
        (SELECT count(*) FROM sms_sends WHERE at > $3 - 3600)";
    // Clocks of several machines are seconds apart, which is nothing to mend.
    const SET_BACK: &str = "UPDATE sms_sends SET at = $1 WHERE at > $1 + 60";
    sqlx::query(SET_BACK).bind(now).execute(&mut *connection).await?;
    let row = sqlx::query(SQL).bind(user_id).bind(prefix).bind(now).fetch_one(connection).await?;
    Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?])
}

/// Begins a registration, ends those of the user that wait for an SMS code, and counts the SMS.
pub async fn start(
    connection: &mut AnyConnection,
    new: &Registration,
    app_id: &str,
    prefix: &str,
    now: i64,
) -> Result<(), StoreError> {
    const INSERT: &str = "INSERT INTO registrations (id, user_id, state, nonce, app_id, app_key, app_name, platform, \
        sms_mac, sms_key_id, created_at, expires_at, link_id) \
        VALUES ($1, $2, 'started', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    sqlx::query("UPDATE registrations SET state = 'ended' WHERE user_id = $1 AND state = 'started'")
        .bind(&new.user_id)
        .execute(&mut *connection)
        .await?;
    sqlx::query(INSERT)
        .bind(&new.id)
        .bind(&new.user_id)
        .bind(&new.nonce)
        .bind(app_id)
        .bind(new.app_key.clone())
        .bind(&new.app_name)
        .bind(&new.platform)
        .bind(new.sms_mac.clone())
        .bind(new.sms_key_id)
        .bind(now)
        .bind(new.expires_at)
        .bind(new.link_id.clone())
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO sms_sends (id, user_id, prefix, at) VALUES ($1, $2, $3, $4)")
        .bind(&new.id)
        .bind(&new.user_id)
        .bind(prefix)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM sms_sends WHERE at < $1 - 86400").bind(now).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM registrations WHERE expires_at < $1 - 86400").bind(now).execute(connection).await?;
    Ok(())
}

/// Reads a registration.
pub async fn read(connection: &mut AnyConnection, id: &str) -> Result<Option<Registration>, StoreError> {
    const SQL: &str = "SELECT r.id, r.user_id, r.state, r.nonce, r.app_key, r.app_name, r.platform, r.sms_mac, \
        r.sms_key_id, r.expires_at, r.credential_id, r.issuer, r.algorithm, r.digits, r.period, r.secret, u.name, \
        r.seal_key, r.link_id FROM registrations r JOIN users u ON u.id = r.user_id WHERE r.id = $1";
    let row = sqlx::query(SQL).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(registration).transpose()
}

fn registration(row: &AnyRow) -> Result<Registration, StoreError> {
    let token = credentials::to_be(row, 10, row.try_get(16)?)?;
    Ok(Registration {
        id: row.try_get(0)?,
        user_id: row.try_get(1)?,
        state: row.try_get(2)?,
        nonce: row.try_get(3)?,
        app_key: row.try_get(4)?,
        app_name: row.try_get(5)?,
        platform: row.try_get(6)?,
        sms_mac: row.try_get(7)?,
        sms_key_id: row.try_get(8)?,
        expires_at: row.try_get(9)?,
        token,
        seal_key: row.try_get(17)?,
        link_id: row.try_get(18)?,
    })
}

/// Claims one of the five tries at an SMS code, also one that was right before and whose answer was lost. False: used
/// up, too late, or another step.
pub async fn claim_sms(connection: &mut AnyConnection, id: &str, now: i64) -> Result<bool, StoreError> {
    Ok(sqlx::query(CLAIM_SMS).bind(id).bind(now).fetch_optional(connection).await?.is_some())
}

/// Goes on from the SMS code to the token to be. False: somebody else did.
pub async fn confirm(
    connection: &mut AnyConnection,
    id: &str,
    credential_id: &str,
    columns: &Columns,
    secret: Vec<u8>,
    seal_key: &str,
    expires_at: i64,
) -> Result<bool, StoreError> {
    let query = credentials::bind_to_be(sqlx::query(CONFIRM).bind(id), credential_id, columns, secret);
    Ok(query.bind(expires_at).bind(seal_key).fetch_optional(connection).await?.is_some())
}

/// Ends every other registration of the user, the earlier binding and its token; binds the new one. `step` is that of
/// the first code, which is used up by this. False: the registration has been ended meanwhile.
pub async fn activate(
    connection: &mut AnyConnection,
    registration: &Registration,
    app_id: &str,
    step: i64,
    now: i64,
) -> Result<bool, StoreError> {
    const BIND: &str = "INSERT INTO bindings (credential_id, user_id, app_id, app_key, app_name, platform, bound_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let Some((credential_id, columns, secret)) = &registration.token else { return Ok(false) };
    if sqlx::query(TAKE).bind(&registration.id).bind(now).fetch_optional(&mut *connection).await?.is_none() {
        return Ok(false);
    }
    let user_id = &registration.user_id;
    sqlx::query(
        "UPDATE registrations SET state = 'ended', secret = NULL WHERE user_id = $1 AND id <> $2 AND state <> 'ended'",
    )
    .bind(user_id)
    .bind(&registration.id)
    .execute(&mut *connection)
    .await?;
    former::remember(&mut *connection, user_id, true, now).await?;
    sqlx::query("DELETE FROM credentials WHERE id IN (SELECT credential_id FROM bindings WHERE user_id = $1)")
        .bind(user_id)
        .execute(&mut *connection)
        .await?;
    let new = credentials::New { id: credential_id, columns, secret, last_step: step };
    credentials::insert(&mut *connection, user_id, &new, now).await?;
    sqlx::query(BIND)
        .bind(credential_id)
        .bind(user_id)
        .bind(app_id)
        .bind(registration.app_key.clone())
        .bind(&registration.app_name)
        .bind(&registration.platform)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(true)
}
