//! The pages about servers.

mod register;
mod sign_in;
mod words;

use std::{cell::RefCell, rc::Rc};

use countersign_core::{secret::SecretText, token::TokenId, vault::content::servers::Server};
use countersign_ui::{
    AccountAdapter, AccountDigits, AccountProblem, AppWindow, Day, Notice, Page, ServerFacts, ServerRow, TokenStanding,
};
use countersign_wire::v1::login::ChallengeReply;
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use super::{Parts, day, detail::local_time, navigation, notice};
use crate::{
    account::{keep::Standing, pick::Why, steps::fingerprint_text},
    api::{Failure, Fingerprint, address},
    controllers::account::{AccountController, AccountError},
    models::number,
};

/// What the pages hold beside their controller.
#[derive(Default)]
pub(super) struct Visiting {
    /// The server that is shown, by its address.
    at: RefCell<String>,
    /// The certificate that is asked about.
    asked: RefCell<Option<Fingerprint>>,
    /// The certificate that was shown last.
    shown: RefCell<Option<Fingerprint>>,
    /// The enrollment link that registers.
    link: RefCell<Option<SecretText>>,
    /// What waits for a code, and with which token.
    challenge: RefCell<Option<ChallengeReply>>,
    token: RefCell<Option<(TokenId, Option<Why>)>>,
    /// The token that was registered last.
    registered: RefCell<Option<TokenId>>,
}

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    register::connect(window, parts);
    sign_in::connect(window, parts);
    let adapter = window.global::<AccountAdapter<'_>>();
    window.global::<AccountDigits<'_>>().on_at(|text, index| {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        text.chars().nth(index).map(SharedString::from).unwrap_or_default()
    });
    clear(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_moved(move || {
        let Some(window) = weak.upgrade() else { return };
        moved(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show(move |at| {
        let Some(window) = weak.upgrade() else { return };
        open(&window, &of, &at);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_add(move || {
        let Some(window) = weak.upgrade() else { return };
        add(&window, &of, "");
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_add_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        add_typed(&window, &of, None);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_trust(move || {
        let Some(window) = weak.upgrade() else { return };
        let pin = *of.visiting.asked.borrow();
        add_typed(&window, &of, pin);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        tell(&window, None);
        ask(&window, &of, None);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_refresh(move || {
        let Some(window) = weak.upgrade() else { return };
        refresh(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_sign_out(move || {
        let Some(window) = weak.upgrade() else { return };
        sign_out(&window, &of);
    });
    let weak = window.as_weak();
    adapter.on_ask_forget(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AccountAdapter<'_>>().set_forgetting(true);
    });
    let weak = window.as_weak();
    adapter.on_cancel_forget(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AccountAdapter<'_>>().set_forgetting(false);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_forget(move || {
        let Some(window) = weak.upgrade() else { return };
        forget(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_correct_codes(move || {
        let Some(window) = weak.upgrade() else { return };
        let follows = !of.services.settings.with(|settings| settings.follow_server_clock);
        if of.services.settings.change(|settings| settings.follow_server_clock = follows).is_err() {
            notice(&window, Notice::SettingNotSaved, 0);
        }
        window.global::<AccountAdapter<'_>>().set_correct_codes(follows);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_stop(move || {
        let Some(window) = weak.upgrade() else { return };
        stop(&window, &of);
    });
}

/// Leads to registering with a server: with the only one that is known, or by adding one.
pub(super) fn register_somewhere(window: &AppWindow, parts: &Rc<Parts>) {
    match &parts.account.servers()[..] {
        [] => add(window, parts, ""),
        [only] => {
            choose(window, parts, &only.address);
            register::begin(window, parts, None);
        }
        _ => navigation::go(window, parts, Page::Account),
    }
}

/// Leads to the server of the token that is selected.
pub(super) fn show_server_of(window: &AppWindow, parts: &Rc<Parts>, server: &str) {
    match parts.account.server(server) {
        Some(known) => open(window, parts, &known.address),
        // It came with a backup: the server is not known here yet.
        None => add(window, parts, server),
    }
}

/// A link of a server came from outside: from a scan, the clipboard, or another program. Nothing is asked before
/// somebody has seen which server it is.
pub(super) fn follow(window: &AppWindow, parts: &Rc<Parts>, link: &str) {
    add(window, parts, link);
}

/// The vault was opened.
pub(super) fn opened(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    adapter.set_correct_codes(parts.services.settings.with(|settings| settings.follow_server_clock));
    show(window, parts);
}

/// Nothing of a server stays in the window.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.account.stop();
    parts.visiting.at.borrow_mut().clear();
    *parts.visiting.shown.borrow_mut() = None;
    forget_typed(window, parts);
    let adapter = window.global::<AccountAdapter<'_>>();
    adapter.set_servers(ModelRc::new(VecModel::from(Vec::<ServerRow>::new())));
    adapter.set_server(ServerRow::default());
    adapter.set_facts(ServerFacts::default());
    adapter.set_user("".into());
    adapter.set_typed_address("".into());
}

/// A second went by.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    match navigation::page(window) {
        Page::Register => register::tick(window, parts),
        Page::SignIn => sign_in::tick(window, parts),
        _ => {}
    }
}

/// What was typed and what is waited for goes with the page.
fn moved(window: &AppWindow, parts: &Rc<Parts>) {
    match navigation::page(window) {
        Page::Register | Page::SignIn => {}
        Page::AddServer => forget_typed(window, parts),
        Page::Account | Page::Server => {
            forget_typed(window, parts);
            show(window, parts);
        }
        _ => {
            if window.global::<AccountAdapter<'_>>().get_busy() {
                parts.account.stop();
            }
            forget_typed(window, parts);
        }
    }
}

fn forget_typed(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AccountAdapter<'_>>();
    for set in [AccountAdapter::set_password, AccountAdapter::set_code, AccountAdapter::set_first_code] {
        set(&adapter, SharedString::new());
    }
    adapter.set_busy(false);
    adapter.set_forgetting(false);
    adapter.set_replaces("".into());
    tell(window, None);
    ask(window, parts, None);
    *parts.visiting.link.borrow_mut() = None;
    *parts.visiting.challenge.borrow_mut() = None;
    *parts.visiting.token.borrow_mut() = None;
    adapter.set_token(countersign_ui::SignInToken::default());
}

/// Shows every server, and the chosen one as it is now.
fn show(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let servers = parts.account.servers();
    let rows: Vec<ServerRow> = servers.iter().map(|server| row(parts, server)).collect();
    adapter.set_servers(ModelRc::new(VecModel::from(rows)));
    let at = parts.visiting.at.borrow().clone();
    let Some(server) = parts.account.server(&at) else { return };
    adapter.set_server(row(parts, &server));
    adapter.set_facts(facts(parts, &server));
}

fn row(parts: &Parts, server: &Server) -> ServerRow {
    let now = parts.tokens.now();
    let (standing, since) = match parts.account.token_of(server).map(|(_, standing)| standing) {
        None => (TokenStanding::None, Day::default()),
        Some(Standing::Here) => (TokenStanding::Here, Day::default()),
        Some(Standing::Elsewhere) => (TokenStanding::Elsewhere, Day::default()),
        Some(Standing::Moved(at)) => (TokenStanding::Moved, day(at)),
        Some(Standing::TakenBack(at)) => (TokenStanding::TakenBack, day(at)),
    };
    let session = server.session.as_ref().filter(|session| session.expires_at > now);
    ServerRow {
        address: server.address.as_str().into(),
        place: address::short(&server.address).into(),
        name: server.issuer.as_str().into(),
        user: session.map(|session| session.user.as_str().into()).unwrap_or_default(),
        standing,
        since,
        pending: server.pending.as_ref().is_some_and(|pending| pending.expires_at > now),
    }
}

fn facts(parts: &Parts, server: &Server) -> ServerFacts {
    let shown = server.pin.or(*parts.visiting.shown.borrow());
    ServerFacts {
        until: server.session.as_ref().map(|session| local_time(session.expires_at).into()).unwrap_or_default(),
        fingerprint: shown.map(|shown| fingerprint_text(&shown).into()).unwrap_or_default(),
        pinned: server.pin.is_some(),
        encrypted: server.address.starts_with("https://"),
        clock_behind: number(server.clock_ahead),
        clock_matters: AccountController::clock_matters(server),
    }
}

/// Chooses the server that the pages are about.
fn choose(window: &AppWindow, parts: &Parts, at: &str) {
    if *parts.visiting.at.borrow() != at {
        *parts.visiting.shown.borrow_mut() = None;
        at.clone_into(&mut parts.visiting.at.borrow_mut());
        let user = parts.account.server(at).map(|server| server.user).unwrap_or_default();
        window.global::<AccountAdapter<'_>>().set_user(user.into());
    }
    show(window, parts);
}

fn open(window: &AppWindow, parts: &Rc<Parts>, at: &str) {
    choose(window, parts, at);
    navigation::go(window, parts, Page::Server);
    refresh(window, parts);
}

fn add(window: &AppWindow, parts: &Rc<Parts>, typed: &str) {
    parts.account.stop();
    let adapter = window.global::<AccountAdapter<'_>>();
    adapter.set_server(ServerRow::default());
    parts.visiting.at.borrow_mut().clear();
    navigation::go(window, parts, Page::AddServer);
    forget_typed(window, parts);
    adapter.set_typed_address(typed.into());
}

fn add_typed(window: &AppWindow, parts: &Rc<Parts>, pin: Option<Fingerprint>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    if adapter.get_busy() {
        return;
    }
    tell(window, None);
    adapter.set_busy(true);
    let typed = adapter.get_typed_address();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.add(&typed, pin, move |added| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AccountAdapter<'_>>();
        adapter.set_busy(false);
        match added {
            Ok(added) => {
                adapter.set_typed_address("".into());
                choose(&window, &of, &added.address);
                match added.link {
                    // The page behind is the server's, not the one for adding it again.
                    Some(link) => {
                        navigation::replace(&window, &of, Page::Server);
                        register::begin(&window, &of, Some(link));
                    }
                    None => {
                        navigation::replace(&window, &of, Page::Server);
                        show(&window, &of);
                    }
                }
            }
            Err(error) => {
                let shown = match &error {
                    AccountError::Server(Failure::Untrusted(shown)) => Some(*shown),
                    _ => None,
                };
                tell(&window, Some(&error));
                ask(&window, &of, shown);
            }
        }
    });
}

/// Asks about a certificate, or about none.
fn ask(window: &AppWindow, parts: &Parts, shown: Option<Fingerprint>) {
    let text = shown.map(|shown| fingerprint_text(&shown)).unwrap_or_default();
    window.global::<AccountAdapter<'_>>().set_asked_fingerprint(text.into());
    *parts.visiting.asked.borrow_mut() = shown;
}

fn refresh(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.visit(&at, move |visited| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AccountAdapter<'_>>().set_busy(false);
        match visited {
            Ok(shown) => *of.visiting.shown.borrow_mut() = shown,
            Err(error) => tell(&window, Some(&error)),
        }
        of.list.refresh();
        show(&window, &of);
    });
}

fn sign_out(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    tell(window, None);
    adapter.set_busy(true);
    let at = parts.visiting.at.borrow().clone();
    let (weak, of) = (window.as_weak(), parts.clone());
    parts.account.sign_out(&at, move |result| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AccountAdapter<'_>>().set_busy(false);
        match result {
            Ok(()) => notice(&window, Notice::SignedOut, 0),
            Err(error) => tell(&window, Some(&error)),
        }
        show(&window, &of);
    });
}

fn forget(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    adapter.set_forgetting(false);
    let at = parts.visiting.at.borrow().clone();
    match parts.account.forget(&at) {
        Ok(()) => {
            parts.visiting.at.borrow_mut().clear();
            notice(window, Notice::Forgotten, 0);
            navigation::go(window, parts, Page::Account);
        }
        Err(error) => tell(window, Some(&error)),
    }
}

/// What is waited for is left; where a registration could be finished, it is given up.
fn stop(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let busy = adapter.get_busy();
    adapter.set_busy(false);
    parts.account.stop();
    if !busy && navigation::page(window) == Page::Register {
        let at = parts.visiting.at.borrow().clone();
        parts.account.give_up(&at);
        navigation::step_back(window, parts);
    }
}

/// Says what went wrong; or that nothing is wrong any more.
fn tell(window: &AppWindow, error: Option<&AccountError>) {
    let adapter = window.global::<AccountAdapter<'_>>();
    let told = error.map(words::of).unwrap_or_default();
    adapter.set_problem_detail(told.detail.into());
    adapter.set_problem_seconds(told.seconds);
    adapter.set_problem(told.problem.unwrap_or(AccountProblem::None));
}
