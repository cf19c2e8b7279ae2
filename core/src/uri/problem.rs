//! What can be wrong with a URI, and what can be unusual about it.

use std::fmt;

use crate::{
    otp::YandexSecretError,
    token::{InvalidDigits, InvalidPeriod, MAX_TEXT_BYTES, SecretError, UnknownAlgorithm},
};

/// A part of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The path: issuer and account.
    Label,
    /// The parameter `issuer`.
    Issuer,
    /// The parameter `secret`.
    Secret,
    /// The parameter `algorithm`.
    Algorithm,
    /// The parameter `digits`.
    Digits,
    /// The parameter `period`.
    Period,
    /// The parameter `counter`.
    Counter,
    /// The parameter `encoder`.
    Encoder,
    /// The parameter `pin`.
    Pin,
    /// A parameter that means nothing to Countersign.
    Other,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Label => "label",
            Self::Issuer => "issuer",
            Self::Secret => "secret",
            Self::Algorithm => "algorithm",
            Self::Digits => "digits",
            Self::Period => "period",
            Self::Counter => "counter",
            Self::Encoder => "encoder",
            Self::Pin => "pin",
            Self::Other => "other parameter",
        })
    }
}

/// What is unusual about a token that was read all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Digits outside 6 to 8.
    #[error("codes of {0} digits are rare: compare the first code with the issuer's page")]
    UnusualDigits(u8),
    /// A counter-based token without its counter, which was taken as 0.
    #[error("the counter is missing and was taken as 0")]
    CounterMissing,
    /// A parameter that is there more than once with different values. The first one was taken.
    #[error("the {0} is there more than once with different values: the first was taken")]
    Duplicate(Part),
    /// A parameter without a value, or with the value `null`, for which the usual value was taken.
    #[error("the {0} is empty: the usual value was taken")]
    Empty(Part),
    /// A `%` that starts no character. It was kept as it is.
    #[error("the {0} holds a percent sign that stands for no character: it was kept")]
    BadPercent(Part),
    /// A parameter that this kind of token has no choice of. It was kept, but the codes do not follow it.
    #[error("the {part} of this kind of token is fixed: {given:?} has no effect on the codes")]
    Fixed {
        /// The parameter.
        part: Part,
        /// Its value.
        given: String,
    },
    /// The label names another issuer than the parameter, which was taken.
    #[error("the label names {label:?}, the issuer parameter {issuer:?}: the parameter was taken")]
    LabelIssuer {
        /// The issuer in the label.
        label: String,
        /// The issuer in the parameter.
        issuer: String,
    },
    /// Neither an issuer nor an account: the user should give the token a name.
    #[error("the token has no name")]
    NameMissing,
    /// A `#` that was not escaped. It was read as a part of the text.
    #[error("an unescaped # was read as part of the text")]
    RawHash,
    /// A token that needs a PIN came without it: the user should type it.
    #[error("the PIN is missing and must be typed before there is a code")]
    PinMissing,
    /// A time-based token of an issuer called Steam. Some apps export Steam Guard so.
    #[error("the issuer is Steam, but the link asks for plain digits: compare the first code")]
    MaybeSteam,
    /// A secret behind `steam://` that was read as Base64, which may look like Base32.
    #[error("the secret was read as Base64: compare the first code")]
    SteamBase64,
    /// An entry of a Google export that names no type. It was taken as time-based.
    #[error("the entry names no type and was taken as time-based")]
    TypeMissing,
}

/// Why a text is no token. One variant per wrong part; the variant tells what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The text starts with no scheme that names a token.
    #[error("not an otpauth link")]
    NotAToken,
    /// The text is no link at all. `secret` says whether it could be the secret itself, so that it can be offered.
    #[error("not a link")]
    NotALink {
        /// `Ok` where the whole text reads as Base32 of at least ten bytes.
        secret: Result<(), SecretError>,
    },
    /// An export of Google Authenticator, which [`super::migration`] reads.
    #[error("a Google Authenticator export, which may hold many tokens")]
    Migration,
    /// A backup of the privacyIDEA app (`pia://`). Its servers can enrol a token anew.
    #[error("a backup of the privacyIDEA app: only that app reads it, so let the server issue a new token")]
    PrivacyIdeaBackup,
    /// A push token of privacyIDEA: it makes no codes.
    #[error("a push token of privacyIDEA, which makes no codes: ask for a TOTP or HOTP token")]
    PrivacyIdeaPush,
    /// A day password of privacyIDEA: a password that changes daily.
    #[error("a day password of privacyIDEA, which is not supported: ask for a TOTP or HOTP token")]
    DayPassword,
    /// A sign-in approval of Microsoft Authenticator: it holds no secret.
    #[error(
        "an approval of Microsoft Authenticator, which holds no secret: choose \"I want to use a different \
         authenticator app\" on Microsoft's page"
    )]
    MicrosoftPush,
    /// There is no type after `otpauth://`.
    #[error("the link names no type: otpauth://totp/ or otpauth://hotp/ was expected")]
    TypeMissing,
    /// The type after `otpauth://` is none that makes codes here.
    #[error("the link's type{} is unknown: totp, hotp, steam and yaotp are known", quoted(.0))]
    Type(Option<String>),
    /// There is no secret.
    #[error("the link has no secret")]
    SecretMissing,
    /// The secret is none.
    #[error(transparent)]
    Secret(SecretError),
    /// The secret is none of Yandex.
    #[error(transparent)]
    YandexSecret(YandexSecretError),
    /// The algorithm is unknown.
    #[error(transparent)]
    Algorithm(UnknownAlgorithm),
    /// The digits are outside 1 to 12.
    #[error(transparent)]
    Digits(InvalidDigits),
    /// The period is outside 1 to 2^32 - 1.
    #[error(transparent)]
    Period(InvalidPeriod),
    /// Digits, period or counter are no number from 0 to 2^64 - 1.
    #[error("the {part} is no whole number: {given:?}")]
    Number {
        /// Which of them.
        part: Part,
        /// What is there instead.
        given: String,
    },
    /// The encoder is unknown, or the type has none.
    #[error("the encoder {0:?} is unknown for this type of token: only steam is, for totp")]
    Encoder(String),
    /// The PIN is not Base32 of text, as Aegis writes it.
    #[error("the PIN in the link cannot be read")]
    Pin,
    /// A part is longer than any is. Nothing is ever cut.
    #[error("the {0} is longer than {max} bytes", max = MAX_TEXT_BYTES)]
    TooLong(Part),
}

fn quoted(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default()
}
