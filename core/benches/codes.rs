//! What a code costs beside bare totp-rs. `cargo bench -p countersign-core --bench codes` prints a table of ratios.
//!
//! Both sides turn a secret into the text of a code. `kept` has totp-rs keep its `Totp` between codes, as a program
//! would that shows one token; `built` makes it anew for each code, as one would that holds secrets of its own.
//! Contenders take turns in short batches and the fastest batch counts, so that a busy machine hurts all alike.

#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{hint::black_box, time::Instant};

use countersign_core::{
    secret::SecretText,
    token::{Algorithm, Digits, Kind, Period, TokenSecret, TokenSpec},
};
use totp_rs::{Builder, Totp};

const BATCH: u64 = 2_000;
const ROUNDS: u64 = 400;
const START: u64 = 1_700_000_000;

/// Nanoseconds of one call in the fastest batch.
#[derive(Clone, Copy)]
struct Fastest(f64);

impl Fastest {
    fn run(&mut self, round: u64, mut code: impl FnMut(u64)) {
        let started = Instant::now();
        for at in 0..BATCH {
            code(START + 30 * (round * BATCH + at));
        }
        let each = started.elapsed().as_nanos() as f64 / BATCH as f64;
        self.0 = self.0.min(each);
    }
}

fn bare(algorithm: totp_rs::Algorithm, digits: u8, step: u64, key: &[u8]) -> Totp {
    Builder::new()
        .with_algorithm(algorithm)
        .with_digits(digits)
        .with_step_duration(step)
        .with_secret(key)
        .build_noncompliant()
}

fn spec(kind: Kind, key: &[u8]) -> TokenSpec {
    TokenSpec {
        issuer: "Issuer".into(),
        account: "account".into(),
        kind,
        secret: TokenSecret::from_bytes(key.to_vec()).unwrap(),
        label_issuer: None,
        uri_parameters: vec![],
    }
}

fn compare(name: &str, spec: &TokenSpec, algorithm: totp_rs::Algorithm, digits: u8) {
    let key = spec.secret.bytes().expose();
    let kept = bare(algorithm, digits, 30, key);
    let [mut ours, mut with_kept, mut with_built] = [Fastest(f64::MAX); 3];
    for round in 0..ROUNDS {
        ours.run(round, |at| drop(black_box(black_box(spec).code_at(at).unwrap())));
        with_kept.run(round, |at| drop(black_box(black_box(&kept).generate(at).to_string())));
        with_built.run(round, |at| {
            drop(black_box(bare(algorithm, digits, 30, black_box(key)).generate(at).to_string()));
        });
    }
    println!(
        "{name:<12} {:>8.0} {:>8.0} {:>8.0} {:>7.2} {:>7.2}",
        ours.0,
        with_kept.0,
        with_built.0,
        ours.0 / with_kept.0,
        ours.0 / with_built.0
    );
}

fn alone(name: &str, spec: &TokenSpec) {
    let mut ours = Fastest(f64::MAX);
    for round in 0..ROUNDS {
        ours.run(round, |at| drop(black_box(black_box(spec).code_at(at).unwrap())));
    }
    println!("{name:<12} {:>8.0}", ours.0);
}

fn main() {
    let key = [0x5a; 64];
    let totp =
        |algorithm, digits| Kind::Totp { algorithm, digits: Digits::new(digits).unwrap(), period: Period::THIRTY };
    println!("nanoseconds a code; ratio to totp-rs");
    println!("{:<12} {:>8} {:>8} {:>8} {:>7} {:>7}", "", "ours", "kept", "built", "/kept", "/built");
    for (name, algorithm, bare, length) in [
        ("TOTP SHA1", Algorithm::Sha1, totp_rs::Algorithm::SHA1, 20),
        ("TOTP SHA256", Algorithm::Sha256, totp_rs::Algorithm::SHA256, 32),
        ("TOTP SHA512", Algorithm::Sha512, totp_rs::Algorithm::SHA512, 64),
    ] {
        compare(name, &spec(totp(algorithm, 6), &key[..length]), bare, 6);
    }
    compare("Steam", &spec(Kind::Steam, &key[..20]), totp_rs::Algorithm::Steam, 5);
    let hotp = Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 7 };
    compare("HOTP SHA1", &spec(hotp, &key[..20]), totp_rs::Algorithm::SHA1, 6);
    let pin = Some(SecretText::new("1234".to_owned()));
    println!("without a counterpart in totp-rs");
    alone("12 digits", &spec(totp(Algorithm::Sha1, 12), &key[..20]));
    alone("mOTP", &spec(Kind::Motp { pin: pin.clone() }, &key[..8]));
    alone("Yandex", &spec(Kind::Yandex { pin }, &key[..16]));
}
