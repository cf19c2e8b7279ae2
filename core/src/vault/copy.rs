//! Copies of the vault file that are kept elsewhere: what they say without a key, and what they hold.

use uuid::Uuid;

use super::{
    cipher::SecretKey,
    content::Content,
    file::VaultFile,
    session::{Key, OpenError, Unlocker},
};

/// What a copy says of itself before it is opened. Nobody vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyInfo {
    /// The vault that it is a copy of.
    pub vault_id: Uuid,
    /// The number of saves up to it.
    pub generation: u64,
}

/// Opens copies of the vault that is open, without its password and without the time that a password takes. Holds the
/// vault's master key, which is wiped when this is dropped.
#[derive(Clone)]
pub struct CopyKey {
    vault_id: Uuid,
    master: SecretKey,
}

impl CopyKey {
    pub(super) fn new(vault_id: Uuid, master: SecretKey) -> Self {
        Self { vault_id, master }
    }

    /// The vault whose copies it opens.
    pub fn vault_id(&self) -> Uuid {
        self.vault_id
    }

    /// What a copy holds, from its bytes to its content, as an opening with the password would read it. A copy made
    /// before the master key changed is [`OpenError::WrongKey`].
    pub fn open(&self, bytes: &[u8]) -> Result<(CopyInfo, Content), OpenError> {
        let file = VaultFile::read(bytes)?;
        if file.header.vault_id != self.vault_id {
            return Err(OpenError::WrongKey);
        }
        let (header, plaintext) = file.open(&self.master).map_err(|_| OpenError::WrongKey)?;
        let content = Content::from_json(&plaintext)?;
        Ok((CopyInfo { vault_id: header.vault_id, generation: header.generation }, content))
    }
}

/// Whether bytes are meant to be a vault file, damaged or not: they name its format where each of them does.
pub fn looks_like_copy(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"\"countersign-vault\"";
    let head = bytes.trim_ascii_start();
    head.starts_with(b"{") && head[..head.len().min(4096)].windows(NAME.len()).any(|window| window == NAME)
}

/// What a copy says of itself; an error tells a damaged or newer one before anybody is asked for a password.
pub fn inspect_copy(bytes: &[u8]) -> Result<CopyInfo, OpenError> {
    let header = VaultFile::read(bytes)?.header;
    Ok(CopyInfo { vault_id: header.vault_id, generation: header.generation })
}

/// What a copy holds, opened with a key of its own.
pub fn open_copy(bytes: &[u8], key: &Key) -> Result<Content, OpenError> {
    Unlocker::new(key)?.open(bytes).map(|(_, content)| content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        secret::Password,
        vault::{
            KdfParams, Session,
            fixtures::sample,
            store::{FileStore, Part},
            testing::Seeded,
        },
    };

    const NOW: u64 = 1_790_000_000;

    fn vault(folder: &std::path::Path) -> Session {
        let store = Box::new(FileStore::new(folder.join("vault.json")));
        let kdf = KdfParams::new(64, 1, 1).unwrap();
        let mut session = Session::create(store, &Password::new("password"), kdf, &mut Seeded::new(1), NOW).unwrap();
        session
            .edit(&mut Seeded::new(2), NOW, |content| {
                *content = sample();
                Ok::<_, std::convert::Infallible>(())
            })
            .unwrap();
        session
    }

    #[test]
    fn a_copy_opens_with_the_open_vault_and_with_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = vault(folder.path());
        let bytes = session.store().read(Part::Current).unwrap().unwrap();
        assert!(looks_like_copy(&bytes) && !looks_like_copy(b"{}") && !looks_like_copy(b""));
        let (info, content) = session.copy_key().open(&bytes).unwrap();
        assert_eq!(info, inspect_copy(&bytes).unwrap());
        assert_eq!((info.generation, &content), (session.generation(), session.content()));
        let key = Key::Password(Password::new("password"));
        assert_eq!(open_copy(&bytes, &key).unwrap(), content);
        let wrong = Key::Password(Password::new("another"));
        assert!(matches!(open_copy(&bytes, &wrong), Err(OpenError::WrongKey)));

        let kdf = KdfParams::new(64, 1, 1).unwrap();
        session.change_password(&Password::new("next"), kdf, &mut Seeded::new(3), NOW).unwrap();
        assert!(matches!(session.copy_key().open(&bytes), Err(OpenError::WrongKey)), "the master key is a new one");
        assert_eq!(
            open_copy(&bytes, &key).unwrap().tokens().len(),
            content.tokens().len(),
            "the copy keeps its password"
        );
    }

    #[test]
    fn damage_shows_without_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let session = vault(folder.path());
        let bytes = session.store().read(Part::Current).unwrap().unwrap();
        let cut = &bytes[..bytes.len() - 20];
        assert!(matches!(inspect_copy(cut), Err(OpenError::Damaged { .. })));
        assert!(matches!(session.copy_key().open(cut), Err(OpenError::Damaged { .. })));
    }
}
