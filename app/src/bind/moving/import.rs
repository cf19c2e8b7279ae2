//! Another app's file in.

use std::{path::PathBuf, rc::Rc};

use countersign_core::{import::ImportError, secret::SecretText};
use countersign_ui::{AppWindow, LedgerCounts, LedgerRow, MoveInAdapter, MoveInProblem, MoveInStep, Page};
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use crate::{
    bind::{Parts, backup, navigation, tell_change},
    controllers::{
        backup::automatic::typed_path,
        moving::import::{FileProblem, Looked},
    },
    models::{LedgerModel, number},
    platform::Support,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<MoveInAdapter<'_>>();
    let platform = &parts.services.platform;
    adapter.set_can_paste(platform.clipboard.support() == Support::Supported);
    adapter.set_can_choose(platform.picker.support() == Support::Supported);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_paste(move || {
        let Some(window) = weak.upgrade() else { return };
        begin_reading(&window);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.import.paste(move |looked| show_looked(&weak, &parts, looked));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move || {
        let Some(window) = weak.upgrade() else { return };
        if window.global::<MoveInAdapter<'_>>().get_busy() {
            return;
        }
        begin_reading(&window);
        let (weak, parts) = (window.as_weak(), of.clone());
        let title = window.global::<MoveInAdapter<'_>>().get_choose_title().into();
        of.import.choose(title, move |looked| show_looked(&weak, &parts, looked));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_path(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(path) = typed_path(&window.global::<MoveInAdapter<'_>>().get_path()) {
            look_at(&window, &of, path);
        }
    });

    let weak = window.as_weak();
    adapter.on_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<MoveInAdapter<'_>>();
        // Without a dialog the field for a path stays.
        if adapter.get_problem() != MoveInProblem::NoDialog {
            adapter.set_problem(MoveInProblem::None);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_key_file(move || {
        let Some(window) = weak.upgrade() else { return };
        choose_key_file(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open(move || {
        let Some(window) = weak.upgrade() else { return };
        open(&window, &of, false);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_agree(move || {
        let Some(window) = weak.upgrade() else { return };
        open(&window, &of, true);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_cancel(move || {
        let Some(window) = weak.upgrade() else { return };
        of.import.cancel();
        window.global::<MoveInAdapter<'_>>().set_busy(false);
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

/// Goes to the page with a file that came from elsewhere: dropped, or given where pictures are read.
pub(in crate::bind) fn read_file(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    clear(window, parts);
    navigation::go(window, parts, Page::MoveIn);
    look_at(window, parts, path);
}

/// The same with a text that was copied.
pub(in crate::bind) fn read_text(window: &AppWindow, parts: &Rc<Parts>, text: String) {
    clear(window, parts);
    navigation::go(window, parts, Page::MoveIn);
    begin_reading(window);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.import.read_text(text, move |looked| show_looked(&weak, &of, looked));
}

/// Nothing typed, nothing found, nothing opened.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.import.forget();
    let adapter = window.global::<MoveInAdapter<'_>>();
    adapter.set_step(MoveInStep::Find);
    for set in
        [MoveInAdapter::set_path, MoveInAdapter::set_password, MoveInAdapter::set_app, MoveInAdapter::set_key_file]
    {
        set(&adapter, SharedString::new());
    }
    for set in [MoveInAdapter::set_costs, MoveInAdapter::set_parts_missing, MoveInAdapter::set_parts_of] {
        set(&adapter, 0);
    }
    adapter.set_busy(false);
    adapter.set_takes_key_file(false);
    adapter.set_problem(MoveInProblem::None);
    adapter.set_rows(ModelRc::new(VecModel::<LedgerRow>::default()));
    adapter.set_counts(LedgerCounts::default());
}

/// From the ledger or the password back to where the file is.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) -> bool {
    if window.global::<MoveInAdapter<'_>>().get_step() == MoveInStep::Find {
        return false;
    }
    clear(window, parts);
    true
}

/// Renews the codes of the ledger.
pub(super) fn tick(window: &AppWindow, parts: &Parts) {
    LedgerModel::tick_shown(&window.global::<MoveInAdapter<'_>>().get_rows(), parts.services.clock.now());
}

fn begin_reading(window: &AppWindow) {
    let adapter = window.global::<MoveInAdapter<'_>>();
    adapter.set_problem(MoveInProblem::None);
    adapter.set_busy(true);
}

fn look_at(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    begin_reading(window);
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.import.read_file(path, move |looked| show_looked(&weak, &of, looked));
}

fn open(window: &AppWindow, parts: &Rc<Parts>, agreed: bool) {
    let adapter = window.global::<MoveInAdapter<'_>>();
    let typed = adapter.get_password();
    let has_key = !adapter.get_key_file().is_empty();
    if (typed.is_empty() && !has_key) || adapter.get_busy() {
        return;
    }
    begin_reading(window);
    let (weak, of) = (window.as_weak(), parts.clone());
    // Other apps take a password as it was typed.
    let password = SecretText::new(typed.into());
    parts.import.open(password, agreed, move |looked| {
        // A word was already given where it costs much.
        show_looked(&weak, &of, looked);
    });
}

fn choose_key_file(window: &AppWindow, parts: &Rc<Parts>) {
    let title = window.global::<MoveInAdapter<'_>>().get_key_file_title().into();
    let weak = window.as_weak();
    parts.import.choose_key_file(title, move |chosen| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<MoveInAdapter<'_>>();
        match chosen {
            Ok(name) => adapter.set_key_file(name.into()),
            Err(FileProblem::ThoughtBetter) => {}
            Err(error) => adapter.set_problem(problem(&error, "")),
        }
    });
}

fn show_looked(weak: &slint::Weak<AppWindow>, parts: &Rc<Parts>, looked: Result<Looked, FileProblem>) {
    let Some(window) = weak.upgrade() else { return };
    let adapter = window.global::<MoveInAdapter<'_>>();
    adapter.set_busy(false);
    adapter.set_costs(0);
    let format = parts.import.format();
    adapter.set_app(format.map(|format| format.name).unwrap_or_default().into());
    adapter.set_takes_key_file(parts.import.takes_key_file());
    match looked {
        Ok(Looked::Open) => show_ledger(&adapter, parts),
        Ok(Looked::Encrypted) => adapter.set_step(MoveInStep::Open),
        Ok(Looked::Costly(mib)) => {
            // Before there is a password, nothing is to be agreed to.
            if !adapter.get_password().is_empty() || !adapter.get_key_file().is_empty() {
                adapter.set_costs(number(mib));
            }
            adapter.set_step(MoveInStep::Open);
        }
        Err(error) => adapter.set_problem(problem(&error, format.map_or("", |format| format.id))),
    }
}

fn show_ledger(adapter: &MoveInAdapter<'_>, parts: &Parts) {
    adapter.set_password("".into());
    let model = LedgerModel::new(parts.import.clone(), parts.services.clock.now());
    adapter.set_counts(model.counts());
    if let Some(opened) = parts.import.opened() {
        adapter.set_app(opened.source.format.into());
        let (missing, of) = opened.source.missing_parts.unwrap_or_default();
        adapter.set_parts_missing(number(missing));
        adapter.set_parts_of(number(of));
    }
    adapter.set_rows(ModelRc::new(model));
    adapter.set_step(MoveInStep::Ledger);
}

fn add(window: &AppWindow, parts: &Rc<Parts>) {
    match parts.import.add() {
        Ok((count, import)) => {
            clear(window, parts);
            backup::show_added(window, parts, count, import);
        }
        Err(error) => tell_change(window, error),
    }
}

fn problem(problem: &FileProblem, format: &str) -> MoveInProblem {
    match problem {
        FileProblem::CannotOpen => MoveInProblem::CannotOpen,
        FileProblem::TooLarge => MoveInProblem::TooLarge,
        FileProblem::NoDialog => MoveInProblem::NoDialog,
        FileProblem::ThoughtBetter => MoveInProblem::None,
        FileProblem::ClipboardEmpty => MoveInProblem::ClipboardEmpty,
        FileProblem::Clipboard => MoveInProblem::Clipboard,
        FileProblem::Import(error) => match error {
            ImportError::Empty => MoveInProblem::Empty,
            ImportError::TooLarge { .. } => MoveInProblem::TooLarge,
            ImportError::TooMany | ImportError::TooManyTokens => MoveInProblem::TooMany,
            ImportError::WrongPassword { .. } => MoveInProblem::WrongPassword,
            ImportError::KeyFile { .. } => MoveInProblem::KeyFile,
            ImportError::Damaged { .. } if !format.is_empty() => MoveInProblem::Damaged,
            ImportError::Newer { .. } => MoveInProblem::Newer,
            ImportError::Refused { .. } => match format {
                "bitwarden" => MoveInProblem::BitwardenAccount,
                "aegis" => MoveInProblem::AegisDevice,
                _ => MoveInProblem::Refused,
            },
            ImportError::TooCostly { .. } => MoveInProblem::TooCostly,
            ImportError::Memory => MoveInProblem::Memory,
            _ => MoveInProblem::Unknown,
        },
    }
}
