//! The keys of an open vault: the password, the recovery sheet, this device, what guessing costs.

use countersign::platform::keyring::KeyringError;
use countersign_core::{
    secret::SecretText,
    vault::{SlotKind, session::OpenError},
};
use countersign_ui::{SheetState, WelcomeAdapter};

use super::*;

const NEW: &str = "another horse and its battery";
const DAY: u64 = 24 * 60 * 60;

impl Stage {
    fn security(&self) -> SecurityAdapter<'_> {
        self.window.global()
    }

    /// Shows the page about keys.
    fn keys(&self) {
        self.go(Page::Security);
        self.work();
    }

    fn recovery_key(&self) -> String {
        let sheet = self.window.global::<WelcomeAdapter<'_>>();
        format!("{}-{}", sheet.get_key_first(), sheet.get_key_second())
    }

    /// Made through the page; the key is what it shows.
    fn make_sheet(&self) -> String {
        self.keys();
        self.press("Recovery sheet");
        self.fill("Vault password", PASSWORD);
        self.press("Make it");
        self.work();
        assert_eq!(self.page(), Page::RecoverySheet);
        let key = self.recovery_key();
        assert_eq!(key.len(), 39);
        key
    }

    fn unlock_with(&self, password: &str) {
        self.fill("Password", password);
        self.press("Unlock");
        self.work();
    }

    fn opens_with(&self, key: &Key) -> Result<Session, OpenError> {
        Session::open(Box::new(FileStore::new(self.parts.door.path())), key)
    }

    fn kinds(&self) -> Vec<SlotKind> {
        self.on_disk().slots().iter().map(|slot| slot.kind).collect()
    }
}

fn password(text: &str) -> Key {
    Key::Password(Password::new(text))
}

fn recovery(text: &str) -> Key {
    Key::Recovery(SecretText::new(text.into()))
}

#[test]
fn a_new_vault_has_a_sheet_that_is_checked_and_then_forgotten() {
    let stage = Stage::new();
    stage.press("Create a vault");
    stage.fill("Password", PASSWORD);
    stage.fill("Again", PASSWORD);
    stage.press("Create vault");
    stage.work();
    assert_eq!(stage.page(), Page::RecoverySheet);
    let key = stage.recovery_key();
    assert_eq!(stage.value("Recovery key"), key);
    stage.press("I have it");
    assert!(!stage.shows("The recovery key as a QR code"));
    stage.fill("Third group of the key", "AAAA");
    stage.press("Done");
    assert_eq!(stage.describes("Third group of the key"), "That is not the third group. Look at the sheet again.");
    stage.press("Show the sheet again");
    assert_eq!(stage.value("Recovery key"), key);
    stage.press("I have it");
    let third = key.split('-').nth(2).unwrap().to_lowercase();
    stage.fill("Third group of the key", &format!(" {third} "));
    stage.press("Done");
    assert_eq!((stage.page(), stage.notice()), (Page::Tokens, Notice::SheetKept));
    assert_eq!(stage.recovery_key(), "-", "nothing of it stays in the window");
    assert_eq!(stage.window.global::<WelcomeAdapter<'_>>().get_qr().size().width, 0);
    assert_eq!(stage.security().get_sheet(), SheetState::Kept);
    assert!(stage.opens_with(&recovery(&key)).is_ok());
}

#[test]
fn a_sheet_can_be_printed_and_saved() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let key = stage.make_sheet();
    stage.press("Print");
    let page = stage.viewer.shown().remove(0);
    assert!(page.contains(&key[..19]) && page.contains(&key[20..]) && page.contains("Example"));
    assert!(!page.contains(RFC_SECRET) && page.contains("Use the recovery key"));
    stage.window.global::<NavigationAdapter<'_>>().set_notice(Notice::None);
    stage.settle();
    let path = stage.folder.path().join("sheet.html");
    stage.picker.answer(Picked::File(path.clone()));
    stage.press("Save as a page");
    stage.work();
    assert_eq!(stage.notice(), Notice::SheetSaved);
    assert_eq!(std::fs::read_to_string(path).unwrap(), page);
    stage.press("Go on without checking");
    assert_eq!(stage.page(), Page::Security);
    assert_eq!(stage.security().get_sheet(), SheetState::Made);
    assert_eq!(stage.recovery_key(), "-");
}

#[test]
fn a_sheet_that_cannot_be_printed_or_saved_says_so() {
    let stage = Stage::opened();
    stage.make_sheet();
    stage.viewer.refuse();
    stage.press("Print");
    assert!(stage.shows("Nothing here shows pages. Save the sheet, or write the key down."));
    stage.press("Save as a page");
    stage.work();
    assert!(stage.shows("The system has no dialog for files. Print the sheet, or write the key down."));
    stage.picker.answer(Picked::File(stage.folder.path().join("no such folder/sheet.html")));
    stage.press("Save as a page");
    stage.work();
    assert!(stage.shows("The sheet could not be written there. Choose another folder."));
    stage.picker.answer(Picked::Cancelled);
    stage.press("Save as a page");
    stage.work();
    assert!(!stage.shows("The sheet could not be written there. Choose another folder."));
}

#[test]
fn a_lock_takes_the_sheet_from_the_screen() {
    let stage = Stage::opened();
    stage.make_sheet();
    stage.idle(300);
    assert_eq!(stage.page(), Page::Unlock);
    assert_eq!(stage.recovery_key(), "-");
    assert!(stage.parts.sheet.key().is_none());
}

#[test]
fn a_sheet_is_left_by_its_own_buttons_only() {
    use slint::platform::Key as K;

    let stage = Stage::opened();
    let key = stage.make_sheet();
    stage.window.window().set_size(slint::PhysicalSize::new(1230, 860));
    stage.settle();
    assert!(!stage.shows("Tokens"), "no way past it");
    stage.hit(K::Escape);
    assert_eq!(stage.page(), Page::RecoverySheet);
    for key in ["b", ",", "n"] {
        stage.chord(&[K::Control], key);
        assert_eq!(stage.page(), Page::RecoverySheet);
    }
    assert_eq!(stage.recovery_key(), key);
    stage.press("I have it");
    stage.hit(K::Escape);
    assert!(stage.shows("I have it"), "back to the sheet");
    assert!(stage.locks_by_key());
}

#[test]
fn a_sheet_is_made_by_whoever_knows_the_password_and_not_at_any_open_window() {
    let stage = Stage::opened();
    stage.keys();
    stage.press("Recovery sheet");
    stage.press("Make it");
    stage.work();
    assert_eq!((stage.page(), stage.kinds()), (Page::Security, vec![SlotKind::Password]));
    stage.fill("Vault password", "not it");
    stage.press("Make it");
    stage.work();
    assert!(stage.describes("Vault password").starts_with("That is not the password."));
    assert_eq!((stage.page(), stage.kinds()), (Page::Security, vec![SlotKind::Password]));
}

#[test]
fn a_new_sheet_takes_the_place_of_the_old_one() {
    let stage = Stage::opened();
    let first = stage.make_sheet();
    stage.press("Go on without checking");
    let second = stage.make_sheet();
    assert!(matches!(stage.opens_with(&recovery(&first)), Err(OpenError::WrongKey)));
    assert!(stage.opens_with(&recovery(&second)).is_ok());
    assert_eq!(stage.kinds(), [SlotKind::Password, SlotKind::Recovery]);
}

#[test]
fn the_recovery_key_opens_the_vault_and_a_new_password_is_set() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let key = stage.make_sheet();
    stage.press("Go on without checking");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    stage.press("Use the recovery key");
    for (typed, said) in [
        (&key[..20], "A recovery key has 32 letters and digits. This one has 16."),
        ("K7QF-2M!N", "Character 8 is “!”, which recovery keys do not have."),
        ("0000-0000-0000-0000-0000-0000-0000-0001", "Something in it is mistyped"),
        ("0000-0000-0000-0000-0000-0000-0000-0000", "That key is whole, but not of this vault."),
    ] {
        stage.fill("Recovery key", typed);
        stage.press("Unlock");
        stage.work();
        assert!(stage.describes("Recovery key").starts_with(said), "{}", stage.describes("Recovery key"));
    }
    stage.fill("Recovery key", &key.to_lowercase().replace('-', " "));
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.page(), Page::NewPassword);
    assert!(!stage.parts.door.is_open() && !stage.shows("Example, me@example.org"));
    assert_eq!(stage.window.global::<UnlockAdapter<'_>>().get_recovery_key(), "");
    stage.fill("New password", NEW);
    stage.fill("Again", NEW);
    stage.press("Set the password");
    stage.work();
    assert_eq!((stage.page(), stage.notice()), (Page::Tokens, Notice::PasswordSet));
    assert!(matches!(stage.opens_with(&password(PASSWORD)), Err(OpenError::WrongKey)));
    assert!(stage.opens_with(&password(NEW)).is_ok() && stage.opens_with(&recovery(&key)).is_ok());
}

#[test]
fn a_vault_that_the_recovery_key_opened_can_keep_its_password_and_is_asked_for_it() {
    let stage = Stage::opened();
    let key = stage.make_sheet();
    stage.press("Go on without checking");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    stage.press("Use the recovery key");
    stage.fill("Recovery key", &key);
    stage.press("Unlock");
    stage.work();
    stage.press("Open it without a new password");
    assert_eq!(stage.page(), Page::Tokens);
    // Another sheet needs the password, because the old one loses its worth.
    stage.keys();
    stage.press("Recovery sheet");
    stage.fill("Vault password", "not it");
    stage.press("Make it");
    stage.work();
    assert!(stage.describes("Vault password").starts_with("That is not the password."));
    stage.fill("Vault password", PASSWORD);
    stage.press("Make it");
    stage.work();
    assert_eq!(stage.page(), Page::RecoverySheet);
    assert!(matches!(stage.opens_with(&recovery(&key)), Err(OpenError::WrongKey)));
}

#[test]
fn the_password_is_changed_by_whoever_knows_it() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.keys();
    stage.press("Change password");
    stage.fill("Current password", "not it");
    stage.fill("New password", NEW);
    stage.fill("Again", NEW);
    stage.press("Change the password");
    assert_eq!(stage.value("Current password"), "", "it left the window");
    stage.work();
    assert!(stage.describes("Current password").starts_with("That is not the password."));
    assert!(stage.opens_with(&password(PASSWORD)).is_ok());
    stage.fill("Current password", PASSWORD);
    stage.press("Change the password");
    stage.work();
    assert_eq!((stage.page(), stage.notice()), (Page::Security, Notice::PasswordSet));
    assert!(matches!(stage.opens_with(&password(PASSWORD)), Err(OpenError::WrongKey)));
    let typed = stage.window.global::<UnlockAdapter<'_>>();
    assert!(typed.get_password().is_empty() && typed.get_again().is_empty());
    // The open vault goes on.
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    stage.unlock_with(NEW);
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
}

#[test]
fn this_device_opens_the_vault_until_it_is_switched_off() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.keys();
    assert!(stage.shows("Unlock with this device"));
    stage.press("Unlock with this device");
    stage.work();
    assert!(stage.security().get_device_on() && stage.keyring.len() == 1);
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    stage.press("Unlock with this device");
    stage.work();
    assert_eq!(stage.page(), Page::Tokens);

    // While the device opened it, a forgotten password is replaced without the old one.
    stage.keys();
    stage.press("Change password");
    assert!(!stage.shows("Current password"));
    stage.fill("New password", NEW);
    stage.fill("Again", NEW);
    stage.press("Change the password");
    stage.work();
    assert_eq!(stage.notice(), Notice::PasswordSet);
    assert!(stage.opens_with(&password(NEW)).is_ok());

    stage.press("Unlock with this device");
    stage.press("Remove");
    stage.work();
    assert_eq!(stage.notice(), Notice::WayRemoved);
    assert!(!stage.security().get_device_on() && stage.keyring.is_empty());
    assert_eq!(stage.parts.services.settings.get().device_slot, None);
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    assert!(!stage.shows("Unlock with this device"));
}

#[test]
fn the_password_is_asked_for_again_so_that_nobody_forgets_it() {
    let stage = Stage::opened();
    stage.keys();
    stage.press("Unlock with this device");
    stage.work();
    stage.press("After 7 days");
    let again = |stage: &Stage| {
        stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
        stage.settle();
        stage.press("Unlock with this device");
        stage.work();
    };
    stage.clock.advance(6 * DAY);
    again(&stage);
    assert_eq!(stage.page(), Page::Tokens);
    stage.clock.advance(2 * DAY);
    again(&stage);
    assert_eq!(stage.page(), Page::Unlock);
    assert!(stage.describes("Password").starts_with("Type the password this time."));
    stage.unlock_with(PASSWORD);
    stage.clock.advance(6 * DAY);
    again(&stage);
    assert_eq!(stage.page(), Page::Tokens);
}

#[test]
fn a_keyring_that_does_not_help_is_named() {
    let stage = Stage::opened();
    stage.keys();
    stage.keyring.fail_next(KeyringError::Dismissed);
    stage.press("Unlock with this device");
    stage.work();
    assert!(stage.shows("The keyring's question was closed. Try again, or use the password."));
    assert!(!stage.security().get_device_on());
    assert_eq!(stage.kinds(), [SlotKind::Password], "no slot is left whose key nobody has");
    stage.press("Unlock with this device");
    stage.work();
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    for (error, said) in [
        (KeyringError::NoService, "No keyring is running here."),
        (KeyringError::Locked, "The keyring is locked."),
        (KeyringError::Dismissed, "The keyring's question was closed."),
        (KeyringError::TimedOut(Duration::from_secs(1)), "The keyring did not answer."),
        (KeyringError::Refused("no".into()), "The keyring refused."),
    ] {
        stage.keyring.fail_next(error);
        stage.press("Unlock with this device");
        stage.work();
        let problem = stage.window.global::<UnlockAdapter<'_>>().get_keyring_problem();
        let text = stage.window.global::<UnlockAdapter<'_>>().invoke_keyring_text(problem);
        assert!(text.starts_with(said) && stage.shows(&text), "{text}");
    }
    // Another program emptied it.
    let vault = stage.on_disk().vault_id();
    use countersign::platform::keyring::{Keyring as _, Prompting};
    let entry = countersign::controllers::device::entry(vault);
    assert!(stage.keyring.delete(&entry, Prompting::Allowed).unwrap());
    stage.press("Unlock with this device");
    stage.work();
    let gone = "The keyring no longer has the key. Use the password, then switch this device off and on in Settings.";
    assert!(stage.shows(gone));
    stage.unlock_with(PASSWORD);
    assert_eq!(stage.page(), Page::Tokens);
}

#[test]
fn without_a_keyring_the_switch_is_not_there() {
    let stage = Stage::opened();
    stage.keyring.fail_next(KeyringError::NoService);
    stage.keys();
    assert!(!stage.shows("Unlock with this device"));
}

#[test]
fn guessing_costs_what_was_chosen() {
    let stage = Stage::opened();
    stage.keys();
    stage.press("Key strength: 0 MiB, one pass");
    assert_eq!(stage.page(), Page::KeyStrength);
    stage.work();
    assert_eq!(stage.describes("Standard"), "64 MiB, 3 passes: 0.4 s on this machine");
    stage.press("Standard");
    stage.fill("Password", "not it");
    stage.press("Use this strength");
    stage.work();
    assert!(stage.describes("Password").starts_with("That is not the password."));
    stage.fill("Password", PASSWORD);
    stage.press("Use this strength");
    stage.work();
    assert_eq!((stage.page(), stage.notice()), (Page::Security, Notice::StrengthSet));
    assert_eq!(stage.on_disk().kdf(), Some(KdfParams::RECOMMENDED));
}

#[test]
fn nothing_typed_stays_when_a_page_is_left() {
    let stage = Stage::opened();
    stage.keys();
    stage.press("Change password");
    stage.fill("Current password", PASSWORD);
    stage.fill("New password", NEW);
    stage.press("Back");
    assert_eq!(stage.page(), Page::Security);
    assert_eq!(stage.security().get_current(), "");
    assert_eq!(stage.window.global::<UnlockAdapter<'_>>().get_password(), "");
}
