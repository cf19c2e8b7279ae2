//! What a person sees of a token before it is added.

use crate::{
    otp::{Code, CodeError},
    token::Kind,
    uri::{Parsed, Warning},
};

/// A token before it is added, with its first code to compare with the issuer's page or the old app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The issuer; empty where none is named.
    pub issuer: String,
    /// The account; empty where none is named.
    pub account: String,
    /// The kind and its parameters in a line, as [`kind_line`] writes it.
    pub kind: String,
    /// The code at the time asked for, or why there is none yet.
    pub code: Result<Code, CodeError>,
    /// What was unusual.
    pub warnings: Vec<Warning>,
}

/// Shows a token as it will be, at `at` Unix seconds. Nothing is added.
pub fn preview(parsed: &Parsed, at: u64) -> Preview {
    let spec = &parsed.spec;
    Preview {
        issuer: spec.issuer.clone(),
        account: spec.account.clone(),
        kind: kind_line(&spec.kind),
        code: spec.code_at(at),
        warnings: parsed.warnings.clone(),
    }
}

/// The kind and its parameters in a line: `TOTP, SHA-1, 6 digits, 30 seconds`.
pub fn kind_line(kind: &Kind) -> String {
    let plural = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let mut parts = vec![
        match kind {
            Kind::Totp { .. } => "TOTP",
            Kind::Hotp { .. } => "HOTP",
            Kind::Steam => "Steam Guard",
            Kind::Motp { .. } => "mOTP",
            Kind::Yandex { .. } => "Yandex Key",
        }
        .to_owned(),
    ];
    if let Kind::Totp { algorithm, .. } | Kind::Hotp { algorithm, .. } = kind {
        // `SHA1` in links and files, `SHA-1` for people (FIPS 180-4).
        parts.push(algorithm.to_string().replacen("SHA", "SHA-", 1));
    }
    let of = if matches!(kind, Kind::Totp { .. } | Kind::Hotp { .. }) { "digit" } else { "character" };
    parts.push(plural(kind.digits().into(), of));
    if let Some(period) = kind.period() {
        parts.push(plural(period.seconds(), "second"));
    }
    if let Some(counter) = kind.counter() {
        parts.push(format!("counter {counter}"));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Algorithm, Digits, Period};

    #[test]
    fn every_kind_has_its_line() {
        let totp = Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY };
        assert_eq!(kind_line(&totp), "TOTP, SHA-1, 6 digits, 30 seconds");
        let period = Period::new(1).unwrap();
        let odd = Kind::Totp { algorithm: Algorithm::Sha512, digits: Digits::new(1).unwrap(), period };
        assert_eq!(kind_line(&odd), "TOTP, SHA-512, 1 digit, 1 second");
        let hotp = Kind::Hotp { algorithm: Algorithm::Sha256, digits: Digits::SIX, counter: 7 };
        assert_eq!(kind_line(&hotp), "HOTP, SHA-256, 6 digits, counter 7");
        assert_eq!(kind_line(&Kind::Steam), "Steam Guard, 5 characters, 30 seconds");
        assert_eq!(kind_line(&Kind::Motp { pin: None }), "mOTP, 6 characters, 10 seconds");
        assert_eq!(kind_line(&Kind::Yandex { pin: None }), "Yandex Key, 8 characters, 30 seconds");
    }
}
