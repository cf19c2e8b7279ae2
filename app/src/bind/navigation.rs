//! Which page is shown, and locking.

use std::rc::Rc;

use countersign_ui::{AppWindow, NavigationAdapter, Notice, Page, TokensAdapter, UnlockAdapter};
use slint::ComponentHandle as _;

use super::{Parts, add, tokens, unlock};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let navigation = window.global::<NavigationAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_lock(move || {
        let Some(window) = weak.upgrade() else { return };
        lock(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_back(move || {
        let Some(window) = weak.upgrade() else { return };
        back(&window, &of);
    });

    let weak = window.as_weak();
    navigation.on_add(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<NavigationAdapter<'_>>().set_sheet_open(true);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_from_picture(move || {
        let Some(window) = weak.upgrade() else { return };
        add::begin(&window, &of);
        show(&window, Page::AddPicture);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_by_hand(move || {
        let Some(window) = weak.upgrade() else { return };
        add::begin(&window, &of);
        show(&window, Page::AddManual);
    });
}

/// The page of a closed vault: unlock where there is one, create where there is none.
pub(super) fn show_closed(window: &AppWindow, parts: &Parts) {
    unlock::clear(&window.global::<UnlockAdapter<'_>>());
    show(window, if parts.lock.exists() { Page::Unlock } else { Page::Create });
}

/// Shows a page; the sheet is done then.
pub(super) fn show(window: &AppWindow, page: Page) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    navigation.set_sheet_open(false);
    navigation.set_page(page);
}

/// Locks: the session goes, and with it every text of it in the window.
pub(crate) fn lock(window: &AppWindow, parts: &Parts) {
    parts.lock.lock();
    parts.tokens.forget();
    parts.list.clear();
    add::clear(window, parts);
    tokens::clear(window, parts);
    window.global::<NavigationAdapter<'_>>().set_notice(Notice::None);
    show_closed(window, parts);
}

fn back(window: &AppWindow, parts: &Parts) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    if navigation.get_sheet_open() {
        navigation.set_sheet_open(false);
        return;
    }
    match navigation.get_page() {
        Page::Found => {
            // Back to where it came from: what was typed is still there, a picture is chosen again.
            let by_hand = !window.global::<countersign_ui::AddAdapter<'_>>().get_secret().is_empty();
            show(window, if by_hand { Page::AddManual } else { Page::AddPicture });
        }
        Page::Tokens => {
            let adapter = window.global::<TokensAdapter<'_>>();
            if !adapter.get_query().is_empty() {
                adapter.set_query("".into());
                adapter.invoke_search("".into());
            }
        }
        Page::AddManual | Page::AddPicture => {
            add::clear(window, parts);
            show(window, Page::Tokens);
        }
        _ => show(window, Page::Tokens),
    }
}
