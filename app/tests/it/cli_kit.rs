//! The real program over a vault of its own, which costs no time to open.

use std::{
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use countersign_core::{
    secret::Password,
    vault::{KdfParams, Session, session::Key, store::FileStore},
};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use serde_json::Value;
use tempfile::TempDir;

/// The vault's password on every desk.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The secret of RFC 4226, appendix D, and RFC 6238, appendix B.
pub(crate) const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// A folder with a vault and a password file, and the program over them.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    /// Without a vault yet.
    pub(crate) fn empty() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(desk.path("password"), format!("{PASSWORD}\n")).unwrap();
        desk
    }

    /// With an empty vault.
    pub(crate) fn new() -> Self {
        let desk = Self::empty();
        let kdf = KdfParams::new(8, 1, 1).unwrap();
        let store = Box::new(FileStore::new(desk.vault()));
        Session::create(store, &Password::new(PASSWORD), kdf, &mut UnwrapErr(SysRng), 1_000).unwrap();
        desk
    }

    /// With these links in the vault.
    pub(crate) fn with(links: &[&str]) -> Self {
        let desk = Self::new();
        let arguments: Vec<&str> = std::iter::once("add").chain(links.iter().copied()).collect();
        desk.done(&arguments);
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.path("vault.json")
    }

    /// Writes a file and gives its name.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The vault as the core opens it.
    pub(crate) fn open(&self) -> Session {
        let key = Key::Password(Password::new(PASSWORD));
        Session::open(Box::new(FileStore::new(self.vault())), &key).unwrap()
    }

    /// The program without a display, and without the vault and its password.
    pub(crate) fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.env_clear().env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program over the vault, with its password from a file.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.bare();
        command.arg("--vault").arg(self.vault()).arg("--password-file").arg(self.path("password")).args(arguments);
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        run(&mut self.command(arguments), b"")
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run.stdout
    }

    /// Runs a command that must succeed, and gives its JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let run = self.run(std::iter::once(&"--json").chain(arguments));
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    /// Runs a command that must fail with this exit code, and gives what it said.
    pub(crate) fn fails<S: AsRef<OsStr>>(&self, code: i32, arguments: impl IntoIterator<Item = S>) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(run.stdout, "", "a failure prints no result");
        run.stderr
    }

    /// Every file of the folder with its bytes.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file() && !is_lock(path))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

fn is_lock(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "lock")
}

/// Runs with these bytes on standard input.
pub(crate) fn run(command: &mut Command, stdin: &[u8]) -> Run {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that ends without reading its input is no fault of the test.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
