//! The audit log's rows.

use data_encoding::HEXLOWER;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Store, StoreError, in_dialect, json, newest_key};
use crate::{
    domain::{
        audit::{Break, Checker, End, Entry, Event},
        users::Name,
    },
    seal::Keys,
};

/// Appends events in their order. Last in every transaction: from here to the commit nobody else appends.
pub async fn append(connection: &mut AnyConnection, keys: &Keys, events: &[Event]) -> Result<(), StoreError> {
    const HEAD: &str =
        "UPDATE audit_head SET seq = seq + $1 WHERE id = 1 RETURNING seq, mac, seal_key, seal, newest_key";
    macro_rules! insert {
        ($before:literal) => {
            concat!(
                $before,
                "INSERT INTO audit (seq, at, event, user_id, detail, key_id, mac) ",
                "SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4, ",
                "CAST(value ->> 5 AS BIGINT), {hex} FROM {list}"
            )
        };
    }
    const END: &str = "UPDATE audit_head SET mac = $1, seal = $2, seal_key = $3 WHERE id = 1";
    // PostgreSQL is a trip away: both in one.
    const BOTH: &str = insert!("WITH head AS (UPDATE audit_head SET mac = $2, seal = $3, seal_key = $4 WHERE id = 1) ");
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let head = sqlx::query(HEAD).bind(count).fetch_one(&mut *connection).await?;
    let before = head.try_get::<i64, _>(0)? - count;
    newest_key::agree(connection, keys, head.try_get(4)?).await?;
    let found = End { seq: before, ..end(&head)? };
    let whole = keys.has_sealed(&found) || found.is_whole(keys).ok_or(StoreError::KeyMissing(found.key_id))?;
    if !whole && found.seal.as_ref().is_some_and(|seal| !seal.is_empty()) {
        tracing::error!(
            entry = before,
            "the audit log's end was changed by somebody else: `audit verify` tells from here on"
        );
    }
    let mut mac = found.mac;
    let mut rows = Vec::with_capacity(events.len());
    for (seq, event) in (before + 1..).zip(events) {
        let mut entry = Entry {
            seq,
            at: i64::try_from(event.at.millis).unwrap_or(i64::MAX),
            event: event.event.to_owned(),
            user_id: event.user_id.clone(),
            detail: event.detail.to_string(),
            key_id: keys.newest().into(),
            mac: vec![],
        };
        mac = entry.code(keys, &mac).map(Vec::from).ok_or(StoreError::Damaged("keys"))?;
        entry.mac.clone_from(&mac);
        let Entry { seq, at, event, user_id, detail, key_id, mac } = entry;
        rows.push((seq, at, event, user_id, detail, key_id, HEXLOWER.encode(&mac)));
    }
    let postgres = connection.backend_name() == "PostgreSQL";
    let sql = in_dialect(connection, if postgres { BOTH } else { insert!("") });
    let insert = sqlx::query(AssertSqlSafe(sql)).bind(json(&rows)?);
    // What follows an end that somebody else made is not made good by what is written after it.
    let end = match whole {
        true => End::sealed(keys, before + count, &mac).ok_or(StoreError::Damaged("keys"))?,
        false => End { seal: found.seal.map(|_| vec![]), ..End::default() },
    };
    if postgres {
        insert.bind(mac).bind(end.seal.clone()).bind(end.key_id).execute(connection).await?;
    } else {
        insert.execute(&mut *connection).await?;
        sqlx::query(END).bind(mac).bind(end.seal.clone()).bind(end.key_id).execute(connection).await?;
    }
    keys.sealed(end);
    Ok(())
}

/// Seals the end of a log that nobody has sealed: one that is empty like all of the database, and one whose last entry is
/// of a version that had no seal. Of others somebody took the seal away, and it stays away.
pub(super) async fn seal_end(store: &Store, keys: &Keys) -> Result<(), StoreError> {
    const HEAD: &str =
        "UPDATE audit_head SET seq = seq WHERE id = 1 AND seal IS NULL RETURNING seq, mac, seal_key, seal";
    const EMPTY: &str = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM audit) AND NOT EXISTS (SELECT 1 FROM users) \
        AND NOT EXISTS (SELECT 1 FROM groups) AND NOT EXISTS (SELECT 1 FROM api_keys) \
        AND NOT EXISTS (SELECT 1 FROM settings)";
    const LAST: &str = "SELECT seq, at, event, user_id, detail, key_id, mac FROM audit WHERE seq >= $1 ORDER BY seq";
    let mut transaction = store.begin().await?;
    let Some(head) = sqlx::query(HEAD).fetch_optional(&mut *transaction).await? else { return Ok(()) };
    let found = end(&head)?;
    let nobodys = if found.seq == 0 {
        sqlx::query(EMPTY).fetch_optional(&mut *transaction).await?.is_some()
    } else {
        let rows = sqlx::query(LAST).bind(found.seq - 1).fetch_all(&mut *transaction).await?;
        let last: Vec<Entry> = rows.iter().map(entry).collect::<Result<_, _>>()?;
        let before = last.iter().find(|entry| entry.seq == found.seq - 1).map_or(&[][..], |entry| &entry.mac);
        last.last().is_some_and(|last| {
            last.seq == found.seq
                && last.mac == found.mac
                && last.earlier_code(keys, before).is_some_and(|code| code[..] == last.mac[..])
        })
    };
    if nobodys {
        let end = End::sealed(keys, found.seq, &found.mac).ok_or(StoreError::Damaged("keys"))?;
        sqlx::query("UPDATE audit_head SET seal = $1, seal_key = $2 WHERE id = 1")
            .bind(end.seal)
            .bind(end.key_id)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// Of a row with `seq, mac, seal_key, seal`.
fn end(row: &sqlx::any::AnyRow) -> Result<End, StoreError> {
    Ok(End { seq: row.try_get(0)?, mac: row.try_get(1)?, key_id: row.try_get(2)?, seal: row.try_get(3)? })
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry, StoreError> {
    Ok(Entry {
        seq: row.try_get(0)?,
        at: row.try_get(1)?,
        event: row.try_get(2)?,
        user_id: row.try_get(3)?,
        detail: row.try_get(4)?,
        key_id: row.try_get(5)?,
        mac: row.try_get(6)?,
    })
}

impl Store {
    /// Entries after number `after`, at most `most` of them, oldest first.
    pub async fn audit_after(&self, after: i64, most: i64) -> Result<Vec<Entry>, StoreError> {
        const SQL: &str = "SELECT seq, at, event, user_id, detail, key_id, mac FROM audit WHERE seq > $1 \
            ORDER BY seq LIMIT $2";
        let rows = sqlx::query(SQL).bind(after).bind(most).fetch_all(&self.readers).await?;
        rows.iter().map(entry).collect()
    }

    /// Entries after number `after`, at most `most` of them, oldest first; of one user where one is named.
    pub async fn audit_of(&self, user_id: Option<&str>, after: i64, most: i64) -> Result<Vec<Entry>, StoreError> {
        const SQL: &str = "SELECT seq, at, event, user_id, detail, key_id, mac FROM audit \
            WHERE seq > $1 AND user_id = $3 ORDER BY seq LIMIT $2";
        let Some(user_id) = user_id else { return self.audit_after(after, most).await };
        let rows = sqlx::query(SQL).bind(after).bind(most).bind(user_id).fetch_all(&self.readers).await?;
        rows.iter().map(entry).collect()
    }

    /// The newest entries, oldest of them first; of one user where one is named.
    pub async fn audit_newest(&self, user_id: Option<&str>, most: i64) -> Result<Vec<Entry>, StoreError> {
        const ALL: &str = "SELECT seq, at, event, user_id, detail, key_id, mac FROM audit ORDER BY seq DESC LIMIT $1";
        const OF_ONE: &str = "SELECT seq, at, event, user_id, detail, key_id, mac FROM audit WHERE user_id = $2 \
            ORDER BY seq DESC LIMIT $1";
        let query = match user_id {
            None => sqlx::query(ALL).bind(most),
            Some(id) => sqlx::query(OF_ONE).bind(most).bind(id),
        };
        let mut entries: Vec<Entry> =
            query.fetch_all(&self.readers).await?.iter().map(entry).collect::<Result<_, _>>()?;
        entries.reverse();
        Ok(entries)
    }

    /// The id of a user of that name who was deleted, the last of them.
    pub async fn deleted_user(&self, name: &Name) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT seq, user_id, detail FROM audit WHERE event = 'user.deleted' AND seq < $1 \
            ORDER BY seq DESC LIMIT 1000";
        let mut before = i64::MAX;
        loop {
            let rows = sqlx::query(SQL).bind(before).fetch_all(&self.readers).await?;
            for row in &rows {
                before = row.try_get(0)?;
                let detail: serde_json::Value = serde_json::from_str(row.try_get(2)?).unwrap_or_default();
                let is = |was: &str| Name::new(was).is_ok_and(|was| was.folded() == name.folded());
                if detail["name"].as_str().is_some_and(is) {
                    return Ok(row.try_get(1)?);
                }
            }
            if rows.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Checks the whole chain; how many entries there are, or where it breaks.
    pub async fn audit_verify(&self, keys: &Keys) -> Result<Result<i64, Break>, StoreError> {
        // The end first: entries that come later are beyond it, not wrong.
        const HEAD: &str = "SELECT seq, mac, seal_key, seal FROM audit_head WHERE id = 1";
        let end = end(&sqlx::query(HEAD).fetch_one(&self.readers).await?)?;
        let mut checker = Checker::default();
        let mut after = 0;
        loop {
            let entries = self.audit_after(after, 1000).await?;
            let Some(last) = entries.last() else { break };
            after = last.seq;
            for entry in entries.iter().filter(|entry| entry.seq <= end.seq) {
                if let Err(broken) = checker.next(keys, entry) {
                    return Ok(Err(broken));
                }
            }
            if after >= end.seq {
                break;
            }
        }
        Ok(checker.end(keys, &end))
    }
}
