//! Adding tokens: by hand, from pictures, from the clipboard.

use countersign_core::{qr::Luma, uri::migration};

use super::*;

const LINK: &str = "otpauth://totp/Example:bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example";
const OTHER: &str = "otpauth://totp/GitHub:ada?secret=JBSWY3DPEHPK3PXP&issuer=GitHub";

impl Stage {
    fn add_adapter(&self) -> AddAdapter<'_> {
        self.window.global()
    }

    fn by_hand(&self) {
        self.window.global::<NavigationAdapter<'_>>().invoke_add_by_hand();
        self.settle();
    }

    /// Ctrl+V on the list, with that on the clipboard.
    fn paste(&self, text: &str) {
        *self.clipboard.content.borrow_mut() = Some(text.to_owned());
        self.window.global::<NavigationAdapter<'_>>().invoke_add_from_clipboard();
        self.settle();
    }

    fn picture(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, Matrix::new(text).unwrap().to_png(300)).unwrap();
        path
    }

    fn key(&self, text: impl Into<slint::SharedString>) {
        let text = text.into();
        self.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        self.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text });
        self.settle();
    }
}

fn luma(text: &str) -> Luma {
    Luma::from_file_bytes(&Matrix::new(text).unwrap().to_png(300)).unwrap()
}

#[test]
fn a_token_typed_by_hand_shows_the_code_of_the_rfc() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    assert_eq!(stage.notice(), Notice::Added);
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
    assert_eq!(stage.add_adapter().get_secret(), "", "the secret has left the window");
    // 1111111111 is the RFC's next time, in the next step.
    stage.tick(2);
    assert_eq!(stage.value("Example, me@example.org"), "050 471");
}

#[test]
fn the_first_code_shows_while_the_secret_is_typed() {
    let stage = Stage::opened();
    stage.by_hand();
    stage.fill("Secret", "G");
    assert!(!stage.shows(&format!("First code {RFC_CODE}")));
    assert!(!stage.add_adapter().get_can_preview());
    stage.fill("Secret", RFC_SECRET);
    assert!(stage.shows(&format!("First code {RFC_CODE}")));
    stage.tick(2);
    assert!(stage.shows("First code 050 471"), "it is renewed as in the list");
    stage.press("Advanced");
    stage.press("HOTP");
    assert!(stage.shows("First code 755 224"), "RFC 4226, appendix D");
    stage.fill("Counter", "1");
    assert!(stage.shows("First code 287 082"));
    stage.fill("Counter", "many");
    assert_eq!(stage.find("Counter").accessible_description().unwrap_or_default(), "A whole number");
    assert!(!stage.add_adapter().get_can_preview());
}

#[test]
fn kinds_with_a_pin_say_what_is_missing() {
    let stage = Stage::opened();
    stage.by_hand();
    stage.press("Advanced");
    stage.press("mOTP");
    stage.fill("Secret", "e3152afee62599c8");
    assert!(stage.shows("There is a code when the PIN is typed."));
    stage.fill("PIN", "1234");
    assert!(!stage.shows("There is a code when the PIN is typed."));
    stage.press("Add token");
    assert!(stage.on_disk().content().tokens()[0].spec.kind.pin().is_some());
    assert_eq!(stage.add_adapter().get_pin(), "", "the PIN has left the window");
}

#[test]
fn a_wrong_character_is_named_where_it_is() {
    let stage = Stage::opened();
    stage.by_hand();
    stage.fill("Secret", "JBSWY3DPEHP1K3PX");
    let error = stage.find("Secret").accessible_description().unwrap_or_default();
    assert_eq!(error, "Character 12 is “1”. Base32 has no 1: did you mean “I” or “L”?");
    assert!(!stage.add_adapter().get_can_preview());
}

#[test]
fn what_was_typed_leaves_the_window_with_its_page() {
    let stage = Stage::opened();
    stage.by_hand();
    stage.fill("Secret", RFC_SECRET);
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Settings);
    stage.settle();
    assert_eq!(stage.add_adapter().get_secret(), "");
    assert_eq!(stage.add_adapter().get_typed(), countersign_ui::FoundRow::default());
}

#[test]
fn a_link_in_the_secret_is_a_whole_token() {
    let stage = Stage::opened();
    stage.by_hand();
    stage.fill("Secret", &format!("otpauth://totp/Example:alice?secret={RFC_SECRET}&issuer=Example&digits=8"));
    stage.press("Look at the link");
    assert_eq!(stage.page(), Page::Found);
    assert!(stage.shows("First code 0708 1804"));
    stage.press("Add token");
    assert_eq!(stage.value("Example, alice"), "0708 1804");
}

#[test]
fn a_second_token_with_the_same_secret_is_said_to_be_one() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.by_hand();
    stage.fill("Secret", RFC_SECRET);
    assert!(stage.shows("A token with this secret is in the vault already."));
    stage.press("Add all the same");
    assert_eq!(stage.on_disk().content().tokens().len(), 2);
}

#[test]
fn a_group_is_chosen_and_made_when_the_token_is_added() {
    let stage = Stage::opened();
    stage.paste(LINK);
    assert_eq!(stage.page(), Page::Found);
    stage.press("New group");
    stage.fill("Name of the new group", "Work");
    stage.press("Make group");
    assert!(stage.find("Work").accessible_checked().unwrap_or_default());
    assert!(stage.on_disk().content().groups().is_empty(), "nothing is made before the token is added");
    stage.press("Add token");
    let vault = stage.on_disk();
    assert_eq!(vault.content().groups()[0].name, "Work");
    assert_eq!(vault.content().tokens()[0].groups, [vault.content().groups()[0].id]);
    stage.paste(OTHER);
    assert!(!stage.find("Work").accessible_checked().unwrap_or(true), "offered, not chosen");
    stage.press("Work");
    stage.press("Add token");
    assert_eq!(stage.on_disk().content().tokens()[1].groups.len(), 1);
}

#[test]
fn how_codes_are_made_can_be_changed_before_adding() {
    let stage = Stage::opened();
    stage.paste(LINK);
    assert!(stage.shows("TOTP, SHA-1, 6 digits, 30 seconds"));
    stage.press("Advanced");
    stage.fill("Digits", "8");
    assert!(stage.shows("First code 0708 1804"));
    stage.fill("Digits", "88");
    assert_eq!(stage.find("Digits").accessible_description().unwrap_or_default(), "1 to 12");
    assert!(!stage.find("Add token").accessible_enabled().unwrap_or(true));
    stage.fill("Digits", "8");
    stage.fill("Issuer", "Elsewhere");
    stage.press("Add token");
    assert_eq!(stage.value("Elsewhere, bob"), "0708 1804");
}

#[test]
fn a_picture_is_chosen_looked_at_and_added() {
    let stage = Stage::opened();
    stage.picker.answer(Picked::File(stage.picture("qr.png", LINK)));
    stage.press("Add from a picture");
    stage.press("Choose pictures");
    stage.work();
    assert_eq!(stage.page(), Page::Found);
    assert_eq!(stage.on_disk().content().tokens().len(), 0, "nothing is added before it was seen");
    stage.fill("Account", "robert");
    stage.press("Add token");
    assert_eq!(stage.value("Example, robert"), RFC_CODE);
}

#[test]
fn several_pictures_are_read_at_once() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    for (name, link) in [("a.png", LINK), ("b.png", OTHER), ("c.png", OTHER)] {
        stage.picker.answer(Picked::File(stage.picture(name, link)));
    }
    stage.picker.answer(Picked::File(stage.folder.path().join("nowhere.png")));
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_from_picture();
    stage.settle();
    stage.press("Choose pictures");
    stage.work();
    assert_eq!(stage.page(), Page::Found);
    assert!(stage.shows("One code was there twice: it is the same token, and counts once."));
    assert!(stage.shows("One more could not be read."));
    assert_eq!(stage.find("Example, bob").accessible_description().unwrap_or_default(), "Already here");
    assert!(!stage.find("Example, bob").accessible_checked().unwrap_or(true));
    assert!(stage.find("GitHub, ada").accessible_checked().unwrap_or_default());
    stage.press("Add 1 token");
    assert_eq!(stage.on_disk().content().tokens().len(), 2);
}

#[test]
fn one_of_several_can_be_left_out() {
    let stage = Stage::opened();
    stage.paste(&format!("{LINK}\n{OTHER}\notpauth://totp/Third?secret=MFXHIZLTORUW43TH"));
    stage.press("GitHub, ada");
    stage.press("Add 2 tokens");
    let vault = stage.on_disk();
    let names: Vec<_> = vault.content().tokens().iter().map(|token| token.spec.title()).collect();
    assert_eq!(names, ["Example (bob)", "Third"]);
    assert_eq!(stage.notice(), Notice::Added);
}

#[test]
fn the_same_link_twice_is_said() {
    let stage = Stage::opened();
    stage.paste(&format!("{LINK}\n{LINK}"));
    assert_eq!(stage.page(), Page::Found);
    assert!(stage.shows("One code was there twice: it is the same token, and counts once."));
    assert!(stage.shows("Add token"));
    // The same secret under another name is another link, and the same token.
    stage.paste(&format!("{LINK}\n{}", LINK.replace("bob", "robert")));
    assert_eq!(stage.find("Example, robert").accessible_description().unwrap_or_default(), "Same token as above");
    stage.press("Add 1 token");
    assert_eq!(stage.on_disk().content().tokens().len(), 1);
}

#[test]
fn files_that_are_dropped_together_are_read_together() {
    let stage = Stage::opened();
    for (name, link) in [("a.png", LINK), ("b.png", OTHER)] {
        bind::dropped(&stage.window, &stage.parts, stage.picture(name, link));
    }
    stage.settle();
    stage.work();
    assert_eq!(stage.page(), Page::Found);
    stage.press("Add 2 tokens");
    assert_eq!(stage.on_disk().content().tokens().len(), 2);
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    bind::dropped(&stage.window, &stage.parts, stage.picture("a.png", LINK));
    stage.settle();
    stage.work();
    assert_eq!(stage.page(), Page::Unlock, "a locked window takes nothing");
}

#[test]
fn without_a_dialog_a_path_can_be_typed() {
    let stage = Stage::opened();
    stage.picker.answer(Picked::NoDialog);
    stage.press("Add from a picture");
    stage.press("Choose pictures");
    stage.work();
    assert_eq!(stage.add_adapter().get_problem(), AddProblem::NoDialog);
    stage.fill("Or its path", "/nowhere/qr.png");
    stage.press("Read this file");
    stage.work();
    let error = stage.find("Or its path").accessible_description().unwrap_or_default();
    assert_eq!(error, "There is no such file, or it may not be read.");
}

#[test]
fn a_picture_that_holds_no_token_is_named_for_what_it_is() {
    let stage = Stage::opened();
    stage.press("Add from a picture");
    for (text, problem) in [
        ("https://example.org", AddProblem::WebAddress),
        ("WIFI:S:net;T:WPA;P:pass;;", AddProblem::Wifi),
        ("otpauth://totp/a", AddProblem::LinkSecretMissing),
    ] {
        let path = stage.picture("qr.png", text);
        stage.fill("Or its path", &path.display().to_string());
        stage.press("Read this file");
        stage.work();
        assert_eq!(stage.add_adapter().get_problem(), problem);
        let error = stage.find("Or its path").accessible_description().unwrap_or_default();
        assert!(error.len() > 20, "{problem:?} has no words");
    }
    std::fs::write(stage.folder.path().join("empty.png"), image_without_code()).unwrap();
    stage.fill("Or its path", &stage.folder.path().join("empty.png").display().to_string());
    stage.press("Read this file");
    stage.work();
    assert_eq!(stage.add_adapter().get_problem(), AddProblem::NoCode);
    // What went wrong before is no part of what is found then.
    stage.fill("Or its path", &stage.picture("qr.png", LINK).display().to_string());
    stage.press("Read this file");
    stage.work();
    assert_eq!(stage.page(), Page::Found);
    assert!(!stage.shows("One more could not be read."));
}

#[test]
fn parts_of_an_export_come_from_anywhere_and_in_any_order() {
    let stage = Stage::opened();
    let specs: Vec<_> = ('A'..='Y')
        .map(|name| {
            let link = format!("otpauth://totp/Site{name}:a?secret=GEZDGNBVGY3TQO{name}{name}&issuer=Site{name}");
            countersign_core::uri::parse(&link).unwrap().spec
        })
        .collect();
    let export = migration::write(&specs, 7);
    assert!(export.parts.len() > 1);
    let last = export.parts.len() - 1;
    stage.paste(export.parts[last].expose());
    assert_eq!(stage.page(), Page::AddClipboard);
    assert!(stage.shows(&format!("This is part of a Google export: 1 of {} parts. Read the others too.", last + 1)));
    for part in &export.parts[..last] {
        *stage.clipboard.content.borrow_mut() = Some(part.expose().to_owned());
        stage.press("Try again");
    }
    assert_eq!(stage.page(), Page::Found);
    stage.press(&format!("Add {} tokens", specs.len()));
    assert_eq!(stage.on_disk().content().tokens().len(), specs.len());
}

#[test]
fn a_copied_picture_is_searched_elsewhere() {
    let stage = Stage::opened();
    *stage.clipboard.picture.borrow_mut() = Some(luma(LINK));
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.press("From the clipboard");
    assert!(stage.add_adapter().get_busy());
    stage.work();
    assert_eq!(stage.page(), Page::Found);
    stage.press("Back");
    assert_eq!(stage.page(), Page::Tokens, "there is no clipboard page to go back to");
}

#[test]
fn a_copied_file_is_read() {
    let stage = Stage::opened();
    let path = stage.picture("qr.png", LINK);
    stage.paste(&format!("file://{}", path.display()));
    stage.work();
    assert_eq!(stage.page(), Page::Found);
}

#[test]
fn a_clipboard_that_gives_no_token_says_why() {
    let stage = Stage::opened();
    stage.window.global::<NavigationAdapter<'_>>().invoke_add_from_clipboard();
    stage.settle();
    assert_eq!(stage.page(), Page::AddClipboard);
    assert_eq!(stage.add_adapter().get_problem(), AddProblem::ClipboardEmpty);

    stage.clipboard.refuses.set(true);
    stage.press("Try again");
    assert_eq!(stage.add_adapter().get_problem(), AddProblem::ClipboardRefused);
    stage.clipboard.refuses.set(false);

    *stage.clipboard.picture.borrow_mut() = Some(Luma::new(64, 64, vec![255; 64 * 64]).unwrap());
    stage.press("Try again");
    stage.work();
    assert_eq!(stage.add_adapter().get_problem(), AddProblem::NoCode);
    *stage.clipboard.picture.borrow_mut() = None;

    for (text, problem) in [
        ("a shopping list", AddProblem::NoToken),
        ("https://example.org", AddProblem::WebAddress),
        ("https://mfa.example.org/enroll?code=1", AddProblem::Enrollment),
        ("fido:/123", AddProblem::Passkey),
        ("phonefactor://activate_account?code=1&url=x", AddProblem::MicrosoftPush),
        ("{\"format\":\"countersign-vault\"}", AddProblem::Vault),
    ] {
        *stage.clipboard.content.borrow_mut() = Some(text.into());
        stage.press("Try again");
        assert_eq!(stage.add_adapter().get_problem(), problem);
    }
    stage.press("Enter manually");
    assert_eq!(stage.page(), Page::AddManual);
}

#[test]
fn a_copied_backup_leads_to_where_it_is_restored() {
    let stage = Stage::opened();
    stage.paste("-----BEGIN COUNTERSIGN BACKUP-----\nQ1NCMQ");
    assert!(stage.shows("That is a Countersign backup. It is restored, not added."));
    stage.press("Restore the backup");
    assert_eq!(stage.page(), Page::Restore);
}

#[test]
fn a_copied_secret_is_taken_to_the_form() {
    let stage = Stage::opened();
    stage.paste(RFC_SECRET);
    assert_eq!(stage.add_adapter().get_problem(), AddProblem::BareSecret);
    stage.press("Use it as the secret");
    assert_eq!(stage.page(), Page::AddManual);
    assert!(stage.shows(&format!("First code {RFC_CODE}")));
}

#[test]
fn control_v_on_the_list_pastes_and_in_the_search_writes() {
    let stage = Stage::opened();
    *stage.clipboard.content.borrow_mut() = Some(LINK.into());
    let control = slint::SharedString::from(slint::platform::Key::Control);
    stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: control.clone() });
    stage.key("v");
    stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text: control });
    assert_eq!(stage.page(), Page::Found);
}

#[test]
fn the_sheet_is_walked_by_keys_and_keeps_the_focus() {
    let stage = Stage::opened();
    let navigation = stage.window.global::<NavigationAdapter<'_>>();
    navigation.invoke_add();
    stage.settle();
    // Scan, picture, clipboard, manually.
    for _ in 0..3 {
        stage.key(slint::platform::Key::DownArrow);
    }
    stage.key(slint::platform::Key::Return);
    assert_eq!(stage.page(), Page::AddManual);

    navigation.invoke_add();
    stage.settle();
    stage.key(slint::platform::Key::UpArrow);
    stage.key(slint::platform::Key::Return);
    assert_eq!(stage.page(), Page::MoveIn, "up from the first is the last");

    navigation.invoke_add();
    stage.settle();
    // Seven ways, for this system's screen cannot be looked at: the eighth Tab is on the second again.
    for _ in 0..8 {
        stage.key(slint::platform::Key::Tab);
    }
    stage.key(slint::platform::Key::Return);
    assert_eq!(stage.page(), Page::AddPicture, "Tab stays within the sheet");

    navigation.invoke_add();
    stage.settle();
    stage.key(slint::platform::Key::Escape);
    assert!(!navigation.get_sheet_open());
    assert_eq!(stage.page(), Page::AddPicture);
}

fn image_without_code() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::GrayImage::from_pixel(80, 80, image::Luma([255])).write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn what_is_typed_at_once_goes_into_the_first_field() {
    let stage = Stage::opened();
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    stage.press("Enter manually");
    for key in ["a", "b"] {
        let text: slint::SharedString = key.into();
        stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyPressed { text: text.clone() });
        stage.window.window().dispatch_event(slint::platform::WindowEvent::KeyReleased { text });
        stage.settle();
    }
    assert_eq!(stage.value("Issuer"), "ab");
}
