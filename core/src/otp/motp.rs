//! Mobile-OTP (motp.sourceforge.net): the first six hexadecimal digits of MD5 over time, secret and PIN.

use std::fmt::Write;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use crate::secret::SecretText;

const STEP: u64 = 10;
/// Bytes of the hash that the code shows.
const SHOWN: usize = 3;

/// The code of the step in which `at` lies. The secret goes in as lower-case hexadecimal text.
pub(super) fn code(secret: &[u8], pin: &str, at: u64) -> SecretText {
    // Room for 20 digits of time, so that nothing is left behind by growing.
    let mut hashed = Zeroizing::new(String::with_capacity(20 + 2 * secret.len() + pin.len()));
    // Writing into a String cannot fail.
    let _ = write!(hashed, "{}", at / STEP);
    HEXLOWER.encode_append(secret, &mut hashed);
    hashed.push_str(pin);
    let hash = Zeroizing::new(<[u8; 16]>::from(Md5::digest(hashed.as_bytes())));
    SecretText::new(HEXLOWER.encode(&hash[..SHOWN]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenSecret;

    /// The vectors of Aegis's tests.
    #[test]
    fn published_codes() {
        for (secret, pin, at, expected) in [
            ("e3152afee62599c8", "1234", 165892298, "e7d8b6"),
            ("e3152afee62599c8", "1234", 123456789, "4ebfb2"),
            ("bbb1912bb5c515be", "9999", 1659540020, "ced7b1"),
            ("bbb1912bb5c515be", "9999", 1659540022, "ced7b1"),
            ("bbb1912bb5c515be", "9999", 1659539870, "1a14f8"),
            ("bbb1912bb5c515be", "9999", 1659539878, "1a14f8"),
        ] {
            let secret = TokenSecret::from_hex(secret).unwrap();
            assert_eq!(code(secret.bytes().expose(), pin, at).expose(), expected, "{at}");
        }
    }
}
