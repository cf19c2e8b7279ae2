//! A window over an open vault, whose pages are operated by the labels that a screen reader speaks.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign::{
    api::Https,
    bind::{self, Parts},
    controllers::{Clock, Services, Stopwatch},
    platform::{Platform, keyring::ScriptedKeyring},
    settings::SettingsStore,
    tasks::Tasks,
};
use countersign_core::{
    secret::Password,
    vault::{KdfParams, Session, store::FileStore},
};
use countersign_e2e::{
    PASSWORD,
    server::{ACCOUNT_PASSWORD, Server},
};
use countersign_ui::{AccountAdapter, AccountProblem, AppWindow, NavigationAdapter, Page, RegisterStep, SignInStep};
use i_slint_backend_testing::{ElementHandle, mock_elapsed_time};
use slint::ComponentHandle as _;

/// The system's clock, moved by what a test says.
pub(crate) struct Moved(pub(crate) std::cell::Cell<i64>);

impl Clock for Moved {
    #[expect(clippy::disallowed_methods, reason = "the server's codes are those of now")]
    fn now(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        now.saturating_add_signed(self.0.get())
    }

    fn steady(&self) -> u64 {
        self.now()
    }

    fn stopwatch(&self) -> Stopwatch {
        |work| {
            work();
            Duration::from_millis(1)
        }
    }
}

/// A window over an open vault.
pub(crate) struct Stage {
    pub(crate) window: AppWindow,
    pub(crate) parts: Rc<Parts>,
    pub(crate) clock: Rc<Moved>,
    tasks: Tasks,
    _folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        // Once a thread.
        thread_local!(static READY: () = i_slint_backend_testing::init_no_event_loop());
        READY.with(|()| ());
        let folder = tempfile::tempdir().unwrap();
        let (clock, tasks) = (Rc::new(Moved(0.into())), Tasks::waiting());
        let kdf = KdfParams::new(64, 1, 1).unwrap();
        let random = || -> Box<dyn rand_core::CryptoRng> { Box::new(rand_core::UnwrapErr(getrandom::SysRng)) };
        let services = Rc::new(Services {
            clock: clock.clone(),
            random,
            platform: Platform {
                network: Arc::new(Https::default()),
                keyring: Arc::new(ScriptedKeyring::default()),
                ..Platform::unsupported()
            },
            settings: SettingsStore::default(),
            tasks: tasks.clone(),
            kdf,
        });
        let window = AppWindow::new().unwrap();
        window.window().set_size(slint::PhysicalSize::new(390, 844));
        window.show().unwrap();
        let vault = folder.path().join("vault.json");
        let store = Box::new(FileStore::new(&vault));
        let session = Session::create(store, &Password::new(PASSWORD), kdf, &mut *random(), clock.now()).unwrap();
        let parts = Parts::new(services, vault);
        bind::connect(&window, &parts);
        parts.door.enter(session);
        bind::show_open(&window, &parts);
        let stage = Self { window, parts, clock, tasks, _folder: folder };
        stage.settle();
        stage
    }

    pub(crate) fn settle(&self) {
        mock_elapsed_time(Duration::from_millis(300));
    }

    /// Whatever waits for the network or a thread is done.
    pub(crate) fn work(&self) {
        self.tasks.run_waiting();
        self.settle();
    }

    pub(crate) fn account(&self) -> AccountAdapter<'_> {
        self.window.global::<AccountAdapter<'_>>()
    }

    pub(crate) fn page(&self) -> Page {
        self.window.global::<NavigationAdapter<'_>>().get_page()
    }

    pub(crate) fn find(&self, label: &str) -> ElementHandle {
        let mut found: Vec<_> = ElementHandle::find_by_accessible_label(&self.window, label).collect();
        assert!(!found.is_empty(), "nothing is labelled {label:?} on {:?}", self.page());
        found.remove(found.len() - 1)
    }

    pub(crate) fn shows(&self, label: &str) -> bool {
        ElementHandle::find_by_accessible_label(&self.window, label).next().is_some()
    }

    pub(crate) fn press(&self, label: &str) {
        self.find(label).invoke_accessible_default_action();
        self.settle();
        self.work();
    }

    pub(crate) fn fill(&self, label: &str, text: &str) {
        self.find(label).set_accessible_value(text);
        self.settle();
    }

    pub(crate) fn tick(&self) {
        bind::tick(&self.window, &self.parts);
        self.settle();
    }

    pub(crate) fn add_server(&self, address: &str) {
        self.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Account);
        self.settle();
        self.press("Add a server");
        self.fill("Address or link", address);
        self.press("Continue");
        assert_eq!(self.account().get_problem(), AccountProblem::None);
    }

    /// From the server's page to the message.
    pub(crate) fn ask_for_message(&self, user: &str) {
        self.press("Register a token");
        self.fill("User name", user);
        self.fill("Password at the server", ACCOUNT_PASSWORD);
        self.press("Send me a code");
    }

    pub(crate) fn register(&self, server: &Server, user: &str) {
        self.ask_for_message(user);
        assert_eq!(self.account().get_register_step(), RegisterStep::Sms, "{:?}", self.account().get_problem());
        self.fill("Code of the message", &server.sms_code());
        self.press("Register");
        assert_eq!(self.account().get_register_step(), RegisterStep::Done, "{:?}", self.account().get_problem());
    }

    /// From the page of signing in to the session, with a code that no earlier step used up.
    pub(crate) fn sign_in(&self, user: &str) {
        for _ in 0..40 {
            if self.account().get_sign_in_step() == SignInStep::Password {
                self.fill("User name", user);
                self.fill("Password at the server", ACCOUNT_PASSWORD);
                self.press("Continue");
            }
            assert_eq!(self.account().get_sign_in_step(), SignInStep::Token, "{:?}", self.account().get_problem());
            if !self.account().get_token().fresh {
                std::thread::sleep(Duration::from_secs(1));
                self.tick();
                continue;
            }
            self.press("Sign in with this code");
            if self.account().get_sign_in_step() == SignInStep::Done {
                return;
            }
            assert_eq!(self.account().get_problem(), AccountProblem::CodeWrong);
            std::thread::sleep(Duration::from_secs(1));
            self.tick();
        }
        panic!("no code signed in");
    }
}

/// Codes that change every five seconds, and wrong ones that cost no time, so that journeys need not wait.
pub(crate) fn quick(server: &Server) {
    for (name, value) in [("period", "5"), ("quick_failures", "90"), ("max_failures", "100")] {
        server.set(name, value);
    }
}
