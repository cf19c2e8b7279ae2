//! The trash.

use std::rc::Rc;

use countersign_core::token::TokenId;
use countersign_ui::{AppWindow, Notice, TrashAdapter, TrashAsking, TrashRow};
use slint::{ComponentHandle as _, ModelRc, VecModel};

use super::{Parts, changed, notice, parse, tell_change};
use crate::{
    controllers::ChangeError,
    models::{badge, look, number},
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TrashAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_opened(move || {
        let Some(window) = weak.upgrade() else { return };
        show(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_restore(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Some(id) = parse(&id) else { return };
        done(&window, &of, of.tokens.restore(id).map(|()| 1), Notice::BroughtBack);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_restore_all(move || {
        let Some(window) = weak.upgrade() else { return };
        done(&window, &of, of.tokens.restore_all(), Notice::BroughtBack);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_ask(move |asking, id| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<TrashAdapter<'_>>();
        let about = parse(&id).and_then(|id| rows(&of, Some(id)).pop());
        adapter.set_about(about.unwrap_or_default());
        adapter.set_asking(asking);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<TrashAdapter<'_>>();
        let asking = adapter.get_asking();
        adapter.set_asking(TrashAsking::None);
        match (asking, parse(&adapter.get_about().id)) {
            (TrashAsking::Delete, Some(id)) => {
                done(&window, &of, of.tokens.delete_for_good(id).map(|()| 1), Notice::Deleted);
            }
            (TrashAsking::Empty, _) => done(&window, &of, of.tokens.empty_trash(), Notice::Deleted),
            _ => {}
        }
    });
}

/// Nothing of it stays in the window.
pub(super) fn clear(window: &AppWindow) {
    let adapter = window.global::<TrashAdapter<'_>>();
    adapter.set_asking(TrashAsking::None);
    adapter.set_about(TrashRow::default());
    adapter.set_rows(ModelRc::default());
}

/// Takes back the question; says whether there was one.
pub(super) fn step_back(window: &AppWindow) -> bool {
    let adapter = window.global::<TrashAdapter<'_>>();
    let asked = adapter.get_asking() != TrashAsking::None;
    adapter.set_asking(TrashAsking::None);
    asked
}

fn show(window: &AppWindow, parts: &Parts) {
    window.global::<TrashAdapter<'_>>().set_rows(ModelRc::new(VecModel::from(rows(parts, None))));
}

/// All of it, or one token of it.
fn rows(parts: &Parts, only: Option<TokenId>) -> Vec<TrashRow> {
    let row = |token: &countersign_core::token::Token, days: u64| {
        let spec = &token.spec;
        let (title, account) =
            if spec.issuer.is_empty() { (&spec.account, "") } else { (&spec.issuer, spec.account.as_str()) };
        only.is_none_or(|id| id == token.id).then(|| TrashRow {
            id: token.id.to_string().into(),
            title: title.into(),
            account: account.into(),
            look: look(&spec.issuer, &spec.account, token.icon.as_deref()),
            badge: badge(spec.kind.name()).into(),
            days: number(days),
        })
    };
    parts.tokens.trash(row).into_iter().flatten().collect()
}

/// Shows what became of it, and tells.
fn done(window: &AppWindow, parts: &Parts, result: Result<usize, ChangeError>, what: Notice) {
    match result {
        Ok(count) => {
            changed(window, parts);
            notice(window, what, count);
        }
        Err(error) => tell_change(window, error),
    }
    show(window, parts);
}
