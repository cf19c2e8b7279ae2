//! Settings of this device: what can be chosen, and what holds once the system's own wishes are heard.

use std::{cell::Cell, io, rc::Rc};

use super::Services;
use crate::{
    platform::wishes::Wishes,
    settings::{Scheme, Settings},
};

/// Seconds after which the clipboard can be cleared.
pub const CLIPBOARD_SECONDS: [u64; 5] = [10, 20, 30, 60, 120];

/// Sizes of text in percent.
pub const TEXT_SIZES: [u16; 8] = [80, 90, 100, 110, 125, 150, 175, 200];

/// Languages that the window speaks, as tags. The first one is that of the texts in the source.
pub const LANGUAGES: [&str; 3] = ["en", "de", "tr"];

/// How the window looks and speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Light, dark, or as the system has it.
    pub scheme: Scheme,
    /// 7:1 for every text.
    pub high_contrast: bool,
    /// Size of text; 1 is the usual one.
    pub scale: f32,
    /// No movement.
    pub reduce_motion: bool,
    /// One of [`LANGUAGES`].
    pub language: &'static str,
}

/// The pages of settings.
pub struct SettingsController {
    services: Rc<Services>,
    wishes: Cell<Wishes>,
}

impl SettingsController {
    /// Over the settings of `services`.
    pub fn new(services: Rc<Services>) -> Self {
        Self { services, wishes: Cell::default() }
    }

    /// How the window looks and speaks now.
    pub fn look(&self) -> Look {
        let wishes = self.wishes.get();
        self.services.settings.with(|settings| Look {
            scheme: settings.scheme,
            high_contrast: settings.high_contrast || wishes.high_contrast,
            scale: f32::from(settings.text_size.clamp(TEXT_SIZES[0], TEXT_SIZES[TEXT_SIZES.len() - 1])) / 100.0,
            reduce_motion: settings.reduce_motion || wishes.reduce_motion,
            language: language(settings.language.as_deref().or(self.services.platform.locale.as_deref())),
        })
    }

    /// What the system's user asked of every program, as far as it is known.
    pub fn wishes(&self) -> Wishes {
        self.wishes.get()
    }

    /// Asks the system for its user's wishes; `done` is called here when they are known.
    pub fn ask_wishes(self: &Rc<Self>, done: impl FnOnce() + 'static) {
        let (system, this) = (self.services.platform.wishes.clone(), self.clone());
        self.services.tasks.run(
            move || system.wishes(),
            move |wishes| {
                this.wishes.set(wishes);
                done();
            },
        );
    }

    /// The language as a place in the list of choices: 0 is the system's, then [`LANGUAGES`].
    pub fn language_choice(&self) -> usize {
        self.services.settings.with(|settings| {
            let chosen = settings.language.as_deref();
            chosen
                .and_then(|tag| LANGUAGES.iter().position(|known| *known == language(Some(tag))))
                .map_or(0, |at| at + 1)
        })
    }

    /// Chooses the language by its place in the list of choices.
    pub fn choose_language(&self, choice: usize) -> io::Result<()> {
        let tag = choice.checked_sub(1).and_then(|at| LANGUAGES.get(at)).map(|tag| (*tag).to_owned());
        self.change(|settings| settings.language = tag)
    }

    /// Chooses after how long the clipboard is cleared, by its place in [`CLIPBOARD_SECONDS`].
    pub fn choose_clipboard(&self, choice: usize) -> io::Result<()> {
        let Some(seconds) = CLIPBOARD_SECONDS.get(choice) else { return Ok(()) };
        self.change(|settings| settings.clipboard_seconds = *seconds)
    }

    /// Chooses the size of text by its place in [`TEXT_SIZES`].
    pub fn choose_text_size(&self, choice: usize) -> io::Result<()> {
        let Some(size) = TEXT_SIZES.get(choice) else { return Ok(()) };
        self.change(|settings| settings.text_size = *size)
    }

    /// Chooses the colours: 0 as the system has them, 1 light, 2 dark.
    pub fn choose_scheme(&self, choice: usize) -> io::Result<()> {
        let scheme = match choice {
            1 => Scheme::Light,
            2 => Scheme::Dark,
            _ => Scheme::System,
        };
        self.change(|settings| settings.scheme = scheme)
    }

    /// Changes settings, and saves them. Where saving fails the change still holds until the program ends.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) -> io::Result<()> {
        self.services.settings.change(change)
    }
}

/// The one of [`LANGUAGES`] that a tag such as `de-AT` asks for; English for a language that is not there.
fn language(tag: Option<&str>) -> &'static str {
    let base = tag.and_then(|tag| tag.split(['-', '_', '.', '@']).next()).unwrap_or_default().to_ascii_lowercase();
    LANGUAGES.into_iter().find(|known| *known == base).unwrap_or(LANGUAGES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_tag() {
        for (tag, known) in [
            (Some("de"), "de"),
            (Some("de-AT"), "de"),
            (Some("tr_TR.UTF-8"), "tr"),
            (Some("TR"), "tr"),
            (Some("den"), "en"),
            (Some("C"), "en"),
            (Some(""), "en"),
            (None, "en"),
        ] {
            assert_eq!(language(tag), known, "{tag:?}");
        }
    }
}
