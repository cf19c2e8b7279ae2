//! Settings, and that they do what they say.

use countersign::{
    platform::{
        clock_trust::{ClockTrust, FixedWitness},
        login_start::{LoginStartState, ScriptedLoginStart},
        tray::{ScriptedTray, TrayAction},
        wishes::{FixedWishes, Wishes},
    },
    settings::Scheme,
};
use countersign_ui::{Palette, SettingChoice, SettingsAdapter, Theme};
use slint::language::ColorScheme;

use super::*;

mod keys;
mod languages;
mod looks;

impl Stage {
    /// With the vault open, on the page of settings.
    fn in_settings(platform: impl FnOnce(&mut Platform)) -> Self {
        let stage = Self::on(platform);
        stage.create();
        stage.press("Settings");
        stage.work();
        assert_eq!(stage.page(), Page::Settings);
        stage
    }

    /// A device where this was chosen before.
    pub(super) fn chosen(choose: impl FnOnce(&mut countersign::settings::Settings)) -> SettingsStore {
        let mut settings = countersign::settings::Settings::default();
        choose(&mut settings);
        SettingsStore::in_memory(settings)
    }

    fn settings(&self) -> countersign::settings::Settings {
        self.parts.services.settings.get()
    }

    fn type_key(&self, text: impl Into<slint::SharedString>) {
        let text = text.into();
        self.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        self.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text });
        self.settle();
    }

    fn with_control(&self, text: impl Into<slint::SharedString>) {
        let control: slint::SharedString = slint::platform::Key::Control.into();
        self.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: control.clone() });
        self.type_key(text);
        self.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text: control });
        self.settle();
    }

    fn checked(&self, label: &str) -> bool {
        self.find(label).accessible_checked().unwrap()
    }

    /// Whether what is so labelled has the keys: the item that has them lies in its middle, where a control's
    /// invisible scope is.
    fn is_in_focus(&self, label: &str) -> bool {
        let inner = slint::private_unstable_api::re_exports::WindowInner::from_pub(self.window.window());
        let Some(item) = inner.focus_item.borrow().upgrade() else { return false };
        let (at, own) = (item.map_to_window(item.geometry().origin), item.geometry().size);
        ElementHandle::find_by_accessible_label(&self.window, label).any(|element| {
            let (corner, size) = (element.absolute_position(), element.size());
            let near = |a: f32, b: f32| (a - b).abs() < 2.0;
            near(at.x + own.width / 2.0, corner.x + size.width / 2.0)
                && near(at.y + own.height / 2.0, corner.y + size.height / 2.0)
        })
    }
}

#[test]
fn the_clipboard_is_cleared_when_it_was_chosen() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Settings");
    stage.press("Clear clipboard: 30 s");
    assert!(stage.checked("After 30 seconds"));
    stage.press("After 10 seconds");
    assert!(stage.shows("Clear clipboard: 10 s"));
    stage.press("Tokens");
    stage.press("Example, me@example.org");
    stage.tick(9);
    assert!(stage.clipboard.content.borrow().is_some());
    stage.tick(1);
    assert_eq!(*stage.clipboard.content.borrow(), None);
}

#[test]
fn switches_are_kept() {
    let stage = Stage::in_settings(|_| {});
    assert!(!stage.checked("Hide codes until tapped"));
    stage.press("Hide codes until tapped");
    stage.press("Show the next code");
    assert!(stage.checked("Hide codes until tapped") && stage.checked("Show the next code"));
    assert!(stage.settings().hide_codes && stage.settings().show_next);
    stage.press("Hide codes until tapped");
    assert!(!stage.settings().hide_codes);
}

#[test]
fn the_whole_line_can_be_clicked() {
    let stage = Stage::in_settings(|_| {});
    stage.find("Clear clipboard: 30 s").mock_single_click(slint::platform::PointerEventButton::Left);
    stage.settle();
    stage.find("After 20 seconds").mock_single_click(slint::platform::PointerEventButton::Left);
    stage.settle();
    assert_eq!(stage.settings().clipboard_seconds, 20);
}

#[test]
fn each_line_leads_where_it_says() {
    let stage = Stage::in_settings(|_| {});
    for (line, page) in [
        ("Lock automatically", Page::Locking),
        ("Security", Page::Security),
        ("Automatic backups: Off", Page::Automatic),
        ("Appearance: As the system", Page::Appearance),
        ("About Countersign", Page::About),
    ] {
        stage.press(line);
        assert_eq!(stage.page(), page);
        stage.window.global::<NavigationAdapter<'_>>().invoke_back();
        stage.settle();
        assert_eq!(stage.page(), Page::Settings);
    }
}

#[test]
fn what_cannot_be_saved_holds_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // A folder cannot be made where a file is.
    std::fs::write(folder.path().join("in the way"), "").unwrap();
    let path = folder.path().join("in the way/settings.json");
    let stage = Stage::over(SettingsStore::open(path), |_| {});
    stage.create();
    stage.press("Settings");
    stage.press("Show the next code");
    assert_eq!(stage.notice(), Notice::SettingNotSaved);
    assert!(stage.checked("Show the next code"));
}

#[test]
fn the_login_starts_the_program_once_it_is_told_to() {
    let login = Arc::new(ScriptedLoginStart { state: LoginStartState::Elsewhere.into(), refuses: false });
    let script = login.clone();
    let stage = Stage::in_settings(|platform| platform.login_start = script);
    assert!(!stage.checked("Start at login"));
    let about = stage.find("Start at login").accessible_description().unwrap_or_default();
    assert!(about.contains("another copy"), "{about}");
    stage.press("Start at login");
    stage.work();
    assert!(stage.checked("Start at login"));
    assert_eq!(*login.state.lock().unwrap(), LoginStartState::On);
    stage.press("Start at login");
    stage.work();
    assert_eq!(*login.state.lock().unwrap(), LoginStartState::Off);
}

#[test]
fn a_start_entry_that_cannot_be_written_is_told() {
    let login = Arc::new(ScriptedLoginStart { state: LoginStartState::Off.into(), refuses: true });
    let stage = Stage::in_settings(|platform| platform.login_start = login);
    stage.press("Start at login");
    stage.work();
    assert!(!stage.checked("Start at login"));
    assert!(stage.shows(
        "The start entry could not be written: autostart. Look at the folder\'s rights and the disk, and switch again."
    ));
}

#[test]
fn what_the_system_lacks_is_not_offered() {
    let stage = Stage::in_settings(|_| {});
    assert!(!stage.shows("Start at login") && !stage.shows("Icon in the tray"));
}

#[test]
fn the_icon_in_the_tray_locks_and_speaks_the_language() {
    let tray = Arc::new(ScriptedTray::default());
    let script = tray.clone();
    let stage = Stage::in_settings(|platform| platform.tray = script);
    assert_eq!(tray.words(), None);
    stage.press("Icon in the tray");
    stage.work();
    assert_eq!(tray.words().unwrap().show, "Show Countersign");
    stage.press("Language: As the system");
    stage.press("Deutsch");
    stage.work();
    assert_eq!(tray.words().unwrap().quit, "Beenden");
    tray.choose(TrayAction::Lock);
    stage.tick(1);
    assert_eq!(stage.page(), Page::Unlock);
    assert!(!stage.parts.door.is_open());
}

#[test]
fn the_icon_goes_when_it_is_switched_off() {
    let tray = Arc::new(ScriptedTray::default());
    let script = tray.clone();
    let stage = Stage::in_settings(|platform| platform.tray = script);
    stage.press("Icon in the tray");
    stage.work();
    assert!(tray.words().is_some());
    stage.press("Icon in the tray");
    stage.work();
    assert_eq!(tray.words(), None);
}

#[test]
fn a_closed_window_leaves_a_program_with_an_icon_running() {
    let tray = Arc::new(ScriptedTray::default());
    let script = tray.clone();
    let stage = Stage::in_settings(|platform| platform.tray = script);
    stage.press("Icon in the tray");
    stage.work();
    stage.window.window().dispatch_event(slint::platform::WindowEvent::CloseRequested);
    assert!(!stage.window.window().is_visible());
    tray.choose(TrayAction::Show);
    stage.tick(1);
    assert!(stage.window.window().is_visible());
}

#[test]
fn a_desktop_that_takes_no_icon_is_told_of() {
    let stage = Stage::in_settings(|platform| {
        platform.tray = Arc::new(ScriptedTray::that_refuses());
    });
    stage.press("Icon in the tray");
    stage.work();
    assert!(stage.shows("The desktop took no icon. It may need an extension for tray icons."));
}

#[test]
fn a_clock_that_nobody_sets_is_named_until_it_is_waved_away() {
    let witness = FixedWitness(ClockTrust::NotSynchronised { automatic: false });
    let stage = Stage::in_settings(|platform| platform.clock_witness = Arc::new(witness));
    stage.press("Tokens");
    assert!(stage.shows("No time server sets this computer\'s clock"));
    stage.press("Dismiss");
    assert!(!stage.shows("No time server sets this computer\'s clock"));
    stage.tick(2 * 60 * 60);
    stage.work();
    assert!(!stage.shows("No time server sets this computer\'s clock"), "once is enough");
}

#[test]
fn a_clock_that_is_moved_is_named_with_the_way_it_went() {
    let stage = Stage::opened();
    stage.tick(5);
    stage.clock.set(RFC_TIME + 5 + 180);
    stage.tick(1);
    stage.work();
    assert!(stage.shows("The clock was set forward by 3 minutes"));
    stage.press("Dismiss");
    stage.clock.set(RFC_TIME - 55);
    stage.tick(1);
    stage.work();
    assert!(stage.shows("The clock was set back by 2 minutes"), "another problem is told again");
    stage.clock.set(RFC_TIME + 20);
    stage.tick(1);
    assert!(!stage.shows("Dismiss"), "it is right again");
}

#[test]
fn a_clock_that_a_time_server_moved_is_right() {
    let stage = Stage::on(|platform| platform.clock_witness = Arc::new(FixedWitness(ClockTrust::Synchronised)));
    stage.create();
    stage.tick(5);
    stage.clock.set(RFC_TIME + 1000);
    stage.tick(1);
    stage.work();
    stage.tick(1);
    assert!(!stage.shows("Dismiss"));
}

#[test]
fn about_says_what_it_is_and_names_the_toolkit() {
    let stage = Stage::in_settings(|_| {});
    stage.press("About Countersign");
    assert!(stage.shows(&format!("Version {}", env!("CARGO_PKG_VERSION"))));
    assert!(stage.shows("#MadeWithSlint") && stage.shows("slint.dev"));
}
