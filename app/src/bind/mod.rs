//! Connects pages to controllers: one module a page, which carries values over and decides nothing.

mod add;
mod navigation;
mod tokens;
mod unlock;

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use countersign_ui::{AppWindow, NavigationAdapter, Notice, Page, TokensAdapter};
use slint::{ComponentHandle as _, Model as _};

use crate::{
    controllers::{
        ChangeError, Door, Services, add::AddController, clipboard::ClipboardController, lock::LockController,
        tokens::TokensController,
    },
    models::TokenListModel,
};

/// The controllers and models of one window.
pub struct Parts {
    /// What the world gives.
    pub services: Rc<Services>,
    /// The vault.
    pub door: Rc<Door>,
    /// Unlock and create.
    pub lock: LockController,
    /// What was copied.
    pub clipboard: Rc<ClipboardController>,
    /// The list.
    pub tokens: Rc<TokensController>,
    /// Adding.
    pub add: Rc<AddController>,
    /// The rows of the list.
    pub list: Rc<TokenListModel>,
    /// The token in the detail.
    selected: RefCell<String>,
}

impl Parts {
    /// Everything over one vault, which is still closed.
    pub fn new(services: Rc<Services>, vault: PathBuf) -> Rc<Self> {
        let door = Rc::new(Door::new(vault));
        let clipboard = Rc::new(ClipboardController::new(services.clone()));
        let tokens = Rc::new(TokensController::new(services.clone(), door.clone(), clipboard.clone()));
        let list = Rc::new(TokenListModel::new(tokens.clone()));
        Rc::new(Self {
            lock: LockController::new(services.clone(), door.clone()),
            add: Rc::new(AddController::new(services.clone(), door.clone())),
            services,
            door,
            clipboard,
            tokens,
            list,
            selected: RefCell::default(),
        })
    }
}

/// Connects all pages, and shows the first one.
pub fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    unlock::connect(window, parts);
    tokens::connect(window, parts);
    add::connect(window, parts);
    navigation::connect(window, parts);
    navigation::show_closed(window, parts);
}

/// One tick: codes that ran out, rings, and the clipboard.
pub fn tick(window: &AppWindow, parts: &Parts) {
    parts.clipboard.tick();
    if !parts.door.is_open() {
        return;
    }
    parts.list.tick();
    tokens::show_selected(window, parts);
    add::renew_found(window, parts);
    // Last, so that no ring runs out before the code that follows is there.
    window.global::<TokensAdapter<'_>>().set_now(parts.list.seconds(parts.tokens.now()));
}

/// The vault was opened: shows its tokens.
pub fn show_open(window: &AppWindow, parts: &Parts) {
    parts.list.refresh();
    tokens::show_counts(window, parts);
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_now(parts.list.seconds(parts.tokens.now()));
    adapter.set_current(if parts.list.row_count() > 0 { 0 } else { -1 });
    tokens::select_row(window, parts, 0);
    window.global::<NavigationAdapter<'_>>().set_page(Page::Tokens);
}

fn notice(window: &AppWindow, notice: Notice, number: usize) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    navigation.set_notice_number(i32::try_from(number).unwrap_or(i32::MAX));
    navigation.set_notice(notice);
    navigation.set_notice_count(navigation.get_notice_count().wrapping_add(1));
}

fn tell_change(window: &AppWindow, error: ChangeError) {
    let what = match error {
        ChangeError::PasswordChanged => Notice::ChangedElsewhere,
        ChangeError::NotSaved => Notice::SaveFailed,
        // Gone or locked meanwhile: the page that shows it already says so.
        _ => return,
    };
    notice(window, what, 0);
}
