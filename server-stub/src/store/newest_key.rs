//! The newest key that the database was written with: without it nothing that came last can be opened.

use sqlx::{AnyConnection, Row as _};

use super::{Store, StoreError, audit};
use crate::seal::Keys;

/// Why keys are not this database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// The newest key that the database was written with, which is not among them.
    Missing(i64),
    /// One with a right number is another key.
    Other,
}

impl Store {
    /// The number of the newest key that the database was written with; 0 before the first.
    pub async fn newest_key(&self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT newest_key FROM audit_head WHERE id = 1").fetch_one(&self.readers).await?;
        Ok(row.try_get(0)?)
    }

    /// Whether these keys are the database's. The first ones are from here on, whoever comes with others later, and with
    /// them the log's end is sealed.
    pub async fn recognise(&self, keys: &Keys) -> Result<Result<(), Stranger>, StoreError> {
        let known = self.compare(keys).await?;
        if known.is_ok() {
            let row = sqlx::query("SELECT id FROM audit_head WHERE seal IS NULL").fetch_optional(&self.readers);
            if row.await?.is_some() {
                audit::seal_end(self, keys).await?;
            }
        }
        Ok(known)
    }

    async fn compare(&self, keys: &Keys) -> Result<Result<(), Stranger>, StoreError> {
        const SQL: &str = "SELECT newest_key, newest_check FROM audit_head WHERE id = 1";
        loop {
            let row = sqlx::query(SQL).fetch_one(&self.readers).await?;
            let (newest, check): (i64, Option<Vec<u8>>) = (row.try_get(0)?, row.try_get(1)?);
            if newest == 0 {
                let mut transaction = self.begin().await?;
                remember(&mut transaction, keys).await?;
                transaction.commit().await?;
                // Another process may have been first.
                continue;
            }
            let Some(own) = number(newest).and_then(|newest| keys.check(newest)) else {
                return Ok(Err(Stranger::Missing(newest)));
            };
            if let Some(check) = check {
                return Ok(if check == own { Ok(()) } else { Err(Stranger::Other) });
            }
            // An earlier version has written it: the first entry of its log was made with a key that is still there.
            let first = self.audit_after(0, 1).await?.into_iter().next();
            if first.is_some_and(|first| first.earlier_code(keys, &[]).is_none_or(|code| code != first.mac[..])) {
                return Ok(Err(Stranger::Other));
            }
            let mut transaction = self.begin().await?;
            sqlx::query(
                "UPDATE audit_head SET newest_check = $1 WHERE id = 1 AND newest_key = $2 AND newest_check IS NULL",
            )
            .bind(own.to_vec())
            .bind(newest)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
        }
    }
}

/// Remembers the newest of the keys, before anything is sealed with it or in the same transaction.
pub(super) async fn remember(connection: &mut AnyConnection, keys: &Keys) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE audit_head SET newest_key = $1, newest_check = $2 WHERE id = 1 AND newest_key < $1";
    let newest = keys.newest();
    let check = keys.check(newest).ok_or(StoreError::Damaged("keys"))?;
    sqlx::query(SQL).bind(i64::from(newest)).bind(check.to_vec()).execute(connection).await?;
    Ok(())
}

/// Sees to it that the keys and the database have one newest key, where either has met a newer one than the other.
///
/// # Errors
///
/// The database's is not there: on another machine somebody has rotated the keys.
pub(super) async fn agree(connection: &mut AnyConnection, keys: &Keys, newest: i64) -> Result<(), StoreError> {
    let own = i64::from(keys.newest());
    if own > newest {
        return remember(connection, keys).await;
    }
    // Asking for it is what has the file read again.
    if own < newest && number(newest).and_then(|newest| keys.check(newest)).is_none() {
        return Err(StoreError::KeyMissing(newest));
    }
    Ok(())
}

fn number(key: i64) -> Option<u32> {
    u32::try_from(key).ok()
}
