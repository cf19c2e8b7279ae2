//! The icon in the tray, and a program that goes on without its window.

use std::{
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_ui::{AppWindow, NavigationAdapter, SettingsAdapter, SettingsProblem};
use slint::{CloseRequestResponse, ComponentHandle as _};

use super::{Parts, detail, navigation};
use crate::platform::tray::{TrayAction, TrayWords};

/// What was chosen from the icon's menu, on another thread.
pub(super) type Chosen = Arc<Mutex<VecDeque<TrayAction>>>;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let (weak, of) = (window.as_weak(), parts.clone());
    window.global::<NavigationAdapter<'_>>().on_quit(move || {
        let Some(window) = weak.upgrade() else { return quit() };
        if detail::may_quit(&window, &of) {
            quit();
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    window.window().on_close_requested(move || {
        let Some(window) = weak.upgrade() else { return CloseRequestResponse::HideWindow };
        if of.tray_shown.get() {
            // Out of sight is as good as minimised.
            if of.services.settings.with(|settings| settings.lock_on_minimise) {
                navigation::lock(&window, &of);
            }
        } else if detail::may_quit(&window, &of) {
            quit();
        } else {
            return CloseRequestResponse::KeepWindowShown;
        }
        CloseRequestResponse::HideWindow
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    window.global::<SettingsAdapter<'_>>().on_tray_chosen(move || {
        let Some(window) = weak.upgrade() else { return };
        tick(&window, &of);
    });

    apply(window, parts);
}

/// Shows the icon or takes it away, as the setting has it.
pub(super) fn apply(window: &AppWindow, parts: &Rc<Parts>) {
    let tray = parts.services.platform.tray.clone();
    if !parts.services.settings.with(|settings| settings.tray) {
        if parts.tray_shown.replace(false) {
            parts.services.tasks.run(move || tray.hide(), |()| {});
        }
        return;
    }
    let adapter = window.global::<SettingsAdapter<'_>>();
    let words = TrayWords {
        show: adapter.get_tray_show().into(),
        lock: adapter.get_tray_lock().into(),
        quit: adapter.get_tray_quit().into(),
    };
    let (chosen, poke) = (parts.tray_chosen.clone(), window.as_weak());
    let on_action = Box::new(move |action| {
        chosen.lock().unwrap_or_else(PoisonError::into_inner).push_back(action);
        // Where the loop is gone there is nothing left to do; where it is busy the next tick does it.
        let _ = poke.upgrade_in_event_loop(|window| window.global::<SettingsAdapter<'_>>().invoke_tray_chosen());
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.services.tasks.run(
        move || tray.show(words, on_action),
        move |shown| {
            let Some(window) = weak.upgrade() else { return };
            of.tray_shown.set(shown.is_ok());
            let problem = if shown.is_ok() { SettingsProblem::None } else { SettingsProblem::Tray };
            window.global::<SettingsAdapter<'_>>().set_problem(problem);
        },
    );
}

/// Does what was chosen from the icon's menu.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    loop {
        let next = parts.tray_chosen.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match next {
            // A window that cannot be shown again says nothing either; the next press tries anew.
            Some(TrayAction::Show) => drop(window.show()),
            Some(TrayAction::Lock) => navigation::lock(window, parts),
            Some(TrayAction::Quit) => quit(),
            None => return,
        }
    }
}

/// Ends the program.
pub(super) fn quit() {
    // Fails only where no loop runs, and so nothing is to end.
    let _ = slint::quit_event_loop();
}
