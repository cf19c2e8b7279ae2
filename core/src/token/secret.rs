//! The shared secret of a token, with the text that it came in.

use data_encoding::{BASE32_NOPAD, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

use super::MAX_TEXT_BYTES;
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
    #[error("character {position} of the secret, {character:?}, is not of its alphabet{}", meant(.suggestions))]
    Character {
        /// Which character, from 1, counting all that were typed.
        position: usize,
        /// The character itself.
        character: char,
        /// What was probably meant: `O` for `0`, `I` or `L` for `1`, `B` for `8`. Empty where nobody can tell.
        suggestions: &'static [char],
    },
    /// Hexadecimal digits that do not pair up.
    #[error("the secret has an odd number of hexadecimal digits")]
    OddHex,
    /// Neither Base64 nor its variant for URLs.
    #[error("the secret is not Base64")]
    Base64,
    /// Longer than any secret is.
    #[error("the secret is longer than {max} characters", max = MAX_TEXT_BYTES)]
    TooLong,
}

impl TokenSecret {
    /// Reads Base32 (RFC 4648, section 6) as leniently as issuers write it: any case; white space, `-`, `_` and `=`
    /// dropped; an incomplete last byte discarded. The text is kept.
    pub fn from_base32(text: &str) -> Result<Self, SecretError> {
        check_length(text)?;
        // Room for every byte from the start: growing would leave copies of the secret in freed memory.
        let mut bytes = Vec::with_capacity(text.len() * 5 / 8 + 1);
        let (mut bits, mut pending) = (0u16, 0u32);
        for (at, character) in text.chars().enumerate().filter(|(_, c)| !is_separator(*c)) {
            let value = match character.to_ascii_uppercase() {
                c @ 'A'..='Z' => c as u16 - 'A' as u16,
                c @ '2'..='7' => c as u16 - '2' as u16 + 26,
                _ => return Err(wrong_character(at, character, base32_suggestions(character))),
            };
            bits = (bits << 5) | value;
            pending += 5;
            if pending >= 8 {
                pending -= 8;
                bytes.push((bits >> pending) as u8);
            }
        }
        Self::from_parts(bytes, text.to_owned())
    }

    /// Reads hexadecimal digits (mOTP), white space and `:` dropped. The text is kept.
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        check_length(text)?;
        let mut bytes = Vec::with_capacity(text.len() / 2);
        let mut high = None;
        for (at, character) in text.chars().enumerate().filter(|(_, c)| !c.is_whitespace() && *c != ':') {
            let Some(value) = character.to_digit(16) else {
                return Err(wrong_character(at, character, hex_suggestions(character)));
            };
            high = match high {
                None => Some(value as u8),
                Some(high) => {
                    bytes.push((high << 4) | value as u8);
                    None
                }
            };
        }
        if high.is_some() {
            return Err(SecretError::OddHex);
        }
        Self::from_parts(bytes, text.to_owned())
    }

    /// Reads Base64 (RFC 4648, sections 4 and 5), padded or not, white space dropped. The text becomes canonical
    /// Base32, because that is what a token's secret is shown and exported as.
    pub fn from_base64(text: &str) -> Result<Self, SecretError> {
        check_length(text)?;
        let mut clean = Zeroizing::new(String::with_capacity(text.len()));
        clean.extend(text.chars().filter(|c| !c.is_whitespace()));
        let unpadded = clean.trim_end_matches('=').as_bytes();
        let bytes = BASE64_NOPAD
            .decode(unpadded)
            .or_else(|_| BASE64URL_NOPAD.decode(unpadded))
            .map_err(|_| SecretError::Base64)?;
        Self::from_bytes(bytes)
    }

    /// Takes bytes; the text becomes their canonical Base32 without padding.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SecretError> {
        let text = BASE32_NOPAD.encode(&bytes);
        Self::from_parts(bytes, text)
    }

    /// Takes bytes and the text that belongs to them, for a store that kept both.
    pub fn from_parts(bytes: Vec<u8>, text: String) -> Result<Self, SecretError> {
        let secret = Self { bytes: SecretBytes::new(bytes), text: SecretText::new(text) };
        if secret.bytes.is_empty() {
            return Err(SecretError::TooShort);
        }
        if secret.bytes.len() > MAX_TEXT_BYTES || secret.text.expose().len() > MAX_TEXT_BYTES {
            return Err(SecretError::TooLong);
        }
        Ok(secret)
    }

    /// The key's bytes.
    pub fn bytes(&self) -> &SecretBytes {
        &self.bytes
    }

    /// The text that the secret was given as.
    pub fn text(&self) -> &SecretText {
        &self.text
    }

    /// The secret in Base32 as other apps read it: upper case, no separators. Where the given text was Base32 these
    /// are its own characters, also those of an incomplete last byte, so that nothing of it gets lost.
    pub fn base32(&self) -> SecretText {
        match Self::from_base32(self.text.expose()) {
            Ok(same) if same.bytes == self.bytes => {
                let mut clean = String::with_capacity(self.text.expose().len());
                clean.extend(self.text.expose().chars().filter(|c| !is_separator(*c)).map(|c| c.to_ascii_uppercase()));
                SecretText::new(clean)
            }
            _ => SecretText::new(BASE32_NOPAD.encode(self.bytes.expose())),
        }
    }

    /// The secret in lower-case hexadecimal digits, as mOTP has it.
    pub fn hex(&self) -> SecretText {
        SecretText::new(HEXLOWER.encode(self.bytes.expose()))
    }
}

fn check_length(text: &str) -> Result<(), SecretError> {
    if text.len() > MAX_TEXT_BYTES { Err(SecretError::TooLong) } else { Ok(()) }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '=')
}

fn wrong_character(at: usize, character: char, suggestions: &'static [char]) -> SecretError {
    SecretError::Character { position: at + 1, character, suggestions }
}

fn base32_suggestions(c: char) -> &'static [char] {
    match c {
        '0' => &['O'],
        '1' => &['I', 'L'],
        '8' => &['B'],
        _ => &[],
    }
}

fn hex_suggestions(c: char) -> &'static [char] {
    match c {
        'o' | 'O' => &['0'],
        'i' | 'I' | 'l' | 'L' => &['1'],
        _ => &[],
    }
}

fn meant(suggestions: &[char]) -> String {
    match suggestions {
        [] => String::new(),
        [one] => format!("; {one} was probably meant"),
        [first, rest @ ..] => {
            let rest: String = rest.iter().flat_map(|c| [" or ".to_owned(), c.to_string()]).collect();
            format!("; {first}{rest} was probably meant")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_read_as_issuers_write_it() {
        let canonical = TokenSecret::from_base32("JBSWY3DPEHPK3PXP").unwrap();
        assert_eq!(canonical.bytes().expose(), b"Hello!\xde\xad\xbe\xef");
        for typed in
            ["jbswy3dpehpk3pxp", " JBSW Y3DP\tEHPK\u{a0}3PXP\n", "JBSW-Y3DP-EHPK-3PXP======", "jbsw_y3dp=ehpk3pxp"]
        {
            let secret = TokenSecret::from_base32(typed).unwrap();
            assert_eq!(secret.bytes(), canonical.bytes(), "{typed}");
            assert_eq!(secret.text().expose(), typed);
            assert_eq!(secret.base32().expose(), "JBSWY3DPEHPK3PXP");
        }
    }

    /// RFC 4648, section 10, and every length modulo 8 beyond it.
    #[test]
    fn an_incomplete_last_byte_is_discarded() {
        for (text, bytes) in [
            ("MY======", "f"),
            ("MZXQ====", "fo"),
            ("MZXW6===", "foo"),
            ("MZXW6YQ=", "foob"),
            ("MZXW6YTB", "fooba"),
            ("MZXW6YTBOI======", "foobar"),
            ("MZX", "f"),
            ("MZXW6Y", "foo"),
            ("MZXW6YTBO", "fooba"),
            ("MZ", "f"),
        ] {
            assert_eq!(TokenSecret::from_base32(text).unwrap().bytes().expose(), bytes.as_bytes(), "{text}");
        }
        assert_eq!(TokenSecret::from_base32("MZX").unwrap().base32().expose(), "MZX");
    }

    #[test]
    fn a_wrong_character_is_named_where_it_was_typed() {
        let wrong = |text| match TokenSecret::from_base32(text) {
            Err(SecretError::Character { position, character, suggestions }) => (position, character, suggestions),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(wrong("JBSW 0"), (6, '0', &['O'][..]));
        assert_eq!(wrong("1BSW"), (1, '1', &['I', 'L'][..]));
        assert_eq!(wrong("ä8"), (1, 'ä', &[][..]));
        assert_eq!(wrong("JB8W"), (3, '8', &['B'][..]));
        assert_eq!(wrong("JBı"), (3, 'ı', &[][..]));
        assert_eq!(
            TokenSecret::from_base32("AA1").unwrap_err().to_string(),
            "character 3 of the secret, '1', is not of its alphabet; I or L was probably meant"
        );
    }

    #[test]
    fn too_little_and_too_much_are_refused() {
        for text in ["", " ", "=-_", "A", "A======"] {
            assert_eq!(TokenSecret::from_base32(text), Err(SecretError::TooShort), "{text:?}");
        }
        assert_eq!(TokenSecret::from_base32(&"A".repeat(MAX_TEXT_BYTES + 1)), Err(SecretError::TooLong));
        assert!(TokenSecret::from_base32(&"A".repeat(MAX_TEXT_BYTES)).is_ok());
        assert_eq!(TokenSecret::from_bytes(vec![]), Err(SecretError::TooShort));
        assert_eq!(TokenSecret::from_bytes(vec![7; MAX_TEXT_BYTES]), Err(SecretError::TooLong));
        assert_eq!(TokenSecret::from_hex(" "), Err(SecretError::TooShort));
    }

    #[test]
    fn hexadecimal_digits_pair_up() {
        let secret = TokenSecret::from_hex("E3:15 2a").unwrap();
        assert_eq!(secret.bytes().expose(), [0xe3, 0x15, 0x2a]);
        assert_eq!(secret.hex().expose(), "e3152a");
        assert_eq!(secret.base32().expose(), "4MKSU");
        assert_eq!(TokenSecret::from_hex("abc"), Err(SecretError::OddHex));
        assert_eq!(
            TokenSecret::from_hex("aO"),
            Err(SecretError::Character { position: 2, character: 'O', suggestions: &['0'] })
        );
    }

    #[test]
    fn base64_of_both_alphabets() {
        let hex = "4c7225f3e265eae831afcc745fa79132";
        for text in ["THIl8+Jl6ugxr8x0X6eRMg==", "THIl8-Jl6ugxr8x0X6eRMg", "THIl8+Jl6ugx\nr8x0X6eRMg"] {
            assert_eq!(TokenSecret::from_base64(text).unwrap().hex().expose(), hex, "{text}");
        }
        assert_eq!(TokenSecret::from_base64("THIl8*"), Err(SecretError::Base64));
    }
}
