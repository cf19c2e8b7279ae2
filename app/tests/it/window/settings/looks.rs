//! Colours, contrast, size of text and movement.

use super::*;

impl Stage {
    fn theme(&self) -> Theme<'_> {
        self.window.global()
    }

    fn dark(&self) -> bool {
        self.theme().get_dark()
    }
}

#[test]
fn colours_follow_the_choice_at_once() {
    let stage = Stage::in_settings(|_| {});
    stage.press("Appearance: As the system");
    assert!(!stage.dark());
    stage.press("Colours: As the system");
    stage.press("Dark");
    assert!(stage.dark() && stage.shows("Colours: Dark"));
    assert_eq!(stage.settings().scheme, Scheme::Dark);
    stage.press("Colours: Dark");
    stage.press("Light");
    assert!(!stage.dark());
    stage.press("Colours: Light");
    stage.press("As the system");
    assert!(!stage.dark(), "the system of the tests says nothing");
}

#[test]
fn what_was_chosen_holds_from_the_first_frame() {
    let chosen = Stage::chosen(|settings| {
        settings.scheme = Scheme::Dark;
        settings.text_size = 150;
    });
    let again = Stage::over(chosen, |_| {});
    assert!(again.dark());
    assert_eq!(again.theme().get_scale(), 1.5);
}

#[test]
fn a_palette_that_knows_nothing_is_as_light_or_dark_as_its_background() {
    let stage = Stage::new();
    let palette = stage.window.global::<Palette<'_>>();
    palette.set_color_scheme(ColorScheme::Dark);
    let slint::Brush::SolidColor(dark) = palette.get_background() else { panic!("no plain colour") };
    assert_eq!(dark, slint::Color::from_rgb_u8(0x1C, 0x1C, 0x1C), "Theme.dark compares with it");
    palette.set_color_scheme(ColorScheme::Unknown);
    assert!(!stage.dark());
}

#[test]
fn text_grows_and_what_holds_it_too() {
    let stage = Stage::in_settings(|_| {});
    let before = (stage.find("Lock automatically").size().height, stage.theme().get_control());
    stage.press("Appearance: As the system");
    stage.press("Size of text: 100 %");
    stage.press("200 %");
    assert_eq!(stage.theme().get_scale(), 2.0);
    assert_eq!(stage.settings().text_size, 200);
    stage.window.global::<NavigationAdapter<'_>>().invoke_back();
    stage.settle();
    assert!(stage.find("Lock automatically").size().height >= before.0 + 20.0);
    assert!(stage.theme().get_control() >= before.1 + 20.0);
}

#[test]
fn movement_and_contrast_follow_the_switch() {
    let stage = Stage::in_settings(|_| {});
    stage.press("Appearance: As the system");
    assert_eq!((stage.theme().get_quick(), stage.theme().get_calm()), (150, 220));
    stage.press("Reduce motion");
    assert_eq!((stage.theme().get_quick(), stage.theme().get_calm()), (0, 0));
    let quiet = stage.theme().get_quiet();
    stage.press("High contrast");
    assert_ne!(stage.theme().get_quiet(), quiet);
    assert!(stage.settings().high_contrast && stage.settings().reduce_motion);
}

#[test]
fn what_the_system_asks_for_holds_without_the_switch() {
    let asked = Wishes { reduce_motion: true, high_contrast: true };
    let stage = Stage::in_settings(|platform| platform.wishes = Arc::new(FixedWishes(asked)));
    stage.press("Appearance: As the system");
    assert!(stage.theme().get_reduce_motion() && stage.theme().get_high_contrast());
    assert!(stage.checked("Reduce motion") && stage.checked("High contrast"));
    assert_eq!(stage.find("Reduce motion").accessible_enabled(), Some(false));
    assert!(!stage.settings().reduce_motion, "nobody chose it here");
}

/// Contrast of two colours as WCAG 2.2 defines it, 1 to 21.
fn contrast(one: slint::Color, other: slint::Color) -> f64 {
    let linear = |channel: u8| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |c: slint::Color| 0.2126 * linear(c.red()) + 0.7152 * linear(c.green()) + 0.0722 * linear(c.blue());
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

#[test]
fn every_text_and_outline_stands_out() {
    assert!(
        (contrast(slint::Color::from_rgb_u8(0, 0, 0), slint::Color::from_rgb_u8(255, 255, 255)) - 21.0).abs() < 1e-9
    );
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for (scheme, high) in
        [(ColorScheme::Light, false), (ColorScheme::Light, true), (ColorScheme::Dark, false), (ColorScheme::Dark, true)]
    {
        stage.window.global::<Palette<'_>>().set_color_scheme(scheme);
        let theme = stage.theme();
        theme.set_high_contrast(high);
        let grounds = [
            ("background", theme.get_background()),
            ("surface", theme.get_surface()),
            ("surface-hover", theme.get_surface_hover()),
        ];
        let texts = [
            ("text", theme.get_text()),
            ("quiet", theme.get_quiet()),
            ("accent", theme.get_accent()),
            ("warning", theme.get_warning()),
            ("danger", theme.get_danger()),
        ];
        let mut pairs = vec![
            ("accent on its surface", theme.get_accent(), theme.get_accent_surface()),
            ("text on accent\'s surface", theme.get_text(), theme.get_accent_surface()),
            ("quiet on accent\'s surface", theme.get_quiet(), theme.get_accent_surface()),
            ("on accent", theme.get_on_accent(), theme.get_accent()),
            ("on accent under the pointer", theme.get_on_accent(), theme.get_accent_hover()),
            ("on danger", theme.get_on_accent(), theme.get_danger()),
            ("danger on its surface", theme.get_danger(), theme.get_danger_surface()),
            ("text on danger\'s surface", theme.get_text(), theme.get_danger_surface()),
            ("message", theme.get_on_message(), theme.get_message()),
            ("message\'s button", theme.get_on_message_accent(), theme.get_message()),
        ];
        for (text, colour) in texts {
            pairs.extend(grounds.map(|(_, ground)| (text, colour, ground)));
        }
        let least = if high { 7.0 } else { 4.5 };
        for (name, one, other) in pairs {
            if contrast(one, other) < least {
                wrong.push(format!("{scheme:?} high={high} {name}: {:.2}", contrast(one, other)));
            }
        }
        let mut outlines = vec![
            ("ring on its track", theme.get_accent(), theme.get_track()),
            ("ending ring on its track", theme.get_warning(), theme.get_track()),
        ];
        outlines.extend(grounds.map(|(_, ground)| ("outline", theme.get_outline(), ground)));
        if high {
            outlines.extend(grounds.map(|(_, ground)| ("line", theme.get_line(), ground)));
        }
        for (name, one, other) in outlines {
            if contrast(one, other) < 3.0 {
                wrong.push(format!("{scheme:?} high={high} {name}: {:.2}", contrast(one, other)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn large_text_stays_within_a_narrow_window() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.window.window().set_size(slint::PhysicalSize::new(390, 800));
    stage.theme().set_scale(2.0);
    for language in ["", "de"] {
        slint::select_bundled_translation(language).unwrap();
        for page in [Page::Tokens, Page::Backup, Page::Settings, Page::Account] {
            stage.go(page);
            for element in
                i_slint_backend_testing::ElementQuery::from_root(&stage.window).match_descendants().find_all()
            {
                let right = element.absolute_position().x + element.size().width;
                let told = element.accessible_label().filter(|label| !label.is_empty());
                assert!(told.is_none() || right <= 391.0, "{language} {page:?}: {told:?} ends at {right}");
            }
        }
    }
    slint::select_bundled_translation("").unwrap();
    stage.go(Page::Tokens);
    stage.window.global::<NavigationAdapter<'_>>().invoke_add();
    stage.settle();
    // Two lines of a title and three of what it is about.
    let item = stage.find("From a picture").size();
    assert!(item.height >= 130.0, "{item:?}");
}
