//! Kinds of tokens and the checked values of their parameters.

use std::{fmt, num::NonZeroU32, str::FromStr};

use crate::secret::SecretText;

/// The hash inside the HMAC (RFC 6238, section 1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-1, what nearly every issuer uses.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The name is of no algorithm that makes codes here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown algorithm {0:?}: SHA1, SHA256 and SHA512 are known")]
pub struct UnknownAlgorithm(pub String);

impl Algorithm {
    /// The name in an otpauth URI and in `list --json`: `SHA1`, `SHA256`, `SHA512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Takes the spellings seen in real files: any case, `SHA-256`, `HmacSHA256`, `Algorithm.sha256`.
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let lower = text.trim().to_ascii_lowercase();
        let name = lower.strip_prefix("algorithm.").unwrap_or(&lower);
        let name = name.strip_prefix("hmac").unwrap_or(name).trim_start_matches(['-', '_']);
        match name {
            "sha1" | "sha-1" | "sha_1" => Ok(Self::Sha1),
            "sha256" | "sha-256" | "sha_256" => Ok(Self::Sha256),
            "sha512" | "sha-512" | "sha_512" => Ok(Self::Sha512),
            _ => Err(UnknownAlgorithm(text.to_owned())),
        }
    }
}

/// The number of digits of a code: 1 to 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digits(u8);

/// The number of digits is outside 1 to 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} digits: 1 to 12 are possible")]
pub struct InvalidDigits(pub u64);

impl Digits {
    /// Six digits, the default of RFC 4226 and of otpauth URIs.
    pub const SIX: Self = Self(6);
    /// Eight digits.
    pub const EIGHT: Self = Self(8);

    /// Checks the number.
    pub fn new(digits: u64) -> Result<Self, InvalidDigits> {
        match u8::try_from(digits) {
            Ok(n @ 1..=12) => Ok(Self(n)),
            _ => Err(InvalidDigits(digits)),
        }
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }

    /// Whether it is outside 6 to 8, which few servers use: worth a warning.
    pub fn is_unusual(self) -> bool {
        !(6..=8).contains(&self.0)
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self::SIX
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How long a time-based code stands, in seconds: 1 to 2^32 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period(NonZeroU32);

/// The period is 0 or above 2^32 - 1 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a period of {0} seconds: 1 to 4294967295 are possible")]
pub struct InvalidPeriod(pub u64);

impl Period {
    /// 30 seconds, the default of RFC 6238.
    pub const THIRTY: Self = Self(NonZeroU32::new(30).unwrap());
    /// 10 seconds, mOTP's fixed period.
    pub const TEN: Self = Self(NonZeroU32::new(10).unwrap());

    /// Checks the number of seconds.
    pub fn new(seconds: u64) -> Result<Self, InvalidPeriod> {
        u32::try_from(seconds).ok().and_then(NonZeroU32::new).map(Self).ok_or(InvalidPeriod(seconds))
    }

    /// The number of seconds, never 0.
    pub fn seconds(self) -> u64 {
        u64::from(self.0.get())
    }
}

impl Default for Period {
    fn default() -> Self {
        Self::THIRTY
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a token's codes are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Time-based, RFC 6238.
    Totp {
        /// The hash.
        algorithm: Algorithm,
        /// Digits of a code.
        digits: Digits,
        /// Seconds of a step.
        period: Period,
    },
    /// Counter-based, RFC 4226.
    Hotp {
        /// The hash.
        algorithm: Algorithm,
        /// Digits of a code.
        digits: Digits,
        /// The counter of the next code.
        counter: u64,
    },
    /// Steam Guard: five characters of an alphabet of 26, SHA-1, 30 seconds.
    Steam,
    /// Mobile-OTP: six hexadecimal digits of MD5(time / 10, secret, PIN), 10 seconds.
    Motp {
        /// The PIN; a code needs one.
        pin: Option<SecretText>,
    },
    /// Yandex Key: eight letters, SHA-256 over PIN and secret, 30 seconds.
    Yandex {
        /// The PIN; a code needs one.
        pin: Option<SecretText>,
    },
}

impl Kind {
    /// The kind without its parameters.
    pub fn name(&self) -> KindName {
        match self {
            Self::Totp { .. } => KindName::Totp,
            Self::Hotp { .. } => KindName::Hotp,
            Self::Steam => KindName::Steam,
            Self::Motp { .. } => KindName::Motp,
            Self::Yandex { .. } => KindName::Yandex,
        }
    }

    /// The hash inside. mOTP's is MD5, which is no choice and so is not named.
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Totp { algorithm, .. } | Self::Hotp { algorithm, .. } => Some(*algorithm),
            Self::Steam => Some(Algorithm::Sha1),
            Self::Yandex { .. } => Some(Algorithm::Sha256),
            Self::Motp { .. } => None,
        }
    }

    /// Characters of a code.
    pub fn digits(&self) -> u8 {
        match self {
            Self::Totp { digits, .. } | Self::Hotp { digits, .. } => digits.get(),
            Self::Steam => 5,
            Self::Motp { .. } => 6,
            Self::Yandex { .. } => 8,
        }
    }

    /// How long a code stands; `None` for a counter-based token.
    pub fn period(&self) -> Option<Period> {
        match self {
            Self::Totp { period, .. } => Some(*period),
            Self::Hotp { .. } => None,
            Self::Steam | Self::Yandex { .. } => Some(Period::THIRTY),
            Self::Motp { .. } => Some(Period::TEN),
        }
    }

    /// The counter of the next code; `None` for a time-based token.
    pub fn counter(&self) -> Option<u64> {
        match self {
            Self::Hotp { counter, .. } => Some(*counter),
            _ => None,
        }
    }

    /// The PIN, for the kinds that have one.
    pub fn pin(&self) -> Option<&SecretText> {
        match self {
            Self::Motp { pin } | Self::Yandex { pin } => pin.as_ref(),
            _ => None,
        }
    }

    /// Whether both make the same codes from one secret; counters may differ.
    pub fn same_parameters(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hotp { algorithm: a, digits: d, .. }, Self::Hotp { algorithm: b, digits: e, .. }) => {
                a == b && d == e
            }
            _ => self == other,
        }
    }
}

/// The name of a kind: `totp`, `hotp`, `steam`, `motp`, `yandex`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KindName {
    /// Time-based, RFC 6238.
    Totp,
    /// Counter-based, RFC 4226.
    Hotp,
    /// Steam Guard.
    Steam,
    /// Mobile-OTP.
    Motp,
    /// Yandex Key.
    Yandex,
}

/// The name is of no known kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind {0:?}: totp, hotp, steam, motp and yandex are known")]
pub struct UnknownKind(pub String);

impl KindName {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Totp, Self::Hotp, Self::Steam, Self::Motp, Self::Yandex];

    /// The name as text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Hotp => "hotp",
            Self::Steam => "steam",
            Self::Motp => "motp",
            Self::Yandex => "yandex",
        }
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KindName {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_as_other_apps_spell_them() {
        for text in ["SHA256", "sha-256", "HmacSHA256", "Algorithm.sha256", " HMAC-SHA-256 "] {
            assert_eq!(text.parse(), Ok(Algorithm::Sha256), "{text}");
        }
        for text in ["MD5", "SHA224", "", "SHA", "SHA2"] {
            assert!(text.parse::<Algorithm>().is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_checked() {
        assert_eq!(Digits::new(0), Err(InvalidDigits(0)));
        assert_eq!(Digits::new(13), Err(InvalidDigits(13)));
        assert_eq!(Digits::new(256 + 6), Err(InvalidDigits(262)));
        assert_eq!(Period::new(0), Err(InvalidPeriod(0)));
        assert_eq!(Period::new(1 << 32), Err(InvalidPeriod(1 << 32)));
        assert_eq!(Period::new(20).map(Period::seconds), Ok(20));
    }
}
