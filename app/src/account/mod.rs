//! The app and its servers: registering a token by SMS code, and signing in with it.
//!
//! The window and the command line take the same steps. Each is two halves: a function of [`steps`] that waits for the
//! network and touches no vault, and one of [`keep`] that puts what came of it into the vault's content.

pub mod keep;
pub mod pick;
pub mod steps;

use chrono::DateTime;

/// An instant as servers write it (RFC 3339), in Unix seconds.
pub fn instant(text: &str) -> Option<u64> {
    DateTime::parse_from_rfc3339(text).ok().and_then(|at| u64::try_from(at.timestamp()).ok())
}

/// Seconds by which a server's clock is ahead of this device's.
pub fn ahead(server_time: &str, now: u64) -> i64 {
    let Some(there) = instant(server_time) else { return 0 };
    there.cast_signed() - now.cast_signed()
}

/// The time by which a code is made: this device's clock, moved by what the server's is ahead where the user wants it.
pub fn corrected(now: u64, ahead: i64) -> u64 {
    now.saturating_add_signed(ahead)
}

/// From this many seconds on a clock makes wrong codes: the server takes the step before and the one after.
pub const CLOCK_MATTERS: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared() {
        assert_eq!(ahead("2026-11-26T09:00:30Z", 1_795_683_600), 30);
        assert_eq!(ahead("2026-11-26T09:00:30+01:00", 1_795_683_600), 30 - 3600);
        assert_eq!(ahead("yesterday", 1_795_683_600), 0);
        assert_eq!(corrected(100, -200), 0);
        assert_eq!(corrected(100, 50), 150);
    }
}
