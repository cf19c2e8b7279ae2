//! Users and tokens, put into the database directly: half of them with a token that goes by the time, half with one that
//! counts.

use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, Kind, Period, TokenSecret, TokenSpec},
};
use countersign_server::{
    password::hash,
    seal::Keys,
    service::{Now, Random},
    store::verify::SECRET_PLACE,
};
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use crate::process::{self, Place};

/// Rows of one statement.
const TOGETHER: usize = 500;

pub(crate) struct Stock {
    connection: tokio::sync::Mutex<AnyConnection>,
    keys: Keys,
    postgres: bool,
    users: usize,
}

impl Stock {
    /// The server's settings and an API key; no users yet.
    pub(crate) async fn new(place: &Place) -> Self {
        // So that each wrong code is looked at, instead of most being refused at the door.
        for name in ["quick_failures", "max_failures"] {
            place.done(&["settings", "set", name, "100"]);
        }
        let key = place.done(&["api-key", "add", "load"])["key"].as_str().unwrap().to_owned();
        std::fs::write(place.keys().with_file_name("api-key"), key).unwrap();
        sqlx::any::install_default_drivers();
        let postgres = place.address().starts_with("postgres");
        let mut connection = AnyConnection::connect(&place.address()).await.unwrap();
        if !postgres {
            sqlx::raw_sql("PRAGMA busy_timeout = 30000").execute(&mut connection).await.unwrap();
        }
        let keys = Keys::read(&place.keys()).unwrap().unwrap();
        Self { connection: connection.into(), keys, postgres, users: 0 }
    }

    pub(crate) fn users(&self) -> usize {
        self.users
    }

    pub(crate) fn name(user: usize) -> String {
        format!("user{user:07}@example.org")
    }

    /// A name that nobody has, right before a user's.
    pub(crate) fn before(user: usize) -> String {
        format!("user{user:07}")
    }

    fn secret(user: usize) -> TokenSecret {
        TokenSecret::from_bytes(Sha256::digest(user.to_be_bytes())[..20].to_vec()).unwrap()
    }

    fn token(user: usize, kind: Kind) -> TokenSpec {
        TokenSpec {
            issuer: "Load".to_owned(),
            account: Self::name(user),
            kind,
            secret: Self::secret(user),
            label_issuer: None,
            uri_parameters: vec![],
        }
    }

    pub(crate) fn time(user: usize) -> TokenSpec {
        Self::token(user, Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY })
    }

    pub(crate) fn counter(user: usize, counter: u64) -> TokenSpec {
        Self::token(user, Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter })
    }

    /// Replaces all users.
    pub(crate) async fn fill(&mut self, users: usize) {
        let (random, now) = (Random::system(), Now { millis: process::now() * 1000 });
        let connection = self.connection.get_mut();
        let mut transaction = connection.begin().await.unwrap();
        for table in ["challenges", "credentials", "users"] {
            sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *transaction).await.unwrap();
        }
        let order: Vec<usize> = (0..users).collect();
        for part in order.chunks(TOGETHER) {
            let rows = |columns: usize| {
                let row = |row: usize| {
                    let places: Vec<String> =
                        (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
                    format!("({})", places.join(","))
                };
                (0..part.len()).map(row).collect::<Vec<_>>().join(",")
            };
            let people = format!("INSERT INTO users (id, name, folded, created_at) VALUES {}", rows(4));
            let tokens = format!(
                "INSERT INTO credentials (id, user_id, kind, issuer, account, algorithm, digits, period, secret, created_at) \
                 VALUES {}",
                rows(10)
            );
            let (mut people, mut tokens) = (sqlx::query(AssertSqlSafe(people)), sqlx::query(AssertSqlSafe(tokens)));
            for user in part {
                let (id, token, name) = (random.id(now), random.id(now), Self::name(*user));
                let sealed = self.keys.seal(SECRET_PLACE, &token, Self::secret(*user).bytes().expose(), &random);
                let (kind, period) = if *user < users / 2 { ("totp", 30_i64) } else { ("hotp", 0) };
                people = people.bind(id.clone()).bind(name.clone()).bind(name.clone()).bind(now.seconds());
                tokens = tokens.bind(token).bind(id).bind(kind).bind("Load").bind(name).bind("SHA1").bind(6_i64);
                tokens = tokens.bind(period).bind(sealed).bind(now.seconds());
            }
            people.execute(&mut *transaction).await.unwrap();
            tokens.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        // What a database does by itself within minutes of such a change.
        let tidy = if self.postgres { "VACUUM ANALYZE" } else { "PRAGMA wal_checkpoint(TRUNCATE)" };
        sqlx::raw_sql(tidy).execute(connection).await.unwrap();
        self.users = users;
    }

    /// Forgets wrong codes.
    pub(crate) async fn forgive(&self) {
        let sql = "UPDATE users SET failures = 0, blocked_until = 0, locked_at = NULL, password_failures = 0, \
            password_blocked_until = 0 WHERE failures > 0 OR password_failures > 0";
        sqlx::query(sql).execute(&mut *self.connection.lock().await).await.unwrap();
    }

    /// Gives the first users a password, and lets the last of every `one_in` wait for having guessed at it.
    pub(crate) async fn give_passwords(&self, users: usize, one_in: usize) {
        let mut connection = self.connection.lock().await;
        let hash = hash(&Password::new("the right one"), &Random::system()).unwrap();
        for user in 0..users {
            let until = if user % one_in + 1 == one_in { process::now() + 3000 } else { 0 };
            let sql = "UPDATE users SET password_hash = $1, password_failures = 0, password_blocked_until = $2 WHERE folded = $3";
            let update = sqlx::query(sql).bind(&hash).bind(i64::try_from(until).unwrap()).bind(Self::name(user));
            update.execute(&mut *connection).await.unwrap();
        }
    }

    /// What a commit means here.
    pub(crate) async fn durability(&self) -> String {
        let mut connection = self.connection.lock().await;
        if !self.postgres {
            return "SQLite: `journal_mode = WAL`, `synchronous = FULL`: every commit is on the disk before it is answered."
                .to_owned();
        }
        let mut shown = Vec::new();
        for name in
            ["fsync", "full_page_writes", "synchronous_commit", "wal_sync_method", "shared_buffers", "server_version"]
        {
            let row = sqlx::query(AssertSqlSafe(format!("SHOW {name}"))).fetch_one(&mut *connection).await.unwrap();
            shown.push(format!("`{name} = {}`", row.get::<String, _>(0)));
        }
        format!("PostgreSQL: {}: every commit is on the disk before it is answered.", shown.join(", "))
    }
}
