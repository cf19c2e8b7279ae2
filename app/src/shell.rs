//! The composition root of the window: the only place that knows everything, and where time and randomness come from.

pub(crate) mod links;
mod pulse;
mod signals;

use std::{
    path::PathBuf,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_core::vault::KdfParams;
use countersign_ui::{AppWindow, NavigationAdapter};
use etcetera::{AppStrategy as _, AppStrategyArgs};
use rand_core::{CryptoRng, UnwrapErr};
use slint::ComponentHandle as _;

use crate::{
    bind::{self, Parts},
    controllers::{Clock, Countdown, Services, Stopwatch},
    demo, platform,
    settings::SettingsStore,
    tasks::Tasks,
};

/// What the window opens.
#[derive(Clone, Debug)]
pub struct WindowOptions {
    /// The vault's file. Where there is none, the window offers to make it.
    pub vault: PathBuf,
    /// Somebody asked for that file. Otherwise it is the usual one, and the vault that was opened last comes first.
    pub named: bool,
    /// Sample tokens in a temporary vault, opened at once; `vault` is not touched.
    pub demo: bool,
    /// A link that another program handed over.
    pub link: Option<String>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// No screen to open a window on: no X server or Wayland compositor answers.
    #[error("there is no display to open a window on: {0}")]
    NoDisplay(String),
    /// The toolkit failed later.
    #[error("the window failed: {0}")]
    Toolkit(#[from] slint::PlatformError),
    /// The vault of sample tokens could not be made.
    #[error("the sample vault could not be made: {0}")]
    Demo(String),
}

/// Opens the window and returns when it is closed.
pub fn run_window(options: WindowOptions) -> Result<(), WindowError> {
    if options.link.as_deref().is_some_and(links::hand_over) {
        return Ok(());
    }
    select_renderer()?;
    let services = Rc::new(Services {
        clock: Rc::new(SystemClock),
        random: system_random,
        platform: platform::current(),
        settings: if options.demo {
            SettingsStore::default()
        } else {
            settings_file().map_or_else(SettingsStore::default, SettingsStore::open)
        },
        tasks: Tasks::threads(),
        kdf: KdfParams::RECOMMENDED,
    });
    // Kept until the end: dropping it removes the samples.
    let mut demo = options.demo.then(|| demo::make(&services)).transpose()?;
    let usual = demo.as_ref().map_or_else(|| options.vault.clone(), |demo| demo.path.clone());
    let last = services.settings.with(|settings| settings.vault.clone());
    let vault = last.filter(|_| demo.is_none() && !options.named).unwrap_or_else(|| usual.clone());

    #[cfg(target_os = "linux")]
    slint::set_xdg_app_id(platform::desktop::linux::desktop_entry::APP_ID)?;
    let window = AppWindow::new().map_err(|error| WindowError::NoDisplay(error.to_string()))?;
    let parts = Parts::over(services, vault, usual);
    bind::connect(&window, &parts);
    if let Some(session) = demo.as_mut().and_then(|demo| demo.session.take()) {
        window.global::<NavigationAdapter<'_>>().set_demo(true);
        parts.door.enter(session);
        bind::show_open(&window, &parts);
    }
    let _pulse = pulse::start(&window, &parts);
    if let Some(link) = &options.link {
        bind::follow_link(&window, &parts, link);
    }
    if !options.demo {
        links::listen(pulse::link_arrived);
    }
    signals::quit_on_request();
    window.show()?;
    // Not until the last window is closed: with an icon in the tray the program goes on without one.
    slint::run_event_loop_until_quit()?;
    bind::quit(&parts);
    // What was copied from here does not outlive the window.
    parts.clipboard.clear();
    Ok(())
}

/// `settings.json` in the system's folder for configuration: `~/.config/countersign` on Linux.
fn settings_file() -> Option<PathBuf> {
    let args = AppStrategyArgs {
        top_level_domain: "org".into(),
        author: "countersign".into(),
        app_name: "Countersign".into(),
    };
    etcetera::app_strategy::choose_native_strategy(args)
        .ok()
        .map(|strategy| strategy.config_dir().join("settings.json"))
}

/// The renderer that SLINT_BACKEND asks for, as the toolkit would read it. The software renderer starts fastest and needs
/// no driver; it is taken where nothing is asked for, or what is not there.
fn renderer(asked: Option<&std::ffi::OsStr>) -> &'static str {
    match asked.and_then(std::ffi::OsStr::to_str) {
        Some(asked) if asked.to_ascii_lowercase().ends_with("femtovg") => "femtovg",
        _ => "software",
    }
}

/// Before the first window.
fn select_renderer() -> Result<(), WindowError> {
    #[cfg(target_os = "linux")]
    if ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"].iter().all(|name| std::env::var_os(name).is_none()) {
        return Err(WindowError::NoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set".into()));
    }
    slint::BackendSelector::new()
        .backend_name("winit".into())
        .renderer_name(renderer(std::env::var_os("SLINT_BACKEND").as_deref()).into())
        .select()
        .map_err(|error| WindowError::NoDisplay(error.to_string()))
}

pub(crate) struct SystemClock;

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the composition root reads the clock")]
    fn since_epoch(&self) -> Duration {
        // A clock before 1970 is wrong in any case; codes are then those of 1970.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    pub(crate) fn until_next_second(&self) -> Duration {
        // A little later than the turn, so that rounding does not tick twice in one second.
        Duration::from_millis(1_002) - Duration::from_millis(u64::from(self.since_epoch().subsec_millis()))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        self.since_epoch().as_secs()
    }

    #[cfg(target_os = "linux")]
    fn steady(&self) -> u64 {
        use rustix::time::{ClockId, clock_gettime};

        u64::try_from(clock_gettime(ClockId::Boottime).tv_sec).unwrap_or_default()
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::disallowed_methods, reason = "the composition root reads the clock")]
    fn steady(&self) -> u64 {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed().as_secs()
    }

    fn stopwatch(&self) -> Stopwatch {
        stopwatch
    }

    fn countdown(&self) -> Countdown {
        countdown
    }
}

#[expect(clippy::disallowed_methods, reason = "the composition root reads the clock")]
fn countdown(time: Duration) -> Box<dyn Fn() -> bool> {
    let start = std::time::Instant::now();
    Box::new(move || start.elapsed() >= time)
}

#[expect(clippy::disallowed_methods, reason = "the composition root reads the clock")]
fn stopwatch(work: &mut dyn FnMut()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

fn system_random() -> Box<dyn CryptoRng> {
    Box::new(UnwrapErr(getrandom::SysRng))
}

#[cfg(test)]
mod tests {
    use super::renderer;

    #[test]
    fn every_wish_for_a_renderer_opens_a_window() {
        assert_eq!(renderer(None), "software");
        for (asked, meant) in [
            ("winit-femtovg", "femtovg"),
            ("femtovg", "femtovg"),
            ("winit-software", "software"),
            ("winit", "software"),
            ("qt", "software"),
            ("", "software"),
        ] {
            assert_eq!(renderer(Some(asked.as_ref())), meant, "{asked}");
        }
    }
}
