//! The form of a token: what is typed becomes a token or a list of what is wrong.

use countersign_core::{
    intake::Intake,
    secret::SecretText,
    token::{Algorithm, Digits, Kind, KindName, Period, SecretError, TokenSecret, TokenSpec},
    uri::Parsed,
};

/// What was typed into the form.
#[derive(Clone, Debug)]
pub struct Form {
    /// The issuer.
    pub issuer: String,
    /// The account.
    pub account: String,
    /// The secret, or a link.
    pub secret: SecretText,
    /// The kind.
    pub kind: KindName,
    /// The hash, for the kinds that have a choice.
    pub algorithm: Algorithm,
    /// Digits as typed.
    pub digits: String,
    /// Seconds of a period as typed.
    pub period: String,
    /// The counter as typed.
    pub counter: String,
    /// The PIN, for the kinds that have one.
    pub pin: SecretText,
}

/// What is wrong with a typed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretProblem {
    /// It is no secret.
    Secret(SecretError),
    /// It is a link, and wrong in some part.
    Link,
}

/// The form, judged.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong with the secret. Nothing where it is still empty.
    pub secret: Option<SecretProblem>,
    /// The digits are not 1 to 12.
    pub digits_wrong: bool,
    /// The period is not at least 1 second.
    pub period_wrong: bool,
    /// The counter is no number.
    pub counter_wrong: bool,
    /// The tokens, where all is well.
    pub tokens: Vec<Parsed>,
}

/// Judges a form while it is typed.
pub fn check(form: &Form) -> Checked {
    let text = form.secret.expose().trim();
    if text.contains(':') && text.contains('/') {
        let mut intake = Intake::default();
        intake.take_text(text);
        let secret = intake.tokens.is_empty().then_some(SecretProblem::Link);
        return Checked { secret, tokens: intake.tokens, ..Checked::default() };
    }
    let mut checked = Checked::default();
    let secret = match form.kind {
        KindName::Motp => TokenSecret::from_hex(text),
        _ => TokenSecret::from_base32(text),
    };
    let kind = checked.kind(form);
    match (secret, kind) {
        (Ok(secret), Some(kind)) => {
            let spec = TokenSpec {
                issuer: form.issuer.trim().to_owned(),
                account: form.account.trim().to_owned(),
                kind,
                secret,
                label_issuer: None,
                uri_parameters: Vec::new(),
            };
            checked.tokens.push(Parsed { spec, warnings: Vec::new() });
        }
        // What is too short may still be under way.
        (Err(SecretError::TooShort), _) | (Ok(_), None) => {}
        (Err(error), _) => checked.secret = Some(SecretProblem::Secret(error)),
    }
    checked
}

impl Checked {
    fn kind(&mut self, form: &Form) -> Option<Kind> {
        let pin = || (!form.pin.is_empty()).then(|| form.pin.clone());
        match form.kind {
            KindName::Steam => return Some(Kind::Steam),
            KindName::Motp => return Some(Kind::Motp { pin: pin() }),
            KindName::Yandex => return Some(Kind::Yandex { pin: pin() }),
            KindName::Totp | KindName::Hotp => {}
        }
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let digits = number(&form.digits).and_then(|n| Digits::new(n).ok());
        self.digits_wrong = digits.is_none();
        if form.kind == KindName::Hotp {
            let counter = number(&form.counter);
            self.counter_wrong = counter.is_none();
            return Some(Kind::Hotp { algorithm: form.algorithm, digits: digits?, counter: counter? });
        }
        let period = number(&form.period).and_then(|n| Period::new(n).ok());
        self.period_wrong = period.is_none();
        Some(Kind::Totp { algorithm: form.algorithm, digits: digits?, period: period? })
    }
}
