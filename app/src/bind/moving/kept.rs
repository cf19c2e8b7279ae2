//! Entries that could not be read.

use std::rc::Rc;

use countersign_core::vault::content::{KeptEntry, KeptId};
use countersign_ui::{AppWindow, DetailAdapter, KeptAdapter, KeptRow, Notice};
use slint::{ComponentHandle as _, Model as _, ModelRc, SharedString, VecModel};

use crate::{
    bind::{Parts, backup, detail::local_time, notice, tell_change},
    models::{by_a_newer_one, unread},
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<KeptAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_shown(move || {
        let Some(window) = weak.upgrade() else { return };
        clear(&window);
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<KeptAdapter<'_>>();
        window.global::<DetailAdapter<'_>>().set_look_needs_password(of.detail.look_needs_password());
        let at = adapter.get_rows().iter().position(|row| row.id == id);
        adapter.set_chosen(at.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_again(move || {
        let Some(window) = weak.upgrade() else { return };
        let ids: Vec<KeptId> = chosen(&window).into_iter().collect();
        match of.kept.read_again(&ids) {
            Ok(counts) => {
                clear(&window);
                backup::show_changed(&window, &of);
                show(&window, &of);
                let what = if counts.new_tokens() > 0 { Notice::Added } else { Notice::StillUnreadable };
                notice(&window, what, counts.new_tokens());
            }
            Err(error) => tell_change(&window, error),
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_delete(move || {
        let Some(window) = weak.upgrade() else { return };
        let Some(id) = chosen(&window) else { return };
        match of.kept.delete(id) {
            Ok(()) => {
                clear(&window);
                show(&window, &of);
                backup::show_changed(&window, &of);
            }
            Err(error) => tell_change(&window, error),
        }
    });
}

/// Nothing chosen, nothing of an entry shown.
pub(super) fn clear(window: &AppWindow) {
    let adapter = window.global::<KeptAdapter<'_>>();
    adapter.set_chosen(-1);
    adapter.set_deleting(false);
    adapter.set_raw_shown(false);
    adapter.set_raw(SharedString::new());
    adapter.set_rows(ModelRc::new(VecModel::<KeptRow>::default()));
}

/// From an entry back to the list.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) -> bool {
    if window.global::<KeptAdapter<'_>>().get_chosen() < 0 {
        return false;
    }
    clear(window);
    show(window, parts);
    true
}

/// The second look was granted: shows the entry.
pub(super) fn granted(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<KeptAdapter<'_>>();
    if let Some(raw) = chosen(window).and_then(|id| parts.kept.raw(id)) {
        adapter.set_raw(raw.expose().into());
        adapter.set_raw_shown(true);
    }
}

fn show(window: &AppWindow, parts: &Parts) {
    let rows: Vec<KeptRow> = parts.kept.entries().into_iter().map(row).collect();
    window.global::<KeptAdapter<'_>>().set_rows(ModelRc::new(VecModel::from(rows)));
}

fn row(entry: KeptEntry) -> KeptRow {
    let reason = match &entry.source {
        Some(_) => unread(entry.flaw.as_ref()),
        None => by_a_newer_one(),
    };
    KeptRow {
        id: entry.id.to_string().into(),
        name: entry.name.into(),
        source: entry.source.unwrap_or_default().into(),
        when: entry.imported_at.map(local_time).unwrap_or_default().into(),
        reason: reason.remark,
        reason_found: reason.found.into(),
        reason_taken: reason.taken.into(),
    }
}

fn chosen(window: &AppWindow) -> Option<KeptId> {
    let adapter = window.global::<KeptAdapter<'_>>();
    let at = usize::try_from(adapter.get_chosen()).ok()?;
    adapter.get_rows().row_data(at)?.id.parse().ok()
}
