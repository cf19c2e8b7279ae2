//! What `countersign code` costs beside the key derivation, which is meant to cost: 1,000 tokens, RFC 9106's parameters.
//!
//! Both are run in turns, so that whatever else the machine does falls on both.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures and prints"
)]

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, Version};
use countersign_core::{
    secret::Password,
    token::{Kind, TokenId, TokenSecret, TokenSpec},
    vault::{KdfParams, Session, store::FileStore},
};
use getrandom::SysRng;
use rand_core::UnwrapErr;

const TOKENS: u32 = 1_000;
const RUNS: usize = 30;
const PASSWORD: &str = "correct horse battery staple";

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let vault = folder.path().join("vault.json");
    let password = folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    fill(&vault);
    let code = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.arg("--vault").arg(&vault).arg("--password-file").arg(&password).args(["code", "user777@"]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    let (mut commands, mut derivations) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        commands.push(time(code));
        derivations.push(time(derive));
    }
    println!("`countersign code` on {TOKENS} tokens, {RUNS} runs, in milliseconds");
    println!("{:<24}{:>10}{:>10}", "", "least", "median");
    let mut beside = Vec::new();
    for (name, times) in [("the command", &mut commands), ("Argon2id alone", &mut derivations)] {
        times.sort();
        let (least, median) = (millis(times[0]), millis(times[RUNS / 2]));
        println!("{name:<24}{least:>10.1}{median:>10.1}");
        beside.push((least, median));
    }
    println!("{:<24}{:>10.1}{:>10.1}", "beside Argon2id", beside[0].0 - beside[1].0, beside[0].1 - beside[1].1);
}

fn fill(vault: &std::path::Path) {
    let mut rng = UnwrapErr(SysRng);
    let store = Box::new(FileStore::new(vault));
    let mut session =
        Session::create(store, &Password::new(PASSWORD), KdfParams::RECOMMENDED, &mut rng, 1_000).unwrap();
    session
        .edit(&mut rng, 1_000, |content| {
            for number in 0..TOKENS {
                let mut id = [0; 16];
                id[..4].copy_from_slice(&number.to_be_bytes());
                content.add(TokenId::from_random(id), token(number), 1_000);
            }
            Ok::<_, std::convert::Infallible>(())
        })
        .unwrap();
}

fn token(number: u32) -> TokenSpec {
    TokenSpec {
        issuer: format!("Issuer {number}"),
        account: format!("user{number}@example.org"),
        kind: Kind::Totp { algorithm: Default::default(), digits: Default::default(), period: Default::default() },
        secret: TokenSecret::from_bytes(number.to_be_bytes().repeat(5)).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    }
}

fn derive() {
    let kdf = KdfParams::RECOMMENDED;
    let params = Params::new(kdf.memory_kib(), kdf.passes(), kdf.lanes(), Some(32)).unwrap();
    let mut key = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_into(PASSWORD.as_bytes(), &[7; 16], &mut key).unwrap();
    std::hint::black_box(key);
}

fn time(work: impl Fn()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
