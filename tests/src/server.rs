//! A real server process over a folder of its own, and a wire to it that can be cut.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{Run, binary, run};

#[allow(dead_code, clippy::unwrap_used, reason = "the server's own tests need more of it, and may unwrap")]
#[path = "../../server-stub/tests/it/kit/postgres.rs"]
mod postgres;

/// The password of every account that [`Server::add_user`] makes.
pub const ACCOUNT_PASSWORD: &str = "seven calm otters";

/// The companion server. It ends with this value.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    cluster: Option<postgres::Cluster>,
    /// Certificate and key, where it speaks TLS.
    tls: Option<[PathBuf; 2]>,
    child: Option<Child>,
    address: SocketAddr,
}

impl Server {
    /// Starts one over SQLite on a port of its own.
    pub fn start() -> Self {
        Self::with(None, None)
    }

    /// Starts one over PostgreSQL; `None`, said aloud, where PostgreSQL is not installed or may not be started.
    pub fn on_postgres() -> Option<Self> {
        let Some(cluster) = postgres::Cluster::start() else {
            let _ = writeln!(std::io::stderr(), "skipped: PostgreSQL is not installed");
            return None;
        };
        cluster.sql("postgres", "CREATE DATABASE server");
        Some(Self::with(Some(cluster), None))
    }

    /// Starts one that speaks TLS, with a certificate that nobody vouches for. It needs `openssl`.
    pub fn with_certificate() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tls = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
        let mut server = Self::sleeping(folder, None, Some(tls));
        server.renew_certificate();
        server.wake();
        server
    }

    /// Makes another certificate, which a server shows that starts afterwards. Says its SHA-256 fingerprint in
    /// hexadecimal, as openssl does.
    pub fn renew_certificate(&self) -> String {
        let [certificate, key] = self.tls.as_ref().expect("a server with TLS");
        let openssl = |arguments: &[&str]| {
            let made = Command::new("openssl").args(arguments).stderr(Stdio::null()).output().expect("openssl runs");
            assert!(made.status.success(), "openssl {arguments:?}");
            String::from_utf8(made.stdout).expect("a text")
        };
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        let told = openssl(&["x509", "-in", &certificate, "-noout", "-fingerprint", "-sha256"]);
        told.split('=').nth(1).expect("a fingerprint").trim().replace(':', "")
    }

    fn with(cluster: Option<postgres::Cluster>, tls: Option<[PathBuf; 2]>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self::sleeping(folder, cluster, tls);
        server.wake();
        server
    }

    fn sleeping(folder: TempDir, cluster: Option<postgres::Cluster>, tls: Option<[PathBuf; 2]>) -> Self {
        Self { folder, cluster, tls, child: None, address: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    /// Starts the process again after [`Server::kill`], at the same address.
    pub fn wake(&mut self) {
        let listen = self.address.to_string();
        let mut command = self.command(&["serve", "--listen", &listen, "--log", "warn"]);
        if let Some([certificate, key]) = &self.tls {
            command.arg("--tls-certificate").arg(certificate).arg("--tls-key").arg(key);
        }
        let mut child = command.stdin(Stdio::null()).spawn().expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let told = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, rest) = line.strip_prefix("Listening on http")?.split_once("://")?;
            rest.split([',', ' ']).next()?.parse().ok()
        });
        self.address = told.expect("the server says where it listens");
        // Read on, or the console sender would wait for a reader.
        thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
    }

    /// Kills the process.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("the server can be killed");
            child.wait().expect("the server ends");
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn place(&self) -> SocketAddr {
        self.address
    }

    /// Its address.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Runs an administrator's command.
    pub fn run(&self, arguments: &[&str], stdin: &str) -> Run {
        run(&mut self.command(arguments), stdin.as_bytes())
    }

    /// Runs one that must succeed, and gives its answer.
    pub fn done(&self, arguments: &[&str], stdin: &str) -> Value {
        let run = self.run(&[&["--json"], arguments].concat(), stdin);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        serde_json::from_str(&run.stdout).unwrap_or(Value::Null)
    }

    /// Adds a user with a phone number and [`ACCOUNT_PASSWORD`].
    pub fn add_user(&self, name: &str) {
        let arguments = ["user", "add", name, "--phone", "+491701234567", "--password-file", "-"];
        self.done(&arguments, ACCOUNT_PASSWORD);
    }

    /// Changes a setting.
    pub fn set(&self, name: &str, value: &str) {
        self.done(&["settings", "set", name, value], "");
    }

    /// The code of the newest message that has one.
    pub fn sms_code(&self) -> String {
        let messages = self.done(&["outbox", "list"], "");
        let messages = messages.as_array().expect("a list of messages");
        let codes = messages.iter().filter_map(|message| {
            let text = message["text"].as_str().or(message["body"].as_str())?;
            text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).map(str::to_owned)
        });
        codes.into_iter().next().expect("a message with a code")
    }

    /// A minute goes by, as far as messages are counted: the server sends one a minute.
    pub fn forget_messages(&self) {
        self.sql("UPDATE sms_sends SET at = at - 61");
    }

    /// Runs a statement on its database: time that goes by, as far as it counts it.
    pub fn sql(&self, statement: &str) {
        if let Some(cluster) = &self.cluster {
            return cluster.sql("server", statement);
        }
        const PYTHON: &str = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1], timeout=10); \
            db.execute(sys.argv[2]); db.commit()";
        let file = std::fs::read_dir(self.folder.path())
            .expect("the server's folder")
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|end| end == "db" || end == "sqlite"))
            .expect("its database");
        let moved =
            Command::new("python3").arg("-c").arg(PYTHON).arg(file).arg(statement).status().expect("python3 runs");
        assert!(moved.success());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(server_program());
        command.env_clear().current_dir(self.folder.path());
        command.arg("--data").arg(self.folder.path());
        if let Some(cluster) = &self.cluster {
            command.arg("--database").arg(cluster.address("server"));
        }
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server's program, built where it is missing.
pub fn server_program() -> &'static Path {
    static PROGRAM: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    PROGRAM.get_or_init(|| binary("countersign-server", &["server-stub/src", "core/src", "core/wire/src"]))
}

/// A wire to a server that breaks off where a test wants it: after so many bytes of what the server answers, counted over
/// one connection.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    left: Arc<AtomicUsize>,
    /// Microseconds that the server thought over requests.
    thought: Arc<AtomicUsize>,
}

/// Never breaks off.
pub const WHOLE: usize = usize::MAX;

impl Wire {
    /// A wire to that place.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let left = Arc::new(AtomicUsize::new(WHOLE));
        let thought = Arc::new(AtomicUsize::new(0));
        let (allowed, thinks) = (left.clone(), thought.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (allowed, thinks) = (allowed.clone(), thinks.clone());
                thread::spawn(move || {
                    if let Ok(server) = TcpStream::connect(server) {
                        carry(client, server, &allowed, &thinks);
                    }
                });
            }
        });
        Self { address, left, thought }
    }

    /// Its address, which the server must know itself by.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How long the server thought over requests since the last time that this was asked: from the last byte of each
    /// to the first of its answer.
    pub fn thought(&self) -> Duration {
        Duration::from_micros(self.thought.swap(0, Ordering::SeqCst) as u64)
    }

    /// Lets so many bytes of answers through from now on, and breaks every connection off after them.
    pub fn cut_after(&self, bytes: usize) {
        self.left.store(bytes, Ordering::SeqCst);
    }
}

#[allow(clippy::disallowed_methods, reason = "what is measured is time")]
fn carry(mut client: TcpStream, mut server: TcpStream, allowed: &Arc<AtomicUsize>, thought: &Arc<AtomicUsize>) {
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let (Ok(mut from_client), Ok(mut to_server)) = (client.try_clone(), server.try_clone()) else { return };
    let asked = Arc::new(Mutex::new(None));
    let asks = asked.clone();
    let there = thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = from_client.read(&mut buffer) {
            if count == 0 || to_server.write_all(&buffer[..count]).is_err() {
                break;
            }
            *asks.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 4096];
    while let Ok(count) = server.read(&mut buffer) {
        if count == 0 {
            break;
        }
        if let Some(since) = asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
            thought.fetch_add(since.elapsed().as_micros() as usize, Ordering::SeqCst);
        }
        let left = allowed.load(Ordering::SeqCst);
        let passed = count.min(left);
        if left != WHOLE {
            allowed.fetch_sub(passed, Ordering::SeqCst);
        }
        if client.write_all(&buffer[..passed]).is_err() || passed < count {
            // What the server did stays done: only the answer is lost.
            thread::sleep(Duration::from_millis(20));
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = there.join();
}
