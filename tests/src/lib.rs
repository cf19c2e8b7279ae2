//! The kit that journeys share: the real program, built where it is missing, over vaults that cost no time to open.

#![allow(clippy::expect_used, reason = "a journey that cannot go on ends")]

pub mod server;

use std::{
    ffi::OsStr,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    time::SystemTime,
};

use countersign_core::{
    secret::Password,
    token::{Kind, TokenSecret, TokenSpec},
    vault::{KdfParams, Session, session::Key, store::FileStore},
};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use tempfile::TempDir;

/// The password of every vault that a journey makes.
pub const PASSWORD: &str = "correct horse battery staple";

/// A secret that stands in many tokens.
pub const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// How a run of the program ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code, -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A folder with an empty vault and its password in a file.
#[derive(Debug)]
pub struct Desk {
    folder: TempDir,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// A new folder with a new vault.
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        std::fs::write(desk.path("password"), PASSWORD).expect("the password's file");
        create(&desk.vault());
        desk
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The vault's file.
    pub fn vault(&self) -> PathBuf {
        self.path("vault.json")
    }

    /// The program over this vault, without a display and with nothing of the surroundings' environment.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program());
        command.env_clear().env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.env("COUNTERSIGN_VAULT", self.vault()).arg("--password-file").arg(self.path("password"));
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        run(&mut self.command(arguments), b"")
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub fn done(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run.stdout
    }

    /// The accounts of the vault's tokens, as the core opens it.
    pub fn accounts(&self) -> Vec<String> {
        accounts(&self.vault())
    }
}

/// Makes an empty vault whose key costs no time to derive.
pub fn create(vault: &Path) {
    let kdf = KdfParams::new(8, 1, 1).expect("parameters within the bounds");
    let store = Box::new(FileStore::new(vault));
    Session::create(store, &Password::new(PASSWORD), kdf, &mut UnwrapErr(SysRng), 1_000).expect("a new vault");
}

/// Opens a vault that [`create`] made.
pub fn open(vault: &Path) -> Session {
    let key = Key::Password(Password::new(PASSWORD));
    Session::open(Box::new(FileStore::new(vault)), &key).unwrap_or_else(|error| panic!("the vault opens: {error}"))
}

/// The accounts of a vault's tokens.
pub fn accounts(vault: &Path) -> Vec<String> {
    open(vault).content().tokens().iter().map(|token| token.spec.account.clone()).collect()
}

/// A token of that account.
pub fn token(account: &str) -> TokenSpec {
    TokenSpec {
        issuer: "Journey".into(),
        account: account.into(),
        kind: Kind::Totp { algorithm: Default::default(), digits: Default::default(), period: Default::default() },
        secret: TokenSecret::from_base32(SECRET).expect("a good secret"),
        label_issuer: None,
        uri_parameters: Vec::new(),
    }
}

/// The link of that token.
pub fn link(account: &str) -> String {
    format!("otpauth://totp/Journey:{account}?secret={SECRET}&issuer=Journey")
}

/// Runs with these bytes on standard input.
pub fn run(command: &mut Command, stdin: &[u8]) -> Run {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    if let Some(mut pipe) = child.stdin.take() {
        // A program that ends without reading its input is no fault of the journey.
        let _ = pipe.write_all(stdin);
    }
    let output = child.wait_with_output().expect("the program ends");
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The real program, of the same profile as this test.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| binary("countersign", &["app/src", "core/src", "ui"]))
}

/// A package's program of the same name. Cargo builds no other package's binary for a test, so it is built here where it
/// is missing or older than its sources.
pub(crate) fn binary(name: &str, sources: &[&str]) -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let program = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let built = std::fs::metadata(&program).and_then(|data| data.modified()).ok();
    if built.is_none_or(|built| built < newest_source(sources)) {
        build(profile, name);
    }
    assert!(program.is_file(), "no program at {}", program.display());
    program
}

fn build(profile: &Path, name: &str) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace()).args(["build", "--package", name, "--bin", name]);
    if profile.ends_with("release") {
        command.arg("--release");
    }
    assert!(command.status().expect("cargo runs").success(), "the program does not build");
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// When a source in these folders last changed.
fn newest_source(sources: &[&str]) -> SystemTime {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut folders: Vec<PathBuf> = sources.iter().map(|name| workspace().join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(changed) = entry.metadata().and_then(|data| data.modified()) {
                newest = newest.max(changed);
            }
        }
    }
    newest
}
