//! An icon in the tray, for a program that goes on without its window.

use std::sync::{Mutex, PoisonError};

use super::{PlatformError, Support};

/// What the user wants from the icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrayAction {
    /// The window.
    Show,
    /// The vault locked.
    Lock,
    /// The program ended.
    Quit,
}

/// The words of the icon's menu, in the user's language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrayWords {
    /// For [`TrayAction::Show`].
    pub show: String,
    /// For [`TrayAction::Lock`].
    pub lock: String,
    /// For [`TrayAction::Quit`].
    pub quit: String,
}

/// Called with what was chosen, on any thread.
pub type OnAction = Box<dyn Fn(TrayAction) + Send + Sync>;

/// The tray. Every call may wait for another program: not on the window's thread.
pub trait Tray: Send + Sync {
    /// Whether there is one now; a desktop's panel may come and go.
    fn support(&self) -> Support;

    /// Shows the icon, in place of the one that is shown.
    fn show(&self, words: TrayWords, on_action: OnAction) -> Result<(), PlatformError>;

    /// Takes it away; nothing happens where there is none.
    fn hide(&self);
}

/// A system without a tray.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTray;

impl Tray for NoTray {
    fn support(&self) -> Support {
        Support::Unsupported
    }

    fn show(&self, _: TrayWords, _: OnAction) -> Result<(), PlatformError> {
        Err(PlatformError::Unsupported)
    }

    fn hide(&self) {}
}

/// A tray in memory.
#[derive(Default)]
pub struct ScriptedTray {
    refuses: bool,
    shown: Mutex<Option<(TrayWords, OnAction)>>,
}

impl ScriptedTray {
    /// One that takes no icon.
    pub fn that_refuses() -> Self {
        Self { refuses: true, ..Self::default() }
    }

    /// The words of the icon, while it is shown.
    pub fn words(&self) -> Option<TrayWords> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(words, _)| words.clone())
    }

    /// The user chooses this from the icon's menu.
    pub fn choose(&self, action: TrayAction) {
        if let Some((_, on_action)) = &*self.shown.lock().unwrap_or_else(PoisonError::into_inner) {
            on_action(action);
        }
    }
}

impl Tray for ScriptedTray {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn show(&self, words: TrayWords, on_action: OnAction) -> Result<(), PlatformError> {
        if self.refuses {
            return Err(PlatformError::Refused("no panel".into()));
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((words, on_action));
        Ok(())
    }

    fn hide(&self) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
