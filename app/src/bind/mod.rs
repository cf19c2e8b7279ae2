//! Connects pages to controllers: one module a page, which carries values over and decides nothing.

mod account;
mod add;
mod backup;
mod detail;
mod form;
pub mod locking;
mod moving;
mod navigation;
mod security;
mod settings;
mod tokens;
mod tray;
mod unlock;
mod welcome;

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    rc::Rc,
};

use countersign_core::secret::SecretText;
use countersign_ui::{AppWindow, Day, NavigationAdapter, Notice, Page, Purpose, TokensAdapter};
use slint::{ComponentHandle as _, Model as _};

use crate::{
    controllers::{
        ChangeError, Door, Services,
        account::AccountController,
        add::AddController,
        backup::{
            automatic::AutomaticController, export::ExportController, reminder::ReminderController,
            restore::RestoreController,
        },
        clipboard::ClipboardController,
        clock::ClockWatch,
        detail::DetailController,
        idle::IdleController,
        lock::LockController,
        moving::{self as moves, transfer::TransferController},
        security::SecurityController,
        settings::SettingsController,
        sheet::SheetController,
        tokens::TokensController,
    },
    models::{self, TokenListModel},
};

/// The controllers and models of one window.
pub struct Parts {
    /// What the world gives.
    pub services: Rc<Services>,
    /// The vault.
    pub door: Rc<Door>,
    /// Unlock and create.
    pub lock: Rc<LockController>,
    /// Locking by itself.
    pub idle: IdleController,
    /// The keys of an open vault.
    pub security: Rc<SecurityController>,
    /// The recovery sheet that is shown.
    pub sheet: SheetController,
    /// The vault where none is named.
    pub usual_vault: PathBuf,
    /// What the vault that is being made is for.
    purpose: Cell<Purpose>,
    /// Called when the vault was opened or locked: time is then told in another rhythm.
    pub changed_rhythm: RefCell<Option<Box<dyn Fn()>>>,
    /// What was copied.
    pub clipboard: Rc<ClipboardController>,
    /// The list.
    pub tokens: Rc<TokensController>,
    /// One token.
    pub detail: DetailController,
    /// Servers.
    pub account: Rc<AccountController>,
    /// What the pages about servers hold.
    visiting: account::Visiting,
    /// Adding.
    pub add: Rc<AddController>,
    /// Backups out.
    pub export: Rc<ExportController>,
    /// Backups in.
    pub restore: Rc<RestoreController>,
    /// Other apps' files in.
    pub import: Rc<moves::import::ImportController>,
    /// Files for other apps out.
    pub move_out: Rc<moves::export::ExportController>,
    /// Entries that could not be read.
    pub kept: moves::kept::KeptController,
    /// Tokens to and from another Countersign.
    pub transfer: Rc<TransferController>,
    /// Backups by themselves.
    pub automatic: Rc<AutomaticController>,
    /// What is in no backup.
    pub reminder: Rc<ReminderController>,
    /// The camera that is open, and what else the pages of adding hold.
    adding: add::Adding,
    /// Settings of this device.
    pub settings: Rc<SettingsController>,
    /// The system's clock, and whether it is right.
    pub clock: Rc<ClockWatch>,
    /// The rows of the list.
    pub list: Rc<TokenListModel>,
    /// What the page of changing holds.
    edit: detail::EditState,
    /// The token in the detail.
    selected: RefCell<String>,
    /// The pages that lead to the one that is shown, the first one first.
    way: RefCell<Vec<Page>>,
    /// The colours were once chosen against the system's.
    scheme_touched: Cell<bool>,
    /// The icon is in the tray.
    tray_shown: Cell<bool>,
    /// What was chosen from its menu and is not done yet.
    tray_chosen: tray::Chosen,
    /// A link that came while the vault was locked.
    waiting_link: RefCell<Option<SecretText>>,
    /// Takes back what the last message told of.
    undo: RefCell<Option<Undo>>,
}

/// Takes back what was just done.
type Undo = Box<dyn FnOnce(&AppWindow, &Rc<Parts>)>;

impl Parts {
    /// Everything over one vault, which is still closed.
    pub fn new(services: Rc<Services>, vault: PathBuf) -> Rc<Self> {
        let usual_vault = vault.clone();
        Self::over(services, vault, usual_vault)
    }

    /// The same, where the vault is another than the usual one.
    pub fn over(services: Rc<Services>, vault: PathBuf, usual_vault: PathBuf) -> Rc<Self> {
        let door = Rc::new(Door::new(vault));
        let clipboard = Rc::new(ClipboardController::new(services.clone()));
        let tokens = Rc::new(TokensController::new(services.clone(), door.clone(), clipboard.clone()));
        let list = Rc::new(TokenListModel::new(tokens.clone()));
        let reminder = Rc::new(ReminderController::new(services.clone(), door.clone()));
        let export = ExportController::new(services.clone(), door.clone(), clipboard.clone(), reminder.clone());
        Rc::new(Self {
            lock: Rc::new(LockController::new(services.clone(), door.clone())),
            idle: IdleController::new(services.clone(), door.clone()),
            security: Rc::new(SecurityController::new(services.clone(), door.clone())),
            sheet: SheetController::new(services.clone(), door.clone()),
            usual_vault,
            purpose: Cell::new(Purpose::Empty),
            changed_rhythm: RefCell::default(),
            export: Rc::new(export),
            restore: Rc::new(RestoreController::new(services.clone(), door.clone())),
            import: Rc::new(moves::import::ImportController::new(services.clone(), door.clone())),
            move_out: Rc::new(moves::export::ExportController::new(services.clone(), door.clone())),
            kept: moves::kept::KeptController::new(services.clone(), door.clone()),
            transfer: Rc::new(TransferController::new(services.clone(), door.clone())),
            automatic: Rc::new(AutomaticController::new(services.clone(), door.clone(), reminder.clone())),
            reminder,
            detail: DetailController::new(services.clone(), door.clone()),
            edit: detail::EditState::default(),
            account: Rc::new(AccountController::new(services.clone(), door.clone())),
            visiting: account::Visiting::default(),
            add: Rc::new(AddController::new(services.clone(), door.clone())),
            adding: add::Adding::default(),
            settings: Rc::new(SettingsController::new(services.clone())),
            clock: Rc::new(ClockWatch::new(services.clone())),
            services,
            door,
            clipboard,
            tokens,
            list,
            selected: RefCell::default(),
            way: RefCell::default(),
            scheme_touched: Cell::default(),
            tray_shown: Cell::default(),
            tray_chosen: tray::Chosen::default(),
            waiting_link: RefCell::default(),
            undo: RefCell::default(),
        })
    }
}

/// Connects all pages, and shows the first one.
pub fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    settings::connect(window, parts);
    welcome::connect(window, parts);
    unlock::connect(window, parts);
    tokens::connect(window, parts);
    detail::connect(window, parts);
    add::connect(window, parts);
    account::connect(window, parts);
    backup::connect(window, parts);
    moving::connect(window, parts);
    security::connect(window, parts);
    locking::connect(window, parts);
    navigation::connect(window, parts);
    navigation::show_closed(window, parts);
}

/// One tick: codes that ran out, rings, and the clipboard.
pub fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    parts.clipboard.tick();
    locking::tick(window, parts);
    welcome::tick(window, parts);
    settings::tick(window, parts);
    if !parts.door.is_open() {
        return;
    }
    // Nobody looks: nothing is drawn, and what ran out meanwhile is renewed when the window is back.
    if window.window().is_minimized() {
        tokens::save_due_uses(window, parts);
        detail::tick(window, parts);
        backup::tick(window, parts);
        security::tick(window, parts);
        return;
    }
    if parts.door.follow() {
        backup::show_changed(window, parts);
    }
    tokens::tick(window, parts);
    detail::show_selected(window, parts);
    add::tick(window, parts);
    account::tick(window, parts);
    detail::tick(window, parts);
    backup::tick(window, parts);
    moving::tick(window, parts);
    security::tick(window, parts);
    if !parts.door.is_open() {
        return;
    }
    // Last, so that no ring runs out before the code that follows is there.
    window.global::<TokensAdapter<'_>>().set_now(parts.list.seconds(parts.tokens.now()));
}

/// The window is about to close.
pub fn quit(parts: &Parts) {
    tokens::save_uses(parts);
    backup::quit(parts);
}

/// The vault was opened: shows its tokens.
pub fn show_open(window: &AppWindow, parts: &Rc<Parts>) {
    locking::touched(window, parts);
    parts.list.refresh();
    tokens::show_counts(window, parts);
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_now(parts.list.seconds(parts.tokens.now()));
    adapter.set_current(if parts.list.row_count() > 0 { 0 } else { -1 });
    tokens::select_row(window, parts, 0);
    let navigation = window.global::<NavigationAdapter<'_>>();
    navigation.set_open(true);
    navigation::show(window, parts, Page::Tokens);
    welcome::opened(window, parts);
    detail::opened(window, parts);
    backup::opened(window, parts);
    settings::opened(window, parts);
    security::opened(window, parts);
    account::opened(window, parts);
    change_rhythm(parts);
    let waiting = parts.waiting_link.borrow_mut().take();
    if let Some(link) = waiting {
        add::follow(window, parts, link.expose());
    }
}

/// Draws a recovery key where the sheet shows its QR code: for pictures of the sheet that are always the same.
pub fn draw_key(window: &AppWindow, key: &str) {
    welcome::draw_key(window, key);
}

/// Says that time is to be told in another rhythm.
fn change_rhythm(parts: &Parts) {
    if let Some(changed) = &*parts.changed_rhythm.borrow() {
        changed();
    }
}

/// A moment of the clock as a day of this place.
fn day(unix: u64) -> Day {
    use chrono::Datelike as _;

    let moment = i64::try_from(unix).ok().and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    let Some(day) = moment.map(|moment| moment.with_timezone(&chrono::Local).date_naive()) else {
        return Day::default();
    };
    Day { day: day.day() as i32, month: day.month() as i32, year: day.year() }
}

/// Nobody sees the window: its camera closes, until the next [`tick`] of a window that is seen.
pub fn unseen(window: &AppWindow, parts: &Rc<Parts>) {
    add::unseen(window, parts);
}

/// A file was dropped onto the window: it is searched for codes while the vault is open.
pub fn dropped(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    add::dropped(window, parts, path);
}

/// Leads to what a link is about: a token to be added, or a server. While the vault is locked it waits.
pub fn follow_link(window: &AppWindow, parts: &Rc<Parts>, link: &str) {
    if !parts.door.is_open() {
        *parts.waiting_link.borrow_mut() = Some(SecretText::new(link.to_owned()));
        return;
    }
    add::follow(window, parts, link);
}

/// Gives the keys back to the page where the element that had them is gone: without, no shortcut is heard any more, not
/// even the one that locks.
pub fn keep_keys(window: &AppWindow) {
    use slint::private_unstable_api::re_exports::WindowInner;

    let inner = WindowInner::from_pub(window.window());
    // A menu that opened has the keys for as long as it is there.
    if !inner.active_popups().is_empty() {
        return;
    }
    let focused = inner.focus_item.borrow().upgrade();
    if !focused.is_some_and(|item| item.is_visible()) {
        window.invoke_take_lost_keys();
    }
}

/// Brings the window to the front, also one that is only an icon in the tray.
pub fn raise(window: &AppWindow) {
    // A window that cannot be shown cannot be raised either.
    let _ = window.show();
    window.window().set_minimized(false);
}

/// Tells what happened.
fn notice(window: &AppWindow, notice: Notice, number: usize) {
    let navigation = window.global::<NavigationAdapter<'_>>();
    navigation.set_notice_number(models::number(number));
    navigation.set_notice_undo(false);
    navigation.set_notice(notice);
    navigation.set_notice_count(navigation.get_notice_count().wrapping_add(1));
}

/// Tells what happened, with a way to take it back.
fn notice_with_undo(
    window: &AppWindow,
    parts: &Parts,
    what: Notice,
    number: usize,
    undo: impl FnOnce(&AppWindow, &Rc<Parts>) + 'static,
) {
    notice(window, what, number);
    *parts.undo.borrow_mut() = Some(Box::new(undo));
    window.global::<NavigationAdapter<'_>>().set_notice_undo(true);
}

/// Tells why a change was not made.
fn tell_change(window: &AppWindow, error: ChangeError) {
    let what = match error {
        ChangeError::PasswordChanged => Notice::ChangedElsewhere,
        ChangeError::NotSaved => Notice::SaveFailed,
        ChangeError::FileGone => Notice::FileGone,
        // Gone or locked meanwhile: the page that shows it already says so.
        _ => return,
    };
    notice(window, what, 0);
}
