//! Scanning, with a scripted camera.

use countersign::platform::{
    camera::{CameraDevice, CameraError, PixelFormat, RawFrame},
    fake::CameraStep,
};
use countersign_core::uri::migration;
use countersign_ui::CameraProblem;

use super::*;

const LINK: &str = "otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example";

impl Stage {
    /// On the camera's page, with cameras of these names.
    pub(super) fn scanning(names: &[&str]) -> Self {
        let stage = Self::opened();
        stage.camera.set_devices(devices(names));
        stage.open_camera();
        stage
    }

    fn open_camera(&self) {
        self.window.global::<NavigationAdapter<'_>>().invoke_add();
        self.settle();
        self.press("Scan QR code");
        assert_eq!(self.page(), Page::AddCamera);
    }

    /// Looks at what comes off the camera, as the event loop would, until it is so.
    pub(super) fn until(&self, what: &str, so: impl Fn(&AddAdapter<'_>) -> bool) {
        let adapter = self.window.global::<AddAdapter<'_>>();
        for _ in 0..6_000 {
            adapter.invoke_camera_news();
            self.settle();
            if so(&adapter) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never: {what}");
    }

    /// Looks until a code is found, and not so long that its picture goes: how it is outlined.
    fn outline_of_found(&self) -> String {
        let adapter = self.window.global::<AddAdapter<'_>>();
        for _ in 0..6_000 {
            adapter.invoke_camera_news();
            if adapter.get_camera_found() {
                return adapter.get_camera_outline().into();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never found");
    }

    fn until_page(&self, page: Page) {
        self.until("the page", |_| self.page() == page);
    }

    fn until_closed(&self) {
        self.until("the camera closes", |_| self.camera.open_now().is_empty());
    }
}

pub(super) fn devices(names: &[&str]) -> Vec<CameraDevice> {
    let device = |(at, name): (usize, &&str)| CameraDevice { id: at.to_string(), name: (*name).to_owned() };
    names.iter().enumerate().map(device).collect()
}

/// A code on grey paper, as a camera sends it.
pub(super) fn frame(text: &str, format: PixelFormat, padding: usize) -> RawFrame {
    const WIDTH: usize = 400;
    const HEIGHT: usize = 320;
    let code = Matrix::new(text).unwrap();
    let module = 280 / (code.size() + 8);
    let shade = |x: usize, y: usize| {
        let at = |place: usize, from: usize| place.checked_sub(from).map(|place| place / module);
        let side = code.size() * module;
        let dark = at(x, (WIDTH - side) / 2)
            .zip(at(y, (HEIGHT - side) / 2))
            .is_some_and(|(x, y)| x < code.size() && y < code.size() && code.is_dark(x, y));
        if dark { 30 } else { 200 }
    };
    if format == PixelFormat::Mjpeg {
        let picture =
            image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| image::Luma([shade(x as usize, y as usize)]));
        let mut file = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut file).encode_image(&picture).unwrap();
        return RawFrame::new(WIDTH as u32, HEIGHT as u32, format, file);
    }
    let mut bytes = Vec::new();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            match format {
                PixelFormat::Yuyv => bytes.extend([shade(x, y), 128]),
                PixelFormat::Rgb | PixelFormat::Bgr => bytes.extend([shade(x, y); 3]),
                _ => bytes.push(shade(x, y)),
            }
        }
        bytes.extend(std::iter::repeat_n(0x55, padding));
    }
    let stride = bytes.len() / HEIGHT;
    if format == PixelFormat::Nv12 {
        bytes.extend(std::iter::repeat_n(128, stride * HEIGHT / 2));
    }
    RawFrame { width: WIDTH as u32, height: HEIGHT as u32, stride, format, bytes }
}

#[test]
fn a_code_is_scanned_in_every_format_of_a_camera() {
    let stage = Stage::scanning(&["Front"]);
    for (format, padding) in [
        (PixelFormat::Yuyv, 0),
        (PixelFormat::Nv12, 16),
        (PixelFormat::Mjpeg, 0),
        (PixelFormat::Grey, 7),
        (PixelFormat::Rgb, 33),
        (PixelFormat::Bgr, 0),
    ] {
        stage.until("a picture", |adapter| adapter.get_camera_live());
        assert!(stage.shows("What the camera sees") && stage.shows("Hold the QR code into the frame"));
        stage.camera.play([CameraStep::Frame(frame(LINK, format, padding))]);
        assert!(stage.outline_of_found().starts_with("M "), "{format:?}");
        stage.until_page(Page::Found);
        stage.until_closed();
        assert!(stage.shows(&format!("First code {RFC_CODE}")), "{format:?}");
        // Scans again.
        stage.press("Back");
        assert_eq!(stage.page(), Page::AddCamera);
    }
    stage.camera.play([CameraStep::Frame(frame(LINK, PixelFormat::Grey, 0))]);
    stage.until_page(Page::Found);
    stage.press("Add token");
    assert_eq!(stage.value("Example, bob"), RFC_CODE);
}

#[test]
fn a_code_is_outlined_where_it_is_in_the_picture() {
    const BESIDE: usize = 150;
    let stage = Stage::scanning(&["Front"]);
    // At the left of the frame, which is the right of the picture: that is a mirror.
    let middle = frame(LINK, PixelFormat::Grey, 0);
    let rows = middle.bytes.chunks_exact(middle.stride);
    let bytes = rows.flat_map(|row| [row, &[200; BESIDE]].concat()).collect();
    let width = middle.width + BESIDE as u32;
    stage.camera.play([CameraStep::Frame(RawFrame::new(width, middle.height, PixelFormat::Grey, bytes))]);
    let outline = stage.outline_of_found();
    let picture = stage.window.global::<AddAdapter<'_>>().get_camera_picture().to_rgb8().unwrap();
    let columns = picture.width() as usize;
    let dark = |at: &usize| picture.as_slice()[*at].g < 100;
    let dark: Vec<(usize, usize)> =
        (0..picture.as_slice().len()).filter(dark).map(|at| (at % columns, at / columns)).collect();
    let numbers: Vec<f32> = outline.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [xs, ys] = [0, 1].map(|from| numbers.iter().copied().skip(from).step_by(2).collect::<Vec<f32>>());
    let ends = |all: &mut dyn Iterator<Item = f32>| {
        all.fold((f32::MAX, f32::MIN), |(least, most), next| (least.min(next), most.max(next)))
    };
    // Around it, and close.
    let near = |outer: (f32, f32), inner: (f32, f32)| {
        (0.0..16.0).contains(&(inner.0 - outer.0)) && (0.0..16.0).contains(&(outer.1 - inner.1))
    };
    let (across, down) = (ends(&mut xs.into_iter()), ends(&mut ys.into_iter()));
    let dark_across = ends(&mut dark.iter().map(|(x, _)| *x as f32));
    let dark_down = ends(&mut dark.iter().map(|(_, y)| *y as f32));
    assert!(near(across, dark_across), "{across:?} {dark_across:?}");
    assert!(near(down, dark_down), "{down:?} {dark_down:?}");
    assert!(across.0 > columns as f32 / 3.0);
}

#[test]
fn parts_of_an_export_are_scanned_in_any_order() {
    let stage = Stage::scanning(&["Front"]);
    let specs: Vec<_> = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"]
        .iter()
        .map(|name| {
            let link = format!("otpauth://totp/{name}?secret=GEZDGNBVGY3TQO{name}{name}");
            countersign_core::uri::parse(&link).unwrap().spec
        })
        .collect();
    let export = migration::write(&specs, 7);
    assert_eq!(export.parts.len(), 2);
    stage.camera.play([CameraStep::Frame(frame(export.parts[1].expose(), PixelFormat::Grey, 0))]);
    stage.until("the first part", |adapter| adapter.get_parts_have() == 1);
    assert!(stage.shows("Google export: 1 of 2 parts"));
    stage.camera.play([CameraStep::Frame(frame(export.parts[0].expose(), PixelFormat::Yuyv, 0))]);
    stage.until_page(Page::Found);
    stage.press("Add 11 tokens");
    assert_eq!(stage.on_disk().content().tokens().len(), 11);
}

#[test]
fn a_code_that_is_no_token_is_named_and_scanning_goes_on() {
    let stage = Stage::scanning(&["Front"]);
    stage.camera.play([CameraStep::Frame(frame("https://example.org", PixelFormat::Grey, 0))]);
    stage.until("what it is", |adapter| adapter.get_problem() == AddProblem::WebAddress);
    assert_eq!(stage.page(), Page::AddCamera);
    stage.camera.play([CameraStep::Frame(frame(LINK, PixelFormat::Grey, 0))]);
    stage.until_page(Page::Found);
    assert!(!stage.shows("One more could not be read."), "what was seen on the way is no part of it");
}

#[test]
fn another_camera_can_be_chosen() {
    let stage = Stage::scanning(&["Front", "Document camera"]);
    stage.until("a picture", |adapter| adapter.get_camera_live());
    assert_eq!(stage.camera.open_now(), ["0"]);
    stage.press("Camera 1");
    stage.press("Document camera");
    stage.until("the other one", |_| stage.camera.open_now() == ["1"]);
    assert!(stage.shows("Camera 2"));
}

#[test]
fn without_a_camera_the_page_says_what_to_do() {
    let stage = Stage::scanning(&[]);
    stage.until("no camera", |adapter| adapter.get_camera_problem() == CameraProblem::NoCamera);
    assert!(stage.shows("No camera"));
    stage.camera.set_devices(devices(&["Front"]));
    stage.press("Try again");
    stage.until("a picture", |adapter| adapter.get_camera_live());
    stage.camera.play([CameraStep::Frame(frame(LINK, PixelFormat::Nv12, 0))]);
    stage.until_page(Page::Found);
}

#[test]
fn a_camera_that_may_not_be_used_or_is_busy_is_told_apart() {
    let stage = Stage::scanning(&["Front"]);
    for (error, problem, title) in [
        (CameraError::Denied, CameraProblem::Denied, "The camera is not allowed"),
        (CameraError::Busy, CameraProblem::Busy, "The camera is in use"),
        (CameraError::Format, CameraProblem::Format, "The camera cannot be understood"),
        (CameraError::Failed("x".into()), CameraProblem::Failed, "The camera does not work"),
    ] {
        stage.camera.refuse(Some(error));
        stage.open_camera();
        stage.until(title, |adapter| adapter.get_camera_problem() == problem);
        assert!(stage.shows(title));
    }
    stage.press("From a picture");
    assert_eq!(stage.page(), Page::AddPicture);
}

#[test]
fn a_camera_that_is_taken_away_keeps_what_it_read() {
    let stage = Stage::scanning(&["Front"]);
    let specs: Vec<_> = (0..11u8)
        .map(|n| {
            let link = format!("otpauth://totp/{n}?secret=GEZDGNBVGY3TQO{0}{0}", (b'A' + n) as char);
            countersign_core::uri::parse(&link).unwrap().spec
        })
        .collect();
    let export = migration::write(&specs, 7);
    stage.camera.play([CameraStep::Frame(frame(export.parts[0].expose(), PixelFormat::Grey, 0))]);
    stage.until("the first part", |adapter| adapter.get_parts_have() == 1);
    stage.camera.play([CameraStep::Fail(CameraError::Gone)]);
    stage.until("gone", |adapter| adapter.get_camera_problem() == CameraProblem::Gone);
    assert!(stage.shows("The camera is gone"));
    stage.press("Try again");
    stage.until("a picture", |adapter| adapter.get_camera_live());
    stage.camera.play([CameraStep::Frame(frame(export.parts[1].expose(), PixelFormat::Grey, 0))]);
    stage.until_page(Page::Found);
    assert!(stage.shows("Add 11 tokens"));
}

#[test]
fn the_camera_closes_on_leaving_and_on_locking() {
    let stage = Stage::scanning(&["Front"]);
    stage.until("a picture", |adapter| adapter.get_camera_live());
    stage.press("Back");
    assert_eq!(stage.page(), Page::Tokens);
    stage.until_closed();
    stage.open_camera();
    stage.until("a picture", |adapter| adapter.get_camera_live());
    stage.press("Clipboard");
    assert_eq!(stage.page(), Page::AddClipboard);
    stage.until_closed();
    stage.press("Back");
    assert_eq!(stage.page(), Page::AddCamera);
    stage.until("a picture", |adapter| adapter.get_camera_live());
    stage.open_camera();
    stage.until("a picture again, asked for on the page itself", |adapter| adapter.get_camera_live());
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.until_closed();
    assert_eq!(stage.window.global::<AddAdapter<'_>>().get_camera_picture().size().width, 0, "no picture stays");
    assert_eq!(stage.camera.opened().len(), 4);
}

#[test]
fn a_window_that_nobody_sees_has_no_open_camera() {
    let stage = Stage::scanning(&["Front"]);
    stage.until("a picture", |adapter| adapter.get_camera_live());
    bind::unseen(&stage.window, &stage.parts);
    stage.until_closed();
    assert!(!stage.window.global::<AddAdapter<'_>>().get_camera_live());
    stage.tick(1);
    stage.until("a picture again", |adapter| adapter.get_camera_live());
}

#[test]
fn a_lock_between_the_code_and_its_preview_shows_nothing() {
    let stage = Stage::scanning(&["Front"]);
    stage.camera.play([CameraStep::Frame(frame(LINK, PixelFormat::Grey, 0))]);
    let adapter = stage.window.global::<AddAdapter<'_>>();
    // Without letting time go by, so that the flash stands.
    while !adapter.get_camera_found() {
        adapter.invoke_camera_news();
        std::thread::sleep(Duration::from_millis(10));
    }
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    stage.settle();
    assert_eq!(stage.page(), Page::Unlock);
    assert_eq!(adapter.get_found().row_count(), 0);
}
