//! What rows have in common: pictures and short words for a token.

use std::{cell::RefCell, collections::HashMap};

use countersign_core::token::{Algorithm, KindName, TokenSpec};
use countersign_ui::AvatarLook;

use crate::icons::{self, Face, Rgb};

/// The picture of a token, for both themes. `chosen` is the name of an icon, as in `Token::icon`.
pub fn look(issuer: &str, account: &str, chosen: Option<&str>) -> AvatarLook {
    let light = icons::avatar(issuer, account, chosen, false);
    let dark = icons::avatar(issuer, account, chosen, true);
    let (letter, path) = match light.face {
        Face::Letter(letter) => (letter, String::new()),
        Face::Path(path) => (String::new(), path),
    };
    AvatarLook {
        letter: letter.into(),
        path: path.into(),
        background: colour(light.background),
        foreground: colour(light.foreground),
        dark_background: colour(dark.background),
        dark_foreground: colour(dark.foreground),
    }
}

fn colour(Rgb { red, green, blue }: Rgb) -> slint::Color {
    slint::Color::from_rgb_u8(red, green, blue)
}

/// Pictures that were asked for lately: a path takes microseconds to unpack, and a list asks for it at each step of a
/// scroll.
#[derive(Default)]
pub struct Looks(RefCell<HashMap<LookKey, AvatarLook>>);

/// Issuer, account and chosen icon.
type LookKey = (String, String, Option<String>);

impl Looks {
    /// Some screens full; paths have up to 16 KiB.
    const KEPT: usize = 256;

    /// The picture, as [`look`] makes it.
    pub fn look(&self, issuer: &str, account: &str, chosen: Option<&str>) -> AvatarLook {
        let mut kept = self.0.borrow_mut();
        let key = (issuer.to_owned(), account.to_owned(), chosen.map(str::to_owned));
        if let Some(known) = kept.get(&key) {
            return known.clone();
        }
        if kept.len() >= Self::KEPT {
            kept.clear();
        }
        let made = look(issuer, account, chosen);
        kept.insert(key, made.clone());
        made
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// What is said of every kind but the usual one.
pub fn badge(kind: KindName) -> &'static str {
    match kind {
        KindName::Totp => "",
        KindName::Hotp => "HOTP",
        KindName::Steam => "Steam",
        KindName::Motp => "mOTP",
        KindName::Yandex => "Yandex",
    }
}

/// How codes are made, in one line: `TOTP, SHA-1, 6 digits, 30 s`.
pub fn parameters(spec: &TokenSpec) -> String {
    let kind = match spec.kind.name() {
        KindName::Totp => "TOTP",
        other => badge(other),
    };
    let mut text = kind.to_owned();
    if let Some(algorithm) = spec.kind.algorithm() {
        text.push_str(match algorithm {
            Algorithm::Sha1 => ", SHA-1",
            Algorithm::Sha256 => ", SHA-256",
            Algorithm::Sha512 => ", SHA-512",
        });
    }
    text.push_str(&format!(", {} digits", spec.kind.digits()));
    if let Some(period) = spec.kind.period() {
        text.push_str(&format!(", {} s", period.seconds()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_has_its_path_and_everything_else_its_letter() {
        let brand = look("GitHub", "", None);
        assert!(brand.letter.is_empty() && brand.path.starts_with('M'), "{brand:?}");
        assert_ne!(brand.background, brand.dark_background, "black on the dark theme would not be seen");
        let letter = look("Corp PAM", "", None);
        assert_eq!((letter.letter.as_str(), letter.path.as_str()), ("C", ""));
    }

    #[test]
    fn what_is_kept_is_what_would_be_made_and_is_not_kept_for_ever() {
        let looks = Looks::default();
        for n in 0..=Looks::KEPT {
            let issuer = format!("Issuer {n}");
            assert_eq!(looks.look(&issuer, "a", None), look(&issuer, "a", None));
            assert_eq!(looks.look(&issuer, "a", None), look(&issuer, "a", None));
        }
        assert_eq!(looks.0.borrow().len(), 1);
        assert_ne!(looks.look("Issuer 1", "a", Some("github")), looks.look("Issuer 1", "a", None));
        looks.clear();
        assert!(looks.0.borrow().is_empty());
    }
}
