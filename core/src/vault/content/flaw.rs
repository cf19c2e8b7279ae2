//! Why a record of another app's file could not be read, for whoever says it in another language than its reason.

use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

/// What is wrong with a record of another app's file. It holds nothing secret: a field's name, or the name of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flaw {
    /// That field is missing.
    Missing(String),
    /// That field is not what it should be.
    Malformed(String),
    /// It is no record of its format.
    Shape,
    /// The secret is none.
    Secret,
    /// That character of the secret, counted from 1, is none of its alphabet.
    Character(usize, char),
    /// The algorithm is unknown.
    Algorithm,
    /// The digits are outside 1 to 12.
    Digits,
    /// The period is outside 1 to 2^32 - 1.
    Period,
    /// A kind of that name makes no codes here.
    Kind(String),
    /// It is encrypted apart from its file, and did not open.
    Sealed,
    /// A list in it is too long.
    TooMany,
    /// A text in it is too long.
    TooLong,
    /// Its link is none that names a token.
    Link,
}

impl Flaw {
    /// Reads one; `None` where a newer program wrote another than these.
    pub(super) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Read {
            Known(Flaw),
            Other(IgnoredAny),
        }
        Ok(match Read::deserialize(deserializer)? {
            Read::Known(flaw) => Some(flaw),
            Read::Other(_) => None,
        })
    }
}
