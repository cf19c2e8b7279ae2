//! What the app adds to a server's own time, from "Sign in with this code" pressed to the answer shown: a real server on
//! SQLite, the real pages, the session saved in a vault on the disk. `cargo bench -p countersign-e2e --bench sign_in`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    reason = "it measures, and prints what"
)]

#[path = "../journeys/stage.rs"]
mod stage;

use std::time::{Duration, Instant};

use countersign_e2e::server::{ACCOUNT_PASSWORD, Server, Wire};
use countersign_ui::SignInStep;
use stage::{Stage, quick};

const ROUNDS: usize = 10;

fn main() {
    let server = Server::start();
    quick(&server);
    server.add_user("ada");
    let wire = Wire::to(server.place());
    server.set("public_url", &wire.url());
    let stage = Stage::new();
    stage.add_server(&wire.url());
    stage.register(&server, "ada");
    let mut rounds: Vec<(Duration, Duration)> = (0..ROUNDS).map(|_| sign_in(&stage, &wire)).collect();
    rounds.sort_by_key(|(all, thought)| *all - *thought);
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let (all, thought) = rounds[ROUNDS / 2];
    println!("signing in, median of {ROUNDS}: {:.1} ms, of which the server {:.1} ms", ms(all), ms(thought));
    let (all, thought) = rounds[ROUNDS - 1];
    println!(
        "the app adds {:.1} ms in the median, {:.1} ms at the most",
        ms(rounds[ROUNDS / 2].0 - rounds[ROUNDS / 2].1),
        ms(all - thought)
    );
}

/// One sign-in with a fresh code: how long it took, and how long of it the server thought.
fn sign_in(stage: &Stage, wire: &Wire) -> (Duration, Duration) {
    stage.press("Sign in");
    stage.fill("User name", "ada");
    stage.fill("Password at the server", ACCOUNT_PASSWORD);
    stage.press("Continue");
    for _ in 0..60 {
        if stage.account().get_token().fresh {
            wire.thought();
            let start = Instant::now();
            stage.press("Sign in with this code");
            let took = start.elapsed();
            if stage.account().get_sign_in_step() == SignInStep::Done {
                let thought = wire.thought();
                stage.press("Done");
                stage.press("Sign out");
                return (took, thought);
            }
        }
        std::thread::sleep(Duration::from_millis(500));
        stage.tick();
    }
    panic!("no code signed in");
}
