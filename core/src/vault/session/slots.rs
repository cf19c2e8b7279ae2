//! The keys of an open vault: changing the password, recovery and device slots.

use super::*;

impl Session {
    /// The ways into the vault.
    pub fn slots(&self) -> Vec<SlotInfo> {
        self.state.header.slots.iter().map(Slot::info).collect()
    }

    /// Whether this is the vault's password: asked again before something that matters. Derives its key, so it takes
    /// as long as an unlock.
    pub fn check_password(&self, password: &Password) -> bool {
        self.state.header.slots.iter().any(|slot| {
            let Some(Ok(key)) = PasswordKey::of(slot, password) else { return false };
            slot.open_with_password(self.state.header.vault_id, &key).is_some()
        })
    }

    /// Like [`Session::check_password`], and keeps the password's key where it is right: a vault that the recovery or a
    /// device key opened can then do what needs the password.
    pub fn confirm_password(&mut self, password: &Password) -> bool {
        let vault = self.state.header.vault_id;
        let confirmed = self.state.header.slots.iter().find_map(|slot| {
            let key = PasswordKey::of(slot, password)?.ok()?;
            slot.open_with_password(vault, &key).map(|_| key)
        });
        if let Some(key) = confirmed {
            self.password_key = Some(key);
            return true;
        }
        false
    }

    /// Whether the vault was opened with its password, or [`Session::confirm_password`] came after.
    pub fn knows_password(&self) -> bool {
        self.password_key.is_some()
    }

    /// What guessing the password costs; `None` where the vault has none.
    pub fn kdf(&self) -> Option<KdfParams> {
        self.state.header.slots.iter().find_map(Slot::kdf)
    }

    /// The same vault, open a second time over its store: for work that lasts, on a thread of its own. Each rereads
    /// what the other saved.
    pub fn second(&self, store: Box<dyn Store>) -> Self {
        let password_key = self.password_key.clone();
        Self { store, state: self.state.clone(), password_key, told_gone: self.told_gone }
    }

    /// Sets a new password and with it a new master key: the old password and an old copy's keys open nothing that is
    /// saved from now on. Works without the old password too, where a recovery or device key opened the vault.
    pub fn change_password(
        &mut self,
        password: &Password,
        kdf: KdfParams,
        rng: &mut dyn CryptoRng,
        now: u64,
    ) -> Result<(), SaveError> {
        let key = PasswordKey::new(password, kdf, rng).map_err(std::io::Error::from)?;
        let slot_key = key.clone();
        self.change_slots(
            rng,
            now,
            |state, rng| {
                let vault = state.header.vault_id;
                let slots = &mut state.header.slots;
                slots.retain(|slot| slot.kind() != SlotKind::Password);
                state.new_master_key(None, rng)?;
                let slot = Slot::password(random_id(rng), vault, &slot_key, &state.master, rng)
                    .ok_or(SaveError::PasswordNeeded)?;
                state.header.slots.insert(0, slot);
                Ok(())
            },
            Some(key),
        )
    }

    /// Makes a recovery key, in place of an earlier one, and gives its printed text: eight groups of four.
    ///
    /// Taking an earlier one's place needs a new master key, and so the password ([`SaveError::PasswordNeeded`]).
    pub fn new_recovery_key(&mut self, rng: &mut dyn CryptoRng, now: u64) -> Result<SecretText, SaveError> {
        let recovery = RecoveryKey::generate(rng);
        let password_key = self.password_key.clone();
        self.change_slots(
            rng,
            now,
            |state, rng| {
                let vault = state.header.vault_id;
                let before = state.header.slots.len();
                state.header.slots.retain(|slot| slot.kind() != SlotKind::Recovery);
                if state.header.slots.len() < before {
                    state.new_master_key(password_key.as_ref(), rng)?;
                }
                let key = PrivateKey::Recovery(&recovery);
                let slot = Slot::sealed(random_id(rng), vault, &key, None, now, &state.master, rng);
                state.header.slots.push(slot.ok_or(SaveError::NoSuchSlot)?);
                Ok(())
            },
            None,
        )?;
        Ok(recovery.printed())
    }

    /// Adds a slot for this device and gives its key, which belongs into the platform's secure store.
    pub fn add_device_slot(&mut self, name: &str, rng: &mut dyn CryptoRng, now: u64) -> Result<SecretBytes, SaveError> {
        let key = SecretBytes::new(cipher::random_key(rng).to_vec());
        self.change_slots(
            rng,
            now,
            |state, rng| {
                let private = PrivateKey::Device(&key);
                let id = random_id(rng);
                let slot = Slot::sealed(id, state.header.vault_id, &private, Some(name), now, &state.master, rng);
                state.header.slots.push(slot.ok_or(SaveError::NoSuchSlot)?);
                Ok(())
            },
            None,
        )?;
        Ok(key)
    }

    /// Removes a recovery or device slot, and makes a new master key: its key opens nothing that is saved from now
    /// on. Needs the password ([`SaveError::PasswordNeeded`]); the password's own slot stays.
    pub fn remove_slot(&mut self, id: Uuid, rng: &mut dyn CryptoRng, now: u64) -> Result<(), SaveError> {
        let password_key = self.password_key.clone();
        self.change_slots(
            rng,
            now,
            |state, rng| {
                let slots = &mut state.header.slots;
                let at = slots.iter().position(|slot| slot.id() == id && slot.kind() != SlotKind::Password);
                slots.remove(at.ok_or(SaveError::NoSuchSlot)?);
                state.new_master_key(password_key.as_ref(), rng)
            },
            None,
        )
    }

    fn change_slots(
        &mut self,
        rng: &mut dyn CryptoRng,
        now: u64,
        change: impl FnOnce(&mut State, &mut dyn CryptoRng) -> Result<(), SaveError>,
        new_password_key: Option<PasswordKey>,
    ) -> Result<(), SaveError> {
        let _lock = self.store.lock()?;
        let (base, current) = self.base()?;
        let mut next = base;
        change(&mut next, rng)?;
        next.content.purge(now);
        let before = self.password_key.clone();
        if let Some(key) = new_password_key {
            self.password_key = Some(key);
        }
        let result = self.commit(next, current.as_deref(), rng);
        if matches!(&result, Err(error) if !matches!(error, SaveError::NotSynced(_))) {
            self.password_key = before;
        }
        result
    }
}

impl State {
    /// Makes a new master key and wraps it for every slot. Slots that only a newer program can wrap go.
    fn new_master_key(&mut self, password: Option<&PasswordKey>, rng: &mut dyn CryptoRng) -> Result<(), SaveError> {
        self.master = cipher::random_key(rng);
        self.header.slots.retain(|slot| slot.kind() != SlotKind::Unknown);
        for slot in &mut self.header.slots {
            slot.rewrap(self.header.vault_id, password, &self.master, rng).ok_or(SaveError::PasswordNeeded)?;
        }
        Ok(())
    }
}
