//! Loads real server processes on a durable SQLite and a durable PostgreSQL, and prints what they did:
//! `./dev bench-server [--only sqlite|postgres] [--users N] [--requests N] [--runs N]`. docs/performance.md has the table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "it is here to measure time")]

mod client;
#[path = "../../tests/it/kit/postgres.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod postgres;
mod process;
mod stock;

use std::time::{Duration, Instant};

use client::{Client, Load, Numbers};
use process::{Place, Serving};
use serde_json::json;
use stock::Stock;

/// Connections, each with one request under way.
const CONNECTIONS: usize = 16;
/// Where codes are looked at.
const VERIFY: &str = "/api/v1/verify";
/// Connections that sign in beside those.
const LOGINS: usize = 32;

struct Options {
    only: Option<String>,
    users: usize,
    requests: usize,
    runs: usize,
}

impl Options {
    fn read() -> Self {
        let mut options = Self { only: None, users: 1_000_000, requests: 20_000, runs: 3 };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().expect("a value");
            match argument.as_str() {
                // What cargo adds.
                "--bench" => {}
                "--only" => options.only = Some(value()),
                "--users" => options.users = value().parse().expect("a number"),
                "--requests" => options.requests = value().parse().expect("a number"),
                "--runs" => options.runs = value().parse().expect("a number"),
                other => panic!("{other}? --only sqlite|postgres, --users N, --requests N, --runs N"),
            }
        }
        options
    }
}

fn main() {
    let options = Options::read();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    process::about_this_machine();
    for kind in ["sqlite", "postgres"] {
        if options.only.as_deref().is_some_and(|only| only != kind) {
            continue;
        }
        let Some(place) = Place::new(kind) else {
            println!("\nPostgreSQL is not installed (Debian: postgresql); its half is left out.");
            continue;
        };
        runtime.block_on(measure(&place, &options));
    }
}

async fn measure(place: &Place, options: &Options) {
    let first = started(place);
    let mut stock = Stock::new(place).await;
    println!("\n## {}\n\n{}\n", place.name(), stock.durability().await);
    println!("First start, making the schema and the keys: {} ms to the first answer.", first.as_millis());
    let mut starts: Vec<u128> = (0..9).map(|_| started(place).as_millis()).collect();
    starts.sort_unstable();
    println!("Start: {} ms to the first answer (median of 9, {} to {}).\n", starts[4], starts[0], starts[8]);
    println!(
        "| users | what | connections | a second | p50 ms | p99 ms | server CPU µs each | database CPU µs each | idle |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|");
    for users in [1_000, options.users] {
        stock.fill(users).await;
        let serving = Serving::start(place);
        // The first requests find cold caches, which a server that runs for weeks does not have.
        let warm = Load::wrong(&stock, CONNECTIONS, 2_000, 0);
        serving.client().run(warm).await;
        for (what, load) in [
            ("wrong", Load::wrong as fn(&Stock, usize, usize, usize) -> Load),
            ("right, counters", Load::right_counter),
            ("right, time", Load::right_time),
        ] {
            // A step of time is accepted once, so that there are as many right codes as users, times three.
            if what == "right, time" && users / 2 < options.requests * options.runs {
                continue;
            }
            for run in 0..options.runs {
                stock.forgive().await;
                let load = load(&stock, CONNECTIONS, options.requests, run);
                report(&serving, users, what, load).await;
            }
        }
        if users == options.users {
            beside_logins(&serving, &stock, options).await;
            stock.forgive().await;
            codes_told_apart(&serving.client(), users).await;
            passwords_told_apart(&serving.client(), &stock).await;
        }
        let (now, most) = serving.memory();
        println!("\nResident after that load: {now:.1} MB, at most {most:.1} MB ({users} users).\n");
    }
}

/// How long a server takes from its start to its first answer.
fn started(place: &Place) -> Duration {
    let from = Instant::now();
    let serving = Serving::start(place);
    serving.healthy();
    from.elapsed()
}

async fn report(serving: &Serving, users: usize, what: &str, load: Load) {
    let before = serving.spent();
    let numbers = serving.client().run(load).await;
    line(users, what, CONNECTIONS, &numbers, &serving.spent().since(&before));
}

fn line(users: usize, what: &str, connections: usize, numbers: &Numbers, spent: &process::Spent) {
    let each = |ticks: f64| ticks * 1e6 / numbers.answered.max(1) as f64;
    println!(
        "| {users} | {what} | {connections} | {:.0} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} % |",
        numbers.rate(),
        numbers.percentile(50.0),
        numbers.percentile(99.0),
        each(spent.server),
        each(spent.database),
        spent.idle * 100.0,
    );
    if numbers.unexpected > 0 {
        println!(
            "|  | of which {} were not answered as they should be: {} |  |  |  |  |  |  |  |",
            numbers.unexpected, numbers.example
        );
    }
}

/// Wrong codes while others sign in with passwords as fast as they are let.
async fn beside_logins(serving: &Serving, stock: &Stock, options: &Options) {
    stock.forgive().await;
    let before = serving.spent();
    let client: Client = serving.client();
    let storm = client.clone();
    let logins = tokio::spawn(storm.run(Load::logins(stock, LOGINS)));
    let numbers = client.clone().run(Load::wrong(stock, CONNECTIONS, options.requests / 2, 0)).await;
    client.stop();
    let logins = logins.await.unwrap();
    let spent = serving.spent().since(&before);
    line(stock.users(), "wrong, beside sign-ins", CONNECTIONS, &numbers, &spent);
    line(stock.users(), "those sign-ins (Argon2id)", LOGINS, &logins, &process::Spent::default());
}

/// Whether the time of a refused code tells why it was refused.
///
/// Each is about a user of its own, who was let in with a right code just before, so that none has a better place in any
/// cache than another. A name that nobody has stands right before such a user's.
async fn codes_told_apart(client: &Client, users: usize) {
    const KINDS: [&str; 4] = ["wrong code", "wrong code, again", "code of an unknown user", "code that is used"];
    // The first half of the users have a token that goes by the time.
    let samples = (users / 2 / KINDS.len()).min(1500);
    let before = |user| {
        let code = Stock::time(user).code_at(process::now()).unwrap();
        (VERIFY, json!({ "user": Stock::name(user), "code": code.text() }).to_string())
    };
    let refused = |kind, user| {
        let code = Stock::time(user).code_at(process::now()).unwrap();
        let code = if kind == 3 { code.text() } else { "000000" };
        (
            VERIFY,
            json!({ "user": if kind == 2 { Stock::before(user) } else { Stock::name(user) }, "code": code })
                .to_string(),
        )
    };
    told_apart(client, KINDS, samples, before, refused).await;
}

/// The same of a refused password. A wrong code comes before each, for the caches.
async fn passwords_told_apart(client: &Client, stock: &Stock) {
    const KINDS: [&str; 4] =
        ["wrong password", "wrong password, again", "password of an unknown user", "password of one who has to wait"];
    let samples = (stock.users() / KINDS.len()).min(500);
    stock.give_passwords(samples * KINDS.len(), KINDS.len()).await;
    let before = |user| (VERIFY, json!({ "user": Stock::name(user), "code": "000000" }).to_string());
    let refused = |kind, user| {
        let name = if kind == 2 { Stock::before(user) } else { Stock::name(user) };
        ("/api/v1/login", json!({ "username": name, "password": "not this one" }).to_string())
    };
    told_apart(client, KINDS, samples, before, refused).await;
}

/// Sends each kind in turn, one request at a time, and prints how often one of a kind takes longer than one of the first
/// (the statistic of Mann and Whitney; a half is no difference). `before` and `refused` make requests about a user.
async fn told_apart<const N: usize>(
    client: &Client,
    kinds: [&str; N],
    samples: usize,
    before: impl Fn(usize) -> (&'static str, String),
    refused: impl Fn(usize, usize) -> (&'static str, String),
) {
    let mut stream = client.connect().await;
    let mut times = vec![Vec::with_capacity(samples); N];
    for sample in 0..samples {
        for turn in 0..N {
            let kind = (sample + turn) % N;
            let user = sample * N + kind;
            let (path, body) = before(user);
            client.one(&mut stream, path, &body).await;
            let (path, body) = refused(kind, user);
            times[kind].push(client.one(&mut stream, path, &body).await);
        }
    }
    println!("\n| refused, one at a time | median ms | takes longer than a {} | z |\n|---|--:|--:|--:|", kinds[0]);
    for (what, kind) in kinds.iter().zip(&times).skip(1) {
        let mut sorted = kind.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let share = longer(kind, &times[0]);
        let deviation = ((2 * samples + 1) as f64 / (12.0 * (samples * samples) as f64)).sqrt();
        println!("| {what} | {:.3} | {:.1} % | {:.1} |", sorted[samples / 2], share * 100.0, (share - 0.5) / deviation);
    }
}

/// How often one of the first takes longer than one of the second.
fn longer(first: &[f64], second: &[f64]) -> f64 {
    let mut second = second.to_vec();
    second.sort_unstable_by(f64::total_cmp);
    let below = |time: &f64| second.partition_point(|other| other < time) as f64;
    first.iter().map(below).sum::<f64>() / (first.len() * second.len()) as f64
}
