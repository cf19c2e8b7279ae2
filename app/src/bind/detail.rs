//! The pages of one token.

mod edit;
mod history;
mod look;
mod qr;
mod reading;

use std::rc::Rc;

use countersign_core::token::{Algorithm, Kind, KindName, Token, TokenId};
use countersign_ui::{AppWindow, DetailAdapter, DetailOver, Page, TokenDetail, TokenKind, TokenParameters, TokenRow};
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use super::{Parts, navigation};
use crate::{controllers::tokens::Shown, models::number};

pub(super) use edit::EditState;
pub(super) use qr::picture as qr_picture;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_left(move |page| {
        let Some(window) = weak.upgrade() else { return };
        left(&window, &of, page);
    });
    edit::connect(window, parts);
    history::connect(window, parts);
    look::connect(window, parts);
    qr::connect(window, parts);
    reading::connect(window, parts);
}

/// The vault was opened.
pub(super) fn opened(window: &AppWindow, parts: &Rc<Parts>) {
    window.global::<DetailAdapter<'_>>().set_look_needs_password(parts.detail.look_needs_password());
}

/// The vault was locked: nothing of it stays.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<DetailAdapter<'_>>();
    edit::clear(&adapter, parts);
    look::clear(&adapter);
    qr::clear(&adapter, parts);
    reading::clear(&adapter, parts);
    history::clear(&adapter);
    parts.detail.forget();
    adapter.set_over(DetailOver::None);
    show_none(&adapter);
}

/// A second went by.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    qr::tick(window, parts);
    reading::tick(window, parts);
    edit::tick(window, parts);
}

/// A step back within the page: what lies over it goes first. Says whether that was all.
pub(super) fn back(window: &AppWindow, parts: &Parts) -> bool {
    let adapter = window.global::<DetailAdapter<'_>>();
    match adapter.get_over() {
        DetailOver::None => edit::back(window, parts),
        DetailOver::BigCode => {
            reading::clear(&adapter, parts);
            true
        }
        _ => {
            adapter.set_over(DetailOver::None);
            true
        }
    }
}

/// Whether the page may be left for another one. Where that would lose something, it is asked first.
pub(super) fn may_leave(window: &AppWindow, parts: &Parts, to: Page) -> bool {
    to == Page::Edit || edit::may_leave(window, parts, edit::Leave::For(to))
}

/// Whether the program may end, or is asked first because something is not saved.
pub(super) fn may_quit(window: &AppWindow, parts: &Parts) -> bool {
    edit::may_leave(window, parts, edit::Leave::Quit)
}

/// A page was left.
fn left(window: &AppWindow, parts: &Parts, page: Page) {
    let adapter = window.global::<DetailAdapter<'_>>();
    adapter.set_over(DetailOver::None);
    look::clear(&adapter);
    reading::clear(&adapter, parts);
    match page {
        Page::Edit => edit::clear(&adapter, parts),
        Page::TokenQr => qr::clear(&adapter, parts),
        Page::History => history::clear(&adapter),
        _ => {}
    }
}

/// Shows the selected token as it is now.
pub(super) fn show_selected(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let id = selected(parts);
    follow(window, parts, id);
    let content = parts.tokens.content();
    let Some(token) = id.and_then(|id| content.as_ref()?.token(id)) else {
        return show_none(&adapter);
    };
    let groups = content.as_ref().map(|content| content.groups()).unwrap_or_default();
    let names = groups.iter().filter(|group| token.groups.contains(&group.id)).map(|group| group.name.as_str().into());
    let row = parts.list.row(token, parts.tokens.now());
    adapter.set_detail(detail(parts, token, &row.code, names.collect()));
    adapter.set_token(row);
    adapter.set_has_token(true);
}

/// The pages of one token are those of the selected one: where another was selected beside them they make room, unless
/// something is being changed.
fn follow(window: &AppWindow, parts: &Parts, id: Option<TokenId>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let before = adapter.get_token().id.parse().ok();
    if before.is_none() || before == id {
        return;
    }
    if adapter.get_over() != DetailOver::Leave {
        adapter.set_over(DetailOver::None);
    }
    reading::clear(&adapter, parts);
    match navigation::page(window) {
        Page::Edit if edit::is_changed(&adapter) => {}
        Page::Edit | Page::History | Page::TokenQr => navigation::step_back(window, parts),
        _ => {}
    }
}

/// The token that is selected.
fn selected(parts: &Parts) -> Option<TokenId> {
    parts.selected.borrow().parse().ok()
}

fn show_none(adapter: &DetailAdapter<'_>) {
    adapter.set_has_token(false);
    adapter.set_token(TokenRow::default());
    adapter.set_detail(TokenDetail::default());
}

fn detail(parts: &Parts, token: &Token, code: &str, groups: Vec<SharedString>) -> TokenDetail {
    let now = parts.tokens.now();
    let next = match parts.tokens.shown(token, now) {
        // It hides with the current one.
        Shown::Live(_) if !parts.tokens.is_hidden(token, now) => token.spec.next_code_at(now).ok(),
        _ => None,
    };
    let registration = token.registration.as_ref();
    let code_groups: Vec<SharedString> = code.split_whitespace().map(SharedString::from).collect();
    TokenDetail {
        next_code: next.map(|code| code.grouped().expose().into()).unwrap_or_default(),
        code_groups: ModelRc::new(VecModel::from(code_groups)),
        parameters: parameters(&token.spec.kind),
        groups: ModelRc::new(VecModel::from(groups)),
        added: local_time(token.created_at).into(),
        used: token.used_at.map(local_time).unwrap_or_default().into(),
        use_count: number(token.use_count),
        note: token.note.as_str().into(),
        server: registration.map(|registration| registration.server.as_str().into()).unwrap_or_default(),
        registered: registration.map(|registration| local_time(registration.registered_at)).unwrap_or_default().into(),
        moved: registration.and_then(|registration| registration.moved_at).map(super::day).unwrap_or_default(),
        revisions: number(token.history.len() as u64),
    }
}

/// How codes are made.
pub(super) fn parameters(kind: &Kind) -> TokenParameters {
    let algorithm = match kind {
        Kind::Totp { algorithm, .. } | Kind::Hotp { algorithm, .. } => algorithm_name(*algorithm),
        _ => "",
    };
    TokenParameters {
        kind: match kind.name() {
            KindName::Totp => TokenKind::Totp,
            KindName::Hotp => TokenKind::Hotp,
            KindName::Steam => TokenKind::Steam,
            KindName::Motp => TokenKind::Motp,
            KindName::Yandex => TokenKind::Yandex,
        },
        algorithm: algorithm.into(),
        digits: kind.digits().into(),
        period: kind.period().map_or(0, |period| number(period.seconds())),
    }
}

fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha512 => "SHA-512",
    }
}

/// A number as the window has them.
/// A moment on this place's clock, in the one order of digits that nobody misreads.
pub(super) fn local_time(unix: u64) -> String {
    i64::try_from(unix)
        .ok()
        .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
        .map(|moment| moment.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}
