//! Whether somebody is at the screen: what locks the vault by itself.

use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What a watch can tell on this system. Settings that need what is missing are not offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// Locking and unlocking of the screen.
    pub screen_lock: bool,
    /// Falling asleep and waking up.
    pub sleep: bool,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum PresenceEvent {
    /// The watch stands, or stands as far as it can. Always the first event, and the only one of its kind.
    Watching(Abilities),
    /// The screen was locked. It may come more than once for one lock: several services may tell of it.
    ScreenLocked,
    /// The screen was unlocked. Never a reason to unlock a vault: any program of the user can say so.
    ScreenUnlocked,
    /// The computer falls asleep as soon as the value is dropped, or after the system's patience (five seconds with
    /// logind): lock first, then drop.
    Suspending(SleepDelay),
    /// The computer woke up. Time has passed that no timer counted.
    Resumed,
}

/// Keeps the computer awake until it is dropped.
pub struct SleepDelay(Option<Box<dyn Any + Send>>);

impl SleepDelay {
    /// Of a system that does not wait.
    pub fn none() -> Self {
        Self(None)
    }

    /// Of a system that waits until `guard` is dropped.
    pub fn holding(guard: impl Any + Send) -> Self {
        Self(Some(Box::new(guard)))
    }

    /// Whether the system waits.
    pub fn holds(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Debug for SleepDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SleepDelay(holds: {})", self.holds())
    }
}

/// What is called with each event, on a thread of the watch. It hands over to the window and returns: as long as it
/// runs no other event comes, and who drops the watch waits for it.
pub type PresenceCallback = Box<dyn FnMut(PresenceEvent) + Send>;

/// A service that tells whether somebody is there.
pub trait Presence: Send + Sync {
    /// Begins to watch, and returns at once. A system that cannot tell anything says so with
    /// [`PresenceEvent::Watching`] and no abilities.
    fn watch(&self, callback: PresenceCallback) -> PresenceWatch;

    /// How long no key was pressed and no pointer moved in the whole session; `None` where the system does not tell.
    /// It asks another program: not on the window's thread.
    fn idle(&self) -> Option<Duration>;
}

/// A watch. It ends when this is dropped: after that nothing is called.
#[must_use = "the watch ends when this is dropped"]
pub struct PresenceWatch(Option<Box<dyn FnOnce() + Send>>);

impl PresenceWatch {
    /// A watch that `stop` ends.
    pub fn new(stop: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(stop)))
    }
}

impl Drop for PresenceWatch {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            stop();
        }
    }
}

impl fmt::Debug for PresenceWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresenceWatch(..)")
    }
}

/// The presence of a system that tells nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPresence;

impl Presence for NoPresence {
    fn watch(&self, mut callback: PresenceCallback) -> PresenceWatch {
        callback(PresenceEvent::Watching(Abilities::default()));
        PresenceWatch::new(|| ())
    }

    fn idle(&self) -> Option<Duration> {
        None
    }
}

/// A presence that tells what a test makes it tell.
#[derive(Clone, Default)]
pub struct ScriptedPresence(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    watches: Vec<(u64, PresenceCallback)>,
    next: u64,
    idle: Option<Duration>,
}

impl ScriptedPresence {
    /// Tells it to every watch, on this thread. `event` is made anew for each.
    pub fn tell(&self, event: impl Fn() -> PresenceEvent) {
        for (_, callback) in &mut self.inner().watches {
            callback(event());
        }
    }

    /// What [`Presence::idle`] answers from now on.
    pub fn set_idle(&self, idle: Option<Duration>) {
        self.inner().idle = idle;
    }

    /// How many watches stand.
    pub fn watches(&self) -> usize {
        self.inner().watches.len()
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ScriptedPresence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScriptedPresence({} watches)", self.watches())
    }
}

impl Presence for ScriptedPresence {
    fn watch(&self, mut callback: PresenceCallback) -> PresenceWatch {
        callback(PresenceEvent::Watching(Abilities { screen_lock: true, sleep: true }));
        let mut inner = self.inner();
        let id = inner.next;
        inner.next += 1;
        inner.watches.push((id, callback));
        let twin = self.clone();
        PresenceWatch::new(move || twin.inner().watches.retain(|(other, _)| *other != id))
    }

    fn idle(&self) -> Option<Duration> {
        self.inner().idle
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn twin_tells_until_the_watch_is_dropped() {
        let presence = ScriptedPresence::default();
        let (sender, events) = mpsc::channel();
        let watch = presence.watch(Box::new(move |event| drop(sender.send(event))));
        assert!(matches!(events.recv(), Ok(PresenceEvent::Watching(Abilities { screen_lock: true, sleep: true }))));
        presence.tell(|| PresenceEvent::ScreenLocked);
        assert!(matches!(events.recv(), Ok(PresenceEvent::ScreenLocked)));
        drop(watch);
        presence.tell(|| PresenceEvent::ScreenLocked);
        assert!(events.recv().is_err());
    }

    #[test]
    fn sleep_waits_for_the_delay_to_be_dropped() {
        let held = Arc::new(());
        let delay = SleepDelay::holding(held.clone());
        assert!(delay.holds() && Arc::strong_count(&held) == 2);
        drop(delay);
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(!SleepDelay::none().holds());
    }

    #[test]
    fn absent_presence_says_so() {
        let (sender, events) = mpsc::channel();
        let _watch = NoPresence.watch(Box::new(move |event| drop(sender.send(event))));
        assert!(matches!(events.recv(), Ok(PresenceEvent::Watching(Abilities { screen_lock: false, sleep: false }))));
        assert_eq!(NoPresence.idle(), None);
    }
}
