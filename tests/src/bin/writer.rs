//! Adds tokens to a vault in a loop, one save each, and prints each account once its save is reported as done.
//!
//!     writer VAULT PREFIX COUNT

#![allow(clippy::expect_used, reason = "a journey that cannot go on ends")]

use std::io::Write as _;

use countersign_core::token::TokenId;
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, vault, prefix, count] = &arguments[..] else { panic!("writer VAULT PREFIX COUNT") };
    let count: u32 = count.parse().expect("a number");
    let mut rng = UnwrapErr(SysRng);
    let mut session = countersign_e2e::open(vault.as_ref());
    let mut stdout = std::io::stdout().lock();
    for number in 0..count {
        let account = format!("{prefix}{number}");
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        session
            .edit(&mut rng, 2_000, |content| {
                content.add(TokenId::from_random(id), countersign_e2e::token(&account), 2_000);
                Ok::<_, std::convert::Infallible>(())
            })
            .unwrap_or_else(|error| panic!("{account} was not saved: {error}"));
        writeln!(stdout, "{account}").and_then(|()| stdout.flush()).expect("somebody reads");
    }
}
