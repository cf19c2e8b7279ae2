//! Steam Guard: TOTP with SHA-1 and 30 seconds, written in an alphabet of 26.

use std::fmt::Write;

use super::hmac;
use crate::secret::SecretText;

const CHARACTERS: u8 = 5;
const STEP: u64 = 30;

/// The code of the step in which `at` lies.
pub(super) fn code(key: &[u8], at: u64) -> SecretText {
    let totp = hmac::totp(key, totp_rs::Algorithm::Steam, CHARACTERS, STEP);
    let mut text = String::with_capacity(CHARACTERS.into());
    // Writing into a String cannot fail.
    let _ = write!(text, "{}", totp.generate(at));
    SecretText::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenSecret;

    /// What Steam's own app showed, as the tests of KeePassXC and of Bitwarden's SDK record it.
    #[test]
    fn published_codes() {
        for (secret, at, expected) in [
            ("63BEDWCQZKTQWPESARIERL5DTTQFCJTK", 1511200518, "FR8RV"),
            ("63BEDWCQZKTQWPESARIERL5DTTQFCJTK", 1511200714, "9P3VP"),
            ("HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ", 1672531200, "7W6CJ"),
        ] {
            let secret = TokenSecret::from_base32(secret).unwrap();
            assert_eq!(code(secret.bytes().expose(), at).expose(), expected);
        }
    }
}
