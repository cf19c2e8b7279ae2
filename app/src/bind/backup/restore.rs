//! A backup back in.

use std::rc::Rc;

use countersign_core::{
    secret::{Password, SecretText},
    vault::Content,
};
use countersign_ui::{
    AppWindow, BackupOpenProblem, LedgerCounts, LedgerRow, Page, ReadProblem, RestoreAdapter, RestoreStep,
};
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use super::show_added;
use crate::{
    backup_text::grouped,
    bind::{Parts, detail::local_time, navigation, tell_change},
    controllers::backup::{
        automatic::typed_path,
        restore::{self, Found, Opener},
    },
    models::LedgerModel,
    platform::Support,
};

/// What an import from another Countersign is called among the imports.
const RECEIVED: &str = "another Countersign";

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<RestoreAdapter<'_>>();
    let platform = &parts.services.platform;
    adapter.set_can_paste(platform.clipboard.support() == Support::Supported);
    adapter.set_can_choose(platform.picker.support() == Support::Supported);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_paste(move || {
        let Some(window) = weak.upgrade() else { return };
        begin_reading(&window);
        let weak = window.as_weak();
        of.restore.paste(move |found| show_found(&weak, found));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move || {
        let Some(window) = weak.upgrade() else { return };
        begin_reading(&window);
        let weak = window.as_weak();
        let title = window.global::<RestoreAdapter<'_>>().get_choose_title().into();
        of.restore.choose(title, move |found| show_found(&weak, found));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_path(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(path) = typed_path(&window.global::<RestoreAdapter<'_>>().get_path()) {
            begin_reading(&window);
            let weak = window.as_weak();
            of.restore.read_file(path, move |found| show_found(&weak, found));
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_text(move || {
        let Some(window) = weak.upgrade() else { return };
        let text = SecretText::new(window.global::<RestoreAdapter<'_>>().get_text().into());
        begin_reading(&window);
        let weak = window.as_weak();
        of.restore.read_text(text, move |found| show_found(&weak, found));
    });

    let weak = window.as_weak();
    adapter.on_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<RestoreAdapter<'_>>();
        // Without a dialog the field for a path stays.
        if adapter.get_problem() != ReadProblem::NoDialog {
            adapter.set_problem(ReadProblem::None);
        }
    });

    let weak = window.as_weak();
    adapter.on_password_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<RestoreAdapter<'_>>().set_open_problem(BackupOpenProblem::None);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open(move || {
        let Some(window) = weak.upgrade() else { return };
        open(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_cancel(move || {
        let Some(window) = weak.upgrade() else { return };
        of.restore.cancel();
        window.global::<RestoreAdapter<'_>>().set_busy(false);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_begin(move || {
        let Some(window) = weak.upgrade() else { return };
        clear(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_add(move || {
        let Some(window) = weak.upgrade() else { return };
        add(&window, &of);
    });
}

/// Nothing typed, nothing found, nothing opened.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.restore.forget();
    let adapter = window.global::<RestoreAdapter<'_>>();
    adapter.set_step(RestoreStep::Find);
    for set in [
        RestoreAdapter::set_text,
        RestoreAdapter::set_path,
        RestoreAdapter::set_password,
        RestoreAdapter::set_written,
        RestoreAdapter::set_expected,
        RestoreAdapter::set_found,
    ] {
        set(&adapter, SharedString::new());
    }
    adapter.set_busy(false);
    adapter.set_by_recovery_key(false);
    adapter.set_is_copy(false);
    adapter.set_problem(ReadProblem::None);
    adapter.set_open_problem(BackupOpenProblem::None);
    adapter.set_rows(ModelRc::new(VecModel::<LedgerRow>::default()));
    adapter.set_counts(LedgerCounts::default());
    adapter.set_received(false);
}

/// What came from another Countersign goes into the same ledger as a backup.
pub(in crate::bind) fn show_received(window: &AppWindow, parts: &Rc<Parts>, content: Content) {
    clear(window, parts);
    parts.restore.take(content, RECEIVED);
    let adapter = window.global::<RestoreAdapter<'_>>();
    adapter.set_received(true);
    show_ledger(&adapter, parts);
    navigation::replace(window, parts, Page::Restore);
}

/// From the ledger or the password back to where the backup is.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) -> bool {
    if window.global::<RestoreAdapter<'_>>().get_step() == RestoreStep::Find {
        return false;
    }
    clear(window, parts);
    true
}

/// Renews the codes of the ledger.
pub(super) fn tick(window: &AppWindow, parts: &Parts) {
    LedgerModel::tick_shown(&window.global::<RestoreAdapter<'_>>().get_rows(), parts.services.clock.now());
}

fn begin_reading(window: &AppWindow) {
    let adapter = window.global::<RestoreAdapter<'_>>();
    adapter.set_problem(ReadProblem::None);
    adapter.set_busy(true);
}

fn show_found(weak: &slint::Weak<AppWindow>, found: Result<Found, restore::ReadProblem>) {
    let Some(window) = weak.upgrade() else { return };
    let adapter = window.global::<RestoreAdapter<'_>>();
    adapter.set_busy(false);
    match found {
        Ok(found) => {
            // The text has done its service.
            adapter.set_text("".into());
            adapter.set_password("".into());
            adapter.set_by_recovery_key(false);
            adapter.set_open_problem(BackupOpenProblem::None);
            adapter.set_is_copy(found.is_copy);
            adapter.set_written(found.written_at.map(local_time).unwrap_or_default().into());
            adapter.set_step(RestoreStep::Open);
        }
        Err(problem) => {
            if let restore::ReadProblem::CutOff { expected, found } = problem {
                let separator = adapter.get_thousands();
                adapter.set_expected(grouped(expected, &separator).into());
                adapter.set_found(grouped(found, &separator).into());
            }
            adapter.set_problem(read_problem(problem));
        }
    }
}

fn open(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<RestoreAdapter<'_>>();
    let typed = adapter.get_password();
    if typed.is_empty() || adapter.get_busy() {
        return;
    }
    let opener = if adapter.get_by_recovery_key() {
        Opener::Recovery(SecretText::new(typed.trim().to_owned()))
    } else {
        Opener::Password(Password::new(&typed))
    };
    adapter.set_open_problem(BackupOpenProblem::None);
    adapter.set_busy(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.restore.open(opener, move |opened| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<RestoreAdapter<'_>>();
        adapter.set_busy(false);
        match opened {
            Ok(()) => {
                adapter.set_password("".into());
                show_ledger(&adapter, &of);
            }
            Err(problem) => adapter.set_open_problem(open_problem(problem)),
        }
    });
}

fn show_ledger(adapter: &RestoreAdapter<'_>, parts: &Parts) {
    let model = LedgerModel::new(parts.restore.clone(), parts.services.clock.now());
    adapter.set_counts(model.counts());
    adapter.set_rows(ModelRc::new(model));
    adapter.set_step(RestoreStep::Ledger);
}

fn add(window: &AppWindow, parts: &Rc<Parts>) {
    match parts.restore.add() {
        Ok((count, import)) => {
            clear(window, parts);
            show_added(window, parts, count, import);
        }
        Err(error) => tell_change(window, error),
    }
}

fn read_problem(problem: restore::ReadProblem) -> ReadProblem {
    match problem {
        restore::ReadProblem::NotFound => ReadProblem::NotFound,
        restore::ReadProblem::CutOff { .. } => ReadProblem::CutOff,
        restore::ReadProblem::Damaged => ReadProblem::Damaged,
        restore::ReadProblem::Newer => ReadProblem::Newer,
        restore::ReadProblem::ClipboardEmpty => ReadProblem::ClipboardEmpty,
        restore::ReadProblem::Clipboard => ReadProblem::Clipboard,
        restore::ReadProblem::CannotOpen => ReadProblem::CannotOpen,
        restore::ReadProblem::TooLarge => ReadProblem::TooLarge,
        restore::ReadProblem::NoDialog => ReadProblem::NoDialog,
        restore::ReadProblem::ThoughtBetter => ReadProblem::None,
    }
}

fn open_problem(problem: restore::OpenProblem) -> BackupOpenProblem {
    match problem {
        restore::OpenProblem::WrongPassword => BackupOpenProblem::WrongPassword,
        restore::OpenProblem::Mistyped => BackupOpenProblem::Mistyped,
        restore::OpenProblem::WrongRecoveryKey => BackupOpenProblem::WrongRecoveryKey,
        restore::OpenProblem::Unreadable => BackupOpenProblem::Unreadable,
        restore::OpenProblem::Memory => BackupOpenProblem::Memory,
    }
}
