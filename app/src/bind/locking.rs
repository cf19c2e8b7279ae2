//! Locking by itself: what tells that nobody is there, and the page that says when.

use std::rc::Rc;

use countersign_ui::{AppWindow, SecurityAdapter};
use slint::ComponentHandle as _;

use super::{Parts, navigation};
use crate::platform::presence::{Abilities, PresenceEvent};

/// How often a window needs to be told that time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// With every second: codes are on the screen.
    Seconds,
    /// Once, after so many seconds: something is to be cleared or locked that nobody sees.
    Once(u64),
    /// Not at all.
    Still,
}

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_set_lock_after(move |seconds| {
        let seconds = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0);
        change(&weak, &of, |settings| settings.lock_after = seconds);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_minimise(move || {
        change(&weak, &of, |settings| settings.lock_on_minimise = !settings.lock_on_minimise);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_sleep(move || {
        change(&weak, &of, |settings| settings.lock_on_sleep = !settings.lock_on_sleep);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_screen_lock(move || {
        change(&weak, &of, |settings| settings.lock_on_screen_lock = !settings.lock_on_screen_lock);
    });
    show(window, parts);
}

/// How time is to be told from now on.
pub fn rhythm(parts: &Parts, minimised: bool) -> Rhythm {
    if parts.door.is_open() && !minimised {
        return Rhythm::Seconds;
    }
    let due = [parts.clipboard.due_in(), parts.idle.left()];
    due.into_iter().flatten().min().map_or(Rhythm::Still, Rhythm::Once)
}

/// Time passed while nothing was shown.
pub fn tick_unseen(window: &AppWindow, parts: &Rc<Parts>) {
    parts.clipboard.tick();
    tick(window, parts);
}

/// Somebody pressed a key or moved the pointer.
pub fn touched(window: &AppWindow, parts: &Parts) {
    parts.idle.touch();
    window.global::<SecurityAdapter<'_>>().set_locks_in(-1);
}

/// The window was minimised.
pub fn minimised(window: &AppWindow, parts: &Parts) {
    if parts.idle.locks_minimised() && !super::add::steps_aside(parts) {
        navigation::lock(window, parts);
    }
}

/// The system told something of who is there. Sleep waits until this returns.
pub fn told(window: &AppWindow, parts: &Parts, event: PresenceEvent) {
    if let PresenceEvent::Watching(abilities) = &event {
        show_abilities(window, *abilities);
    }
    if parts.idle.locks_at(&event) {
        navigation::lock(window, parts);
    }
    // The key is gone: now the computer may sleep.
    drop(event);
}

/// The system tells when the window is minimised.
pub fn can_tell_minimised(window: &AppWindow, can: bool) {
    window.global::<SecurityAdapter<'_>>().set_can_minimise(can);
}

/// Locks when the time is over, and counts down before.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if parts.idle.left() == Some(0) {
        navigation::lock(window, parts);
    }
    let left = parts.idle.warning().and_then(|left| i32::try_from(left).ok());
    window.global::<SecurityAdapter<'_>>().set_locks_in(left.unwrap_or(-1));
}

fn show_abilities(window: &AppWindow, abilities: Abilities) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    adapter.set_can_sleep(abilities.sleep);
    adapter.set_can_screen_lock(abilities.screen_lock);
}

fn show(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    parts.services.settings.with(|settings| {
        adapter.set_lock_after(settings.lock_after.and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or(0));
        adapter.set_on_minimise(settings.lock_on_minimise);
        adapter.set_on_sleep(settings.lock_on_sleep);
        adapter.set_on_screen_lock(settings.lock_on_screen_lock);
    });
}

fn change(weak: &slint::Weak<AppWindow>, parts: &Parts, change: impl FnOnce(&mut crate::settings::Settings)) {
    // It holds until the program ends where it cannot be saved.
    let _ = parts.services.settings.change(change);
    if let Some(window) = weak.upgrade() {
        show(&window, parts);
    }
}
