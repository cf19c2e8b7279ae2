//! The statements and indexes that decide who is first, asked at once over two pools of connections, as two processes have
//! them. Each is shown to lose the race without its condition: the test would see it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use countersign_server::store::{Store, links, login, registration};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::kit::{Database, on_both};

const NOW: i64 = 1_000_000_000;
const TRIALS: usize = 1000;
/// Trials that run beside each other.
const LANES: usize = 8;

/// What a statement has besides $1, the id.
#[derive(Clone, Copy)]
enum Given {
    Number(i64),
    Text(&'static str),
    Bytes,
}

/// Takes a condition away. A statement that has lost it already is a test that tests nothing.
fn without(sql: &str, condition: &str) -> String {
    assert!(sql.contains(condition), "{sql}");
    sql.replace(condition, "")
}

/// Sends a statement about one row; whether it came back.
async fn first(store: &Store, sql: &str, id: &str, given: &[Given]) -> bool {
    let mut transaction = store.begin().await.unwrap();
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(id.to_owned());
    for given in given {
        query = match given {
            Given::Number(number) => query.bind(*number),
            Given::Text(text) => query.bind(*text),
            Given::Bytes => query.bind(vec![0_u8]),
        };
    }
    let row = query.fetch_optional(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    row.is_some()
}

/// A user and one row in `registrations`, `challenges` or `links` for each trial.
async fn rows(store: &Store, table: &str, state: &str, trials: usize) {
    let mut transaction = store.begin().await.unwrap();
    for trial in 0..trials {
        let user =
            format!("INSERT INTO users (id, name, folded, created_at) VALUES ('{trial}', 'u{trial}', 'u{trial}', 0)");
        let row = match table {
            "challenges" => format!(
                "INSERT INTO challenges (id, user_id, nonce, created_at, expires_at) VALUES ('{trial}', '{trial}', '', 0, {})",
                NOW + 60
            ),
            "links" => format!(
                "INSERT INTO links (id, user_id, hash, state, created_at, expires_at) \
                 VALUES ('{trial}', '{trial}', $1, '{state}', 0, {})",
                NOW + 60
            ),
            _ => format!(
                "INSERT INTO registrations (id, user_id, state, nonce, app_id, app_key, app_name, platform, sms_mac, \
                 sms_key_id, created_at, expires_at) VALUES ('{trial}', '{trial}', '{state}', '', '', $1, '', '', $1, 1, 0, {})",
                NOW + 60
            ),
        };
        sqlx::query(AssertSqlSafe(user)).execute(&mut *transaction).await.unwrap();
        let row = sqlx::query(AssertSqlSafe(row));
        let row = if table == "challenges" { row } else { row.bind(trial.to_be_bytes().to_vec()) };
        row.execute(&mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// Sends a statement `together` times at once for each row, alternately over two pools; how many came back of each row, at
/// least and at most.
async fn race(
    database: &Database,
    table: &str,
    state: &str,
    sql: &str,
    given: &[Given],
    trials: usize,
    together: usize,
) -> (usize, usize) {
    let pools = [database.open().await, database.open().await];
    rows(&pools[0], table, state, trials).await;
    let (least, most) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::new(AtomicUsize::new(0)));
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let (pools, sql, given, least, most) =
            (pools.clone(), sql.to_owned(), given.to_vec(), least.clone(), most.clone());
        lanes.spawn(async move {
            for trial in (lane..trials).step_by(LANES) {
                let mut all = JoinSet::new();
                for nth in 0..together {
                    let (store, sql, given) = (pools[nth % 2].clone(), sql.clone(), given.clone());
                    all.spawn(async move { first(&store, &sql, &trial.to_string(), &given).await });
                }
                let won = all.join_all().await.into_iter().filter(|won| *won).count();
                least.fetch_min(won, Ordering::SeqCst);
                most.fetch_max(won, Ordering::SeqCst);
            }
        });
    }
    lanes.join_all().await;
    (least.load(Ordering::SeqCst), most.load(Ordering::SeqCst))
}

/// A row of which, for each trial, there may be one: its text differs by `nth`, and an index does not let both in.
type Row = fn(trial: usize, nth: usize) -> String;

/// What unique indexes let in once, each with its row and with how the index is taken away.
const INDEXES: [(&str, Row, &[&str]); 4] = [
    (
        "one app for a user",
        |trial, nth| {
            format!(
                "INSERT INTO bindings (credential_id, user_id, app_id, app_key, app_name, platform, bound_at) \
                 VALUES ('{nth}-{trial}', '0-{trial}', 'app{nth}', $1, '', '', 0)"
            )
        },
        &WITHOUT_KEYS,
    ),
    (
        "one app for a token",
        |trial, nth| {
            format!(
                "INSERT INTO bindings (credential_id, user_id, app_id, app_key, app_name, platform, bound_at) \
                 VALUES ('0-{trial}', '{nth}-{trial}', 'app{nth}', $1, '', '', 0)"
            )
        },
        &WITHOUT_KEYS,
    ),
    (
        "one SMS code alive",
        |trial, nth| {
            format!(
                "INSERT INTO registrations (id, user_id, state, nonce, app_id, app_key, app_name, platform, sms_mac, \
                 sms_key_id, created_at, expires_at) VALUES ('{nth}-{trial}', '0-{trial}', 'started', '', '', $1, '', '', $1, 1, 0, 9)"
            )
        },
        &["DROP INDEX registrations_started"],
    ),
    (
        "one link open",
        |trial, nth| {
            format!(
                "INSERT INTO links (id, user_id, hash, state, created_at, expires_at) \
                 VALUES ('{nth}-{trial}', '0-{trial}', $1, 'open', 0, 9)"
            )
        },
        &["DROP INDEX links_open"],
    ),
];
/// The same rows in a table that asks nothing of them.
const WITHOUT_KEYS: [&str; 3] =
    ["CREATE TABLE bare AS SELECT * FROM bindings", "DROP TABLE bindings", "ALTER TABLE bare RENAME TO bindings"];

/// Writes both rows of each trial at once over two pools; how many of them got in, at least and at most.
async fn write_both(database: &Database, row: Row, trials: usize) -> (usize, usize) {
    let pools = [database.open().await, database.open().await];
    let (mut least, mut most) = (usize::MAX, 0);
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let pools = pools.clone();
        lanes.spawn(async move {
            let write = async |nth: usize, trial: usize| {
                let mut transaction = pools[nth].begin().await.unwrap();
                let query =
                    sqlx::query(AssertSqlSafe(row(trial, nth))).bind([trial, nth].map(usize::to_be_bytes).concat());
                match query.execute(&mut *transaction).await {
                    Ok(_) => transaction.commit().await.is_ok(),
                    Err(sqlx::Error::Database(error)) if error.is_unique_violation() => false,
                    Err(error) => panic!("{error}"),
                }
            };
            let mut counts = (usize::MAX, 0);
            for trial in (lane..trials).step_by(LANES) {
                let (a, b) = tokio::join!(write(0, trial), write(1, trial));
                let won = usize::from(a) + usize::from(b);
                counts = (counts.0.min(won), counts.1.max(won));
            }
            counts
        });
    }
    for (fewest, greatest) in lanes.join_all().await {
        (least, most) = (least.min(fewest), most.max(greatest));
    }
    (least, most)
}

const LATER: [Given; 1] = [Given::Number(NOW)];
const TOKEN: [Given; 8] = [
    Given::Text("t"),
    Given::Text("i"),
    Given::Text("SHA1"),
    Given::Number(6),
    Given::Number(30),
    Given::Bytes,
    Given::Number(NOW + 60),
    Given::Text("k"),
];

on_both! {
    async fn a_challenge_opens_one_session(database: &Database) {
        assert_eq!(race(database, "challenges", "", login::TAKE, &LATER, TRIALS, 2).await, (1, 1));
    }

    async fn a_challenge_without_its_condition_opens_two(database: &Database) {
        let sql = without(login::TAKE, " AND used_at IS NULL");
        assert_eq!(race(database, "challenges", "", &sql, &LATER, 20, 2).await, (2, 2));
    }

    async fn an_sms_code_confirms_one_registration_once(database: &Database) {
        assert_eq!(race(database, "registrations", "started", registration::CONFIRM, &TOKEN, TRIALS, 2).await, (1, 1));
    }

    async fn an_sms_code_without_its_condition_confirms_twice(database: &Database) {
        let sql = without(registration::CONFIRM, " AND state = 'started'");
        assert_eq!(race(database, "registrations", "started", &sql, &TOKEN, 20, 2).await, (2, 2));
    }

    async fn a_first_code_activates_once(database: &Database) {
        assert_eq!(race(database, "registrations", "confirmed", registration::TAKE, &LATER, TRIALS, 2).await, (1, 1));
    }

    async fn a_first_code_without_its_condition_activates_twice(database: &Database) {
        let sql = without(registration::TAKE, " AND state = 'confirmed'");
        assert_eq!(race(database, "registrations", "confirmed", &sql, &LATER, 20, 2).await, (2, 2));
    }

    async fn a_link_is_used_up_once(database: &Database) {
        assert_eq!(race(database, "links", "open", links::TAKE, &LATER, TRIALS, 2).await, (1, 1));
    }

    async fn a_link_without_its_condition_is_used_up_twice(database: &Database) {
        let sql = without(links::TAKE, " AND state = 'open'");
        assert_eq!(race(database, "links", "open", &sql, &LATER, 20, 2).await, (2, 2));
    }

    async fn unique_indexes_let_one_in_and_without_them_two_are(database: &Database) {
        let store = database.open().await;
        let mut transaction = store.begin().await.unwrap();
        for nth in 0..2 {
            let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {})", TRIALS - 1);
            let id = format!("'{nth}-' || CAST(i AS TEXT)");
            for insert in [
                format!("INSERT INTO users (id, name, folded, created_at) {numbers} SELECT {id}, {id}, {id}, 0 FROM n"),
                format!(
                    "INSERT INTO credentials (id, user_id, kind, issuer, account, algorithm, digits, period, secret, \
                     created_at) {numbers} SELECT {id}, {id}, 'totp', '', '', 'SHA1', 6, 30, $1, 0 FROM n"
                ),
            ] {
                let query = sqlx::query(AssertSqlSafe(insert.clone()));
                let query = if insert.contains("$1") { query.bind(vec![0_u8]) } else { query };
                query.execute(&mut *transaction).await.unwrap();
            }
        }
        transaction.commit().await.unwrap();
        for (what, row, _) in INDEXES {
            assert_eq!(write_both(database, row, TRIALS).await, (1, 1), "{what}");
            let table = row(0, 0).split(' ').nth(2).unwrap().to_owned();
            let mut transaction = store.begin().await.unwrap();
            sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
        }
        for (what, row, without) in INDEXES {
            let mut transaction = store.begin().await.unwrap();
            // Two of them are of one table, which is bare from the first on.
            let bare = what == "one app for a token";
            for sql in without.iter().filter(|_| !bare) {
                sqlx::query(*sql).execute(&mut *transaction).await.unwrap();
            }
            sqlx::query("DELETE FROM bindings").execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(write_both(database, row, 20).await, (2, 2), "{what}");
        }
    }

    async fn of_twenty_tries_at_an_sms_code_five_are_looked_at(database: &Database) {
        assert_eq!(race(database, "registrations", "started", registration::CLAIM_SMS, &LATER, 50, 20).await, (5, 5));
    }

    async fn without_the_condition_all_twenty_are(database: &Database) {
        let sql = without(registration::CLAIM_SMS, " AND sms_tries < 5");
        assert_eq!(race(database, "registrations", "started", &sql, &LATER, 4, 20).await, (20, 20));
    }

    /// Also under many names: the claim goes by the folded one.
    async fn of_a_hundred_passwords_at_once_five_are_looked_at(database: &Database) {
        const CLAIM: &str = registration::CLAIM_PASSWORD;
        let always = without(CLAIM, " AND (password_blocked_until <= $2 OR password_blocked_until > $2 + 3600)");
        let stores = [database.open().await, database.open().await];
        for (name, sql, looked_at) in [("ada", CLAIM, 5), ("eve", always.as_str(), 100)] {
            database.add_user(&stores[0], name).await;
            let mut all = JoinSet::new();
            for nth in 0..100 {
                let (store, sql) = (stores[nth % 2].clone(), sql.to_owned());
                all.spawn(async move {
                    let mut transaction = store.begin().await.unwrap();
                    let claimed = registration::claim_password(&mut transaction, &sql, name, NOW).await.unwrap();
                    transaction.commit().await.unwrap();
                    claimed.open().is_ok()
                });
            }
            assert_eq!(all.join_all().await.into_iter().filter(|claimed| *claimed).count(), looked_at);
        }
    }

    /// Whose name comes next is written to, and told from nobody by it.
    async fn a_password_for_a_name_that_nobody_has_costs_its_neighbour_nothing(database: &Database) {
        let store = database.open().await;
        for name in ["ada", "eve"] {
            database.add_user(&store, name).await;
        }
        const STATE: &str = "SELECT CAST(sum(password_failures) AS BIGINT), CAST(sum(password_blocked_until) AS BIGINT), \
            CAST(sum(knocks) AS BIGINT) FROM users";
        let state = async |store: &Store| -> (i64, i64, i64) {
            let mut transaction = store.begin().await.unwrap();
            sqlx::query_as(STATE).fetch_one(&mut *transaction).await.unwrap()
        };
        let mut before = state(&store).await;
        for name in ["bob", "zoe", "", "ada ", "adb"].into_iter().cycle().take(50) {
            let mut transaction = store.begin().await.unwrap();
            let claimed = registration::claim_password(&mut transaction, registration::CLAIM_PASSWORD, name, NOW).await;
            assert!(matches!(claimed.unwrap(), registration::Claim::Unknown), "{name:?}");
            transaction.commit().await.unwrap();
            let after = state(&store).await;
            assert_eq!((after.0, after.1), (before.0, before.1), "{name:?}");
            assert_ne!(after.2, before.2, "a row is written for {name:?}");
            before = after;
        }
        let mut transaction = store.begin().await.unwrap();
        let claim = registration::claim_password(&mut transaction, registration::CLAIM_PASSWORD, "ada", NOW);
        assert_eq!(claim.await.unwrap().open().unwrap().name, "ada");
    }
}
