//! From the loose values of other apps to a token.

use super::{Draft, Problem, Remark};
use crate::{
    secret::SecretText,
    token::{Algorithm, Digits, Kind, MAX_TEXT_BYTES, Period, TokenSecret, TokenSpec},
    uri::{Part, Warning},
};

/// What another app says of a token. What it does not say is what that app itself takes.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub(super) issuer: String,
    pub(super) account: String,
    /// The type in any case and spelling; empty is TOTP.
    pub(super) kind: &'a str,
    pub(super) algorithm: Option<&'a str>,
    pub(super) digits: Option<u64>,
    pub(super) period: Option<u64>,
    /// The counter of the next code.
    pub(super) counter: Option<u64>,
    pub(super) pin: Option<String>,
}

impl Said<'_> {
    /// The token with a secret in Base32, or in hexadecimal digits for mOTP.
    pub(super) fn with_text(self, secret: &str) -> Result<Draft, Problem> {
        let secret = if self.is_motp() { TokenSecret::from_hex(secret) } else { TokenSecret::from_base32(secret) };
        self.with(secret?)
    }

    fn is_motp(&self) -> bool {
        matches!(self.kind.to_ascii_lowercase().as_str(), "motp" | "mobile-otp" | "mobileotp")
    }

    /// The token with its secret.
    pub(super) fn with(self, secret: TokenSecret) -> Result<Draft, Problem> {
        let mut remarks = Vec::new();
        let is_motp = self.is_motp();
        let pin = self.pin.filter(|pin| !pin.is_empty()).map(SecretText::new);
        let lower = self.kind.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "" | "totp" | "totp_token" | "time" => Kind::Totp {
                algorithm: algorithm(self.algorithm)?,
                digits: digits(self.digits, &mut remarks)?,
                period: self.period.map_or(Ok(Period::THIRTY), Period::new)?,
            },
            "hotp" | "counter" => {
                if self.counter.is_none() {
                    remarks.push(Remark::Assumed { part: Part::Counter, taken: "0".to_owned() });
                }
                Kind::Hotp {
                    algorithm: algorithm(self.algorithm)?,
                    digits: digits(self.digits, &mut remarks)?,
                    counter: self.counter.unwrap_or(0),
                }
            }
            "steam" => Kind::Steam,
            "yandex" | "yaotp" => Kind::Yandex { pin },
            _ if is_motp => Kind::Motp { pin },
            _ => return Err(Problem::Kind(self.kind.chars().take(40).collect())),
        };
        if matches!(kind, Kind::Yandex { pin: None } | Kind::Motp { pin: None }) {
            remarks.push(Remark::Link(Warning::PinMissing));
        }
        if self.issuer.len() > MAX_TEXT_BYTES || self.account.len() > MAX_TEXT_BYTES {
            return Err(Problem::TooLong("name"));
        }
        let spec = TokenSpec {
            issuer: self.issuer,
            account: self.account,
            kind,
            secret,
            label_issuer: None,
            uri_parameters: Vec::new(),
        };
        Ok(Draft { remarks, ..Draft::new(spec) })
    }
}

fn algorithm(name: Option<&str>) -> Result<Algorithm, Problem> {
    match name.map(str::trim) {
        None | Some("") => Ok(Algorithm::Sha1),
        Some(name) => Ok(name.parse()?),
    }
}

fn digits(number: Option<u64>, remarks: &mut Vec<Remark>) -> Result<Digits, Problem> {
    let digits = number.map_or(Ok(Digits::SIX), Digits::new)?;
    if digits.is_unusual() {
        remarks.push(Remark::Link(Warning::UnusualDigits(digits.get())));
    }
    Ok(digits)
}

/// Splits `Issuer:account` or `Issuer: account`. The issuer is empty where there is no colon.
pub(super) fn split_label(label: &str) -> (String, String) {
    match label.split_once(':') {
        Some((issuer, account)) => (issuer.trim().to_owned(), account.trim().to_owned()),
        None => (String::new(), label.trim().to_owned()),
    }
}

/// The account of a label that may begin with its issuer, which is known already.
pub(super) fn account_of(label: &str, issuer: &str) -> String {
    let rest = label.strip_prefix(issuer).and_then(|rest| rest.trim_start().strip_prefix(':'));
    match rest {
        Some(account) if !issuer.is_empty() => account.trim().to_owned(),
        _ => label.trim().to_owned(),
    }
}

/// What a record is called in a ledger.
pub(super) fn title(issuer: &str, account: &str) -> String {
    match (issuer.is_empty(), account.is_empty()) {
        (false, false) => format!("{issuer} ({account})"),
        (false, true) => issuer.to_owned(),
        (true, _) => account.to_owned(),
    }
}

/// A note that is not longer than any is.
pub(super) fn note(text: Option<String>) -> Result<String, Problem> {
    let text = text.unwrap_or_default();
    if text.len() > MAX_TEXT_BYTES { Err(Problem::TooLong("note")) } else { Ok(text) }
}
