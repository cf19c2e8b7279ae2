//! Messages on their way out. One is written with what it tells of, claimed before it is sent, and sent again when the
//! process that claimed it died.

use serde_json::json;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{Kind, Store, StoreError, audit};
use crate::{
    domain::audit::Event,
    seal::Keys,
    service::{Now, Random},
};

pub(super) const RECIPIENT_PLACE: &str = "outbox.recipient";
pub(super) const SUBJECT_PLACE: &str = "outbox.subject";
pub(super) const BODY_PLACE: &str = "outbox.body";
/// How long a message that was claimed is left to its process, in seconds. No try takes as long.
pub const CLAIMED_FOR: i64 = 60;
/// What is due: nothing waits longer than the longest delay, so that what does was put off under a clock that has since
/// been set back. Two ranges of one index.
macro_rules! due {
    ($now:literal) => {
        concat!("state IN ('waiting', 'sending') AND (next_at <= ", $now, " OR next_at > ", $now, " + 3600)")
    };
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To a telephone number.
    Sms,
    /// To a mail address.
    Mail,
}

impl Channel {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }
}

/// A message to be written.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Which way.
    pub channel: Channel,
    /// Where to.
    pub recipient: &'a str,
    /// A mail's subject; empty for an SMS.
    pub subject: &'a str,
    /// The text.
    pub body: &'a str,
    /// From when on it is of no use, in Unix seconds.
    pub expires_at: Option<i64>,
}

/// A message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, which is also what a gateway knows a repeated message by.
    pub id: String,
    /// Which way.
    pub channel: Channel,
    /// Where to.
    pub recipient: String,
    /// A mail's subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was written, in Unix seconds.
    pub created_at: i64,
    /// From when on it is of no use, in Unix seconds.
    pub expires_at: Option<i64>,
    /// When it was sent, in Unix seconds.
    pub sent_at: Option<i64>,
    /// `waiting`, `sending`, `sent` or `failed`.
    pub state: String,
    /// Tries so far, this one among them.
    pub tries: i64,
    /// Whether the gateway may have it from an earlier try.
    pub unclear: bool,
    /// What the last try ended with.
    pub reason: Option<String>,
    /// What the gateway calls it.
    pub gateway_id: Option<String>,
}

/// A text may hold a code.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// What became of a try that did not send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, for whoever runs the server. Nothing of recipient or text.
    pub reason: String,
    /// Whether the gateway may have the message nevertheless.
    pub unclear: bool,
    /// When to try again, in Unix seconds; `None`: never.
    pub again_at: Option<i64>,
}

/// Writes a message. It is due at once, on any clock.
pub async fn write(
    connection: &mut AnyConnection,
    keys: &Keys,
    random: &Random,
    new: &Outgoing<'_>,
    now: Now,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO outbox (id, kind, recipient, subject, body, expires_at, created_at, next_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
    let id = random.id(now);
    sqlx::query(SQL)
        .bind(&id)
        .bind(new.channel.name())
        .bind(keys.seal(RECIPIENT_PLACE, &id, new.recipient.as_bytes(), random))
        .bind(keys.seal(SUBJECT_PLACE, &id, new.subject.as_bytes(), random))
        .bind(keys.seal(BODY_PLACE, &id, new.body.as_bytes(), random))
        .bind(new.expires_at)
        .bind(now.seconds())
        .execute(connection)
        .await?;
    Ok(())
}

macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, kind, recipient, subject, body, created_at, expires_at, sent_at, state, tries, unclear, reason, ",
            "gateway_id ",
            $after
        )
    };
}

fn message(row: &AnyRow, keys: &Keys) -> Result<Message, StoreError> {
    let id: String = row.try_get(0)?;
    let text = |place: &str, sealed: Vec<u8>| {
        let plain = keys.open(place, &id, &sealed).map_err(|_| StoreError::Damaged("outbox"))?;
        String::from_utf8(plain.expose().to_vec()).map_err(|_| StoreError::Damaged("outbox"))
    };
    let subject: Option<Vec<u8>> = row.try_get(3)?;
    Ok(Message {
        channel: if row.try_get::<String, _>(1)? == Channel::Mail.name() { Channel::Mail } else { Channel::Sms },
        recipient: text(RECIPIENT_PLACE, row.try_get(2)?)?,
        subject: subject.map(|sealed| text(SUBJECT_PLACE, sealed)).transpose()?.unwrap_or_default(),
        body: text(BODY_PLACE, row.try_get(4)?)?,
        created_at: row.try_get(5)?,
        expires_at: row.try_get(6)?,
        sent_at: row.try_get(7)?,
        state: row.try_get(8)?,
        tries: row.try_get(9)?,
        unclear: row.try_get::<i64, _>(10)? != 0,
        reason: row.try_get(11)?,
        gateway_id: row.try_get(12)?,
        id,
    })
}

impl Store {
    /// Claims a message that is due: no other process has it for a minute. What was claimed before and never heard of
    /// again may have been sent.
    pub async fn claim_message(&self, keys: &Keys, now: i64) -> Result<Option<Message>, StoreError> {
        const DUE: &str = concat!("SELECT 1 FROM outbox WHERE ", due!("$1"), " LIMIT 1");
        macro_rules! claim {
            ($lock:literal) => {
                concat!(
                    "UPDATE outbox SET unclear = CASE WHEN state = 'sending' THEN 1 ELSE unclear END, ",
                    "state = 'sending', next_at = $1, tries = tries + 1 ",
                    "WHERE id = (SELECT id FROM outbox WHERE ",
                    due!("$2"),
                    " ORDER BY id LIMIT 1 ",
                    $lock,
                    columns!(") RETURNING", "")
                )
            };
        }
        // Readers do not wait for whoever writes; most of the time there is nothing to claim.
        if sqlx::query(DUE).bind(now).fetch_optional(&self.readers).await?.is_none() {
            return Ok(None);
        }
        let sql = match self.kind {
            Kind::Sqlite => claim!(""),
            Kind::Postgres => claim!("FOR UPDATE SKIP LOCKED"),
        };
        let mut transaction = self.begin().await?;
        let row = sqlx::query(sql).bind(now + CLAIMED_FOR).bind(now).fetch_optional(&mut *transaction).await?;
        transaction.commit().await?;
        row.map(|row| message(&row, keys)).transpose()
    }

    /// Says that a message was sent, and what the gateway calls it. Messages that were sent more than a day ago, or
    /// failed more than a week ago, go.
    pub async fn message_sent(&self, id: &str, gateway_id: Option<&str>, now: i64) -> Result<(), StoreError> {
        const SENT: &str =
            "UPDATE outbox SET state = 'sent', sent_at = $2, gateway_id = $3, reason = NULL WHERE id = $1";
        let mut transaction = self.begin().await?;
        sqlx::query(SENT).bind(id).bind(now).bind(gateway_id).execute(&mut *transaction).await?;
        for sql in [
            "DELETE FROM outbox WHERE state = 'sent' AND sent_at < $1 - 86400",
            "DELETE FROM outbox WHERE state = 'failed' AND created_at < $1 - 604800",
        ] {
            sqlx::query(sql).bind(now).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Says that a try failed. One that another process has taken over since is left to it.
    pub async fn message_failed(
        &self,
        keys: &Keys,
        message: &Message,
        failure: &Failure,
        now: Now,
    ) -> Result<(), StoreError> {
        const AGAIN: &str = "UPDATE outbox SET state = 'waiting', next_at = $3, reason = $4, unclear = $5 \
            WHERE id = $1 AND tries = $2 AND state = 'sending'";
        const NEVER: &str = "UPDATE outbox SET state = 'failed', reason = $3 \
            WHERE id = $1 AND tries = $2 AND state = 'sending' RETURNING id";
        let unclear = i64::from(failure.unclear || message.unclear);
        let mut transaction = self.begin().await?;
        if let Some(at) = failure.again_at {
            let query = sqlx::query(AGAIN).bind(&message.id).bind(message.tries).bind(at);
            query.bind(&failure.reason).bind(unclear).execute(&mut *transaction).await?;
        } else {
            let query = sqlx::query(NEVER).bind(&message.id).bind(message.tries).bind(&failure.reason);
            if query.fetch_optional(&mut *transaction).await?.is_some() {
                let detail = json!({
                    "message": message.id, "channel": message.channel.name(), "tries": message.tries,
                    "reason": failure.reason,
                });
                audit::append(&mut transaction, keys, &[Event::new(now, "message.failed", None).with(detail)]).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// How many messages are in each state that is not `sent`.
    pub async fn outbox_states(&self) -> Result<Vec<(String, i64)>, StoreError> {
        const SQL: &str = "SELECT state, count(*) FROM outbox WHERE state <> 'sent' GROUP BY state";
        let rows = sqlx::query(SQL).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// The newest messages, newest first.
    pub async fn messages(&self, keys: &Keys, most: i64) -> Result<Vec<Message>, StoreError> {
        // After every id that there is.
        self.messages_before(keys, "g", most).await
    }

    /// Messages older than the one of that id, newest first.
    pub async fn messages_before(&self, keys: &Keys, id: &str, most: i64) -> Result<Vec<Message>, StoreError> {
        let sql = columns!("SELECT", "FROM outbox WHERE id < $2 ORDER BY id DESC LIMIT $1");
        let rows = sqlx::query(sql).bind(most).bind(id).fetch_all(&self.readers).await?;
        rows.iter().map(|row| message(row, keys)).collect()
    }
}

const _: () = assert!(crate::outbox::LONGEST_DELAY == 3600, "the statement says it in figures");
