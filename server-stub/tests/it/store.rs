//! The schema, the audit chain, and what is sealed.

use std::collections::BTreeMap;

use countersign_server::{
    domain::{
        audit::{Break, Entry},
        users::Name,
    },
    seal::Keys,
    store::{Durability, MIGRATIONS, OpenError, Store, StoreError},
};
use sqlx::{AnyPool, any::install_default_drivers};

use crate::kit::{Database, TOTP, accepted, at, attempt, on_both, token};

async fn execute(database: &Database, sql: &'static str) {
    install_default_drivers();
    let pool = AnyPool::connect(&database.address).await.unwrap();
    sqlx::raw_sql(sql).execute(&pool).await.unwrap();
    pool.close().await;
}

on_both! {
    async fn a_schema_of_tomorrow_is_left_alone(database: &Database) {
        database.open().await.close().await;
        // Again, with nothing to do.
        database.open().await.close().await;
        execute(database, "INSERT INTO schema_steps (version) VALUES (999)").await;
        let opened = Store::open(&database.address, Durability::Relaxed).await;
        assert!(matches!(opened, Err(OpenError::Migrate(_))), "{opened:?}");
        assert!(opened.unwrap_err().to_string().contains("newer"));
    }

    /// A database of the first version, with a user and a token in it, is brought up to date and goes on.
    async fn every_earlier_schema_is_brought_up_to_date(database: &Database) {
        install_default_drivers();
        for known in 1..MIGRATIONS.len() {
            let pool = AnyPool::connect(&database.address).await.unwrap();
            if known == 1 {
                let first = "CREATE TABLE schema_steps (version BIGINT NOT NULL PRIMARY KEY)";
                sqlx::raw_sql(first).execute(&pool).await.unwrap();
            }
            let step = MIGRATIONS[known - 1];
            let sql = if database.address.starts_with("sqlite") { step.sqlite } else { step.postgres };
            sqlx::raw_sql(sql).execute(&pool).await.unwrap();
            sqlx::query("INSERT INTO schema_steps (version) VALUES ($1)").bind(step.version).execute(&pool).await.unwrap();
            pool.close().await;
        }
        let user = "INSERT INTO users (id, name, folded, failures, created_at) VALUES ('u', 'Ada', 'ada', 3, 7)";
        execute(database, user).await;
        let store = database.open().await;
        let ada = Name::new("ada").unwrap();
        assert_eq!(store.user(&ada).await.unwrap().failures, 3);
        let spec = token(TOTP);
        database.add_token(&store, &ada, &spec).await;
        let verifier = database.verifier(countersign_server::store::verify::Statements::REAL).await;
        let code = spec.code_at(1_000_000_000).unwrap();
        assert!(accepted(&verifier.verify(attempt("ada", code.text(), at(1_000_000_000))).await.unwrap()));
    }

    async fn processes_that_start_at_once_make_one_schema(database: &Database) {
        let opened = tokio::join!(database.open(), database.open(), database.open());
        opened.0.ping().await.unwrap();
        let last = MIGRATIONS.last().unwrap().version;
        assert_eq!(last, MIGRATIONS.len() as i64);
    }

    async fn a_change_to_the_audit_log_shows(database: &Database) {
        let store = database.open().await;
        for name in ["ada", "bob", "eve"] {
            database.add_user(&store, name).await;
        }
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Ok(3));
        execute(database, "UPDATE audit SET detail = '{}' WHERE seq = 2").await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Changed(2)));
        execute(database, "DELETE FROM audit WHERE seq = 2").await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Missing(2)));
        execute(database, "DELETE FROM audit WHERE seq > 1").await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::End { found: 1, expected: 3 }));
        let others = Keys::generate(&database.random);
        assert_eq!(store.audit_verify(&others).await.unwrap(), Err(Break::Changed(1)));
    }

    /// Entries cut off the end, with the end put back to the last one that is left: it shows, and it stays.
    async fn a_log_that_was_cut_shorter_shows(database: &Database) {
        const CUT: &str = "DELETE FROM audit WHERE seq > 2; \
            UPDATE audit_head SET seq = 2, mac = (SELECT mac FROM audit WHERE seq = 2)";
        const CUT_TO_NOTHING: &str = "DELETE FROM audit; UPDATE audit_head SET seq = 0, mac = substr(mac, 1, 0), seal = NULL";
        let store = database.open().await;
        for name in ["ada", "bob", "eve"] {
            database.add_user(&store, name).await;
        }
        execute(database, CUT).await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(2)));
        // Nothing that is written afterwards makes it good, nor does a process that begins.
        database.add_user(&store, "kim").await;
        database.add_user(&store, "lou").await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(4)));
        execute(database, "UPDATE audit_head SET seal = NULL").await;
        let store = database.open().await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(4)));
        execute(database, CUT_TO_NOTHING).await;
        let store = database.open().await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(0)));
        database.add_user(&store, "max").await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(1)));
    }

    /// Replicas go on with each other's end. One that has not got a new key yet writes nothing, and breaks nothing.
    async fn replicas_share_an_end(database: &Database) {
        let (one, other) = (database.open().await, database.open().await);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        database.keys.write(&file, false).unwrap();
        let set = async |store: &Store, keys: &Keys| store.set_setting(keys, "digits", Some("8"), at(0)).await;
        // What another process has sealed, these keys have not.
        let elsewhere = || Keys::read(&file).unwrap().unwrap();
        for _ in 0..3 {
            set(&one, &database.keys).await.unwrap();
            set(&other, &elsewhere()).await.unwrap();
        }
        assert_eq!(one.audit_verify(&database.keys).await.unwrap(), Ok(6));
        let rotated = database.keys.rotated(&database.random);
        set(&other, &rotated).await.unwrap();
        assert!(matches!(set(&one, &database.keys).await, Err(StoreError::KeyMissing(2))));
        set(&other, &rotated).await.unwrap();
        assert_eq!(one.audit_verify(&rotated).await.unwrap(), Ok(8));
    }

    /// The end of an earlier version's log is sealed once, at the first start.
    async fn an_earlier_log_is_sealed_once(database: &Database) {
        let store = database.open().await;
        let pool = AnyPool::connect(&database.address).await.unwrap();
        let mut mac = vec![];
        for seq in 1..4 {
            let mut entry = Entry {
                seq,
                at: 7,
                event: "user.added".to_owned(),
                user_id: None,
                detail: "{}".to_owned(),
                key_id: 1,
                mac: vec![],
            };
            mac = entry.earlier_code(&database.keys, &mac).unwrap().to_vec();
            entry.mac.clone_from(&mac);
            sqlx::query("INSERT INTO audit (seq, at, event, detail, key_id, mac) VALUES ($1, 7, $2, '{}', 1, $3)")
                .bind(seq).bind(entry.event).bind(entry.mac).execute(&pool).await.unwrap();
        }
        let earlier = "UPDATE audit_head SET seq = 3, mac = $1, newest_check = NULL, seal = NULL, seal_key = 0";
        sqlx::query(earlier).bind(mac).execute(&pool).await.unwrap();
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(3)));
        let store = database.open().await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Ok(3));
        database.add_user(&store, "ada").await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Ok(4));
        // An earlier version's code is no good after the first of this one.
        let mut last = store.audit_after(2, 2).await.unwrap();
        let (before, entry) = (last[0].mac.clone(), last.pop().unwrap());
        let code = entry.earlier_code(&database.keys, &before).unwrap().to_vec();
        database.add_user(&store, "bob").await;
        sqlx::query("UPDATE audit SET mac = $1 WHERE seq = 5").bind(code).execute(&pool).await.unwrap();
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Changed(5)));
        // A seal that is gone is not made anew.
        execute(database, "DELETE FROM audit WHERE seq > 4; \
            UPDATE audit_head SET seq = 4, mac = (SELECT mac FROM audit WHERE seq = 4), seal = NULL").await;
        let store = database.open().await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Err(Break::Unsealed(4)));
    }

    async fn names_are_taken_once_in_any_spelling(database: &Database) {
        let store = database.open().await;
        database.add_user(&store, "Straße").await;
        let again = countersign_server::store::admin::NewUser {
            id: database.random.id(at(0)),
            name: Name::new(" STRASSE").unwrap(),
            phone: None,
            email: None,
            group: None,
            password_hash: None,
        };
        assert!(matches!(store.add_user(&database.keys, &again, at(0)).await, Err(StoreError::Exists)));
        // What failed left no event behind.
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Ok(1));
    }

    async fn secrets_move_to_a_new_key(database: &Database) {
        let store = database.open().await;
        let ada = database.add_user(&store, "ada").await;
        let spec = token(TOTP);
        database.add_token(&store, &ada, &spec).await;
        let rotated = database.keys.rotated(&database.random);
        assert_eq!(store.reseal(&rotated, &database.random, at(1)).await.unwrap(), 1);
        let verifier = countersign_server::domain::verification::Verifier::start(
            store.clone(),
            std::sync::Arc::new(rotated.clone()),
            database.random.clone(),
            countersign_server::store::verify::Statements::REAL,
        );
        let code = spec.code_at(1_000_000_000).unwrap();
        assert!(accepted(&verifier.verify(attempt("ada", code.text(), at(1_000_000_000))).await.unwrap()));
        assert_eq!(store.audit_verify(&rotated).await.unwrap(), Ok(4));
    }

    async fn a_group_has_rules_of_its_own(database: &Database) {
        let store = database.open().await;
        let (keys, staff) = (&database.keys, Name::new("Staff").unwrap());
        let strict = BTreeMap::from([("max_failures".to_owned(), "2".to_owned())]);
        store.add_group(keys, "g", &staff, &strict, at(0)).await.unwrap();
        let (ada, bob) = (database.add_user(&store, "ada").await, database.add_user(&store, "bob").await);
        let change = countersign_server::store::admin::UserChange { group: Some(Some(staff.clone())), ..Default::default() };
        store.change_user(keys, &database.random, &ada, &change, at(0)).await.unwrap();
        let verifier = database.verifier(countersign_server::store::verify::Statements::REAL).await;
        for name in ["ada", "bob"] {
            for _ in 0..3 {
                verifier.verify(attempt(name, "nonsense", at(100))).await.unwrap();
            }
        }
        assert_eq!(store.user(&ada).await.unwrap().failures, 2);
        assert!(store.user(&ada).await.unwrap().locked_at.is_some());
        assert_eq!(store.user(&bob).await.unwrap().failures, 3);
        assert_eq!(store.groups().await.unwrap()[0].users, 1);
    }
}

/// A statement for which there is no room ends its transaction by itself; whoever comes next has a connection without one.
#[tokio::test]
async fn a_file_without_room_takes_writes_again() {
    let database = Database::sqlite();
    let store = database.open().await;
    let mut transaction = store.begin().await.unwrap();
    // Of this connection, and no less than there are.
    sqlx::query("PRAGMA max_page_count = 1").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let large = BTreeMap::from([("issuer".to_owned(), "x".repeat(100_000))]);
    let add = async || store.add_group(&database.keys, "g", &Name::new("staff").unwrap(), &large, at(0)).await;
    let full = add().await.unwrap_err();
    assert!(matches!(&full, StoreError::Unavailable(error) if error.to_string().contains("disk is full")), "{full:?}");
    // The limit went with its connection.
    add().await.unwrap();
    assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Ok(1));
}
