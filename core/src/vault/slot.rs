//! Slots: the master key, wrapped once for every key that opens the vault.

use data_encoding::BASE64;
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
    single_shot_open, single_shot_seal_with_rng,
};
use rand_core::CryptoRng;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    cipher::{self, NONCE_BYTES, SecretKey},
    json::canonical,
    kdf::{KdfFailed, KdfParams},
    recovery::RecoveryKey,
};
use crate::secret::{Password, SecretBytes};

const SALT_BYTES: usize = 16;
const PUBLIC_KEY_BYTES: usize = 32;
const WRAPPED_BYTES: usize = 32 + cipher::TAG_BYTES;

/// What opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotKind {
    /// The password.
    Password,
    /// The printed recovery key.
    Recovery,
    /// A key that the platform's secure store keeps.
    Device,
    /// Something that a newer program knows.
    Unknown,
}

/// One way into the vault, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// Its identifier.
    pub id: Uuid,
    /// What opens it.
    pub kind: SlotKind,
    /// The name that was given: of the device, say.
    pub name: Option<String>,
    /// When it was made, in Unix seconds.
    pub created_at: Option<u64>,
}

/// A slot as the file has it; fields that mean nothing here stay in `fields`.
#[derive(Clone)]
pub(super) struct Slot {
    fields: Map<String, Value>,
    id: Uuid,
    lock: Lock,
}

#[derive(Clone)]
enum Lock {
    Password { kdf: KdfParams, salt: [u8; SALT_BYTES], nonce: [u8; NONCE_BYTES], wrapped: Vec<u8> },
    Recovery(Sealed),
    Device(Sealed),
    Unknown,
}

#[derive(Clone)]
struct Sealed {
    public_key: [u8; PUBLIC_KEY_BYTES],
    encapsulated: [u8; PUBLIC_KEY_BYTES],
    wrapped: Vec<u8>,
}

/// The key made of the password, for a slot of these parameters.
#[derive(Clone)]
pub(super) struct PasswordKey {
    kdf: KdfParams,
    salt: [u8; SALT_BYTES],
    key: SecretKey,
}

impl PasswordKey {
    /// Derives it with a fresh salt.
    pub(super) fn new(password: &Password, kdf: KdfParams, rng: &mut dyn CryptoRng) -> Result<Self, KdfFailed> {
        let salt = cipher::random(rng);
        Ok(Self { kdf, salt, key: kdf.derive(password, &salt)? })
    }

    /// Derives it for a slot that is there; `None` where the slot has no password.
    pub(super) fn of(slot: &Slot, password: &Password) -> Option<Result<Self, KdfFailed>> {
        let Lock::Password { kdf, salt, .. } = &slot.lock else { return None };
        Some(kdf.derive(password, salt).map(|key| Self { kdf: *kdf, salt: *salt, key }))
    }

    /// Whether the slot has the parameters and the salt that this key was made with.
    pub(super) fn fits(&self, slot: &Slot) -> bool {
        matches!(&slot.lock, Lock::Password { kdf, salt, .. } if *kdf == self.kdf && *salt == self.salt)
    }
}

/// The private half of a recovery or device slot.
pub(super) enum PrivateKey<'a> {
    /// Of the printed key.
    Recovery(&'a RecoveryKey),
    /// Of the platform's secure store.
    Device(&'a SecretBytes),
}

impl PrivateKey<'_> {
    fn pair(&self) -> (<X25519HkdfSha256 as Kem>::PrivateKey, [u8; PUBLIC_KEY_BYTES]) {
        let mut material = Zeroizing::new(Vec::with_capacity(128));
        match self {
            Self::Recovery(key) => {
                material.extend_from_slice(b"countersign-vault/1/recovery/");
                material.extend_from_slice(key.characters());
            }
            Self::Device(key) => {
                material.extend_from_slice(b"countersign-vault/1/device/");
                material.extend_from_slice(key.expose());
            }
        }
        let (private, public) = X25519HkdfSha256::derive_keypair(&material);
        (private, public.to_bytes().into())
    }
}

impl Slot {
    /// A slot that the password opens.
    pub(super) fn password(
        id: Uuid,
        vault: Uuid,
        key: &PasswordKey,
        master: &SecretKey,
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let kdf = json!({
            "algorithm": "argon2id",
            "memory_kib": key.kdf.memory_kib(),
            "passes": key.kdf.passes(),
            "lanes": key.kdf.lanes(),
            "salt": BASE64.encode(&key.salt),
        });
        let mut fields = Map::new();
        fields.insert("type".to_owned(), "password".into());
        fields.insert("id".to_owned(), id.to_string().into());
        fields.insert("kdf".to_owned(), kdf);
        let nonce = cipher::random(rng);
        let lock = Lock::Password { kdf: key.kdf, salt: key.salt, nonce, wrapped: Vec::new() };
        let mut slot = Self { fields, id, lock };
        slot.wrap_with_password(vault, key, master, rng)?;
        Some(slot)
    }

    /// A slot that a private key opens.
    pub(super) fn sealed(
        id: Uuid,
        vault: Uuid,
        key: &PrivateKey<'_>,
        name: Option<&str>,
        now: u64,
        master: &SecretKey,
        rng: &mut dyn CryptoRng,
    ) -> Option<Self> {
        let (_, public_key) = key.pair();
        let sealed = Sealed { public_key, encapsulated: [0; PUBLIC_KEY_BYTES], wrapped: Vec::new() };
        let (kind, lock) = match key {
            PrivateKey::Recovery(_) => ("recovery", Lock::Recovery(sealed)),
            PrivateKey::Device(_) => ("device", Lock::Device(sealed)),
        };
        let mut fields = Map::new();
        fields.insert("type".to_owned(), kind.into());
        fields.insert("id".to_owned(), id.to_string().into());
        fields.insert("created_at".to_owned(), now.into());
        fields.insert("public_key".to_owned(), BASE64.encode(&public_key).into());
        if let Some(name) = name {
            fields.insert("name".to_owned(), name.into());
        }
        let mut slot = Self { fields, id, lock };
        slot.seal(vault, master, rng)?;
        Some(slot)
    }

    /// Reads a slot. The error says in words what is wrong.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let fields = value.as_object().ok_or("a slot is no object")?.clone();
        let id = text(&fields, "id")?;
        let id = Uuid::try_parse(id).map_err(|_| "the id of a slot is no identifier")?;
        let lock = match text(&fields, "type")? {
            "password" => {
                let kdf = fields.get("kdf").and_then(Value::as_object).ok_or("a password slot has no kdf")?;
                if text(kdf, "algorithm")? != "argon2id" {
                    return Err("the key derivation is not argon2id".to_owned());
                }
                Lock::Password {
                    kdf: KdfParams::new(number(kdf, "memory_kib")?, number(kdf, "passes")?, number(kdf, "lanes")?)
                        .map_err(|error| error.to_string())?,
                    salt: bytes(kdf, "salt")?,
                    nonce: bytes(&fields, "nonce")?,
                    wrapped: bytes::<WRAPPED_BYTES>(&fields, "key")?.to_vec(),
                }
            }
            "recovery" => Lock::Recovery(Sealed::read(&fields)?),
            "device" => Lock::Device(Sealed::read(&fields)?),
            _ => Lock::Unknown,
        };
        Ok(Self { fields, id, lock })
    }

    /// The slot as the file has it.
    pub(super) fn to_value(&self) -> Value {
        Value::Object(self.fields.clone())
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn kind(&self) -> SlotKind {
        match self.lock {
            Lock::Password { .. } => SlotKind::Password,
            Lock::Recovery(_) => SlotKind::Recovery,
            Lock::Device(_) => SlotKind::Device,
            Lock::Unknown => SlotKind::Unknown,
        }
    }

    pub(super) fn info(&self) -> SlotInfo {
        SlotInfo {
            id: self.id,
            kind: self.kind(),
            name: self.fields.get("name").and_then(Value::as_str).map(str::to_owned),
            created_at: self.fields.get("created_at").and_then(Value::as_u64),
        }
    }

    /// What guessing this slot's password costs.
    pub(super) fn kdf(&self) -> Option<KdfParams> {
        match &self.lock {
            Lock::Password { kdf, .. } => Some(*kdf),
            _ => None,
        }
    }

    /// The wrapped master key: another one says that the master key may be another one.
    pub(super) fn wrapped(&self) -> Option<&str> {
        self.fields.get("key").and_then(Value::as_str)
    }

    /// The master key, where the password's key opens this slot.
    pub(super) fn open_with_password(&self, vault: Uuid, key: &PasswordKey) -> Option<SecretKey> {
        let Lock::Password { nonce, wrapped, .. } = &self.lock else { return None };
        to_key(&cipher::open(&key.key, nonce, &self.context(vault), wrapped.clone()).ok()?)
    }

    /// The master key, where the private key opens this slot.
    pub(super) fn open_with(&self, vault: Uuid, key: &PrivateKey<'_>) -> Option<SecretKey> {
        let ((Lock::Recovery(sealed), PrivateKey::Recovery(_)) | (Lock::Device(sealed), PrivateKey::Device(_))) =
            (&self.lock, key)
        else {
            return None;
        };
        let (private, public) = key.pair();
        if public != sealed.public_key {
            return None;
        }
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&sealed.encapsulated).ok()?;
        let master = single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            &self.context(vault),
            &sealed.wrapped,
            b"",
        );
        to_key(&Zeroizing::new(master.ok()?))
    }

    /// Wraps a new master key. A password slot needs the password's key; the other slots do with their public key.
    /// `None` where the slot cannot be wrapped anew.
    pub(super) fn rewrap(
        &mut self,
        vault: Uuid,
        password_key: Option<&PasswordKey>,
        master: &SecretKey,
        rng: &mut dyn CryptoRng,
    ) -> Option<()> {
        match self.lock {
            Lock::Password { .. } => self.wrap_with_password(vault, password_key?, master, rng),
            Lock::Recovery(_) | Lock::Device(_) => self.seal(vault, master, rng),
            Lock::Unknown => None,
        }
    }

    fn wrap_with_password(
        &mut self,
        vault: Uuid,
        key: &PasswordKey,
        master: &SecretKey,
        rng: &mut dyn CryptoRng,
    ) -> Option<()> {
        let context = self.context(vault);
        let Lock::Password { nonce, wrapped, .. } = &mut self.lock else { return None };
        *nonce = cipher::random(rng);
        *wrapped = cipher::seal(&key.key, nonce, &context, master.as_slice())?;
        self.fields.insert("nonce".to_owned(), BASE64.encode(nonce).into());
        self.fields.insert("key".to_owned(), BASE64.encode(wrapped).into());
        Some(())
    }

    fn seal(&mut self, vault: Uuid, master: &SecretKey, mut rng: &mut dyn CryptoRng) -> Option<()> {
        let context = self.context(vault);
        let (Lock::Recovery(sealed) | Lock::Device(sealed)) = &mut self.lock else { return None };
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&sealed.public_key).ok()?;
        let (encapsulated, wrapped) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            &context,
            master.as_slice(),
            b"",
            &mut rng,
        )
        .ok()?;
        sealed.encapsulated = encapsulated.to_bytes().into();
        sealed.wrapped = wrapped;
        self.fields.insert("encapsulated_key".to_owned(), BASE64.encode(&sealed.encapsulated).into());
        self.fields.insert("key".to_owned(), BASE64.encode(&sealed.wrapped).into());
        Some(())
    }

    /// What the wrapping is bound to: its purpose, the vault, the slot and the key derivation.
    fn context(&self, vault: Uuid) -> Vec<u8> {
        let purpose = match self.lock {
            Lock::Password { .. } => "countersign-vault/1/password",
            Lock::Recovery(_) => "countersign-vault/1/recovery",
            Lock::Device(_) | Lock::Unknown => "countersign-vault/1/device",
        };
        let mut context = json!({ "context": purpose, "slot": self.id.to_string(), "vault": vault.to_string() });
        if let (Value::Object(context), Some(kdf)) = (&mut context, self.fields.get("kdf")) {
            context.insert("kdf".to_owned(), kdf.clone());
        }
        canonical(&context).into_bytes()
    }
}

impl Sealed {
    fn read(fields: &Map<String, Value>) -> Result<Self, String> {
        Ok(Self {
            public_key: bytes(fields, "public_key")?,
            encapsulated: bytes(fields, "encapsulated_key")?,
            wrapped: bytes::<WRAPPED_BYTES>(fields, "key")?.to_vec(),
        })
    }
}

fn to_key(bytes: &[u8]) -> Option<SecretKey> {
    let mut key = SecretKey::default();
    if bytes.len() != key.len() {
        return None;
    }
    key.copy_from_slice(bytes);
    Some(key)
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    fields.get(name).and_then(Value::as_str).ok_or_else(|| format!("a slot has no text {name:?}"))
}

/// A number; one that does not fit is taken as the largest, which no bound admits.
fn number(fields: &Map<String, Value>, name: &str) -> Result<u32, String> {
    let number = fields.get(name).and_then(Value::as_u64).ok_or_else(|| format!("a slot has no number {name:?}"))?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

fn bytes<const N: usize>(fields: &Map<String, Value>, name: &str) -> Result<[u8; N], String> {
    BASE64
        .decode(text(fields, name)?.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| format!("{name:?} of a slot is not Base64 of {N} bytes"))
}
