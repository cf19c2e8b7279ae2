//! Settings, locks and keys.

use countersign_ui::{ClockProblem, LoginStart, NavigationAdapter, Page, SettingChoice, SettingsAdapter, Theme};
use slint::ComponentHandle as _;

use super::{Outcome, Stage};

pub(crate) fn draw(stage: &Stage) -> Outcome {
    let settings = stage.window.global::<SettingsAdapter<'_>>();
    let theme = stage.window.global::<Theme<'_>>();

    stage.go(Page::Settings);
    settings.set_tray_offered(true);
    settings.set_login_start(LoginStart::Off);
    stage.shot("settings")?;
    settings.set_choosing(SettingChoice::Language);
    stage.shot("language")?;
    settings.set_choosing(SettingChoice::None);
    stage.window.global::<NavigationAdapter<'_>>().set_keys_open(true);
    stage.shot("keys")?;

    stage.go(Page::Appearance);
    stage.shot("appearance")?;
    settings.set_high_contrast(true);
    theme.set_high_contrast(true);
    stage.shot("appearance-high-contrast")?;
    stage.go(Page::Tokens);
    stage.shot("high-contrast-tokens")?;
    theme.set_high_contrast(false);
    stage.go(Page::About);
    stage.shot("about")?;

    theme.set_scale(2.0);
    settings.set_text_size(200);
    stage.shot("text-200-about")?;
    stage.go(Page::Tokens);
    stage.shot("text-200-tokens")?;
    stage.go(Page::Settings);
    stage.shot("text-200-settings")?;
    settings.set_choosing(SettingChoice::TextSize);
    stage.shot("text-200-chooser")?;
    settings.set_choosing(SettingChoice::None);
    stage.window.global::<NavigationAdapter<'_>>().set_keys_open(true);
    stage.shot("text-200-keys")?;
    theme.set_scale(1.0);
    settings.set_text_size(100);

    stage.go(Page::Tokens);
    settings.set_clock_problem(ClockProblem::NotSet);
    stage.shot("clock-banner")?;
    settings.set_clock_problem(ClockProblem::None);

    for (language, name) in [("de", "german"), ("tr", "turkish"), ("qps", "rtl")] {
        slint::select_bundled_translation(language)?;
        stage.go(Page::Tokens);
        stage.shot(&format!("tokens-{name}"))?;
        stage.go(Page::Settings);
        stage.shot(&format!("settings-{name}"))?;
    }
    slint::select_bundled_translation("")?;
    Ok(())
}
