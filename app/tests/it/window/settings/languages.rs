//! The languages of the window, and one that nobody speaks.

use super::*;

const PAGES: [Page; 21] = [
    Page::Tokens,
    Page::Detail,
    Page::Edit,
    Page::History,
    Page::TokenQr,
    Page::Trash,
    Page::Groups,
    Page::AddPicture,
    Page::AddCamera,
    Page::AddClipboard,
    Page::AddManual,
    Page::Backup,
    Page::Restore,
    Page::Automatic,
    Page::Settings,
    Page::Appearance,
    Page::Locking,
    Page::Security,
    Page::ChangePassword,
    Page::KeyStrength,
    Page::About,
];

#[test]
fn a_language_speaks_at_once_and_is_kept() {
    let stage = Stage::in_settings(|_| {});
    stage.press("Language: As the system");
    assert!(stage.checked("As the system"));
    stage.press("Deutsch");
    assert!(stage.shows("Sprache: Deutsch"));
    assert_eq!(stage.settings().language.as_deref(), Some("de"));
    stage.press("Sprache: Deutsch");
    stage.press("Türkçe");
    assert!(stage.shows("Dil: Türkçe"));
    stage.press("Dil: Türkçe");
    stage.press("Sistemdeki gibi");
    assert!(stage.shows("Language: As the system"));
    assert_eq!(stage.settings().language, None);
}

#[test]
fn the_system_chooses_the_language_until_somebody_does() {
    let stage = Stage::on(|platform| platform.locale = Some("de-AT".into()));
    assert!(stage.shows("Einen Tresor anlegen"));
}

#[test]
fn a_chosen_language_holds_against_the_systems() {
    let chosen = Stage::chosen(|settings| settings.language = Some("en".into()));
    let stage = Stage::over(chosen, |platform| platform.locale = Some("tr".into()));
    assert!(stage.shows("Create a vault"));
}

#[test]
fn numbers_take_the_form_that_the_language_wants() {
    let stage = Stage::opened();
    let navigation = stage.window.global::<NavigationAdapter<'_>>();
    navigation.set_notice(Notice::Added);
    for (language, one, many) in [
        ("", "Added one token", "Added 3 tokens"),
        ("de", "Ein Token hinzugefügt", "3 Token hinzugefügt"),
        ("tr", "Bir token eklendi", "3 token eklendi"),
    ] {
        slint::select_bundled_translation(language).unwrap();
        navigation.set_notice_number(1);
        assert_eq!(navigation.invoke_notice_text(), one);
        navigation.set_notice_number(3);
        assert_eq!(navigation.invoke_notice_text(), many);
    }
}

/// Right to left and 40 % longer: each page comes, in both layouts, and nothing on it speaks English.
#[test]
fn a_language_from_right_to_left_breaks_nothing() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    slint::select_bundled_translation("qps").unwrap();
    let navigation = stage.window.global::<NavigationAdapter<'_>>();
    let mut wrong = Vec::new();
    for size in [(390, 844), (1230, 844)] {
        stage.window.window().set_size(slint::PhysicalSize::new(size.0, size.1));
        for page in PAGES {
            navigation.invoke_go(page);
            stage.settle();
            stage.work();
            assert_eq!(stage.page(), page);
            let width = stage.window.window().size().width as f32;
            for (label, left, right) in stage.labels() {
                if is_english(&label) {
                    wrong.push(format!("{page:?} says {label:?} in no catalogue"));
                }
                if left < -1.0 || right > width + 1.0 {
                    wrong.push(format!("{page:?}: {label:?} is from {left} to {right} of {width}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

impl Stage {
    /// What is on the screen, by its label, with its left and right edge.
    pub(super) fn labels(&self) -> Vec<(String, f32, f32)> {
        let mut found = Vec::new();
        i_slint_backend_testing::ElementQuery::from_root(&self.window)
            .match_predicate(|element| element.accessible_label().is_some_and(|label| !label.is_empty()))
            .find_all()
            .into_iter()
            .for_each(|element| {
                let (at, size) = (element.absolute_position(), element.size());
                if size.width > 0.0 && size.height > 0.0 {
                    found.push((element.accessible_label().unwrap_or_default().into(), at.x, at.x + size.width));
                }
            });
        found
    }
}

/// A sentence or word of the source, and no name, number or key of its own.
fn is_english(label: &str) -> bool {
    const NAMES: [&str; 16] = [
        "Countersign",
        "me@example.org",
        "Example",
        "English",
        "Deutsch",
        "Türkçe",
        // Of the toolkit's own badge
        "https://slint.dev/",
        "Version",
        "slint.dev",
        "#MadeWithSlint",
        "TOTP",
        "HOTP",
        "Steam",
        "mOTP",
        "Yandex",
        "SHA",
    ];
    let mut rest = label.to_owned();
    for name in NAMES {
        rest = rest.replace(name, "");
    }
    rest.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() > 3)
}
