//! Several tokens at once.

use std::rc::Rc;

use countersign_ui::{AppWindow, TokensAdapter};
use slint::ComponentHandle as _;

use super::{Parts, changed, parse, remove, tell_change};
use crate::models::number;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TokensAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_mark(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Some(token) = parse(&id) else { return };
        of.tokens.marks.toggle(token);
        of.list.renew(&id);
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_mark_to(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Some(token) = parse(&id) else { return };
        let current = parse(&of.selected.borrow());
        of.tokens.marks.extend(token, current, &of.list.places());
        renew(&of);
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_mark_all(move || {
        let Some(window) = weak.upgrade() else { return };
        of.tokens.marks.mark_all(&of.list.places());
        renew(&of);
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_begin_marking(move || {
        let Some(window) = weak.upgrade() else { return };
        of.tokens.marks.begin();
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_end_marking(move || {
        let Some(window) = weak.upgrade() else { return };
        end(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_favour_marked(move || {
        let Some(window) = weak.upgrade() else { return };
        let ids = of.tokens.marks.all();
        match of.tokens.set_favourites(&ids, !of.tokens.all_favourites(&ids)) {
            Ok(()) => changed(&window, &of),
            Err(error) => tell_change(&window, error),
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_remove_marked(move || {
        let Some(window) = weak.upgrade() else { return };
        remove(&window, &of, of.tokens.marks.all());
    });
}

/// Marks nothing any more.
pub(super) fn end(window: &AppWindow, parts: &Parts) {
    let ids = parts.tokens.marks.all();
    parts.tokens.marks.clear();
    parts.list.renew_all(&ids);
    show(window, parts);
}

/// How many are marked.
pub(super) fn show(window: &AppWindow, parts: &Parts) {
    let marks = &parts.tokens.marks;
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_marked_count(number(marks.count()));
    adapter.set_marked_favourites(marks.count() > 0 && parts.tokens.all_favourites(&marks.all()));
    adapter.set_marking(marks.active());
}

fn renew(parts: &Parts) {
    parts.list.renew_all(&parts.tokens.marks.all());
}
