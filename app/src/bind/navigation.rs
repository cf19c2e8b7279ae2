//! Which page is shown, and locking.

use std::rc::Rc;

use countersign_ui::{
    AppWindow, DetailAdapter, NavigationAdapter, Notice, Page, SettingChoice, SettingsAdapter, TokensAdapter,
    UnlockAdapter, UnlockProblem,
};
use slint::ComponentHandle as _;

use super::{Parts, account, add, tokens, unlock};

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
    navigation.on_go(move |page| {
        let Some(window) = weak.upgrade() else { return };
        go(&window, &of, page);
        if page == Page::Security {
            super::security::shown(&window, &of);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_register_with_server(move || {
        let Some(window) = weak.upgrade() else { return };
        account::register_somewhere(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_undo(move || {
        let Some(window) = weak.upgrade() else { return };
        let undo = of.undo.borrow_mut().take();
        if let Some(undo) = undo {
            undo(&window, &of);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_from_camera(move || {
        let Some(window) = weak.upgrade() else { return };
        add::scan(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_from_clipboard(move || {
        let Some(window) = weak.upgrade() else { return };
        add::paste(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_from_picture(move || {
        let Some(window) = weak.upgrade() else { return };
        add::begin(&window, &of);
        go(&window, &of, Page::AddPicture);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_from_screen(move || {
        let Some(window) = weak.upgrade() else { return };
        add::from_screen(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    navigation.on_add_by_hand(move || {
        let Some(window) = weak.upgrade() else { return };
        add::begin(&window, &of);
        go(&window, &of, Page::AddManual);
    });
}

/// The page of a closed vault: unlock where there is one, welcome where there is none. One that is missing where it was
/// the last time is asked for all the same, so that no empty one takes its place.
pub(super) fn show_closed(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<UnlockAdapter<'_>>();
    unlock::leave(window, parts);
    unlock::show_vault(window, parts);
    let usual = parts.door.path() == parts.usual_vault;
    if usual && !parts.lock.exists() {
        return show(window, parts, Page::Welcome);
    }
    show(window, parts, Page::Unlock);
    if !parts.door.path().exists() {
        adapter.set_problem(UnlockProblem::Missing);
    }
}

/// The page that is shown.
pub(super) fn page(window: &AppWindow) -> Page {
    window.global::<NavigationAdapter<'_>>().get_page()
}

/// Shows a page as the first one of a way: nothing is behind it. What lay over the page is gone.
pub(super) fn show(window: &AppWindow, parts: &Parts, page: Page) {
    parts.way.borrow_mut().clear();
    leave(window, parts, page);
    replace(window, parts, page);
}

/// What is secret on the page that is shown goes with it.
fn leave(window: &AppWindow, parts: &Parts, next: Page) {
    match page(window) {
        now if now == next => {}
        Page::RecoverySheet => super::welcome::forget_sheet(window, parts),
        Page::ChangePassword => {
            unlock::clear(&window.global::<UnlockAdapter<'_>>());
            super::security::leave(window);
        }
        Page::Security | Page::KeyStrength => super::security::leave(window),
        _ => {}
    }
}

/// Goes on to a page; [`back`] returns to the one that is shown now. The pages of the bar begin anew.
pub(super) fn go(window: &AppWindow, parts: &Parts, page: Page) {
    if !super::detail::may_leave(window, parts, page) {
        return;
    }
    let from = self::page(window);
    leave(window, parts, page);
    let mut way = parts.way.borrow_mut();
    match page {
        Page::Tokens | Page::Backup | Page::Account | Page::Settings => way.clear(),
        // Choosing another token beside the list is no step further.
        _ if page == from => {}
        _ => way.push(from),
    }
    drop(way);
    replace(window, parts, page);
}

/// Shows a page in the place of the one that is shown.
pub(super) fn replace(window: &AppWindow, parts: &Parts, page: Page) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    navigation.set_sheet_open(false);
    navigation.set_keys_open(false);
    tokens::close(window);
    window.global::<SettingsAdapter<'_>>().set_choosing(SettingChoice::None);
    let from = navigation.get_page();
    if from != page {
        // Here and not in the page, so that it has happened when the page is gone.
        window.global::<DetailAdapter<'_>>().invoke_left(from);
        // While the page that has the keys is still there; the next one asks for them when it comes.
        window.invoke_take_keys();
    }
    navigation.set_page(page);
    super::backup::page_changed(window, from, page);
    super::moving::page_changed(window, parts, from, page);
}

/// Locks: the session goes, and with it every text of it in the window.
pub(crate) fn lock(window: &AppWindow, parts: &Parts) {
    tokens::save_uses(parts);
    super::backup::before_lock(parts);
    parts.lock.lock();
    parts.tokens.forget();
    parts.list.clear();
    add::clear(window, parts);
    account::clear(window, parts);
    tokens::clear(window, parts);
    super::welcome::clear(window, parts);
    super::detail::clear(window, parts);
    super::backup::clear(window, parts);
    super::moving::clear(window, parts);
    super::settings::clear(window, parts);
    super::security::clear(window, parts);
    *parts.undo.borrow_mut() = None;
    let navigation = window.global::<NavigationAdapter<'_>>();
    navigation.set_notice(Notice::None);
    navigation.set_open(false);
    show_closed(window, parts);
    crate::memory::wipe_stack_when_idle();
    super::change_rhythm(parts);
}

/// One step back: first what lies over the page, then what the page is in the middle of, then the page.
pub(super) fn back(window: &AppWindow, parts: &Parts) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    let settings = window.global::<SettingsAdapter<'_>>();
    if settings.get_choosing() != SettingChoice::None {
        settings.set_choosing(SettingChoice::None);
        return;
    }
    if navigation.get_sheet_open() || navigation.get_keys_open() {
        navigation.set_sheet_open(false);
        navigation.set_keys_open(false);
        return;
    }
    if super::detail::back(window, parts) || tokens::step_back(window, parts) {
        return;
    }
    match navigation.get_page() {
        Page::Tokens => {
            let adapter = window.global::<TokensAdapter<'_>>();
            if !adapter.get_query().is_empty() {
                adapter.set_query("".into());
                adapter.invoke_search("".into());
            }
            return;
        }
        Page::AddManual | Page::AddPicture | Page::AddCamera | Page::AddScreen | Page::AddClipboard => {
            add::clear(window, parts)
        }
        Page::Create => unlock::leave(window, parts),
        // The key is shown this once: only its own buttons leave it.
        Page::RecoverySheet => return super::welcome::step_back(window),
        Page::Restore if super::backup::step_back(window, parts) => return,
        page if super::moving::step_back(window, parts, page) => return,
        _ => {}
    }
    step_back(window, parts);
}

/// To the page before.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    let before = parts.way.borrow_mut().pop();
    leave(window, parts, before.unwrap_or(Page::Tokens));
    if navigation.get_open() {
        replace(window, parts, before.unwrap_or(Page::Tokens));
    } else if let Some(before) = before {
        replace(window, parts, before);
    }
}
