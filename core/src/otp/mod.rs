//! Codes: one algorithm a file, with the published vectors beside it.

mod hmac;
mod motp;
mod steam;
mod yandex;

pub use yandex::{YandexSecretError, check_yandex_secret};

use crate::{
    secret::SecretText,
    token::{Algorithm, Digits, Kind, TokenSpec},
};

/// One code and when it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    text: SecretText,
    /// Whether the code is a number, which is shown in groups.
    numeric: bool,
    stands: Option<Stands>,
}

/// The Unix seconds in which a time-based code stands: `from..until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Its first second.
    pub from: u64,
    /// The second in which the next code takes over; at the end of time, the last second there is.
    pub until: u64,
}

impl Code {
    /// The code as it is typed into a form: digits or letters, nothing between.
    pub fn text(&self) -> &str {
        self.text.expose()
    }

    /// The code as it is shown. Up to five digits stay together, and so do the letters of Steam, mOTP and Yandex.
    /// Longer numbers are in groups filled from the right: of three for 6, 7 and 9 digits (`492 871`, `7 104 882`),
    /// of four for 8 and for 10 to 12 (`8841 0276`, `12 3456 7890`).
    pub fn grouped(&self) -> SecretText {
        let text = self.text.expose();
        let group = match text.len() {
            6 | 7 | 9 if self.numeric => 3,
            8 | 10.. if self.numeric => 4,
            _ => return self.text.clone(),
        };
        let mut shown = String::with_capacity(text.len() + text.len() / group);
        for (at, digit) in text.chars().enumerate() {
            if at > 0 && (text.len() - at).is_multiple_of(group) {
                shown.push(' ');
            }
            shown.push(digit);
        }
        SecretText::new(shown)
    }

    /// When it stands; `None` for a counter-based code.
    pub fn stands(&self) -> Option<Stands> {
        self.stands
    }
}

/// Why there is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// mOTP and Yandex need the PIN.
    #[error("the token has no PIN")]
    PinMissing,
    /// A Yandex secret that cannot be right.
    #[error(transparent)]
    YandexSecret(#[from] YandexSecretError),
    /// The counter or the time is the last one that 64 bits hold, so nothing comes after it.
    #[error("there is no code after this one")]
    NoNext,
}

impl TokenSpec {
    /// The code at `at` Unix seconds; for a counter-based token the code of its counter.
    pub fn code_at(&self, at: u64) -> Result<Code, CodeError> {
        let key = self.secret.bytes().expose();
        let (text, numeric) = match &self.kind {
            Kind::Hotp { algorithm, digits, counter } => return Ok(self.counter_code(*algorithm, *digits, *counter)),
            Kind::Totp { algorithm, digits, period } => {
                (hmac::code(key, *algorithm, *digits, period.seconds(), at), true)
            }
            Kind::Steam => (steam::code(key, at), false),
            Kind::Motp { pin } => (motp::code(key, needed(pin)?, at), false),
            Kind::Yandex { pin } => (yandex::code(key, needed(pin)?, at)?, false),
        };
        let stands = self.kind.period().map(|period| {
            let from = at - at % period.seconds();
            Stands { from, until: from.saturating_add(period.seconds()) }
        });
        Ok(Code { text, numeric, stands })
    }

    /// The code after that one: of the next step, or of the next counter.
    pub fn next_code_at(&self, at: u64) -> Result<Code, CodeError> {
        if let Kind::Hotp { algorithm, digits, counter } = &self.kind {
            let counter = counter.checked_add(1).ok_or(CodeError::NoNext)?;
            return Ok(self.counter_code(*algorithm, *digits, counter));
        }
        let seconds = self.kind.period().ok_or(CodeError::NoNext)?.seconds();
        let next = (at - at % seconds).checked_add(seconds).ok_or(CodeError::NoNext)?;
        self.code_at(next)
    }

    fn counter_code(&self, algorithm: Algorithm, digits: Digits, counter: u64) -> Code {
        // A counter is a time in steps of one (RFC 6238, section 4.2).
        let text = hmac::code(self.secret.bytes().expose(), algorithm, digits, 1, counter);
        Code { text, numeric: true, stands: None }
    }
}

fn needed(pin: &Option<SecretText>) -> Result<&str, CodeError> {
    pin.as_ref().filter(|pin| !pin.is_empty()).map(SecretText::expose).ok_or(CodeError::PinMissing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(text: &str, numeric: bool) -> String {
        let code = Code { text: SecretText::new(text.to_owned()), numeric, stands: None };
        code.grouped().expose().to_owned()
    }

    #[test]
    fn codes_are_shown_in_groups() {
        for shown in [
            "1",
            "12345",
            "492 871",
            "7 104 882",
            "8841 0276",
            "123 456 789",
            "12 3456 7890",
            "123 4567 8901",
            "1234 5678 9012",
        ] {
            assert_eq!(grouped(&shown.replace(' ', ""), true), shown);
        }
    }

    #[test]
    fn letters_stay_together() {
        for text in ["7W6CJ", "e7d8b6", "123456", "umozdicq"] {
            assert_eq!(grouped(text, false), text);
        }
    }
}
