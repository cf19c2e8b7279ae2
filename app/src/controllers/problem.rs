//! Why nothing could be added, as far as a person can do something about it.

use countersign_core::{
    intake::{Cause, KnownThing, Problem},
    qr::PictureError,
    uri::{Part, UriError},
};

/// Why nothing could be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddProblem {
    /// The file could not be opened or read.
    CannotOpen,
    /// The dialog could not be opened.
    NoDialog,
    /// It is neither a picture nor a text with a link.
    NotAPicture,
    /// It is too large.
    TooLarge,
    /// The picture is damaged.
    Damaged,
    /// It is another app's export: it is imported with its ledger.
    Export,
    /// The screen may not be looked at.
    ScreenRefused,
    /// The person thought better of it.
    ThoughtBetter,
    /// Nothing was copied.
    ClipboardEmpty,
    /// Something was, and its program does not hand it over.
    ClipboardRefused,
    /// There is no clipboard.
    ClipboardMissing,
    /// The picture has no QR code.
    NoCode,
    /// The QR code holds no text.
    Binary,
    /// Parts of a Google export are missing: have, of. The tokens of those that are there are in the preview.
    PartsMissing(u32, u32),
    /// It is nothing that is known.
    NoToken,
    /// It is something else, and known.
    Known(KnownThing),
    /// It is a token's link, and wrong in some part.
    Link(LinkFault),
    /// A Google export that cannot be read.
    BadExport,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkFault {
    /// Where it ends.
    Unclear,
    /// Some part.
    Other,
    /// The type of token.
    Type,
    /// There is no secret.
    SecretMissing,
    /// The secret.
    Secret,
    /// The algorithm.
    Algorithm,
    /// The number of digits.
    Digits,
    /// The period.
    Period,
    /// The counter.
    Counter,
    /// The PIN.
    Pin,
    /// It asks for an approval of Microsoft Authenticator.
    MicrosoftPush,
    /// It is a push token of privacyIDEA.
    PrivacyIdeaPush,
    /// It is a backup of the privacyIDEA app.
    PrivacyIdeaBackup,
    /// It is a day password.
    DayPassword,
}

impl From<&Problem> for AddProblem {
    fn from(problem: &Problem) -> Self {
        match &problem.cause {
            Cause::NoCode => Self::NoCode,
            Cause::Known(thing) => Self::Known(*thing),
            Cause::Uri(error) => Self::Link(error.into()),
            Cause::Unclear => Self::Link(LinkFault::Unclear),
            Cause::Migration(_) | Cause::Entry(_) => Self::BadExport,
            Cause::Binary => Self::Binary,
            Cause::Picture(PictureError::UnknownFormat) | Cause::NotText => Self::NotAPicture,
            Cause::Picture(PictureError::TooLarge { .. }) | Cause::TooLong { .. } => Self::TooLarge,
            Cause::Picture(_) => Self::Damaged,
            _ => Self::NoToken,
        }
    }
}

impl From<&UriError> for LinkFault {
    fn from(error: &UriError) -> Self {
        match error {
            UriError::PrivacyIdeaBackup => Self::PrivacyIdeaBackup,
            UriError::PrivacyIdeaPush => Self::PrivacyIdeaPush,
            UriError::DayPassword => Self::DayPassword,
            UriError::MicrosoftPush => Self::MicrosoftPush,
            UriError::TypeMissing | UriError::Type(_) | UriError::Encoder(_) => Self::Type,
            UriError::SecretMissing => Self::SecretMissing,
            UriError::Secret(_) | UriError::YandexSecret(_) => Self::Secret,
            UriError::Algorithm(_) => Self::Algorithm,
            UriError::Digits(_) | UriError::Number { part: Part::Digits, .. } => Self::Digits,
            UriError::Period(_) | UriError::Number { part: Part::Period, .. } => Self::Period,
            UriError::Number { part: Part::Counter, .. } => Self::Counter,
            UriError::Pin => Self::Pin,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::intake::Intake;

    use super::*;

    fn problem(text: &str) -> AddProblem {
        let mut intake = Intake::default();
        intake.take_text(text);
        assert!(intake.tokens.is_empty(), "{text}");
        intake.problems.last().map(AddProblem::from).unwrap()
    }

    #[test]
    fn what_is_no_token_is_named() {
        for (text, named) in [
            ("https://example.org", AddProblem::Known(KnownThing::WebAddress)),
            ("WIFI:S:net;T:WPA;P:pass;;", AddProblem::Known(KnownThing::Wifi)),
            ("fido:/123", AddProblem::Known(KnownThing::Passkey)),
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", AddProblem::Known(KnownThing::BareSecret)),
            ("phonefactor://activate_account?code=1&url=x", AddProblem::Link(LinkFault::MicrosoftPush)),
            ("a shopping list", AddProblem::NoToken),
            ("otpauth://totp/a", AddProblem::Link(LinkFault::SecretMissing)),
            ("otpauth://totp/a?secret=1", AddProblem::Link(LinkFault::Secret)),
            ("otpauth://totp/a?secret=GEZDGNBV&algorithm=MD5", AddProblem::Link(LinkFault::Algorithm)),
            ("otpauth://totp/a?secret=GEZDGNBV&digits=99", AddProblem::Link(LinkFault::Digits)),
            ("otpauth://totp/a?secret=GEZDGNBV&period=soon", AddProblem::Link(LinkFault::Period)),
            ("otpauth://hotp/a?secret=GEZDGNBV&counter=x", AddProblem::Link(LinkFault::Counter)),
            ("otpauth://magic/a?secret=GEZDGNBV", AddProblem::Link(LinkFault::Type)),
            ("otpauth-migration://offline?data=AAAA", AddProblem::BadExport),
        ] {
            assert_eq!(problem(text), named, "{text}");
        }
    }
}
