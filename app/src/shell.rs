//! The composition root of the window: the only place that knows everything, and where time and randomness come from.

use std::{
    path::PathBuf,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_core::vault::KdfParams;
use countersign_ui::{AppWindow, NavigationAdapter};
use rand_core::{CryptoRng, UnwrapErr};
use slint::{ComponentHandle as _, Timer, TimerMode};

use crate::{
    bind::{self, Parts},
    controllers::{Clock, Services},
    demo,
    platform::{self, Platform},
    tasks::Tasks,
};

/// What the window opens.
#[derive(Clone, Debug)]
pub struct WindowOptions {
    /// The vault's file. Where there is none, the window offers to make it.
    pub vault: PathBuf,
    /// Sample tokens in a temporary vault, opened at once; `vault` is not touched.
    pub demo: bool,
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
    select_renderer()?;
    let Platform { clipboard, picker, .. } = platform::current();
    let services = Rc::new(Services {
        clock: Rc::new(SystemClock),
        random: system_random,
        clipboard,
        picker,
        tasks: Tasks::threads(),
        kdf: KdfParams::RECOMMENDED,
    });
    // Kept until the end: dropping it removes the samples.
    let mut demo = options.demo.then(|| demo::make(&services)).transpose()?;
    let vault = demo.as_ref().map_or(options.vault, |demo| demo.path.clone());

    let window = AppWindow::new().map_err(|error| WindowError::NoDisplay(error.to_string()))?;
    let parts = Parts::new(services, vault);
    bind::connect(&window, &parts);
    if let Some(session) = demo.as_mut().and_then(|demo| demo.session.take()) {
        window.global::<NavigationAdapter<'_>>().set_demo(true);
        parts.door.enter(session);
        bind::show_open(&window, &parts);
    }
    let timer = Rc::new(Timer::default());
    schedule_tick(&timer, &window, &parts);
    window.run()?;
    // What was copied from here does not outlive the window.
    parts.clipboard.clear();
    Ok(())
}

/// The software renderer starts fastest and needs no driver. Whoever sets SLINT_BACKEND knows better.
fn select_renderer() -> Result<(), WindowError> {
    #[cfg(target_os = "linux")]
    if ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"].iter().all(|name| std::env::var_os(name).is_none()) {
        return Err(WindowError::NoDisplay("neither DISPLAY nor WAYLAND_DISPLAY is set".into()));
    }
    if std::env::var_os("SLINT_BACKEND").is_some() {
        return Ok(());
    }
    slint::BackendSelector::new()
        .renderer_name("software".into())
        .select()
        .map_err(|error| WindowError::NoDisplay(error.to_string()))
}

/// Ticks when the clock's second turns, so that no code is shown after its time, and then once a second.
fn schedule_tick(timer: &Rc<Timer>, window: &AppWindow, parts: &Rc<Parts>) {
    let (again, weak, of) = (Rc::downgrade(timer), window.as_weak(), parts.clone());
    timer.start(TimerMode::SingleShot, SystemClock.until_next_second(), move || {
        let (Some(timer), Some(window)) = (again.upgrade(), weak.upgrade()) else { return };
        bind::tick(&window, &of);
        schedule_tick(&timer, &window, &of);
    });
}

struct SystemClock;

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the composition root reads the clock")]
    fn since_epoch(&self) -> Duration {
        // A clock before 1970 is wrong in any case; codes are then those of 1970.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn until_next_second(&self) -> Duration {
        // A little later than the turn, so that rounding does not tick twice in one second.
        Duration::from_millis(1_002) - Duration::from_millis(u64::from(self.since_epoch().subsec_millis()))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        self.since_epoch().as_secs()
    }
}

fn system_random() -> Box<dyn CryptoRng> {
    Box::new(UnwrapErr(getrandom::SysRng))
}
