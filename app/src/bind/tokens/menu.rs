//! The menu of a token, and that of the list.

use std::rc::Rc;

use countersign_ui::{AppWindow, DetailAdapter, ListMenu, TokenRow, TokensAdapter};
use slint::ComponentHandle as _;

use super::{Parts, parse, select};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TokensAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_menu(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
        let row = of.tokens.content().and_then(|content| {
            let token = content.token(parse(&id)?)?;
            Some(of.list.row(token, of.tokens.now()))
        });
        let Some(row) = row else { return };
        let adapter = window.global::<TokensAdapter<'_>>();
        adapter.set_menu_token(row);
        adapter.set_menu(ListMenu::Token);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_edit(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
        window.global::<DetailAdapter<'_>>().invoke_edit();
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_qr(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
        window.global::<DetailAdapter<'_>>().invoke_show_qr();
    });
}

/// Closes the menu; says whether one was open.
pub(super) fn step_back(window: &AppWindow) -> bool {
    let adapter = window.global::<TokensAdapter<'_>>();
    let open = adapter.get_menu() != ListMenu::None;
    adapter.set_menu(ListMenu::None);
    open
}

/// No menu, and nothing of a token in it.
pub(super) fn clear(window: &AppWindow) {
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_menu(ListMenu::None);
    adapter.set_menu_token(TokenRow::default());
}
