//! The pages about keys.

use std::rc::Rc;

use countersign_core::{secret::Password, vault::SlotKind};
use countersign_ui::{
    AppWindow, Day, KeyringProblem, Notice, Page, Question, SecurityAdapter, SecurityProblem, SheetState, StrengthRow,
    UnlockAdapter, WayKind, WayRow,
};
use slint::{ComponentHandle as _, Model as _, ModelRc, SharedString, VecModel};

use super::{Parts, day, navigation, notice, unlock, welcome};
use crate::controllers::{
    device::KeyringProblem as Keyring,
    security::{self, STRENGTHS},
};
use crate::models::number;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();

    let weak = window.as_weak();
    adapter.on_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<SecurityAdapter<'_>>().set_problem(SecurityProblem::None);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_ask_sheet(move || {
        let Some(window) = weak.upgrade() else { return };
        let replaces = of.security.slots().iter().any(|slot| slot.kind == SlotKind::Recovery);
        // As before every look at what opens the vault: an open window is not enough.
        let asked = replaces || of.security.knows_password();
        ask(&window, Question::NewSheet, asked);
        window.global::<SecurityAdapter<'_>>().set_opened_without(!of.security.knows_password());
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_ask_remove(move |id| {
        let Some(window) = weak.upgrade() else { return };
        ask_remove(&window, &of, &id);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        confirm(&window, &of);
    });
    let weak = window.as_weak();
    adapter.on_cancel(move || {
        let Some(window) = weak.upgrade() else { return };
        if !window.global::<SecurityAdapter<'_>>().get_busy() {
            leave(&window);
        }
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_device(move || {
        let Some(window) = weak.upgrade() else { return };
        match of.security.own_slot() {
            Some(id) => ask_remove(&window, &of, &id),
            None => switch_device_on(&window, &of),
        }
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_set_password_days(move |days| {
        let Some(window) = weak.upgrade() else { return };
        let days = u32::try_from(days).ok().filter(|&days| days > 0);
        // It holds until the program ends where it cannot be saved.
        let _ = of.services.settings.change(|settings| settings.password_days = days);
        opened(&window, &of);
    });
    connect_password(window, parts);
    connect_strength(window, parts);
}

fn connect_password(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_change_password(move || {
        let Some(window) = weak.upgrade() else { return };
        unlock::clear(&window.global::<UnlockAdapter<'_>>());
        navigation::go(&window, &of, Page::ChangePassword);
        window.global::<SecurityAdapter<'_>>().set_needs_password(of.security.knows_password());
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_change_password(move || {
        let Some(window) = weak.upgrade() else { return };
        let (adapter, typed) = (window.global::<SecurityAdapter<'_>>(), window.global::<UnlockAdapter<'_>>());
        let asked = adapter.get_needs_password();
        if !typed.get_can_create() || adapter.get_busy() || (asked && adapter.get_current().is_empty()) {
            return;
        }
        let new = Password::new(&typed.get_password());
        let current = asked.then(|| Password::new(&adapter.get_current()));
        begin(&adapter);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.security.change_password(current, new, move |result| {
            let Some(window) = weak.upgrade() else { return };
            finished(&window, result.map(|()| done(&window, &parts, Notice::PasswordSet)));
        });
    });
}

fn connect_strength(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_strength(move || {
        let Some(window) = weak.upgrade() else { return };
        navigation::go(&window, &of, Page::KeyStrength);
        let adapter = window.global::<SecurityAdapter<'_>>();
        show_strengths(&adapter, &of, None);
        adapter.set_measuring(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.security.measure(move |took| {
            let Some(window) = weak.upgrade() else { return };
            let adapter = window.global::<SecurityAdapter<'_>>();
            adapter.set_measuring(false);
            let tenths = took.iter().map(|took| number(took.as_millis().div_ceil(100)));
            show_strengths(&adapter, &parts, Some(tenths.collect()));
        });
    });
    let weak = window.as_weak();
    adapter.on_choose_strength(move |index| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<SecurityAdapter<'_>>().set_chosen_strength(index);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_apply_strength(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<SecurityAdapter<'_>>();
        let Ok(choice) = usize::try_from(adapter.get_chosen_strength()) else { return };
        if adapter.get_busy() || adapter.get_current().is_empty() {
            return;
        }
        let password = Password::new(&adapter.get_current());
        begin(&adapter);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.security.change_strength(password, choice, move |result| {
            let Some(window) = weak.upgrade() else { return };
            finished(&window, result.map(|()| done(&window, &parts, Notice::StrengthSet)));
        });
    });
}

/// The vault was opened, or what is shown of it changed.
pub(super) fn opened(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    let (slots, own) = (parts.security.slots(), parts.security.own_slot());
    let rows: Vec<WayRow> = slots
        .iter()
        .map(|slot| WayRow {
            id: slot.id.to_string().into(),
            kind: match slot.kind {
                SlotKind::Password => WayKind::Password,
                SlotKind::Recovery => WayKind::Recovery,
                SlotKind::Device => WayKind::Device,
                _ => WayKind::Unknown,
            },
            name: slot.name.clone().unwrap_or_default().into(),
            made: slot.created_at.map(day).unwrap_or_default(),
            own: own.as_deref() == Some(&slot.id.to_string()),
        })
        .collect();
    let has_sheet = slots.iter().any(|slot| slot.kind == SlotKind::Recovery);
    let kept = parts.security.sheet_kept_at().filter(|_| has_sheet);
    adapter.set_sheet(match (has_sheet, kept) {
        (false, _) => SheetState::None,
        (true, None) => SheetState::Made,
        (true, Some(_)) => SheetState::Kept,
    });
    adapter.set_sheet_day(kept.map(day).unwrap_or_default());
    adapter.set_ways(ModelRc::new(VecModel::from(rows)));
    adapter.set_device_on(own.is_some());
    if let Some(kdf) = parts.security.kdf() {
        adapter.set_memory(number(kdf.memory_kib() / 1024));
        adapter.set_passes(number(kdf.passes()));
    }
    let days = parts.services.settings.with(|settings| settings.password_days);
    adapter.set_password_days(days.and_then(|days| i32::try_from(days).ok()).unwrap_or(0));
}

/// The page is about to be shown: whether there is a keyring is asked now, because it is another program.
pub(super) fn shown(window: &AppWindow, parts: &Rc<Parts>) {
    opened(window, parts);
    let weak = window.as_weak();
    parts.security.ask_keyring(move |state| {
        let Some(window) = weak.upgrade() else { return };
        let there = !matches!(state, Err(Keyring::Missing));
        window.global::<SecurityAdapter<'_>>().set_has_keyring(there);
    });
}

/// The vault was locked: nothing of it stays.
pub(super) fn clear(window: &AppWindow, _parts: &Parts) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    leave(window);
    adapter.set_ways(ModelRc::new(VecModel::from(Vec::new())));
    adapter.set_sheet(SheetState::None);
    adapter.set_sheet_day(Day::default());
    adapter.set_device_on(false);
    adapter.set_locks_in(-1);
}

/// A page about keys is left: nothing typed, nothing asked.
pub(super) fn leave(window: &AppWindow) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    adapter.set_current(SharedString::new());
    adapter.set_problem(SecurityProblem::None);
    adapter.set_keyring_problem(KeyringProblem::None);
    adapter.set_question(Question::None);
    adapter.set_chosen_way(WayRow::default());
    adapter.set_busy(false);
    adapter.set_measuring(false);
}

fn ask(window: &AppWindow, question: Question, needs_password: bool) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    leave(window);
    adapter.set_needs_password(needs_password);
    adapter.set_question(question);
}

fn ask_remove(window: &AppWindow, parts: &Parts, id: &str) {
    ask(window, Question::RemoveWay, !parts.security.knows_password());
    let adapter = window.global::<SecurityAdapter<'_>>();
    adapter.set_opened_without(true);
    if let Some(way) = adapter.get_ways().iter().find(|way| way.id == id) {
        adapter.set_chosen_way(way);
    }
}

fn confirm(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    let needs = adapter.get_needs_password();
    if adapter.get_busy() || (needs && adapter.get_current().is_empty()) {
        return;
    }
    let password = needs.then(|| Password::new(&adapter.get_current()));
    begin(&adapter);
    let (weak, of) = (window.as_weak(), parts.clone());
    match adapter.get_question() {
        Question::NewSheet => parts.security.new_recovery_key(password, move |result| {
            let Some(window) = weak.upgrade() else { return };
            finished(
                &window,
                result.map(|key| {
                    opened(&window, &of);
                    welcome::show_sheet(&window, &of, key);
                }),
            );
        }),
        Question::RemoveWay => {
            let id = adapter.get_chosen_way().id.into();
            parts.security.remove_slot(id, password, move |result| {
                let Some(window) = weak.upgrade() else { return };
                finished(
                    &window,
                    result.map(|()| {
                        leave(&window);
                        opened(&window, &of);
                        notice(&window, Notice::WayRemoved, 0);
                    }),
                );
            });
        }
        Question::None => adapter.set_busy(false),
    }
}

fn switch_device_on(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    if adapter.get_busy() {
        return;
    }
    begin(&adapter);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.security.switch_device_on(move |result| {
        let Some(window) = weak.upgrade() else { return };
        opened(&window, &of);
        finished(&window, result);
    });
}

fn begin(adapter: &SecurityAdapter<'_>) {
    adapter.set_problem(SecurityProblem::None);
    adapter.set_keyring_problem(KeyringProblem::None);
    // The typed password leaves the window here.
    adapter.set_current(SharedString::new());
    adapter.set_busy(true);
}

fn done(window: &AppWindow, parts: &Rc<Parts>, what: Notice) {
    navigation::back(window, parts);
    opened(window, parts);
    notice(window, what, 0);
}

fn finished(window: &AppWindow, result: Result<(), security::SecurityProblem>) {
    let adapter = window.global::<SecurityAdapter<'_>>();
    adapter.set_busy(false);
    let Err(problem) = result else { return };
    adapter.set_problem(match problem {
        security::SecurityProblem::WrongPassword => SecurityProblem::WrongPassword,
        security::SecurityProblem::PasswordNeeded => {
            adapter.set_needs_password(true);
            SecurityProblem::PasswordNeeded
        }
        security::SecurityProblem::ChangedElsewhere => SecurityProblem::ChangedElsewhere,
        security::SecurityProblem::NotSaved => SecurityProblem::NotSaved,
        security::SecurityProblem::Keyring(problem) => {
            adapter.set_keyring_problem(unlock::keyring(problem));
            SecurityProblem::None
        }
    });
}

fn show_strengths(adapter: &SecurityAdapter<'_>, parts: &Parts, tenths: Option<Vec<i32>>) {
    let now = parts.security.kdf();
    let rows: Vec<StrengthRow> = STRENGTHS
        .iter()
        .enumerate()
        .map(|(at, &(memory, passes))| StrengthRow {
            memory: number(memory),
            passes: number(passes),
            tenths: tenths.as_ref().and_then(|tenths| tenths.get(at).copied()).unwrap_or(-1),
            chosen: now.is_some_and(|now| now.memory_kib() / 1024 == memory && now.passes() == passes),
        })
        .collect();
    if tenths.is_none() {
        let chosen = rows.iter().position(|row| row.chosen).and_then(|at| i32::try_from(at).ok());
        adapter.set_chosen_strength(chosen.unwrap_or(-1));
    }
    adapter.set_strengths(ModelRc::new(VecModel::from(rows)));
}

/// A second went by.
pub(super) fn tick(_window: &AppWindow, _parts: &Rc<Parts>) {}
