//! What icons cost: the time of a lookup, a path and a search, and the memory that is resident after the first ones.
//!
//!     cargo bench -p countersign --bench icons

#![allow(clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::{hint::black_box, time::Instant};

use countersign::icons;

const ISSUERS: [&str; 20] = [
    "GitHub",
    "https://accounts.google.com",
    "Microsoft",
    "AWS",
    "Discord",
    "X (Twitter)",
    "Dropbox - work",
    "Hetzner Cloud",
    "Proton Mail",
    "PayPal",
    "npmjs.com",
    "Corp PAM",
    "Facebook",
    "Steam",
    "GitLab.com",
    "OVHcloud",
    "Apple Valley Bank",
    "Binance",
    "Citroën",
    "Reddit",
];

fn main() {
    let before = (resident_kib("RssAnon:"), resident_kib("RssFile:"));
    let found: usize = ISSUERS.iter().filter_map(|issuer| icons::find(issuer, "")).map(|icon| icon.path().len()).sum();
    if let ((Some(own), Some(file)), Some(own_after), Some(file_after)) =
        (before, resident_kib("RssAnon:"), resident_kib("RssFile:"))
    {
        println!("20 lookups ({found} bytes of paths): {} KiB of own memory,", own_after.saturating_sub(own));
        println!("{} KiB of the program's file mapped in", file_after.saturating_sub(file));
    }
    per("find", 20_000, |n| {
        black_box(icons::find(ISSUERS[n % ISSUERS.len()], ""));
    });
    let github = icons::by_slug("github");
    per("path", 20_000, |_| drop(black_box(github.map(icons::Icon::path))));
    per("avatar", 20_000, |n| drop(black_box(icons::avatar(ISSUERS[n % ISSUERS.len()], "", None, true))));
    per("search", 100, |_| drop(black_box(icons::search("goo", 50))));
    per("search, all", 20, |_| drop(black_box(icons::search("", 50))));
}

fn per(what: &str, times: u32, mut run: impl FnMut(usize)) {
    let start = Instant::now();
    for n in 0..times {
        run(n as usize);
    }
    println!("{what:12} {:>10.2} µs", start.elapsed().as_secs_f64() * 1e6 / f64::from(times));
}

/// A part of this process's resident memory, where the system says (Linux).
fn resident_kib(part: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(part))?.trim().strip_suffix(" kB")?.trim().parse().ok()
}
