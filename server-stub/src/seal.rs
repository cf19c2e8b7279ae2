//! Secrets at rest, and the keys that other things at rest are checked with.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use aes_gcm::{
    Aes256Gcm, Key as AesKey, Nonce, Tag,
    aead::{AeadInOut, KeyInit},
};
use countersign_core::secret::SecretBytes;
use data_encoding::BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{domain::audit::End, service::Random};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const KEY_ID_BYTES: usize = 4;
/// Names that are tried for a file of keys that is not in its place yet.
const MOST_BESIDE: u32 = 100;
const SETTING_PLACE: &str = "settings.value";

/// The server's keys, newest first. The newest seals; all open. Clones share what they know.
#[derive(Clone)]
pub struct Keys(Arc<Ring>);

struct Ring {
    known: RwLock<Vec<MasterKey>>,
    /// Where they were read, and are read again when a key is asked for that is not known: somebody rotated them.
    file: Option<PathBuf>,
    /// The end of the audit log that was sealed last.
    end: Mutex<End>,
}

#[derive(Clone)]
struct MasterKey {
    id: u32,
    seal: Zeroizing<[u8; 32]>,
    audit: Zeroizing<[u8; 32]>,
    lookup: Zeroizing<[u8; 32]>,
    master: Zeroizing<[u8; 32]>,
}

/// Why a text is no list of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// There is none.
    #[error("there is no key")]
    Empty,
    /// A line is not `NUMBER:BASE64` with 32 bytes.
    #[error("key {0} is not NUMBER:BASE64 with 32 bytes")]
    Line(usize),
    /// Two keys have one number.
    #[error("two keys have the number {0}")]
    Twice(u32),
}

/// What was sealed is not what is opened, or its key is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The key that it was sealed with is not among those that are there.
    #[error("key {0} is missing")]
    KeyMissing(u32),
    /// Changed, cut, or belonging to another row.
    #[error("a sealed value was changed or belongs elsewhere")]
    NotAuthentic,
}

impl Keys {
    /// One new key.
    pub fn generate(random: &Random) -> Self {
        Self::of(vec![MasterKey::new(1, Zeroizing::new(random.bytes()))], None)
    }

    /// The same keys with a new one before them.
    pub fn rotated(&self, random: &Random) -> Self {
        let earlier = self.known();
        let id = earlier.iter().map(|key| key.id).max().unwrap_or(0) + 1;
        let mut keys = vec![MasterKey::new(id, Zeroizing::new(random.bytes()))];
        keys.extend(earlier);
        Self::of(keys, self.0.file.clone())
    }

    fn of(known: Vec<MasterKey>, file: Option<PathBuf>) -> Self {
        Self(Arc::new(Ring { known: RwLock::new(known), file, end: Mutex::default() }))
    }

    fn known(&self) -> Vec<MasterKey> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file, and again whenever it is asked for a key that it did not have; `None` where there is none.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::read_to_string(path).map(Zeroizing::new) {
            Ok(text) => {
                let wrong = |error: KeysError| io::Error::new(io::ErrorKind::InvalidData, error);
                let keys: Self = text.parse().map_err(wrong)?;
                Ok(Some(Self::of(keys.known(), Some(path.to_owned()))))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the file, readable by its owner only, whole or not at all: what was there stays as it is until then.
    /// `replace` says whether one may be there; where it may not, the first of several processes has written it.
    pub fn write(&self, path: &Path, replace: bool) -> io::Result<()> {
        let next = self.write_beside(path)?;
        let moved = if replace { std::fs::rename(&next, path) } else { std::fs::hard_link(&next, path) };
        if !replace || moved.is_err() {
            let _ = std::fs::remove_file(&next);
        }
        moved?;
        // The folder says which file it is: a key that is in use must not be gone when the machine loses power.
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            std::fs::File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()?;
        }
        Ok(())
    }

    /// Writes the file under a name that no other process has, and says which.
    fn write_beside(&self, path: &Path) -> io::Result<PathBuf> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let process = std::process::id();
        let mut attempt = 0;
        let (next, mut file) = loop {
            let next = path.with_extension(format!("{process}-{attempt}.next"));
            match options.open(&next) {
                Ok(file) => break (next, file),
                // Of a process with this number on another machine, or of one that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < MOST_BESIDE => attempt += 1,
                Err(error) => return Err(error),
            }
        };
        let written = io::Write::write_all(&mut file, self.text().as_bytes()).and_then(|()| file.sync_all());
        if written.is_err() {
            let _ = std::fs::remove_file(&next);
        }
        written.map(|()| next)
    }

    /// The file's text: `NUMBER:BASE64` a line, newest first.
    fn text(&self) -> Zeroizing<String> {
        let known = self.known();
        let mut text = Zeroizing::new(String::with_capacity(known.len() * 64));
        for key in &known {
            text.push_str(&format!("{}:", key.id));
            text.push_str(&Zeroizing::new(BASE64.encode(key.master.as_slice())));
            text.push('\n');
        }
        text
    }

    /// The number of the key that seals.
    pub fn newest(&self) -> u32 {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner).first().map_or(0, |key| key.id)
    }

    /// Seals a secret for one row. `place` names table and column, `row` the row: neither opens anywhere else.
    pub fn seal(&self, place: &str, row: &str, plain: &[u8], random: &Random) -> Vec<u8> {
        let Some(key) = self.find(self.newest()) else { return Vec::new() };
        let nonce: [u8; NONCE_BYTES] = random.bytes();
        let mut sealed = Vec::with_capacity(KEY_ID_BYTES + NONCE_BYTES + plain.len() + TAG_BYTES);
        sealed.extend_from_slice(&key.id.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = &mut sealed[KEY_ID_BYTES + NONCE_BYTES..];
        let aad = associated(place, row);
        // Only lengths beyond 64 GiB fail.
        if let Ok(tag) = key.cipher().encrypt_inout_detached(&Nonce::from(nonce), &aad, text.into()) {
            sealed.extend_from_slice(&tag);
            return sealed;
        }
        Vec::new()
    }

    /// Opens what [`Keys::seal`] made.
    pub fn open(&self, place: &str, row: &str, sealed: &[u8]) -> Result<SecretBytes, UnsealError> {
        let (id, rest) = sealed.split_first_chunk::<KEY_ID_BYTES>().ok_or(UnsealError::NotAuthentic)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(UnsealError::NotAuthentic)?;
        let (text, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(UnsealError::NotAuthentic)?;
        let id = u32::from_be_bytes(*id);
        let key = self.find(id).ok_or(UnsealError::KeyMissing(id))?;
        let mut plain = Zeroizing::new(text.to_vec());
        key.cipher()
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                &associated(place, row),
                plain.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_| UnsealError::NotAuthentic)?;
        Ok(SecretBytes::new(std::mem::take(&mut *plain)))
    }

    /// The number of the key that something was sealed with. `None` where it is too short to say.
    pub fn key_of(sealed: &[u8]) -> Option<u32> {
        sealed.first_chunk().map(|id| u32::from_be_bytes(*id))
    }

    /// Seals a secret setting's value as text.
    pub fn seal_setting(&self, name: &str, value: &str, random: &Random) -> String {
        BASE64.encode(&self.seal(SETTING_PLACE, name, value.as_bytes(), random))
    }

    /// Opens what [`Keys::seal_setting`] made.
    pub fn open_setting(&self, name: &str, sealed: &str) -> Result<Zeroizing<String>, UnsealError> {
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| UnsealError::NotAuthentic)?;
        let plain = self.open(SETTING_PLACE, name, &sealed)?;
        std::str::from_utf8(plain.expose())
            .map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|_| UnsealError::NotAuthentic)
    }

    /// A code over `parts` that only this server can make, for the audit chain. `None` where the key is not there.
    pub fn audit_code(&self, key_id: u32, parts: &[&[u8]]) -> Option<[u8; 32]> {
        self.find(key_id).map(|key| keyed(&key.audit, parts))
    }

    /// Whether these keys have sealed just this end last: then it need not be worked out again.
    pub fn has_sealed(&self, end: &End) -> bool {
        let last = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        last.seal.as_ref().is_some_and(|seal| !seal.is_empty()) && *last == *end
    }

    /// Remembers the end that was sealed last.
    pub fn sealed(&self, end: End) {
        *self.0.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    /// A code under which something short (an SMS code) is kept, so that its table does not tell it.
    pub fn lookup_code(&self, key_id: u32, parts: &[&[u8]]) -> Option<[u8; 32]> {
        self.find(key_id).map(|key| keyed(&key.lookup, parts))
    }

    /// A code of a key alone, by which it is known again and from which nothing of it follows. `None` where it is not there.
    pub fn check(&self, key_id: u32) -> Option<[u8; 32]> {
        self.find(key_id).map(|key| keyed(&key.audit, &[b"countersign-server/this-key/v1"]))
    }

    fn find(&self, id: u32) -> Option<MasterKey> {
        let of = |known: &[MasterKey]| known.iter().find(|key| key.id == id).cloned();
        let found = of(&self.0.known.read().unwrap_or_else(PoisonError::into_inner));
        if found.is_some() {
            return found;
        }
        let again = Self::read(self.0.file.as_deref()?).ok()??.known();
        let found = of(&again)?;
        *self.0.known.write().unwrap_or_else(PoisonError::into_inner) = again;
        Some(found)
    }
}

impl FromStr for Keys {
    type Err = KeysError;

    /// Reads the file's text; commas separate as well as lines do, for an environment variable.
    fn from_str(text: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<MasterKey> = Vec::new();
        let lines = text.split(['\n', ',']).map(str::trim).filter(|line| !line.is_empty());
        for (at, line) in lines.enumerate() {
            let wrong = KeysError::Line(at + 1);
            let (id, key) = line.split_once(':').ok_or(wrong)?;
            let id = id.parse().map_err(|_| wrong)?;
            let key = Zeroizing::new(BASE64.decode(key.as_bytes()).map_err(|_| wrong)?);
            let key: [u8; 32] = key.as_slice().try_into().map_err(|_| wrong)?;
            if keys.iter().any(|earlier| earlier.id == id) {
                return Err(KeysError::Twice(id));
            }
            keys.push(MasterKey::new(id, Zeroizing::new(key)));
        }
        if keys.is_empty() { Err(KeysError::Empty) } else { Ok(Self::of(keys, None)) }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known().iter().map(|key| key.id)).finish()
    }
}

impl MasterKey {
    fn new(id: u32, master: Zeroizing<[u8; 32]>) -> Self {
        let derived = |label: &[u8]| Zeroizing::new(keyed(&master, &[label]));
        Self {
            id,
            seal: derived(b"countersign-server/seal/v1"),
            audit: derived(b"countersign-server/audit/v1"),
            lookup: derived(b"countersign-server/lookup/v1"),
            master,
        }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(<&AesKey<Aes256Gcm>>::from(&*self.seal))
    }
}

fn associated(place: &str, row: &str) -> Vec<u8> {
    [b"countersign-server/v1/", place.as_bytes(), b"/", row.as_bytes()].concat()
}

/// HMAC-SHA-256 over the parts, each after its length (8 bytes, big-endian), so that no two lists are one text.
fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A whole block: HMAC fills shorter keys up with zeros anyway (RFC 2104, section 2).
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(<&hmac::digest::Key<Hmac<Sha256>>>::from(&*block));
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_in_its_row_only() {
        let random = Random::system();
        let keys = Keys::generate(&random);
        let sealed = keys.seal("credentials.secret", "a", b"secret", &random);
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(keys.open("credentials.secret", "a", &sealed).unwrap().expose(), b"secret");
        assert_eq!(keys.open("credentials.secret", "b", &sealed), Err(UnsealError::NotAuthentic));
        assert_eq!(keys.open("outbox.body", "a", &sealed), Err(UnsealError::NotAuthentic));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open("credentials.secret", "a", &changed).is_err(), "byte {at}");
            assert!(keys.open("credentials.secret", "a", &sealed[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn keys_survive_their_file_and_a_rotation() {
        let random = Random::system();
        let keys = Keys::generate(&random);
        let sealed = keys.seal("x", "a", b"secret", &random);
        let rotated: Keys = keys.rotated(&random).text().parse().unwrap();
        assert_eq!(rotated.newest(), 2);
        assert_eq!(rotated.open("x", "a", &sealed).unwrap().expose(), b"secret");
        let newer = rotated.seal("x", "a", b"secret", &random);
        assert_eq!(keys.open("x", "a", &newer), Err(UnsealError::KeyMissing(2)));
        assert_eq!(format!("{rotated:?}"), "[2, 1]");
    }

    #[test]
    fn wrong_keys_are_named() {
        let key = BASE64.encode(&[7; 32]);
        assert_eq!("".parse::<Keys>().unwrap_err(), KeysError::Empty);
        assert_eq!(format!("1:{key}\n2:AAAA").parse::<Keys>().unwrap_err(), KeysError::Line(2));
        assert_eq!(format!("1:{key},1:{key}").parse::<Keys>().unwrap_err(), KeysError::Twice(1));
    }

    #[test]
    fn a_file_of_keys_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let random = Random::system();
        assert!(Keys::read(&path).unwrap().is_none());
        let first = Keys::generate(&random);
        first.write(&path, false).unwrap();
        assert!(Keys::generate(&random).write(&path, false).is_err());
        let running = Keys::read(&path).unwrap().unwrap();
        assert_eq!(running.newest(), 1);
        // Who has read it before knows what came later, once it is needed.
        let rotated = running.rotated(&random);
        rotated.write(&path, true).unwrap();
        let sealed = rotated.seal("x", "a", b"secret", &random);
        assert_eq!(first.open("x", "a", &sealed), Err(UnsealError::KeyMissing(2)));
        assert_eq!(running.open("x", "a", &sealed).unwrap().expose(), b"secret");
        assert_eq!(running.newest(), 2);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    }
}
