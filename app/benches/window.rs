//! What the window costs with 10,000 tokens, drawn by the software renderer into memory: opening, searching, scrolling;
//! and with 1,000 what a second of doing nothing costs. Time is the machine's, the clock of the codes is moved by hand.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures and prints"
)]

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use countersign::{
    bind::{self, Parts},
    controllers::Services,
    platform::{
        Platform,
        fake::{FakeClipboard, FakeClock},
    },
    settings::SettingsStore,
    tasks::Tasks,
};
use countersign_core::{
    secret::Password,
    token::{Kind, TokenId, TokenSecret, TokenSpec},
    vault::{KdfParams, Session, content::NoSuchToken, session::Key, store::FileStore},
};
use countersign_ui::{AppWindow, NavigationAdapter, TokensAdapter};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use slint::{
    ComponentHandle as _, LogicalPosition, Model as _, PhysicalSize, PlatformError, SharedString,
    platform::{
        Key as Keyboard, WindowAdapter, WindowEvent,
        software_renderer::{MinimalSoftwareWindow, PremultipliedRgbaColor, RepaintBufferType},
    },
};

const PASSWORD: &str = "correct horse battery staple";
const SIZE: PhysicalSize = PhysicalSize { width: 1_230, height: 844 };
/// The beginning of a step of 30 seconds.
const NOW: u64 = 1_795_370_520;

fn main() {
    // `cargo test --benches` only wants to see that it builds; `--measure` measures in its profile.
    if !std::env::args().any(|argument| argument == "--bench" || argument == "--measure") {
        return;
    }
    let surface = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
    slint::platform::set_platform(Box::new(Memory { window: surface.clone(), since: Instant::now() })).unwrap();
    let mut screen =
        Screen { surface, pixels: vec![PremultipliedRgbaColor::default(); (SIZE.width * SIZE.height) as usize] };
    println!("{:<52}{:>9}{:>9}{:>9}   pixels drawn, median", "milliseconds", "least", "median", "most");
    many(&mut screen);
    idle(&mut screen);
}

/// Opening, searching, scrolling.
fn many(screen: &mut Screen) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    fill(&path, 10_000);

    let desk = Desk::new(path.clone());
    screen.show(&desk);
    let (mut opening, mut window) = (Series::default(), Series::default());
    for _ in 0..5 {
        // Without the time that the key derivation is meant to take: eight KiB cost nothing.
        let mut session = None;
        opening.add(|| {
            let key = Key::Password(Password::new(PASSWORD));
            session = Some(Session::open(Box::new(FileStore::new(path.clone())), &key).unwrap());
            0
        });
        window.add(|| {
            desk.parts.door.enter(session.take().unwrap());
            bind::show_open(&desk.window, &desk.parts);
            screen.draw()
        });
        desk.window.global::<NavigationAdapter<'_>>().invoke_lock();
        screen.draw();
    }
    opening.print("10,000: the file read, decrypted, understood");
    window.print("10,000: the list on the screen after that");
    desk.open(&path);
    screen.draw();

    let tokens = desk.window.global::<TokensAdapter<'_>>();
    let mut search = Series::default();
    for text in ["a", "ac", "acc", "acco", "7", "77", "777", "issuer 12", "issuer 1", "nothing has this", "@", ""] {
        search.add(|| {
            tokens.set_query(text.into());
            tokens.invoke_search(text.into());
            screen.draw()
        });
        assert_eq!(tokens.get_rows().row_count() == 0, text == "nothing has this");
    }
    search.print("10,000: a key typed into the search");

    let mut scroll = Series::default();
    for at in 0..400 {
        let position = LogicalPosition::new(450.0, 500.0);
        // A notch of a wheel, and a flick; down, and up again.
        let delta_y = if at % 2 == 0 { 60.0 } else { 700.0 } * if at < 250 { -1.0 } else { 1.0 };
        scroll.add(|| {
            let event = WindowEvent::PointerScrolled { position, delta_x: 0.0, delta_y };
            desk.window.window().dispatch_event(event);
            screen.draw()
        });
    }
    scroll.print("10,000: a frame of scrolling");

    let mut jump = Series::default();
    for key in [
        Keyboard::DownArrow,
        Keyboard::End,
        Keyboard::Home,
        Keyboard::PageDown,
        Keyboard::PageDown,
        Keyboard::DownArrow,
    ] {
        jump.add(|| {
            let text = SharedString::from(key);
            desk.window.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
            desk.window.window().dispatch_event(WindowEvent::KeyReleased { text });
            screen.draw()
        });
    }
    jump.print("10,000: a key that moves in the list, End among them");
    screen.hide(&desk);
}

/// A second of doing nothing, unlocked and locked.
fn idle(screen: &mut Screen) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    fill(&path, 1_000);
    let desk = Desk::new(path.clone());
    screen.show(&desk);
    desk.open(&path);
    screen.draw();
    let (mut within, mut turn) = (Series::default(), Series::default());
    for _ in 0..120 {
        desk.clock.advance(1);
        let turns = countersign::controllers::Clock::now(&*desk.clock).is_multiple_of(30);
        let series = if turns { &mut turn } else { &mut within };
        series.add(|| {
            bind::tick(&desk.window, &desk.parts);
            screen.draw()
        });
    }
    within.print("1,000, unlocked: a second");
    turn.print("1,000, unlocked: the second in which codes change");
    desk.window.global::<NavigationAdapter<'_>>().invoke_lock();
    screen.draw();
    let mut locked = Series::default();
    for _ in 0..20 {
        desk.clock.advance(1);
        locked.add(|| {
            bind::tick(&desk.window, &desk.parts);
            screen.draw()
        });
    }
    locked.print("locked: a second");
    screen.hide(&desk);
}

/// A platform whose one window is drawn into memory.
struct Memory {
    window: Rc<MinimalSoftwareWindow>,
    since: Instant,
}

impl slint::platform::Platform for Memory {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.window.clone())
    }

    fn duration_since_start(&self) -> Duration {
        self.since.elapsed()
    }
}

struct Screen {
    surface: Rc<MinimalSoftwareWindow>,
    pixels: Vec<PremultipliedRgbaColor>,
}

impl Screen {
    fn show(&mut self, desk: &Desk) {
        desk.window.show().unwrap();
        self.surface.set_size(SIZE);
        self.draw();
    }

    fn hide(&self, desk: &Desk) {
        desk.window.hide().unwrap();
    }

    /// Draws what changed, and says how many pixels that were.
    fn draw(&mut self) -> u64 {
        slint::platform::update_timers_and_animations();
        let mut drawn = 0;
        self.surface.draw_if_needed(|renderer| {
            let region = renderer.render(&mut self.pixels, SIZE.width as usize);
            drawn = region.iter().map(|(_, size)| u64::from(size.width) * u64::from(size.height)).sum();
        });
        drawn
    }
}

/// A window over a vault.
struct Desk {
    window: AppWindow,
    parts: Rc<Parts>,
    clock: Rc<FakeClock>,
}

impl Desk {
    fn new(path: std::path::PathBuf) -> Self {
        let clock = Rc::new(FakeClock::new(NOW));
        let services = Rc::new(Services {
            clock: clock.clone(),
            random: || Box::new(UnwrapErr(SysRng)),
            platform: Platform { clipboard: Rc::new(FakeClipboard::default()), ..Platform::unsupported() },
            settings: SettingsStore::default(),
            tasks: Tasks::waiting(),
            kdf: cheap(),
        });
        let window = AppWindow::new().unwrap();
        let parts = Parts::new(services, path);
        bind::connect(&window, &parts);
        Self { window, parts, clock }
    }

    fn open(&self, path: &std::path::Path) {
        let key = Key::Password(Password::new(PASSWORD));
        self.parts.door.enter(Session::open(Box::new(FileStore::new(path)), &key).unwrap());
        bind::show_open(&self.window, &self.parts);
    }
}

/// What one thing took, each time that it was done.
#[derive(Default)]
struct Series {
    times: Vec<Duration>,
    pixels: Vec<u64>,
}

impl Series {
    fn add(&mut self, work: impl FnOnce() -> u64) {
        let from = Instant::now();
        let pixels = work();
        self.times.push(from.elapsed());
        self.pixels.push(pixels);
    }

    fn print(mut self, name: &str) {
        self.times.sort();
        self.pixels.sort();
        let at = |index: usize| self.times[index].as_secs_f64() * 1_000.0;
        let last = self.times.len() - 1;
        let pixels = self.pixels[last / 2];
        println!("{name:<52}{:>9.2}{:>9.2}{:>9.2}   {pixels}", at(0), at(last / 2), at(last));
    }
}

fn cheap() -> KdfParams {
    KdfParams::new(8, 1, 1).unwrap()
}

fn fill(path: &std::path::Path, count: u32) {
    let mut random = UnwrapErr(SysRng);
    let store = Box::new(FileStore::new(path));
    let mut session = Session::create(store, &Password::new(PASSWORD), cheap(), &mut random, NOW).unwrap();
    session
        .edit(&mut random, NOW, |content| {
            for at in 0..count {
                let mut id = [0; 16];
                id[..4].copy_from_slice(&at.to_be_bytes());
                let spec = TokenSpec {
                    issuer: format!("Issuer {}", at % 977),
                    account: format!("account{at:05}@example.org"),
                    kind: Kind::Totp {
                        algorithm: Default::default(),
                        digits: Default::default(),
                        period: Default::default(),
                    },
                    secret: TokenSecret::from_bytes((0..20).map(|byte| (at >> (byte % 4)) as u8 ^ byte).collect())
                        .unwrap(),
                    label_issuer: None,
                    uri_parameters: Vec::new(),
                };
                content.add(TokenId::from_random(id), spec, NOW - 86_400);
            }
            Ok::<_, NoSuchToken>(())
        })
        .unwrap();
}
