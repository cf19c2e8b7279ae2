//! The keys of an open vault: its password, its recovery key, what this device keeps, and what guessing costs.
//!
//! Whatever derives a key or asks the keyring runs on another thread, over the same vault opened a second time; the
//! window's session goes on meanwhile and is replaced when the work is done.

use std::{rc::Rc, time::Duration};

use countersign_core::{
    secret::{Password, SecretText},
    vault::{KdfParams, Session, SlotInfo, SlotKind, session::SaveError},
};
use rand_core::CryptoRng;
use serde_json::json;

use super::{
    Door, Services,
    device::{self, KeyringProblem},
};
use crate::platform::keyring::{KeyringError, KeyringState, Prompting};

/// The vault's own setting that keeps when the recovery sheet was found to be kept.
const KEPT_AT: &str = "recovery_sheet_kept_at";

/// Why nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityProblem {
    /// The password is another one.
    WrongPassword,
    /// The vault was opened without its password, and this needs it.
    PasswordNeeded,
    /// The keyring did not help.
    Keyring(KeyringProblem),
    /// Another program changed the password.
    ChangedElsewhere,
    /// The file could not be written.
    NotSaved,
}

impl From<SaveError> for SecurityProblem {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::PasswordNeeded => Self::PasswordNeeded,
            SaveError::KeyChanged => Self::ChangedElsewhere,
            _ => Self::NotSaved,
        }
    }
}

impl From<KeyringError> for SecurityProblem {
    fn from(error: KeyringError) -> Self {
        Self::Keyring(error.into())
    }
}

/// What guessing the password costs, as choices.
pub const STRENGTHS: [(u32, u32); 3] = [(64, 3), (128, 4), (256, 6)];

/// The parameters of a choice: memory in MiB and passes.
fn params((mebibytes, passes): (u32, u32)) -> KdfParams {
    KdfParams::new(mebibytes * 1024, passes, KdfParams::RECOMMENDED.lanes()).unwrap_or(KdfParams::RECOMMENDED)
}

/// The page about keys.
pub struct SecurityController {
    services: Rc<Services>,
    door: Rc<Door>,
}

impl SecurityController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door }
    }

    /// The ways into the vault.
    pub fn slots(&self) -> Vec<SlotInfo> {
        self.door.with(Session::slots).unwrap_or_default()
    }

    /// Whether what needs the password can be done without asking for it.
    pub fn knows_password(&self) -> bool {
        self.door.with(Session::knows_password) == Some(true)
    }

    /// What guessing the password costs now.
    pub fn kdf(&self) -> Option<KdfParams> {
        self.door.with(Session::kdf).flatten()
    }

    /// Whether this device's keyring opens the vault.
    pub fn device_is_on(&self) -> bool {
        self.own_slot().is_some()
    }

    /// When the recovery sheet was found to be kept, in Unix seconds.
    pub fn sheet_kept_at(&self) -> Option<u64> {
        self.door.content()?.setting(KEPT_AT)?.parse().ok()
    }

    /// Notes that the person has the sheet.
    pub fn note_sheet_kept(&self) {
        let now = self.services.clock.now();
        // The key works all the same; the page goes on saying that nobody confirmed it.
        let _ = self.door.edit(&self.services, |content| {
            content.set_setting(KEPT_AT, Some(&json!(now)));
            Ok::<_, std::convert::Infallible>(())
        });
    }

    /// Sets a new password. The old one is asked for where it is known that the person has it.
    pub fn change_password(
        self: &Rc<Self>,
        current: Option<Password>,
        new: Password,
        done: impl FnOnce(Result<(), SecurityProblem>) + 'static,
    ) {
        let kdf = self.kdf().unwrap_or(self.services.kdf);
        let this = self.clone();
        self.run(
            current,
            move |session, random, now| saved(session.change_password(&new, kdf, random, now)),
            move |result| {
                if result.is_ok() {
                    device::note_typed(&this.services, &this.door);
                }
                done(result);
            },
        );
    }

    /// Derives the key of the same password in another way.
    pub fn change_strength(
        &self,
        password: Password,
        choice: usize,
        done: impl FnOnce(Result<(), SecurityProblem>) + 'static,
    ) {
        let Some(kdf) = STRENGTHS.get(choice).copied().map(params) else { return };
        let new = password.clone();
        self.run(
            Some(password),
            move |session, random, now| saved(session.change_password(&new, kdf, random, now)),
            done,
        );
    }

    /// Says how long each choice takes on this machine.
    pub fn measure(&self, done: impl FnOnce(Vec<Duration>) + 'static) {
        let stopwatch = self.services.clock.stopwatch();
        self.services.tasks.run(move || STRENGTHS.map(|choice| time(params(choice), stopwatch)).to_vec(), done);
    }

    /// Makes a recovery key in the place of an earlier one.
    pub fn new_recovery_key(
        &self,
        password: Option<Password>,
        done: impl FnOnce(Result<SecretText, SecurityProblem>) + 'static,
    ) {
        self.run(
            password,
            |session, random, now| {
                let key = session.new_recovery_key(random, now)?;
                // The new sheet is in nobody's hands yet; where this is not saved, the old date stays.
                let _ = session.edit(random, now, |content| {
                    content.set_setting(KEPT_AT, None);
                    Ok::<_, std::convert::Infallible>(())
                });
                Ok(key)
            },
            done,
        );
    }

    /// Whether the system has a keyring at all; `done` is called here.
    pub fn ask_keyring(&self, done: impl FnOnce(Result<KeyringState, KeyringProblem>) + 'static) {
        let keyring = self.services.platform.keyring.clone();
        self.services.tasks.run(move || keyring.state().map_err(KeyringProblem::from), done);
    }

    /// Gives this device's keyring a key of the vault.
    pub fn switch_device_on(self: &Rc<Self>, done: impl FnOnce(Result<(), SecurityProblem>) + 'static) {
        let keyring = self.services.platform.keyring.clone();
        let name = gethostname::gethostname().to_string_lossy().into_owned();
        let this = self.clone();
        self.run(
            None,
            move |session, random, now| {
                let before: Vec<_> = session.slots().iter().map(|slot| slot.id).collect();
                let key = session.add_device_slot(&name, random, now)?;
                let Some(slot) = session.slots().into_iter().find(|slot| !before.contains(&slot.id)) else {
                    return Err(SecurityProblem::NotSaved);
                };
                if let Err(error) = keyring.store(&device::entry(session.vault_id()), &key, Prompting::Allowed) {
                    // A slot whose key nobody has opens nothing; it stays listed where it cannot be removed.
                    let _ = session.remove_slot(slot.id, random, now);
                    return Err(error.into());
                }
                let _ = session.edit(random, now, |content| {
                    device::set_typed(content, now);
                    Ok::<_, std::convert::Infallible>(())
                });
                Ok(slot.id.to_string())
            },
            move |result| {
                done(result.map(|slot| {
                    // Where this is not saved, the switch holds until the program ends.
                    let _ = this.services.settings.change(|settings| settings.device_slot = Some(slot));
                }));
            },
        );
    }

    /// Removes a slot, and from the keyring its key where it is this device's.
    pub fn remove_slot(
        self: &Rc<Self>,
        id: String,
        password: Option<Password>,
        done: impl FnOnce(Result<(), SecurityProblem>) + 'static,
    ) {
        let own = self.own_slot().as_deref() == Some(&id);
        let keyring = self.services.platform.keyring.clone();
        let this = self.clone();
        self.run(
            password,
            move |session, random, now| {
                let slot = session.slots().into_iter().find(|slot| slot.id.to_string() == id);
                let slot = slot.ok_or(SecurityProblem::NotSaved)?;
                saved(session.remove_slot(slot.id, random, now))?;
                if slot.kind == SlotKind::Recovery {
                    let _ = session.edit(random, now, |content| {
                        content.set_setting(KEPT_AT, None);
                        Ok::<_, std::convert::Infallible>(())
                    });
                }
                if own {
                    // What stays there opens nothing any more.
                    let _ = keyring.delete(&device::entry(session.vault_id()), Prompting::Allowed);
                }
                Ok(())
            },
            move |result| {
                if own && result.is_ok() {
                    let _ = this.services.settings.change(|settings| settings.device_slot = None);
                }
                done(result);
            },
        );
    }

    /// The identifier of this device's slot, where the vault still has it.
    pub fn own_slot(&self) -> Option<String> {
        let mine = self.services.settings.with(|settings| settings.device_slot.clone())?;
        self.slots().iter().any(|slot| slot.kind == SlotKind::Device && slot.id.to_string() == mine).then_some(mine)
    }

    fn run<T: Send + 'static>(
        &self,
        password: Option<Password>,
        work: impl FnOnce(&mut Session, &mut dyn CryptoRng, u64) -> Result<T, SecurityProblem> + Send + 'static,
        done: impl FnOnce(Result<T, SecurityProblem>) + 'static,
    ) {
        let Some(mut session) = self.door.second() else { return };
        let (random, now, door) = (self.services.random, self.services.clock.now(), self.door.clone());
        self.services.tasks.run(
            move || {
                if let Some(password) = password
                    && !session.confirm_password(&password)
                {
                    return (Err(SecurityProblem::WrongPassword), session);
                }
                (work(&mut session, &mut *random(), now), session)
            },
            move |(result, mut session)| {
                // Also after a failure: it may have made a new master key before, and it may know the password now.
                let _ = session.refresh();
                door.enter(session);
                done(result);
            },
        );
    }
}

/// A save that the power could still take back is one all the same.
fn saved(result: Result<(), SaveError>) -> Result<(), SecurityProblem> {
    match result {
        Ok(()) | Err(SaveError::NotSynced(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn time(kdf: KdfParams, stopwatch: super::Stopwatch) -> Duration {
    let mut took = Duration::ZERO;
    kdf.calibrate(Duration::ZERO, |work| {
        took = stopwatch(work);
        took
    });
    took
}
