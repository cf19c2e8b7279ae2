//! As many connections as one asks for, each with one request under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use countersign_core::token::TokenSpec;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::stock::Stock;

/// What one connection sends: path and body, until there is none.
type Requests = Box<dyn FnMut() -> Option<(&'static str, String)> + Send>;

/// What each connection sends, one request after another.
pub(crate) struct Load {
    requests: Vec<Requests>,
    /// What stands in the body of an answer that is as it should be.
    expected: &'static str,
}

impl Load {
    fn each(connections: usize, expected: &'static str, mut make: impl FnMut(usize) -> Requests) -> Self {
        Self { requests: (0..connections).map(&mut make).collect(), expected }
    }

    /// Wrong codes for users of whom each comes up as often as any other.
    pub(crate) fn wrong(stock: &Stock, connections: usize, requests: usize, _run: usize) -> Self {
        let users = stock.users() / 2;
        Self::each(connections, "{\"accepted\":false", |connection| {
            let mut left = requests / connections;
            let mut at = connection * users / connections;
            Box::new(move || {
                left = left.checked_sub(1)?;
                // A stride that meets everybody, far apart in the tables.
                at = (at + 7919) % users;
                Some(("/api/v1/verify", json!({ "user": Stock::name(at), "code": "000000" }).to_string()))
            })
        })
    }

    /// Right codes of tokens that count: each connection has users of its own.
    pub(crate) fn right_counter(stock: &Stock, connections: usize, requests: usize, run: usize) -> Self {
        let users = stock.users() / 2;
        Self::each(connections, "{\"accepted\":true", |connection| {
            let own = users / connections;
            // As many counters as one of them is used up to in a run.
            let most = (requests / connections).div_ceil(own);
            let mut sent = 0;
            Box::new(move || {
                (sent < requests / connections).then_some(())?;
                let (user, turn) = (sent % own * connections + connection + users, sent / own);
                sent += 1;
                let code = Stock::counter(user, (run * most + turn) as u64).code_at(0).unwrap();
                Some(("/api/v1/verify", json!({ "user": Stock::name(user), "code": code.text() }).to_string()))
            })
        })
    }

    /// Right codes of tokens that go by the time: each user's once.
    pub(crate) fn right_time(_: &Stock, connections: usize, requests: usize, run: usize) -> Self {
        let first = run * requests;
        Self::each(connections, "{\"accepted\":true", |connection| {
            let mut sent = 0;
            Box::new(move || {
                (sent < requests / connections).then_some(())?;
                let user = first + sent * connections + connection;
                sent += 1;
                let token: TokenSpec = Stock::time(user);
                let code = token.code_at(crate::process::now()).unwrap();
                Some(("/api/v1/verify", json!({ "user": Stock::name(user), "code": code.text() }).to_string()))
            })
        })
    }

    /// Passwords, until it is stopped.
    pub(crate) fn logins(stock: &Stock, connections: usize) -> Self {
        let users = stock.users();
        Self::each(connections, "credentials_wrong", |connection| {
            let mut at = connection;
            Box::new(move || {
                at = (at + connections) % users;
                let body = json!({ "username": Stock::name(at), "password": "not this one" }).to_string();
                Some(("/api/v1/login", body))
            })
        })
    }
}

/// What came of a load.
#[derive(Default)]
pub(crate) struct Numbers {
    pub(crate) answered: usize,
    pub(crate) unexpected: usize,
    /// One of the unexpected answers.
    pub(crate) example: String,
    seconds: f64,
    /// In milliseconds, sorted.
    times: Vec<f64>,
}

impl Numbers {
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        let at = (self.times.len() as f64 * percent / 100.0) as usize;
        self.times.get(at.min(self.times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// Sends to one server.
#[derive(Clone)]
pub(crate) struct Client {
    address: String,
    key: String,
    stopped: Arc<AtomicBool>,
}

impl Client {
    pub(crate) fn new(address: &str, key: &str) -> Self {
        Self { address: address.to_owned(), key: key.to_owned(), stopped: Arc::default() }
    }

    /// Ends the loads that run.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn run(self, load: Load) -> Numbers {
        let mut connections = JoinSet::new();
        let from = Instant::now();
        for requests in load.requests {
            connections.spawn(self.clone().connection(requests, load.expected));
        }
        let mut all = Numbers::default();
        while let Some(numbers) = connections.join_next().await {
            let mut numbers = numbers.unwrap();
            all.answered += numbers.answered;
            all.unexpected += numbers.unexpected;
            all.example.push_str(if all.example.is_empty() { &numbers.example } else { "" });
            all.times.append(&mut numbers.times);
        }
        all.seconds = from.elapsed().as_secs_f64();
        all.times.sort_unstable_by(f64::total_cmp);
        all
    }

    /// How long one request takes, in milliseconds, on a connection of its own.
    pub(crate) async fn one(&self, stream: &mut TcpStream, path: &str, body: &str) -> f64 {
        let request = self.request(path, body);
        let (from, mut answer) = (Instant::now(), Vec::with_capacity(1024));
        stream.write_all(request.as_bytes()).await.unwrap();
        while !whole(&answer) {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the server hung up");
        }
        from.elapsed().as_secs_f64() * 1e3
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn request(&self, path: &str, body: &str) -> String {
        format!(
            "POST {path} HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        )
    }

    async fn connection(self, mut requests: Requests, expected: &'static str) -> Numbers {
        let mut stream = self.connect().await;
        let (mut numbers, mut answer) = (Numbers::default(), Vec::with_capacity(4096));
        while !self.stopped.load(Ordering::Relaxed)
            && let Some((path, body)) = requests()
        {
            let request = self.request(path, &body);
            let from = Instant::now();
            stream.write_all(request.as_bytes()).await.unwrap();
            answer.clear();
            while !whole(&answer) {
                assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the server hung up");
            }
            numbers.times.push(from.elapsed().as_secs_f64() * 1e3);
            numbers.answered += 1;
            let text = String::from_utf8_lossy(&answer);
            if !text.contains(expected) {
                numbers.unexpected += 1;
                numbers.example = text.lines().last().unwrap_or_default().to_owned();
            }
        }
        numbers
    }
}

/// Whether an answer has come to its end.
fn whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
}
