//! Google Authenticator's exports.

#![allow(clippy::unwrap_used)]

use countersign_core::{
    token::{Algorithm, Digits, Kind, KindName, MAX_TEXT_BYTES, Period, SecretError, TokenSecret, TokenSpec},
    uri::{
        Warning,
        migration::{
            Added, Collector, ENTRIES_PER_PART, EntryProblem, LeftOut, MAX_BYTES, MigrationError, Part, Progress,
            Reason, parse, write,
        },
    },
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::{collection::vec, prelude::*};

const KEY: &[u8] = b"12345678901234567890";

fn spec(issuer: &str, account: &str, kind: Kind) -> TokenSpec {
    TokenSpec {
        issuer: issuer.into(),
        account: account.into(),
        kind,
        secret: TokenSecret::from_bytes(KEY.to_vec()).unwrap(),
        label_issuer: None,
        uri_parameters: vec![],
    }
}

fn totp_kind(digits: u64, period: u64) -> Kind {
    let (digits, period) = (Digits::new(digits).unwrap(), Period::new(period).unwrap());
    Kind::Totp { algorithm: Algorithm::Sha1, digits, period }
}

fn totp(issuer: &str, account: &str) -> TokenSpec {
    spec(issuer, account, totp_kind(6, 30))
}

/// A field of a protocol buffer: a number, or bytes.
enum Field<'a> {
    Number(u8, i64),
    Bytes(u8, &'a [u8]),
}
use Field::{Bytes, Number};

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn message(fields: &[Field<'_>]) -> Vec<u8> {
    let mut out = vec![];
    for field in fields {
        match field {
            Number(tag, value) => {
                out.push(tag << 3);
                varint(*value as u64, &mut out);
            }
            Bytes(tag, bytes) => {
                out.push(tag << 3 | 2);
                varint(bytes.len() as u64, &mut out);
                out.extend_from_slice(bytes);
            }
        }
    }
    out
}

fn link(payload: &[u8]) -> String {
    format!("otpauth-migration://offline?data={}", BASE64.encode(payload).replace('+', "%2B").replace('=', "%3D"))
}

/// One part with one entry of those fields.
fn one(entry: &[Field<'_>]) -> Part {
    parse(&link(&message(&[Bytes(1, &message(entry)), Number(2, 1), Number(3, 1)]))).unwrap()
}

fn problem(entry: &[Field<'_>]) -> EntryProblem {
    one(entry).entries.remove(0).unwrap_err().problem
}

#[test]
fn published_exports() {
    let discord = "otpauth-migration://offline?data=CjYKEExyJfPiZeroMa/MdF%2BnkTISE2pvaG5kb2VAZXhhbXBsZS5jb20aB0Rpc2Nvcm\
                   QgASgBMAIQARgBIAA%3D";
    let part = parse(discord).unwrap();
    assert_eq!((part.batch_id, part.index, part.size), (0, 0, 1));
    let token = part.entries[0].as_ref().unwrap();
    assert_eq!(token.warnings, []);
    assert_eq!((token.spec.issuer.as_str(), token.spec.account.as_str()), ("Discord", "johndoe@example.com"));
    assert_eq!(token.spec.secret.base32().expose(), "JRZCL47CMXVOQMNPZR2F7J4RGI");
    assert_eq!(token.spec.kind, totp_kind(6, 30));

    let example =
        "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC";
    let part = parse(example).unwrap();
    let token = part.entries[0].as_ref().unwrap();
    assert_eq!((token.spec.issuer.as_str(), token.spec.account.as_str()), ("Example", "alice@google.com"));
    assert_eq!(token.spec.secret.base32().expose(), "JBSWY3DPEHPK3PXP");
    // 2009-11-10 23:00 UTC.
    assert_eq!(token.spec.code_at(1257894000).unwrap().text(), "528064");
}

#[test]
fn data_is_read_however_it_was_carried() {
    // Chosen so that its Base64 has both `+` and `/`, and needs padding.
    let payload = message(&[
        Bytes(1, &message(&[Bytes(1, &[0xfb, 0xef, 0xbe, 0xff, 0xbf]), Bytes(2, b"a"), Number(6, 2)])),
        Number(3, 1),
    ]);
    let plain = BASE64.encode(&payload);
    assert!(plain.contains('+') && plain.contains('/') && plain.ends_with('='), "{plain}");
    let expected = parse(&link(&payload)).unwrap();
    assert!(expected.entries[0].is_ok());
    for data in [
        plain.clone(),
        plain.replace('+', " "),
        plain.replace('+', "%20"),
        plain.trim_end_matches('=').to_owned(),
        BASE64URL_NOPAD.encode(&payload),
        plain.replace('/', "%2F").replace('+', "%2b"),
        format!("{}\r\n{}", &plain[..8], &plain[8..]),
    ] {
        for before in
            ["otpauth-migration://offline?data=", "OTPAUTH-MIGRATION://offline?x=1&Data=", " otpauth-migration:?data="]
        {
            assert_eq!(parse(&format!("{before}{data}")), Ok(expected.clone()), "{before}{data}");
        }
    }
}

#[test]
fn what_is_no_part_is_an_error() {
    for (text, error) in [
        ("", MigrationError::NotAMigration),
        ("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP", MigrationError::NotAMigration),
        ("otpauth-migrätion", MigrationError::NotAMigration),
        ("otpauth-migration://offline", MigrationError::DataMissing),
        ("otpauth-migration://offline?data=", MigrationError::DataMissing),
        ("otpauth-migration://offline?date=CjEK", MigrationError::DataMissing),
        ("otpauth-migration://offline?data=C*EK", MigrationError::Base64),
        ("otpauth-migration://offline?data=CjEKC", MigrationError::Base64),
        ("otpauth-migration://offline?data=CjEK", MigrationError::Damaged),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
    let long = format!("otpauth-migration://offline?data={}", "A".repeat(MAX_BYTES));
    assert_eq!(parse(&long), Err(MigrationError::TooLong));
}

#[test]
fn impossible_batches_are_refused() {
    for (index, size) in [(1, 1), (-1, 1), (0, -1), (7, 3), (0, i32::MAX), (i32::MAX, i32::MAX), (1, 0)] {
        let text = link(&message(&[Number(3, size.into()), Number(4, index.into())]));
        let shown = if size == 0 { 1 } else { size };
        assert_eq!(parse(&text), Err(MigrationError::Batch { index, size: shown }), "{index} of {size}");
    }
    // A payload that says nothing of batches is the only part.
    let part = parse(&link(&message(&[Bytes(1, &message(&[Bytes(1, KEY)]))]))).unwrap();
    assert_eq!((part.index, part.size), (0, 1));
}

#[test]
fn a_batch_id_may_be_negative_and_unknown_fields_are_skipped() {
    let entry = message(&[Bytes(1, KEY), Bytes(2, b"a"), Number(6, 2), Bytes(8, b"unique"), Number(15, -1)]);
    let part =
        parse(&link(&message(&[Bytes(1, &entry), Number(3, 2), Number(4, 1), Number(5, -1234567), Bytes(9, b"?")])));
    let part = part.unwrap();
    assert_eq!((part.batch_id, part.index, part.size), (-1234567, 1, 2));
    assert_eq!(part.entries[0].as_ref().unwrap().spec, totp("", "a"));
}

#[test]
fn entries_say_what_they_are() {
    let read = |fields: &[Field<'_>]| one(fields).entries.remove(0).unwrap();
    // Unspecified: SHA-1 and six digits, and a note where not even the type is named.
    let token = read(&[Bytes(1, KEY), Bytes(2, b"a")]);
    assert_eq!((token.spec, token.warnings), (totp("", "a"), vec![Warning::TypeMissing]));
    for (number, algorithm) in [(1, Algorithm::Sha1), (2, Algorithm::Sha256), (3, Algorithm::Sha512)] {
        let token = read(&[Bytes(1, KEY), Bytes(2, b"a"), Number(4, number), Number(5, 2), Number(6, 1), Number(7, 9)]);
        assert_eq!(token.spec.kind, Kind::Hotp { algorithm, digits: Digits::EIGHT, counter: 9 });
        assert_eq!(token.warnings, []);
    }
    let token = read(&[Bytes(1, KEY), Number(5, 1), Number(6, 1)]);
    assert_eq!(token.spec.kind.counter(), Some(0));
    assert_eq!(token.warnings, [Warning::NameMissing]);
    let token = read(&[Bytes(1, KEY), Bytes(2, b"M\xfcller"), Number(6, 2)]);
    assert_eq!(token.spec.account, "M%FCller");
}

#[test]
fn names_are_split_as_google_joins_them() {
    for (issuer, name, expected) in [
        ("Deno", "Mason", ("Deno", "Mason")),
        ("Deno", "Deno:Mason", ("Deno", "Mason")),
        ("Deno", "Deno: Mason", ("Deno", "Mason")),
        ("Deno", "x:Mason", ("Deno", "x:Mason")),
        ("", "Deno:Mason", ("Deno", "Mason")),
        ("", "Mason", ("", "Mason")),
        ("Deno", "", ("Deno", "")),
    ] {
        let part = one(&[Bytes(1, KEY), Bytes(2, name.as_bytes()), Bytes(3, issuer.as_bytes()), Number(6, 2)]);
        let spec = &part.entries[0].as_ref().unwrap().spec;
        assert_eq!((spec.issuer.as_str(), spec.account.as_str()), expected, "{issuer} {name}");
    }
}

#[test]
fn a_bad_entry_spoils_no_other() {
    let good = message(&[Bytes(1, KEY), Bytes(2, b"good"), Number(6, 2)]);
    let md5 = message(&[Bytes(1, KEY), Bytes(2, b"ada"), Bytes(3, b"Old"), Number(4, 4), Number(6, 2)]);
    let damaged = [0x0a, 0x7f, 0x01];
    let part = parse(&link(&message(&[Bytes(1, &md5), Bytes(1, &damaged), Bytes(1, &good), Number(3, 1)]))).unwrap();
    assert_eq!(part.entries.len(), 3);
    let error = part.entries[0].as_ref().unwrap_err();
    assert_eq!((error.position, error.title.as_str(), &error.problem), (1, "Old (ada)", &EntryProblem::Md5));
    let error = part.entries[1].as_ref().unwrap_err();
    assert_eq!((error.position, &error.problem), (2, &EntryProblem::Damaged));
    assert_eq!(part.entries[2].as_ref().unwrap().spec, totp("", "good"));

    assert_eq!(problem(&[Bytes(2, b"a")]), EntryProblem::Secret(SecretError::TooShort));
    assert_eq!(problem(&[Bytes(1, KEY), Number(4, 9)]), EntryProblem::Algorithm(9));
    assert_eq!(problem(&[Bytes(1, KEY), Number(5, 3)]), EntryProblem::Digits(3));
    assert_eq!(problem(&[Bytes(1, KEY), Number(6, 3)]), EntryProblem::Type(3));
    assert_eq!(problem(&[Bytes(1, KEY), Number(6, 1), Number(7, -1)]), EntryProblem::Counter(-1));
    assert_eq!(problem(&[Bytes(1, KEY), Bytes(2, &vec![b'a'; MAX_TEXT_BYTES + 1])]), EntryProblem::TooLong);
}

fn parts(tokens: &[TokenSpec], batch_id: i32) -> Vec<Part> {
    write(tokens, batch_id).parts.iter().map(|part| parse(part.expose()).unwrap()).collect()
}

fn named(count: usize) -> Vec<TokenSpec> {
    (0..count).map(|number| totp("Issuer", &format!("account {number}"))).collect()
}

fn specs(added: &Added) -> Vec<TokenSpec> {
    added.entries.iter().map(|entry| entry.as_ref().unwrap().spec.clone()).collect()
}

#[test]
fn ten_go_into_a_part() {
    for (tokens, expected) in [(0, 0), (1, 1), (10, 1), (11, 2), (100, 10)] {
        let tokens = named(tokens);
        let parts = parts(&tokens, -7);
        assert_eq!(parts.len(), expected);
        assert!(parts.iter().all(|part| part.batch_id == -7 && part.entries.len() <= ENTRIES_PER_PART));
        let read: Vec<_> = parts.into_iter().flat_map(|part| part.entries).map(|entry| entry.unwrap().spec).collect();
        assert_eq!(read, tokens);
    }
}

#[test]
fn what_google_cannot_hold_is_listed() {
    let mut with_image = totp("a", "b");
    with_image.uri_parameters.push(("image".into(), "x".into()));
    let hotp = |counter| Kind::Hotp { algorithm: Algorithm::Sha512, digits: Digits::EIGHT, counter };
    let tokens = [
        spec("a", "seven", totp_kind(7, 30)),
        totp("a", "fits"),
        spec("a", "minute", totp_kind(6, 60)),
        spec("a", "steam", Kind::Steam),
        spec("a", "motp", Kind::Motp { pin: None }),
        spec("a", "yandex", Kind::Yandex { pin: None }),
        spec("a", "far", hotp(1 << 63)),
        spec("a", "last", hotp((1 << 63) - 1)),
        with_image,
    ];
    let export = write(&tokens, 1);
    let left_out = [
        (0, Reason::Digits(7)),
        (2, Reason::Period(60)),
        (3, Reason::Kind(KindName::Steam)),
        (4, Reason::Kind(KindName::Motp)),
        (5, Reason::Kind(KindName::Yandex)),
        (6, Reason::Counter(1 << 63)),
    ];
    assert_eq!(export.left_out, left_out.map(|(index, reason)| LeftOut { index, reason }));
    assert_eq!(export.reduced, [8]);
    let part = parse(export.parts[0].expose()).unwrap();
    let read: Vec<_> = part.entries.into_iter().map(|entry| entry.unwrap().spec).collect();
    assert_eq!(read[..2], [tokens[1].clone(), tokens[7].clone()]);
    assert!(read[2].same_codes(&tokens[8]));
}

#[test]
fn parts_come_in_any_order_and_count_once() {
    let tokens = named(25);
    let [first, second, third] = <[Part; 3]>::try_from(parts(&tokens, 5)).unwrap();
    let mut collector = Collector::default();
    let added = collector.add(third.clone());
    assert_eq!((added.progress, specs(&added)), (Progress { have: 1, of: 3 }, tokens[20..].to_vec()));
    assert_eq!(collector.incomplete(), [(5, Progress { have: 1, of: 3 })]);
    let again = collector.add(third);
    assert_eq!((again.progress, again.entries, again.repeated), (Progress { have: 1, of: 3 }, vec![], true));

    // Another export in between.
    let other = collector.add(parts(&named(12), -5).remove(1));
    assert_eq!((other.progress, other.conflicting), (Progress { have: 1, of: 2 }, false));

    assert_eq!(specs(&collector.add(first)), tokens[..10]);
    let added = collector.add(second);
    assert_eq!((added.progress, added.repeated, added.conflicting), (Progress { have: 3, of: 3 }, false, false));
    assert!(added.progress.is_complete());
    assert_eq!(collector.incomplete(), [(-5, Progress { have: 1, of: 2 })]);
}

/// Some apps give every export the same id: nothing may get lost by that.
#[test]
fn exports_of_one_id_that_are_not_one_stay_apart() {
    let mut collector = Collector::default();
    let (a, b) = (vec![totp("a", "a")], vec![totp("b", "b")]);
    collector.add(parts(&a, 0).remove(0));
    let added = collector.add(parts(&b, 0).remove(0));
    assert_eq!((specs(&added), added.conflicting, added.progress.is_complete()), (b.clone(), true, true));
    assert!(collector.add(parts(&b, 0).remove(0)).repeated);
    assert!(collector.add(parts(&a, 0).remove(0)).repeated);

    let many = named(15);
    let added = collector.add(parts(&many, 0).remove(1));
    assert_eq!((added.conflicting, added.progress), (true, Progress { have: 1, of: 2 }));
    let added = collector.add(parts(&many, 0).remove(0));
    assert_eq!((added.conflicting, added.progress), (false, Progress { have: 2, of: 2 }));
    assert_eq!(collector.incomplete(), []);
}

fn held_by_google() -> impl Strategy<Value = TokenSpec> {
    let name = prop_oneof!["[a-c: ]{0,6}", any::<String>()];
    let algorithm = prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)];
    let digits = prop_oneof![Just(Digits::SIX), Just(Digits::EIGHT)];
    let counter = proptest::option::of(0..=i64::MAX as u64);
    (name.clone(), name, algorithm, digits, counter, vec(any::<u8>(), 1..64)).prop_map(
        |(issuer, account, algorithm, digits, counter, secret)| TokenSpec {
            kind: match counter {
                Some(counter) => Kind::Hotp { algorithm, digits, counter },
                None => Kind::Totp { algorithm, digits, period: Period::THIRTY },
            },
            secret: TokenSecret::from_bytes(secret).unwrap(),
            ..totp(&issuer, &account)
        },
    )
}

proptest! {
    #[test]
    fn a_written_export_is_read_as_it_was(tokens in vec(held_by_google(), 0..25), batch_id in any::<i32>()) {
        let export = write(&tokens, batch_id);
        prop_assert_eq!(&export.left_out, &vec![]);
        let mut read = vec![];
        for part in &export.parts {
            let part = parse(part.expose());
            prop_assert!(part.is_ok());
            for entry in part.unwrap().entries {
                read.push(entry.map(|parsed| parsed.spec));
            }
        }
        prop_assert_eq!(read, tokens.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn no_payload_is_too_strange(bytes in vec(any::<u8>(), 0..80), text in any::<String>()) {
        let _ = parse(&link(&bytes));
        let _ = parse(&text);
        let _ = parse(&format!("otpauth-migration://offline?data={text}"));
    }
}
