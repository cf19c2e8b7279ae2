//! HOTP (RFC 4226) and TOTP (RFC 6238).

use totp_rs::{Builder, Secret, Totp};

use crate::{
    secret::SecretText,
    token::{Algorithm, Digits},
};

/// The most digits that [`Digits`] allows.
const MOST_DIGITS: usize = 12;
/// The length of key that totp-rs keeps without memory of its own, in bytes.
const SHORT_KEY: usize = 20;

/// The code of the step in which `at` lies, in steps of `step` (at least 1).
///
/// totp-rs signs; the digits are written here, because its own numbers end at nine digits, and one way for all lengths
/// is better than two.
pub(super) fn code(key: &[u8], algorithm: Algorithm, digits: Digits, step: u64, at: u64) -> SecretText {
    let totp = totp(key, library_algorithm(algorithm), step);
    spelled(truncated(totp.sign(at).as_ref()), b"0123456789", digits.get().into(), Order::HighestFirst)
}

/// Which character of a code comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As numbers are written.
    HighestFirst,
    /// As Steam writes.
    LowestFirst,
}

/// A number in the digits of an alphabet: its lowest `length` digits, at most [`MOST_DIGITS`].
#[inline]
pub(super) fn spelled<const BASE: usize>(
    mut value: u64,
    alphabet: &[u8; BASE],
    length: usize,
    order: Order,
) -> SecretText {
    let mut written = vec![alphabet[0]; length.min(MOST_DIGITS)];
    for character in &mut written {
        // Dividing by a constant is a multiplication.
        *character = alphabet[(value % BASE as u64) as usize];
        value /= BASE as u64;
    }
    if order == Order::HighestFirst {
        written.reverse();
    }
    // Alphabets are ASCII.
    SecretText::new(String::from_utf8(written).unwrap_or_default())
}

/// What totp-rs computes with. It is checked here, not there: real secrets are shorter than RFC 4226 asks for.
pub(super) fn totp(key: &[u8], algorithm: totp_rs::Algorithm, step: u64) -> Totp {
    let mut short = [0; SHORT_KEY];
    let secret = match short.get_mut(..key.len()) {
        // The usual lengths need no memory of their own: HMAC fills keys up with zeros anyway (RFC 2104, section 2).
        Some(start) => {
            start.copy_from_slice(key);
            Secret::new_stack(short)
        }
        None => Secret::new(key.into()),
    };
    Builder::new().with_algorithm(algorithm).with_step_duration(step).with_secret(secret).build_noncompliant()
}

fn library_algorithm(algorithm: Algorithm) -> totp_rs::Algorithm {
    match algorithm {
        Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
        Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
        Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
    }
}

/// The 31-bit value of a signature (RFC 4226, section 5.3). It has at most ten digits; longer codes begin with zeros.
pub(super) fn truncated(signature: &[u8]) -> u64 {
    let offset = usize::from(signature.last().copied().unwrap_or(0) & 0xf);
    let taken = signature.get(offset..).and_then(<[u8]>::first_chunk);
    u64::from(taken.map_or(0, |taken| u32::from_be_bytes(*taken)) & 0x7fff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

    fn check(key: &[u8], algorithm: Algorithm, digits: u64, step: u64, at: u64, expected: &str) {
        let code = code(key, algorithm, Digits::new(digits).unwrap(), step, at);
        assert_eq!(code.expose(), expected, "{algorithm} {digits} digits at {at}");
    }

    /// RFC 4226, appendix D: the 31-bit value and the six digits of counters 0 to 9.
    const RFC_4226: [(u64, &str); 10] = [
        (1284755224, "755224"),
        (1094287082, "287082"),
        (137359152, "359152"),
        (1726969429, "969429"),
        (1640338314, "338314"),
        (868254676, "254676"),
        (1918287922, "287922"),
        (82162583, "162583"),
        (673399871, "399871"),
        (645520489, "520489"),
    ];

    #[test]
    fn rfc_4226_appendix_d() {
        for (counter, (_, expected)) in (0..).zip(RFC_4226) {
            check(&KEY[..20], Algorithm::Sha1, 6, 1, counter, expected);
        }
    }

    /// RFC 2202 and RFC 4231 have no such keys, so that totp-rs with the key as it is serves as the reference.
    #[test]
    fn keys_of_every_length_sign_as_they_are() {
        for length in 1..=64 {
            let key = &KEY[..length];
            let reference = Builder::new().with_secret(key).with_step_duration(1).build_noncompliant();
            check(key, Algorithm::Sha1, 6, 1, 7, &reference.generate(7).to_string());
        }
    }

    #[test]
    fn every_number_of_digits_ends_the_same_31_bits() {
        for (counter, (value, _)) in (0..).zip(RFC_4226) {
            for digits in 1..=12u32 {
                let expected = format!("{:0width$}", value % 10u64.pow(digits), width = digits as usize);
                check(&KEY[..20], Algorithm::Sha1, digits.into(), 1, counter, &expected);
            }
        }
    }

    #[test]
    fn rfc_6238_appendix_b() {
        for (at, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1111111109, "07081804", "68084774", "25091201"),
            (1111111111, "14050471", "67062674", "99943326"),
            (1234567890, "89005924", "91819424", "93441116"),
            (2000000000, "69279037", "90698825", "38618901"),
            (20000000000, "65353130", "77737706", "47863826"),
        ] {
            check(&KEY[..20], Algorithm::Sha1, 8, 30, at, sha1);
            check(&KEY[..32], Algorithm::Sha256, 8, 30, at, sha256);
            check(&KEY[..64], Algorithm::Sha512, 8, 30, at, sha512);
        }
    }
}
