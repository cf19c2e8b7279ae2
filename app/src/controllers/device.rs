//! The slot whose key this device's keyring keeps.

use std::{fmt::Display, rc::Rc};

use countersign_core::vault::{
    Content, Session, SlotKind,
    session::{Key, OpenError, look},
    store::{FileStore, Part},
};
use serde_json::json;

use super::{Door, Services, lock::UnlockProblem};
use crate::platform::keyring::{KeyringEntry, KeyringError, Prompting};

/// The vault's own setting that keeps when its password was typed last.
const TYPED_AT: &str = "password_typed_at";
/// It is written at most once a day, so that opening the vault does not push its earlier generations out.
const DAY: u64 = 24 * 60 * 60;

/// Why the keyring did not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyringProblem {
    /// There is none, or none runs.
    Missing,
    /// It is locked.
    Locked,
    /// The person closed its question.
    Dismissed,
    /// It did not answer.
    Silent,
    /// It does not keep what it was given.
    NotKept,
    /// It said no.
    Refused,
    /// It no longer has the key.
    Gone,
    /// Its key is not one of this vault: the slot was removed elsewhere.
    Stale,
}

impl From<KeyringError> for KeyringProblem {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Unsupported | KeyringError::NoBus(_) | KeyringError::NoService => Self::Missing,
            KeyringError::Locked => Self::Locked,
            KeyringError::Dismissed => Self::Dismissed,
            KeyringError::TimedOut(_) => Self::Silent,
            KeyringError::NotKept | KeyringError::WrongSize(_) => Self::NotKept,
            _ => Self::Refused,
        }
    }
}

/// What the key of a vault is found by in the keyring.
pub fn entry(vault: impl Display) -> KeyringEntry {
    let attributes = vec![("application".into(), "countersign".into()), ("vault".into(), vault.to_string())];
    KeyringEntry { label: "Countersign vault".into(), attributes }
}

/// The ways into a vault that is closed, as far as its file tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// A recovery key opens it.
    pub recovery: bool,
    /// This device's keyring has a key of it.
    pub device: bool,
}

/// Looks at the vault's file. One that is missing or damaged has no ways but the password.
pub fn ways(services: &Services, door: &Door) -> Ways {
    let store = FileStore::new(door.path());
    let outside = match look(&store) {
        Ok(outside) => outside,
        // Earlier copies open with the recovery key, too; which of them has one is not told without a key.
        Err(OpenError::Missing(_)) => {
            return Ways { recovery: store.part_path(Part::Earlier(1)).exists(), device: false };
        }
        Err(_) => return Ways::default(),
    };
    let mine = services.settings.with(|settings| settings.device_slot.clone());
    Ways {
        recovery: outside.slots.iter().any(|slot| slot.kind == SlotKind::Recovery),
        device: mine.is_some_and(|mine| {
            outside.slots.iter().any(|slot| slot.kind == SlotKind::Device && slot.id.to_string() == mine)
        }),
    }
}

/// Opens the vault with the keyring's key; `done` is called here. After too many days without the password it stays
/// closed, so that nobody forgets it.
pub fn open(services: &Rc<Services>, door: &Rc<Door>, done: impl FnOnce(Result<(), UnlockProblem>) + 'static) {
    let (path, keyring) = (door.path(), services.platform.keyring.clone());
    let (services_then, door) = (services.clone(), door.clone());
    services.tasks.run(
        move || {
            let store = FileStore::new(path);
            let outside = look(&store)?;
            let key = keyring
                .load(&entry(outside.vault_id), Prompting::Allowed)
                .map_err(|error| UnlockProblem::Keyring(error.into()))?
                .ok_or(UnlockProblem::Keyring(KeyringProblem::Gone))?;
            Session::open(Box::new(store), &Key::Device(key)).map_err(|error| match error {
                OpenError::WrongKey => UnlockProblem::Keyring(KeyringProblem::Stale),
                other => other.into(),
            })
        },
        move |result: Result<Session, UnlockProblem>| {
            done(result.and_then(|session| {
                let days = services_then.settings.with(|settings| settings.password_days);
                if password_due(session.content(), days, services_then.clock.now()) {
                    return Err(UnlockProblem::PasswordDue);
                }
                door.enter(session);
                Ok(())
            }));
        },
    );
}

/// Whether the password is to be typed again.
pub fn password_due(content: &Content, days: Option<u32>, now: u64) -> bool {
    let Some(days) = days else { return false };
    let Some(typed) = typed_at(content) else { return true };
    // A clock that was set back does not put it off for ever.
    now < typed.saturating_sub(DAY) || now >= typed.saturating_add(u64::from(days) * DAY)
}

/// Notes in an open vault that its password was just typed, where a device key could make it be forgotten.
pub fn note_typed(services: &Services, door: &Door) {
    let now = services.clock.now();
    let has_device = door.with(|session| session.slots().iter().any(|slot| slot.kind == SlotKind::Device));
    let fresh = door.content().and_then(|content| typed_at(&content)).is_some_and(|at| at <= now && now < at + DAY);
    if has_device == Some(true) && !fresh {
        // Asked for a little earlier, at worst.
        let _ = door.edit(services, |content| {
            set_typed(content, now);
            Ok::<_, std::convert::Infallible>(())
        });
    }
}

/// Writes down when the password was typed.
pub(super) fn set_typed(content: &mut Content, now: u64) {
    content.set_setting(TYPED_AT, Some(&json!(now)));
}

fn typed_at(content: &Content) -> Option<u64> {
    content.setting(TYPED_AT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_due_after_its_days_and_never_where_nobody_wants_it() {
        let mut content = Content::default();
        assert!(password_due(&content, Some(30), 100 * DAY));
        assert!(!password_due(&content, None, 100 * DAY));
        set_typed(&mut content, 100 * DAY);
        assert!(!password_due(&content, Some(30), 100 * DAY));
        assert!(!password_due(&content, Some(30), 130 * DAY - 1));
        assert!(password_due(&content, Some(30), 130 * DAY));
        // A clock that was corrected by an hour is none that was set back.
        assert!(!password_due(&content, Some(30), 100 * DAY - 3600));
        assert!(password_due(&content, Some(30), 90 * DAY));
    }
}
