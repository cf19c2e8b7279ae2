//! A PostgreSQL server for one test, without a network, in a folder that vanishes.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[derive(Debug)]
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: tempfile::TempDir,
    fsync: &'static str,
}

impl Cluster {
    /// One that a test throws away: it does not wait for the disk. `None` where PostgreSQL is not installed, or may not
    /// run as this user.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with("off")
    }

    /// One with `fsync` as given, and everything else as it is by default.
    pub(crate) fn start_with(fsync: &'static str) -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        if is_root() {
            // It refuses to run as root, and only its own user may see its files.
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).status().ok()?.success();
            owned.then_some(())?;
        }
        let cluster = Self { programs, folder, fsync };
        let data = cluster.data();
        cluster.run(
            "initdb",
            &[
                "-D".as_ref(),
                data.as_ref(),
                "-U".as_ref(),
                "test".as_ref(),
                "-A".as_ref(),
                "trust".as_ref(),
                "--no-sync".as_ref(),
            ],
        );
        cluster.resume();
        Some(cluster)
    }

    pub(crate) fn address(&self, database: &str) -> String {
        format!("postgres://test@localhost/{database}?host={}", self.folder.path().display())
    }

    /// Runs a statement with its own client.
    #[allow(dead_code, reason = "the journeys through both programs use it")]
    pub(crate) fn sql(&self, database: &str, statement: &str) {
        let address = self.address(database);
        self.run("psql", &["-q".as_ref(), "-c".as_ref(), statement.as_ref(), address.as_ref()]);
    }

    /// Where it keeps its files.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends it as a crash would: connections break, nothing is tidied up.
    pub(crate) fn crash(&self) {
        self.run(
            "pg_ctl",
            &["-D".as_ref(), self.data().as_ref(), "-m".as_ref(), "immediate".as_ref(), "stop".as_ref()],
        );
    }

    /// Stops every process of it where it is: it is there, takes what is sent, and answers nothing.
    #[allow(dead_code, reason = "the journeys through both programs have no use for it")]
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal to its first process, and then to those that it has started.
    fn signal(&self, signal: &str) {
        let Ok(first) = std::fs::read_to_string(self.data().join("postmaster.pid")) else { return };
        let first = first.lines().next().unwrap_or_default().to_owned();
        let send = |process: &str| Command::new("kill").args([signal, process]).status().is_ok();
        let mut sent = send(&first);
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = process.file_name().to_string_lossy().into_owned();
            let Ok(status) = std::fs::read_to_string(process.path().join("stat")) else { continue };
            // The name in parentheses may hold anything; state and parent come after it.
            let parent = status.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
            if parent == Some(first.as_str()) {
                sent &= send(&name);
            }
        }
        assert!(sent, "kill {signal} {first}");
    }

    /// Starts it again.
    pub(crate) fn resume(&self) {
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync={} -c max_connections=200",
            self.folder.path().display(),
            self.fsync,
        );
        let log = self.folder.path().join("log");
        self.run(
            "pg_ctl",
            &[
                "-D".as_ref(),
                self.data().as_ref(),
                "-l".as_ref(),
                log.as_ref(),
                "-o".as_ref(),
                options.as_ref(),
                "-w".as_ref(),
                "start".as_ref(),
            ],
        );
    }

    /// Runs one of its programs and expects it to succeed.
    fn run(&self, program: &str, arguments: &[&OsStr]) {
        let output = self.command(program, arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, program: &str, arguments: &[&OsStr]) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // What it leaves running must not hold the test's pipes open.
        command.args(arguments).current_dir("/tmp").stdin(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.go_on();
        let data = self.data();
        let arguments: [&OsStr; 5] =
            ["-D".as_ref(), data.as_ref(), "-m".as_ref(), "immediate".as_ref(), "stop".as_ref()];
        let _ = self.command("pg_ctl", &arguments).output();
    }
}

/// Where the newest installed version keeps its programs.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/initdb").exists().then(|| (version, path.join("bin")))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, path)| path)
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
        && Path::new("/usr/sbin/runuser").exists()
}
