//! A token as a QR code.

use std::{path::PathBuf, rc::Rc};

use countersign_core::{qr::Matrix, secret::SecretText};
use countersign_ui::{AppWindow, DetailAdapter, Notice, Page, QrProblem};
use slint::{ComponentHandle as _, Image, Rgb8Pixel, SharedPixelBuffer, SharedString};

use super::selected;
use crate::{
    bind::{Parts, navigation, notice},
    controllers::detail::{PictureProblem, QrError},
    models::number,
    platform::{PlatformError, Support},
};

/// Light modules on every side, as ISO/IEC 18004 asks for.
const QUIET: usize = 4;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    adapter.set_can_choose_place(parts.services.platform.picker.support() == Support::Supported);

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_show_qr(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<DetailAdapter<'_>>();
        adapter.set_look_needs_password(of.detail.look_needs_password());
        navigation::go(&window, &of, Page::TokenQr);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_hide_qr(move || {
        let Some(window) = weak.upgrade() else { return };
        clear(&window.global::<DetailAdapter<'_>>(), &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_copy_link(move || {
        let Some(window) = weak.upgrade() else { return };
        copy_link(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save_picture(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<DetailAdapter<'_>>();
        begin_saving(&adapter);
        let weak = window.as_weak();
        of.detail.save_picture(adapter.get_save_title().into(), move |saved| {
            let Some(window) = weak.upgrade() else { return };
            window.global::<DetailAdapter<'_>>().set_qr_busy(false);
            if let Some(saved) = saved {
                tell_saved(&window, saved);
            }
        });
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_save_picture_at(move || {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<DetailAdapter<'_>>();
        let path = adapter.get_qr_path();
        if path.trim().is_empty() {
            return;
        }
        begin_saving(&adapter);
        let weak = window.as_weak();
        of.detail.save_picture_at(PathBuf::from(path.trim()), move |saved| {
            let Some(window) = weak.upgrade() else { return };
            tell_saved(&window, saved);
        });
    });
}

/// No code, and nothing of it.
pub(super) fn clear(adapter: &DetailAdapter<'_>, parts: &Parts) {
    *parts.detail.qr.borrow_mut() = None;
    adapter.set_qr_shown(false);
    adapter.set_qr(Image::default());
    adapter.set_qr_modules(1);
    adapter.set_qr_left(0);
    adapter.set_qr_problem(QrProblem::None);
    adapter.set_qr_busy(false);
    adapter.set_qr_path(SharedString::new());
}

/// Counts down, and hides the code when its minute is over.
pub(super) fn tick(window: &AppWindow, parts: &Parts) {
    let Some(left) = parts.detail.qr.borrow().as_ref().map(|qr| qr.left(parts.tokens.now())) else { return };
    let adapter = window.global::<DetailAdapter<'_>>();
    if left == 0 {
        return clear(&adapter, parts);
    }
    adapter.set_qr_left(number(left));
}

/// The second look was granted: shows the code.
pub(super) fn show(window: &AppWindow, parts: &Parts) {
    let adapter = window.global::<DetailAdapter<'_>>();
    let Some(id) = selected(parts) else { return };
    match parts.detail.show_qr(id) {
        Ok(()) => {}
        Err(QrError::TooLong) => return adapter.set_qr_problem(QrProblem::TooLong),
        Err(QrError::Kept) => return adapter.set_qr_problem(QrProblem::Kept),
        // The page is about to say that the token is gone.
        Err(_) => return,
    }
    let qr = parts.detail.qr.borrow();
    let Some(qr) = qr.as_ref() else { return };
    let (image, modules) = picture(qr.matrix());
    adapter.set_qr(image);
    adapter.set_qr_modules(modules);
    adapter.set_qr_left(number(qr.left(parts.tokens.now())));
    adapter.set_qr_problem(QrProblem::None);
    adapter.set_qr_shown(true);
}

/// One pixel a module, quiet zone included, and how many modules that are on a side; the page enlarges it.
pub(in crate::bind) fn picture(matrix: &Matrix) -> (Image, i32) {
    let side = matrix.size() + 2 * QUIET;
    let length = u32::try_from(side).unwrap_or(0);
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(length, length);
    for (at, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (at % side, at / side);
        let dark = x >= QUIET && y >= QUIET && matrix.is_dark(x - QUIET, y - QUIET);
        *pixel = if dark { Rgb8Pixel::new(0, 0, 0) } else { Rgb8Pixel::new(255, 255, 255) };
    }
    (Image::from_rgb8(pixels), i32::try_from(side).unwrap_or(1))
}

fn copy_link(window: &AppWindow, parts: &Parts) {
    let link = parts.detail.qr.borrow().as_ref().map(|qr| SecretText::new(qr.link().expose().to_owned()));
    let Some(link) = link else { return };
    match parts.clipboard.copy(link) {
        Ok(seconds) => notice(window, Notice::Copied, usize::try_from(seconds).unwrap_or(0)),
        Err(PlatformError::Unsupported) => notice(window, Notice::LinkNotCopied, 0),
        Err(_) => notice(window, Notice::LinkNotCopied, 0),
    }
}

fn begin_saving(adapter: &DetailAdapter<'_>) {
    adapter.set_qr_problem(QrProblem::None);
    adapter.set_qr_busy(true);
}

fn tell_saved(window: &AppWindow, saved: Result<(), PictureProblem>) {
    let adapter = window.global::<DetailAdapter<'_>>();
    adapter.set_qr_busy(false);
    match saved {
        Ok(()) => {
            adapter.set_qr_path(SharedString::new());
            notice(window, Notice::PictureSaved, 0);
        }
        Err(PictureProblem::NoDialog) => adapter.set_qr_problem(QrProblem::NoDialog),
        Err(PictureProblem::CannotWrite) => adapter.set_qr_problem(QrProblem::CannotWrite),
    }
}
