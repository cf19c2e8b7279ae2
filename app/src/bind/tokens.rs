//! The list and the detail.

use std::rc::Rc;

use countersign_core::token::TokenId;
use countersign_ui::{AppWindow, NavigationAdapter, Notice, Page, TokenDetail, TokenRow, TokensAdapter};
use slint::{ComponentHandle as _, Model as _, ModelRc};

use super::{Parts, notice, tell_change};
use crate::{
    controllers::tokens::{CopyError, Shown},
    models::parameters,
    platform::PlatformError,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_rows(ModelRc::from(parts.list.clone()));
    show_counts(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_search(move |query| {
        let Some(window) = weak.upgrade() else { return };
        of.list.search(&query);
        select_row(&window, &of, 0);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_activate(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
        if parse(&id).is_some_and(|id| of.tokens.is_counter(id)) && !next(&window, &of, &id) {
            return;
        }
        copy(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_copy(move |id| {
        let Some(window) = weak.upgrade() else { return };
        copy(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_next(move |id| {
        let Some(window) = weak.upgrade() else { return };
        next(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_select(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_select_row(move |row| {
        let Some(window) = weak.upgrade() else { return };
        select_row(&window, &of, usize::try_from(row).unwrap_or(0));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_detail(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
        window.global::<NavigationAdapter<'_>>().set_page(Page::Detail);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_favourite(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Some(token) = parse(&id) else { return };
        match of.tokens.toggle_favourite(token) {
            Ok(()) => {
                of.list.refresh();
                select(&window, &of, &id);
            }
            Err(error) => tell_change(&window, error),
        }
    });
}

/// How many tokens there are.
pub(super) fn show_counts(window: &AppWindow, parts: &Parts) {
    let total = parts.tokens.content().map_or(0, |content| content.tokens().len());
    window.global::<TokensAdapter<'_>>().set_total(i32::try_from(total).unwrap_or(i32::MAX));
}

/// Selects the row that is shown at that place, or none where there is none.
pub(super) fn select_row(window: &AppWindow, parts: &Parts, row: usize) {
    let id = parts.list.row_data(row).map(|row| row.id).unwrap_or_default();
    select(window, parts, &id);
}

/// Selects a token, wherever it is in the list now.
pub(super) fn select(window: &AppWindow, parts: &Parts, id: &str) {
    *parts.selected.borrow_mut() = id.to_owned();
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_current(parts.list.row_of(id).and_then(|row| i32::try_from(row).ok()).unwrap_or(-1));
    adapter.set_reveal(adapter.get_reveal().wrapping_add(1));
    show_selected(window, parts);
}

/// Shows the selected token as it is now.
pub(super) fn show_selected(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<TokensAdapter<'_>>();
    let id = parse(&parts.selected.borrow());
    let content = parts.tokens.content();
    let Some(token) = id.and_then(|id| content.as_ref()?.token(id)) else {
        adapter.set_has_selected(false);
        adapter.set_selected(TokenRow::default());
        adapter.set_detail(TokenDetail::default());
        return;
    };
    let now = parts.tokens.now();
    let next_code = match parts.tokens.shown(token, now) {
        Shown::Live(_) => token.spec.next_code_at(now).ok(),
        _ => None,
    };
    adapter.set_selected(parts.list.row(token, now));
    adapter.set_detail(TokenDetail {
        next_code: next_code.map(|code| code.grouped().expose().into()).unwrap_or_default(),
        parameters: parameters(&token.spec).into(),
        added: local_time(token.created_at).into(),
        used: token.used_at.map(local_time).unwrap_or_default().into(),
        note: token.note.as_str().into(),
    });
    adapter.set_has_selected(true);
}

/// No query, no rows, no codes.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.selected.borrow_mut().clear();
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_query("".into());
    adapter.set_current(-1);
    show_counts(window, parts);
    show_selected(window, parts);
}

fn copy(window: &AppWindow, parts: &Parts, id: &str) {
    let Some(token) = parse(id) else { return };
    match parts.tokens.copy(token) {
        Ok(seconds) => {
            notice(window, Notice::Copied, usize::try_from(seconds).unwrap_or(0));
            if let Err(error) = parts.tokens.note_use(token) {
                tell_change(window, error);
            }
            show_selected(window, parts);
        }
        Err(CopyError::NoCode) => notice(window, Notice::NoCode, 0),
        Err(CopyError::Clipboard(PlatformError::Unsupported)) => notice(window, Notice::NoClipboard, 0),
        Err(CopyError::Clipboard(_)) => notice(window, Notice::CopyFailed, 0),
    }
}

/// Makes the next code of a counter-based token; says whether there is one.
fn next(window: &AppWindow, parts: &Parts, id: &str) -> bool {
    let Some(token) = parse(id) else { return false };
    match parts.tokens.next(token) {
        Ok(()) => {
            parts.list.renew(id);
            show_selected(window, parts);
            true
        }
        Err(error) => {
            tell_change(window, error);
            false
        }
    }
}

fn parse(id: &str) -> Option<TokenId> {
    id.parse().ok()
}

/// A moment on this place's clock, in the one order of digits that nobody misreads.
fn local_time(unix: u64) -> String {
    i64::try_from(unix)
        .ok()
        .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
        .map(|moment| moment.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}
