//! The second look before something secret is shown.

use std::rc::Rc;

use countersign_core::secret::Password;
use countersign_ui::{AppWindow, DetailAdapter, LookProblem, Page};
use slint::{ComponentHandle as _, SharedString};

use super::{edit, qr};
use crate::{
    bind::{Parts, moving, navigation::page},
    controllers::detail::LookError,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let (weak, of) = (window.as_weak(), parts.clone());
    window.global::<DetailAdapter<'_>>().on_look(move || {
        let Some(window) = weak.upgrade() else { return };
        look(&window, &of);
    });
}

/// Nothing typed, nothing asked.
pub(super) fn clear(adapter: &DetailAdapter<'_>) {
    adapter.set_look_password(SharedString::new());
    adapter.set_look_busy(false);
    adapter.set_look_problem(LookProblem::None);
}

fn look(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let asked_on = page(window);
    // The password may have been changed elsewhere, or asked for again, since the vault was opened.
    adapter.set_look_needs_password(parts.detail.look_needs_password());
    if !adapter.get_look_needs_password() {
        return granted(window, parts, asked_on);
    }
    let typed = adapter.get_look_password();
    if typed.is_empty() || adapter.get_look_busy() {
        return;
    }
    clear(&adapter);
    adapter.set_look_busy(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    let token = super::selected(parts);
    parts.detail.look(Password::new(&typed), move |result| {
        let Some(window) = weak.upgrade() else { return };
        // What was asked on a page is not answered on another, nor for another token.
        if page(&window) != asked_on || super::selected(&of) != token {
            return;
        }
        let adapter = window.global::<DetailAdapter<'_>>();
        adapter.set_look_busy(false);
        match result {
            Ok(()) => granted(&window, &of, asked_on),
            Err(LookError::WrongPassword) => adapter.set_look_problem(LookProblem::WrongPassword),
            Err(LookError::Unreadable) => adapter.set_look_problem(LookProblem::Unreadable),
        }
    });
}

fn granted(window: &AppWindow, parts: &Rc<Parts>, page: Page) {
    match page {
        Page::Edit => edit::show_secret(window, parts),
        Page::TokenQr => qr::show(window, parts),
        other => moving::granted(window, parts, other),
    }
}
