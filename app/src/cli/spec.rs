//! From the parameters of `add` and `edit` to what a token is.

use countersign_core::secret::SecretText;
use countersign_core::token::{Algorithm, Digits, Kind, KindName, Period, TokenSecret};

use super::{args::Parameters, failure::Failure};

/// The kind that the parameters say; what they do not name is as in `before`, or as the field's defaults are.
pub(crate) fn kind(parameters: &Parameters, pin: Option<SecretText>, before: Option<&Kind>) -> Result<Kind, Failure> {
    let name = parameters.kind.or(before.map(Kind::name)).unwrap_or(KindName::Totp);
    // Parameters of another kind say nothing about this one.
    let before = before.filter(|kind| kind.name() == name);
    refuse_foreign(parameters, name)?;
    let algorithm = parameters.algorithm.or(before.and_then(Kind::algorithm)).unwrap_or(Algorithm::Sha1);
    let digits = match (parameters.digits, before) {
        (Some(digits), _) => Digits::new(digits).map_err(|error| usage(&error))?,
        (None, Some(Kind::Totp { digits, .. } | Kind::Hotp { digits, .. })) => *digits,
        _ => Digits::SIX,
    };
    let period = match parameters.period {
        Some(seconds) => Period::new(seconds).map_err(|error| usage(&error))?,
        None => before.and_then(Kind::period).unwrap_or(Period::THIRTY),
    };
    let counter = parameters.counter.or(before.and_then(Kind::counter)).unwrap_or(0);
    let pin = match pin {
        Some(pin) => Some(pin).filter(|pin| !pin.is_empty()),
        None => before.and_then(Kind::pin).cloned(),
    };
    Ok(match name {
        KindName::Totp => Kind::Totp { algorithm, digits, period },
        KindName::Hotp => Kind::Hotp { algorithm, digits, counter },
        KindName::Steam => Kind::Steam,
        KindName::Motp => Kind::Motp { pin },
        KindName::Yandex => Kind::Yandex { pin },
    })
}

/// A parameter that the kind does not have is an error, never ignored: the user expects other codes.
fn refuse_foreign(parameters: &Parameters, kind: KindName) -> Result<(), Failure> {
    let totp = kind == KindName::Totp;
    let hotp = kind == KindName::Hotp;
    let given = [
        ("--algorithm", parameters.algorithm.is_some(), totp || hotp),
        ("--digits", parameters.digits.is_some(), totp || hotp),
        ("--period", parameters.period.is_some(), totp),
        ("--counter", parameters.counter.is_some(), hotp),
        ("--pin", parameters.pin.is_some(), matches!(kind, KindName::Motp | KindName::Yandex)),
    ];
    match given.into_iter().find(|&(_, given, fits)| given && !fits) {
        Some((option, ..)) => {
            Err(Failure::usage(format!("A {kind} token has no {option}."))
                .hint("Leave it out, or name another --kind."))
        }
        None => Ok(()),
    }
}

/// The secret as the kind writes it: hexadecimal for mOTP, Base32 for the others.
pub(crate) fn secret(text: &SecretText, kind: &Kind) -> Result<TokenSecret, Failure> {
    let parsed = match kind {
        Kind::Motp { .. } => TokenSecret::from_hex(text.expose()),
        _ => TokenSecret::from_base32(text.expose()),
    };
    parsed.map_err(|error| usage(&error).hint("Compare it with the issuer's page."))
}

/// Where codes of this kind are rare, a sentence that says so.
pub(crate) fn unusual(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Totp { digits, .. } | Kind::Hotp { digits, .. } if digits.is_unusual() => {
            Some(format!("codes of {digits} digits are rare: compare the first code with the issuer's page"))
        }
        _ => None,
    }
}

fn usage(error: &dyn std::error::Error) -> Failure {
    Failure::usage(sentence(&error.to_string()))
}

/// A text of the core as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).chain(['.']).collect(),
        None => String::new(),
    }
}
