//! Entries that could not be read: looked at, read again, deleted.

use std::{convert::Infallible, rc::Rc};

use countersign_core::{
    import::{self, Counts},
    secret::SecretText,
    vault::content::{KeptEntry, KeptId},
};

use crate::controllers::{ChangeError, Door, Services};

/// What could not be read.
pub struct KeptController {
    services: Rc<Services>,
    door: Rc<Door>,
}

impl KeptController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.door.content().map_or(0, |content| content.unreadable().len())
    }

    /// All of them, without what may be secret.
    pub fn entries(&self) -> Vec<KeptEntry> {
        self.door.content().map(|content| content.kept()).unwrap_or_default()
    }

    /// One of them word for word. It may show a secret: a second look comes first.
    pub fn raw(&self, id: KeptId) -> Option<SecretText> {
        self.door.content()?.kept_raw(id)
    }

    /// Reads these again, or all where none is named; what can be read becomes tokens.
    pub fn read_again(&self, ids: &[KeptId]) -> Result<Counts, ChangeError> {
        let (random, now) = (self.services.random, self.services.clock.now());
        self.door.edit(&self.services, |content| {
            Ok::<_, Infallible>(import::read_again(content, ids, &mut *random(), now).counts)
        })
    }

    /// Deletes one for good.
    pub fn delete(&self, id: KeptId) -> Result<(), ChangeError> {
        self.door.edit(&self.services, |content| {
            content.delete_kept(&[id]);
            Ok::<_, Infallible>(())
        })
    }
}
