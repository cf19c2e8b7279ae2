//! The camera's page.

use std::{rc::Rc, time::Duration};

use countersign_ui::{AddAdapter, AddProblem, AppWindow, CameraProblem, NavigationAdapter, Page};
use slint::{ComponentHandle as _, Image, ModelRc, Rgb8Pixel, SharedPixelBuffer, SharedString, Timer, VecModel};

use super::{Parts, found, problems};
use crate::{
    bind::moving,
    controllers::{
        add,
        camera::{Outline, Scanner, Seen},
    },
    models::number,
    platform::camera::{CameraError, Preview},
};

/// How long a code that was found stays in the frame, so that it is seen to be found.
const FLASH: Duration = Duration::from_millis(250);

pub(super) fn connect(window: &AppWindow, parts: &Rc<Parts>) {
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_can_scan(parts.add.can_scan());

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_camera_again(move || {
        let Some(window) = weak.upgrade() else { return };
        open(&window, &of, chosen(&window, &of));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_choose_camera(move |at| {
        let Some(window) = weak.upgrade() else { return };
        window.global::<AddAdapter<'_>>().set_camera(at);
        open(&window, &of, chosen(&window, &of));
    });

    let (weak, of) = (window.as_weak(), parts.clone());
    adapter.on_camera_news(move || {
        let Some(window) = weak.upgrade() else { return };
        news(&window, &of);
    });
}

/// The page is shown. What was found before is forgotten, so that its code is found again; parts of an export stay.
pub(super) fn shown(window: &AppWindow, parts: &Rc<Parts>) {
    if parts.add.parts().is_none() {
        parts.add.forget();
    }
    window.global::<AddAdapter<'_>>().set_problem(AddProblem::None);
    open(window, parts, chosen(window, parts));
}

/// Opens the camera for another page than the one of adding.
pub(in crate::bind) fn open_first(window: &AppWindow, parts: &Rc<Parts>) {
    open(window, parts, chosen(window, parts));
}

/// Closes the camera; its last picture goes too.
pub(in crate::bind) fn close(window: &AppWindow, parts: &Parts) {
    *parts.adding.scanner.borrow_mut() = None;
    parts.adding.paused.set(false);
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_camera_live(false);
    adapter.set_camera_found(false);
    adapter.set_camera_picture(Image::default());
    adapter.set_camera_outline(SharedString::new());
    adapter.set_camera_problem(CameraProblem::None);
}

/// A minimised window has no open camera.
pub(super) fn pause(window: &AppWindow, parts: &Parts) {
    if parts.adding.scanner.borrow().is_some() {
        close(window, parts);
        parts.adding.paused.set(true);
    }
}

/// The window is seen again.
pub(in crate::bind) fn tick(window: &AppWindow, parts: &Rc<Parts>) {
    if parts.adding.paused.get() && !window.window().is_minimized() {
        open(window, parts, chosen(window, parts));
    }
}

fn chosen(window: &AppWindow, parts: &Parts) -> Option<String> {
    let at = usize::try_from(window.global::<AddAdapter<'_>>().get_camera()).ok()?;
    parts.adding.cameras.borrow().get(at).cloned()
}

fn open(window: &AppWindow, parts: &Rc<Parts>, wanted: Option<String>) {
    close(window, parts);
    let weak = window.as_weak();
    let wake = move || {
        // Fails only where the event loop is gone, and with it whoever would look.
        let _ = weak.upgrade_in_event_loop(|window| window.global::<AddAdapter<'_>>().invoke_camera_news());
    };
    let scanner =
        Scanner::start(parts.services.platform.camera.clone(), wanted, parts.services.clock.countdown(), wake);
    *parts.adding.scanner.borrow_mut() = Some(scanner);
}

fn news(window: &AppWindow, parts: &Rc<Parts>) {
    let Some(news) = parts.adding.scanner.borrow().as_ref().map(Scanner::take) else { return };
    let adapter = window.global::<AddAdapter<'_>>();
    if let Some((devices, at)) = news.devices {
        let names: Vec<SharedString> = devices.iter().map(|device| device.name.as_str().into()).collect();
        adapter.set_cameras(ModelRc::new(VecModel::from(names)));
        adapter.set_camera(number(at));
        *parts.adding.cameras.borrow_mut() = devices.into_iter().map(|device| device.id).collect();
    }
    if let Some(preview) = news.preview {
        adapter.set_camera_picture(image(&preview));
        adapter.set_camera_live(true);
    }
    if let Some(Seen { preview, outlines }) = news.seen {
        adapter.set_camera_picture(image(&preview));
        adapter.set_camera_outline(outline(&outlines, (preview.width, preview.height)).into());
    }
    for codes in news.codes {
        if moving::codes(window, parts, &codes) {
            continue;
        }
        match parts.add.scanned(&codes) {
            Some(Ok(())) => return caught(window, parts),
            Some(Err(problem)) => {
                problems::show(window, parts, problem);
                if let add::AddProblem::PartsMissing(..) = problem {
                    adapter.set_problem(AddProblem::None);
                }
            }
            None => {}
        }
    }
    if let Some(error) = news.error {
        close(window, parts);
        adapter.set_camera_problem(match error {
            CameraError::NoCamera => CameraProblem::NoCamera,
            CameraError::Denied => CameraProblem::Denied,
            CameraError::Busy => CameraProblem::Busy,
            CameraError::Gone => CameraProblem::Gone,
            CameraError::Format => CameraProblem::Format,
            CameraError::Failed(_) => CameraProblem::Failed,
        });
        if matches!(error, CameraError::NoCamera) {
            adapter.set_cameras(ModelRc::default());
        }
    }
}

/// A token was found: the camera closes, its last picture stands for a moment, then the preview comes.
fn caught(window: &AppWindow, parts: &Rc<Parts>) {
    *parts.adding.scanner.borrow_mut() = None;
    let adapter = window.global::<AddAdapter<'_>>();
    adapter.set_parts_have(0);
    adapter.set_parts_of(0);
    adapter.set_camera_found(true);
    let (weak, of) = (window.as_weak(), parts.clone());
    Timer::single_shot(FLASH, move || {
        let Some(window) = weak.upgrade() else { return };
        let is_there = window.global::<NavigationAdapter<'_>>().get_page() == Page::AddCamera;
        // Left or locked meanwhile: nothing is shown of it.
        if is_there && !of.add.found().is_empty() {
            found::show(&window, &of);
        }
    });
}

/// The outlines, around the codes and not on them, as the commands of a path over a picture of that size.
fn outline(outlines: &[Outline], (width, height): (u32, u32)) -> String {
    /// A little larger than the codes, within their quiet zones.
    const AROUND: f32 = 1.08;
    let (width, height) = (width as f32, height as f32);
    let path = |corners: &Outline| {
        let middle = corners.iter().fold((0.0, 0.0), |(x, y), corner| (x + corner.0 / 4.0, y + corner.1 / 4.0));
        let out = |place: f32, middle: f32| middle + (place - middle) * AROUND;
        let corner = |(x, y)| format!("{:.1} {:.1}", out(x, middle.0) * width, out(y, middle.1) * height);
        format!("M {} Z", corners.map(corner).join(" L "))
    };
    outlines.iter().map(path).collect::<Vec<_>>().join(" ")
}

fn image(preview: &Preview) -> Image {
    Image::from_rgb8(SharedPixelBuffer::<Rgb8Pixel>::clone_from_slice(&preview.pixels, preview.width, preview.height))
}
