//! The content's text: whatever is in it survives a round trip through this program.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    token::{Algorithm, Digits, Period, Registration, TokenSecret},
    vault::{fixtures::sample, testing::Seeded},
};

const NOW: u64 = 1_790_000_000;

/// A content with fields of a newer program at every level.
pub(in crate::vault) const UNKNOWN_FIELDS: &str = r#"{
    "content_version": 1,
    "later": {"deep": [1.50, 1e400, -0, "\u00e9"]},
    "tokens": [
        {"id": "01010101-0101-4101-8101-010101010101", "colour": "red", "spec": {"issuer": "A", "account": "a",
         "kind": "totp", "algorithm": "SHA1", "digits": 6, "period": 30, "counter": 5, "secret": "GEZDGNBVGY3TQOJQ",
         "drift": [0.5]}, "groups": ["03030303-0303-4303-8303-030303030303"], "created_at": 1, "updated_at": 2,
         "registration": {"server": "s", "token_id": "t", "app_id": "a", "registered_at": 3, "colour": false},
         "history": [{"replaced_at": 1, "by": "me", "spec": {"issuer": "B", "account": "b", "kind": "steam",
         "secret": "GEZDGNBVGY3TQOJQ", "old": null}}, {"replaced_at": 2, "spec": {"issuer": "C", "account": "c",
         "kind": "steam", "secret": "GEZDGNBVGY3TQOJQ"}}]},
        {"id": "02020202-0202-4202-8202-020202020202", "spec": {"issuer": "From tomorrow", "account": "x",
         "kind": "quantum", "secret": "GEZDGNBVGY3TQOJQ"}, "created_at": 1, "updated_at": 1},
        {"id": "04040404-0404-4404-8404-040404040404", "spec": {"issuer": "D", "account": "d", "kind": "steam",
         "secret": "GEZDGNBVGY3TQOJQ"}, "created_at": 1, "updated_at": 2}
    ],
    "groups": [{"id": "03030303-0303-4303-8303-030303030303", "name": "Work", "icon": "w"}],
    "trash": [{"id": "05050505-0505-4505-8505-050505050505", "removed_at": 5000000000, "why": "x", "spec": {"issuer": "E",
         "account": "e", "kind": "steam", "secret": "GEZDGNBVGY3TQOJQ"}, "created_at": 1, "updated_at": 2}],
    "imports": [{"at": 1, "source": "Aegis", "added": [], "file": "x.json"}],
    "settings": {"lock": {"after": 300, "later": [1.0]}},
    "app_keys": {"https://pam.example.org": {"key": "AAAA"}}
}"#;

fn read(text: &str) -> Content {
    Content::from_json(text.as_bytes()).unwrap()
}

fn written(content: &Content) -> String {
    String::from_utf8(content.to_json().to_vec()).unwrap()
}

#[test]
fn every_field_of_every_kind_survives() {
    let content = sample();
    assert_eq!(read(&written(&content)), content);
    assert_eq!(content.tokens().len(), 5);
}

#[test]
fn fields_of_a_newer_program_survive_at_every_level() {
    let content = read(UNKNOWN_FIELDS);
    assert_eq!(content.tokens().len(), 2);
    let again = written(&content);
    // Without 1e400, which a `Value` cannot hold: its word-for-word survival is checked on the text.
    assert!(again.contains("1e400") && again.contains("1.50") && again.contains("\"\\u00e9\""));
    let value = |text: &str| serde_json::from_str::<Value>(&text.replace("1e400", "0")).unwrap();
    assert_eq!(value(&again), value(UNKNOWN_FIELDS));
    assert_eq!(read(&again), content);
}

#[test]
fn an_unreadable_entry_is_kept_word_for_word_in_its_place() {
    let mut content = read(UNKNOWN_FIELDS);
    let shown = &content.unreadable()[0];
    assert_eq!(shown.name, "From tomorrow (x)");
    assert_eq!(shown.reason, "its kind \"quantum\" is unknown");
    let start = UNKNOWN_FIELDS.find("{\"id\": \"0202").unwrap();
    let entry = &UNKNOWN_FIELDS[start..UNKNOWN_FIELDS.find(",\n        {\"id\": \"0404").unwrap()];
    let text = written(&content);
    let at = text.find(entry).expect("word for word, white space included");
    assert!(text.find("\"issuer\":\"A\"").unwrap() < at && at < text.find("\"issuer\":\"D\"").unwrap());
    // It also stays where its neighbours go.
    for token in content.tokens().to_vec() {
        content.remove(token.id, NOW).unwrap();
    }
    assert!(written(&content).contains(entry));
    assert_eq!(read(&written(&content)), content);
}

#[test]
fn what_cannot_be_read_never_keeps_the_rest_from_opening() {
    let good = r#"{"id":"01010101-0101-4101-8101-010101010101","spec":{"issuer":"A","account":"a","kind":"totp",
        "algorithm":"SHA1","digits":6,"period":30,"secret":"GEZDGNBV"},"created_at":1,"updated_at":1}"#;
    let broken = [
        "null",
        "[]",
        "17",
        "\"GEZDGNBV\"",
        "{}",
        &good.replace("01010101-", "x"),
        &good.replace("\"digits\":6,", ""),
        &good.replace("\"digits\":6", "\"digits\":0"),
        &good.replace("\"digits\":6", "\"digits\":\"6\""),
        &good.replace("\"period\":30", "\"period\":0"),
        &good.replace("SHA1", "MD5"),
        &good.replace("GEZDGNBV", ""),
        &good.replace("GEZDGNBV", "gezdgnbv"),
        &good.replace("GEZDGNBV", "0189"),
        &good.replace("\"GEZDGNBV\"", "1234567890"),
        &good.replace("\"created_at\":1,", ""),
        &good.replace("\"created_at\":1", "\"created_at\":1,\"created_at\":2"),
        &good.replace("\"created_at\":1", "\"created_at\":-1"),
        &good.replace("\"created_at\":1", "\"created_at\":1,\"history\":[{}]"),
        &good.replace("\"created_at\":1", "\"created_at\":1,\"registration\":{}"),
    ];
    let text = format!("{{\"content_version\":1,\"tokens\":[{good},{}]}}", broken.join(","));
    let content = read(&text);
    assert_eq!(content.tokens().len(), 1);
    assert_eq!(content.unreadable().len(), broken.len());
    for entry in content.unreadable() {
        assert!(!entry.reason.is_empty() && !entry.reason.contains("1234567890"), "{entry:?}");
    }
    let again = written(&content);
    assert!(broken.iter().all(|entry| again.contains(entry)));
    assert_eq!(read(&again), content);
}

#[test]
fn what_is_no_content_is_an_error() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "{\"content_version\":1}",
        "{\"content_version\":1,\"tokens\":{}}",
        "{\"content_version\":0}",
        "\u{0}",
    ] {
        assert!(matches!(Content::from_json(text.as_bytes()), Err(ContentError::Malformed(_))), "{text}");
    }
    assert!(matches!(Content::from_json(b"\xff"), Err(ContentError::Malformed(_))));
    assert_eq!(Content::from_json(b"{\"content_version\":2,\"tokens\":5}").err(), Some(ContentError::Newer(2)));
    assert_eq!(Content::from_json(b"{\"content_version\":1,\"tokens\":[]}").unwrap(), Content::default());
}

#[test]
fn fields_of_a_newer_program_follow_their_token() {
    let mut content = read(UNKNOWN_FIELDS);
    let id = content.tokens()[0].id;
    let mut spec = content.tokens()[0].spec.clone();
    spec.issuer = "New".to_owned();
    content.change(id, Change { spec: Some(spec), ..Change::default() }, NOW).unwrap();
    let value: Value = serde_json::from_str(&written(&content).replace("1e400", "0")).unwrap();
    assert_eq!(value["tokens"][0]["spec"]["drift"], serde_json::json!([0.5]));
    assert_eq!(value["tokens"][0]["history"][2]["spec"]["drift"], serde_json::json!([0.5]));
    assert_eq!(value["tokens"][0]["history"][0]["by"], "me");
    assert_eq!(read(&written(&content)), content);

    let mut other = Content::default();
    other.merge(&content, "backup", &mut Seeded::new(1), NOW);
    let merged: Value = serde_json::from_str(&written(&other)).unwrap();
    assert_eq!(merged["tokens"][0], value["tokens"][0]);
    assert_eq!(merged["trash"][0], value["trash"][0]);
    assert_eq!(other.unreadable(), content.unreadable());
    assert_eq!(read(&written(&other)), other);
}

#[test]
fn two_tokens_of_one_id_are_both_there() {
    let good = r#"{"id":"01010101-0101-4101-8101-010101010101","spec":{"issuer":"A","account":"a","kind":"steam",
        "secret":"GEZDGNBV"},"created_at":1,"updated_at":1}"#;
    let trashed = good.replace("\"created_at\"", "\"removed_at\":5,\"created_at\"");
    let text = format!("{{\"content_version\":1,\"tokens\":[{good},{good},{good}],\"trash\":[{trashed}]}}");
    let mut content = read(&text);
    assert_eq!((content.tokens().len(), content.trash().len(), content.unreadable().len()), (3, 1, 0));
    assert_eq!(content, read(&text));
    content.remove(content.tokens()[0].id, NOW).unwrap();
    assert_eq!(content.tokens().len(), 2);
    assert_eq!(read(&written(&content)), content);
}

#[test]
fn a_field_that_meant_nothing_gives_way_to_the_parameter() {
    let mut content = read(UNKNOWN_FIELDS);
    let id = content.tokens()[0].id;
    let mut spec = content.tokens()[0].spec.clone();
    spec.kind = Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: 7 };
    content.change(id, Change { spec: Some(spec), ..Change::default() }, NOW).unwrap();
    assert_eq!(read(&written(&content)), content);
    assert_eq!(read(&written(&content)).tokens()[0].spec.kind.counter(), Some(7));
}

#[test]
fn a_backup_has_no_key_and_no_private_setting() {
    let content = read(UNKNOWN_FIELDS);
    let text = String::from_utf8(content.to_backup_json().to_vec()).unwrap();
    for private in ["settings", "app_keys", "AAAA", "later\":{\"deep"] {
        assert!(!text.contains(private), "{private}");
    }
    let back = Content::from_backup_json(text.as_bytes()).unwrap();
    assert_eq!(back.tokens(), content.tokens());
    assert_eq!(back.unreadable(), content.unreadable());
    assert!(back.tokens()[0].registration.is_some());
}

#[test]
fn a_setting_is_set_and_removed() {
    let mut content = sample();
    assert_eq!(content.setting("lock_after"), Some("300"));
    content.set_setting("lock_after", Some(&Value::from(60)));
    assert_eq!(read(&written(&content)).setting("lock_after"), Some("60"));
    content.set_setting("lock_after", None);
    assert_eq!(content.setting("lock_after"), None);
}

fn any_spec() -> impl Strategy<Value = TokenSpec> {
    let algorithm = prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)];
    let digits = (1u64..=12).prop_map(|digits| Digits::new(digits).unwrap());
    let period = (1u64..=u64::from(u32::MAX)).prop_map(|period| Period::new(period).unwrap());
    let pin = || proptest::option::of(any::<String>().prop_map(SecretText::new));
    let kind = prop_oneof![
        (algorithm.clone(), digits.clone(), period).prop_map(|(algorithm, digits, period)| Kind::Totp {
            algorithm,
            digits,
            period
        }),
        (algorithm, digits, any::<u64>()).prop_map(|(algorithm, digits, counter)| Kind::Hotp {
            algorithm,
            digits,
            counter
        }),
        Just(Kind::Steam),
        pin().prop_map(|pin| Kind::Motp { pin }),
        pin().prop_map(|pin| Kind::Yandex { pin }),
    ];
    let bytes = || proptest::collection::vec(any::<u8>(), 1..70);
    let secret = prop_oneof![
        bytes().prop_map(|bytes| TokenSecret::from_bytes(bytes).unwrap()),
        (bytes(), any::<String>()).prop_map(|(bytes, text)| TokenSecret::from_parts(bytes, text).unwrap()),
    ];
    let parameters = proptest::collection::vec((any::<String>(), any::<String>()), 0..3);
    (any::<String>(), any::<String>(), kind, secret, proptest::option::of(any::<String>()), parameters).prop_map(
        |(issuer, account, kind, secret, label_issuer, uri_parameters)| TokenSpec {
            issuer,
            account,
            kind,
            secret,
            label_issuer,
            uri_parameters,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn any_content_survives(
        specs in proptest::collection::vec((any_spec(), any::<String>(), any::<[u64; 5]>(), any::<bool>()), 0..12),
        names in proptest::collection::vec(any::<String>(), 0..4),
    ) {
        let mut content = Content::default();
        let groups: Vec<GroupId> = names.iter().enumerate()
            .map(|(at, name)| content.group(GroupId::from_random([at as u8; 16]), name)).collect();
        for (at, (spec, text, numbers, flag)) in specs.into_iter().enumerate() {
            let id = content.add(TokenId::from_random([at as u8; 16]), spec, numbers[0]);
            let change = Change {
                note: Some(text.clone()),
                favourite: Some(flag),
                icon: Some(flag.then(|| text.clone())),
                groups: Some(groups.clone()),
                ..Change::default()
            };
            content.change(id, change, numbers[1]).unwrap();
            let token = content.tokens.last_mut().unwrap();
            token.used_at = flag.then_some(numbers[2]);
            token.use_count = numbers[3];
            token.registration = flag.then(|| Registration {
                server: text.clone(), token_id: text.clone(), app_id: text, registered_at: numbers[4],
                moved_at: (numbers[4] % 3 == 0).then_some(numbers[4]), taken_back: numbers[4] % 5 == 0,
                exportable: numbers[4] % 2 == 0,
            });
            if flag && numbers[4] % 2 == 0 {
                content.remove(id, numbers[2]).unwrap();
            }
        }
        prop_assert_eq!(&read(&written(&content)), &content);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Content::from_json(text.as_bytes());
    }
}
