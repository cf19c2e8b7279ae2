//! A vault that is open.

mod error;
mod save;
mod slots;

pub use error::{EditError, OpenError, RestoreError, SaveError};

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    cipher::{self, SecretKey},
    content::Content,
    copy::CopyKey,
    file::{Header, VaultFile},
    kdf::{KdfFailed, KdfParams},
    recovery::{RecoveryKey, RecoveryKeyError},
    slot::{PasswordKey, PrivateKey, Slot, SlotInfo, SlotKind},
    store::{Part, Store},
};
use crate::secret::{Password, SecretBytes, SecretText};

/// What opens a vault.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Key {
    /// The password.
    Password(Password),
    /// The recovery key as printed, check characters included.
    Recovery(SecretText),
    /// The private key that the platform's secure store keeps.
    Device(SecretBytes),
}

/// An open vault. Dropping it wipes the keys and the content.
pub struct Session {
    store: Box<dyn Store>,
    state: State,
    /// Kept while the vault is open, so that a new master key can be wrapped for the password too.
    password_key: Option<PasswordKey>,
    /// A save found no file, and said so: the next one makes it anew.
    told_gone: bool,
}

/// What a file holds.
#[derive(Clone)]
struct State {
    header: Header,
    master: SecretKey,
    content: Content,
    /// SHA-256 of the file's bytes: tells whether another program saved since.
    file_sha256: [u8; 32],
}

impl Session {
    /// Makes a vault where there is none, and its folder where that is missing.
    pub fn create(
        store: Box<dyn Store>,
        password: &Password,
        kdf: KdfParams,
        rng: &mut dyn CryptoRng,
        _now: u64,
    ) -> Result<Self, SaveError> {
        let key = PasswordKey::new(password, kdf, rng).map_err(std::io::Error::from)?;
        store.create_folder()?;
        let state = save::create(&*store, &key, rng)?;
        Ok(Self { store, state, password_key: Some(key), told_gone: false })
    }

    /// Opens a vault.
    pub fn open(store: Box<dyn Store>, key: &Key) -> Result<Self, OpenError> {
        let bytes = read(&*store, Part::Current)?;
        let (state, password_key) = Unlocker::new(key)?.unlock(&bytes)?;
        Ok(Self { store, state, password_key, told_gone: false })
    }

    /// Puts an earlier generation in the place of the current file, which is kept beside as `vault.json.aside-N`,
    /// and opens it. Only ever on a person's word: what was saved since that generation is no longer shown.
    pub fn restore_generation(
        store: Box<dyn Store>,
        key: &Key,
        generation: u8,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, RestoreError> {
        let bytes = read(&*store, Part::Earlier(generation))?;
        let (state, password_key) = Unlocker::new(key)?.unlock(&bytes)?;
        let state = save::restore(&*store, state, rng)?;
        Ok(Self { store, state, password_key, told_gone: false })
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.state.content
    }

    /// The store it lives in.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The number of saves so far.
    pub fn generation(&self) -> u64 {
        self.state.header.generation
    }

    /// The vault's identifier; copies and generations have the same.
    pub fn vault_id(&self) -> Uuid {
        self.state.header.vault_id
    }

    /// Opens copies of this vault as long as its master key is this one.
    pub fn copy_key(&self) -> CopyKey {
        CopyKey::new(self.state.header.vault_id, self.state.master.clone())
    }

    /// Rereads the file where another program saved it. Says whether it had.
    ///
    /// [`OpenError::WrongKey`] says that the password was changed elsewhere: unlock again.
    pub fn refresh(&mut self) -> Result<bool, OpenError> {
        let bytes = read(&*self.store, Part::Current)?;
        match self.state.newer(&bytes) {
            Ok(None) => Ok(false),
            Ok(Some(state)) => {
                self.state = state;
                self.forget_stale_password();
                Ok(true)
            }
            Err(SaveError::KeyChanged) => Err(OpenError::WrongKey),
            Err(SaveError::Damaged(reason)) => Err(OpenError::Damaged { reason }),
            Err(SaveError::Newer { version }) => Err(OpenError::Newer { version }),
            Err(SaveError::Io(error)) => Err(OpenError::Io(error)),
            Err(other) => Err(OpenError::Io(std::io::Error::other(other.to_string()))),
        }
    }

    /// Changes the content and saves it: locks, rereads what another program saved meanwhile, applies `change`, writes,
    /// reads back, replaces. When this returns `Ok`, the change is on the disk. A change that changes nothing is not
    /// written.
    ///
    /// Where the file is gone, the first save is refused with [`SaveError::Gone`] and the one after it makes it anew.
    pub fn edit<T, E>(
        &mut self,
        rng: &mut dyn CryptoRng,
        now: u64,
        change: impl FnOnce(&mut Content) -> Result<T, E>,
    ) -> Result<T, EditError<E>> {
        let lock = self.store.lock().map_err(SaveError::Io)?;
        let (base, current) = self.base()?;
        let mut next = base.clone();
        let value = change(&mut next.content).map_err(EditError::Change)?;
        if next.content == base.content {
            self.state = base;
            return Ok(value);
        }
        next.content.purge(now);
        self.commit(next, current.as_deref(), rng)?;
        drop(lock);
        Ok(value)
    }

    /// What the disk holds now, to be changed; and the file's bytes, which are none where the file is gone and that was
    /// told before. To be called with the lock.
    fn base(&mut self) -> Result<(State, Option<Vec<u8>>), SaveError> {
        let Some(current) = self.store.read(Part::Current)? else {
            if std::mem::replace(&mut self.told_gone, true) {
                return Ok((self.state.clone(), None));
            }
            return Err(SaveError::Gone(self.store.path().to_owned()));
        };
        self.told_gone = false;
        let base = self.state.newer(&current)?.unwrap_or_else(|| self.state.clone());
        Ok((base, Some(current)))
    }

    /// Writes `next` over `current`; memory follows what is then on the disk.
    fn commit(&mut self, next: State, current: Option<&[u8]>, rng: &mut dyn CryptoRng) -> Result<(), SaveError> {
        let result = save::replace(&*self.store, next, current, rng);
        let (state, result) = match result {
            Ok(state) => (state, Ok(())),
            Err(save::Failed::Before(error)) => return Err(error),
            Err(save::Failed::After(state, error)) => (*state, Err(SaveError::NotSynced(error))),
        };
        self.state = state;
        self.forget_stale_password();
        result
    }

    /// Drops the password's key where the file now has another password.
    fn forget_stale_password(&mut self) {
        if let Some(key) = &self.password_key
            && !self.state.header.slots.iter().any(|slot| key.fits(slot))
        {
            self.password_key = None;
        }
    }
}

impl State {
    /// What `file` holds where it is not what this state was read from; opened with the same master key.
    fn newer(&self, file: &[u8]) -> Result<Option<Self>, SaveError> {
        let file_sha256: [u8; 32] = Sha256::digest(file).into();
        if file_sha256 == self.file_sha256 {
            return Ok(None);
        }
        let file = VaultFile::read(file)?;
        if file.header.vault_id != self.header.vault_id {
            return Err(SaveError::KeyChanged);
        }
        let wrapped = |header: &Header| {
            header.slots.iter().filter_map(|slot| slot.wrapped().map(str::to_owned)).collect::<Vec<_>>()
        };
        let ours = wrapped(&self.header);
        // A new master key is wrapped anew in every slot.
        let same_key = wrapped(&file.header).iter().any(|key| ours.contains(key));
        let Ok((header, plaintext)) = file.open(&self.master) else {
            return Err(match same_key {
                true => SaveError::Damaged("its content is not as it was written".to_owned()),
                false => SaveError::KeyChanged,
            });
        };
        if header.generation < self.header.generation {
            return Err(SaveError::Older { on_disk: header.generation, open: self.header.generation });
        }
        let content = Content::from_json(&plaintext)?;
        Ok(Some(Self { header, master: self.master.clone(), content, file_sha256 }))
    }
}

/// A key that may be tried on several files; a password is derived once for the same parameters.
pub(super) struct Unlocker<'a> {
    key: &'a Key,
    recovery: Option<RecoveryKey>,
    derived: Option<PasswordKey>,
}

impl<'a> Unlocker<'a> {
    pub(super) fn new(key: &'a Key) -> Result<Self, RecoveryKeyError> {
        let recovery = match key {
            Key::Recovery(typed) => Some(RecoveryKey::read(typed.expose())?),
            _ => None,
        };
        Ok(Self { key, recovery, derived: None })
    }

    /// Opens a file: what it holds, its generation and its content.
    pub(super) fn open(&mut self, bytes: &[u8]) -> Result<(u64, Content), OpenError> {
        self.unlock(bytes).map(|(state, _)| (state.header.generation, state.content))
    }

    fn unlock(&mut self, bytes: &[u8]) -> Result<(State, Option<PasswordKey>), OpenError> {
        let file = VaultFile::read(bytes)?;
        let master = self.master(&file.header)?.ok_or(OpenError::WrongKey)?;
        let (header, plaintext) = file
            .open(&master)
            .map_err(|_| OpenError::Damaged { reason: "the content is not as it was written".to_owned() })?;
        let content = Content::from_json(&plaintext)?;
        let password_key = self.derived.clone().filter(|key| header.slots.iter().any(|slot| key.fits(slot)));
        Ok((State { header, master, content, file_sha256: Sha256::digest(bytes).into() }, password_key))
    }

    fn master(&mut self, header: &Header) -> Result<Option<SecretKey>, KdfFailed> {
        for slot in &header.slots {
            let master = match self.key {
                Key::Password(password) => {
                    if !self.derived.as_ref().is_some_and(|key| key.fits(slot)) {
                        let Some(key) = PasswordKey::of(slot, password) else { continue };
                        self.derived = Some(key?);
                    }
                    self.derived.as_ref().and_then(|key| slot.open_with_password(header.vault_id, key))
                }
                Key::Recovery(_) => {
                    self.recovery.as_ref().and_then(|key| slot.open_with(header.vault_id, &PrivateKey::Recovery(key)))
                }
                Key::Device(key) => slot.open_with(header.vault_id, &PrivateKey::Device(key)),
            };
            if master.is_some() {
                return Ok(master);
            }
        }
        Ok(None)
    }
}

/// What a vault's file tells without a key. None of it is secret, and until a key opened the file none of it is sure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The vault's identifier.
    pub vault_id: Uuid,
    /// The ways into it.
    pub slots: Vec<SlotInfo>,
}

/// Looks at a vault from outside, so that only ways that it has are offered.
pub fn look(store: &dyn Store) -> Result<Outside, OpenError> {
    let header = VaultFile::read(&read(store, Part::Current)?)?.header;
    Ok(Outside { vault_id: header.vault_id, slots: header.slots.iter().map(Slot::info).collect() })
}

/// The bytes of a part that must be there.
fn read(store: &dyn Store, part: Part) -> Result<Vec<u8>, OpenError> {
    store.read(part)?.ok_or_else(|| OpenError::Missing(store.path().to_owned()))
}

/// A random identifier.
fn random_id(rng: &mut dyn CryptoRng) -> Uuid {
    uuid::Builder::from_random_bytes(cipher::random(rng)).into_uuid()
}
