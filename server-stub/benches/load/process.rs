//! The server's process, its database's, and the machine that both run on.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{client::Client, postgres::Cluster};

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign-server");
/// Hundredths of a second, in which Linux tells what a process has had of a core.
const TICK: f64 = 0.01;

/// A folder, and a database in it or beside it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    cluster: Option<Cluster>,
}

impl Place {
    /// `None` where the database is not installed.
    pub(crate) fn new(kind: &str) -> Option<Self> {
        let cluster = match kind {
            "postgres" => Some(Cluster::start_with("on")?),
            _ => None,
        };
        // On a disk: a temporary folder may be memory.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Some(Self { folder, cluster })
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.cluster.is_some() { "PostgreSQL" } else { "SQLite" }
    }

    pub(crate) fn address(&self) -> String {
        match &self.cluster {
            Some(cluster) => cluster.address("postgres"),
            None => format!("sqlite://{}", self.folder.path().join("server.db").display()),
        }
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--data").arg(self.folder.path()).arg("--json");
        if self.cluster.is_some() {
            command.arg("--database").arg(self.address());
        }
        command.args(arguments);
        command
    }

    /// Runs a command of the server's and says what it printed.
    pub(crate) fn done(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A server that runs, and ends with this.
pub(crate) struct Serving {
    child: Child,
    address: String,
    key: String,
    postmaster: Option<String>,
}

impl Serving {
    pub(crate) fn start(place: &Place) -> Self {
        let mut child = place.command(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().split([',', '"']).next().unwrap().to_owned();
        let postmaster = place.cluster.as_ref().map(|cluster| {
            let file = fs::read_to_string(cluster.data().join("postmaster.pid")).unwrap();
            file.lines().next().unwrap().to_owned()
        });
        let key = fs::read_to_string(place.folder.path().join("api-key")).unwrap_or_default();
        Self { child, address, key, postmaster }
    }

    /// Asks whether it is there.
    pub(crate) fn healthy(&self) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: load\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address, &self.key)
    }

    /// Resident now and at most, in MB.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    /// What the server, its database and the whole machine have had of the processor so far.
    pub(crate) fn spent(&self) -> Spent {
        let server = ticks(&self.child.id().to_string()).map_or(0.0, |(_, spent)| spent);
        let database = self.postmaster.as_ref().map_or(0.0, |postmaster| {
            let processes =
                fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let spent = processes.filter_map(|pid| ticks(&pid).filter(|(parent, _)| parent == postmaster));
            spent.map(|(_, spent)| spent).sum()
        });
        let stat = fs::read_to_string("/proc/stat").unwrap();
        let all: Vec<f64> =
            stat.lines().next().unwrap().split_whitespace().skip(1).map(|n| n.parse().unwrap()).collect();
        Spent { server, database, idle: all[3] + all[4], all: all.iter().take(8).sum() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process's parent and the seconds that it has had of a core.
fn ticks(pid: &str) -> Option<(String, f64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let spent = rest.get(11)?.parse::<f64>().ok()? + rest.get(12)?.parse::<f64>().ok()?;
    Some((rest.get(1)?.to_string(), spent * TICK))
}

/// Seconds of a core; `idle` and `all` are the machine's.
#[derive(Default)]
pub(crate) struct Spent {
    pub(crate) server: f64,
    pub(crate) database: f64,
    pub(crate) idle: f64,
    all: f64,
}

impl Spent {
    pub(crate) fn since(&self, before: &Self) -> Self {
        let all = self.all - before.all;
        Self {
            server: self.server - before.server,
            database: self.database - before.database,
            idle: (self.idle - before.idle) / all.max(1.0),
            all,
        }
    }
}

/// Unix seconds.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Prints what figures from here are to be read with.
pub(crate) fn about_this_machine() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let model = read("/proc/cpuinfo");
    let model = model.lines().find_map(|line| line.strip_prefix("model name\t: ")).unwrap_or("unknown").to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores ({model}), load average {}.", read("/proc/loadavg").trim());
    println!("The disk makes 8 KiB durable in {:.1} ms (median of 200).", durable().as_secs_f64() * 1e3);
    println!("Server, database and this client share the machine.");
}

fn durable() -> Duration {
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.write_all_at(&vec![1; 1 << 20], 0).unwrap();
    file.sync_all().unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|turn| {
            file.write_all_at(&[turn as u8; 8192], turn % 128 * 8192).unwrap();
            let from = Instant::now();
            file.sync_data().unwrap();
            from.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[100]
}
