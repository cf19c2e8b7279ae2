//! Server processes on a test's database, and connections to them.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use countersign_server::store::{Store, admin::ApiKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Database, at};

pub(crate) const KEY: &str = "csk_of_the_tests";
/// The address that apps know the server by, whichever process answers.
pub(crate) const SERVER: &str = "https://pam.example.org";

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign-server");

/// What is set up once for all processes of a test: the keys' file, a key that may do all, the public address.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    address: String,
}

impl Site {
    pub(crate) async fn new(database: &Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = database.open().await;
        database.keys.write(&folder.path().join("keys"), false).unwrap();
        let scopes = ["verify", "admin"].map(str::to_owned).to_vec();
        let key = ApiKey { id: "k".to_owned(), name: "test".to_owned(), scopes, created_at: 0 };
        store.add_api_key(&database.keys, &key, &Sha256::digest(KEY).into(), at(0)).await.unwrap();
        store.set_setting(&database.keys, "public_url", Some(SERVER), at(0)).await.unwrap();
        Self { folder, store, address: database.address.clone() }
    }

    /// A process; `log` is what it writes to the site's log.
    pub(crate) fn serve(&self, log: &str) -> Process {
        self.serve_by(Command::new(PROGRAM), log)
    }

    /// One for which a file that may not grow is an error, as a full disk is, and not its end.
    pub(crate) fn serve_on_a_small_disk(&self, log: &str) -> Process {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", PROGRAM]);
        self.serve_by(shell, log)
    }

    fn serve_by(&self, mut program: Command, log: &str) -> Process {
        let file = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut child = program
            .arg("--data")
            .arg(self.folder.path())
            .args(["--database", &self.address, "serve", "--listen", "127.0.0.1:0", "--log", log])
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut shown = BufReader::new(child.stdout.take().unwrap());
        shown.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
        // Somebody must read what it shows.
        std::thread::spawn(move || std::io::copy(&mut shown, &mut std::io::sink()));
        Process { child, address }
    }

    pub(crate) fn log(&self) -> PathBuf {
        Path::new(self.folder.path()).join("log")
    }
}

pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    /// Lets no file that it writes become longer than this.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Pid::from_raw(self.child.id().cast_signed()), Resource::Fsize, limit).unwrap();
    }

    pub(crate) async fn line(&self) -> Line {
        Line(TcpStream::connect(&self.address).await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (status, _, body) = self.line().await.post(path, body).await.unwrap();
        (status, body)
    }

    pub(crate) async fn verify(&self, user: &str, code: &str) -> bool {
        let (status, body) = self.post("/api/v1/verify", &serde_json::json!({ "user": user, "code": code })).await;
        assert_eq!(status, 200, "{body}");
        body["accepted"].as_bool().unwrap()
    }

    /// The status of a page.
    pub(crate) async fn get(&self, path: &str) -> u16 {
        let Line(mut stream) = self.line().await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// `kill -9`, and it is over.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that stays.
pub(crate) struct Line(pub(crate) TcpStream);

impl Line {
    /// Status, head and body; `None` where the process died meanwhile.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Option<(u16, String, Value)> {
        self.ask("POST", path, &body.to_string()).await
    }

    /// The same with any method and any body.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &str) -> Option<(u16, String, Value)> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes()).await.ok()?;
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> Option<(u16, String, Value)> {
        let mut read = Vec::new();
        loop {
            if self.0.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&read);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if length.is_some_and(|length| body.len() >= length.parse().unwrap()) {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return Some((status, head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null)));
            }
        }
    }
}
