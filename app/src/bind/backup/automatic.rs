//! Backups by themselves.

use std::{path::PathBuf, rc::Rc};

use countersign_ui::{AppWindow, AutomaticAdapter, Notice, SaveProblem};
use slint::ComponentHandle as _;

use super::{file_problem, refresh};
use crate::{
    bind::{Parts, detail::local_time, notice},
    controllers::backup::automatic::typed_path,
    models::number,
    platform::Support,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AutomaticAdapter<'_>>();
    adapter.set_can_choose(parts.services.platform.picker.support() == Support::Supported);
    show(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AutomaticAdapter<'_>>();
        if adapter.get_on() {
            of.automatic.set_folder(None);
            show(&window, &of);
            refresh(&window, &of);
        } else {
            choose(&window, &of);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move || {
        let Some(window) = weak.upgrade() else { return };
        choose(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_use_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(folder) = typed_path(&window.global::<AutomaticAdapter<'_>>().get_typed_folder()) {
            use_folder(&window, &of, folder);
        }
    });

    let weak = window.as_weak();
    adapter.on_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AutomaticAdapter<'_>>();
        if adapter.get_problem() != SaveProblem::NoDialog {
            adapter.set_problem(SaveProblem::None);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_set_kept(move |kept| {
        let Some(window) = weak.upgrade() else { return };
        of.automatic.set_kept(u32::try_from(kept).unwrap_or(1));
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_make(move || {
        let Some(window) = weak.upgrade() else { return };
        let (weak, parts) = (window.as_weak(), of.clone());
        of.automatic.make(move || finished(&weak, &parts));
        show(&window, &of);
    });
}

/// The vault was opened: the newest copy is looked at.
pub(super) fn opened(window: &AppWindow, parts: &Rc<Parts>) {
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.automatic.opened(move || finished(&weak, &of));
    show(window, parts);
}

/// The vault was locked.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.automatic.forget();
    clear_typed(window);
    show(window, parts);
}

/// Nothing is typed.
pub(super) fn clear_typed(window: &AppWindow) {
    let adapter = window.global::<AutomaticAdapter<'_>>();
    adapter.set_typed_folder("".into());
    if adapter.get_problem() == SaveProblem::NoDialog {
        adapter.set_problem(SaveProblem::None);
    }
}

/// A second went by: a copy is made where it is time.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    let (weak, of) = (window.as_weak(), parts.clone());
    if parts.automatic.tick(move || finished(&weak, &of)) {
        show(window, parts);
    }
}

fn choose(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AutomaticAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.automatic.choose(adapter.get_choose_title().into(), move |chosen| {
        let Some(window) = weak.upgrade() else { return };
        match chosen {
            Some(Ok(folder)) => use_folder(&window, &of, folder),
            Some(Err(())) => window.global::<AutomaticAdapter<'_>>().set_problem(SaveProblem::NoDialog),
            None => {}
        }
    });
}

/// Looks at what is in the folder already, then makes the first copy.
fn use_folder(window: &AppWindow, parts: &Rc<Parts>, folder: PathBuf) {
    parts.automatic.set_folder(Some(folder));
    window.global::<AutomaticAdapter<'_>>().set_typed_folder("".into());
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.automatic.make(move || finished(&weak, &of));
    show(window, parts);
}

fn finished(weak: &slint::Weak<AppWindow>, parts: &Rc<Parts>) {
    let Some(window) = weak.upgrade() else { return };
    show(&window, parts);
    refresh(&window, parts);
    if parts.automatic.untold().is_some() {
        notice(&window, Notice::BackupFailed, 0);
    }
}

fn show(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AutomaticAdapter<'_>>();
    let automatic = parts.automatic.automatic();
    adapter.set_on(automatic.folder.is_some());
    adapter.set_folder(automatic.folder.map(|folder| folder.display().to_string()).unwrap_or_default().into());
    adapter.set_kept(number(automatic.kept));
    adapter.set_busy(automatic.running);
    adapter.set_beside_vault(automatic.beside_vault);
    adapter.set_last(automatic.last.map(|(at, _)| local_time(at)).unwrap_or_default().into());
    adapter.set_last_tokens(number(automatic.last.map_or(0, |(_, tokens)| tokens)));
    adapter.set_problem(automatic.problem.map_or(SaveProblem::None, file_problem));
}
