//! The schema, forward only: each step in one transaction, known by its number, run once.

use sqlx::{AnyPool, Executor as _, raw_sql};

use super::{Kind, trouble::said};

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number; they follow each other.
    pub version: i64,
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

/// All steps, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sqlite: include_str!("../../migrations/sqlite/0001_begin.sql"),
        postgres: include_str!("../../migrations/postgres/0001_begin.sql"),
    },
    Migration {
        version: 2,
        sqlite: include_str!("../../migrations/sqlite/0002_registration.sql"),
        postgres: include_str!("../../migrations/postgres/0002_registration.sql"),
    },
    Migration {
        version: 3,
        sqlite: include_str!("../../migrations/sqlite/0003_login.sql"),
        postgres: include_str!("../../migrations/postgres/0003_login.sql"),
    },
    Migration {
        version: 4,
        sqlite: include_str!("../../migrations/sqlite/0004_former.sql"),
        postgres: include_str!("../../migrations/postgres/0004_former.sql"),
    },
    Migration {
        version: 5,
        sqlite: include_str!("../../migrations/sqlite/0005_outbox.sql"),
        postgres: include_str!("../../migrations/postgres/0005_outbox.sql"),
    },
    Migration {
        version: 6,
        sqlite: include_str!("../../migrations/sqlite/0006_administration.sql"),
        postgres: include_str!("../../migrations/postgres/0006_administration.sql"),
    },
    Migration {
        version: 7,
        sqlite: include_str!("../../migrations/sqlite/0007_links.sql"),
        postgres: include_str!("../../migrations/postgres/0007_links.sql"),
    },
    Migration {
        version: 8,
        sqlite: include_str!("../../migrations/sqlite/0008_attempts.sql"),
        postgres: include_str!("../../migrations/postgres/0008_attempts.sql"),
    },
    Migration {
        version: 9,
        sqlite: include_str!("../../migrations/sqlite/0009_rescue.sql"),
        postgres: include_str!("../../migrations/postgres/0009_rescue.sql"),
    },
    Migration {
        version: 10,
        sqlite: include_str!("../../migrations/sqlite/0010_newest_key.sql"),
        postgres: include_str!("../../migrations/postgres/0010_newest_key.sql"),
    },
    Migration {
        version: 11,
        sqlite: include_str!("../../migrations/sqlite/0011_log_end.sql"),
        postgres: include_str!("../../migrations/postgres/0011_log_end.sql"),
    },
];

/// Why the schema was not brought up to date. Nothing of the step that failed stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A newer server has been here.
    #[error("the database was made by a newer version of this server (schema {found}, this one knows {known})")]
    Newer {
        /// The schema's number.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// A step failed.
    #[error("the database's schema could not be brought to version {version}: {}", said(source))]
    Step {
        /// Which step.
        version: i64,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The list of steps could not be read or written.
    #[error("the database's schema could not be read: {}", said(.0))]
    Read(#[from] sqlx::Error),
}

/// Processes that start at once wait for each other here; the number is this program's own.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7267150316)";

/// Runs the steps that have not been run.
pub(super) async fn run(pool: &AnyPool, kind: Kind, migrations: &[Migration]) -> Result<(), MigrationError> {
    loop {
        let mut transaction = match kind {
            Kind::Sqlite => pool.begin_with("BEGIN IMMEDIATE").await?,
            Kind::Postgres => pool.begin().await?,
        };
        if kind == Kind::Postgres {
            transaction.execute(LOCK).await?;
        }
        transaction.execute("CREATE TABLE IF NOT EXISTS schema_steps (version BIGINT NOT NULL PRIMARY KEY)").await?;
        let (found,): (i64,) =
            sqlx::query_as("SELECT coalesce(max(version), 0) FROM schema_steps").fetch_one(&mut *transaction).await?;
        let known = migrations.last().map_or(0, |last| last.version);
        if found > known {
            return Err(MigrationError::Newer { found, known });
        }
        let Some(next) = migrations.iter().find(|step| step.version > found) else {
            return Ok(transaction.commit().await?);
        };
        let failed = |source| MigrationError::Step { version: next.version, source };
        let sql = match kind {
            Kind::Sqlite => next.sqlite,
            Kind::Postgres => next.postgres,
        };
        raw_sql(sql).execute(&mut *transaction).await.map_err(failed)?;
        sqlx::query("INSERT INTO schema_steps (version) VALUES ($1)")
            .bind(next.version)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
    }
}
