//! A vault that is open.

use rand_core::CryptoRng;

use super::{content::Content, kdf::KdfParams, store::Store};
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

/// Why a vault did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no file.
    #[error("there is no vault at {0}")]
    Missing(std::path::PathBuf),
    /// The password, recovery key or device key is not one of this vault.
    #[error("wrong password")]
    WrongKey,
    /// The file is not as it was written. `newest_good` is a generation to try.
    #[error("the vault file is damaged: {reason}")]
    Damaged {
        /// What was found, in words.
        reason: String,
    },
    /// A newer program wrote the file.
    #[error("the vault was written by a newer version ({version})")]
    Newer {
        /// The format version that it has.
        version: u64,
    },
    /// The system refused.
    #[error("the vault could not be read: {0}")]
    Io(#[from] std::io::Error),
}

/// Why a change was not saved. The vault on disk and in memory is as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// Another program changed the password meanwhile: unlock again.
    #[error("the vault's password was changed elsewhere")]
    KeyChanged,
    /// The file on disk is damaged and is not overwritten.
    #[error("the vault file was damaged meanwhile: {0}")]
    Damaged(String),
    /// The system refused.
    #[error("the vault could not be saved: {0}")]
    Io(#[from] std::io::Error),
}

/// A change that failed: the change itself, or saving it.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    /// The change said no; nothing was saved.
    #[error("{0}")]
    Change(E),
    /// It could not be saved.
    #[error("{0}")]
    Save(#[from] SaveError),
}

/// An open vault. Dropping it wipes the keys and the content.
pub struct Session {
    content: Content,
    store: Box<dyn Store>,
}

impl Session {
    /// Makes a vault where there is none.
    pub fn create(
        store: Box<dyn Store>,
        password: &Password,
        kdf: KdfParams,
        rng: &mut dyn CryptoRng,
        now: u64,
    ) -> Result<Self, SaveError> {
        let _ = (store, password, kdf, rng, now);
        todo!()
    }

    /// Opens a vault.
    pub fn open(store: Box<dyn Store>, key: &Key) -> Result<Self, OpenError> {
        let _ = (store, key);
        todo!()
    }

    /// What it holds.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The store it lives in.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The number of saves so far.
    pub fn generation(&self) -> u64 {
        todo!()
    }

    /// Rereads the file where another program saved it. Says whether it had.
    pub fn refresh(&mut self) -> Result<bool, OpenError> {
        todo!()
    }

    /// Changes the content and saves it: locks, rereads what another program saved meanwhile, applies `change`, writes,
    /// reads back, replaces. When this returns `Ok`, the change is on the disk.
    pub fn edit<T, E>(
        &mut self,
        rng: &mut dyn CryptoRng,
        now: u64,
        change: impl FnOnce(&mut Content) -> Result<T, E>,
    ) -> Result<T, EditError<E>> {
        let _ = (rng, now, change);
        todo!()
    }

    /// Sets a new password and with it a new master key.
    pub fn change_password(
        &mut self,
        password: &Password,
        kdf: KdfParams,
        rng: &mut dyn CryptoRng,
        now: u64,
    ) -> Result<(), SaveError> {
        let _ = (password, kdf, rng, now);
        todo!()
    }

    /// Makes a recovery key, in place of an earlier one, and gives its printed text: eight groups of four.
    pub fn new_recovery_key(&mut self, rng: &mut dyn CryptoRng, now: u64) -> Result<SecretText, SaveError> {
        let _ = (rng, now);
        todo!()
    }
}
