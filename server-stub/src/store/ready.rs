//! Whether the database takes what is written, asked often and tried seldom.

use std::{sync::Arc, time::Duration};

use sqlx::Row as _;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::{Kind, Store, StoreError, trouble};

/// How long what a try has shown is believed.
const BELIEVED: Duration = Duration::from_secs(2);
/// How long a try waits for others who write: that they do shows more than it would.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the newest try has shown, and when.
pub(super) type Tried = Arc<Mutex<Option<(Instant, bool)>>>;

impl Store {
    /// Whether it answers, and takes what is written: a small commit, tried at most every other second.
    ///
    /// # Errors
    ///
    /// It is away, or it refuses to write: no room, no right, a copy that only reads. One that others are busy with is
    /// ready.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.ping().await?;
        let mut tried = self.tried.lock().await;
        if let Some((when, true)) = *tried
            && when.elapsed() < BELIEVED
        {
            return Ok(());
        }
        let done = match timeout(PATIENCE, self.write_something()).await {
            Ok(Err(error)) if !is_busy(&error) => Err(error),
            _ => Ok(()),
        };
        *tried = Some((Instant::now(), done.is_ok()));
        done
    }

    /// A commit that changes nothing that anybody reads.
    async fn write_something(&self) -> Result<(), StoreError> {
        let mut transaction = self.begin_unsynced().await?;
        match self.kind {
            // A number of the file's owner, on its first page; the same number again would not be written.
            Kind::Sqlite => {
                let row = sqlx::query("SELECT user_version FROM pragma_user_version").fetch_one(&mut *transaction);
                let next = (row.await?.try_get::<i64, _>(0)? + 1) % i64::from(i32::MAX);
                let set = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {next}"));
                sqlx::query(set).execute(&mut *transaction).await?;
            }
            // A row that nobody waits for, written as it was.
            Kind::Postgres => {
                let same = "UPDATE schema_steps SET version = version WHERE version = 1";
                sqlx::query(same).execute(&mut *transaction).await?;
            }
        }
        Ok(transaction.commit().await?)
    }
}

fn is_busy(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(error) if trouble::is_busy(error))
}
