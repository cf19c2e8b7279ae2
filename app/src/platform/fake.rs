//! Twins of the system's services that do what a test's script says.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use countersign_core::{qr::Luma, secret::SecretBytes};

use super::{Camera, Clipboard, DeepLinks, FilePicker, Picked, PlatformError, Screen, SecureStore, Support};
use crate::controllers::Clock;

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct FakeClock(Cell<u64>);

impl FakeClock {
    /// Stands at `now` Unix seconds.
    pub fn new(now: u64) -> Self {
        Self(Cell::new(now))
    }

    /// Moves on by that many seconds.
    pub fn advance(&self, seconds: u64) {
        self.0.set(self.0.get() + seconds);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> u64 {
        self.0.get()
    }
}

/// A clipboard in memory.
#[derive(Debug, Default)]
pub struct FakeClipboard {
    /// What it holds.
    pub content: RefCell<Option<String>>,
    /// Whether it refuses.
    pub refuses: Cell<bool>,
}

impl FakeClipboard {
    fn check(&self) -> Result<(), PlatformError> {
        if self.refuses.get() { Err(PlatformError::Refused("owned by another".into())) } else { Ok(()) }
    }
}

impl Clipboard for FakeClipboard {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn put(&self, text: &str) -> Result<(), PlatformError> {
        self.check()?;
        *self.content.borrow_mut() = Some(text.to_owned());
        Ok(())
    }

    fn clear_if_holds(&self, text: &str) -> Result<bool, PlatformError> {
        self.check()?;
        let holds = self.content.borrow().as_deref() == Some(text);
        if holds {
            *self.content.borrow_mut() = None;
        }
        Ok(holds)
    }

    fn text(&self) -> Result<Option<String>, PlatformError> {
        self.check()?;
        Ok(self.content.borrow().clone())
    }
}

/// A dialog whose answers are written down before; without one it says that it could not be opened.
#[derive(Debug, Default)]
pub struct FakePicker(Mutex<VecDeque<Picked>>);

impl FakePicker {
    /// Adds an answer.
    pub fn answer(&self, picked: Picked) {
        if let Ok(mut answers) = self.0.lock() {
            answers.push_back(picked);
        }
    }
}

impl FilePicker for FakePicker {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn pick_picture(&self) -> Picked {
        self.0.lock().ok().and_then(|mut answers| answers.pop_front()).unwrap_or(Picked::NoDialog)
    }
}

/// A camera that shows given pictures, then fails as a camera does that is pulled out.
#[derive(Debug, Default)]
pub struct FakeCamera {
    /// What comes next.
    pub frames: VecDeque<Luma>,
}

impl Camera for FakeCamera {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn frame(&mut self) -> Result<Option<Luma>, PlatformError> {
        self.frames.pop_front().map(Some).ok_or_else(|| PlatformError::Refused("the camera is gone".into()))
    }
}

/// A store in memory.
#[derive(Debug, Default)]
pub struct FakeSecureStore {
    secrets: RefCell<HashMap<String, SecretBytes>>,
    /// Whether it is locked.
    pub locked: Cell<bool>,
}

impl FakeSecureStore {
    fn check(&self) -> Result<(), PlatformError> {
        if self.locked.get() { Err(PlatformError::Refused("locked".into())) } else { Ok(()) }
    }
}

impl SecureStore for FakeSecureStore {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn get(&self, name: &str) -> Result<Option<SecretBytes>, PlatformError> {
        self.check()?;
        Ok(self.secrets.borrow().get(name).cloned())
    }

    fn set(&self, name: &str, secret: &SecretBytes) -> Result<(), PlatformError> {
        self.check()?;
        self.secrets.borrow_mut().insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), PlatformError> {
        self.check()?;
        self.secrets.borrow_mut().remove(name);
        Ok(())
    }
}

/// Links that came before the test asks.
#[derive(Debug, Default)]
pub struct FakeDeepLinks(pub VecDeque<String>);

impl DeepLinks for FakeDeepLinks {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn take(&mut self) -> Option<String> {
        self.0.pop_front()
    }
}

/// A screen that shows one picture, or may not be looked at.
#[derive(Debug, Default)]
pub struct FakeScreen(pub Option<Luma>);

impl Screen for FakeScreen {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn capture(&self) -> Result<Luma, PlatformError> {
        self.0.clone().ok_or_else(|| PlatformError::Refused("not allowed".into()))
    }
}
