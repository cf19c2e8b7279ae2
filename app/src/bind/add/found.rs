//! The preview of what was found.

use std::rc::Rc;

use countersign_core::token::{Algorithm, KindName};
use countersign_ui::{AddAdapter, AppWindow, FoundRow, GroupChoice, NavigationAdapter, Notice, Page, TokenKind};
use slint::{ComponentHandle as _, Model as _, ModelRc, VecModel};

use super::{Parts, reset_kind, show_checked, typed};
use crate::{
    bind::{form, navigation, notice, tell_change, tokens},
    controllers::add::Found,
    models::{badge, look, number},
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();

    let weak = window.as_weak();
    adapter.on_name_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        rename_first(&window.global::<AddAdapter<'_>>());
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_found_advanced(move || {
        let Some(window) = weak.upgrade() else { return };
        open_advanced(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_found_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        let checked = of.add.change_kind(typed(&adapter));
        show_checked(&adapter, &checked);
        refresh(&window, &of, |_| true);
        rename_first(&adapter);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_found(move |id| {
        let Some(window) = weak.upgrade() else { return };
        of.add.toggle_found(usize::try_from(id).unwrap_or(usize::MAX));
        refresh(&window, &of, |row| row.id == id);
        show_counts(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_group(move |at| {
        let Some(window) = weak.upgrade() else { return };
        of.add.toggle_group(usize::try_from(at).unwrap_or(usize::MAX));
        show_groups(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_add_group(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        of.add.add_group(&adapter.get_new_group());
        adapter.set_new_group("".into());
        show_groups(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        confirm(&window, &of, &adapter.get_found_issuer(), &adapter.get_found_account());
    });
}

/// Shows what was found.
pub(super) fn show(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();
    let rows: Vec<FoundRow> = parts.add.found().iter().enumerate().map(|(at, found)| row(parts, at, found)).collect();
    adapter.set_found(ModelRc::new(VecModel::from(rows)));
    adapter.set_found_advanced(false);
    adapter.set_can_preview(true);
    show_counts(window, parts);
    show_groups(window, parts);
    let needs_pin = match parts.add.found().as_slice() {
        [one] => {
            let spec = &one.parsed.spec;
            adapter.set_found_issuer(spec.issuer.as_str().into());
            adapter.set_found_account(spec.account.as_str().into());
            matches!(spec.kind.name(), KindName::Motp | KindName::Yandex) && spec.kind.pin().is_none()
        }
        _ => false,
    };
    if needs_pin {
        open_advanced(window, parts);
    }
    let shown = window.global::<NavigationAdapter<'_>>().get_page();
    if shown == Page::AddClipboard {
        // The clipboard was read on the way here; there is nothing to go back to.
        navigation::replace(window, parts, Page::Found);
    } else {
        navigation::go(window, parts, Page::Found);
    }
}

/// Adds what is chosen.
pub(super) fn confirm(window: &AppWindow, parts: &Rc<Parts>, issuer: &str, account: &str) {
    match parts.add.confirm(issuer, account) {
        Ok(count) => {
            super::clear(window, parts);
            parts.list.clear();
            tokens::clear(window, parts);
            let last = parts.tokens.content().and_then(|content| content.tokens().last().map(|t| t.id.to_string()));
            navigation::show(window, parts, Page::Tokens);
            tokens::select(window, parts, &last.unwrap_or_default());
            notice(window, Notice::Added, count);
        }
        Err(error) => tell_change(window, error),
    }
}

/// Renews the codes that ran out.
pub(super) fn renew(window: &AppWindow, parts: &Parts) {
    if parts.add.found().is_empty() {
        return;
    }
    let now = parts.list.seconds(parts.tokens.now());
    refresh(window, parts, |row| row.period > 0 && (row.until <= now || row.until - row.period > now));
    rename_first(&window.global::<AddAdapter<'_>>());
}

/// The groups that can be chosen.
pub(super) fn show_groups(window: &AppWindow, parts: &Parts) {
    let groups: Vec<GroupChoice> = parts
        .add
        .groups()
        .iter()
        .map(|group| GroupChoice { name: group.name.as_str().into(), chosen: group.chosen })
        .collect();
    let adapter = window.global::<AddAdapter<'_>>();
    let shown = adapter.get_groups();
    // A chip that stays keeps the focus.
    if shown.row_count() == groups.len() {
        for (at, group) in groups.into_iter().enumerate() {
            if shown.row_data(at).as_ref() != Some(&group) {
                shown.set_row_data(at, group);
            }
        }
    } else {
        adapter.set_groups(ModelRc::new(VecModel::from(groups)));
    }
}

/// A token as a row.
pub(super) fn row(parts: &Parts, at: usize, found: &Found) -> FoundRow {
    let spec = &found.parsed.spec;
    let (title, account) =
        if spec.issuer.is_empty() { (&spec.account, "") } else { (&spec.issuer, spec.account.as_str()) };
    let code = spec.code_at(parts.tokens.now()).ok();
    let stands = code.as_ref().and_then(|code| code.stands());
    let kind = spec.kind.name();
    let has_pin = spec.kind.pin().is_some();
    let needs_pin = matches!(kind, KindName::Motp | KindName::Yandex);
    let period = spec.kind.period().map_or(0, |period| period.seconds());
    FoundRow {
        id: number(at),
        title: title.into(),
        account: account.into(),
        look: look(&spec.issuer, &spec.account, None),
        code: code.as_ref().map(|code| code.grouped().expose().into()).unwrap_or_default(),
        period: number(period),
        until: stands.map_or(0, |stands| parts.list.seconds(stands.until)),
        badge: badge(kind).into(),
        kind: match kind {
            KindName::Totp => TokenKind::Totp,
            KindName::Hotp => TokenKind::Hotp,
            KindName::Steam => TokenKind::Steam,
            KindName::Motp => TokenKind::Motp,
            KindName::Yandex => TokenKind::Yandex,
        },
        algorithm: match (kind, spec.kind.algorithm()) {
            (KindName::Totp | KindName::Hotp, Some(Algorithm::Sha1)) => "SHA-1".into(),
            (KindName::Totp | KindName::Hotp, Some(Algorithm::Sha256)) => "SHA-256".into(),
            (KindName::Totp | KindName::Hotp, Some(Algorithm::Sha512)) => "SHA-512".into(),
            _ => "".into(),
        },
        digits: spec.kind.digits().into(),
        counter: spec.kind.counter().map(|counter| counter.to_string()).unwrap_or_default().into(),
        pin_missing: needs_pin && !has_pin,
        already_there: found.already_there,
        repeated: found.repeated,
        chosen: found.chosen,
        warning: !found.parsed.warnings.is_empty(),
    }
}

/// Makes those rows again that `stale` says.
fn refresh(window: &AppWindow, parts: &Parts, stale: impl Fn(&FoundRow) -> bool) {
    let rows = window.global::<AddAdapter<'_>>().get_found();
    let found = parts.add.found();
    for at in 0..rows.row_count() {
        if rows.row_data(at).is_some_and(|row| stale(&row))
            && let Some(found) = found.get(at)
        {
            rows.set_row_data(at, row(parts, at, found));
        }
    }
}

fn show_counts(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AddAdapter<'_>>();
    let found = parts.add.found();
    adapter.set_new_count(number(found.iter().filter(|found| !found.already_there && !found.repeated).count()));
    adapter.set_chosen_count(number(found.iter().filter(|found| found.chosen).count()));
    adapter.set_unreadable(number(parts.add.unreadable()));
    adapter.set_repeated(number(parts.add.repeated()));
}

/// Opens the fields for how codes are made, filled as the token is.
fn open_advanced(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AddAdapter<'_>>();
    let found = parts.add.found();
    let [one] = found.as_slice() else { return };
    let kind = &one.parsed.spec.kind;
    reset_kind(&adapter);
    adapter.set_kind(form::place_of_kind(kind.name()));
    if matches!(kind.name(), KindName::Totp | KindName::Hotp) {
        adapter.set_algorithm(kind.algorithm().map_or(0, form::place_of_algorithm));
        adapter.set_digits(kind.digits().to_string().into());
    }
    if let (KindName::Totp, Some(period)) = (kind.name(), kind.period()) {
        adapter.set_period(period.to_string().into());
    }
    if let Some(counter) = kind.counter() {
        adapter.set_counter(counter.to_string().into());
    }
    adapter.set_pin("".into());
    adapter.set_found_advanced(true);
}

/// The head of the preview follows what is typed below it.
fn rename_first(adapter: &AddAdapter<'_>) {
    let rows = adapter.get_found();
    let Some(mut row) = rows.row_data(0).filter(|_| rows.row_count() == 1) else { return };
    let (issuer, account) = (adapter.get_found_issuer(), adapter.get_found_account());
    let (title, below) =
        if issuer.trim().is_empty() { (account.clone(), "".into()) } else { (issuer.clone(), account.clone()) };
    if row.title != title || row.account != below {
        row.look = look(&issuer, &account, None);
        row.title = title;
        row.account = below;
        rows.set_row_data(0, row);
    }
}
