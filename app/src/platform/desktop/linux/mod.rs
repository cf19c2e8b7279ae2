//! Linux: the services of a freedesktop.org desktop, nearly all of them over D-Bus. None is asked before it is needed,
//! and all are asked off the window's thread.

pub mod autostart;
pub mod bus;
pub mod desktop_entry;
pub mod links;
pub mod portal;
pub mod portal_screen;
pub mod presence;
pub mod process;
pub mod screen;
pub mod secret_service;
pub mod timedate;
pub mod tray;

use std::{path::PathBuf, sync::Arc};

use etcetera::BaseStrategy as _;

use crate::platform::{Platform, Screen};

/// Adds what only Linux desktops have.
pub(super) fn with_services(platform: Platform) -> Platform {
    let mut platform = Platform {
        keyring: Arc::new(secret_service::SecretService::default()),
        presence: Arc::new(presence::DesktopPresence::default()),
        clock_witness: Arc::new(timedate::TimeDate::default()),
        tray: Arc::new(tray::StatusNotifier::default()),
        wishes: Arc::new(portal::DesktopPortal::default()),
        screen: screen(),
        ..platform
    };
    if let (Some(config), Ok(exe)) = (config_home(), std::env::current_exe()) {
        let exe = desktop_entry::program_path(std::env::var_os("APPIMAGE"), exe);
        platform.login_start = Arc::new(autostart::XdgAutostart::new(&config, exe.clone(), Vec::new()));
        if let Ok(strategy) = etcetera::base_strategy::Xdg::new() {
            platform.links = Arc::new(links::LinkEntry::new(strategy.data_dir(), exe));
        }
    }
    platform
}

/// The screen of an X server, or what a Wayland desktop lets be seen.
fn screen() -> Arc<dyn Screen> {
    let wayland = std::env::var_os("WAYLAND_DISPLAY");
    if wayland.as_ref().is_some_and(|name| !name.is_empty()) {
        return Arc::new(portal_screen::PortalScreen::new(bus::Bus::Session));
    }
    Arc::new(screen::X11Screen::new(std::env::var_os("DISPLAY"), wayland))
}

/// `~/.config`, or what `XDG_CONFIG_HOME` says.
fn config_home() -> Option<PathBuf> {
    etcetera::base_strategy::Xdg::new().ok().map(|strategy| strategy.config_dir())
}
