//! The code, large and for the ear.

use std::rc::Rc;

use countersign_core::otp::Code;
use countersign_ui::{AppWindow, CodeState, DetailAdapter, DetailOver, Notice};
use slint::{ComponentHandle as _, SharedString};

use super::{selected, show_selected};
use crate::{
    bind::{Parts, notice, tell_change},
    controllers::{
        detail::{Reading, plan, spelled},
        tokens::Shown,
    },
    models::number,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read(move || {
        let Some(window) = weak.upgrade() else { return };
        read(&window, &of, false);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_fresh(move || {
        let Some(window) = weak.upgrade() else { return };
        read(&window, &of, true);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_close_code(move || {
        let Some(window) = weak.upgrade() else { return };
        clear(&window.global::<DetailAdapter<'_>>(), &of);
    });
}

/// Nothing large, nothing spoken, nothing waited for.
pub(super) fn clear(adapter: &DetailAdapter<'_>, parts: &Parts) {
    parts.detail.waiting.set(None);
    adapter.set_waiting(false);
    adapter.set_spoken(SharedString::new());
    adapter.set_spoken_left(0);
    if adapter.get_over() == DetailOver::BigCode {
        adapter.set_over(DetailOver::None);
    }
}

/// Reads what was waited for, once it is there.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    let Some(at) = parts.detail.waiting.get() else { return };
    if parts.tokens.now() >= at {
        speak(window, parts);
    }
}

fn read(window: &AppWindow, parts: &Parts, fresh: bool) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let token = adapter.get_token();
    // The fresh code of a counter is its next one; and where none was asked for yet, there is only that.
    if token.state == CodeState::CounterWaiting || (fresh && token.state == CodeState::CounterShown) {
        let Some(id) = selected(parts) else { return };
        if let Err(error) = parts.tokens.next(id) {
            return tell_change(window, error);
        }
        parts.list.renew(&token.id);
        show_selected(window, parts);
    }
    let Some(code) = code(parts) else { return notice(window, Notice::NoCode, 0) };
    let now = parts.tokens.now();
    match plan(&code, now, fresh) {
        Reading::Now => speak(window, parts),
        Reading::At(at) => {
            parts.detail.waiting.set(Some(at));
            adapter.set_waiting(true);
            say(&adapter, "", at.saturating_sub(now));
        }
    }
    adapter.set_over(DetailOver::BigCode);
}

fn speak(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<DetailAdapter<'_>>();
    parts.detail.waiting.set(None);
    adapter.set_waiting(false);
    let Some(code) = code(parts) else { return clear(&adapter, parts) };
    let now = parts.tokens.now();
    let left = code.stands().map_or(0, |stands| stands.until.saturating_sub(now));
    say(&adapter, &spelled(code.grouped().expose()), left);
    if let Some(id) = selected(parts) {
        parts.tokens.note_use(id);
    }
    show_selected(window, parts);
}

fn say(adapter: &DetailAdapter<'_>, spoken: &str, left: u64) {
    adapter.set_spoken(spoken.into());
    adapter.set_spoken_left(number(left));
    adapter.set_spoken_count(adapter.get_spoken_count().wrapping_add(1));
}

/// The code that the selected token shows.
fn code(parts: &Parts) -> Option<Code> {
    let content = parts.tokens.content()?;
    match parts.tokens.shown(content.token(selected(parts)?)?, parts.tokens.now()) {
        Shown::Live(code) | Shown::Counter(code) => Some(code),
        _ => None,
    }
}
