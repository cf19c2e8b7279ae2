//! Codes of every kind through the public door.

#![allow(clippy::unwrap_used)]

use countersign_core::{
    otp::{CodeError, Stands, YandexSecretError},
    secret::SecretText,
    token::{Algorithm, Digits, Kind, Period, TokenSecret, TokenSpec},
};

fn spec(kind: Kind, secret: TokenSecret) -> TokenSpec {
    TokenSpec {
        issuer: "Issuer".into(),
        account: "account".into(),
        kind,
        secret,
        label_issuer: None,
        uri_parameters: vec![],
    }
}

fn rfc_secret() -> TokenSecret {
    TokenSecret::from_bytes(b"12345678901234567890".to_vec()).unwrap()
}

fn totp(period: u64) -> TokenSpec {
    let period = Period::new(period).unwrap();
    spec(Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::EIGHT, period }, rfc_secret())
}

fn hotp(counter: u64) -> TokenSpec {
    spec(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter }, rfc_secret())
}

fn pin(text: &str) -> Option<SecretText> {
    Some(SecretText::new(text.to_owned()))
}

#[test]
fn a_code_says_when_it_stands() {
    let code = totp(30).code_at(59).unwrap();
    assert_eq!(code.text(), "94287082");
    assert_eq!(code.grouped().expose(), "9428 7082");
    assert_eq!(code.stands(), Some(Stands { from: 30, until: 60 }));
    assert_eq!(totp(30).code_at(60).unwrap().stands(), Some(Stands { from: 60, until: 90 }));
    assert_eq!(totp(7).code_at(20).unwrap().stands(), Some(Stands { from: 14, until: 21 }));
    assert_eq!(hotp(1).code_at(59).unwrap().stands(), None);
}

#[test]
fn the_next_code_is_the_one_that_takes_over() {
    for at in [0, 29, 30, 59, 1111111109] {
        let code = totp(30).code_at(at).unwrap();
        let next = totp(30).next_code_at(at).unwrap();
        assert_eq!(next, totp(30).code_at(code.stands().unwrap().until).unwrap());
        assert_ne!(next, code);
    }
    assert_eq!(hotp(0).code_at(0).unwrap().text(), "755224");
    assert_eq!(hotp(0).next_code_at(0).unwrap().text(), "287082");
}

#[test]
fn the_end_of_time_and_of_counters_is_no_panic() {
    for period in [1, 30, u64::from(u32::MAX)] {
        let code = totp(period).code_at(u64::MAX).unwrap();
        assert_eq!(code.text().len(), 8);
        assert_eq!(code.stands().unwrap().until, u64::MAX);
        assert!(code.stands().unwrap().from <= u64::MAX - u64::MAX % period);
        assert_eq!(totp(period).next_code_at(u64::MAX), Err(CodeError::NoNext));
    }
    assert_eq!(hotp(u64::MAX).code_at(0).unwrap().text().len(), 6);
    assert_eq!(hotp(u64::MAX).next_code_at(0), Err(CodeError::NoNext));
    let secret = TokenSecret::from_hex("e3152afee62599c8").unwrap();
    let motp = spec(Kind::Motp { pin: pin("1234") }, secret);
    assert_eq!(motp.code_at(u64::MAX).unwrap().text().len(), 6);
    assert_eq!(motp.next_code_at(u64::MAX), Err(CodeError::NoNext));
}

#[test]
fn kinds_with_a_pin_ask_for_it() {
    let hex = TokenSecret::from_hex("e3152afee62599c8").unwrap();
    assert_eq!(spec(Kind::Motp { pin: None }, hex.clone()).code_at(0), Err(CodeError::PinMissing));
    assert_eq!(spec(Kind::Motp { pin: pin("") }, hex.clone()).code_at(0), Err(CodeError::PinMissing));
    let code = spec(Kind::Motp { pin: pin("1234") }, hex).code_at(165892298).unwrap();
    assert_eq!((code.text(), code.grouped().expose()), ("e7d8b6", "e7d8b6"));
    assert_eq!(code.stands(), Some(Stands { from: 165892290, until: 165892300 }));

    let secret = TokenSecret::from_base32("6SB2IKNM6OBZPAVBVTOHDKS4FAAAAAAADFUTQMBTRY").unwrap();
    assert_eq!(spec(Kind::Yandex { pin: None }, secret.clone()).code_at(0), Err(CodeError::PinMissing));
    let code = spec(Kind::Yandex { pin: pin("5239") }, secret).code_at(1641559648).unwrap();
    assert_eq!((code.text(), code.grouped().expose()), ("umozdicq", "umozdicq"));
}

#[test]
fn a_yandex_secret_is_checked_before_a_code_is_made() {
    let code = |text| spec(Kind::Yandex { pin: pin("5239") }, TokenSecret::from_base32(text).unwrap()).code_at(0);
    assert_eq!(
        code("6SB2IKNM6OBZPAVBVTOHDKS4FAAAAAAADFUTQMBTRA"),
        Err(CodeError::YandexSecret(YandexSecretError::Checksum))
    );
    assert_eq!(code("6SB2IKNM"), Err(CodeError::YandexSecret(YandexSecretError::Length(5))));
}

#[test]
fn secrets_of_any_length_make_codes() {
    for length in [1, 5, 16, 19, 20, 21, 64, 65, 128, 1000] {
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
            let secret = TokenSecret::from_bytes(vec![0x5a; length]).unwrap();
            let kind = Kind::Totp { algorithm, digits: Digits::SIX, period: Period::THIRTY };
            assert_eq!(spec(kind, secret).code_at(1).unwrap().text().len(), 6);
        }
    }
}

#[test]
fn a_code_keeps_out_of_debug_output() {
    let code = totp(30).code_at(59).unwrap();
    let shown = format!("{code:?} {:?}", totp(30));
    assert!(!shown.contains("94287082"), "{shown}");
    assert!(!shown.contains("GEZDGNBV"), "{shown}");
    assert!(!shown.contains("49, 50, 51"), "{shown}");
}
