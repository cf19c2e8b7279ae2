//! Journeys through the window, by the labels that a screen reader speaks.

#![allow(clippy::unwrap_used)]

use std::{path::PathBuf, rc::Rc, sync::Arc, time::Duration};

use countersign::{
    bind::{self, Parts},
    controllers::{Clock as _, Services},
    platform::{
        Picked,
        fake::{FakeClipboard, FakeClock, FakePicker},
    },
    tasks::Tasks,
};
use countersign_core::{
    qr::Matrix,
    secret::Password,
    vault::{KdfParams, Session, session::Key, store::FileStore},
};
use countersign_ui::{
    AddAdapter, AppWindow, NavigationAdapter, Notice, Page, PictureProblem, TokensAdapter, UnlockAdapter,
};
use i_slint_backend_testing::{ElementHandle, mock_elapsed_time};
use slint::{ComponentHandle as _, Model as _};

const PASSWORD: &str = "correct horse battery staple";
/// RFC 6238, appendix B: the secret of SHA-1 and one of its times.
const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const RFC_TIME: u64 = 1_111_111_109;
const RFC_CODE: &str = "081 804";

struct Stage {
    window: AppWindow,
    parts: Rc<Parts>,
    clock: Rc<FakeClock>,
    clipboard: Rc<FakeClipboard>,
    picker: Arc<FakePicker>,
    tasks: Tasks,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        i_slint_backend_testing::init_no_event_loop();
        let folder = tempfile::tempdir().unwrap();
        let clock = Rc::new(FakeClock::new(RFC_TIME));
        let clipboard = Rc::new(FakeClipboard::default());
        let picker = Arc::new(FakePicker::default());
        let tasks = Tasks::waiting();
        let services = Rc::new(Services {
            clock: clock.clone(),
            random: || Box::new(rand_core::UnwrapErr(getrandom::SysRng)),
            clipboard: clipboard.clone(),
            picker: picker.clone(),
            tasks: tasks.clone(),
            kdf: KdfParams::new(64, 1, 1).unwrap(),
        });
        let window = AppWindow::new().unwrap();
        window.window().set_size(slint::PhysicalSize::new(390, 844));
        window.show().unwrap();
        let parts = Parts::new(services, folder.path().join("vault.countersign"));
        bind::connect(&window, &parts);
        let stage = Self { window, parts, clock, clipboard, picker, tasks, folder };
        stage.settle();
        stage
    }

    /// With a vault that is open, and empty.
    fn opened() -> Self {
        let stage = Self::new();
        stage.fill("Password", PASSWORD);
        stage.fill("Again", PASSWORD);
        stage.press("Create vault");
        stage.work();
        assert_eq!(stage.page(), Page::Tokens);
        stage
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
        self.press("Show the first code");
        assert_eq!(self.page(), Page::Found);
        self.press("Add token");
        assert_eq!(self.page(), Page::Tokens);
    }

    fn settle(&self) {
        mock_elapsed_time(Duration::from_millis(300));
    }

    fn work(&self) {
        self.tasks.run_waiting();
        self.settle();
    }

    fn tick(&self, seconds: u64) {
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

    fn value(&self, label: &str) -> String {
        self.find(label).accessible_value().unwrap_or_default().into()
    }

    /// What is in the file, opened by another session.
    fn on_disk(&self) -> Session {
        let store = FileStore::new(self.folder.path().join("vault.countersign"));
        Session::open(Box::new(store), &Key::Password(Password::new(PASSWORD))).unwrap()
    }
}

#[test]
fn a_new_vault_is_made_and_says_what_to_do_next() {
    let stage = Stage::new();
    assert_eq!(stage.page(), Page::Create);
    let adapter = stage.window.global::<UnlockAdapter<'_>>();
    stage.fill("Password", PASSWORD);
    stage.fill("Again", "correct house");
    assert!(adapter.get_differs() && !adapter.get_can_create());
    stage.fill("Again", PASSWORD);
    assert!(!adapter.get_differs() && adapter.get_can_create());
    stage.press("Create vault");
    assert!(adapter.get_busy(), "the key is worked out elsewhere");
    assert_eq!(adapter.get_password(), "", "the password has left the window");
    stage.work();
    assert_eq!(stage.page(), Page::Tokens);
    assert!(stage.shows("Enter manually") && stage.shows("Add from a picture"));
    assert_eq!(stage.on_disk().content().tokens().len(), 0);
}

#[test]
fn a_token_typed_by_hand_shows_the_code_of_the_rfc() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    assert_eq!(stage.notice(), Notice::Added);
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
    assert_eq!(stage.window.global::<AddAdapter<'_>>().get_secret(), "", "the secret has left the window");
    // 1111111111 is the RFC's next time, in the next step.
    stage.tick(2);
    assert_eq!(stage.value("Example, me@example.org"), "050 471");
}

#[test]
fn a_code_is_copied_and_cleared_after_30_seconds() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Example, me@example.org");
    assert_eq!(stage.notice(), Notice::Copied);
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("081804"));
    stage.tick(29);
    assert!(stage.clipboard.content.borrow().is_some());
    stage.tick(1);
    assert_eq!(*stage.clipboard.content.borrow(), None);
    assert_eq!(stage.on_disk().content().tokens()[0].use_count, 1);
}

#[test]
fn what_another_program_copied_is_left_alone() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Example, me@example.org");
    *stage.clipboard.content.borrow_mut() = Some("a shopping list".into());
    stage.tick(31);
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("a shopping list"));
}

#[test]
fn a_clipboard_that_refuses_is_told() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.clipboard.refuses.set(true);
    stage.press("Example, me@example.org");
    assert_eq!(stage.notice(), Notice::CopyFailed);
}

#[test]
fn search_finds_as_it_is_typed() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("GitHub", "JBSWY3DPEHPK3PXP", |_| {});
    stage.fill("Search issuer or account", "gitH");
    assert!(stage.shows("GitHub, me@example.org"));
    assert!(!stage.shows("Example, me@example.org"));
    stage.fill("Search issuer or account", "nowhere");
    assert_eq!(stage.window.global::<TokensAdapter<'_>>().get_rows().row_count(), 0);
    stage.press("Clear the search");
    assert_eq!(stage.window.global::<TokensAdapter<'_>>().get_rows().row_count(), 2);
}

#[test]
fn a_counter_is_on_the_disk_before_its_code_is_seen() {
    let stage = Stage::opened();
    stage.add_by_hand("VPN", RFC_SECRET, |stage| {
        stage.press("Advanced");
        stage.press("HOTP");
    });
    // RFC 4226, appendix D: counters 0 and 1.
    assert_eq!(stage.value("VPN, me@example.org"), "Tap for next");
    stage.press("VPN, me@example.org");
    assert_eq!(stage.value("VPN, me@example.org"), "755 224");
    assert_eq!(stage.on_disk().content().tokens()[0].spec.kind.counter(), Some(1));
    stage.press("VPN, me@example.org");
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("287082"));
    assert_eq!(stage.on_disk().content().tokens()[0].spec.kind.counter(), Some(2));
}

#[test]
fn a_wrong_character_is_named_where_it_is() {
    let stage = Stage::opened();
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_by_hand();
    stage.settle();
    stage.fill("Secret", "JBSWY3DPEHP1K3PX");
    let error = stage.find("Secret").accessible_description().unwrap_or_default();
    assert_eq!(error, "Character 12 is “1”. Base32 has no 1: did you mean “I” or “L”?");
    assert!(!stage.window.global::<AddAdapter<'_>>().get_can_preview());
}

#[test]
fn a_link_in_the_secret_is_a_whole_token() {
    let stage = Stage::opened();
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_by_hand();
    stage.settle();
    stage.fill("Secret", &format!("otpauth://totp/Example:alice?secret={RFC_SECRET}&issuer=Example&digits=8"));
    stage.press("Show the first code");
    assert_eq!(stage.page(), Page::Found);
    assert!(stage.shows("First code 0708 1804"));
    stage.press("Add token");
    assert_eq!(stage.value("Example, alice"), "0708 1804");
}

#[test]
fn a_picture_is_chosen_looked_at_and_added() {
    let stage = Stage::opened();
    let picture: PathBuf = stage.folder.path().join("qr.png");
    let link = format!("otpauth://totp/Example:bob?secret={RFC_SECRET}&issuer=Example");
    std::fs::write(&picture, Matrix::new(&link).unwrap().to_png(300)).unwrap();
    stage.picker.answer(Picked::File(picture));
    stage.press("Add from a picture");
    stage.press("Choose a picture");
    stage.work();
    assert_eq!(stage.page(), Page::Found);
    assert_eq!(stage.on_disk().content().tokens().len(), 0, "nothing is added before it was seen");
    stage.fill("Account", "robert");
    stage.press("Add token");
    assert_eq!(stage.value("Example, robert"), RFC_CODE);
}

#[test]
fn without_a_dialog_a_path_can_be_typed() {
    let stage = Stage::opened();
    stage.picker.answer(Picked::NoDialog);
    stage.press("Add from a picture");
    stage.press("Choose a picture");
    stage.work();
    let adapter = stage.window.global::<AddAdapter<'_>>();
    assert_eq!(adapter.get_picture_problem(), PictureProblem::NoDialog);
    stage.fill("Or its path", "/nowhere/qr.png");
    stage.press("Read this file");
    stage.work();
    assert_eq!(adapter.get_picture_problem(), PictureProblem::CannotOpen);
}

#[test]
fn a_wrong_password_is_told_beside_the_field() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Lock");
    assert_eq!(stage.page(), Page::Unlock);
    stage.fill("Password", "not it");
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    let error = stage.find("Password").accessible_description().unwrap_or_default();
    assert!(error.starts_with("That is not the password."), "{error}");
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
}

#[test]
fn a_locked_window_shows_nothing_of_the_vault() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.fill("Search issuer or account", "exam");
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    let tokens = stage.window.global::<TokensAdapter<'_>>();
    assert_eq!(tokens.get_rows().row_count(), 0);
    assert_eq!(tokens.get_total(), 0);
    assert_eq!(tokens.get_query(), "");
    assert_eq!(tokens.get_selected(), countersign_ui::TokenRow::default());
    assert_eq!(tokens.get_detail(), countersign_ui::TokenDetail::default());
    assert!(!stage.shows("Example, me@example.org") && !stage.shows("From a picture"));
    assert!(!stage.parts.door.is_open());
    assert_eq!(stage.clock.now(), RFC_TIME);
}

#[test]
fn an_unlock_that_ends_after_a_lock_opens_nothing() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.press("Lock");
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.work();
    assert_eq!(stage.page(), Page::Unlock);
    assert!(!stage.parts.door.is_open());
}

#[test]
fn typing_anywhere_on_the_list_starts_the_search() {
    let stage = Stage::with_token("VPN", RFC_SECRET);
    for key in ["v", "p", "n"] {
        let text: slint::SharedString = key.into();
        stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text });
        stage.settle();
    }
    assert_eq!(stage.window.global::<TokensAdapter<'_>>().get_query(), "vpn");
    assert!(stage.shows("VPN, me@example.org"));
}
