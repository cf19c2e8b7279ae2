//! What the window and the command line do alike with a backup text.

use countersign_core::{
    backup::{self, OpenError, ReadError},
    secret::Password,
    vault::Content,
};

/// How long a backup text stays on the clipboard, in seconds: long enough to find the place where it is to go.
pub(crate) const CLIPBOARD_SECONDS: u64 = 5 * 60;

/// Why a backup text that was just written is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsound {
    /// It is no text.
    #[error(transparent)]
    NoText(#[from] std::str::Utf8Error),
    /// It is not whole.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Other tokens are in it.
    #[error("{found} of {meant} tokens are in it")]
    Other {
        /// How many are in it.
        found: usize,
        /// How many should be.
        meant: usize,
    },
}

/// Opens a backup text as a stranger would, and compares what is in it with what was meant.
pub(crate) fn verify(written: &[u8], password: &Password, meant: &Content) -> Result<(), Unsound> {
    let back = backup::find(std::str::from_utf8(written)?)?.open(password)?;
    if back.tokens() == meant.tokens() {
        Ok(())
    } else {
        Err(Unsound::Other { found: back.tokens().len(), meant: meant.tokens().len() })
    }
}

/// The text in a file or mail, whatever a program has put around it. The block itself is ASCII, so what is no text of
/// the encoding does no harm.
pub(crate) fn lenient_text(bytes: &[u8]) -> String {
    let utf16 =
        |units: &mut dyn Iterator<Item = u16>| char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    let (pairs, _) = bytes.as_chunks::<2>();
    match bytes {
        [0xff, 0xfe, ..] => utf16(&mut pairs.iter().map(|pair| u16::from_le_bytes(*pair))),
        [0xfe, 0xff, ..] => utf16(&mut pairs.iter().map(|pair| u16::from_be_bytes(*pair))),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A number in groups of three.
pub(crate) fn grouped(number: usize, separator: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_in_the_encodings_of_editors() {
        assert_eq!(lenient_text("plain".as_bytes()), "plain");
        assert_eq!(lenient_text(b"caf\xe9 Q1NC"), "caf\u{fffd} Q1NC");
        let utf16: Vec<u8> = "\u{feff}Q1NC".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(lenient_text(&utf16), "\u{feff}Q1NC");
        let utf16: Vec<u8> = "\u{feff}Q1NC".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(lenient_text(&utf16), "\u{feff}Q1NC");
    }
}
