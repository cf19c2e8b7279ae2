//! HOTP (RFC 4226) and TOTP (RFC 6238).

use std::fmt::Write;

use totp_rs::{Builder, Secret, Totp};

use crate::{
    secret::SecretText,
    token::{Algorithm, Digits},
};

/// The most digits that a 32-bit modulus, totp-rs's, can hold.
const LIBRARY_DIGITS: u8 = 9;

/// The code of the step in which `at` lies, in steps of `step` (at least 1).
pub(super) fn code(key: &[u8], algorithm: Algorithm, digits: Digits, step: u64, at: u64) -> SecretText {
    let digits = digits.get();
    let totp = totp(key, library_algorithm(algorithm), digits, step);
    let mut text = String::with_capacity(digits.into());
    // Writing into a String cannot fail.
    let _ = if digits <= LIBRARY_DIGITS {
        write!(text, "{}", totp.generate(at))
    } else {
        write!(text, "{:0width$}", truncated(totp.sign(at).as_ref()), width = digits.into())
    };
    SecretText::new(text)
}

/// What totp-rs computes with. It is checked here, not there: real secrets are shorter than RFC 4226 asks for.
pub(super) fn totp(key: &[u8], algorithm: totp_rs::Algorithm, digits: u8, step: u64) -> Totp {
    let secret = match <[u8; 20]>::try_from(key) {
        // The usual length needs no memory of its own.
        Ok(key) => Secret::new_stack(key),
        Err(_) => Secret::new(key.into()),
    };
    Builder::new()
        .with_algorithm(algorithm)
        .with_digits(digits)
        .with_step_duration(step)
        .with_secret(secret)
        .build_noncompliant()
}

fn library_algorithm(algorithm: Algorithm) -> totp_rs::Algorithm {
    match algorithm {
        Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
        Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
        Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
    }
}

/// The 31-bit value of a signature (RFC 4226, section 5.3). From ten digits on the modulus exceeds it, so that it is
/// the code itself, with zeros in front.
fn truncated(signature: &[u8]) -> u64 {
    let offset = usize::from(signature.last().copied().unwrap_or(0) & 0xf);
    let taken = signature.iter().skip(offset).take(4);
    taken.fold(0, |value, byte| (value << 8) | u64::from(*byte)) & 0x7fff_ffff
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
