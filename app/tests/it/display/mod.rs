//! The real program on a virtual display of its own, driven by real keys and clicks. Where Xvfb, xdotool or xclip are
//! missing these tests say so and do nothing.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, one that cannot begin says so"
)]

mod journeys;
mod memory;
mod scan;
mod screen;

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::{KdfParams, Session, content::NoSuchToken, store::FileStore},
};
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};
use tempfile::TempDir;

/// What is typed; every character is on every Latin keyboard.
const PASSWORD: &str = "seven calm otters tidy up the attic";
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A virtual display, the home folder of whoever sits before it, and a vault.
struct Display {
    server: Child,
    name: String,
    home: TempDir,
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Display {
    /// A new display; says what is missing where there can be none.
    fn start() -> Option<Self> {
        for tool in ["Xvfb", "xdotool", "xclip"] {
            let found = std::env::var_os("PATH")
                .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(tool).is_file()));
            if !found {
                let test = std::thread::current().name().unwrap_or_default().to_owned();
                eprintln!("skipped {test}: there is no {tool} here");
                return None;
            }
        }
        let home = tempfile::tempdir().unwrap();
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset", "-fbdir"])
            .arg(home.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb gives its display's number");
        Some(Self { server, name: format!(":{}", number.trim()), home })
    }

    fn vault(&self) -> PathBuf {
        self.home.path().join("vault.json")
    }

    /// A command on this display, with nothing of the surroundings' environment.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.home.path()).env("DISPLAY", &self.name);
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("COUNTERSIGN_VAULT", self.vault());
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = self.command("xdotool").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Presses keys, one after the other, with the time between them that a hand needs.
    fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.xdotool(&["key", key]);
            std::thread::sleep(Duration::from_millis(60));
        }
    }

    fn write(&self, text: &str) {
        self.xdotool(&["type", "--delay", "30", text]);
        std::thread::sleep(Duration::from_millis(200));
    }

    fn click(&self, x: u32, y: u32, button: u32) {
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        std::thread::sleep(Duration::from_millis(80));
        self.xdotool(&["click", &button.to_string()]);
        std::thread::sleep(Duration::from_millis(150));
    }

    /// Settings of this device, as the program would have saved them.
    fn set(&self, settings: &str) {
        let folder = self.home.path().join(".config/countersign");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("settings.json"), settings).unwrap();
    }

    /// Starts the window, and gives it the keyboard.
    fn open(&self) -> Window<'_> {
        let program = self.command(env!("CARGO_BIN_EXE_countersign")).stdout(Stdio::null()).spawn().unwrap();
        let mut window = Window { program, display: self, id: String::new() };
        let pid = window.pid().to_string();
        wait_for("the window", || {
            let found = self.xdotool(&["search", "--onlyvisible", "--pid", &pid]);
            window.id = found.lines().last().unwrap_or_default().to_owned();
            !window.id.is_empty()
        });
        std::thread::sleep(Duration::from_millis(500));
        window.focus();
        window
    }
}

/// The program with its window.
struct Window<'a> {
    program: Child,
    display: &'a Display,
    id: String,
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Window<'_> {
    fn pid(&self) -> u32 {
        self.program.id()
    }

    fn focus(&self) {
        self.display.xdotool(&["windowmove", "--sync", &self.id, "0", "0"]);
        self.display.xdotool(&["windowfocus", "--sync", &self.id]);
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Waits until it is so.
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "what is waited for runs beside this test")]
    let from = std::time::Instant::now();
    while !is_so() {
        assert!(from.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A vault of that many tokens with secrets of 20 bytes; gives the secrets.
fn fill(path: &Path, count: usize, kdf: KdfParams) -> Vec<TokenSpec> {
    let mut random = UnwrapErr(SysRng);
    let specs: Vec<TokenSpec> = (0..count)
        .map(|at| {
            let mut secret = vec![0; 20];
            random.fill_bytes(&mut secret);
            TokenSpec {
                issuer: format!("Issuer {at:04}"),
                account: format!("account{at:04}@example.org"),
                kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::EIGHT, period: Period::THIRTY },
                secret: TokenSecret::from_bytes(secret).unwrap(),
                label_issuer: None,
                uri_parameters: Vec::new(),
            }
        })
        .collect();
    let store = Box::new(FileStore::new(path));
    let mut session = Session::create(store, &Password::new(PASSWORD), kdf, &mut random, 1_000).unwrap();
    session
        .edit(&mut UnwrapErr(SysRng), 1_000, |content| {
            for spec in &specs {
                let mut id = [0; 16];
                random.fill_bytes(&mut id);
                content.add(TokenId::from_random(id), spec.clone(), 1_000);
            }
            Ok::<_, NoSuchToken>(())
        })
        .unwrap();
    specs
}
