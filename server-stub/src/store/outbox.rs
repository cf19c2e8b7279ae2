//! Messages on their way out. One is written with what it tells of, claimed before it is sent, and sent again when the
//! process that claimed it died.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Store, StoreError};
use crate::{
    seal::Keys,
    service::{Now, Random},
};

const RECIPIENT_PLACE: &str = "outbox.recipient";
const BODY_PLACE: &str = "outbox.body";
/// How long a message that was claimed is left to its process, in seconds.
const CLAIMED_FOR: i64 = 60;

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, which is also what a gateway knows a repeated message by.
    pub id: String,
    /// Where to.
    pub recipient: String,
    /// The text.
    pub body: String,
    /// When it was written, in Unix seconds.
    pub created_at: i64,
    /// When it was sent, in Unix seconds.
    pub sent_at: Option<i64>,
}

/// A text may hold a code.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Writes an SMS.
pub async fn write(
    connection: &mut AnyConnection,
    keys: &Keys,
    random: &Random,
    recipient: &str,
    body: &str,
    now: Now,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO outbox (id, kind, recipient, body, created_at, next_at) \
        VALUES ($1, 'sms', $2, $3, $4, $4)";
    let id = random.id(now);
    sqlx::query(SQL)
        .bind(&id)
        .bind(keys.seal(RECIPIENT_PLACE, &id, recipient.as_bytes(), random))
        .bind(keys.seal(BODY_PLACE, &id, body.as_bytes(), random))
        .bind(now.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

fn message(row: &AnyRow, keys: &Keys) -> Result<Message, StoreError> {
    let id: String = row.try_get(0)?;
    let text = |place: &str, sealed: Vec<u8>| {
        let plain = keys.open(place, &id, &sealed).map_err(|_| StoreError::Damaged("outbox"))?;
        String::from_utf8(plain.expose().to_vec()).map_err(|_| StoreError::Damaged("outbox"))
    };
    Ok(Message {
        recipient: text(RECIPIENT_PLACE, row.try_get(1)?)?,
        body: text(BODY_PLACE, row.try_get(2)?)?,
        created_at: row.try_get(3)?,
        sent_at: row.try_get(4)?,
        id,
    })
}

impl Store {
    /// Claims a message that is due.
    pub async fn claim_message(&self, keys: &Keys, now: i64) -> Result<Option<Message>, StoreError> {
        const DUE: &str = "SELECT id FROM outbox WHERE sent_at IS NULL AND next_at <= $1 ORDER BY id LIMIT 1";
        const CLAIM: &str = "UPDATE outbox SET next_at = $2, tries = tries + 1 \
            WHERE id = $1 AND sent_at IS NULL AND next_at <= $3 RETURNING id, recipient, body, created_at, sent_at";
        let Some(due) = sqlx::query(DUE).bind(now).fetch_optional(&self.readers).await? else { return Ok(None) };
        let id: String = due.try_get(0)?;
        let mut transaction = self.begin().await?;
        let row =
            sqlx::query(CLAIM).bind(id).bind(now + CLAIMED_FOR).bind(now).fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        row.map(|row| message(&row, keys)).transpose()
    }

    /// Says that a message was sent. Those that were sent more than a day ago go.
    pub async fn message_sent(&self, id: &str, now: i64) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let sent = sqlx::query("UPDATE outbox SET sent_at = $2 WHERE id = $1").bind(id).bind(now);
        sent.execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM outbox WHERE sent_at < $1 - 86400").bind(now).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// The newest messages, newest first.
    pub async fn messages(&self, keys: &Keys, most: i64) -> Result<Vec<Message>, StoreError> {
        const SQL: &str = "SELECT id, recipient, body, created_at, sent_at FROM outbox ORDER BY id DESC LIMIT $1";
        let rows = sqlx::query(SQL).bind(most).fetch_all(&self.readers).await?;
        rows.iter().map(|row| message(row, keys)).collect()
    }
}
