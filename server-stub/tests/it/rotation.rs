//! A new key for everything that is sealed.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use countersign_server::{
    domain::{registration::Desk, verification::Verifier},
    seal::Keys,
    store::{
        Durability, Store, StoreError, Stranger,
        verify::{SECRET_PLACE, Statements},
    },
};
use sqlx::{AnyPool, AssertSqlSafe, Row as _, any::install_default_drivers};

use crate::{
    kit::{Database, TOTP, accepted, at, attempt, on_both, process::Site, token},
    links::{allow_others, link},
    registration::{NOW, PASSWORD, Phone, add_ada, desk, sms_code},
};

/// Every column with something sealed.
const SEALED: [(&str, &str); 6] = [
    ("credentials", "secret"),
    ("registrations", "secret"),
    ("links", "secret"),
    ("outbox", "recipient"),
    ("outbox", "subject"),
    ("outbox", "body"),
];

/// The numbers of the keys that a column's values are sealed with.
async fn keys_of(pool: &AnyPool, (table, column): (&str, &str)) -> Vec<u32> {
    let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(pool).await.unwrap();
    rows.iter().map(|row| Keys::key_of(&row.get::<Vec<u8>, _>(0)).unwrap()).collect()
}

async fn pool(database: &Database) -> AnyPool {
    install_default_drivers();
    AnyPool::connect(&database.address).await.unwrap()
}

fn rotating(database: &Database, site: &Site) -> Child {
    Command::new(env!("CARGO_BIN_EXE_countersign-server"))
        .arg("--data")
        .arg(site.folder.path())
        .args(["--database", &database.address, "--json", "key", "rotate"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Gives a user that many tokens, and says their ids in order.
async fn many_tokens(database: &Database, site: &Site, pool: &AnyPool, count: usize) -> Vec<String> {
    let ada = database.add_user(&site.store, "ada").await;
    database.add_token(&site.store, &ada, &token(TOTP)).await;
    let mut transaction = pool.begin().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = database.random.id(at(0));
        sqlx::query(
            "INSERT INTO credentials (id, user_id, kind, issuer, account, algorithm, digits, period, secret, created_at) \
             SELECT $1, user_id, kind, issuer, account, algorithm, digits, period, $2, 0 FROM credentials LIMIT 1",
        )
        .bind(id.clone())
        .bind(database.keys.seal(SECRET_PLACE, &id, id.as_bytes(), &database.random))
        .execute(&mut *transaction)
        .await
        .unwrap();
        ids.push(id);
    }
    transaction.commit().await.unwrap();
    ids.sort();
    ids
}

/// Each token opens with the keys of the file, and is what it was.
async fn all_open(site: &Site, pool: &AnyPool, ids: &[String]) -> Keys {
    let keys = Keys::read(&site.folder.path().join("keys")).unwrap().unwrap();
    let rows = sqlx::query("SELECT id, secret FROM credentials").fetch_all(pool).await.unwrap();
    assert_eq!(rows.len(), ids.len() + 1);
    let ids: std::collections::BTreeSet<&String> = ids.iter().collect();
    for row in rows {
        let (id, sealed): (String, Vec<u8>) = (row.get(0), row.get(1));
        let plain = keys.open(SECRET_PLACE, &id, &sealed).unwrap();
        assert!(!ids.contains(&id) || plain.expose() == id.as_bytes());
    }
    keys
}

on_both! {
    async fn everything_that_is_sealed_moves_to_a_new_key(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        allow_others(&desk.store, database).await;
        desk.store.set_setting(&desk.keys, "digits", Some("8"), at(0)).await.unwrap();
        let (bob, spec) = (database.add_user(&desk.store, "bob").await, token(TOTP));
        database.add_token(&desk.store, &bob, &spec).await;
        // A registration whose token has come, a link whose token was shown, and the message of the first.
        let phone = Phone::new("first", 1);
        let started = phone.start(&desk, "ada", PASSWORD, at(NOW)).await.unwrap();
        let sms = sms_code(&desk).await;
        let waiting = phone.confirm(&desk, &started, &sms, at(NOW)).await.unwrap();
        let text = link(&desk, NOW).await;
        let shown = desk.show_secret(&text, at(NOW)).await.unwrap();
        let pool = pool(database).await;
        for sealed in SEALED {
            let keys = keys_of(&pool, sealed).await;
            assert!(!keys.is_empty() && keys.iter().all(|key| *key == 1), "{sealed:?}: {keys:?}");
        }

        let rotated = desk.keys.rotated(&desk.random);
        // A token, a registration, a link, and recipient, subject and text of each message.
        let messages = desk.store.messages(&desk.keys, 100).await.unwrap();
        assert_eq!(desk.store.reseal(&rotated, &desk.random, at(NOW)).await.unwrap(), 3 + 3 * messages.len() as u64);
        for sealed in SEALED {
            let keys = keys_of(&pool, sealed).await;
            assert!(keys.iter().all(|key| *key == 2), "{sealed:?}: {keys:?}");
        }
        // Nothing is left to be done.
        assert_eq!(desk.store.reseal(&rotated, &desk.random, at(NOW)).await.unwrap(), 0);

        // All goes on, without the key before.
        let folder = tempfile::tempdir().unwrap();
        rotated.write(&folder.path().join("keys"), false).unwrap();
        let file = std::fs::read_to_string(folder.path().join("keys")).unwrap();
        let newest: Keys = file.lines().next().unwrap().parse().unwrap();
        let desk = Desk { keys: Arc::new(newest), ..desk };
        assert_eq!(desk.store.messages(&desk.keys, 100).await.unwrap(), messages);
        assert_eq!(desk.show_secret(&text, at(NOW)).await.unwrap().uri.expose(), shown.uri.expose());
        phone.activate(&desk, &waiting, at(NOW)).await.unwrap();
        assert_eq!(desk.store.tokens(&ada).await.unwrap().len(), 1);
        let verifier = Verifier::start(desk.store.clone(), desk.keys.clone(), desk.random.clone(), Statements::REAL);
        for (user, spec) in [("ada", &waiting.spec), ("bob", &spec)] {
            let code = spec.code_at(NOW + 30).unwrap();
            assert!(accepted(&verifier.verify(attempt(user, code.text(), at(NOW + 30))).await.unwrap()), "{user}");
        }
    }

    /// The first keys are the database's, and later ones as soon as something was written with them; others are not.
    async fn a_database_knows_its_keys(database: &Database) {
        let open = || Store::open(&database.address, Durability::Relaxed);
        let (one, other) = (open().await.unwrap(), open().await.unwrap());
        let others = Keys::generate(&database.random);
        // Of two that come first with keys of their own one stays.
        let met = tokio::join!(one.recognise(&database.keys), other.recognise(&others));
        let (own, others) = match (met.0.unwrap(), met.1.unwrap()) {
            (Ok(()), Err(Stranger::Other)) => (database.keys.as_ref().clone(), others),
            (Err(Stranger::Other), Ok(())) => (others, database.keys.as_ref().clone()),
            met => panic!("{met:?}"),
        };
        let rotated = own.rotated(&database.random);
        one.reseal(&rotated, &database.random, at(NOW)).await.unwrap();
        assert_eq!(one.newest_key().await.unwrap(), 2);
        assert_eq!(one.recognise(&rotated).await.unwrap(), Ok(()));
        assert_eq!(one.recognise(&own).await.unwrap(), Err(Stranger::Missing(2)));
        assert_eq!(one.recognise(&others.rotated(&database.random)).await.unwrap(), Err(Stranger::Other));
    }

    /// A server that runs meets the new key with the next thing that it writes.
    async fn what_is_written_after_a_rotation_is_under_the_new_key(database: &Database) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        database.keys.write(&file, false).unwrap();
        let (running, store) = (Keys::read(&file).unwrap().unwrap(), database.open().await);
        let rotated = running.rotated(&database.random);
        rotated.write(&file, true).unwrap();
        store.reseal(&rotated, &database.random, at(NOW)).await.unwrap();
        assert_eq!(running.newest(), 1);
        store.set_setting(&running, "digits", Some("8"), at(NOW)).await.unwrap();
        assert_eq!(running.newest(), 2);
        let entries = store.audit_newest(None, 10).await.unwrap();
        assert!(entries.iter().all(|entry| entry.key_id == 2), "{entries:?}");
    }

    /// A secret that opens with no key stops it; what was done until then stays, and doing it again does the rest.
    async fn a_rotation_that_stops_is_done_again(database: &Database) {
        let site = Site::new(database).await;
        let pool = pool(database).await;
        let ids = many_tokens(database, &site, &pool, 700).await;
        let kept: Vec<u8> =
            sqlx::query("SELECT secret FROM credentials WHERE id = $1").bind(&ids[650]).fetch_one(&pool).await.unwrap().get(0);
        let set = async |secret: Vec<u8>| {
            sqlx::query("UPDATE credentials SET secret = $1 WHERE id = $2")
                .bind(secret).bind(&ids[650]).execute(&pool).await.unwrap();
        };
        set(vec![0, 0, 0, 9, 1]).await;
        let rotated = database.keys.rotated(&database.random);
        let stopped = site.store.reseal(&rotated, &database.random, at(NOW)).await;
        assert!(matches!(stopped, Err(StoreError::Damaged("credentials"))), "{stopped:?}");
        set(kept).await;
        let keys = keys_of(&pool, SEALED[0]).await;
        assert!(keys.contains(&1) && keys.contains(&2));
        rotated.write(&site.folder.path().join("keys"), true).unwrap();
        all_open(&site, &pool, &ids).await;
        site.store.reseal(&rotated, &database.random, at(NOW)).await.unwrap();
        assert!(keys_of(&pool, SEALED[0]).await.iter().all(|key| *key == 2));
    }

    async fn a_rotation_that_is_killed_loses_nothing(database: &Database) {
        let site = Site::new(database).await;
        let pool = pool(database).await;
        let ids = many_tokens(database, &site, &pool, 3000).await;
        let mut halfway = 0;
        for _ in 0..8 {
            let before = all_open(&site, &pool, &ids).await.newest();
            let mut child = rotating(database, &site);
            // As soon as the first page is done, of seven.
            while child.try_wait().unwrap().is_none() {
                if keys_of(&pool, SEALED[0]).await.iter().any(|key| *key > before) {
                    child.kill().unwrap();
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            child.wait().unwrap();
            let newest = all_open(&site, &pool, &ids).await.newest();
            assert_eq!(newest, before + 1);
            let keys = keys_of(&pool, SEALED[0]).await;
            halfway += usize::from(keys.iter().any(|key| *key < newest) && keys.contains(&newest));
            if halfway == 2 {
                break;
            }
        }
        assert!(halfway > 0, "each was done before it was killed");
        assert!(rotating(database, &site).wait().unwrap().success());
        let newest = all_open(&site, &pool, &ids).await.newest();
        assert!(keys_of(&pool, SEALED[0]).await.iter().all(|key| *key == newest));
        assert!(site.store.audit_verify(&all_open(&site, &pool, &ids).await).await.unwrap().is_ok());
    }

    /// Two at once: none takes the other's key away.
    async fn of_two_rotations_at_once_both_keep_their_key(database: &Database) {
        let site = Site::new(database).await;
        let pool = pool(database).await;
        let ids = many_tokens(database, &site, &pool, 600).await;
        let mut both = [rotating(database, &site), rotating(database, &site)];
        for child in &mut both {
            assert!(child.wait().unwrap().success());
        }
        let keys = all_open(&site, &pool, &ids).await;
        assert_eq!(format!("{keys:?}"), "[3, 2, 1]");
    }
}
