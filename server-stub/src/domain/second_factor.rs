//! Which tokens of others are a second factor here.

use countersign_core::{
    token::Kind,
    uri::{Parsed, Part, Warning},
};

/// The fewest digits of a code: with ten tries, one in a thousand guesses is right.
const LEAST_DIGITS: u8 = 4;
/// Seconds of a step: shorter ones are over before they are typed, longer ones are good for whoever looks over a shoulder.
const PERIODS: std::ops::RangeInclusive<u64> = 5..=300;
/// The fewest bytes of a secret. RFC 4226, section 4, asks for 16 (128 bits); tokens in the field have 10 (80 bits).
const LEAST_SECRET: usize = 10;
/// The most bytes of a secret: the widest hash takes 128 of them, and hashes what is longer.
const MOST_SECRET: usize = 1024;
/// The longest account and issuer, in characters.
const LONGEST_NAME: usize = 256;
/// Far beyond any token's life, and far from where numbers end.
const COUNTERS: u64 = 1 << 53;

/// The part of a token that keeps it from being a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// It is no TOTP and no HOTP.
    #[error("this server verifies TOTP and HOTP tokens only")]
    Kind,
    /// Too few digits.
    #[error("the link's digits: codes have 4 to 12, not {0}")]
    Digits(u8),
    /// A step that is too short or too long.
    #[error("the link's period: it is 5 to 300 seconds, not {0}")]
    Period(u64),
    /// A counter that no token reaches.
    #[error("the link's counter: no token reaches {0}")]
    Counter(u64),
    /// A part that is there twice, with two values: nobody can say which is meant.
    #[error("the link has the {0} twice, and they differ")]
    Twice(Part),
    /// An account or issuer that is no name.
    #[error("the link's {0}: it has at most {LONGEST_NAME} characters, not {1}")]
    Long(&'static str, usize),
    /// A secret that no token has.
    #[error("the link's secret: it has at most {MOST_SECRET} bytes, not {0}")]
    LongSecret(usize),
    /// A secret that can be guessed.
    #[error("the link's secret: it has at least 10 bytes (16 characters of Base32), not {0}")]
    Secret(usize),
    /// A name that no list can show.
    #[error("the link's {0}: it has a control character")]
    Control(&'static str),
}

/// Whether a token is one.
///
/// # Errors
///
/// The first part that is not.
pub fn fit(parsed: &Parsed) -> Result<(), Unfit> {
    for warning in &parsed.warnings {
        if let Warning::Duplicate(part) = warning {
            return Err(Unfit::Twice(*part));
        }
    }
    let token = &parsed.spec;
    for (part, text) in [("account", &token.account), ("issuer", &token.issuer)] {
        let length = text.chars().count();
        if length > LONGEST_NAME {
            return Err(Unfit::Long(part, length));
        }
    }
    for (text, name) in [(&token.issuer, "issuer"), (&token.account, "account")] {
        if text.chars().any(char::is_control) {
            return Err(Unfit::Control(name));
        }
    }
    let digits = match &token.kind {
        Kind::Totp { period, .. } if !PERIODS.contains(&period.seconds()) => {
            return Err(Unfit::Period(period.seconds()));
        }
        Kind::Hotp { counter, .. } if *counter >= COUNTERS => return Err(Unfit::Counter(*counter)),
        Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } => digits.get(),
        _ => return Err(Unfit::Kind),
    };
    match token.secret.bytes().expose().len() {
        _ if digits < LEAST_DIGITS => Err(Unfit::Digits(digits)),
        bytes if bytes < LEAST_SECRET => Err(Unfit::Secret(bytes)),
        bytes if bytes > MOST_SECRET => Err(Unfit::LongSecret(bytes)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::uri;

    use super::*;

    #[test]
    fn what_can_be_guessed_or_typed_by_nobody_is_no_second_factor() {
        let of = |link: &str| fit(&uri::parse(link).unwrap());
        let totp = |rest: &str| of(&format!("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ{rest}"));
        for fine in ["", "&digits=4", "&digits=12", "&period=5", "&period=300", "&algorithm=SHA512"] {
            assert_eq!(totp(fine), Ok(()), "{fine}");
        }
        assert_eq!(totp("&digits=3"), Err(Unfit::Digits(3)));
        assert_eq!(totp("&period=4"), Err(Unfit::Period(4)));
        assert_eq!(totp("&period=301"), Err(Unfit::Period(301)));
        assert_eq!(of("otpauth://totp/a?secret=GEZDGNBVGY3TQOI"), Err(Unfit::Secret(9)));
        assert_eq!(of("otpauth://steam/a?secret=MFXHIZLTORUW43TH"), Err(Unfit::Kind));
        for (twice, part) in [
            ("&digits=8&digits=6", Part::Digits),
            ("&secret=MFXHIZLTORUW43TH", Part::Secret),
            ("&period=30&digits=6&PERIOD=60", Part::Period),
            ("&algorithm=SHA1&algorithm=SHA256", Part::Algorithm),
            ("&issuer=a&issuer=b", Part::Issuer),
        ] {
            assert_eq!(totp(twice), Err(Unfit::Twice(part)), "{twice}");
        }
        assert_eq!(totp("&digits=6&digits=6"), Ok(()));
        assert_eq!(totp(&format!("&issuer={}", "ä".repeat(256))), Ok(()));
        assert_eq!(totp(&format!("&issuer={}", "a".repeat(257))), Err(Unfit::Long("issuer", 257)));
        let account = |name: &str| of(&format!("otpauth://totp/{name}?secret=GEZDGNBVGY3TQOJQ"));
        assert_eq!(account(&"a".repeat(3000)), Err(Unfit::Long("account", 3000)));
        let secret = |bytes: usize| {
            let secret = data_encoding::BASE32_NOPAD.encode(&vec![7; bytes]);
            of(&format!("otpauth://totp/a?secret={secret}"))
        };
        assert_eq!((secret(1024), secret(1025)), (Ok(()), Err(Unfit::LongSecret(1025))));
        let hotp = |counter: u64| of(&format!("otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ&counter={counter}"));
        assert_eq!((hotp(COUNTERS - 1), hotp(COUNTERS)), (Ok(()), Err(Unfit::Counter(COUNTERS))));
    }
}
