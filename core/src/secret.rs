//! Secrets in memory: wiped on drop, never printed, never serialised by accident.

use std::fmt;

use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Bytes of a secret. They are wiped on drop, compared in constant time, and `Debug` shows only their number.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that computes with them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}

/// Text of a secret (a PIN, a secret as it was typed). Wiped on drop; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for SecretText {}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// A password as a person typed it, prepared so that every keyboard gives the same bytes
/// (RFC 8265, OpaqueString: non-ASCII spaces become U+0020, then NFC).
#[derive(Clone, PartialEq, Eq)]
pub struct Password(SecretText);

impl Password {
    /// Prepares what was typed. An empty password is allowed here; who asks for one decides what is enough.
    pub fn new(typed: &str) -> Self {
        // Reserved up front, so that growing leaves no copies behind in freed memory.
        let mut prepared = Zeroizing::new(String::with_capacity(typed.len() * 3));
        for c in typed.chars().map(|c| if c.is_whitespace() && !c.is_control() { ' ' } else { c }).nfc() {
            prepared.push(c);
        }
        Self(SecretText(prepared))
    }

    /// The prepared text as UTF-8.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_password_whatever_the_keyboard_composed() {
        assert_eq!(Password::new("cafe\u{301}\u{a0}1"), Password::new("café 1"));
        assert_ne!(Password::new("Café 1"), Password::new("café 1"));
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!(
            "{:?} {:?} {:?}",
            SecretBytes::new(b"abc".to_vec()),
            SecretText::new("xyz".into()),
            Password::new("pw")
        );
        assert_eq!(shown, "SecretBytes(3 bytes) SecretText(..) Password(..)");
    }
}
