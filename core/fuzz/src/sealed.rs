//! Vault files: as they come, with their checksum mended, and as content behind an encryption that is right.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use countersign_core::{
    secret::{Password, SecretBytes},
    token::{TokenId, TokenSpec},
    uri,
    vault::{
        KdfParams, Session,
        session::{Key, OpenError},
        store::{Guard, Part, Store},
    },
};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::check_codes;

const NOW: u64 = 1_790_000_000;
const PASSWORD: &str = "fuzz";
/// The randomness of the vaults made here, and so their master key.
const BYTE: u8 = 7;

/// A vault file, or the content of one: a content that opens is saved and opens again without a loss.
pub fn vault_file(data: &[u8]) {
    open(data.to_vec());
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(data) else { return };
    if let Some(payload) = fields.remove("payload") {
        open(with_checksum(fields, payload));
    } else {
        open(sealed(data));
    }
}

/// Opens a file by its password where that is cheap, else by a device key, which costs no Argon2id.
fn open(file: Vec<u8>) {
    let key = if is_cheap(&file) {
        Key::Password(Password::new(PASSWORD))
    } else {
        Key::Device(SecretBytes::new(vec![BYTE; 32]))
    };
    let store = MemoryStore::holding(file);
    let Ok(mut session) = Session::open(Box::new(store.clone()), &key) else { return };
    let before = session.content().tokens().to_vec();
    for token in &before {
        check_codes(&token.spec);
        // A token may be stranger than a link can say; what is said must make the same codes.
        if let Ok(parsed) = uri::parse(uri::write(&token.spec).expose()) {
            assert!(parsed.spec.same_codes(&token.spec), "a link makes the codes of the token it was written for");
        }
    }
    let id = TokenId::from_random([BYTE; 16]);
    if session.content().token(id).is_some() {
        return;
    }
    session
        .edit(&mut Constant, NOW, |content| Ok::<_, std::convert::Infallible>(content.add(id, new_spec(), NOW)))
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(session.content().tokens().starts_with(&before), "a new token changes no other");
    let again = Session::open(Box::new(store), &key).unwrap_or_else(|error: OpenError| panic!("{error}"));
    assert!(again.content() == session.content(), "what was saved is what was open");
}

fn new_spec() -> TokenSpec {
    uri::parse("otpauth://totp/New?secret=JBSWY3DPEHPK3PXP").unwrap().spec
}

/// Whether every key derivation that the file asks for takes next to no time.
fn is_cheap(file: &[u8]) -> bool {
    let Ok(Value::Object(fields)) = serde_json::from_slice(file) else { return false };
    let slots = fields.get("slots").and_then(Value::as_array);
    slots.is_some_and(|slots| {
        slots.iter().filter_map(|slot| slot.get("kdf")).all(|kdf| {
            let small = |name, most| kdf.get(name).and_then(Value::as_u64).is_some_and(|value| value <= most);
            small("memory_kib", 64) && small("passes", 2)
        })
    })
}

/// The file with the checksum that its header should have.
fn with_checksum(mut fields: Map<String, Value>, payload: Value) -> Vec<u8> {
    fields.remove("header_sha256");
    let header = Value::Object(fields.clone()).to_string();
    fields.insert("header_sha256".to_owned(), HEXLOWER.encode(&Sha256::digest(header)).into());
    fields.insert("payload".to_owned(), payload);
    Value::Object(fields).to_string().into_bytes()
}

/// The vault file that has `content` for its content.
fn sealed(content: &[u8]) -> Vec<u8> {
    static HEADER: OnceLock<Map<String, Value>> = OnceLock::new();
    let header = HEADER.get_or_init(|| {
        let store = MemoryStore::default();
        let kdf = KdfParams::new(8, 1, 1).unwrap();
        Session::create(Box::new(store.clone()), &Password::new(PASSWORD), kdf, &mut Constant, NOW).unwrap();
        let file = store.read(Part::Current).unwrap().unwrap();
        let mut fields: Map<String, Value> = serde_json::from_slice(&file).unwrap();
        fields.remove("payload");
        fields.remove("header_sha256");
        fields
    });
    let associated = Value::Object(header.clone()).to_string();
    let payload = Aes256Gcm::new(&[BYTE; 32].into())
        .encrypt(&[BYTE; 12].into(), Payload { msg: content, aad: associated.as_bytes() })
        .unwrap();
    with_checksum(header.clone(), BASE64.encode(&payload).into())
}

/// Randomness that is none, so that every run is the same.
pub(crate) struct Constant;

impl rand_core::TryRng for Constant {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::from_ne_bytes([BYTE; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(u64::from_ne_bytes([BYTE; 8]))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(BYTE);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Constant {}

/// Files in memory; clones share them.
#[derive(Clone, Default)]
struct MemoryStore(Arc<Mutex<HashMap<Part, Vec<u8>>>>);

impl MemoryStore {
    fn holding(file: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(HashMap::from([(Part::Current, file)]))))
    }
}

impl Store for MemoryStore {
    fn path(&self) -> &Path {
        Path::new("vault.json")
    }

    fn lock(&self) -> io::Result<Guard> {
        Ok(Guard::new(None))
    }

    fn read(&self, part: Part) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.lock().unwrap().get(&part).cloned())
    }

    fn exists(&self, part: Part) -> io::Result<bool> {
        Ok(self.0.lock().unwrap().contains_key(&part))
    }

    fn write_new(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().insert(Part::New, bytes.to_vec());
        Ok(())
    }

    fn sync_new(&self) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, from: Part, to: Part) -> io::Result<()> {
        let mut files = self.0.lock().unwrap();
        let bytes = files.remove(&from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to, bytes);
        Ok(())
    }

    fn duplicate(&self, from: Part, to: Part) -> io::Result<()> {
        let mut files = self.0.lock().unwrap();
        let bytes = files.get(&from).cloned().ok_or(io::ErrorKind::NotFound)?;
        files.insert(to, bytes);
        Ok(())
    }

    fn remove(&self, part: Part) -> io::Result<()> {
        self.0.lock().unwrap().remove(&part);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }

    fn create_folder(&self) -> io::Result<()> {
        Ok(())
    }
}
