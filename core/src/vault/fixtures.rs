//! Writes the fixtures of the current version, once, before a version is released; they are read for ever after.

use serde_json::json;

use super::{
    Content, KdfParams, Session,
    content::Change,
    file::VaultFile,
    slot::{PasswordKey, Slot},
    store::FileStore,
    testing::Seeded,
};
use crate::{
    secret::{Password, SecretText},
    token::{Algorithm, Digits, GroupId, Kind, Period, Registration, TokenId, TokenSecret, TokenSpec},
};

const NOW: u64 = 1_790_000_000;

fn kdf() -> KdfParams {
    KdfParams::new(64, 2, 2).unwrap()
}

fn spec(issuer: &str, kind: Kind, secret: TokenSecret) -> TokenSpec {
    TokenSpec {
        issuer: issuer.to_owned(),
        account: "zoë@example.org".to_owned(),
        kind,
        secret,
        label_issuer: Some("Label".to_owned()),
        uri_parameters: vec![("image".to_owned(), "https://example.org/x.png?a=1&b=2".to_owned())],
    }
}

/// Every kind and every field.
pub(super) fn sample() -> Content {
    let mut content = Content::default();
    let secret = || TokenSecret::from_bytes((0..26).collect()).unwrap();
    let totp = Kind::Totp { algorithm: Algorithm::Sha512, digits: Digits::EIGHT, period: Period::new(45).unwrap() };
    let hotp = Kind::Hotp { algorithm: Algorithm::Sha256, digits: Digits::SIX, counter: u64::MAX };
    let pin = || Some(SecretText::new("12\"34\u{1}".to_owned()));
    let id = |number| TokenId::from_random([number; 16]);
    let first =
        content.add(id(1), spec("Example", totp, TokenSecret::from_base32("gezd gnbv gy3t qojq").unwrap()), NOW);
    content.add(id(2), spec("Bank", hotp, secret()), NOW);
    content.add(id(3), spec("Steam", Kind::Steam, secret()), NOW);
    content.add(id(4), spec("Server", Kind::Motp { pin: pin() }, TokenSecret::from_hex("E3 15 2a").unwrap()), NOW);
    content.add(id(5), spec("Yandex", Kind::Yandex { pin: None }, secret()), NOW);
    let removed = content.add(id(6), spec("Removed", Kind::Yandex { pin: pin() }, secret()), NOW);
    content.remove(removed, NOW).unwrap();
    let group = content.group(GroupId::from_random([9; 16]), "Work");
    let change = Change {
        groups: Some(vec![group]),
        favourite: Some(true),
        note: Some("a \"note\"\nin two lines".to_owned()),
        icon: Some(Some("example".to_owned())),
        ..Change::default()
    };
    content.change(first, change, NOW + 1).unwrap();
    content.note_use(first, NOW + 2).unwrap();
    content.tokens[0].registration = Some(Registration {
        server: "https://pam.example.org".to_owned(),
        token_id: "t-1".to_owned(),
        app_id: "a-1".to_owned(),
        registered_at: NOW,
        moved_at: None,
        taken_back: false,
        exportable: true,
    });
    let mut source = Content::default();
    source.add(id(5), content.tokens[4].spec.clone(), NOW);
    content.tokens.pop();
    content.merge(&source, "Aegis", &mut Seeded::new(3), NOW);
    content.set_setting("lock_after", Some(&json!(300)));
    content
}

#[test]
#[ignore = "writes the fixtures of the current version"]
fn write_fixtures() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vault");
    let mut rng = Seeded::new(20_260_101);
    let make = |name: &str, rng: &mut Seeded| {
        let path = folder.join(name);
        let _ = std::fs::remove_file(&path);
        let password = Password::new("fixture");
        (path.clone(), Session::create(Box::new(FileStore::new(path)), &password, kdf(), rng, NOW).unwrap())
    };

    let (_, mut session) = make("v1.json", &mut rng);
    let recovery = session.new_recovery_key(&mut rng, NOW).unwrap();
    session.add_device_slot("phone", &mut rng, NOW).unwrap();
    let fill = |content: &mut Content| {
        *content = sample();
        Ok::<_, ()>(())
    };
    session.edit(&mut rng, NOW, fill).unwrap();
    // The randomness is seeded: a change of what is written shows here, and belongs into the README too.
    assert_eq!(recovery.expose(), "V1XH-GSQ6-C0PF-K8WR-5HJP-2YKC-TDTD-6C0B");

    let (path, _) = make("v1-unknown-fields.json", &mut rng);
    let bytes = std::fs::read(&path).unwrap();
    let mut header = VaultFile::read(&bytes).ok().unwrap().header;
    header.put_unknown("from_the_future", json!({ "a": [1, "x"] }));
    let key = PasswordKey::new(&Password::new("fixture"), kdf(), &mut rng).unwrap();
    let master = super::cipher::random_key(&mut rng);
    let slot = Slot::password(header.slots[0].id(), header.vault_id, &key, &master, &mut rng).unwrap();
    let mut slot = slot.to_value();
    slot["hint"] = "a field of a slot".into();
    let passkey = json!({ "type": "passkey", "id": "11111111-1111-4111-8111-111111111111", "credential": "abc" });
    header.slots = vec![Slot::read(&slot).unwrap(), Slot::read(&passkey).unwrap()];
    let text = super::content::UNKNOWN_FIELDS;
    std::fs::write(&path, header.encode(&master, [7; 12], text.as_bytes()).unwrap()).unwrap();
    for left in std::fs::read_dir(&folder).unwrap().flatten() {
        let name = left.file_name().into_string().unwrap();
        if name.contains(".json.") {
            std::fs::remove_file(left.path()).unwrap();
        }
    }
}
