//! Journeys through the window, by the labels that a screen reader speaks.

#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, rc::Rc, sync::Arc, time::Duration};

use countersign::{
    bind::{self, Parts},
    controllers::{Clock as _, Services},
    platform::{
        Picked, Platform,
        fake::{FakeCamera, FakeClipboard, FakeClock, FakePicker, FakeViewer},
        keyring::ScriptedKeyring,
    },
    settings::SettingsStore,
    tasks::Tasks,
};
use countersign_core::{
    qr::Matrix,
    secret::Password,
    vault::{KdfParams, Session, session::Key, store::FileStore},
};
use countersign_ui::{
    AddAdapter, AddProblem, AppWindow, NavigationAdapter, Notice, Page, SecurityAdapter, TokensAdapter, UnlockAdapter,
};
use i_slint_backend_testing::{ElementHandle, mock_elapsed_time};
use slint::{ComponentHandle as _, Model as _};

const PASSWORD: &str = "correct horse battery staple";
/// RFC 6238, appendix B: the secret of SHA-1 and one of its times.
const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const RFC_TIME: u64 = 1_111_111_109;
const RFC_CODE: &str = "081 804";

mod add;
mod add_camera;
mod backup;
mod detail;
mod keys;
mod lock;
mod moving;
mod screen;
mod security;
mod settings;
mod tokens;
mod trees;

struct Stage {
    window: AppWindow,
    parts: Rc<Parts>,
    clock: Rc<FakeClock>,
    clipboard: Rc<FakeClipboard>,
    picker: Arc<FakePicker>,
    viewer: Arc<FakeViewer>,
    keyring: Arc<ScriptedKeyring>,
    camera: Arc<FakeCamera>,
    tasks: Tasks,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self::on(|_| {})
    }

    /// On a system that has what is put into it.
    fn on(equip: impl FnOnce(&mut Platform)) -> Self {
        Self::over(SettingsStore::default(), equip)
    }

    /// With these settings, on a system that has what is put into it.
    fn over(settings: SettingsStore, equip: impl FnOnce(&mut Platform)) -> Self {
        // A thread has one platform, and a journey may have two windows.
        thread_local!(static READY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });
        if !READY.replace(true) {
            i_slint_backend_testing::init_no_event_loop();
        }
        let folder = tempfile::tempdir().unwrap();
        let clock = Rc::new(FakeClock::new(RFC_TIME));
        let clipboard = Rc::new(FakeClipboard::default());
        let picker = Arc::new(FakePicker::default());
        let viewer = Arc::new(FakeViewer::default());
        let keyring = Arc::new(ScriptedKeyring::default());
        let camera = Arc::new(FakeCamera::default());
        let tasks = Tasks::waiting();
        let mut platform = Platform {
            clipboard: clipboard.clone(),
            picker: picker.clone(),
            viewer: viewer.clone(),
            keyring: keyring.clone(),
            camera: camera.clone(),
            ..Platform::unsupported()
        };
        equip(&mut platform);
        let services = Rc::new(Services {
            clock: clock.clone(),
            random: || Box::new(rand_core::UnwrapErr(getrandom::SysRng)),
            platform,
            settings,
            tasks: tasks.clone(),
            kdf: KdfParams::new(64, 1, 1).unwrap(),
        });
        let window = AppWindow::new().unwrap();
        window.window().set_size(slint::PhysicalSize::new(390, 844));
        window.show().unwrap();
        let parts = Parts::new(services, folder.path().join("vault.countersign"));
        bind::connect(&window, &parts);
        let stage = Self { window, parts, clock, clipboard, picker, viewer, keyring, camera, tasks, folder };
        stage.settle();
        stage
    }

    /// With a vault that is open, and empty.
    fn opened() -> Self {
        let stage = Self::new();
        stage.create();
        stage
    }

    /// Makes the vault.
    fn create(&self) {
        self.press("Create a vault");
        self.fill("Password", PASSWORD);
        self.fill("Again", PASSWORD);
        self.press("Make a recovery sheet");
        self.press("Create vault");
        self.work();
        assert_eq!(self.page(), Page::Tokens);
    }

    /// Opens the vault again after a lock.
    fn unlock(&self) {
        self.fill("Password", PASSWORD);
        self.press("Unlock");
        self.work();
        assert_eq!(self.page(), Page::Tokens);
    }

    /// With one token, added by hand.
    fn with_token(issuer: &str, secret: &str) -> Self {
        let stage = Self::opened();
        stage.add_by_hand(issuer, secret, |_| {});
        stage
    }

    fn add_by_hand(&self, issuer: &str, secret: &str, more: impl FnOnce(&Self)) {
        self.window.global::<NavigationAdapter<'_>>().invoke_add();
        self.settle();
        self.press("Enter manually");
        self.fill("Issuer", issuer);
        self.fill("Account", "me@example.org");
        self.fill("Secret", secret);
        more(self);
        self.press("Add token");
        assert_eq!(self.page(), Page::Tokens);
    }

    fn settle(&self) {
        mock_elapsed_time(Duration::from_millis(300));
        // As with every event of a real window.
        bind::keep_keys(&self.window);
        mock_elapsed_time(Duration::ZERO);
    }

    /// Presses a key while others are held.
    fn chord(&self, held: &[slint::platform::Key], key: impl Into<slint::SharedString>) {
        let dispatch = |event| self.window.window().dispatch_event(event);
        let held: Vec<slint::SharedString> = held.iter().map(|key| (*key).into()).collect();
        let text = key.into();
        held.iter().for_each(|key| dispatch(slint::platform::WindowEvent::KeyPressed { text: key.clone() }));
        dispatch(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        dispatch(slint::platform::WindowEvent::KeyReleased { text });
        held.iter().for_each(|key| dispatch(slint::platform::WindowEvent::KeyReleased { text: key.clone() }));
        self.settle();
    }

    fn hit(&self, key: impl Into<slint::SharedString>) {
        self.chord(&[], key);
    }

    fn work(&self) {
        self.tasks.run_waiting();
        self.settle();
    }

    /// Time goes by while somebody is there.
    fn tick(&self, seconds: u64) {
        self.clock.advance(seconds);
        bind::locking::touched(&self.window, &self.parts);
        bind::tick(&self.window, &self.parts);
        self.settle();
    }

    /// Time goes by, and nobody touches the window.
    fn idle(&self, seconds: u64) {
        self.clock.advance(seconds);
        bind::tick(&self.window, &self.parts);
        self.settle();
    }

    fn page(&self) -> Page {
        self.window.global::<NavigationAdapter<'_>>().get_page()
    }

    fn notice(&self) -> Notice {
        self.window.global::<NavigationAdapter<'_>>().get_notice()
    }

    fn find(&self, label: &str) -> ElementHandle {
        let mut found: Vec<_> = ElementHandle::find_by_accessible_label(&self.window, label).collect();
        assert!(!found.is_empty(), "nothing is labelled {label:?}");
        found.remove(found.len() - 1)
    }

    fn shows(&self, label: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.window, label).next().is_some()
    }

    fn press(&self, label: &str) {
        self.find(label).invoke_accessible_default_action();
        self.settle();
    }

    fn fill(&self, label: &str, text: &str) {
        self.find(label).set_accessible_value(text);
        self.settle();
    }

    /// What is said beside a field.
    fn describes(&self, label: &str) -> String {
        self.find(label).accessible_description().unwrap_or_default().into()
    }

    /// Goes to a page as a press on its way would.
    fn go(&self, page: Page) {
        self.window.global::<NavigationAdapter<'_>>().invoke_go(page);
        self.settle();
    }

    fn value(&self, label: &str) -> String {
        self.find(label).accessible_value().unwrap_or_default().into()
    }

    /// What is in the file, opened by another session.
    fn on_disk(&self) -> Session {
        let store = FileStore::new(self.folder.path().join("vault.countersign"));
        Session::open(Box::new(store), &Key::Password(Password::new(PASSWORD))).unwrap()
    }
}
