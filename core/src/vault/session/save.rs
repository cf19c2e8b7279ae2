//! The steps of a save, in an order that leaves a vault that opens wherever they stop.
//!
//! 1. The new file is written beside the current one, synced, read back, decrypted and compared.
//! 2. The generations move up: .2 to .3, .1 to .2, and the current file gets the name .1 beside its own.
//! 3. The new file is renamed over the current one, and the folder is synced.
//!
//! Until the rename of step 3 the current file is untouched.

use std::io;

use rand_core::CryptoRng;
use sha2::{Digest, Sha256};

use super::{Header, Part, PasswordKey, SaveError, Slot, State, Store, VaultFile, cipher, random_id};
use crate::vault::{content::Content, store::GENERATIONS};

/// A save that failed.
pub(super) enum Failed {
    /// The current file is as it was.
    Before(SaveError),
    /// The new file is in its place, but the folder could not be synced.
    After(Box<State>, io::Error),
}

impl From<SaveError> for Failed {
    fn from(error: SaveError) -> Self {
        Self::Before(error)
    }
}

impl From<Failed> for SaveError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Before(error) => error,
            Failed::After(_, error) => Self::NotSynced(error),
        }
    }
}

/// Makes the first generation of a vault.
pub(super) fn create(store: &dyn Store, password: &PasswordKey, rng: &mut dyn CryptoRng) -> Result<State, SaveError> {
    let _lock = store.lock()?;
    if store.exists(Part::Current)? {
        return Err(SaveError::Exists(store.path().to_owned()));
    }
    // Generations of a vault that was here before are not this one's to rotate away.
    for number in 1..=GENERATIONS {
        if store.exists(Part::Earlier(number))? {
            store.rename(Part::Earlier(number), free_aside(store)?)?;
        }
    }
    let master = cipher::random_key(rng);
    let mut header = Header::new(random_id(rng));
    let slot = Slot::password(random_id(rng), header.vault_id, password, &master, rng).ok_or_else(too_long)?;
    header.slots.push(slot);
    let state = State { header, master, content: Content::default(), file_sha256: [0; 32] };
    Ok(write(store, state, rng, |_| Ok(()))?)
}

/// Puts `next` in the place of the current file, of which the bytes are `current`, or where there is none any more.
pub(super) fn replace(
    store: &dyn Store,
    next: State,
    current: Option<&[u8]>,
    rng: &mut dyn CryptoRng,
) -> Result<State, Failed> {
    write(store, next, rng, |store| current.map_or(Ok(()), |current| rotate(store, current)))
}

/// Puts an earlier generation in the place of the current file, which is set aside.
pub(super) fn restore(store: &dyn Store, mut state: State, rng: &mut dyn CryptoRng) -> Result<State, SaveError> {
    let _lock = store.lock()?;
    // Above everything that is there, so that whoever has the vault open takes it for the newer one.
    let mut newest = state.header.generation;
    for number in 1..=GENERATIONS {
        newest = newest.max(generation(store, Part::Earlier(number), &state)?.unwrap_or(0));
    }
    // A current file that cannot be read was the one after those.
    state.header.generation = newest.max(generation(store, Part::Current, &state)?.unwrap_or(newest + 1));
    let set_aside = |store: &dyn Store| match store.exists(Part::Current)? {
        true => store.duplicate(Part::Current, free_aside(store)?),
        false => Ok(()),
    };
    Ok(write(store, state, rng, set_aside)?)
}

/// The generation that the header of a part names, where it is of the same vault.
fn generation(store: &dyn Store, part: Part, of: &State) -> io::Result<Option<u64>> {
    let file = store.read(part)?.and_then(|bytes| VaultFile::read(&bytes).ok());
    Ok(file.filter(|file| file.header.vault_id == of.header.vault_id).map(|file| file.header.generation))
}

fn write(
    store: &dyn Store,
    mut next: State,
    rng: &mut dyn CryptoRng,
    make_room: impl FnOnce(&dyn Store) -> io::Result<()>,
) -> Result<State, Failed> {
    next.header.generation += 1;
    let mut plaintext = next.content.to_json();
    cipher::pad(&mut plaintext);
    let bytes = next.header.encode(&next.master, cipher::random(rng), &plaintext).ok_or_else(too_long)?;
    let written = store
        .write_new(&bytes)
        .and_then(|()| store.sync_new())
        .map_err(SaveError::Io)
        .and_then(|()| verify(store, &next, &plaintext))
        .and_then(|()| Ok(make_room(store)?))
        .and_then(|()| Ok(store.rename(Part::New, Part::Current)?));
    next.file_sha256 = Sha256::digest(&bytes).into();
    if let Err(error) = written {
        // A network file system can rename and report that it did not; what is there now decides.
        if let Ok(Some(now)) = store.read(Part::Current)
            && now == bytes
            && let SaveError::Io(error) = error
        {
            return Err(Failed::After(Box::new(next), error));
        }
        // Worth nothing, and harmless where it cannot be removed: the next save makes it anew.
        let _ = store.remove(Part::New);
        return Err(Failed::Before(error));
    }
    match store.sync_folder() {
        Ok(()) => Ok(next),
        Err(error) => Err(Failed::After(Box::new(next), error)),
    }
}

/// Reads the new file back as an opening would, and compares it with what was meant.
fn verify(store: &dyn Store, meant: &State, plaintext: &[u8]) -> Result<(), SaveError> {
    let failed = |what: &str| SaveError::NotVerified(what.to_owned());
    let bytes = store.read(Part::New)?.ok_or_else(|| failed("it is not there"))?;
    let file = VaultFile::read(&bytes).map_err(|_| failed("its header is not as it was written"))?;
    let (header, found) = file.open(&meant.master).map_err(|_| failed("it does not decrypt"))?;
    if header.generation != meant.header.generation || found.as_slice() != plaintext {
        return Err(failed("it is another content"));
    }
    match Content::from_json(&found) {
        Ok(content) if content == meant.content => Ok(()),
        Ok(_) => Err(failed("its content reads as another one")),
        Err(error) => Err(failed(&error.to_string())),
    }
}

fn rotate(store: &dyn Store, current: &[u8]) -> io::Result<()> {
    // A save that failed after this step has done it already; again would push out a generation for nothing.
    if store.read(Part::Earlier(1))?.is_some_and(|newest| newest == current) {
        return Ok(());
    }
    for number in (1..GENERATIONS).rev() {
        if store.exists(Part::Earlier(number))? {
            store.rename(Part::Earlier(number), Part::Earlier(number + 1))?;
        }
    }
    store.duplicate(Part::Current, Part::Earlier(1))
}

/// The first name that is free for a file that is set aside.
fn free_aside(store: &dyn Store) -> io::Result<Part> {
    let mut number = 1;
    while store.exists(Part::Aside(number))? {
        number += 1;
    }
    Ok(Part::Aside(number))
}

/// AES-GCM ends at 64 GiB.
fn too_long() -> SaveError {
    SaveError::Io(io::ErrorKind::FileTooLarge.into())
}
