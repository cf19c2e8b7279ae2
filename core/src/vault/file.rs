//! The vault file: a header that anyone can read and nobody can change, and the encrypted payload.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    cipher::{self, NONCE_BYTES, NotAuthentic, SecretKey},
    json::{Strict, canonical_object},
    slot::{Slot, SlotKind},
};

const FORMAT: &str = "countersign-vault";
/// The version that is written, and the newest that is read.
pub(super) const VERSION: u64 = 1;
/// More slots than anyone has; a file with more is not ours.
const MAX_SLOTS: usize = 64;

/// Everything outside the ciphertext.
#[derive(Clone)]
pub(super) struct Header {
    /// All keys but `payload` and `header_sha256`, those of a newer program too. `generation`, `slots` and `nonce`
    /// are filled in when it is written.
    fields: Map<String, Value>,
    pub(super) vault_id: Uuid,
    pub(super) generation: u64,
    pub(super) slots: Vec<Slot>,
}

/// A file that is whole as far as can be told without a key.
pub(super) struct VaultFile {
    pub(super) header: Header,
    nonce: [u8; NONCE_BYTES],
    /// The bytes that the encryption authenticates beside the content.
    associated: String,
    sealed: Vec<u8>,
}

/// Why bytes are no vault file.
#[derive(Debug)]
pub(super) enum FileError {
    Damaged(String),
    Newer(u64),
}

impl Header {
    pub(super) fn new(vault_id: Uuid) -> Self {
        let mut fields = Map::new();
        fields.insert("format".to_owned(), FORMAT.into());
        fields.insert("version".to_owned(), VERSION.into());
        fields.insert("vault_id".to_owned(), vault_id.to_string().into());
        Self { fields, vault_id, generation: 0, slots: Vec::new() }
    }

    /// Puts a field there that only a newer program knows.
    #[cfg(test)]
    pub(super) fn put_unknown(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// The file's bytes with `plaintext` encrypted. `None` only beyond AES-GCM's lengths.
    pub(super) fn encode(&self, master: &SecretKey, nonce: [u8; NONCE_BYTES], plaintext: &[u8]) -> Option<Vec<u8>> {
        let mut fields = self.fields.clone();
        fields.insert("generation".to_owned(), self.generation.into());
        fields.insert("nonce".to_owned(), BASE64.encode(&nonce).into());
        fields.insert("slots".to_owned(), self.slots.iter().map(Slot::to_value).collect());
        let associated = canonical_object(&fields);
        let sealed = cipher::seal(master, &nonce, associated.as_bytes(), plaintext)?;

        let mut text = String::with_capacity(associated.len() + BASE64.encode_len(sealed.len()) + 128);
        text.push_str(&associated[..associated.len() - 1]);
        text.push_str(",\"header_sha256\":\"");
        text.push_str(&HEXLOWER.encode(&Sha256::digest(&associated)));
        text.push_str("\",\"payload\":\"");
        BASE64.encode_append(&sealed, &mut text);
        text.push_str("\"}");
        Some(text.into_bytes())
    }
}

impl VaultFile {
    /// Reads a file and checks all that can be checked without a key.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, FileError> {
        let damaged = |reason: &str| FileError::Damaged(reason.to_owned());
        if bytes.is_empty() {
            return Err(damaged("the file is empty"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("the file is not UTF-8"))?;
        let outer: Outer<'_> = serde_json::from_str(text).map_err(|error| FileError::Damaged(error.to_string()))?;
        if outer.fields.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(damaged("this is no vault of Countersign"));
        }

        // The checksum keeps its place in every version, so that a flipped bit of `version` is told from a newer file.
        let associated = canonical_object(&outer.fields);
        let version = outer.fields.get("version").and_then(Value::as_u64);
        match outer.header_sha256 {
            Some(sum) if sum == HEXLOWER.encode(&Sha256::digest(&associated)) => {}
            None if version.is_some_and(|version| version > VERSION) => {}
            _ => return Err(damaged("the header does not agree with its checksum")),
        }
        match version {
            Some(VERSION) => {}
            Some(newer) if newer > VERSION => return Err(FileError::Newer(newer)),
            _ => return Err(damaged("the version is unknown")),
        }

        let payload = outer.payload.ok_or_else(|| damaged("there is no payload"))?;
        let sealed = BASE64.decode(payload.as_bytes()).map_err(|_| damaged("the payload is not Base64"))?;
        let nonce = outer
            .fields
            .get("nonce")
            .and_then(Value::as_str)
            .and_then(|nonce| BASE64.decode(nonce.as_bytes()).ok())
            .and_then(|nonce| nonce.try_into().ok())
            .ok_or_else(|| damaged("there is no nonce"))?;
        Ok(Self { header: Header::read(outer.fields)?, nonce, associated, sealed })
    }

    /// Decrypts the content: JSON text and spaces.
    pub(super) fn open(self, master: &SecretKey) -> Result<(Header, zeroize::Zeroizing<Vec<u8>>), NotAuthentic> {
        let plaintext = cipher::open(master, &self.nonce, self.associated.as_bytes(), self.sealed)?;
        Ok((self.header, plaintext))
    }
}

impl Header {
    fn read(fields: Map<String, Value>) -> Result<Self, FileError> {
        let damaged = |reason: &str| FileError::Damaged(reason.to_owned());
        let vault_id = fields
            .get("vault_id")
            .and_then(Value::as_str)
            .and_then(|id| Uuid::try_parse(id).ok())
            .ok_or_else(|| damaged("there is no vault id"))?;
        let generation =
            fields.get("generation").and_then(Value::as_u64).ok_or_else(|| damaged("there is no generation"))?;
        let slots = fields.get("slots").and_then(Value::as_array).ok_or_else(|| damaged("there are no slots"))?;
        if slots.len() > MAX_SLOTS {
            return Err(damaged("there are too many slots"));
        }
        let slots: Vec<Slot> = slots.iter().map(Slot::read).collect::<Result<_, _>>().map_err(FileError::Damaged)?;
        // One, so that a strange file cannot ask for one key derivation after another.
        if slots.iter().filter(|slot| slot.kind() == SlotKind::Password).count() > 1 {
            return Err(damaged("there is more than one password slot"));
        }
        Ok(Self { fields, vault_id, generation, slots })
    }
}

/// The file's keys, the two outside the authenticated header apart.
struct Outer<'a> {
    fields: Map<String, Value>,
    header_sha256: Option<&'a str>,
    payload: Option<&'a str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Outer<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OuterVisitor;

        impl<'de> Visitor<'de> for OuterVisitor {
            type Value = Outer<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Outer<'de>, A::Error> {
                let mut outer = Outer { fields: Map::new(), header_sha256: None, payload: None };
                while let Some(key) = entries.next_key::<String>()? {
                    let twice = match key.as_str() {
                        // Borrowed, which an escape within would not allow: both have one spelling only.
                        "payload" => outer.payload.replace(entries.next_value()?).is_some(),
                        "header_sha256" => outer.header_sha256.replace(entries.next_value()?).is_some(),
                        _ => {
                            let Strict(value) = entries.next_value()?;
                            outer.fields.insert(key, value).is_some()
                        }
                    };
                    if twice {
                        return Err(A::Error::custom("a key is there twice"));
                    }
                }
                Ok(outer)
            }
        }

        deserializer.deserialize_map(OuterVisitor)
    }
}
