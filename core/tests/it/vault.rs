//! The vault through its public doors: what is saved is there, and what is not whole does not open.

#![allow(clippy::unwrap_used)]

use std::{fs, io, path::Path, thread};

use countersign_core::{
    secret::{Password, SecretText},
    token::{Algorithm, Digits, GroupId, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::{
        Content, KdfParams, RecoveryKeyError, Session, SlotKind,
        content::{Change, MAX_HISTORY, TRASH_SECONDS},
        newest_good,
        session::{EditError, Key, OpenError, SaveError, look},
        store::{FileStore, Guard, Part, Store},
        verify,
    },
};
use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(crate) const NOW: u64 = 1_790_000_000;

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// The smallest that Argon2 allows: tests derive keys thousands of times.
pub(crate) fn kdf() -> KdfParams {
    KdfParams::new(8, 1, 1).unwrap()
}

pub(crate) fn password(text: &str) -> Key {
    Key::Password(Password::new(text))
}

pub(crate) fn random_id() -> TokenId {
    let mut bytes = [0; 16];
    rng().fill_bytes(&mut bytes);
    TokenId::from_random(bytes)
}

pub(crate) fn spec(issuer: &str) -> TokenSpec {
    let mut secret = vec![0; 20];
    rng().fill_bytes(&mut secret);
    TokenSpec {
        issuer: issuer.to_owned(),
        account: "user@example.org".to_owned(),
        kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY },
        secret: TokenSecret::from_bytes(secret).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    }
}

pub(crate) fn create(path: &Path) -> Session {
    Session::create(Box::new(FileStore::new(path)), &Password::new("pass"), kdf(), &mut rng(), NOW).unwrap()
}

pub(crate) fn open(path: &Path) -> Result<Session, OpenError> {
    Session::open(Box::new(FileStore::new(path)), &password("pass"))
}

pub(crate) fn add(session: &mut Session, issuer: &str) -> Result<TokenId, EditError<()>> {
    session.edit(&mut rng(), NOW, |content| Ok(content.add(random_id(), spec(issuer), NOW)))
}

pub(crate) fn issuers(content: &Content) -> Vec<&str> {
    content.tokens().iter().map(|token| token.spec.issuer.as_str()).collect()
}

fn edit<T>(session: &mut Session, now: u64, change: impl FnOnce(&mut Content) -> T) -> T {
    session.edit::<_, ()>(&mut rng(), now, |content| Ok(change(content))).unwrap()
}

fn open_with(path: &Path, key: &Key) -> Result<Session, OpenError> {
    Session::open(Box::new(FileStore::new(path)), key)
}

/// The file with its header changed, and a checksum that fits: what somebody does who means it.
fn with_header(file: &[u8], change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Vec<u8> {
    let mut all: serde_json::Map<String, Value> = serde_json::from_slice(file).unwrap();
    let payload = all.remove("payload").unwrap();
    all.remove("header_sha256").unwrap();
    change(&mut all);
    let mut canonical: Value = all.clone().into();
    canonical.sort_all_objects();
    let sum = data_encoding::HEXLOWER.encode(&Sha256::digest(canonical.to_string()));
    all.insert("header_sha256".to_owned(), sum.into());
    all.insert("payload".to_owned(), payload);
    serde_json::to_vec(&all).unwrap()
}

#[test]
fn what_is_saved_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/vault.json");
    let mut session = create(&path);
    add(&mut session, "GitHub").unwrap();
    let id = add(&mut session, "Corp").unwrap();
    assert_eq!(session.generation(), 3);
    let reopened = open(&path).unwrap();
    assert_eq!(reopened.content(), session.content());
    assert_eq!(reopened.content().find("corp")[0].id, id);
    assert!(matches!(Session::open(Box::new(FileStore::new(&path)), &password("other")), Err(OpenError::WrongKey)));
    assert!(matches!(open(&folder.path().join("none")), Err(OpenError::Missing(_))));
}

/// A current file in memory, to be read only.
struct Bytes(Vec<u8>);

impl Store for Bytes {
    fn path(&self) -> &Path {
        Path::new("memory")
    }

    fn read(&self, part: Part) -> io::Result<Option<Vec<u8>>> {
        Ok((part == Part::Current).then(|| self.0.clone()))
    }

    fn lock(&self) -> io::Result<Guard> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn exists(&self, part: Part) -> io::Result<bool> {
        Ok(part == Part::Current)
    }

    fn write_new(&self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_new(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn rename(&self, _: Part, _: Part) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn duplicate(&self, _: Part, _: Part) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, _: Part) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_folder(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn create_folder(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[test]
fn every_flipped_bit_is_told_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    session.new_recovery_key(&mut rng(), NOW).unwrap();
    add(&mut session, "GitHub").unwrap();
    let good = fs::read(&path).unwrap();
    thread::scope(|scope| {
        for part in 0..2 {
            let good = &good;
            scope.spawn(move || {
                for bit in (part..good.len() * 8).step_by(2) {
                    let mut bytes = good.clone();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    match Session::open(Box::new(Bytes(bytes)), &password("pass")) {
                        Err(OpenError::Damaged { .. }) => {}
                        Err(other) => panic!("bit {bit}: {other}"),
                        Ok(_) => panic!("bit {bit} of {:?} changed nothing", good[bit / 8] as char),
                    }
                }
            });
        }
    });
}

#[test]
fn a_file_cut_off_anywhere_is_told_as_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    create(&path);
    let good = fs::read(&path).unwrap();
    for length in 0..good.len() {
        fs::write(&path, &good[..length]).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Damaged { .. })), "{length}");
    }
    for more in ["x", "\0", "{}", "}"] {
        fs::write(&path, [&good, more.as_bytes()].concat()).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Damaged { .. })), "{more}");
    }
}

#[test]
fn a_changed_header_does_not_open_even_with_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    session.new_recovery_key(&mut rng(), NOW).unwrap();
    let good = fs::read(&path).unwrap();
    fs::write(&path, with_header(&good, |_| {})).unwrap();
    assert!(open(&path).is_ok(), "the helper itself keeps a file whole");

    type Tamper = fn(&mut serde_json::Map<String, Value>);
    let tampers: [(&str, Tamper); 6] = [
        ("generation", |header| header["generation"] = 9.into()),
        ("a slot less", |header| drop(header["slots"].as_array_mut().unwrap().pop())),
        ("a field more", |header| drop(header.insert("added".to_owned(), 1.into()))),
        ("a slot's time", |header| header["slots"][1]["created_at"] = 1.into()),
        ("a name", |header| header["slots"][1]["name"] = "x".into()),
        ("slots exchanged", |header| header["slots"].as_array_mut().unwrap().reverse()),
    ];
    for (what, tamper) in tampers {
        fs::write(&path, with_header(&good, tamper)).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Damaged { .. })), "{what}");
    }
    // What the key's own wrapping is bound to shows as a key that does not fit.
    let bound: [(&str, Tamper); 3] = [
        ("vault id", |header| header["vault_id"] = "00000000-0000-4000-8000-000000000000".into()),
        ("slot id", |header| header["slots"][0]["id"] = "00000000-0000-4000-8000-000000000000".into()),
        ("kdf", |header| header["slots"][0]["kdf"]["passes"] = 2.into()),
    ];
    for (what, tamper) in bound {
        fs::write(&path, with_header(&good, tamper)).unwrap();
        assert!(matches!(open(&path), Err(OpenError::WrongKey)), "{what}");
    }
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    create(&path);
    let good = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("{\"format\"", "{\"generation\":1,\"format\""),
        ("\"passes\":1", "\"passes\":1,\"passes\":1"),
        ("\"header_sha256\"", "\"header_sha256\":\"\",\"header_sha256\""),
        ("\"payload\"", "\"payload\":\"\",\"payload\""),
    ] {
        assert!(good.contains(from), "{from}");
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        assert!(matches!(open(&path), Err(OpenError::Damaged { .. })), "{from}");
    }
}

#[test]
fn enormous_parameters_are_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    create(&path);
    let good = fs::read(&path).unwrap();
    for (name, value) in [
        ("memory_kib", 1u64 << 32),
        ("memory_kib", u64::from(u32::MAX)),
        ("memory_kib", 1024 * 1024 + 1),
        ("memory_kib", 7),
        ("passes", 1 << 32),
        ("passes", 17),
        ("passes", 0),
        ("lanes", 1 << 32),
        ("lanes", 17),
    ] {
        let file = with_header(&good, |header| header["slots"][0]["kdf"][name] = value.into());
        fs::write(&path, file).unwrap();
        match open(&path) {
            Err(OpenError::Damaged { reason }) => assert!(reason.contains("out of bounds"), "{name} {value}: {reason}"),
            other => panic!("{name} {value}: {:?}", other.err()),
        }
    }
}

#[test]
fn a_newer_file_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let newer = with_header(&fs::read(&path).unwrap(), |header| header["version"] = 2.into());
    fs::write(&path, &newer).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Newer { version: 2 })));
    assert!(matches!(add(&mut session, "x"), Err(EditError::Save(SaveError::Newer { version: 2 }))));
    // One of which not even the place of the checksum is known.
    fs::write(&path, br#"{"format":"countersign-vault","version":7,"everything":"else"}"#).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Newer { version: 7 })));
    fs::write(&path, br#"{"format":"countersign-vault","version":0}"#).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Damaged { .. })));
    fs::write(&path, br#"{"version":1,"header":{"slots":[]},"db":{}}"#).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Damaged { reason }) if reason.contains("no vault")));
}

#[test]
fn header_fields_of_a_newer_program_survive_a_save() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    // They are authenticated, so a file with them comes from a program that knows the key: a fixture has them.
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vault/v1-unknown-fields.json");
    fs::copy(fixture, &path).unwrap();
    let mut session = open_with(&path, &password("fixture")).unwrap();
    assert!(session.slots().iter().any(|slot| slot.kind == SlotKind::Unknown));
    add(&mut session, "added").unwrap();
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(file["from_the_future"], serde_json::json!({ "a": [1, "x"] }));
    assert_eq!(file["slots"][0]["hint"], "a field of a slot");
    assert_eq!(file["slots"][1]["type"], "passkey");
    assert!(open_with(&path, &password("fixture")).is_ok());
}

#[test]
fn fixtures_of_every_version_open() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vault");
    let session = open_with(&folder.join("v1.json"), &password("fixture")).unwrap();
    assert_eq!(issuers(session.content()), ["Example", "Bank", "Steam", "Server", "Yandex"]);
    let token = &session.content().tokens()[0];
    assert_eq!(token.note, "a \"note\"\nin two lines");
    assert_eq!(token.spec.secret.text().expose(), "gezd gnbv gy3t qojq");
    assert_eq!(token.spec.secret.bytes().expose(), b"1234567890");
    assert_eq!(token.history.len(), 1);
    assert_eq!(session.content().trash().len(), 1);
    assert_eq!(session.content().groups().len(), 1);
    assert_eq!(session.content().imports().len(), 1);
    assert_eq!(session.content().unreadable().len(), 0);
    let recovery = fs::read_to_string(folder.join("README.md")).unwrap();
    let recovery = recovery.lines().find_map(|line| line.strip_prefix("Recovery key of v1.json: ")).unwrap();
    let key = Key::Recovery(SecretText::new(recovery.to_owned()));
    assert_eq!(open_with(&folder.join("v1.json"), &key).unwrap().content(), session.content());
}

#[test]
fn a_changed_password_makes_old_keys_useless_for_what_is_saved_since() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let paper = Key::Recovery(session.new_recovery_key(&mut rng(), NOW).unwrap());
    let device = Key::Device(session.add_device_slot("phone", &mut rng(), NOW).unwrap());
    add(&mut session, "one").unwrap();
    let mut elsewhere = open(&path).unwrap();

    session.change_password(&Password::new("new"), kdf(), &mut rng(), NOW).unwrap();
    add(&mut session, "two").unwrap();
    assert!(matches!(open(&path), Err(OpenError::WrongKey)));
    // The holder of the old master key opens nothing newer, and overwrites nothing.
    assert!(matches!(elsewhere.refresh(), Err(OpenError::WrongKey)));
    assert!(matches!(add(&mut elsewhere, "three"), Err(EditError::Save(SaveError::KeyChanged))));
    assert_eq!(elsewhere.content().tokens().len(), 1);
    // The paper and the device go on working, though neither was there.
    for key in [password("new"), paper, device] {
        assert_eq!(issuers(open_with(&path, &key).unwrap().content()), ["one", "two"]);
    }
    // An earlier generation has its own password still, and says so by opening with it alone.
    let outcomes: Vec<bool> =
        verify(&FileStore::new(&path), &password("new")).into_iter().map(|report| report.outcome.is_ok()).collect();
    assert_eq!(outcomes, [true, true, false, false]);
    assert!(session.check_password(&Password::new("new")));
    assert!(!session.check_password(&Password::new("pass")));
}

#[test]
fn a_password_that_is_confirmed_later_does_what_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let phone = Key::Device(session.add_device_slot("phone", &mut rng(), NOW).unwrap());
    session.new_recovery_key(&mut rng(), NOW).unwrap();
    assert_eq!(session.kdf(), Some(kdf()));
    assert_eq!(look(&FileStore::new(&path)).unwrap().slots, session.slots());

    let mut by_phone = open_with(&path, &phone).unwrap();
    assert!(session.knows_password() && !by_phone.knows_password());
    assert!(!by_phone.confirm_password(&Password::new("not it")) && !by_phone.knows_password());
    assert!(by_phone.confirm_password(&Password::new("pass")));
    // On another thread, say, while the first goes on.
    let mut second = by_phone.second(Box::new(FileStore::new(&path)));
    add(&mut by_phone, "meanwhile").unwrap();
    second.new_recovery_key(&mut rng(), NOW).unwrap();
    assert_eq!(issuers(second.content()), ["meanwhile"]);
    assert!(matches!(add(&mut by_phone, "late"), Err(EditError::Save(SaveError::KeyChanged))));
}

#[test]
fn slots_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let first = Key::Recovery(session.new_recovery_key(&mut rng(), NOW).unwrap());
    let phone = session.add_device_slot("phone", &mut rng(), NOW).unwrap();
    let kinds: Vec<_> = session.slots().iter().map(|slot| (slot.kind, slot.name.clone())).collect();
    let expected =
        [(SlotKind::Password, None), (SlotKind::Recovery, None), (SlotKind::Device, Some("phone".to_owned()))];
    assert_eq!(kinds, expected);

    // A new paper takes the place of the old one.
    let old_copy = fs::read(&path).unwrap();
    let second = Key::Recovery(session.new_recovery_key(&mut rng(), NOW).unwrap());
    assert!(matches!(open_with(&path, &first), Err(OpenError::WrongKey)));
    assert!(open_with(&path, &second).is_ok());

    // Opened without the password, what needs the password says so, and the rest works.
    let mut by_phone = open_with(&path, &Key::Device(phone.clone())).unwrap();
    assert!(matches!(by_phone.new_recovery_key(&mut rng(), NOW), Err(SaveError::PasswordNeeded)));
    let device = by_phone.slots().into_iter().find(|slot| slot.kind == SlotKind::Device).unwrap();
    assert!(matches!(by_phone.remove_slot(device.id, &mut rng(), NOW), Err(SaveError::PasswordNeeded)));
    add(&mut by_phone, "by phone").unwrap();
    by_phone.change_password(&Password::new("set by phone"), kdf(), &mut rng(), NOW).unwrap();
    by_phone.remove_slot(device.id, &mut rng(), NOW).unwrap();
    assert!(matches!(open_with(&path, &Key::Device(phone.clone())), Err(OpenError::WrongKey)));
    assert_eq!(open_with(&path, &password("set by phone")).unwrap().content().tokens().len(), 1);
    assert!(open_with(&path, &second).is_ok());
    let own = by_phone.slots()[0].id;
    assert!(matches!(by_phone.remove_slot(own, &mut rng(), NOW), Err(SaveError::NoSuchSlot)));

    // An old copy still opens with the old keys: that is what it was.
    fs::write(&path, old_copy).unwrap();
    assert!(open_with(&path, &first).is_ok());
}

#[test]
fn a_mistyped_recovery_key_is_told_before_it_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let paper = session.new_recovery_key(&mut rng(), NOW).unwrap();
    let typed = |text: String| open_with(&path, &Key::Recovery(SecretText::new(text)));
    assert!(typed(paper.expose().to_lowercase().replace('-', " ")).is_ok());
    let last = paper.expose().chars().last().unwrap();
    let other = if last == 'A' { 'B' } else { 'A' };
    let mistyped = format!("{}{other}", &paper.expose()[..paper.expose().len() - 1]);
    assert!(matches!(typed(mistyped), Err(OpenError::RecoveryKey(RecoveryKeyError::Mistyped))));
    assert!(matches!(typed(String::new()), Err(OpenError::RecoveryKey(RecoveryKeyError::Length { found: 0 }))));
    let foreign = create(&folder.path().join("other.json")).new_recovery_key(&mut rng(), NOW).unwrap();
    assert!(matches!(typed(foreign.expose().to_owned()), Err(OpenError::WrongKey)));
}

#[test]
fn two_programs_agree_on_a_slot_that_one_of_them_adds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut window = create(&path);
    let mut terminal = open(&path).unwrap();
    window.new_recovery_key(&mut rng(), NOW).unwrap();
    add(&mut terminal, "one").unwrap();
    assert_eq!(terminal.slots().len(), 2);
    terminal.add_device_slot("x", &mut rng(), NOW).unwrap();
    add(&mut window, "two").unwrap();
    assert_eq!(open(&path).unwrap().slots().len(), 3);
}

#[test]
fn the_length_does_not_tell_the_number_of_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let empty = fs::metadata(&path).unwrap().len();
    for _ in 0..5 {
        add(&mut session, "issuer").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), empty);
    }
}

#[test]
fn the_trash_keeps_thirty_days() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let kept = add(&mut session, "kept").unwrap();
    let gone = add(&mut session, "gone").unwrap();
    edit(&mut session, NOW, |content| content.remove(gone, NOW).unwrap());
    edit(&mut session, NOW + 1, |content| content.remove(kept, NOW + 1).unwrap());
    assert_eq!(session.content().find_in_trash("gone").len(), 1);
    edit(&mut session, NOW + TRASH_SECONDS, |content| content.restore(kept, NOW + TRASH_SECONDS).unwrap());
    let content = open(&path).unwrap();
    assert_eq!(issuers(content.content()), ["kept"]);
    assert!(content.content().trash().is_empty());
}

#[test]
fn a_token_remembers_its_earlier_values() {
    let mut content = Content::default();
    let id = content.add(random_id(), spec("0"), NOW);
    for number in 1..=MAX_HISTORY as u64 + 5 {
        let change = Change { spec: Some(spec(&number.to_string())), ..Change::default() };
        content.change(id, change, NOW + number).unwrap();
    }
    let token = content.token(id).unwrap();
    assert_eq!(token.history.len(), MAX_HISTORY);
    assert_eq!(token.history.last().unwrap().spec.issuer, "24");
    assert_eq!(token.history[0].spec.issuer, "5");
    assert_eq!(token.updated_at, NOW + 25);

    // What is no change is none.
    let same = Change { spec: Some(token.spec.clone()), favourite: Some(false), ..Change::default() };
    content.change(id, same, NOW + 100).unwrap();
    assert_eq!(content.token(id).unwrap().updated_at, NOW + 25);
    content.change(id, Change { favourite: Some(true), ..Change::default() }, NOW + 101).unwrap();
    assert_eq!(content.token(id).unwrap().history.last().unwrap().replaced_at, NOW + 25);
}

#[test]
fn a_counter_moves_on_with_each_use() {
    let mut content = Content::default();
    let mut hotp = spec("bank");
    hotp.kind = Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter: u64::MAX - 1 };
    let id = content.add(random_id(), hotp, NOW);
    for _ in 0..3 {
        content.note_use(id, NOW + 1).unwrap();
    }
    let token = content.token(id).unwrap();
    assert_eq!(token.spec.kind.counter(), Some(u64::MAX));
    assert_eq!((token.use_count, token.used_at, token.updated_at), (3, Some(NOW + 1), NOW));
    assert!(token.history.is_empty());
}

#[test]
fn one_secret_under_several_names_is_several_tokens() {
    let same = spec("Same");
    let mut source = Content::default();
    for issuer in ["One", "Two", "Three"] {
        source.add(random_id(), TokenSpec { issuer: issuer.to_owned(), ..same.clone() }, NOW);
    }
    let mut empty = Content::default();
    assert_eq!(empty.merge(&source, "backup", &mut rng(), NOW).adds(), 3);
    assert_eq!(issuers(&empty), ["One", "Two", "Three"]);
    assert_eq!(empty.merge(&source, "backup", &mut rng(), NOW).adds(), 0);

    // One of them is here already under a new name; that token stands for one record, not for all three.
    let mut renamed = Content::default();
    renamed.add(random_id(), TokenSpec { issuer: "Mine".to_owned(), ..same.clone() }, NOW);
    renamed.add(random_id(), TokenSpec { issuer: "Two".to_owned(), ..same.clone() }, NOW);
    assert_eq!(renamed.merge(&source, "backup", &mut rng(), NOW).adds(), 1);
    assert_eq!(issuers(&renamed), ["Mine", "Two", "Three"]);
    assert_eq!(renamed.merge(&source, "backup", &mut rng(), NOW).adds(), 0);
}

#[test]
fn an_import_is_compared_merged_and_undone_as_one() {
    let mut here = Content::default();
    let same = spec("Same");
    let same_id = here.add(random_id(), same.clone(), NOW);
    let differs_id = here.add(random_id(), spec("Differs"), NOW);
    let work = here.group(GroupId::from_random([1; 16]), "Work");

    let mut source = Content::default();
    source.add(random_id(), TokenSpec { issuer: "Renamed".to_owned(), ..same }, NOW);
    source.add(random_id(), spec("differs "), NOW);
    let new = spec("New");
    // The same identifier as a token here that is another one.
    source.add(same_id, new.clone(), NOW);
    source.add(random_id(), new, NOW);
    let theirs = source.group(GroupId::from_random([2; 16]), "WORK");
    let home = source.group(GroupId::from_random([1; 16]), "Home");
    source.change(same_id, Change { groups: Some(vec![theirs, home]), ..Change::default() }, NOW).unwrap();

    use countersign_core::vault::ledger::Verdict;
    let before = here.clone();
    let ledger = here.compare(&source);
    assert_eq!(here, before);
    assert_eq!(ledger.adds(), 2);
    let ledger = here.merge(&source, "Aegis", &mut rng(), NOW);
    let new_id = here.find("New")[0].id;
    assert_ne!(new_id, same_id);
    let verdicts: Vec<_> = ledger.lines.iter().map(|line| line.verdict.clone()).collect();
    let expected =
        [Verdict::AlreadyThere(same_id), Verdict::Differs(differs_id), Verdict::Add, Verdict::AlreadyThere(new_id)];
    assert_eq!(verdicts, expected);
    assert_eq!(issuers(&here), ["Same", "Differs", "differs ", "New"]);
    let names: Vec<_> = here.groups().iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["Work", "Home"]);
    assert_eq!(here.token(new_id).unwrap().groups, [work, here.groups()[1].id]);

    assert_eq!(here.merge(&source, "Aegis", &mut rng(), NOW).adds(), 0);
    assert_eq!(here.imports().len(), 1);
    assert_eq!(here.undo_import(NOW), 2);
    assert_eq!(issuers(&here), ["Same", "Differs"]);
    assert_eq!(here.groups().len(), 1);
    assert_eq!(here.trash().len(), 2);
    assert_eq!(here.undo_import(NOW), 0);
}

#[test]
fn what_a_search_finds() {
    let mut content = Content::default();
    let id = content.add(random_id(), spec("Corp PAM"), NOW);
    content.add(random_id(), spec("Other"), NOW);
    for query in [" corp", "PAM", "corp pam (user", &id.to_string()] {
        assert_eq!(content.find(query).iter().map(|token| token.id).collect::<Vec<_>>(), [id], "{query}");
    }
    assert_eq!(content.find("example").len(), 2);
    assert_eq!(content.find("").len(), 2);
    assert!(content.find("nothing").is_empty());
}

#[test]
fn no_secret_is_in_debug_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = create(&folder.path().join("vault.json"));
    let id = add(&mut session, "GitHub").unwrap();
    let shown = format!("{:?}", session.content());
    let token = session.content().token(id).unwrap();
    assert!(!shown.contains(token.spec.secret.text().expose()));
}

#[test]
fn the_newest_good_generation_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    for _ in 0..3 {
        add(&mut session, "x").unwrap();
    }
    let store = FileStore::new(&path);
    fs::write(&path, "").unwrap();
    fs::write(store.part_path(Part::Earlier(1)), "{}").unwrap();
    assert_eq!(newest_good(&store, &password("pass")), Some(2));
    assert_eq!(newest_good(&store, &password("other")), None);
    let reports = verify(&store, &password("pass"));
    let tokens: Vec<_> = reports.iter().map(|report| report.outcome.as_ref().ok().map(|good| good.tokens)).collect();
    assert_eq!(tokens, [None, None, Some(1), Some(0)]);
}
