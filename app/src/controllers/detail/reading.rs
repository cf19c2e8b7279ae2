//! Codes for the ear.

use countersign_core::otp::Code;

/// A code that stands for less than this is gone before it is typed, in seconds.
pub const SHORT_SECONDS: u64 = 5;

/// When a code is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// At once.
    Now,
    /// At this second, in Unix seconds, when the next code takes over.
    At(u64),
}

/// When to read: at once, unless the code is nearly over or a fresh one is wanted. A counter has no time to wait for.
pub fn plan(code: &Code, now: u64, fresh: bool) -> Reading {
    match code.stands() {
        Some(stands) if fresh || stands.until.saturating_sub(now) < SHORT_SECONDS => Reading::At(stands.until),
        _ => Reading::Now,
    }
}

/// A code in groups, with each character on its own: `492 871` becomes `4 9 2, 8 7 1`.
pub fn spelled(grouped: &str) -> String {
    let mut spelled = String::with_capacity(grouped.len() * 2);
    for character in grouped.chars() {
        if character == ' ' {
            spelled.push(',');
            continue;
        }
        if !spelled.is_empty() {
            spelled.push(' ');
        }
        spelled.push(character);
    }
    spelled
}

#[cfg(test)]
mod tests {
    use countersign_core::token::{Algorithm, Digits, Kind, Period, TokenSecret, TokenSpec};

    use super::*;

    fn spec(kind: Kind) -> TokenSpec {
        TokenSpec {
            issuer: "Example".into(),
            account: String::new(),
            kind,
            secret: TokenSecret::from_bytes(vec![7; 20]).unwrap(),
            label_issuer: None,
            uri_parameters: Vec::new(),
        }
    }

    #[test]
    fn groups_are_heard_as_they_are_seen() {
        assert_eq!(spelled("492 871"), "4 9 2, 8 7 1");
        assert_eq!(spelled("8841 0276"), "8 8 4 1, 0 2 7 6");
        assert_eq!(spelled("7W6CJ"), "7 W 6 C J");
    }

    #[test]
    fn a_code_that_is_nearly_over_is_not_read() {
        let totp = spec(Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY });
        let at = |now, fresh| plan(&totp.code_at(now).unwrap(), now, fresh);
        assert_eq!(at(60, false), Reading::Now);
        assert_eq!(at(85, false), Reading::Now);
        assert_eq!(at(86, false), Reading::At(90));
        assert_eq!(at(60, true), Reading::At(90));
        let hotp = spec(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 1 });
        assert_eq!(plan(&hotp.code_at(89).unwrap(), 89, true), Reading::Now);
    }
}
