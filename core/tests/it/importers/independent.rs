//! What is written for other apps, read by a script that shares no code with this program: `testdata/export/read.py`.

use countersign_core::{
    export::{self, Lock},
    secret::SecretText,
    token::{Algorithm, Digits, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::Content,
};
use serde_json::{Value, json};

use super::kit::{Counting, NOW};
use crate::decrypt::{self, python};

const PASSWORD: &str = "córrect horse";

fn specs() -> Vec<TokenSpec> {
    let totp = |algorithm, digits, period| Kind::Totp {
        algorithm,
        digits: Digits::new(digits).unwrap(),
        period: Period::new(period).unwrap(),
    };
    let hotp = |algorithm, counter| Kind::Hotp { algorithm, digits: Digits::SIX, counter };
    let kinds = [
        totp(Algorithm::Sha1, 6, 30),
        totp(Algorithm::Sha256, 8, 30),
        totp(Algorithm::Sha512, 7, 60),
        hotp(Algorithm::Sha1, 0),
        hotp(Algorithm::Sha256, 1234),
        Kind::Steam,
    ];
    let spec = |(at, kind): (usize, Kind)| TokenSpec {
        issuer: ["Ash", "Bücher & Söhne", "<Elm>", "鍵", "Oak: tree", "Steam"][at].to_owned(),
        account: ["ada@example.org", "bob", "é\"lla", "ユーザー", "100 %", "sam"][at].to_owned(),
        kind,
        secret: TokenSecret::from_bytes((0..20).map(|n| n * 3 + at as u8).collect()).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    };
    kinds.into_iter().enumerate().map(spec).collect()
}

/// As the script writes a token.
fn line(spec: &TokenSpec) -> Value {
    let kind = &spec.kind;
    let moving = kind.counter().or_else(|| kind.period().map(Period::seconds)).unwrap_or(30);
    let algorithm = kind.algorithm().map_or("SHA1", Algorithm::name);
    let secret = spec.secret.base32();
    json!([kind.name().name(), spec.issuer, spec.account, algorithm, kind.digits(), moving, secret.expose()])
}

#[test]
fn another_reader_agrees() {
    let Some(python) = python("another_reader_agrees") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut content = Content::default();
    for (at, spec) in specs().into_iter().enumerate() {
        content.add(TokenId::from_random([at as u8; 16]), spec, NOW);
    }
    let password = SecretText::new(PASSWORD.to_owned());
    for format in export::FORMATS {
        let lock = format.encrypted.then_some(Lock { password: &password });
        let export = export::write(&content, format, lock, &mut Counting::default(), NOW).unwrap();
        let path = folder.path().join(format.id);
        std::fs::write(&path, &export.bytes).unwrap();
        let read = decrypt::run(python, "testdata/export/read.py", &[format.id.as_ref(), path.as_os_str()], PASSWORD);
        let read = read.unwrap_or_else(|said| panic!("{format:?}: {said}"));
        let read: Vec<Value> = serde_json::from_str(&read).unwrap();
        let written: Vec<Value> = export.written.iter().map(|id| line(&content.token(*id).unwrap().spec)).collect();
        assert_eq!(read, written, "{format:?}");
        let least = if ["google", "bitwarden-authenticator"].contains(&format.id) { 4 } else { 5 };
        assert!(written.len() >= least, "{format:?}: {:?}", export.losses);
    }
}
