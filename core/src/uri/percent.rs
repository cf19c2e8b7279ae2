//! Percent encoding as token links have it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use zeroize::Zeroizing;

/// What is escaped: all but the unreserved characters of RFC 3986, section 2.3, and `@`, which account names have and
/// which means nothing in a path or a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// A decoded text, and whether there was a `%` in it that starts no character and was kept.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) bad: bool,
}

/// Decodes a text in which `+` is itself. What cannot be decoded stays as it was written.
pub(super) fn decode(raw: &str) -> Decoded {
    let bad = raw.split('%').skip(1).any(|after| !starts_with_hex(after));
    // Decoding never makes a text longer, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(raw.len()));
    bytes.extend(percent_decode_str(raw));
    let mut text = String::with_capacity(raw.len());
    let mut broken = false;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // It can only have come from an escape, because the text around it is UTF-8.
            broken = true;
            text.push_str(percent_encoding::percent_encode_byte(*byte));
        }
    }
    Decoded { text, bad: bad || broken }
}

/// Appends a text so that [`decode`] gives it back.
pub(super) fn encode(text: &str, out: &mut String) {
    out.extend(utf8_percent_encode(text, ESCAPED));
}

fn starts_with_hex(text: &str) -> bool {
    matches!(text.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_decoded_stays() {
        for (raw, text, bad) in [
            ("a%20b", "a b", false),
            ("a+b", "a+b", false),
            ("100%", "100%", true),
            ("%ZZ%41", "%ZZA", true),
            ("%4", "%4", true),
            ("M%FCller%20AG", "M%FCller AG", true),
            ("%C3%BC%C3", "ü%C3", true),
            ("%25ZZ", "%ZZ", false),
            ("ü%C3%BC", "üü", false),
        ] {
            let decoded = decode(raw);
            assert_eq!((decoded.text.as_str(), decoded.bad), (text, bad), "{raw}");
        }
    }

    #[test]
    fn an_encoded_text_is_plain_and_comes_back() {
        let text = "a@b c+%&#/:?=ü\u{1f511}\"'\0";
        let mut encoded = String::new();
        encode(text, &mut encoded);
        assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"%@".contains(&b)), "{encoded}");
        assert_eq!(decode(&encoded).text, text);
    }
}
