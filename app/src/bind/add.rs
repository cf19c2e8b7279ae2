//! The pages of adding.

mod camera;
mod found;
mod problems;
mod screen;
mod sources;

use std::{
    cell::{Cell, RefCell},
    path::PathBuf,
    rc::Rc,
};

use countersign_core::{secret::SecretText, uri::Parsed};
use countersign_ui::{AddAdapter, AddProblem, AppWindow, FoundRow, GroupChoice, NavigationAdapter, Page};
use slint::{ComponentHandle as _, Image, ModelRc, SharedString, Timer, VecModel};

use super::{Parts, form, navigation};
use crate::controllers::{
    add::Found,
    camera::Scanner,
    form::{Checked, Form, check},
};

pub(super) use camera::{close as close_camera, open_first as open_camera, tick as resume_camera};
pub(super) use screen::{begin as from_screen, steps_aside};
pub(super) use sources::{follow, paste};

/// What the pages of adding hold beside their controller.
#[derive(Default)]
pub(super) struct Adding {
    /// The camera that is open.
    scanner: RefCell<Option<Scanner>>,
    /// The identifiers of the cameras in the order in which they are offered.
    cameras: RefCell<Vec<String>>,
    /// The window steps aside so that the screen can be seen; it does not lock for that. Waits until it is away.
    aside: RefCell<Option<Timer>>,
    /// The camera was closed because nobody sees the window.
    paused: Cell<bool>,
    /// One of the pages of adding is shown.
    inside: Cell<bool>,
    /// Files that were dropped and are not read yet.
    dropped: RefCell<Vec<PathBuf>>,
}

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    sources::connect(window, parts);
    camera::connect(window, parts);
    screen::connect(window, parts);
    found::connect(window, parts);
    clear(window, parts);
    let adapter = window.global::<AddAdapter<'_>>();

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_moved(move |page| {
        let Some(window) = weak.upgrade() else { return };
        moved(&window, &of, page);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_form_edited(move || {
        let Some(window) = weak.upgrade() else { return };
        show_typed(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_preview(move || {
        let Some(window) = weak.upgrade() else { return };
        let checked = check(&typed(&window.global::<AddAdapter<'_>>()));
        if !checked.tokens.is_empty() {
            of.add.preview(checked.tokens);
            found::show(&window, &of);
        }
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_add_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        let checked = check(&typed(&adapter));
        if !checked.tokens.is_empty() {
            of.add.preview(checked.tokens);
            found::confirm(&window, &of, &adapter.get_issuer(), &adapter.get_account());
        }
    });
}

/// Begins anew: nothing typed, nothing found. Parts of an export that others are still missing from stay.
pub(super) fn begin(window: &AppWindow, parts: &Parts) {
    if parts.add.parts().is_none() {
        clear(window, parts);
    }
    window.global::<AddAdapter<'_>>().set_problem(AddProblem::None);
    parts.add.offer_groups();
    found::show_groups(window, parts);
}

/// Shows the camera's page, and the camera opens; anew where it is shown already.
pub(super) fn scan(window: &AppWindow, parts: &Rc<Parts>) {
    begin(window, parts);
    if window.global::<NavigationAdapter<'_>>().get_page() == Page::AddCamera {
        camera::shown(window, parts);
    }
    navigation::go(window, parts, Page::AddCamera);
}

/// Empties every field and what was found; the secret among them. The camera closes.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.add.forget();
    // A look at the screen that is under way is dropped, and would not say so itself.
    screen::come_back(window, parts);
    parts.adding.dropped.borrow_mut().clear();
    let adapter = window.global::<AddAdapter<'_>>();
    camera::close(window, parts);
    adapter.set_screen_picture(Image::default());
    for set in [
        AddAdapter::set_path,
        AddAdapter::set_issuer,
        AddAdapter::set_account,
        AddAdapter::set_found_issuer,
        AddAdapter::set_found_account,
        AddAdapter::set_new_group,
    ] {
        set(&adapter, SharedString::new());
    }
    set_secret(&adapter, "");
    reset_kind(&adapter);
    adapter.set_advanced(false);
    adapter.set_busy(false);
    adapter.set_problem(AddProblem::None);
    adapter.set_parts_have(0);
    adapter.set_parts_of(0);
    show_checked(&adapter, &Checked::default());
    adapter.set_typed(FoundRow::default());
    adapter.set_typed_link(false);
    adapter.set_found(ModelRc::new(VecModel::from(Vec::new())));
    adapter.set_groups(ModelRc::new(VecModel::from(Vec::<GroupChoice>::new())));
    adapter.set_found_advanced(false);
    adapter.set_unreadable(0);
    adapter.set_repeated(0);
    adapter.set_new_count(0);
    adapter.set_chosen_count(0);
}

/// A second went by: codes that ran out are renewed, and a camera that was closed while nobody saw the window opens again.
pub(super) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if !parts.adding.inside.get() {
        return;
    }
    found::renew(window, parts);
    let adapter = window.global::<AddAdapter<'_>>();
    let typed = adapter.get_typed();
    if typed.period > 0 && typed.until <= parts.list.seconds(parts.tokens.now()) {
        show_typed(window, parts);
    }
    camera::tick(window, parts);
}

/// The window was minimised.
pub(super) fn unseen(window: &AppWindow, parts: &Rc<Parts>) {
    camera::pause(window, parts);
}

/// A file was dropped onto the window. Several come one by one, and are read together.
pub(super) fn dropped(window: &AppWindow, parts: &Rc<Parts>, path: PathBuf) {
    sources::dropped(window, parts, path);
}

fn moved(window: &AppWindow, parts: &Rc<Parts>, page: Page) {
    let inside = matches!(
        page,
        Page::AddPicture | Page::AddCamera | Page::AddScreen | Page::AddClipboard | Page::AddManual | Page::Found
    );
    let was_inside = parts.adding.inside.replace(inside);
    if page == Page::AddCamera {
        camera::shown(window, parts);
    } else if inside {
        camera::close(window, parts);
    } else if was_inside {
        clear(window, parts);
    }
}

fn typed(adapter: &AddAdapter<'_>) -> Form {
    Form {
        issuer: adapter.get_issuer().into(),
        account: adapter.get_account().into(),
        secret: SecretText::new(adapter.get_secret().into()),
        kind: form::kind(adapter.get_kind()),
        algorithm: form::algorithm(adapter.get_algorithm()),
        digits: adapter.get_digits().into(),
        period: adapter.get_period().into(),
        counter: adapter.get_counter().into(),
        pin: SecretText::new(adapter.get_pin().into()),
    }
}

/// Judges what is typed, and shows its code.
fn show_typed(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<AddAdapter<'_>>();
    let form = typed(&adapter);
    let checked = check(&form);
    show_checked(&adapter, &checked);
    let text = form.secret.expose();
    adapter.set_typed_link(text.contains(':') && text.contains('/'));
    let row = checked.tokens.into_iter().next().map(|parsed: Parsed| {
        let already_there = parts.add.is_there(&parsed.spec);
        found::row(parts, 0, &Found { parsed, already_there, repeated: false, chosen: true })
    });
    adapter.set_typed(row.unwrap_or_default());
}

fn show_checked(adapter: &AddAdapter<'_>, checked: &Checked) {
    adapter.set_fault(form::fault(checked));
    adapter.set_can_preview(!checked.tokens.is_empty());
}

fn set_secret(adapter: &AddAdapter<'_>, secret: &str) {
    adapter.set_secret(secret.into());
    adapter.set_pin("".into());
}

fn reset_kind(adapter: &AddAdapter<'_>) {
    adapter.set_digits("6".into());
    adapter.set_period("30".into());
    adapter.set_counter("0".into());
    adapter.set_kind(0);
    adapter.set_algorithm(0);
}

/// Goes to the page for a secret without a name, with the secret in it.
fn use_as_secret(window: &AppWindow, parts: &Parts, secret: &SecretText) {
    begin(window, parts);
    set_secret(&window.global::<AddAdapter<'_>>(), secret.expose());
    navigation::go(window, parts, Page::AddManual);
    show_typed(window, parts);
}
