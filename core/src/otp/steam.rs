//! Steam Guard: TOTP with SHA-1 and 30 seconds, written in an alphabet of 26.

use super::hmac::{Order, spelled, totp, truncated};
use crate::secret::SecretText;

const ALPHABET: &[u8; 26] = b"23456789BCDFGHJKMNPQRTVWXY";
const CHARACTERS: usize = 5;
const STEP: u64 = 30;

/// The code of the step in which `at` lies.
pub(super) fn code(key: &[u8], at: u64) -> SecretText {
    let totp = totp(key, totp_rs::Algorithm::SHA1, STEP);
    spelled(truncated(totp.sign(at).as_ref()), ALPHABET, CHARACTERS, Order::LowestFirst)
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
