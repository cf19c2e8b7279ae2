//! Tokens through each exporter and back through its importer.

use countersign_core::{
    export::{self, Lock, Loss, Part},
    import::Outcome,
    secret::SecretText,
    token::{Algorithm, Digits, GroupId, Kind, Period, Token, TokenId, TokenSecret, TokenSpec},
    vault::Content,
};
use proptest::{collection::vec, prelude::*, strategy::ValueTree as _, test_runner::Config};

use super::kit::{Counting, NOW, read};

/// Names as people have them: any script, marks of links and pages, long ones, none.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[A-Za-z0-9 .@+&%#/<>\"'?=_-]{0,20}",
        2 => "[\\p{L}\\p{N}]{1,12}",
        1 => "[a-z]{300}",
        1 => Just(String::new()),
    ]
    .prop_map(|name| name.trim().to_owned())
}

fn kind() -> impl Strategy<Value = Kind> {
    let algorithm = prop::sample::select(vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
    let digits = (4u64..=12).prop_map(|digits| Digits::new(digits).unwrap());
    let period = prop_oneof![Just(30u64), Just(60), 1u64..=u64::from(u32::MAX)];
    let period = period.prop_map(|period| Period::new(period).unwrap());
    let counter = prop_oneof![0u64..100, Just(i64::MAX as u64), Just(u64::MAX), any::<u64>()];
    let pin = || "[0-9a-zA-Zä]{4,8}".prop_map(|pin| Some(SecretText::new(pin)));
    prop_oneof![
        4 => (algorithm.clone(), digits.clone(), period)
            .prop_map(|(algorithm, digits, period)| Kind::Totp { algorithm, digits, period }),
        3 => (algorithm, digits, counter)
            .prop_map(|(algorithm, digits, counter)| Kind::Hotp { algorithm, digits, counter }),
        1 => Just(Kind::Steam),
        1 => prop_oneof![Just(None), pin()].prop_map(|pin| Kind::Motp { pin }),
        1 => prop_oneof![Just(None), pin()].prop_map(|pin| Kind::Yandex { pin }),
    ]
}

fn spec() -> impl Strategy<Value = TokenSpec> {
    (name(), name(), kind(), vec(any::<u8>(), 1..40)).prop_map(|(issuer, account, kind, mut secret)| {
        if matches!(kind, Kind::Yandex { .. }) {
            secret.resize(16, 1);
        }
        let secret = TokenSecret::from_bytes(secret).unwrap();
        TokenSpec { issuer, account, kind, secret, label_issuer: None, uri_parameters: Vec::new() }
    })
}

/// A vault of these tokens; some in groups, some with notes, the last with the secret of the first.
fn content(specs: Vec<TokenSpec>, groups: &[bool]) -> Content {
    let mut content = Content::default();
    let group: GroupId = content.group(GroupId::from_random([1; 16]), "Work & <Play>");
    let first = specs.first().map(|spec| (spec.secret.clone(), spec.kind.name()));
    let count = specs.len();
    for (at, mut spec) in specs.into_iter().enumerate() {
        if let Some((secret, kind)) = &first
            && at + 1 == count
            && *kind == spec.kind.name()
        {
            spec.secret = secret.clone();
        }
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(at as u64).to_le_bytes());
        let id = content.add(TokenId::from_random(id), spec, NOW);
        let grouped = groups.get(at).copied().unwrap_or_default();
        let change = countersign_core::vault::content::Change {
            groups: grouped.then(|| vec![group]),
            note: grouped.then(|| "a note\nof two lines".to_owned()),
            favourite: Some(grouped),
            ..Default::default()
        };
        content.change(id, change, NOW).unwrap();
    }
    content
}

/// What the format keeps of a token, as the importer gives it back.
fn kept(token: &Token, losses: &[(TokenId, Loss)]) -> (String, String) {
    let spec = &token.spec;
    let moved = losses.iter().any(|(id, loss)| *id == token.id && *loss == Loss::Without(Part::Issuer));
    match (moved, spec.account.is_empty()) {
        (false, _) => (spec.issuer.clone(), spec.account.clone()),
        (true, false) => (spec.account.clone(), String::new()),
        (true, true) => ("Token".to_owned(), String::new()),
    }
}

fn check(format: &export::Format, content: &Content) {
    let password = SecretText::new("correct horse".to_owned());
    let lock = format.encrypted.then_some(Lock { password: &password });
    let export = export::write(content, format, lock, &mut Counting::default(), NOW).unwrap();
    let left_out = export.losses.iter().filter(|(_, loss)| matches!(loss, Loss::LeftOut(_))).count();
    assert_eq!(export.written.len() + left_out, content.tokens().len(), "{format:?}: every token is in it or named");
    if export.written.is_empty() {
        return;
    }
    let back = read(&export.bytes, format.encrypted.then_some("correct horse"))
        .unwrap_or_else(|error| panic!("{format:?}: {error}"));
    assert_eq!(back.count(), export.written.len(), "{format:?}");
    for (record, id) in back.records.iter().zip(&export.written) {
        let token = content.token(*id).unwrap();
        let Outcome::Token(draft) = &record.outcome else { panic!("{format:?}: {token:?} {record:?}") };
        let spec = &draft.spec;
        assert_eq!(spec.kind, token.spec.kind, "{format:?}");
        assert_eq!(spec.secret.bytes(), token.spec.secret.bytes(), "{format:?}");
        assert_eq!((spec.issuer.clone(), spec.account.clone()), kept(token, &export.losses), "{format:?}");
        let lost = |part: Part| export.losses.contains(&(*id, Loss::Without(part)));
        if !lost(Part::Groups) {
            assert_eq!(draft.groups.len(), token.groups.len(), "{format:?}");
        }
        assert!(lost(Part::Note) || draft.note == token.note, "{format:?}");
        assert!(lost(Part::Favourite) || draft.favourite == token.favourite, "{format:?}");
    }
}

/// Pages of QR codes, which take long to draw.
const PAGES: [&str; 2] = ["html", "google"];

proptest! {
    #![proptest_config(Config { cases: 64, ..Config::default() })]

    #[test]
    fn tokens_come_back_from_each_plain_file(specs in vec(spec(), 1..8), groups in vec(any::<bool>(), 8)) {
        let content = content(specs, &groups);
        for format in export::FORMATS.iter().filter(|format| !format.encrypted && !PAGES.contains(&format.id)) {
            check(format, &content);
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 6, ..Config::default() })]

    #[test]
    fn tokens_come_back_from_each_page(specs in vec(spec(), 1..5)) {
        let content = content(specs, &[]);
        for id in PAGES {
            check(export::format(id).unwrap(), &content);
        }
    }
}

/// Once each: a derivation takes its time.
#[test]
fn tokens_come_back_from_each_encrypted_format() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let specs = vec(spec(), 12..13).new_tree(&mut runner).unwrap().current();
    let content = content(specs, &[true, false, true]);
    for format in export::FORMATS.iter().filter(|format| format.encrypted) {
        check(format, &content);
    }
}

/// What each app cannot hold is told.
#[test]
fn losses_are_named() {
    let spec = |kind| TokenSpec {
        issuer: "Ash".into(),
        account: "ada".into(),
        kind,
        secret: TokenSecret::from_bytes(vec![7; 20]).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    };
    let totp = Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::new(45).unwrap() };
    let content = content(vec![spec(totp), spec(Kind::Motp { pin: None })], &[true]);
    let told = |format: &str| -> Vec<String> {
        let format = export::format(format).unwrap();
        let export = export::write(&content, format, None, &mut Counting::default(), NOW).unwrap();
        export.losses.iter().map(|(_, loss)| loss.to_string()).collect()
    };
    assert_eq!(told("uri"), ["without its groups", "without its note", "without its mark as a favourite"]);
    assert_eq!(told("aegis"), ["left out: such a token needs its PIN there, and this one has none"]);
    assert_eq!(
        told("2fas"),
        [
            "left out: there is no period of 45 seconds there, only 10, 30, 60 and 90",
            "left out: there are no motp tokens there"
        ]
    );
    assert_eq!(
        told("google"),
        [
            "left out: Google Authenticator has periods of 30 seconds, not 45",
            "left out: Google Authenticator has no motp tokens"
        ]
    );
}
