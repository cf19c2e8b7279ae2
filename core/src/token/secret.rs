//! The shared secret of a token, with the text that it came in.

use crate::secret::{SecretBytes, SecretText};

/// A shared secret: the key's bytes, and the text it was given as, so that an export gives back what came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSecret {
    bytes: SecretBytes,
    text: SecretText,
}

/// Why a text is no secret. Positions count characters of the text as it was typed, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// There is nothing, or fewer than two characters, so not one byte.
    #[error("the secret is empty or too short")]
    TooShort,
    /// A character that the encoding does not have.
    #[error("character {position} of the secret, {character:?}, is not of its alphabet")]
    Character {
        /// Which character, from 1, counting all that were typed.
        position: usize,
        /// The character itself.
        character: char,
        /// What was probably meant: `O` for `0`, `I` or `L` for `1`, `B` for `8`.
        suggestion: Option<&'static str>,
    },
    /// Hexadecimal digits that do not pair up.
    #[error("the secret has an odd number of hexadecimal digits")]
    OddHex,
    /// Longer than any secret is.
    #[error("the secret is longer than {max} characters", max = crate::token::MAX_TEXT_BYTES)]
    TooLong,
}

impl TokenSecret {
    /// Reads Base32 as leniently as issuers write it: any case, white space, `-`, `_` and `=` dropped, an incomplete
    /// last byte discarded. The text is kept.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        let _ = text;
        todo!()
    }

    /// Reads hexadecimal digits (mOTP), white space and `:` dropped.
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        let _ = text;
        todo!()
    }

    /// Takes bytes; the text becomes their canonical Base32 without padding.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let _ = bytes;
        todo!()
    }

    /// The key's bytes.
    pub fn bytes(&self) -> &SecretBytes {
        &self.bytes
    }

    /// The text that the secret was given as.
    pub fn text(&self) -> &SecretText {
        &self.text
    }
}
