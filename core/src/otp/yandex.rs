//! Yandex Key: TOTP with SHA-256 and 30 seconds, keyed by PIN and secret, written in eight letters.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    CodeError,
    hmac::{Order, spelled, totp},
};
use crate::secret::SecretText;

const STEP: u64 = 30;
const ALPHABET: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
const LETTERS: usize = 8;
/// Bytes of a secret that go into the key.
const KEY_BYTES: usize = 16;
/// Bytes of a secret that was typed: it ends in twelve bits of checksum.
const TYPED_BYTES: usize = 26;
const CHECKSUM_BITS: usize = 12;
/// The checksum's polynomial, x^12 + x^11 + x^7 + x^6 + x^5 + x^4 + x + 1.
const POLYNOMIAL: u16 = 0x18f3;

/// Why a secret is none of Yandex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum YandexSecretError {
    /// It has neither 16 bytes (as in a QR code) nor 26 (as typed).
    #[error("a Yandex secret has 16 or 26 bytes, this one has {0}")]
    Length(usize),
    /// The twelve bits at its end do not fit: a character was mistyped.
    #[error("the checksum of the Yandex secret is wrong: a character is mistyped")]
    Checksum,
}

/// Checks the length of a Yandex secret and, where there is one, its checksum.
pub fn check_yandex_secret(secret: &[u8]) -> Result<(), YandexSecretError> {
    match secret {
        secret if secret.len() == KEY_BYTES => Ok(()),
        [.., high, low] if secret.len() == TYPED_BYTES => {
            let written = u16::from_be_bytes([high & 0xf, *low]);
            if remainder(secret, TYPED_BYTES * 8 - CHECKSUM_BITS) == written {
                Ok(())
            } else {
                Err(YandexSecretError::Checksum)
            }
        }
        _ => Err(YandexSecretError::Length(secret.len())),
    }
}

/// The code of the step in which `at` lies.
pub(super) fn code(secret: &[u8], pin: &str, at: u64) -> Result<SecretText, CodeError> {
    check_yandex_secret(secret)?;
    let hash = Sha256::new().chain_update(pin).chain_update(&secret[..KEY_BYTES]).finalize();
    let hash = Zeroizing::new(<[u8; 32]>::from(hash));
    let key = hash.strip_prefix(&[0]).unwrap_or(hash.as_slice());
    let totp = totp(key, totp_rs::Algorithm::SHA256, STEP);
    Ok(spelled(truncated(totp.sign(at).as_ref()), ALPHABET, LETTERS, Order::HighestFirst))
}

/// The 63-bit value of a signature: like RFC 4226, section 5.3, but of eight bytes.
fn truncated(signature: &[u8]) -> u64 {
    let offset = usize::from(signature.last().copied().unwrap_or(0) & 0xf);
    let taken = signature.get(offset..).and_then(<[u8]>::first_chunk);
    taken.map_or(0, |taken| u64::from_be_bytes(*taken)) & (u64::MAX >> 1)
}

/// The remainder of the first `bits` bits as a polynomial over GF(2).
fn remainder(bytes: &[u8], bits: usize) -> u16 {
    let bits = (0..bits).map(|at| u16::from(bytes[at / 8] >> (7 - at % 8) & 1));
    bits.fold(0, |rest, bit| {
        let rest = (rest << 1) | bit;
        if rest >> CHECKSUM_BITS == 0 { rest } else { rest ^ POLYNOMIAL }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenSecret;

    /// The vectors of Aegis's tests: secret, PIN, time, code.
    const PUBLISHED: [(&str, &str, u64, &str); 5] = [
        ("6SB2IKNM6OBZPAVBVTOHDKS4FAAAAAAADFUTQMBTRY", "5239", 1641559648, "umozdicq"),
        ("LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI", "7586", 1581064020, "oactmacq"),
        ("LA2V6KMCGYMWWVEW64RNP3JA3IAAAAAAHTSG4HRZPI", "7586", 1581090810, "wemdwrix"),
        ("JBGSAU4G7IEZG6OY4UAXX62JU4AAAAAAHTSG4HXU3M", "5210481216086702", 1581091469, "dfrpywob"),
        ("JBGSAU4G7IEZG6OY4UAXX62JU4AAAAAAHTSG4HXU3M", "5210481216086702", 1581093059, "vunyprpd"),
    ];

    fn secret(text: &str) -> Vec<u8> {
        TokenSecret::from_base32(text).unwrap().bytes().expose().to_vec()
    }

    #[test]
    fn published_codes() {
        for (text, pin, at, expected) in PUBLISHED {
            let secret = secret(text);
            assert_eq!(code(&secret, pin, at).unwrap().expose(), expected, "{at}");
            assert_eq!(code(&secret[..KEY_BYTES], pin, at).unwrap().expose(), expected, "{at}");
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for (text, ..) in PUBLISHED {
            let right = secret(text);
            assert_eq!(check_yandex_secret(&right), Ok(()));
            for bit in 0..TYPED_BYTES * 8 {
                let mut wrong = right.clone();
                wrong[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(check_yandex_secret(&wrong), Err(YandexSecretError::Checksum), "bit {bit}");
            }
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for length in [1, 15, 17, 20, 25, 27, 64] {
            let secret = vec![7; length];
            assert_eq!(check_yandex_secret(&secret), Err(YandexSecretError::Length(length)));
        }
    }
}
