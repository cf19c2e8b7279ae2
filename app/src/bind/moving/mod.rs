//! The pages on which tokens move: in from another app, out into one, and to or from another Countersign.

mod export;
mod import;
mod kept;
mod transfer;

use std::rc::Rc;

use countersign_ui::{AppWindow, Page};

use super::Parts;

pub(super) use import::{read_file, read_text};
pub(super) use transfer::codes;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    import::connect(window, parts);
    export::connect(window, parts);
    kept::connect(window, parts);
    transfer::connect(window, parts);
}

/// A second went by.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    import::tick(window, parts);
    transfer::tick(window, parts);
}

/// The vault was locked: nothing of it stays.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    import::clear(window, parts);
    export::clear(window, parts);
    kept::clear(window);
    transfer::clear(window, parts);
}

/// A second look was granted on one of these pages.
pub(super) fn granted(window: &AppWindow, parts: &Rc<Parts>, page: Page) {
    match page {
        Page::MoveOut => export::granted(window, parts),
        Page::Kept => kept::granted(window, parts),
        _ => {}
    }
}

/// Another page is shown: what was opened on one of these goes with it.
pub(super) fn page_changed(window: &AppWindow, parts: &Parts, from: Page, to: Page) {
    match from {
        _ if from == to => {}
        Page::MoveIn => import::clear(window, parts),
        Page::MoveOut => export::clear(window, parts),
        Page::Kept => kept::clear(window),
        Page::Send | Page::Receive => transfer::clear(window, parts),
        _ => {}
    }
}

/// One step back within the page; says whether there was one.
pub(super) fn step_back(window: &AppWindow, parts: &Parts, page: Page) -> bool {
    match page {
        Page::MoveIn => import::step_back(window, parts),
        Page::MoveOut => export::step_back(window, parts),
        Page::Kept => kept::step_back(window, parts),
        _ => false,
    }
}
