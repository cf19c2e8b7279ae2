//! The screen's page.

use std::{rc::Rc, time::Duration};

use countersign_core::qr::Luma;
use countersign_ui::{AddAdapter, AddProblem, AppWindow, Page};
use slint::{ComponentHandle as _, Image, Rgb8Pixel, SharedPixelBuffer, Timer, TimerMode};

use super::{Parts, found, navigation, problems};
use crate::controllers::add;

/// How long a window manager may take to put the window away.
const ASIDE: Duration = Duration::from_millis(400);
/// The longer side of the picture that is shown, in pixels: larger than the page is, so that it can be looked at.
const SHOWN: u32 = 1200;

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_can_see_screen(parts.add.can_see_screen());

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_look_at_screen(move || {
        let Some(window) = weak.upgrade() else { return };
        look(&window, &of);
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_read_region(move |left, top, width, height| {
        let Some(window) = weak.upgrade() else { return };
        let adapter = window.global::<AddAdapter<'_>>();
        adapter.set_problem(AddProblem::None);
        adapter.set_busy(true);
        let (weak, parts) = (window.as_weak(), of.clone());
        of.add.look_at_part([left, top, width, height], move |result| {
            let Some(window) = weak.upgrade() else { return };
            show(&window, &parts, result);
        });
    });
}

/// Shows the page.
pub(in crate::bind) fn begin(window: &AppWindow, parts: &Rc<Parts>) {
    super::begin(window, parts);
    window.global::<AddAdapter<'_>>().set_screen_picture(Image::default());
    navigation::go(window, parts, Page::AddScreen);
}

/// Whether the window is minimised only so that the screen can be seen.
pub(in crate::bind) fn steps_aside(parts: &Parts) -> bool {
    parts.adding.aside.borrow().is_some()
}

/// Ends a look at the screen that is under way: the window comes back, and from now on locks where it is minimised.
pub(super) fn come_back(window: &AppWindow, parts: &Parts) {
    // What waits for the window to be away no longer does.
    if parts.adding.aside.take().is_some() {
        window.window().set_minimized(false);
    }
}

fn look(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();
    if adapter.get_busy() {
        return;
    }
    adapter.set_problem(AddProblem::None);
    adapter.set_busy(true);
    let (weak, of) = (window.as_weak(), Rc::downgrade(parts));
    let away = Timer::default();
    away.start(TimerMode::SingleShot, ASIDE, move || {
        let Some(parts) = of.upgrade() else { return };
        let (weak, of) = (weak.clone(), parts.clone());
        parts.add.look_at_screen(move |result| {
            let Some(window) = weak.upgrade() else { return };
            come_back(&window, &of);
            show(&window, &of, result);
        });
    });
    *parts.adding.aside.borrow_mut() = Some(away);
    window.window().set_minimized(true);
}

fn show(window: &AppWindow, parts: &Rc<Parts>, result: Result<(), add::AddProblem>) {
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_busy(false);
    match result {
        Ok(()) => found::show(window, parts),
        Err(problem) => {
            if let Some(picture) = parts.add.seen_on_screen() {
                adapter.set_screen_picture(image(&picture));
            }
            problems::show(window, parts, problem);
        }
    }
}

/// The picture, smaller where it is large.
fn image(picture: &Luma) -> Image {
    let longer = picture.width().max(picture.height()).max(1);
    let step = longer.div_ceil(SHOWN).max(1);
    let (width, height) = (picture.width() / step, picture.height() / step);
    let mut shown = SharedPixelBuffer::<Rgb8Pixel>::new(width, height);
    let rows = picture.pixels().chunks_exact(picture.width().max(1) as usize).step_by(step as usize);
    let pixels = rows.take(height as usize).flat_map(|row| row.iter().step_by(step as usize).take(width as usize));
    for (to, from) in shown.make_mut_slice().iter_mut().zip(pixels) {
        *to = Rgb8Pixel::new(*from, *from, *from);
    }
    Image::from_rgb8(shown)
}
