//! One token: its pages.

use countersign_core::{
    qr::{self, Luma},
    secret::SecretText,
    token::Token,
};
use countersign_ui::{DetailAdapter, DetailOver, EditProblem, LookProblem, QrProblem};
use slint::{SharedString, platform::WindowEvent};

use super::*;

impl Stage {
    fn detail(&self) -> DetailAdapter<'_> {
        self.window.global()
    }

    /// With one token, on its page.
    fn on_detail() -> Self {
        let stage = Self::with_token("Example", RFC_SECRET);
        stage.press("Details of Example");
        assert_eq!(stage.page(), Page::Detail);
        stage
    }

    /// On the page that changes it.
    fn on_edit() -> Self {
        let stage = Self::on_detail();
        stage.press("Edit token");
        assert_eq!(stage.page(), Page::Edit);
        stage
    }

    /// With the secret in the form.
    fn with_secret_shown() -> Self {
        let stage = Self::on_edit().tall();
        stage.press("Advanced: kind and secret");
        stage.press("Show and change the secret");
        stage.look(PASSWORD, "Show the secret");
        stage
    }

    /// With the QR code on the screen.
    fn on_qr() -> Self {
        let stage = Self::on_detail();
        stage.press("More");
        stage.press("Show QR code");
        assert_eq!(stage.page(), Page::TokenQr);
        stage.look(PASSWORD, "Show the code");
        assert!(stage.detail().get_qr_shown());
        stage
    }

    fn look(&self, password: &str, confirm: &str) {
        self.fill("Vault password", password);
        self.press(confirm);
        assert_eq!(self.detail().get_look_password(), "", "the password has left the window");
        self.work();
    }

    fn saved(&self) -> Token {
        self.on_disk().content().tokens()[0].clone()
    }

    fn strike(&self, text: impl Into<SharedString>) {
        let text = text.into();
        self.window.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
        self.window.window().dispatch_event(WindowEvent::KeyReleased { text });
        self.settle();
    }

    fn control(&self, key: &str) {
        let control: SharedString = slint::platform::Key::Control.into();
        self.window.window().dispatch_event(WindowEvent::KeyPressed { text: control.clone() });
        self.strike(key);
        self.window.window().dispatch_event(WindowEvent::KeyReleased { text: control });
    }

    fn wide(self) -> Self {
        self.sized(1230, 844)
    }

    /// So tall that nothing is scrolled away.
    fn tall(self) -> Self {
        self.sized(390, 1800)
    }

    fn sized(self, width: u32, height: u32) -> Self {
        self.window.window().set_size(slint::PhysicalSize::new(width, height));
        self.settle();
        self
    }
}

/// What a camera would read of the code that is shown; nothing where none is.
fn scanned(stage: &Stage) -> Vec<String> {
    let Some(pixels) = stage.detail().get_qr().to_rgba8() else { return Vec::new() };
    let (width, scale) = (pixels.width() as usize, 6);
    let shown = image::GrayImage::from_fn((width * scale) as u32, (width * scale) as u32, |x, y| {
        image::Luma([pixels.as_slice()[y as usize / scale * width + x as usize / scale].r])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    shown.write_to(&mut png, image::ImageFormat::Png).unwrap();
    qr::read(&Luma::from_file_bytes(&png.into_inner()).unwrap())
}

#[test]
fn the_detail_says_what_there_is_to_know_and_copies() {
    let stage = Stage::on_detail();
    assert!(stage.shows("Codes: TOTP, SHA-1, 6 digits, every 30 s"));
    assert!(stage.shows("Used: never") && stage.shows("Code 081 804"));
    stage.press("Copy code");
    assert_eq!(stage.clipboard.content.borrow().as_deref(), Some("081804"));
    stage.tick(2);
    assert!(!stage.shows("Used: never"));
    stage.press("Add to favourites");
    assert!(stage.shows("Remove from favourites") && stage.saved().favourite);
}

#[test]
fn a_code_that_is_nearly_over_is_waited_out_before_it_is_read() {
    let stage = Stage::on_detail();
    stage.press("Read it to me");
    assert!(stage.shows("Large code") && stage.shows("A fresh code comes in 1 second"));
    stage.tick(1);
    assert!(stage.shows("0 5 0, 4 7 1, 30 seconds left"));
    let spoken = stage.detail().get_spoken_count();
    stage.tick(3);
    assert_eq!(stage.detail().get_spoken_count(), spoken, "it does not speak by itself");
    assert_eq!(stage.saved().use_count, 1);
    stage.press("Read again");
    assert!(stage.shows("0 5 0, 4 7 1, 27 seconds left"));
    stage.strike(slint::platform::Key::Escape);
    assert!(!stage.shows("Large code"));
    assert_eq!(stage.page(), Page::Detail);
    assert_eq!(stage.detail().get_spoken(), "");
}

#[test]
fn a_fresh_code_can_be_waited_for() {
    let stage = Stage::on_detail();
    stage.tick(11);
    stage.press("More");
    stage.press("Wait for a fresh code, then read it");
    assert!(stage.shows("A fresh code comes in 20 seconds"));
    stage.tick(19);
    assert!(stage.detail().get_waiting());
    stage.tick(1);
    assert!(!stage.detail().get_waiting() && stage.detail().get_spoken() != "");
    stage.press("Close");
    stage.press("Read it to me");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    assert_eq!((stage.detail().get_over(), stage.detail().get_spoken().as_str()), (DetailOver::None, ""));
}

#[test]
fn a_counter_makes_its_code_before_it_is_read() {
    let stage = Stage::opened();
    stage.add_by_hand("VPN", RFC_SECRET, |stage| {
        stage.press("Advanced");
        stage.press("HOTP");
    });
    stage.press("Details of VPN");
    assert!(stage.shows("Code No code yet") && stage.shows("Counter: 0"));
    stage.press("Read it to me");
    assert!(stage.shows("7 5 5, 2 2 4"));
    assert_eq!(stage.saved().spec.kind.counter(), Some(1));
    stage.press("Make the next code, then read it");
    assert!(stage.shows("2 8 7, 0 8 2"));
    assert_eq!(stage.saved().spec.kind.counter(), Some(2));
}

#[test]
fn a_token_is_changed_as_one_change() {
    let stage = Stage::on_edit();
    assert!(!stage.detail().get_can_save(), "nothing changed yet");
    stage.fill("Account", "somebody@example.org");
    stage.fill("Note", "in the safe\nbehind the picture");
    stage.press("New group");
    stage.fill("Name of the new group", "Work");
    stage.press("Add");
    stage.press("Favourite");
    stage.press("Save");
    assert_eq!(stage.page(), Page::Detail);
    assert!(stage.shows("Note: in the safe\nbehind the picture"));
    let session = stage.on_disk();
    let token = &session.content().tokens()[0];
    assert_eq!((token.spec.account.as_str(), token.favourite, token.history.len()), ("somebody@example.org", true, 1));
    assert_eq!(token.groups, [session.content().groups()[0].id]);
    stage.press("Edit token");
    stage.press("Work");
    stage.press("Save");
    assert!(stage.saved().groups.is_empty());
}

#[test]
fn a_token_without_any_name_is_not_saved() {
    let stage = Stage::on_edit();
    stage.fill("Issuer", "  ");
    stage.fill("Account", "");
    let error = stage.find("Issuer").accessible_description().unwrap_or_default();
    assert!(error.starts_with("Give it an issuer or an account"), "{error}");
    assert_eq!(stage.find("Save").accessible_enabled(), Some(false));
    stage.fill("Account", "me");
    assert_eq!(stage.find("Save").accessible_enabled(), Some(true));
}

#[test]
fn leaving_with_changes_asks_whatever_the_way() {
    let stage = Stage::on_edit();
    stage.fill("Account", "somebody");
    for leave in [
        (|stage: &Stage| stage.press("Back")) as fn(&Stage),
        |stage| stage.strike(slint::platform::Key::Escape),
        |stage| {
            stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Settings);
            stage.settle();
        },
        |stage| stage.chord(&[slint::platform::Key::Control], "q"),
    ] {
        leave(&stage);
        assert_eq!(stage.page(), Page::Edit);
        assert!(stage.shows("Leave without saving?"));
        stage.press("Go on editing");
        assert_eq!(stage.value("Account"), "somebody");
    }
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Settings);
    stage.settle();
    stage.press("Discard changes");
    assert_eq!(stage.page(), Page::Settings);
    assert_eq!(stage.saved().spec.account, "me@example.org");
    assert_eq!(stage.detail().get_account(), "", "the draft is gone");
}

#[test]
fn leaving_without_changes_asks_nothing() {
    let stage = Stage::on_edit();
    stage.fill("Account", "somebody");
    stage.fill("Account", "me@example.org");
    stage.press("Back");
    assert_eq!(stage.page(), Page::Detail);
}

#[test]
fn a_save_that_fails_loses_nothing() {
    let stage = Stage::on_edit();
    stage.fill("Account", "somebody");
    let vault = stage.folder.path().join("vault.countersign");
    let aside = stage.folder.path().join("aside");
    std::fs::rename(&vault, &aside).unwrap();
    stage.press("Save");
    assert_eq!(stage.detail().get_edit_problem(), EditProblem::FileGone);
    assert_eq!((stage.page(), stage.value("Account").as_str()), (Page::Edit, "somebody"));
    std::fs::rename(&aside, &vault).unwrap();
    stage.press("Save");
    assert_eq!(stage.page(), Page::Detail);
    assert_eq!(stage.saved().spec.account, "somebody");
}

#[test]
fn the_secret_is_shown_after_the_password_was_given_again() {
    let stage = Stage::on_edit().tall();
    stage.press("Advanced: kind and secret");
    stage.press("Show and change the secret");
    stage.look("not it", "Show the secret");
    assert_eq!(stage.detail().get_look_problem(), LookProblem::WrongPassword);
    assert_eq!(stage.find("Vault password").accessible_description().unwrap_or_default(), "That is not the password.");
    assert_eq!(stage.detail().get_secret(), "");
    stage.look(PASSWORD, "Show the secret");
    assert_eq!(stage.value("Secret"), RFC_SECRET);
    assert!(!stage.detail().get_can_save(), "looking is no change");
    stage.press("Back");
    assert_eq!(stage.page(), Page::Detail);
    assert_eq!(stage.detail().get_secret(), "", "the secret left with the page");
}

#[test]
fn a_changed_secret_is_tried_before_it_is_saved() {
    let stage = Stage::with_secret_shown();
    stage.fill("Secret", "JBSWY3DPEHP1K3PX");
    let error = stage.find("Secret").accessible_description().unwrap_or_default();
    assert!(error.starts_with("Character 12"), "{error}");
    assert!(!stage.detail().get_can_save());
    stage.fill("Secret", "");
    assert!(stage.detail().get_secretless() && !stage.detail().get_can_save());
    stage.fill("Secret", "JBSWY3DPEHPK3PXP");
    let trial = stage.detail().get_trial_code();
    assert!(!trial.is_empty());
    stage.press("Save");
    assert_eq!(stage.saved().spec.secret.base32().expose(), "JBSWY3DPEHPK3PXP");
    assert!(stage.shows(&format!("Code {trial}")));
    assert_eq!(stage.saved().history[0].spec.secret.base32().expose(), RFC_SECRET);
}

#[test]
fn a_lock_takes_the_secret_and_the_draft() {
    let stage = Stage::with_secret_shown();
    stage.fill("Note", "private");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    let detail = stage.detail();
    assert_eq!((detail.get_secret().as_str(), detail.get_note().as_str(), detail.get_issuer().as_str()), ("", "", ""));
    assert_eq!(detail.get_group_choices().row_count() + detail.get_earlier().row_count(), 0);
    assert!(!detail.get_has_token() && !detail.get_secret_shown());
}

#[test]
fn an_icon_is_searched_for_and_chosen() {
    let stage = Stage::on_edit();
    stage.press("Change the icon");
    stage.fill("Search icons by name", "no icon has this name");
    assert!(stage.shows("No icon is called “no icon has this name”."));
    stage.fill("Search icons by name", "gitlab");
    stage.press("GitLab");
    stage.press("Save");
    assert_eq!(stage.saved().icon.as_deref(), Some("gitlab"));
    stage.press("Edit token");
    stage.press("Change the icon");
    stage.press("Letter");
    stage.press("Save");
    assert_eq!(stage.saved().icon.as_deref(), Some("letter"));
    stage.press("Edit token");
    stage.press("Change the icon");
    stage.press("Automatic");
    stage.press("Save");
    assert_eq!(stage.saved().icon, None);
}

#[test]
fn an_earlier_state_comes_back_and_goes_again() {
    let stage = Stage::on_edit();
    stage.fill("Account", "somebody");
    stage.fill("Note", "a note");
    stage.press("Save");
    stage.press("More");
    stage.press("History");
    assert_eq!(stage.page(), Page::History);
    let earlier = stage.detail().get_earlier().row_data(0).unwrap();
    assert!(earlier.other_name && earlier.other_note && !earlier.other_secret && !earlier.other_parameters);
    stage.press(&format!("Restore what was until {}", earlier.until));
    assert_eq!(stage.notice(), Notice::Restored);
    assert_eq!((stage.saved().spec.account.as_str(), stage.saved().note.as_str()), ("me@example.org", ""));
    assert_eq!(stage.detail().get_earlier().row_count(), 2);
    stage.press("Undo");
    assert_eq!((stage.saved().spec.account.as_str(), stage.saved().note.as_str()), ("somebody", "a note"));
}

#[test]
fn a_token_without_changes_has_an_empty_history() {
    let stage = Stage::on_detail();
    stage.press("More");
    stage.press("History");
    assert!(stage.detail().get_earlier().row_count() == 0 && !stage.shows("Restore"));
    stage.strike(slint::platform::Key::Escape);
    assert_eq!(stage.page(), Page::Detail);
}

#[test]
fn the_qr_code_stands_behind_the_password_and_for_a_minute() {
    let stage = Stage::on_detail();
    stage.press("More");
    stage.press("Show QR code");
    assert!(scanned(&stage).is_empty());
    stage.look("not it", "Show the code");
    assert_eq!(stage.detail().get_look_problem(), LookProblem::WrongPassword);
    assert!(!stage.detail().get_qr_shown());
    stage.look(PASSWORD, "Show the code");
    assert!(stage.shows("QR code of Example"));
    let [link] = <[String; 1]>::try_from(scanned(&stage)).unwrap();
    assert!(link.starts_with("otpauth://totp/Example:") && link.contains(RFC_SECRET), "{link}");
    stage.tick(59);
    assert!(stage.detail().get_qr_shown());
    stage.tick(1);
    assert!(!stage.detail().get_qr_shown() && scanned(&stage).is_empty());
}

#[test]
fn the_qr_code_goes_with_its_page_and_with_a_lock() {
    let stage = Stage::on_qr();
    stage.press("Hide");
    assert!(scanned(&stage).is_empty() && stage.shows("Vault password"));
    stage.look(PASSWORD, "Show the code");
    stage.press("Back");
    assert!(scanned(&stage).is_empty() && stage.parts.detail.qr.borrow().is_none());
    stage.press("More");
    stage.press("Show QR code");
    stage.look(PASSWORD, "Show the code");
    assert!(!scanned(&stage).is_empty());
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.settle();
    assert!(scanned(&stage).is_empty() && !stage.detail().get_qr_shown());
}

#[test]
fn a_password_that_is_right_too_late_shows_nothing() {
    let stage = Stage::on_detail();
    stage.press("More");
    stage.press("Show QR code");
    stage.fill("Vault password", PASSWORD);
    stage.press("Show the code");
    stage.press("Back");
    stage.work();
    assert!(!stage.detail().get_qr_shown() && scanned(&stage).is_empty());
}

#[test]
fn the_link_is_copied_and_cleared_like_a_code() {
    let stage = Stage::on_qr();
    stage.press("Copy the link");
    assert_eq!(stage.notice(), Notice::Copied);
    assert!(stage.clipboard.content.borrow().as_deref().unwrap_or_default().starts_with("otpauth://totp/Example"));
    stage.tick(30);
    assert_eq!(*stage.clipboard.content.borrow(), None);
    stage.clipboard.refuses.set(true);
    stage.press("Copy the link");
    assert_eq!(stage.notice(), Notice::LinkNotCopied);
}

#[test]
fn the_code_is_saved_as_a_picture_for_its_owner_only() {
    let stage = Stage::on_qr();
    let path = stage.folder.path().join("token.png");
    stage.picker.answer(Picked::Cancelled);
    stage.press("Save as a picture");
    stage.work();
    assert!(!path.exists() && !stage.detail().get_qr_busy());
    stage.picker.answer(Picked::File(path.clone()));
    stage.press("Save as a picture");
    stage.work();
    assert_eq!(stage.notice(), Notice::PictureSaved);
    let names: Vec<_> = stage.picker.asked();
    assert!(format!("{names:?}").contains("Example (me@example.org).png"), "{names:?}");
    let read = qr::read(&Luma::from_file_bytes(&std::fs::read(&path).unwrap()).unwrap());
    assert!(read[0].contains(RFC_SECRET));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_picture_that_cannot_be_written_is_told_and_never_takes_the_vaults_place() {
    let stage = Stage::on_qr();
    for place in [stage.folder.path().join("no such folder/x.png"), stage.folder.path().join("vault.countersign")] {
        stage.picker.answer(Picked::File(place));
        stage.press("Save as a picture");
        stage.work();
        assert_eq!(stage.detail().get_qr_problem(), QrProblem::CannotWrite);
    }
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
    stage.picker.answer(Picked::NoDialog);
    stage.press("Save as a picture");
    stage.work();
    let path = stage.folder.path().join("typed.png");
    stage.fill("Path of the picture", &path.display().to_string());
    stage.press("Save there");
    stage.work();
    assert!(path.exists());
}

#[test]
fn who_came_in_with_the_recovery_key_is_asked_for_a_word_only() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let mut session = stage.on_disk();
    let mut random = (stage.parts.services.random)();
    let key = session.new_recovery_key(&mut *random, RFC_TIME).unwrap();
    let store = FileStore::new(stage.folder.path().join("vault.countersign"));
    let key = Key::Recovery(SecretText::new(key.expose().to_owned()));
    stage.parts.door.enter(Session::open(Box::new(store), &key).unwrap());
    bind::show_open(&stage.window, &stage.parts);
    stage.settle();
    stage.press("Details of Example");
    stage.press("More");
    stage.press("Show QR code");
    assert!(!stage.shows("Vault password"));
    assert!(scanned(&stage).is_empty());
    stage.press("Show the code");
    assert_eq!(scanned(&stage).len(), 1);
}

#[test]
fn names_that_no_code_holds_are_told() {
    let stage = Stage::on_edit();
    stage.fill("Account", &"x".repeat(3000));
    stage.press("Save");
    stage.press("More");
    stage.press("Show QR code");
    stage.look(PASSWORD, "Show the code");
    assert_eq!(stage.detail().get_qr_problem(), QrProblem::TooLong);
}

#[test]
fn a_token_goes_to_the_trash_and_comes_back() {
    let stage = Stage::on_detail();
    stage.press("More");
    stage.press("Move to trash");
    assert_eq!((stage.page(), stage.notice()), (Page::Tokens, Notice::Removed));
    assert_eq!(stage.on_disk().content().tokens().len(), 0);
    stage.press("Undo");
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
    assert!(stage.shows("Example, me@example.org"));
}

#[test]
fn beside_the_list_another_token_closes_what_was_open_unless_it_was_changed() {
    let stage = Stage::with_token("Example", RFC_SECRET).wide();
    stage.add_by_hand("Other", "JBSWY3DPEHPK3PXP", |_| {});
    let select = |issuer: &str| {
        let tokens = stage.window.global::<TokensAdapter<'_>>();
        let row = tokens.get_rows().iter().find(|row| row.title == issuer).unwrap();
        tokens.invoke_select(row.id);
        stage.settle();
    };
    select("Example");
    stage.press("Show QR code");
    stage.look(PASSWORD, "Show the code");
    assert!(stage.detail().get_qr_shown());
    select("Other");
    assert!(!stage.detail().get_qr_shown() && stage.page() == Page::Tokens);
    stage.control("e");
    assert_eq!(stage.page(), Page::Edit);
    select("Example");
    assert_eq!(stage.page(), Page::Tokens);
    stage.control("e");
    stage.fill("Account", "somebody");
    select("Other");
    assert_eq!((stage.page(), stage.value("Account").as_str()), (Page::Edit, "somebody"));
    stage.press("Save");
    assert!(stage.on_disk().content().tokens().iter().any(|t| t.spec.title() == "Example (somebody)"));
}

#[test]
fn the_panes_controls_are_reached_by_tab() {
    let stage = Stage::with_token("Example", RFC_SECRET).wide();
    // Backwards from the list, so from the end of the window; what else is met there goes away by Escape.
    let reached = (1..=8).any(|steps| {
        stage.strike(slint::platform::Key::Escape);
        (0..steps).for_each(|_| stage.strike(slint::platform::Key::Backtab));
        stage.strike(" ");
        stage.clipboard.content.borrow().is_some()
    });
    assert!(reached);
}
