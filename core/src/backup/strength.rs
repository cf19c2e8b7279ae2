//! How long a backup's password would stand.

use crate::secret::Password;

/// Guesses a second against Argon2id: generous to an attacker with a room full of machines.
const GUESSES_PER_SECOND: f64 = 10_000.0;
/// Characters that are looked at: more take long and change nothing.
const MAX_CHARACTERS: usize = 100;

/// How long a password would stand against somebody who has the backup text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strength {
    /// From 0 (too guessable) to 4 (very unguessable), as zxcvbn counts.
    pub score: u8,
    /// Seconds until it would be found, at ten thousand guesses a second.
    pub offline_seconds: f64,
}

/// Estimates how long a password would stand, by the words, names, dates and patterns in it (zxcvbn).
pub fn strength(password: &Password) -> Strength {
    let typed = password.expose();
    let end = typed.char_indices().nth(MAX_CHARACTERS).map_or(typed.len(), |(at, _)| at);
    let estimate = zxcvbn::zxcvbn(&typed[..end], &["countersign"]);
    Strength { score: estimate.score().into(), offline_seconds: estimate.guesses() as f64 / GUESSES_PER_SECOND }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_rise_with_the_password() {
        let of = |password: &str| strength(&Password::new(password));
        for (password, score) in
            [("", 0), ("password", 0), ("countersign", 0), ("correcthorsebattery", 4), ("gT4$kq9!zR2vLm", 4)]
        {
            assert_eq!(of(password).score, score, "{password}");
        }
        assert!(of("password").offline_seconds < 1.0);
        assert!(of("gT4$kq9!zR2vLm").offline_seconds > 1e9);
    }

    #[test]
    fn long_passwords_are_looked_at_in_part() {
        let long = strength(&Password::new(&"gT4$kq9!ü".repeat(10_000)));
        assert_eq!(long.score, 4);
    }
}
