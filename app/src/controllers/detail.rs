//! One token: changing it, what it was before, its QR code, and the second look before anything secret of it is shown.

mod edit;
mod history;
mod qr;
mod reading;

pub use edit::{Draft, Edit, GroupDraft, Judged, SaveProblem};
pub use history::{Earlier, Restored, earlier};
pub use qr::{PictureProblem, Qr, QrError, SHOWN_SECONDS};
pub use reading::{Reading, SHORT_SECONDS, plan, spelled};

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use countersign_core::{
    secret::Password,
    vault::{
        Session,
        session::{Key, OpenError},
        store::FileStore,
    },
};

use super::{Door, Services};

/// Why a second look was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookError {
    /// It is another password.
    WrongPassword,
    /// The vault's file could not be read, so nothing can be compared.
    Unreadable,
}

/// The pages of one token.
pub struct DetailController {
    services: Rc<Services>,
    door: Rc<Door>,
    /// The token that is being changed.
    pub edit: RefCell<Option<Edit>>,
    /// The code that is shown.
    pub qr: RefCell<Option<Qr>>,
    /// When the code comes that is to be read aloud, in Unix seconds; `None` where nobody waits for one.
    pub waiting: Cell<Option<u64>>,
}

impl DetailController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, edit: RefCell::default(), qr: RefCell::default(), waiting: Cell::default() }
    }

    /// Whether a second look asks for the password: where the vault was opened with it. Who came in with a recovery or
    /// device key may not know it, and is asked for a word only.
    pub fn look_needs_password(&self) -> bool {
        self.door.with(Session::knows_password) == Some(true)
    }

    /// Compares a password with the vault's, which takes as long as an unlock; `done` is called here.
    pub fn look(&self, password: Password, done: impl FnOnce(Result<(), LookError>) + 'static) {
        let path = self.door.path();
        self.services.tasks.run(
            move || match Session::open(Box::new(FileStore::new(path)), &Key::Password(password)) {
                Ok(_) => Ok(()),
                Err(OpenError::WrongKey) => Err(LookError::WrongPassword),
                Err(_) => Err(LookError::Unreadable),
            },
            done,
        );
    }

    /// Forgets what was being done with the token.
    pub fn forget(&self) {
        *self.edit.borrow_mut() = None;
        *self.qr.borrow_mut() = None;
        self.waiting.set(None);
    }
}
