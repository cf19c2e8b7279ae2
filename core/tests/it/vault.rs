//! The vault through its public doors: what is saved is there, and what is not whole does not open.

use std::path::Path;

use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::{
        KdfParams, Session,
        session::{EditError, Key, OpenError},
        store::FileStore,
    },
};
use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};

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
