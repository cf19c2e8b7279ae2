//! Codes on the screen.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use countersign::platform::{PlatformError, Screen, Support, fake::FakeScreen};
use countersign_core::qr::Luma;

use super::*;

/// A code of three pixels a module at a place of a grey screen.
fn screen(text: &str, left: usize, top: usize) -> Luma {
    const WIDTH: usize = 1_280;
    const HEIGHT: usize = 720;
    let code = Matrix::new(text).unwrap();
    let side = (code.size() + 8) * 3;
    let shade = |x: usize, y: usize| {
        let (Some(x), Some(y)) = (x.checked_sub(left), y.checked_sub(top)) else { return 120 };
        if x >= side || y >= side {
            return 120;
        }
        let (x, y) = ((x / 3).wrapping_sub(4), (y / 3).wrapping_sub(4));
        if x < code.size() && y < code.size() && code.is_dark(x, y) { 0 } else { 255 }
    };
    let pixels = (0..WIDTH * HEIGHT).map(|at| shade(at % WIDTH, at / WIDTH)).collect();
    Luma::new(WIDTH as u32, HEIGHT as u32, pixels).unwrap()
}

fn link(issuer: &str) -> String {
    format!("otpauth://totp/{issuer}:bob?secret={RFC_SECRET}&issuer={issuer}")
}

/// With a vault that is open, and that locks when its window is minimised.
fn locking_minimised(equip: impl FnOnce(&mut Platform)) -> Stage {
    let stage = Stage::over(Stage::chosen(|settings| settings.lock_on_minimise = true), equip);
    stage.create();
    stage
}

fn stage(picture: Option<Luma>) -> (Stage, Arc<FakeScreen>) {
    let screen = Arc::new(FakeScreen(Mutex::new(picture)));
    let given = screen.clone();
    let stage = locking_minimised(move |platform| platform.screen = given);
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.press("From the screen");
    assert_eq!(stage.page(), Page::AddScreen);
    (stage, screen)
}

impl Stage {
    fn look_at_screen(&self, button: &str) {
        self.press(button);
        // The window steps aside first.
        mock_elapsed_time(Duration::from_secs(1));
        self.work();
    }
}

#[test]
fn a_code_on_the_screen_is_found() {
    let (stage, _) = stage(Some(screen(&link("Example"), 700, 200)));
    stage.look_at_screen("Look at the screen");
    assert_eq!(stage.page(), Page::Found);
    assert!(stage.shows(&format!("First code {RFC_CODE}")));
    stage.press("Add token");
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
}

#[test]
fn a_part_of_the_screen_can_be_chosen() {
    let (stage, shown) = stage(Some(screen("https://example.org", 40, 40)));
    stage.look_at_screen("Look at the screen");
    let adapter = stage.window.global::<AddAdapter<'_>>();
    assert_eq!((stage.page(), adapter.get_problem()), (Page::AddScreen, AddProblem::WebAddress));
    assert!(adapter.get_screen_picture().size().width > 0);
    // A part without a code, then nothing at all.
    for part in [(0.5, 0.5, 0.4, 0.4), (0.5, 0.5, 0.0, 0.0)] {
        adapter.invoke_read_region(part.0, part.1, part.2, part.3);
        stage.work();
        assert_eq!(adapter.get_problem(), AddProblem::NoCode);
    }
    *shown.0.lock().unwrap() = Some(screen(&link("Example"), 700, 200));
    stage.look_at_screen("Look again");
    assert_eq!(stage.page(), Page::Found);
}

#[test]
fn the_part_that_was_drawn_is_what_is_read() {
    // Two codes, of which the second is no token: the whole picture gives both, a part only the one in it.
    let mut both = screen(&link("Left"), 40, 100).pixels().to_vec();
    for (to, from) in both.iter_mut().zip(screen(&link("Right"), 760, 100).pixels()) {
        *to = if *from == 120 { *to } else { *from };
    }
    let (stage, _) = stage(Some(Luma::new(1_280, 720, both).unwrap()));
    stage.look_at_screen("Look at the screen");
    assert_eq!(stage.page(), Page::Found);
    assert_eq!(stage.window.global::<AddAdapter<'_>>().get_found().row_count(), 2);
}

#[test]
fn a_screen_that_may_not_be_looked_at_says_so() {
    let (stage, _) = stage(None);
    stage.look_at_screen("Look at the screen");
    let adapter = stage.window.global::<AddAdapter<'_>>();
    assert_eq!((stage.page(), adapter.get_problem()), (Page::AddScreen, AddProblem::ScreenRefused));
    assert!(!adapter.get_busy());
}

/// Counts how often it was looked at, and shows nothing.
#[derive(Default)]
struct CountedScreen(AtomicUsize);

impl Screen for CountedScreen {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn capture(&self) -> Result<Option<Luma>, PlatformError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }
}

/// Whether a window that is minimised now locks; it is opened again.
fn locks_minimised(stage: &Stage) -> bool {
    bind::locking::minimised(&stage.window, &stage.parts);
    let locked = !stage.parts.door.is_open();
    if locked {
        stage.unlock();
    }
    locked
}

#[test]
fn a_lock_ends_a_look_before_the_screen_is_seen() {
    let screen = Arc::new(CountedScreen::default());
    let given = screen.clone();
    let stage = locking_minimised(move |platform| platform.screen = given);
    assert!(locks_minimised(&stage), "the setting is on");
    stage.go(Page::AddScreen);
    stage.press("Look at the screen");
    assert!(!locks_minimised(&stage), "it only steps aside");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.unlock();
    mock_elapsed_time(Duration::from_secs(1));
    stage.work();
    assert_eq!(screen.0.load(Ordering::Relaxed), 0, "nobody waits for what the screen shows");
    assert!(!stage.window.window().is_minimized());
    assert!(locks_minimised(&stage));
    // The next look is a whole one.
    stage.go(Page::AddScreen);
    stage.look_at_screen("Look at the screen");
    assert_eq!(screen.0.load(Ordering::Relaxed), 1);
    assert!(!stage.window.global::<AddAdapter<'_>>().get_busy());
    assert!(!stage.window.window().is_minimized());
    assert!(locks_minimised(&stage));
}

#[test]
fn a_lock_while_the_screen_is_seen_shows_nothing_of_it() {
    let (stage, _) = stage(Some(screen(&link("Example"), 700, 200)));
    stage.press("Look at the screen");
    // The look is under way, and comes to its end after the lock.
    mock_elapsed_time(Duration::from_secs(1));
    assert!(!locks_minimised(&stage));
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    assert!(!stage.window.window().is_minimized());
    stage.unlock();
    assert_eq!(stage.page(), Page::Tokens);
    assert!(stage.parts.add.found().is_empty() && stage.parts.add.seen_on_screen().is_none());
    assert!(locks_minimised(&stage));
}

#[test]
fn a_page_that_is_left_ends_its_look() {
    let (stage, _) = stage(Some(screen(&link("Example"), 700, 200)));
    stage.press("Look at the screen");
    stage.press("Back");
    mock_elapsed_time(Duration::from_secs(1));
    stage.work();
    assert_eq!(stage.page(), Page::Tokens);
    assert!(!stage.window.window().is_minimized());
    assert!(locks_minimised(&stage));
}
