//! A database of its own for each test, users in it, and what is asked.

mod postgres;
pub(crate) mod process;
pub(crate) mod twins;

pub(crate) use postgres::Cluster;

use std::sync::Arc;

use argon2::PasswordHasher as _;
use countersign_core::{token::TokenSpec, uri};
use countersign_server::{
    domain::{
        judge::TypedCode,
        users::Name,
        verification::{Attempt, Outcome, Verifier},
    },
    seal::Keys,
    service::{Now, Random},
    store::{
        Durability, Store,
        admin::{NewToken, NewUser},
        verify::{self, Statements, Who},
    },
};

/// A database that vanishes with the test, and its address for as many processes as a test wants to be.
pub(crate) struct Database {
    pub(crate) address: String,
    pub(crate) keys: Arc<Keys>,
    pub(crate) random: Random,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}?mode=rwc", folder.path().join("server.db").display());
        Self::at(address, Some(folder))
    }

    /// A new database of the server, called like the test.
    pub(crate) async fn postgres(cluster: &Cluster, name: &str) -> Self {
        let name: String = name.chars().take(60).collect();
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(&cluster.address("postgres")).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
        pool.close().await;
        Self::at(cluster.address(&name), None)
    }

    fn at(address: String, folder: Option<tempfile::TempDir>) -> Self {
        let random = Random::system();
        let keys = Arc::new(Keys::generate(&random));
        Self { address, keys, random, _folder: folder }
    }

    /// One process's view of it.
    pub(crate) async fn open(&self) -> Store {
        let store = Store::open(&self.address, Durability::Relaxed).await.unwrap();
        // As every process does; a test that has other keys says so itself.
        let _ = store.recognise(&self.keys).await.unwrap();
        store
    }

    /// One process that verifies.
    pub(crate) async fn verifier(&self, statements: Statements) -> Verifier {
        Verifier::start(self.open().await, self.keys.clone(), self.random.clone(), statements)
    }

    pub(crate) async fn add_user(&self, store: &Store, name: &str) -> Name {
        let name = Name::new(name).unwrap();
        let new = NewUser {
            id: self.random.id(at(0)),
            name: name.clone(),
            phone: None,
            email: None,
            group: None,
            password_hash: None,
        };
        store.add_user(&self.keys, &new, at(0)).await.unwrap();
        name
    }

    /// Gives a user the token of a link, and says its id.
    pub(crate) async fn add_token(&self, store: &Store, name: &Name, token: &TokenSpec) -> String {
        let id = self.random.id(at(0));
        let (columns, last_step) = verify::columns(token).unwrap();
        let secret = self.keys.seal(verify::SECRET_PLACE, &id, token.secret.bytes().expose(), &self.random);
        let new = NewToken { id: id.clone(), columns, last_step, secret };
        store.add_token(&self.keys, name, &new, at(0)).await.unwrap();
        id
    }

    /// What the audit log says of refusals and acceptances: how many of each reason.
    pub(crate) async fn outcomes(&self, store: &Store) -> std::collections::BTreeMap<String, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for entry in store.audit_newest(None, 1_000_000).await.unwrap() {
            let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap();
            let what = match entry.event.as_str() {
                "verify.accepted" => "accepted".to_owned(),
                "verify.refused" => detail["reason"].as_str().unwrap().to_owned(),
                _ => continue,
            };
            *counts.entry(what).or_default() += 1;
        }
        counts
    }
}

/// Everything that users have under way and have, as it was once: many trials share one set-up.
#[derive(Clone)]
pub(crate) struct Kept(Store);

impl Kept {
    /// In an order in which what rows refer to is there before them.
    const TABLES: [&str; 4] = ["credentials", "bindings", "links", "registrations"];

    pub(crate) async fn new(store: &Store) -> Self {
        let mut transaction = store.begin().await.unwrap();
        for table in Self::TABLES {
            let copy = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
            sqlx::query(sqlx::AssertSqlSafe(copy)).execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        Self(store.clone())
    }

    /// Brings back what a user had.
    pub(crate) async fn restore(&self, user: &Name) {
        let id = self.0.user(user).await.unwrap().id;
        let mut transaction = self.0.begin().await.unwrap();
        let undone = Self::TABLES.iter().rev().map(|table| format!("DELETE FROM {table} WHERE user_id = $1"));
        let kept = |table: &&str| format!("INSERT INTO {table} SELECT * FROM kept_{table} WHERE user_id = $1");
        let forgiven = "UPDATE users SET failures = 0, blocked_until = 0 WHERE id = $1".to_owned();
        for sql in undone.chain(Self::TABLES.iter().map(kept)).chain([forgiven]) {
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&id).execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
}

pub(crate) const TOTP: &str = "otpauth://totp/Corp:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Corp";
pub(crate) const HOTP: &str = "otpauth://hotp/Corp:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Corp&counter=0";

pub(crate) fn token(link: &str) -> TokenSpec {
    uri::parse(link).unwrap().spec
}

/// A password's hash that costs next to nothing to check, so that tests can sign in often.
pub(crate) fn cheap_hash(password: &str) -> String {
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let cheap = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    cheap.hash_password_with_salt(password.as_bytes(), b"salt of the tests").unwrap().to_string()
}

/// An instant in Unix seconds.
pub(crate) fn at(seconds: u64) -> Now {
    Now { millis: seconds * 1000 }
}

pub(crate) fn attempt(name: &str, code: &str, now: Now) -> Attempt {
    Attempt {
        who: Who::Folded(Name::new(name).unwrap().folded().to_owned()),
        code: TypedCode::new(code),
        credential: None,
        address: None,
        via: "test",
        now,
    }
}

pub(crate) fn accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { .. })
}

/// Runs tests on SQLite, each as a test of its own, and on PostgreSQL, one after another in one server: starting one costs
/// more than most of them.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($database:ident: &Database) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                $(#[$meta])*
                pub(super) async fn test($database: &Database) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    test(&Database::sqlite()).await;
                }
            }
        )*

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_on_postgres() {
            let Some(cluster) = crate::kit::Cluster::start() else {
                println!("skipped: PostgreSQL is not installed (Debian: postgresql)");
                return;
            };
            $(
                println!("{}", stringify!($name));
                $name::test(&Database::postgres(&cluster, stringify!($name)).await).await;
            )*
        }
    };
}

pub(crate) use on_both;
