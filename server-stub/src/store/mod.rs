//! What is kept: SQLite in a file, or PostgreSQL, behind one type and one wording of SQL.

pub mod accounts;
pub mod admin;
pub mod apps;
pub mod audit;
mod credentials;
pub mod former;
pub mod keys;
pub mod links;
pub mod login;
mod migrate;
mod newest_key;
pub mod outbox;
mod ready;
pub mod registration;
mod reseal;
mod trouble;
mod under_way;
pub mod users;
pub mod verify;

use std::{path::Path, sync::Arc, time::Duration};

use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Connection as _, Executor as _, Transaction,
    any::{AnyPoolOptions, install_default_drivers},
    pool::PoolConnection,
};

pub use migrate::{MIGRATIONS, MigrationError};
pub use newest_key::Stranger;
pub use trouble::advice;
use trouble::{passes, said};

use crate::{
    domain::{audit::Event, policy::Contradiction},
    seal::Keys,
};

/// How long a request waits for the database before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long what nobody can go on without may take, the wait for a connection included.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection may have rested and still be taken to be there, without a trip to ask.
pub const RESTED: Duration = Duration::from_secs(1);
/// What every connection to PostgreSQL begins with. All statements are look-ups of a few rows: reading whole tables may
/// be estimated to cost less while those are small, and costs more; plans that are made once are as good as any.
const POSTGRES: &str = "SET lock_timeout = '3s'; SET client_min_messages = warning; SET jit = off; \
    SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; \
    SET enable_mergejoin = off; ";

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of this machine.
    Sqlite,
    /// A server, shared by any number of processes.
    Postgres,
}

/// An open database with its schema in place.
#[derive(Clone, Debug)]
pub struct Store {
    kind: Kind,
    durability: Durability,
    /// One connection for SQLite, which has one writer anyway: waiting here is fairer than being told `busy`.
    writers: AnyPool,
    readers: AnyPool,
    actor: Option<Arc<Actor>>,
    tried: ready::Tried,
}

/// Who changes something, for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `console`, `key:NAME`, `user:NAME`.
    pub name: String,
    /// Whether it may change administrators, and make some.
    pub over_administrators: bool,
}

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something with this name or key is there already.
    #[error("it exists already")]
    Exists,
    /// What was named is not there.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// The database cannot be reached or is too busy: worth another try.
    #[error("the database cannot do this now: {}", said(.0))]
    Unavailable(#[source] sqlx::Error),
    /// What was named is an administrator, or would become one, and whoever asks may not do that.
    #[error("only an administrator changes an administrator")]
    Administrator,
    /// The newest key that the database was written with is not there: nothing is written without it.
    #[error(
        "key {0}, which the database was written with last, is not here: copy the keys from where they were rotated"
    )]
    KeyMissing(i64),
    /// What was to be set contradicts what is: of the server, or of the group of that name.
    #[error("{}{what}", .group.as_ref().map(|group| format!("in the group {group}: ")).unwrap_or_default())]
    Contradiction {
        /// The group.
        group: Option<String>,
        /// What.
        what: Contradiction,
    },
    /// A group that somebody is in.
    #[error("the group has users")]
    InUse,
    /// A row that does not hold what it should.
    #[error("a damaged row of {0}")]
    Damaged(&'static str),
    /// A statement that failed for another reason.
    #[error("the database: {}", said(.0))]
    Failed(#[source] sqlx::Error),
}

impl StoreError {
    /// The stable code, the same on the command line as in the API.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Missing(_) => "not_found",
            Self::Unavailable(_) => "unavailable",
            Self::KeyMissing(_) => "keys_missing",
            Self::Administrator => "administrator_protected",
            Self::InUse => "group_in_use",
            Self::Contradiction { .. } => "field_invalid",
            Self::Damaged(_) | Self::Failed(_) => "internal",
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => Self::Exists,
            sqlx::Error::Database(database) => match database.code() {
                Some(code) if passes(&code) => Self::Unavailable(error),
                _ => Self::Failed(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            _ => Self::Failed(error),
        }
    }
}

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// No connection, or no right to the file.
    #[error("the database {place} cannot be opened: {}", said(source))]
    Connect {
        /// Where it is.
        place: String,
        /// What it said.
        source: sqlx::Error,
    },
    /// Its schema could not be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrationError),
    /// Neither `sqlite:` nor `postgres:`.
    #[error("a database address begins with postgres:// or sqlite://")]
    Address,
}

/// How the database treats a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A commit is on the disk before anybody is answered.
    Full,
    /// The system may lose the last commits when the machine loses power. For tests and comparisons.
    Relaxed,
}

/// Why there was no connection in time: a pool tries again and again, and does not tell why that was.
async fn why(error: sqlx::Error, address: &str, session: String) -> sqlx::Error {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return error;
    }
    let begin = async { AnyConnection::connect(address).await?.execute(AssertSqlSafe(session)).await };
    match tokio::time::timeout(PATIENCE, begin).await {
        Ok(Err(reason)) => reason,
        _ => error,
    }
}

impl Store {
    /// Opens or makes the SQLite file, and brings its schema up to date.
    pub async fn open_file(path: &Path, durability: Durability) -> Result<Self, OpenError> {
        // A path may hold what means something in an address.
        let path = path.to_str().ok_or(OpenError::Address)?;
        let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        Self::open(&format!("sqlite://{path}?mode=rwc"), durability).await
    }

    /// Opens a database by its address (`postgres://..`, `sqlite://..`), and brings its schema up to date.
    pub async fn open(address: &str, durability: Durability) -> Result<Self, OpenError> {
        install_default_drivers();
        let kind = match address.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Kind::Sqlite,
            Some("postgres" | "postgresql") => Kind::Postgres,
            _ => return Err(OpenError::Address),
        };
        let session = match (kind, durability) {
            (Kind::Sqlite, Durability::Full) => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 3000; \
                 PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192; PRAGMA secure_delete = ON"
            }
            (Kind::Sqlite, Durability::Relaxed) => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA busy_timeout = 3000; \
                 PRAGMA foreign_keys = ON"
            }
            (Kind::Postgres, Durability::Full) => "SET synchronous_commit = on",
            (Kind::Postgres, Durability::Relaxed) => "SET synchronous_commit = off",
        };
        let session = match kind {
            Kind::Sqlite => session.to_owned(),
            Kind::Postgres => [POSTGRES, session].concat(),
        };
        let pool = |connections| {
            let session = session.clone();
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .after_connect(move |connection, _| {
                    let session = session.clone();
                    Box::pin(async move { connection.execute(AssertSqlSafe(session)).await.map(drop) })
                })
                .test_before_acquire(false)
                .before_acquire(|connection, resting| {
                    Box::pin(async move {
                        // A statement that fails may end its transaction by itself, and then nothing here can end it:
                        // the connection is closed, and another takes its place.
                        if connection.is_in_transaction() {
                            return Ok(false);
                        }
                        if resting.idle_for >= RESTED {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                })
        };
        let closed = |source| OpenError::Connect { place: trouble::place(kind, address), source };
        let connected = match kind {
            Kind::Sqlite => pool(1).connect(address).await,
            Kind::Postgres => pool(8).connect(address).await,
        };
        let writers = match connected {
            Ok(writers) => writers,
            Err(error) => return Err(closed(why(error, address, session).await)),
        };
        migrate::run(&writers, kind, MIGRATIONS).await.map_err(|error| match error {
            MigrationError::Read(source) => closed(source),
            error => error.into(),
        })?;
        let readers = match kind {
            Kind::Sqlite => pool(4).connect_lazy(address).map_err(closed)?,
            Kind::Postgres => writers.clone(),
        };
        Ok(Self { kind, durability, writers, readers, actor: None, tried: ready::Tried::default() })
    }

    /// The same store, whose changes are somebody's.
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self { actor: Some(Arc::new(actor)), ..self.clone() }
    }

    /// Whether whoever asks may all.
    pub(crate) fn over_administrators(&self) -> bool {
        self.actor.as_ref().is_none_or(|actor| actor.over_administrators)
    }

    /// Appends what an administrator did to the audit log, with who it was.
    pub(crate) async fn record(
        &self,
        connection: &mut AnyConnection,
        keys: &Keys,
        mut events: Vec<Event>,
    ) -> Result<(), StoreError> {
        if let Some(actor) = &self.actor {
            for event in &mut events {
                if let Some(detail) = event.detail.as_object_mut() {
                    detail.insert("by".to_owned(), actor.name.as_str().into());
                }
            }
        }
        audit::append(connection, keys, &events).await
    }

    /// Which database this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        in_time(async { Ok(sqlx::query("SELECT 1").fetch_one(&self.readers).await.map(drop)?) }).await
    }

    /// A connection for writing. In SQLite it is the only one: nobody else writes until it is dropped.
    pub(crate) async fn writer(&self) -> Result<PoolConnection<Any>, StoreError> {
        Ok(self.writers.acquire().await?)
    }

    /// Begins a transaction that will write, on a connection for it.
    pub(crate) async fn begin_on<'c>(
        &self,
        writer: &'c mut PoolConnection<Any>,
    ) -> Result<Transaction<'c, Any>, StoreError> {
        Ok(match self.beginning() {
            Some(statement) => writer.begin_with(statement).await?,
            None => writer.begin().await?,
        })
    }

    /// Begins a transaction that will write. In SQLite it is the only one from here on.
    pub async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.beginning() {
            Some(statement) => self.writers.begin_with(statement).await?,
            None => self.writers.begin().await?,
        })
    }

    fn beginning(&self) -> Option<&'static str> {
        match (self.kind, self.durability) {
            (Kind::Sqlite, Durability::Full) => Some("PRAGMA synchronous = FULL; BEGIN IMMEDIATE"),
            (Kind::Sqlite, Durability::Relaxed) => Some("BEGIN IMMEDIATE"),
            (Kind::Postgres, _) => None,
        }
    }

    /// The same, but its commit does not wait for the disk: for what nobody is promised, a refusal. It outlives the death
    /// of this process; when the machine loses power, the last moments of such commits may be gone, and nothing else.
    pub async fn begin_unsynced(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match (self.kind, self.durability) {
            (Kind::Sqlite, Durability::Full) => {
                self.writers.begin_with("PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE").await?
            }
            (Kind::Sqlite, Durability::Relaxed) => self.writers.begin_with("BEGIN IMMEDIATE").await?,
            (Kind::Postgres, _) => self.writers.begin_with("BEGIN; SET LOCAL synchronous_commit = off").await?,
        })
    }

    /// A connection for reading, which waits for no writer.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<Any>, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// What was set on the server, by name.
    pub async fn settings(connection: &mut AnyConnection) -> Result<Vec<(String, String)>, StoreError> {
        Ok(sqlx::query_as("SELECT name, value FROM settings ORDER BY name").fetch_all(connection).await?)
    }
}

/// Gives up after five seconds: a database that takes what it is sent and answers nothing is away, too. What is given up is
/// rolled back, unless it was the commit that had no answer.
pub(crate) async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWERS_WITHIN, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
    }
}

/// Puts what the two databases word differently into a statement about a list, which is its first parameter, a JSON text:
/// one statement for a list of any length, and one trip for all that are in it. `{list}` has a row `value` for each
/// element, `{texts}` the same for a list of texts; `{any}` and `{end}` are around a query whose rows a column must be
/// among, `{in_list}` is that for the list itself; `{user_key}` and `{key}` are what a row of `users`, and of any other
/// table, is found by soonest; `{hex}` is the bytes of the seventh text in `value`; `{lock}` keeps the rows of `u` from
/// others, as SQLite does anyway.
fn in_dialect(connection: &AnyConnection, sql: &str) -> String {
    let words = match connection.backend_name() {
        "PostgreSQL" => [
            ("{in_list}", "{any}SELECT value FROM {texts}{end}"),
            // Read once, where `json` would be for every element that is taken out of it.
            ("{list}", "jsonb_array_elements(CAST($1 AS jsonb))"),
            ("{texts}", "jsonb_array_elements_text(CAST($1 AS jsonb))"),
            // An array, for which the planner looks nowhere but in the index.
            ("{any}", "= ANY (ARRAY("),
            ("{end}", "))"),
            // The user's name has been looked up before: no second index. Names do not change.
            ("{user_key}", "folded"),
            ("{key}", "id"),
            ("{hex}", "decode(value ->> 6, 'hex')"),
            ("{lock}", "FOR NO KEY UPDATE OF u"),
        ],
        _ => [
            ("{in_list}", "{any}SELECT value FROM {texts}{end}"),
            ("{list}", "json_each($1)"),
            ("{texts}", "json_each($1)"),
            ("{any}", "IN ("),
            ("{end}", ")"),
            // Next to the row itself: one tree less to go down, and one page less to read.
            ("{user_key}", "rowid"),
            ("{key}", "rowid"),
            ("{hex}", "unhex(value ->> 6)"),
            ("{lock}", ""),
        ],
    };
    words.iter().fold(sql.to_owned(), |sql, (word, wording)| sql.replace(word, wording))
}

/// A list as a statement's parameter.
fn json(list: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(list).map_err(|error| StoreError::Failed(sqlx::Error::Encode(error.into())))
}
