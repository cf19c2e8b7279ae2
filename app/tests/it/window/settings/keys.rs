//! Everything by keyboard.

use slint::platform::Key;

use super::*;

#[test]
fn the_map_of_keys_comes_and_goes() {
    let stage = Stage::opened();
    for open in ["?", "F1"] {
        if open == "F1" {
            stage.type_key(Key::F1)
        } else {
            stage.with_control("?")
        }
        assert!(stage.shows("Ctrl+L: Lock") && stage.shows("Enter: Copy the code"));
        stage.type_key(Key::Escape);
        assert!(!stage.shows("Ctrl+L: Lock"));
    }
}

#[test]
fn keys_lead_to_the_pages() {
    let stage = Stage::opened();
    stage.with_control(",");
    assert_eq!(stage.page(), Page::Settings);
    stage.with_control("b");
    assert_eq!(stage.page(), Page::Backup);
    stage.type_key(Key::Escape);
    assert_eq!(stage.page(), Page::Tokens);
    stage.with_control("l");
    assert_eq!(stage.page(), Page::Unlock);
}

#[test]
fn a_choice_is_made_with_arrows_and_enter() {
    let stage = Stage::in_settings(|_| {});
    stage.press("Clear clipboard: 30 s");
    assert!(stage.is_in_focus("After 30 seconds"));
    stage.type_key(Key::DownArrow);
    assert!(stage.is_in_focus("After a minute"));
    stage.type_key(Key::Tab);
    assert!(stage.is_in_focus("After a minute"), "the sheet keeps the keys");
    stage.type_key(Key::Return);
    assert_eq!(stage.settings().clipboard_seconds, 60);
    assert!(stage.is_in_focus("Clear clipboard: 60 s"), "the line has the keys again");
    stage.type_key(Key::Return);
    stage.type_key(Key::End);
    assert!(stage.is_in_focus("After two minutes"));
    stage.type_key(Key::Escape);
    assert_eq!(stage.window.global::<SettingsAdapter<'_>>().get_choosing(), SettingChoice::None);
    assert_eq!(stage.settings().clipboard_seconds, 60, "Escape changes nothing");
}

#[test]
fn a_page_that_comes_takes_the_keys_and_tab_goes_on_with_its_first_control() {
    let stage = Stage::in_settings(|_| {});
    stage.type_key(Key::Tab);
    assert!(stage.is_in_focus("Lock automatically"));
    stage.press("Appearance: As the system");
    stage.type_key(Key::Tab);
    assert!(stage.is_in_focus("Back"));
    stage.type_key(Key::Tab);
    assert!(stage.is_in_focus("Colours: As the system"));
    stage.type_key(Key::Tab);
    assert!(stage.is_in_focus("High contrast"));
    stage.type_key(" ");
    assert!(stage.settings().high_contrast);
}

#[test]
fn keys_work_after_each_change_of_page() {
    let stage = Stage::opened();
    let navigation = stage.window.global::<NavigationAdapter<'_>>();
    for page in [Page::Settings, Page::Appearance, Page::About, Page::Locking, Page::Security, Page::Backup] {
        navigation.invoke_go(page);
        stage.settle();
        stage.with_control(",");
        assert_eq!(stage.page(), Page::Settings, "from {page:?}");
    }
}
