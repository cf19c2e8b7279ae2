//! When the window is told that time passes, and what the system says of who is there. A window that shows nothing of
//! the vault is told nothing.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use countersign_ui::AppWindow;
use slint::{
    ComponentHandle as _, Timer, TimerMode,
    winit_030::{EventResult, WinitWindowAccessor as _, winit::event::WindowEvent},
};

use super::SystemClock;
use crate::{
    bind::{self, Parts, locking::Rhythm},
    platform::presence::{PresenceEvent, PresenceWatch},
};

/// How long after its first picture the process closes itself to others of the same user: desktop portals look into it
/// while the toolkit asks them for colours, and turn away what they cannot look into.
const SETTLED: Duration = Duration::from_secs(1);

/// Keeps time for the window as long as it lives.
pub(super) struct Pulse {
    window: slint::Weak<AppWindow>,
    parts: Rc<Parts>,
    timer: Timer,
    minimised: Cell<bool>,
    drawn: Cell<bool>,
    presence: RefCell<Option<PresenceWatch>>,
}

thread_local! {
    // Where the watch's events find the window's things, which stay on this thread.
    static PULSE: RefCell<Weak<Pulse>> = const { RefCell::new(Weak::new()) };
}

/// Starts to keep time.
pub(super) fn start(window: &AppWindow, parts: &Rc<Parts>) -> Rc<Pulse> {
    let pulse = Rc::new(Pulse {
        window: window.as_weak(),
        parts: parts.clone(),
        timer: Timer::default(),
        minimised: Cell::new(false),
        drawn: Cell::new(false),
        presence: RefCell::default(),
    });
    PULSE.set(Rc::downgrade(&pulse));
    let weak = Rc::downgrade(&pulse);
    *parts.changed_rhythm.borrow_mut() = Some(Box::new(move || {
        if let Some(pulse) = weak.upgrade() {
            pulse.schedule();
        }
    }));
    let weak = Rc::downgrade(&pulse);
    window.window().on_winit_window_event(move |_, event| {
        if let Some(pulse) = weak.upgrade() {
            pulse.seen(event);
        }
        EventResult::Propagate
    });
    pulse.schedule();
    pulse
}

impl Pulse {
    /// Follows the window's own events.
    fn seen(self: &Rc<Self>, event: &WindowEvent) {
        if let Some(window) = self.window.upgrade() {
            bind::keep_keys(&window);
        }
        if let (WindowEvent::DroppedFile(path), Some(window)) = (event, self.window.upgrade()) {
            bind::dropped(&window, &self.parts, path.clone());
        }
        match event {
            WindowEvent::KeyboardInput { is_synthetic: false, .. }
            | WindowEvent::Ime(_)
            | WindowEvent::CursorMoved { .. }
            | WindowEvent::MouseInput { .. }
            | WindowEvent::MouseWheel { .. }
            | WindowEvent::Touch(_)
            | WindowEvent::PinchGesture { .. }
            | WindowEvent::HoveredFile(_)
            | WindowEvent::DroppedFile(_) => {
                if let Some(window) = self.window.upgrade() {
                    bind::locking::touched(&window, &self.parts);
                }
                self.look();
            }
            WindowEvent::RedrawRequested if !self.drawn.replace(true) => self.first_picture(),
            WindowEvent::Focused(_) | WindowEvent::Occluded(_) | WindowEvent::Resized(_) => self.look(),
            _ => {}
        }
    }

    /// Looks whether the window is minimised, which no event tells on every system.
    fn look(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        let minimised = window.window().with_winit_window(|window| window.is_minimized()).flatten();
        let minimised = minimised.unwrap_or(false);
        if self.minimised.replace(minimised) == minimised {
            return;
        }
        if minimised {
            bind::locking::minimised(&window, &self.parts);
            bind::unseen(&window, &self.parts);
        } else {
            // What ran out meanwhile is not shown, not even for a moment.
            bind::tick(&window, &self.parts);
        }
        self.schedule();
    }

    fn schedule(self: &Rc<Self>) {
        let after = match bind::locking::rhythm(&self.parts, self.minimised.get()) {
            // When the clock's second turns, so that no code is shown after its time.
            Rhythm::Seconds => SystemClock.until_next_second(),
            Rhythm::Once(seconds) => Duration::from_secs(seconds),
            Rhythm::Still => {
                self.timer.stop();
                return;
            }
        };
        let weak = Rc::downgrade(self);
        self.timer.start(TimerMode::SingleShot, after, move || {
            if let Some(pulse) = weak.upgrade() {
                pulse.beat();
            }
        });
    }

    fn beat(self: &Rc<Self>) {
        let Some(window) = self.window.upgrade() else { return };
        if self.parts.door.is_open() && !self.minimised.get() {
            bind::tick(&window, &self.parts);
            self.look();
        } else {
            bind::locking::tick_unseen(&window, &self.parts);
        }
        self.schedule();
    }

    /// The window is there: now there is time for what it does not wait for.
    fn first_picture(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        Timer::single_shot(Duration::ZERO, move || {
            let Some(pulse) = weak.upgrade() else { return };
            if let Some(window) = pulse.window.upgrade() {
                let can = window.window().with_winit_window(|window| window.is_minimized()).flatten().is_some();
                bind::locking::can_tell_minimised(&window, can);
            }
            let watch = pulse.parts.services.platform.presence.watch(Box::new(|event| {
                // Fails only where the event loop is gone, and with it the vault.
                let _ = slint::invoke_from_event_loop(move || told(event));
            }));
            *pulse.presence.borrow_mut() = Some(watch);
        });
        Timer::single_shot(SETTLED, || {
            #[cfg(target_os = "linux")]
            crate::platform::desktop::linux::process::harden();
        });
    }
}

/// A link came from another program.
pub(super) fn link_arrived(link: String) {
    // Fails only where the event loop is gone.
    let _ = slint::invoke_from_event_loop(move || {
        let Some(pulse) = PULSE.with_borrow(Weak::upgrade) else { return };
        let Some(window) = pulse.window.upgrade() else { return };
        bind::raise(&window);
        bind::follow_link(&window, &pulse.parts, &link);
    });
}

fn told(event: PresenceEvent) {
    let Some(pulse) = PULSE.with_borrow(Weak::upgrade) else { return };
    let Some(window) = pulse.window.upgrade() else { return };
    bind::locking::told(&window, &pulse.parts, event);
    // Time passed that no timer counted: what is due is done now.
    pulse.beat();
}
