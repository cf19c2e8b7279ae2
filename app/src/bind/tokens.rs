//! The list: what is shown, copied, sorted and moved.

mod groups;
mod marks;
mod menu;
mod trash;

use std::{collections::HashSet, rc::Rc};

use countersign_core::token::TokenId;
use countersign_ui::{AppWindow, ListFilter, ListSort, NavigationAdapter, Notice, Page, TokensAdapter};
use slint::{ComponentHandle as _, Model as _, ModelRc};

use super::{Parts, detail::show_selected, navigation, notice, notice_with_undo, tell_change};
use crate::{
    controllers::{
        ChangeError,
        tokens::{CopyError, Filter, MoveError},
    },
    models::number,
    platform::PlatformError,
    settings::Sort,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_rows(ModelRc::from(parts.list.clone()));
    adapter.set_sort(sort_shown(parts.tokens.sort()));
    show_counts(window, parts);
    groups::connect(window, parts);
    marks::connect(window, parts);
    menu::connect(window, parts);
    trash::connect(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_search(move |query| {
        let Some(window) = weak.upgrade() else { return };
        of.list.search(&query);
        select_row(&window, &of, 0);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_activate(move |id| {
        let Some(window) = weak.upgrade() else { return };
        activate(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_copy(move |id| {
        let Some(window) = weak.upgrade() else { return };
        copy(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_copy_next(move |id| {
        let Some(window) = weak.upgrade() else { return };
        copy_next(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_next(move |id| {
        let Some(window) = weak.upgrade() else { return };
        next(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_select(move |id| {
        let Some(window) = weak.upgrade() else { return };
        select(&window, &of, &id);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_select_row(move |row| {
        let Some(window) = weak.upgrade() else { return };
        select_row(&window, &of, usize::try_from(row).unwrap_or(0));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_detail(move |id| {
        let Some(window) = weak.upgrade() else { return };
        // Whoever looks at one token wants its code.
        if parse(&id).is_some_and(|token| of.tokens.reveal(token)) {
            of.list.renew(&id);
        }
        select(&window, &of, &id);
        navigation::go(&window, &of, Page::Detail);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_toggle_favourite(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Some(token) = parse(&id) else { return };
        match of.tokens.toggle_favourite(token) {
            Ok(()) => {
                changed(&window, &of);
                select(&window, &of, &id);
            }
            Err(error) => tell_change(&window, error),
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_remove(move |id| {
        let Some(window) = weak.upgrade() else { return };
        let Some(token) = parse(&id) else { return };
        remove(&window, &of, HashSet::from([token]));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_only(move |filter, group| {
        let Some(window) = weak.upgrade() else { return };
        show_only(&window, &of, filter, &group);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_sort_by(move |sort| {
        let Some(window) = weak.upgrade() else { return };
        // Where it cannot be written it holds until the program ends, which is no reason to stop anybody.
        let _ = of.tokens.set_sort(sort_meant(sort));
        window.global::<TokensAdapter<'_>>().set_sort(sort);
        changed(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_move_to(move |id, row| {
        let Some(window) = weak.upgrade() else { return };
        move_to(&window, &of, &id, row);
    });
}

/// A second went by.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if parts.list.tick() {
        told_now(window, parts);
    }
    let hidden: HashSet<TokenId> = parts.tokens.hidden_again().into_iter().collect();
    if !hidden.is_empty() {
        parts.list.renew_all(&hidden);
    }
    save_due_uses(window, parts);
    parts.tokens.prepare_search();
}

/// Saves the uses that have waited long enough.
pub(super) fn save_due_uses(window: &AppWindow, parts: &Parts) {
    if parts.tokens.uses_due() {
        match parts.tokens.save_uses() {
            Ok(true) => parts.list.follow(),
            // Only a count is lost, and the code was copied: what could not be saved is told with the next change.
            Ok(false) | Err(ChangeError::NotSaved) => {}
            Err(error) => tell_change(window, error),
        }
    }
}

/// How many tokens there are, and of what.
pub(super) fn show_counts(window: &AppWindow, parts: &Parts) {
    let counts = parts.tokens.counts();
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_total(number(counts.total));
    adapter.set_trashed(number(parts.tokens.content().map_or(0, |content| content.trash().len())));
    adapter.set_favourites(number(counts.favourites));
    adapter.set_duplicates(number(counts.duplicates));
    let filter = parts.list.filter();
    let lets_through = match filter {
        Filter::All => true,
        Filter::Favourites => counts.favourites > 0,
        Filter::Duplicates => counts.duplicates > 0,
        Filter::Group(group) => counts.groups.iter().any(|(id, ..)| *id == group),
    };
    if !lets_through {
        parts.list.set_filter(Filter::All);
    }
    let (shown, group) = match parts.list.filter() {
        Filter::All => (ListFilter::All, String::new()),
        Filter::Favourites => (ListFilter::Favourites, String::new()),
        Filter::Duplicates => (ListFilter::Duplicates, String::new()),
        Filter::Group(group) => (ListFilter::Group, group.to_string()),
    };
    adapter.set_filter(shown);
    adapter.set_filter_group(group.into());
    groups::show(window, &counts);
}

/// Tokens, groups or their order changed: shows them as they are, with the same token selected, or else the one that
/// stands where it was.
pub(super) fn changed(window: &AppWindow, parts: &Parts) {
    let id = parts.selected.borrow().clone();
    let row = parts.list.row_of(&id).unwrap_or(0);
    parts.list.refresh();
    show_counts(window, parts);
    marks::show(window, parts);
    if parts.list.row_of(&id).is_some() {
        select(window, parts, &id);
    } else {
        select_row(window, parts, row.min(parts.list.row_count().saturating_sub(1)));
    }
}

/// Selects the row that is shown at that place, or none where there is none.
pub(super) fn select_row(window: &AppWindow, parts: &Parts, row: usize) {
    let id = parts.list.id_at(row).map(|id| id.to_string()).unwrap_or_default();
    select(window, parts, &id);
}

/// Selects a token, wherever it is in the list now.
pub(super) fn select(window: &AppWindow, parts: &Parts, id: &str) {
    *parts.selected.borrow_mut() = id.to_owned();
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_current(parts.list.row_of(id).and_then(|row| i32::try_from(row).ok()).unwrap_or(-1));
    adapter.set_reveal(adapter.get_reveal().wrapping_add(1));
    told_now(window, parts);
    show_selected(window, parts);
}

/// What a screen reader says of the time that is left is worked out here and not each second, so that it says nothing by
/// itself.
fn told_now(window: &AppWindow, parts: &Parts) {
    window.global::<TokensAdapter<'_>>().set_told_at(parts.list.seconds(parts.tokens.now()));
}

/// The vault is about to be locked, or the program to end: what waits is saved.
pub(crate) fn save_uses(parts: &Parts) {
    // Nobody is there any more to be told, and what is lost is a count.
    let _ = parts.tokens.save_uses();
}

/// Closes what lies over the list, or ends the selection; says whether there was any.
pub(super) fn step_back(window: &AppWindow, parts: &Parts) -> bool {
    if groups::step_back(window) || trash::step_back(window) || menu::step_back(window) {
        return true;
    }
    let page = window.global::<NavigationAdapter<'_>>().get_page();
    let marking = matches!(page, Page::Tokens | Page::Detail) && parts.tokens.marks.active();
    if marking {
        marks::end(window, parts);
    }
    marking
}

/// Closes what lies over the list.
pub(super) fn close(window: &AppWindow) {
    menu::clear(window);
    groups::clear(window);
    trash::clear(window);
}

/// No query, no rows, no codes.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.selected.borrow_mut().clear();
    let adapter = window.global::<TokensAdapter<'_>>();
    adapter.set_query("".into());
    adapter.set_current(-1);
    show_counts(window, parts);
    show_selected(window, parts);
    marks::show(window, parts);
    close(window);
}

/// A press or Enter: shows the code where it is hidden, and else copies it.
fn activate(window: &AppWindow, parts: &Parts, id: &str) {
    select(window, parts, id);
    let Some(token) = parse(id) else { return };
    if parts.tokens.reveal(token) {
        parts.list.renew(id);
        told_now(window, parts);
        return show_selected(window, parts);
    }
    if parts.tokens.is_counter(token) && !next(window, parts, id) {
        return;
    }
    copy(window, parts, id);
}

fn copy(window: &AppWindow, parts: &Parts, id: &str) {
    let Some(token) = parse(id) else { return };
    match parts.tokens.copy(token) {
        Ok(seconds) => {
            notice(window, Notice::Copied, usize::try_from(seconds).unwrap_or(0));
            parts.tokens.note_use(token);
        }
        Err(error) => tell_copy(window, &error),
    }
}

fn copy_next(window: &AppWindow, parts: &Parts, id: &str) {
    let Some(token) = parse(id) else { return };
    match parts.tokens.copy_next(token) {
        Ok(seconds) => {
            notice(window, Notice::CopiedNext, usize::try_from(seconds).unwrap_or(0));
            parts.tokens.note_use(token);
        }
        Err(error) => tell_copy(window, &error),
    }
}

fn tell_copy(window: &AppWindow, error: &CopyError) {
    let what = match error {
        CopyError::NoCode => Notice::NoCode,
        CopyError::Clipboard(PlatformError::Unsupported) => Notice::NoClipboard,
        CopyError::Clipboard(_) => Notice::CopyFailed,
    };
    notice(window, what, 0);
}

/// Makes the next code of a counter-based token; says whether there is one.
fn next(window: &AppWindow, parts: &Parts, id: &str) -> bool {
    let Some(token) = parse(id) else { return false };
    match parts.tokens.next(token) {
        Ok(()) => {
            parts.list.follow();
            parts.list.renew(id);
            show_selected(window, parts);
            true
        }
        Err(error) => {
            tell_change(window, error);
            false
        }
    }
}

/// Moves tokens to the trash, with a way back.
fn remove(window: &AppWindow, parts: &Parts, ids: HashSet<TokenId>) {
    if ids.is_empty() {
        return;
    }
    let removed = match parts.tokens.remove(&ids) {
        Ok(removed) => removed,
        Err(error) => return tell_change(window, error),
    };
    parts.tokens.marks.clear();
    changed(window, parts);
    notice_with_undo(window, parts, Notice::Removed, ids.len(), move |window, parts| {
        match parts.tokens.take_back(&removed) {
            Ok(()) => {
                changed(window, parts);
                if let Some(id) = ids.iter().next().filter(|_| ids.len() == 1) {
                    select(window, parts, &id.to_string());
                }
            }
            Err(error) => tell_change(window, error),
        }
    });
}

fn show_only(window: &AppWindow, parts: &Parts, filter: ListFilter, group: &str) {
    let filter = match filter {
        ListFilter::Favourites => Filter::Favourites,
        ListFilter::Duplicates => Filter::Duplicates,
        ListFilter::Group => group.parse().map_or(Filter::All, Filter::Group),
        _ => Filter::All,
    };
    parts.list.set_filter(filter);
    show_counts(window, parts);
    marks::show(window, parts);
    select_row(window, parts, 0);
}

fn move_to(window: &AppWindow, parts: &Parts, id: &str, row: i32) {
    let Some(token) = parse(id) else { return };
    let result = parts.tokens.move_to(token, usize::try_from(row).unwrap_or(0), &parts.list.places());
    match result {
        Ok(()) => {
            changed(window, parts);
            select(window, parts, id);
        }
        Err(MoveError::NotByHand) => notice(window, Notice::SortedOtherwise, 0),
        Err(MoveError::Change(error)) => tell_change(window, error),
    }
}

fn sort_shown(sort: Sort) -> ListSort {
    match sort {
        Sort::Hand => ListSort::Hand,
        Sort::Name => ListSort::Name,
        Sort::Use => ListSort::Use,
        Sort::Recency => ListSort::Recency,
    }
}

fn sort_meant(sort: ListSort) -> Sort {
    match sort {
        ListSort::Name => Sort::Name,
        ListSort::Use => Sort::Use,
        ListSort::Recency => Sort::Recency,
        _ => Sort::Hand,
    }
}

fn parse(id: &str) -> Option<TokenId> {
    id.parse().ok()
}
