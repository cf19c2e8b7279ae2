//! Draws every page into a folder, light and dark, narrow and wide:
//! `cargo run --example gallery -- FOLDER [PAGE [TEXT-SIZE [LANGUAGE]]]`; PAGE draws only pictures whose name begins so,
//! TEXT-SIZE is in percent.
//!
//! The pages are the real ones over a real vault; only the clock stands still, so that pictures of two versions can be
//! compared.

mod account;
mod add;
mod backup;
mod detail;
mod lock;
mod moving;
mod security;
mod settings;
mod tokens;

use std::{
    cell::RefCell,
    error::Error,
    fs::File,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use countersign::{
    bind::{self, Parts},
    controllers::{Services, backup::reminder},
    demo,
    platform::{
        Platform,
        fake::{FakeCamera, FakeClipboard, FakeClock, FakePicker, FakeScreen, FakeViewer},
        keyring::ScriptedKeyring,
    },
    settings::SettingsStore,
    tasks::Tasks,
};
use countersign_core::{
    secret::Password,
    token::TokenId,
    vault::{KdfParams, Session, store::FileStore},
};
use countersign_ui::{AppWindow, NavigationAdapter, Notice, Page, Palette, Theme, UnlockAdapter};
use i_slint_backend_testing::{TestingBackend, TestingBackendOptions};
use image::{
    ExtendedColorType, ImageEncoder as _,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use slint::{ComponentHandle as _, language::ColorScheme};

const NARROW: (u32, u32) = (390, 844);
const WIDE: (u32, u32) = (1230, 844);
/// Seven seconds into a step of 30, so that the ten seconds of mOTP are nearly over.
const NOW: u64 = 1_795_370_527;
const PASSWORD: &str = "correct horse battery";

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: gallery FOLDER [PAGE [TEXT-SIZE [LANGUAGE]]]")?);
    let only = arguments.next().and_then(|page| page.into_string().ok()).unwrap_or_default();
    let scale = match arguments.next().and_then(|size| size.into_string().ok()) {
        Some(size) => size.parse::<f32>()? / 100.0,
        None => 1.0,
    };
    let language = arguments.next().and_then(|language| language.into_string().ok()).unwrap_or_default();
    std::fs::create_dir_all(&folder)?;
    slint::platform::set_platform(Box::new(TestingBackend::new(TestingBackendOptions {
        mock_time: true,
        renderer_name: Some("software".into()),
        ..TestingBackendOptions::default()
    })))?;
    for (size, layout) in [(NARROW, "narrow"), (WIDE, "wide")] {
        for (scheme, name) in [(ColorScheme::Light, "light"), (ColorScheme::Dark, "dark")] {
            let stage = |open| {
                let stage = Stage::new(&folder, &only, size, format!("{layout}-{name}"), scheme, open)?;
                stage.window.global::<Theme<'_>>().set_scale(scale);
                slint::select_bundled_translation(&language)?;
                Ok::<_, Box<dyn Error>>(stage)
            };
            lock::draw(&stage(false)?)?;
            tokens::draw(&stage(true)?)?;
            detail::draw(&stage(true)?)?;
            add::draw(&stage(true)?)?;
            backup::draw(&stage(true)?)?;
            moving::draw(&stage(true)?)?;
            account::draw(&stage(true)?)?;
            settings::draw(&stage(true)?)?;
            security::draw(&stage(true)?)?;
        }
    }
    Ok(())
}

/// A window over a vault, and the folder for its pictures.
struct Stage {
    window: AppWindow,
    parts: Rc<Parts>,
    services: Rc<Services>,
    tasks: Tasks,
    clipboard: Rc<FakeClipboard>,
    camera: Arc<FakeCamera>,
    screen: Arc<FakeScreen>,
    folder: PathBuf,
    only: String,
    look: String,
    drawn: RefCell<Vec<String>>,
    vault: tempfile::TempDir,
}

impl Stage {
    /// Over a vault of samples that is open, or over none.
    fn new(
        folder: &Path,
        only: &str,
        size: (u32, u32),
        look: String,
        scheme: ColorScheme,
        open: bool,
    ) -> Result<Self, Box<dyn Error>> {
        let vault = tempfile::tempdir()?;
        let path = vault.path().join("vault.json");
        let tasks = Tasks::waiting();
        let clipboard = Rc::new(FakeClipboard::default());
        let camera = Arc::new(FakeCamera::default());
        let screen = Arc::new(FakeScreen::default());
        let services = Rc::new(Services {
            clock: Rc::new(FakeClock::new(NOW)),
            random: || Box::new(rand_core::UnwrapErr(getrandom::SysRng)),
            platform: Platform {
                clipboard: clipboard.clone(),
                camera: camera.clone(),
                screen: screen.clone(),
                picker: Arc::new(FakePicker::default()),
                viewer: Arc::new(FakeViewer::default()),
                keyring: Arc::new(ScriptedKeyring::default()),
                ..Platform::unsupported()
            },
            settings: SettingsStore::default(),
            tasks: tasks.clone(),
            kdf: KdfParams::new(8 * 1024, 1, 1)?,
        });
        let window = AppWindow::new()?;
        window.global::<Palette<'_>>().set_color_scheme(scheme);
        window.window().set_size(slint::PhysicalSize::new(size.0, size.1));
        window.show()?;
        let parts = Parts::new(services.clone(), path.clone());
        bind::connect(&window, &parts);
        window.global::<UnlockAdapter<'_>>().set_vault_path("~/.local/share/countersign/vault.json".into());
        if open {
            let store = Box::new(FileStore::new(path));
            let mut random = (services.random)();
            parts.door.enter(Session::create(store, &Password::new(PASSWORD), services.kdf, &mut *random, NOW)?);
            let samples = demo::samples()?;
            parts.door.edit(&services, |content| {
                for (at, spec) in samples.into_iter().enumerate() {
                    content.add(TokenId::from_random([at as u8 + 1; 16]), spec, NOW - 86_400 * 20);
                }
                demo::sort_in(content, NOW)
            })?;
            let marks = parts.door.content().map(|content| reminder::marks(&content)).unwrap_or_default();
            parts.reminder.remember(&marks)?;
            bind::show_open(&window, &parts);
        }
        let folder = folder.to_owned();
        let only = only.to_owned();
        Ok(Self {
            window,
            parts,
            services,
            tasks,
            clipboard,
            camera,
            screen,
            folder,
            only,
            look,
            drawn: RefCell::default(),
            vault,
        })
    }

    fn navigation(&self) -> NavigationAdapter<'_> {
        self.window.global()
    }

    /// Shows a page as a press on its way would.
    fn go(&self, page: Page) {
        self.navigation().invoke_go(page);
    }

    /// Draws what is shown as `NAME-LAYOUT-SCHEME.png`.
    fn shot(&self, name: &str) -> Outcome {
        // Time for what moves to arrive.
        self.shot_after(name, Duration::from_millis(400))
    }

    /// The same after that time, for what is gone in a moment.
    fn shot_after(&self, name: &str, time: Duration) -> Outcome {
        i_slint_backend_testing::mock_elapsed_time(time);
        assert!(!self.drawn.borrow().iter().any(|drawn| drawn == name), "{name} is drawn twice");
        self.drawn.borrow_mut().push(name.to_owned());
        if !name.starts_with(&self.only) {
            return Ok(());
        }
        let picture = self.window.window().take_snapshot()?;
        let pixels: Vec<u8> = picture.as_slice().iter().flat_map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
        let path = self.folder.join(format!("{name}-{}.png", self.look));
        // As small as the format allows, because some of them stay in the repository.
        PngEncoder::new_with_quality(File::create(path)?, CompressionType::Best, FilterType::Adaptive).write_image(
            &pixels,
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )?;
        Ok(())
    }

    /// No message over the page.
    fn no_notice(&self) {
        self.navigation().set_notice(Notice::None);
    }
}
