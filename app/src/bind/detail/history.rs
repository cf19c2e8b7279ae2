//! What a token was before.

use std::rc::Rc;

use countersign_ui::{AppWindow, DetailAdapter, EarlierRow, Notice, Page};
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::{local_time, parameters, selected};
use crate::{
    bind::{
        Parts,
        navigation::{self, page},
        notice, notice_with_undo, tell_change, tokens,
    },
    controllers::detail::{Earlier, earlier},
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    clear(&adapter);
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_history(move || {
        let Some(window) = weak.upgrade() else { return };
        show(&window, &of);
        navigation::go(&window, &of, Page::History);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_restore(move |row| {
        let Some(window) = weak.upgrade() else { return };
        restore(&window, &of, &row);
    });
}

/// No values.
pub(super) fn clear(adapter: &DetailAdapter<'_>) {
    adapter.set_earlier(ModelRc::new(VecModel::from(Vec::new())));
}

fn show(window: &AppWindow, parts: &Parts) {
    let Some(content) = parts.tokens.content() else { return };
    let Some(token) = selected(parts).and_then(|id| content.token(id)) else { return };
    let rows: Vec<EarlierRow> = earlier(token).iter().map(row).collect();
    window.global::<DetailAdapter<'_>>().set_earlier(ModelRc::new(VecModel::from(rows)));
}

fn row(earlier: &Earlier<'_>) -> EarlierRow {
    let spec = &earlier.revision.spec;
    let (title, account) =
        if spec.issuer.is_empty() { (&spec.account, "") } else { (&spec.issuer, spec.account.as_str()) };
    EarlierRow {
        id: format!("{} {}", earlier.index, earlier.revision.replaced_at).into(),
        until: local_time(earlier.revision.replaced_at).into(),
        title: title.into(),
        account: account.into(),
        note: earlier.revision.note.as_str().into(),
        parameters: parameters(&spec.kind),
        other_name: earlier.name,
        other_note: earlier.note,
        other_parameters: earlier.parameters,
        other_secret: earlier.secret,
    }
}

fn restore(window: &AppWindow, parts: &Rc<Parts>, row: &str) {
    let Some((index, replaced_at)) = row.split_once(' ') else { return };
    let (Ok(index), Ok(replaced_at), Some(id)) = (index.parse(), replaced_at.parse(), selected(parts)) else { return };
    match parts.detail.restore(id, index, replaced_at) {
        Ok(Some(before)) => {
            renew(window, parts);
            notice_with_undo(window, parts, Notice::Restored, 1, move |window, parts| {
                match parts.detail.restore(id, before.index, before.replaced_at) {
                    Ok(_) => renew(window, parts),
                    Err(error) => tell_change(window, error),
                }
            });
        }
        Ok(None) => notice(window, Notice::SameAlready, 0),
        Err(error) => {
            // Moved by another program: the page shows where it is now.
            renew(window, parts);
            tell_change(window, error);
        }
    }
}

fn renew(window: &AppWindow, parts: &Parts) {
    parts.list.refresh();
    let id = parts.selected.borrow().clone();
    tokens::select(window, parts, &id);
    if page(window) == Page::History {
        show(window, parts);
    }
}
