//! Groups: the chips above the list, the page, and the choice for some tokens.

use std::{collections::HashSet, rc::Rc};

use countersign_core::token::{GroupId, TokenId};
use countersign_ui::{AppWindow, GroupAsking, GroupProblem, GroupRow, GroupShare, GroupsAdapter, ShareRow};
use slint::{ComponentHandle as _, ModelRc, SharedString, VecModel};

use super::{Parts, changed, parse, tell_change};
use crate::{
    controllers::tokens::{Counts, GroupError, Share},
    models::number,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<GroupsAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_ask(move |asking, group| {
        let Some(window) = weak.upgrade() else { return };
        ask(&window, &of, asking, &group);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_name_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        judge(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        confirm(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<GroupsAdapter<'_>>();
        adapter.set_choice_of(id);
        show_choices(&window, &of);
        adapter.set_choosing(true);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle(move |group| {
        let Some(window) = weak.upgrade() else { return };
        let Ok(group) = group.parse::<GroupId>() else { return };
        let ids = meant(&window, &of);
        let has_all = of.tokens.shares(&ids).iter().any(|(id, _, share)| *id == group && *share == Share::All);
        put(&window, &of, &ids, group, !has_all);
    });
}

/// The groups, on the chips and on the page.
pub(super) fn show(window: &AppWindow, counts: &Counts) {
    let row = |(id, name, count): &(GroupId, String, usize)| GroupRow {
        id: id.to_string().into(),
        name: name.as_str().into(),
        count: number(*count),
    };
    let rows: Vec<GroupRow> = counts.groups.iter().map(row).collect();
    window.global::<GroupsAdapter<'_>>().set_groups(ModelRc::new(VecModel::from(rows)));
}

/// Nothing asked, nothing typed.
pub(super) fn clear(window: &AppWindow) {
    let adapter = window.global::<GroupsAdapter<'_>>();
    adapter.set_asking(GroupAsking::None);
    adapter.set_name(SharedString::default());
    adapter.set_about(GroupRow::default());
    adapter.set_choosing(false);
    adapter.set_choice_of(SharedString::default());
    adapter.set_choices(ModelRc::default());
}

/// Takes back the question, or closes the choice; says whether there was any.
pub(super) fn step_back(window: &AppWindow) -> bool {
    let adapter = window.global::<GroupsAdapter<'_>>();
    let (asked, choosing) = (adapter.get_asking() != GroupAsking::None, adapter.get_choosing());
    if asked {
        adapter.set_asking(GroupAsking::None);
    } else if choosing {
        adapter.set_choosing(false);
    }
    asked || choosing
}

fn ask(window: &AppWindow, parts: &Parts, asking: GroupAsking, group: &str) {
    let adapter = window.global::<GroupsAdapter<'_>>();
    let about = parts.tokens.counts().groups.into_iter().find(|(id, ..)| id.to_string() == group);
    let about = about.map(|(_, name, count)| GroupRow { id: group.into(), name: name.into(), count: number(count) });
    let about = about.unwrap_or_default();
    adapter.set_name(about.name.clone());
    adapter.set_about(about);
    adapter.set_problem(GroupProblem::None);
    adapter.set_asking(asking);
}

/// The group that the question is about.
fn about(adapter: &GroupsAdapter<'_>) -> Option<GroupId> {
    adapter.get_about().id.parse().ok()
}

/// What is wrong with the name, while it is typed. Nothing typed yet is no mistake.
fn judge(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<GroupsAdapter<'_>>();
    let problem = match parts.tokens.check_group_name(&adapter.get_name(), about(&adapter)) {
        Err(GroupError::Taken) => GroupProblem::Taken,
        Err(GroupError::TooLong) => GroupProblem::TooLong,
        _ => GroupProblem::None,
    };
    adapter.set_problem(problem);
}

fn confirm(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<GroupsAdapter<'_>>();
    let (name, about) = (adapter.get_name(), about(&adapter));
    let result = match (adapter.get_asking(), about) {
        (GroupAsking::Rename, Some(id)) => parts.tokens.rename_group(id, &name),
        (GroupAsking::Remove, Some(id)) => parts.tokens.remove_group(id).map_err(GroupError::from),
        (GroupAsking::Add, _) => parts.tokens.add_group(&name).map(|id| {
            // From the choice for some tokens, it is meant for them.
            if adapter.get_choosing() {
                put(window, parts, &meant(window, parts), id, true);
            }
        }),
        _ => return,
    };
    match result {
        Ok(()) => {}
        Err(GroupError::Empty) => return adapter.set_problem(GroupProblem::Empty),
        Err(GroupError::TooLong) => return adapter.set_problem(GroupProblem::TooLong),
        Err(GroupError::Taken) => return adapter.set_problem(GroupProblem::Taken),
        Err(GroupError::Change(error)) => tell_change(window, error),
    }
    adapter.set_asking(GroupAsking::None);
    adapter.set_name(SharedString::default());
    changed(window, parts);
    show_choices(window, parts);
}

/// The tokens that the choice is for: the one that it was opened for, or the marked ones.
fn meant(window: &AppWindow, parts: &Parts) -> HashSet<TokenId> {
    match parse(&window.global::<GroupsAdapter<'_>>().get_choice_of()) {
        Some(id) => HashSet::from([id]),
        None => parts.tokens.marks.all(),
    }
}

fn put(window: &AppWindow, parts: &Parts, ids: &HashSet<TokenId>, group: GroupId, within: bool) {
    if let Err(error) = parts.tokens.set_group(ids, group, within) {
        tell_change(window, error);
    }
    changed(window, parts);
    show_choices(window, parts);
}

fn show_choices(window: &AppWindow, parts: &Parts) {
    let choice = |(id, name, share): (GroupId, String, Share)| ShareRow {
        id: id.to_string().into(),
        name: name.into(),
        share: match share {
            Share::None => GroupShare::None,
            Share::Some => GroupShare::Some,
            Share::All => GroupShare::All,
        },
    };
    let choices: Vec<ShareRow> = parts.tokens.shares(&meant(window, parts)).into_iter().map(choice).collect();
    window.global::<GroupsAdapter<'_>>().set_choices(ModelRc::new(VecModel::from(choices)));
}
