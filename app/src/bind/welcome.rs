//! The first pages, and the recovery sheet.

use std::rc::Rc;

use countersign_core::{qr::Matrix, secret::SecretText};
use countersign_ui::{AppWindow, Notice, Page, Purpose, SheetProblem, UnlockAdapter, WelcomeAdapter};
use slint::{ComponentHandle as _, Image, Model as _, Rgb8Pixel, SharedPixelBuffer, SharedString};

use super::{Parts, day, navigation, notice, unlock};
use crate::{
    controllers::sheet::{self, SheetWords},
    models::number,
    platform::Support,
};

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<WelcomeAdapter<'_>>();
    let can_choose = parts.services.platform.picker.support() == Support::Supported;
    adapter.set_can_choose(can_choose);
    adapter.set_can_save(can_choose);
    adapter.set_can_print(parts.sheet.can_print());
    forget_sheet(window, parts);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_begin(move |purpose| {
        let Some(window) = weak.upgrade() else { return };
        of.purpose.set(purpose);
        // What another way in said stays with it.
        unlock::clear(&window.global::<UnlockAdapter<'_>>());
        navigation::go(&window, &of, Page::Create);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_open_other(move || {
        let Some(window) = weak.upgrade() else { return };
        unlock::open_other(&window, &of);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_print(move || {
        let Some(window) = weak.upgrade() else { return };
        let result = of.sheet.print(&words(&window));
        show_problem(&window, result.err());
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save(move || {
        let Some(window) = weak.upgrade() else { return };
        save(&window, &of);
    });
    let weak = window.as_weak();
    adapter.on_check(move || {
        let Some(window) = weak.upgrade() else { return };
        show_problem(&window, None);
        window.global::<WelcomeAdapter<'_>>().set_checking(true);
    });
    let weak = window.as_weak();
    adapter.on_back_to_sheet(move || {
        let Some(window) = weak.upgrade() else { return };
        stop_checking(&window);
    });
    let weak = window.as_weak();
    adapter.on_typed(move || {
        let Some(window) = weak.upgrade() else { return };
        window.global::<WelcomeAdapter<'_>>().set_third_wrong(false);
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_confirm(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<WelcomeAdapter<'_>>();
        if of.sheet.is_third_group(&adapter.get_third()) {
            of.security.note_sheet_kept();
            leave_sheet(&window, &of);
            notice(&window, Notice::SheetKept, 0);
        } else {
            adapter.set_third_wrong(true);
        }
    });
    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_later(move || {
        let Some(window) = weak.upgrade() else { return };
        leave_sheet(&window, &of);
    });
}

/// The vault was opened.
pub(super) fn opened(_window: &AppWindow, _parts: &Rc<Parts>) {}

/// The vault was locked: nothing of it stays.
pub(super) fn clear(window: &AppWindow, parts: &Parts) {
    parts.purpose.set(Purpose::Empty);
    forget_sheet(window, parts);
}

/// A second went by.
pub(super) fn tick(_window: &AppWindow, _parts: &Rc<Parts>) {}

/// Goes on to what the new vault was made for.
pub(super) fn go_on(window: &AppWindow, parts: &Rc<Parts>) {
    navigation::show(window, parts, Page::Tokens);
    match parts.purpose.replace(Purpose::Empty) {
        Purpose::Restore => navigation::go(window, parts, Page::Restore),
        Purpose::MoveIn => navigation::go(window, parts, Page::MoveIn),
        Purpose::Empty => {}
    }
}

/// Shows a new recovery key, this once.
pub(super) fn show_sheet(window: &AppWindow, parts: &Rc<Parts>, key: SecretText) {
    let adapter = window.global::<WelcomeAdapter<'_>>();
    let (first, second) = key.expose().split_at(key.expose().len() / 2);
    adapter.set_key_first(first.trim_end_matches('-').into());
    adapter.set_key_second(second.trim_start_matches('-').into());
    draw_key(window, key.expose());
    adapter.set_vault_path(parts.door.path().display().to_string().into());
    adapter.set_accounts(parts.sheet.accounts().join(", ").into());
    adapter.set_today(day(parts.tokens.now()));
    parts.services.settings.with(|settings| {
        let folder = settings.backup_folder.as_ref().map(|folder| folder.display().to_string());
        adapter.set_backup_folder(folder.unwrap_or_default().into());
        adapter.set_backups_kept(number(settings.backups_kept));
    });
    parts.sheet.take(key);
    navigation::go(window, parts, Page::RecoverySheet);
}

/// Draws a recovery key as a QR code.
pub(super) fn draw_key(window: &AppWindow, key: &str) {
    window.global::<WelcomeAdapter<'_>>().set_qr(picture(key));
}

/// Nothing of the key stays in the window or beside it.
pub(super) fn forget_sheet(window: &AppWindow, parts: &Parts) {
    parts.sheet.forget();
    let adapter = window.global::<WelcomeAdapter<'_>>();
    for set in [
        WelcomeAdapter::set_key_first,
        WelcomeAdapter::set_key_second,
        WelcomeAdapter::set_accounts,
        WelcomeAdapter::set_backup_folder,
    ] {
        set(&adapter, SharedString::new());
    }
    adapter.set_qr(Image::default());
    adapter.set_busy(false);
    show_problem(window, None);
    stop_checking(window);
}

fn leave_sheet(window: &AppWindow, parts: &Rc<Parts>) {
    super::security::opened(window, parts);
    if parts.way.borrow().contains(&Page::Security) {
        navigation::step_back(window, parts);
    } else {
        go_on(window, parts);
    }
}

/// From the question whether the sheet is kept to the sheet.
pub(super) fn step_back(window: &AppWindow) {
    stop_checking(window);
}

fn stop_checking(window: &AppWindow) {
    let adapter = window.global::<WelcomeAdapter<'_>>();
    adapter.set_checking(false);
    adapter.set_third(SharedString::new());
    adapter.set_third_wrong(false);
}

fn save(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<WelcomeAdapter<'_>>();
    show_problem(window, None);
    adapter.set_busy(true);
    let (name, title) = (adapter.get_file_name().into(), adapter.get_save_title().into());
    let weak = window.as_weak();
    parts.sheet.save(&words(window), name, title, move |saved| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<WelcomeAdapter<'_>>().set_busy(false);
        match saved {
            Some(Ok(_)) => notice(&window, Notice::SheetSaved, 0),
            Some(Err(problem)) => show_problem(&window, Some(problem)),
            None => {}
        }
    });
}

fn show_problem(window: &AppWindow, problem: Option<sheet::SheetProblem>) {
    window.global::<WelcomeAdapter<'_>>().set_problem(match problem {
        None => SheetProblem::None,
        Some(sheet::SheetProblem::NoDialog) => SheetProblem::NoDialog,
        Some(sheet::SheetProblem::CannotSave) => SheetProblem::CannotSave,
        Some(sheet::SheetProblem::NoViewer) => SheetProblem::NoViewer,
    });
}

fn words(window: &AppWindow) -> SheetWords {
    let adapter = window.global::<WelcomeAdapter<'_>>();
    SheetWords {
        language: adapter.get_language().into(),
        title: adapter.get_sheet_title().into(),
        made: adapter.get_sheet_made().into(),
        key: adapter.get_sheet_key().into(),
        steps: adapter.get_sheet_steps().iter().map(Into::into).collect(),
        places: adapter.get_sheet_places().into(),
        vault: adapter.get_sheet_vault().into(),
        backups: adapter.get_sheet_backups().into(),
        accounts: adapter.get_sheet_accounts().into(),
        no_accounts: adapter.get_sheet_no_accounts().into(),
        warning: adapter.get_sheet_warning().into(),
    }
}

/// The key as a QR code, four pixels a module; the window draws them larger without blurring.
fn picture(key: &str) -> Image {
    const SCALE: usize = 4;
    // 39 characters always fit.
    let Ok(code) = Matrix::new(key) else { return Image::default() };
    let side = code.size() * SCALE;
    let Ok(pixels) = u32::try_from(side) else { return Image::default() };
    let mut buffer = SharedPixelBuffer::<Rgb8Pixel>::new(pixels, pixels);
    for (at, pixel) in buffer.make_mut_slice().iter_mut().enumerate() {
        let light = if code.is_dark(at % side / SCALE, at / side / SCALE) { 0 } else { u8::MAX };
        *pixel = Rgb8Pixel::new(light, light, light);
    }
    Image::from_rgb8(buffer)
}
