//! Everything that is sealed, sealed anew with the newest key.
//!
//! The keys' file has the newest key before the first row is sealed with it, and keeps the earlier ones: whatever ends this
//! in between, each row opens, and doing it again does the rest.

use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Store, StoreError, newest_key, outbox, verify};
use crate::{
    domain::{audit::Event, policy::Setting},
    seal::Keys,
    service::{Now, Random},
};

/// Rows of one transaction.
const PAGE: i64 = 500;
/// How often a page is tried: another transaction may have locked the same rows in another order.
const TRIES: usize = 5;
/// How often all is gone through: a server that has not met the new key yet seals with the one before.
const PASSES: usize = 3;

/// A table with sealed columns.
struct Table {
    name: &'static str,
    /// The column with the id that its secrets are sealed for.
    row: &'static str,
    /// The sealed columns, and what each is sealed as.
    columns: &'static [(&'static str, &'static str)],
}

const TABLES: [Table; 4] = [
    Table { name: "credentials", row: "id", columns: &[("secret", verify::SECRET_PLACE)] },
    Table { name: "registrations", row: "credential_id", columns: &[("secret", verify::SECRET_PLACE)] },
    Table { name: "links", row: "credential_id", columns: &[("secret", verify::SECRET_PLACE)] },
    Table {
        name: "outbox",
        row: "id",
        columns: &[
            ("recipient", outbox::RECIPIENT_PLACE),
            ("subject", outbox::SUBJECT_PLACE),
            ("body", outbox::BODY_PLACE),
        ],
    },
];

impl Store {
    /// Seals anew what is sealed with an earlier key: tokens, registrations under way, links, messages and settings. How
    /// many secrets there were.
    ///
    /// # Errors
    ///
    /// The database failed, or a secret opens with none of the keys. What was done until then stays.
    pub async fn reseal(&self, keys: &Keys, random: &Random, now: Now) -> Result<u64, StoreError> {
        // Whoever comes without this key from here on is told.
        let mut transaction = self.begin().await?;
        newest_key::remember(&mut transaction, keys).await?;
        transaction.commit().await?;
        let mut count = 0;
        for _ in 0..PASSES {
            let mut found = 0;
            for table in &TABLES {
                found += self.reseal_table(table, keys, random).await?;
            }
            count += found;
            if found == 0 {
                break;
            }
        }
        let mut transaction = self.begin().await?;
        count += reseal_settings(&mut transaction, keys, random).await?;
        let detail = json!({ "key": keys.newest(), "secrets": count });
        self.record(&mut transaction, keys, vec![Event::new(now, "key.rotated", None).with(detail)]).await?;
        transaction.commit().await?;
        Ok(count)
    }

    async fn reseal_table(&self, table: &Table, keys: &Keys, random: &Random) -> Result<u64, StoreError> {
        let (mut after, mut count, mut tries) = (String::new(), 0, 0);
        loop {
            match self.reseal_page(table, keys, random, &after).await {
                Ok(None) => return Ok(count),
                Ok(Some((last, resealed))) => {
                    (after, tries) = (last, 0);
                    count += resealed;
                }
                Err(StoreError::Unavailable(_)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Seals the rows of one page anew: the id of the last one, and how many secrets were sealed. `None`: there is no row.
    async fn reseal_page(
        &self,
        table: &Table,
        keys: &Keys,
        random: &Random,
        after: &str,
    ) -> Result<Option<(String, u64)>, StoreError> {
        let Table { name, row, columns } = table;
        let listed: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
        let listed = listed.join(", ");
        let page = format!("SELECT id, {row}, {listed} FROM {name} WHERE id > $1 ORDER BY id LIMIT $2");
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(AssertSqlSafe(page)).bind(after).bind(PAGE).fetch_all(&mut *transaction).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        let last: String = last.try_get(0)?;
        let mut count = 0;
        for row in &rows {
            let id: String = row.try_get(0)?;
            let owner: Option<String> = row.try_get(1)?;
            for (at, (column, place)) in (2..).zip(*columns) {
                let (Some(owner), Some(sealed)) = (&owner, row.try_get::<Option<Vec<u8>>, _>(at)?) else { continue };
                if Keys::key_of(&sealed) == Some(keys.newest()) {
                    continue;
                }
                let plain = keys.open(place, owner, &sealed).map_err(|_| StoreError::Damaged(name))?;
                let anew = keys.seal(place, owner, plain.expose(), random);
                // Only where it is still what was read: what was replaced meanwhile is new already.
                let update = format!("UPDATE {name} SET {column} = $1 WHERE id = $2 AND {column} = $3");
                let update = sqlx::query(AssertSqlSafe(update)).bind(anew).bind(&id).bind(sealed);
                count += update.execute(&mut *transaction).await?.rows_affected();
            }
        }
        transaction.commit().await?;
        Ok(Some((last, count)))
    }
}

async fn reseal_settings(connection: &mut AnyConnection, keys: &Keys, random: &Random) -> Result<u64, StoreError> {
    let mut count = 0;
    for (name, sealed) in Store::settings(&mut *connection).await? {
        if !Setting::find(&name).is_ok_and(|setting| setting.secret) {
            continue;
        }
        let plain = keys.open_setting(&name, &sealed).map_err(|_| StoreError::Damaged("settings"))?;
        sqlx::query("UPDATE settings SET value = $1 WHERE name = $2 AND value = $3")
            .bind(keys.seal_setting(&name, &plain, random))
            .bind(&name)
            .bind(sealed)
            .execute(&mut *connection)
            .await?;
        count += 1;
    }
    Ok(count)
}
