//! Colours of avatars, with contrast as WCAG 2.2 measures it (success criteria 1.4.3 and 1.4.11).

use std::fmt;

use countersign_core::matching::fold;

/// A colour of sRGB, 8 bits a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Rgb {
    /// White.
    pub const WHITE: Self = Self::of(0xFFFFFF);
    /// Black.
    pub const BLACK: Self = Self::of(0);

    /// `0xRRGGBB`.
    pub const fn of(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self { red, green, blue }
    }

    /// The contrast ratio between two colours, from 1 (the same) to 21 (black and white).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Rgb {
    /// As CSS writes it: `#rrggbb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

/// The two colours of a brand's icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plate {
    /// Behind the drawing.
    pub background: Rgb,
    /// The drawing: at least 3:1 on the background.
    pub foreground: Rgb,
}

// The surfaces and texts of the theme (ui/theme.slint): what an icon stands on, and what stands out from it.
const LIGHT: (Rgb, Rgb) = (Rgb::WHITE, Rgb::of(0x14181F));
const DARK: (Rgb, Rgb) = (Rgb::of(0x181D23), Rgb::of(0xEEF2F6));
/// Below this a plate cannot be told from the surface under it.
const VISIBLE: f64 = 1.25;

/// A brand's colour as a plate with the drawing on it in white, or in black where white would be below 3:1. A colour
/// that would vanish on the surface (white in the light theme, black in the dark one) changes places: the plate takes
/// the theme's text colour and the drawing the brand's.
pub fn plate(brand: Rgb, dark: bool) -> Plate {
    let (surface, text) = if dark { DARK } else { LIGHT };
    if brand.contrast(surface) < VISIBLE {
        return Plate { background: text, foreground: brand };
    }
    let foreground = if brand.contrast(Rgb::WHITE) >= 3.0 { Rgb::WHITE } else { Rgb::BLACK };
    Plate { background: brand, foreground }
}

/// The colours behind a letter. White has at least 4.5:1 on each.
pub const LETTER_COLOURS: [Rgb; 10] = [
    Rgb::of(0x0A7F62),
    Rgb::of(0x24292F),
    Rgb::of(0xB4540A),
    Rgb::of(0x5B5FC7),
    Rgb::of(0x1D4ED8),
    Rgb::of(0xA21CAF),
    Rgb::of(0xBE123C),
    Rgb::of(0x0E7490),
    Rgb::of(0x4D7C0F),
    Rgb::of(0x7C3AED),
];

/// Which of [`LETTER_COLOURS`] belongs to an issuer: the same on every device, in every version, and in whatever case
/// the name is written.
pub fn letter_colour_index(issuer: &str) -> usize {
    // FNV-1a: the standard library's hash is free to change between versions.
    let hash =
        fold(issuer).bytes().fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // The lowest bits change little between names that differ in few letters.
    (hash >> 10) as usize % LETTER_COLOURS.len()
}

/// The colour behind an issuer's letter, for white text.
pub fn letter_colour(issuer: &str) -> Rgb {
    LETTER_COLOURS.get(letter_colour_index(issuer)).copied().unwrap_or(Rgb::BLACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icons::{by_slug, search};

    #[test]
    fn contrast_is_that_of_wcag() {
        let close = |a: f64, b: f64| (a - b).abs() < 0.01;
        assert!(close(Rgb::BLACK.contrast(Rgb::WHITE), 21.0));
        assert!(close(Rgb::WHITE.contrast(Rgb::of(0x777777)), 4.48));
        assert!(close(Rgb::of(0xFF0000).contrast(Rgb::WHITE), 4.0));
    }

    #[test]
    fn every_icon_is_readable_and_stands_out_in_both_themes() {
        for icon in search("", usize::MAX) {
            for (dark, (surface, _)) in [(false, LIGHT), (true, DARK)] {
                let Plate { background, foreground } = plate(icon.colour(), dark);
                assert!(foreground.contrast(background) >= 3.0, "{icon:?} {dark}");
                assert!(background.contrast(surface) >= VISIBLE, "{icon:?} {dark}");
            }
        }
    }

    #[test]
    fn black_and_white_brands_change_places_where_they_would_vanish() {
        let github = by_slug("github").unwrap().colour();
        assert_eq!(plate(github, false), Plate { background: github, foreground: Rgb::WHITE });
        assert_eq!(plate(github, true), Plate { background: DARK.1, foreground: github });
        assert_eq!(plate(Rgb::WHITE, false), Plate { background: LIGHT.1, foreground: Rgb::WHITE });
        assert_eq!(plate(Rgb::WHITE, true), Plate { background: Rgb::WHITE, foreground: Rgb::BLACK });
        assert_eq!(plate(Rgb::of(0xFFDD00), false).foreground, Rgb::BLACK);
    }

    #[test]
    fn letters_are_readable_on_their_colours() {
        for colour in LETTER_COLOURS {
            assert!(colour.contrast(Rgb::WHITE) >= 4.5, "{colour}");
        }
    }

    #[test]
    fn a_letters_colour_belongs_to_its_issuer() {
        assert_eq!(letter_colour("Corp PAM"), letter_colour(" corp pam "));
        // Pinned: a colour that changed with an update would mislead everyone who finds a token by it.
        let of = |names: &[&str]| names.iter().map(|name| letter_colour_index(name)).collect::<Vec<_>>();
        assert_eq!(of(&["Amazon", "Microsoft", "Corp PAM", "", "日本"]), [3, 2, 2, 7, 7]);
        let mut seen = [0_u32; LETTER_COLOURS.len()];
        for number in 0..1000 {
            seen[letter_colour_index(&format!("Company {number}"))] += 1;
        }
        assert!(seen.iter().all(|count| (60..=140).contains(count)), "{seen:?}");
    }
}
