//! The pages of backups.

mod automatic;
mod restore;

use std::{path::PathBuf, rc::Rc};

use countersign_core::{secret::Password, token::GroupId, vault::content::Import};
use countersign_ui::{
    AppWindow, BackupAdapter, BackupGroup, ExportDone, ExportWork, ImportRow, NavigationAdapter, Notice, Page,
    SaveProblem, TimeUnit,
};
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

pub(super) use restore::show_received;

use super::{Parts, detail::local_time, navigation, notice, notice_with_undo, tell_change, tokens};
use crate::{
    backup_text::CLIPBOARD_SECONDS,
    controllers::backup::{FileTrouble, automatic::typed_path, export},
    models::number,
    platform::Support,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<BackupAdapter<'_>>();
    let platform = &parts.services.platform;
    let can_choose = platform.picker.support() == Support::Supported;
    adapter.set_can_copy(platform.clipboard.support() == Support::Supported);
    adapter.set_can_choose(can_choose);
    adapter.set_cleared_after(number(CLIPBOARD_SECONDS / 60));
    restore::connect(window, parts);
    automatic::connect(window, parts);
    clear_export(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        of.export.discard();
        show_made(&window, &of, ExportDone::None);
        judge(&window);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_group(move |id| {
        let Some(window) = weak.upgrade() else { return };
        of.export.discard();
        window.global::<BackupAdapter<'_>>().set_group(id);
        show_made(&window, &of, ExportDone::None);
        refresh(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_copy(move || {
        let Some(window) = weak.upgrade() else { return };
        make(&window, &of, ExportWork::Copying, |window, parts| match parts.export.copy() {
            Ok(_) => finished(window, parts, Ok(ExportDone::Copied)),
            Err(problem) => finished(window, parts, Err(problem)),
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<BackupAdapter<'_>>();
        if !adapter.get_can_export() || adapter.get_work() != ExportWork::None {
            return;
        }
        adapter.set_work(ExportWork::Choosing);
        adapter.set_problem(SaveProblem::None);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.export.choose(adapter.get_save_title().into(), move |chosen| {
            let Some(window) = weak.upgrade() else { return };
            let adapter = window.global::<BackupAdapter<'_>>();
            // The page was left meanwhile.
            if adapter.get_work() != ExportWork::Choosing {
                return;
            }
            adapter.set_work(ExportWork::None);
            match chosen {
                Some(Ok(path)) => save(&window, &parts, path),
                Some(Err(problem)) => {
                    adapter.set_ask_path(true);
                    finished(&window, &parts, Err(problem));
                }
                None => {}
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save_path(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Some(path) = typed_path(&window.global::<BackupAdapter<'_>>().get_path()) {
            save(&window, &of, path);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_cancel(move || {
        let Some(window) = weak.upgrade() else { return };
        of.export.cancel();
        window.global::<BackupAdapter<'_>>().set_work(ExportWork::None);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_dismiss_reminder(move || {
        let Some(window) = weak.upgrade() else { return };
        if let Err(error) = of.reminder.dismiss() {
            tell_change(&window, error);
        }
        refresh(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_undo_import(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<BackupAdapter<'_>>().set_imports_open(false);
        if let Some(newest) = of.restore.imports().first() {
            undo(&window, &of, newest);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_shown(move || {
        let Some(window) = weak.upgrade() else { return };
        refresh(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_left(move || {
        let Some(window) = weak.upgrade() else { return };
        clear_export(&window, &of);
        restore::clear(&window, &of);
        automatic::clear_typed(&window);
    });
}

/// The vault was opened.
pub(super) fn opened(window: &AppWindow, parts: &Rc<Parts>) {
    refresh(window, parts);
    automatic::opened(window, parts);
}

/// The vault is about to be locked, and still open.
pub(super) fn before_lock(parts: &Parts) {
    parts.automatic.before_lock();
}

/// The program is about to end.
pub(super) fn quit(parts: &Parts) {
    parts.automatic.before_quit();
}

/// The vault was locked: nothing of it stays.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.reminder.forget();
    clear_export(window, parts);
    restore::clear(window, parts);
    automatic::clear(window, parts);
    refresh(window, parts);
}

/// A second went by.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if parts.reminder.changed() {
        refresh(window, parts);
    }
    restore::tick(window, parts);
    automatic::tick(window, parts);
}

/// Another page is shown: what was typed on a page of backups goes with it.
pub(super) fn page_changed(window: &AppWindow, from: Page, to: Page) {
    if from != to && matches!(from, Page::Backup | Page::Restore | Page::Automatic) {
        window.global::<BackupAdapter<'_>>().invoke_left();
    }
}

/// One step back within the page; says whether there was one.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) -> bool {
    restore::step_back(window, parts)
}

/// Shows what is in no backup, what would go out, and what can be taken back.
fn refresh(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<BackupAdapter<'_>>();
    let reminder = parts.reminder.reminder();
    adapter.set_unsaved(number(reminder.tokens));
    // Samples need none.
    adapter.set_remind(reminder.show && !window.global::<NavigationAdapter<'_>>().get_demo());
    adapter.set_last(reminder.last.map(local_time).unwrap_or_default().into());
    let groups = parts.export.groups();
    let chosen = group(&adapter);
    if chosen.is_some_and(|chosen| !groups.iter().any(|group| group.id == chosen)) {
        adapter.set_group("".into());
    }
    let rows: Vec<BackupGroup> = groups
        .into_iter()
        .map(|group| BackupGroup { id: group.id.to_string().into(), name: group.name.into() })
        .collect();
    adapter.set_groups(ModelRc::new(VecModel::from(rows)));
    adapter.set_count(number(parts.export.count(group(&adapter))));
    adapter.set_kept(number(parts.kept.count()));
    let imports: Vec<ImportRow> = parts.restore.imports().iter().map(import_row).collect();
    adapter.set_imports(ModelRc::new(VecModel::from(imports)));
}

fn import_row(import: &Import) -> ImportRow {
    ImportRow {
        when: local_time(import.at).into(),
        source: import.source.as_str().into(),
        tokens: number(import.added.len()),
    }
}

/// Many tokens came or went: the list, and what the pages of backups say.
pub(super) fn show_changed(window: &AppWindow, parts: &Rc<Parts>) {
    show_list(window, parts);
    refresh(window, parts);
}

/// An import came: shows its tokens, with a way to take them back.
pub(super) fn show_added(window: &AppWindow, parts: &Rc<Parts>, count: usize, import: Option<Import>) {
    show_changed(window, parts);
    navigation::show(window, parts, Page::Tokens);
    match import {
        Some(import) => notice_with_undo(window, parts, Notice::Added, count, move |window, parts| {
            undo(window, parts, &import);
        }),
        None => notice(window, Notice::None, 0),
    }
}

/// Takes back an import, where it is still the newest one.
fn undo(window: &AppWindow, parts: &Rc<Parts>, import: &Import) {
    match parts.restore.undo(import) {
        Ok(count) => {
            show_changed(window, parts);
            notice(window, Notice::ImportUndone, count);
        }
        Err(error) => tell_change(window, error),
    }
}

/// The list as it is after many tokens came or went.
fn show_list(window: &AppWindow, parts: &Rc<Parts>) {
    parts.list.refresh();
    tokens::show_counts(window, parts);
    tokens::select_row(window, parts, 0);
}

fn group(adapter: &BackupAdapter<'_>) -> Option<GroupId> {
    adapter.get_group().parse().ok()
}

/// Makes the text, and goes on with it.
fn make(window: &AppWindow, parts: &Rc<Parts>, work: ExportWork, then: impl FnOnce(&AppWindow, &Rc<Parts>) + 'static) {
    let adapter = window.global::<BackupAdapter<'_>>();
    if !adapter.get_can_export() || adapter.get_work() != ExportWork::None {
        return;
    }
    adapter.set_problem(SaveProblem::None);
    adapter.set_done(ExportDone::None);
    adapter.set_work(work);
    let password = Password::new(&adapter.get_password());
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.export.make(password, group(&adapter), move |made| {
        let Some(window) = weak.upgrade() else { return };
        match made {
            Ok(()) => then(&window, &of),
            Err(problem) => finished(&window, &of, Err(problem)),
        }
    });
}

fn save(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    make(window, parts, ExportWork::Saving, move |window, parts| {
        let (weak, of) = (window.as_weak(), parts.clone());
        let saved_to = path.display().to_string();
        parts.export.save(path, move |saved| {
            let Some(window) = weak.upgrade() else { return };
            window.global::<BackupAdapter<'_>>().set_saved_to(saved_to.into());
            finished(&window, &of, saved.map(|()| ExportDone::Saved));
        });
    });
}

fn finished(window: &AppWindow, parts: &Rc<Parts>, result: Result<ExportDone, export::ExportProblem>) {
    let adapter = window.global::<BackupAdapter<'_>>();
    adapter.set_work(ExportWork::None);
    match result {
        Ok(done) => {
            show_made(window, parts, done);
            refresh(window, parts);
        }
        Err(problem) => {
            show_made(window, parts, ExportDone::None);
            adapter.set_problem(export_problem(problem));
        }
    }
}

fn show_made(window: &AppWindow, parts: &Parts, done: ExportDone) {
    let adapter = window.global::<BackupAdapter<'_>>();
    adapter.set_problem(SaveProblem::None);
    adapter.set_done(done);
    adapter.set_preview(parts.export.preview().unwrap_or_default().into());
}

fn clear_export(window: &AppWindow, parts: &Parts) {
    parts.export.discard();
    let adapter = window.global::<BackupAdapter<'_>>();
    for set in [
        BackupAdapter::set_password,
        BackupAdapter::set_again,
        BackupAdapter::set_path,
        BackupAdapter::set_saved_to,
        BackupAdapter::set_group,
    ] {
        set(&adapter, SharedString::new());
    }
    adapter.set_password_shown(false);
    adapter.set_imports_open(false);
    adapter.set_work(ExportWork::None);
    adapter.set_ask_path(!adapter.get_can_choose());
    show_made(window, parts, ExportDone::None);
    judge(window);
}

fn judge(window: &AppWindow) {
    let adapter = window.global::<BackupAdapter<'_>>();
    let worth = export::judge(&adapter.get_password(), &adapter.get_again(), adapter.get_password_shown());
    adapter.set_strength(worth.strength.map_or(-1, i32::from));
    let (unit, count) = fitting(worth.stands);
    adapter.set_stands_unit(unit);
    adapter.set_stands_number(count);
    adapter.set_differs(worth.differs);
    adapter.set_can_export(worth.good);
}

/// A time in the largest unit of which there is at least one.
fn fitting(seconds: f64) -> (TimeUnit, i32) {
    const UNITS: [(f64, TimeUnit); 7] = [
        (100.0 * 365.25 * 86_400.0, TimeUnit::Centuries),
        (365.25 * 86_400.0, TimeUnit::Years),
        (30.44 * 86_400.0, TimeUnit::Months),
        (86_400.0, TimeUnit::Days),
        (3_600.0, TimeUnit::Hours),
        (60.0, TimeUnit::Minutes),
        (1.0, TimeUnit::Seconds),
    ];
    let found = UNITS.into_iter().find(|(length, _)| seconds >= *length);
    // Below a hundred of each unit, and centuries are not counted.
    found.map_or((TimeUnit::Moment, 0), |(length, unit)| (unit, (seconds / length).min(1e6) as i32))
}

fn export_problem(problem: export::ExportProblem) -> SaveProblem {
    match problem {
        export::ExportProblem::Locked => SaveProblem::Locked,
        export::ExportProblem::Memory => SaveProblem::Memory,
        export::ExportProblem::TooLarge => SaveProblem::TooLarge,
        export::ExportProblem::Unsound => SaveProblem::Unsound,
        export::ExportProblem::Clipboard => SaveProblem::Clipboard,
        export::ExportProblem::NoDialog => SaveProblem::NoDialog,
        export::ExportProblem::File(trouble) => file_problem(trouble),
    }
}

/// Why a file was not written, in the window's words.
pub(super) fn file_problem(trouble: FileTrouble) -> SaveProblem {
    match trouble {
        FileTrouble::Gone => SaveProblem::Gone,
        FileTrouble::Denied => SaveProblem::Denied,
        FileTrouble::ReadOnly => SaveProblem::ReadOnly,
        FileTrouble::Full => SaveProblem::Full,
        FileTrouble::Unsound => SaveProblem::Unsound,
        FileTrouble::Vault => SaveProblem::Vault,
        FileTrouble::Other => SaveProblem::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        for (seconds, unit, count) in [
            (0.2, TimeUnit::Moment, 0),
            (59.0, TimeUnit::Seconds, 59),
            (3_599.0, TimeUnit::Minutes, 59),
            (86_400.0 * 3.0, TimeUnit::Days, 3),
            (86_400.0 * 800.0, TimeUnit::Years, 2),
            (1e30, TimeUnit::Centuries, 1_000_000),
        ] {
            assert_eq!(fitting(seconds), (unit, count), "{seconds}");
        }
    }
}
