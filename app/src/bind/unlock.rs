//! The pages of a closed vault.

use std::rc::Rc;

use countersign_core::{
    secret::{Password, SecretText},
    vault::RecoveryKeyError,
};
use countersign_ui::{
    AppWindow, Day, KeyringProblem, Notice, Page, Purpose, UnlockAdapter, UnlockProblem, WelcomeAdapter,
};
use slint::{ComponentHandle as _, SharedString, Weak};

use super::{Parts, day, navigation, notice, welcome};
use crate::{
    controllers::{
        device,
        lock::{self, check_new},
    },
    models::number,
    platform::{Ask, Picked, Support},
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<UnlockAdapter<'_>>();
    adapter.set_can_choose(parts.services.platform.picker.support() == Support::Supported);
    show_vault(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<UnlockAdapter<'_>>();
        // An offer stands for what was typed before.
        show_problem(&adapter, None);
        if !of.door.is_open() && !adapter.get_busy() && navigation::page(&window) == Page::Unlock {
            of.lock.forget();
        }
        judge(&adapter);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_unlock(move || {
        let Some(window) = weak.upgrade() else { return };
        let Some(password) = take_password(&window) else { return };
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.open(password, move |result| finished(&weak, &parts, result));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_create(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<UnlockAdapter<'_>>();
        if !adapter.get_can_create() {
            return;
        }
        let make_sheet = adapter.get_make_sheet();
        let Some(password) = take_password(&window) else { return };
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.create(password, make_sheet, move |result| {
            let Some(window) = weak.upgrade() else { return };
            match result {
                Ok(created) => {
                    remember(&parts);
                    finished(&weak, &parts, Ok(()));
                    match created.recovery_key {
                        Some(key) => welcome::show_sheet(&window, &parts, key),
                        None => welcome::go_on(&window, &parts),
                    }
                }
                Err(problem) => finished(&weak, &parts, Err(problem)),
            }
        });
    });

    let weak = window.as_weak();
    adapter.on_use_recovery_key(move || switch(&weak, true));
    let weak = window.as_weak();
    adapter.on_use_password(move || switch(&weak, false));

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_recover(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<UnlockAdapter<'_>>();
        let typed = adapter.get_recovery_key();
        if typed.is_empty() || adapter.get_busy() {
            return;
        }
        show_problem(&adapter, None);
        adapter.set_busy(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.recover(SecretText::new(typed.into()), move |result| {
            let Some(window) = weak.upgrade() else { return };
            match result {
                Ok(()) => {
                    clear(&window.global::<UnlockAdapter<'_>>());
                    navigation::show(&window, &parts, Page::NewPassword);
                }
                // What was typed stays there to be put right: 32 characters are long.
                Err(problem) => finished(&weak, &parts, Err(problem)),
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_set_password(move || {
        let Some(window) = weak.upgrade() else { return };
        if !window.global::<UnlockAdapter<'_>>().get_can_create() {
            return;
        }
        let Some(password) = take_password(&window) else { return };
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.set_password(password, move |result| {
            let good = result.is_ok();
            finished(&weak, &parts, result);
            if let Some(window) = weak.upgrade().filter(|_| good) {
                notice(&window, Notice::PasswordSet, 0);
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_keep_password(move || {
        if of.lock.keep_password() {
            finished(&weak, &of, Ok(()));
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_unlock_with_device(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<UnlockAdapter<'_>>();
        if adapter.get_busy() {
            return;
        }
        clear(&adapter);
        adapter.set_busy(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.lock.open_with_device(move |result| finished(&weak, &parts, result));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_restore_earlier(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<UnlockAdapter<'_>>();
        clear(&adapter);
        adapter.set_busy(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        let what = if of.door.path().exists() { Notice::CopyRestored } else { Notice::CopyOpened };
        of.lock.restore_offered(move |result| {
            let good = result.is_ok();
            finished(&weak, &parts, result);
            if let Some(window) = weak.upgrade().filter(|_| good) {
                notice(&window, what, 0);
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_other(move || {
        let Some(window) = weak.upgrade() else { return };
        open_other(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_start_again(move || {
        let Some(window) = weak.upgrade() else { return };
        // Where it cannot be saved, the usual place holds until the program ends.
        let _ = of.services.settings.change(|settings| settings.vault = None);
        let usual = of.usual_vault.clone();
        of.door.move_to(usual);
        if of.door.path().exists() {
            navigation::show_closed(&window, &of);
        } else {
            // A new vault moves the copies of the one that is gone aside, and says so.
            show_vault(&window, &of);
            navigation::show(&window, &of, Page::Welcome);
        }
    });
}

/// Asks for another vault's file, and goes to it.
pub(super) fn open_other(window: &AppWindow, parts: &Rc<Parts>) {
    let picker = parts.services.platform.picker.clone();
    let title: String = window.global::<UnlockAdapter<'_>>().get_choose_title().into();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.services.tasks.run(
        move || picker.pick(&Ask::File, &title),
        move |picked| {
            let Some(window) = weak.upgrade() else { return };
            window.global::<WelcomeAdapter<'_>>().set_no_dialog(picked == Picked::NoDialog);
            match picked {
                Picked::File(path) => {
                    of.door.move_to(path);
                    remember(&of);
                    navigation::show_closed(&window, &of);
                }
                Picked::NoDialog => {
                    window.global::<UnlockAdapter<'_>>().set_problem(UnlockProblem::NoDialog);
                }
                Picked::Cancelled => {}
            }
        },
    );
}

/// Which vault is meant, and the ways into it.
pub(super) fn show_vault(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<UnlockAdapter<'_>>();
    adapter.set_vault_path(parts.door.path().display().to_string().into());
    adapter.set_copies_beside(parts.lock.has_copies());
    let ways = device::ways(&parts.services, &parts.door);
    adapter.set_can_recover(ways.recovery);
    adapter.set_can_device(ways.device);
    adapter.set_recovering(false);
    window.global::<WelcomeAdapter<'_>>().set_no_dialog(false);
}

/// Nothing typed, nothing wrong.
pub(super) fn clear(adapter: &UnlockAdapter<'_>) {
    for set in [UnlockAdapter::set_password, UnlockAdapter::set_again, UnlockAdapter::set_recovery_key] {
        set(adapter, SharedString::new());
    }
    adapter.set_busy(false);
    show_problem(adapter, None);
    judge(adapter);
}

/// A page of a closed vault is left: what it was in the middle of is no longer wanted.
pub(super) fn leave(window: &AppWindow, parts: &Parts) {
    parts.lock.forget();
    parts.purpose.set(Purpose::Empty);
    clear(&window.global::<UnlockAdapter<'_>>());
}

/// The password, where one is typed and none is being tried. It leaves the window here.
fn take_password(window: &AppWindow) -> Option<Password> {
    let adapter = window.global::<UnlockAdapter<'_>>();
    let typed = adapter.get_password();
    if typed.is_empty() || adapter.get_busy() {
        return None;
    }
    clear(&adapter);
    adapter.set_busy(true);
    Some(Password::new(&typed))
}

/// The vault is remembered where it is not the usual one.
fn remember(parts: &Parts) {
    let path = parts.door.path();
    let path = (path != parts.usual_vault).then_some(path);
    if parts.services.settings.with(|settings| settings.vault != path) {
        // Asked for again the next time, at worst.
        let _ = parts.services.settings.change(|settings| settings.vault = path);
    }
}

fn judge(adapter: &UnlockAdapter<'_>) {
    let check = check_new(&adapter.get_password(), &adapter.get_again());
    adapter.set_strength(check.strength.map_or(-1, i32::from));
    adapter.set_differs(check.differs);
    adapter.set_can_create(check.good);
}

fn switch(weak: &Weak<AppWindow>, recovering: bool) {
    let Some(window) = weak.upgrade() else { return };
    let adapter = window.global::<UnlockAdapter<'_>>();
    clear(&adapter);
    adapter.set_recovering(recovering);
}

fn finished(weak: &Weak<AppWindow>, parts: &Rc<Parts>, result: Result<(), lock::UnlockProblem>) {
    let Some(window) = weak.upgrade() else { return };
    let adapter = window.global::<UnlockAdapter<'_>>();
    adapter.set_busy(false);
    match result {
        Ok(()) => {
            clear(&adapter);
            super::show_open(&window, parts);
        }
        Err(problem) => show_problem(&adapter, Some(problem)),
    }
}

fn show_problem(adapter: &UnlockAdapter<'_>, problem: Option<lock::UnlockProblem>) {
    use lock::UnlockProblem as From;

    let copy = match problem {
        Some(From::Damaged(copy) | From::Missing(copy)) => copy,
        _ => None,
    };
    adapter.set_earlier_copy(copy.is_some());
    adapter.set_earlier_tokens(copy.map_or(0, |copy| number(copy.tokens)));
    adapter.set_earlier_day(copy.and_then(|copy| copy.saved_at).map(day).unwrap_or_else(Day::default));
    adapter.set_keyring_problem(match problem {
        Some(From::Keyring(problem)) => keyring(problem),
        _ => KeyringProblem::None,
    });
    adapter.set_problem(match problem {
        None => UnlockProblem::None,
        Some(From::WrongPassword) => UnlockProblem::WrongPassword,
        Some(From::WrongRecoveryKey) => UnlockProblem::KeyWrong,
        Some(From::RecoveryKey(RecoveryKeyError::Length { found })) => {
            adapter.set_key_found(number(found));
            UnlockProblem::KeyLength
        }
        Some(From::RecoveryKey(RecoveryKeyError::Character { position, character })) => {
            adapter.set_key_position(number(position));
            adapter.set_key_character(character.to_string().into());
            UnlockProblem::KeyCharacter
        }
        Some(From::RecoveryKey(_)) => UnlockProblem::KeyMistyped,
        Some(From::Keyring(_)) => UnlockProblem::Keyring,
        Some(From::PasswordDue) => UnlockProblem::PasswordDue,
        Some(From::Missing(None)) if adapter.get_copies_beside() => UnlockProblem::CopiesClosed,
        Some(From::Missing(_)) => UnlockProblem::Missing,
        Some(From::Exists) => UnlockProblem::Exists,
        Some(From::Damaged(_)) => UnlockProblem::Damaged,
        Some(From::Newer) => UnlockProblem::Newer,
        Some(From::Unreadable) => UnlockProblem::Unreadable,
        Some(From::CannotSave) => UnlockProblem::CannotSave,
    });
}

/// The keyring's trouble as the pages name it.
pub(super) fn keyring(problem: device::KeyringProblem) -> KeyringProblem {
    match problem {
        device::KeyringProblem::Missing => KeyringProblem::Missing,
        device::KeyringProblem::Locked => KeyringProblem::Locked,
        device::KeyringProblem::Dismissed => KeyringProblem::Dismissed,
        device::KeyringProblem::Silent => KeyringProblem::Silent,
        device::KeyringProblem::NotKept => KeyringProblem::NotKept,
        device::KeyringProblem::Refused => KeyringProblem::Refused,
        device::KeyringProblem::Gone => KeyringProblem::Gone,
        device::KeyringProblem::Stale => KeyringProblem::Stale,
    }
}
