//! A text as a QR code: modules, a PNG file, a page, a terminal.

use std::fmt;

use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroize as _;

use crate::secret::SecretText;

/// Light modules that ISO/IEC 18004 asks for on every side.
const QUIET: usize = 4;

/// The longest side of a PNG in pixels, above which [`Matrix::to_png`] does not go.
const MAX_SIDE: usize = 8192;

/// A QR code as modules, without its quiet zone of four. Wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Matrix {
    size: usize,
    dark: Vec<bool>,
}

/// The text has more than the 2,953 bytes that a QR code holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR code")]
pub struct TooLong;

impl Matrix {
    /// Makes the smallest code of medium error correction (low where the text is long).
    pub fn new(text: &str) -> Result<Self, TooLong> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)
            .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L))
            .map_err(|_| TooLong)?;
        let size = code.width();
        let dark = code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { size, dark })
    }

    /// Modules on a side, without the quiet zone.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether a module is dark; outside is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark[y * self.size + x]
    }

    /// A PNG file of at least `pixels` on a side (at most 8,192), quiet zone included, whole pixels a module.
    pub fn to_png(&self, pixels: u32) -> Vec<u8> {
        let modules = self.size + 2 * QUIET;
        let wanted = usize::try_from(pixels).unwrap_or(MAX_SIDE).min(MAX_SIDE);
        let scale = wanted.div_ceil(modules).min(MAX_SIDE / modules).max(1);
        let side = modules * scale;
        let mut grey = Vec::with_capacity(side * side);
        for y in 0..side {
            grey.extend((0..side).map(|x| if self.is_dark_with_quiet(x / scale, y / scale) { 0 } else { u8::MAX }));
        }
        let mut file = Vec::new();
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let written = PngEncoder::new(&mut file).write_image(&grey, side, side, ExtendedColorType::L8);
        debug_assert!(written.is_ok(), "a Vec takes every byte and the length fits the size");
        grey.zeroize();
        file
    }

    /// An SVG image for a page, quiet zone included, a unit a module.
    pub fn to_svg(&self) -> SecretText {
        use fmt::Write as _;

        /// Characters of a run at the most.
        const RUN: usize = 24;

        let side = self.size + 2 * QUIET;
        let runs = |y: usize| {
            let begins = move |x: &usize| self.is_dark(*x, y) && !(*x > 0 && self.is_dark(*x - 1, y));
            (0..self.size).filter(begins).map(move |x| (x, (x..self.size).take_while(|x| self.is_dark(*x, y)).count()))
        };
        // Its memory is taken once: growing would leave copies behind.
        let count: usize = (0..self.size).map(|y| runs(y).count()).sum();
        let mut svg = String::with_capacity(100 + count * RUN);
        // Writing into a String cannot fail.
        let _ = write!(svg, "<svg viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><path d=\"");
        for (y, (x, run)) in (0..self.size).flat_map(|y| runs(y).map(move |run| (y, run))) {
            let _ = write!(svg, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
        }
        svg.push_str("\"/></svg>");
        SecretText::new(svg)
    }

    /// Lines of half blocks for a terminal, quiet zone included. The colours are set, black on white, so that the code
    /// is the same on dark and on light terminals.
    pub fn to_terminal(&self) -> String {
        // Palette entries 16 and 231 are black and white whatever theme the terminal has; 0 and 15 need not be.
        const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
        const RESET: &str = "\x1b[0m";
        let modules = self.size + 2 * QUIET;
        let mut out = String::new();
        for y in (0..modules).step_by(2) {
            out.push_str(BLACK_ON_WHITE);
            for x in 0..modules {
                out.push(match (self.is_dark_with_quiet(x, y), self.is_dark_with_quiet(x, y + 1)) {
                    (false, false) => ' ',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (true, true) => '█',
                });
            }
            out.push_str(RESET);
            out.push('\n');
        }
        out
    }

    /// The same with the quiet zone counted in.
    fn is_dark_with_quiet(&self, x: usize, y: usize) -> bool {
        x >= QUIET && y >= QUIET && self.is_dark(x - QUIET, y - QUIET)
    }
}

impl Drop for Matrix {
    fn drop(&mut self) {
        self.dark.zeroize();
    }
}

// The modules are the secret that the text holds.
impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matrix").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finder_patterns_stand_in_three_corners() {
        let code = Matrix::new("otpauth://totp/A?secret=GEZDGNBV").unwrap();
        let last = code.size() - 1;
        for (x, y) in [(0, 0), (last, 0), (0, last), (last - 6, 0), (6, 6)] {
            assert!(code.is_dark(x, y), "{x} {y}");
        }
        assert!(!code.is_dark(last + 1, 0) && !code.is_dark(usize::MAX, usize::MAX));
        assert_eq!((code.size() - 17) % 4, 0);
    }

    #[test]
    fn a_long_text_falls_back_to_low_correction_and_a_longer_one_is_refused() {
        // ISO/IEC 18004 table 7: version 40 holds 2,331 bytes at M and 2,953 at L.
        for (length, fits) in [(2331, true), (2332, true), (2953, true), (2954, false)] {
            assert_eq!(Matrix::new(&"x".repeat(length)).is_ok(), fits, "{length}");
        }
    }

    #[test]
    fn an_image_for_a_page_covers_the_dark_modules_and_no_other() {
        let code = Matrix::new("otpauth://totp/A?secret=GEZDGNBV").unwrap();
        let svg = code.to_svg();
        let side = code.size() + 8;
        let head = format!("<svg viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\"><path d=\"M");
        let path = svg.expose().strip_prefix(&head).unwrap().strip_suffix("z\"/></svg>").unwrap();
        let mut dark = vec![false; side * side];
        for run in path.split("zM") {
            let (place, run) = run.split_once('h').unwrap();
            let (x, y) = place.split_once(' ').unwrap();
            let (length, back) = run.split_once("v1h-").unwrap();
            assert_eq!(length, back);
            let at: usize = x.parse::<usize>().unwrap() + y.parse::<usize>().unwrap() * side;
            dark[at..at + length.parse::<usize>().unwrap()].fill(true);
        }
        let meant: Vec<bool> = (0..side * side).map(|at| code.is_dark_with_quiet(at % side, at / side)).collect();
        assert!(dark == meant);
    }

    #[test]
    fn a_terminal_line_holds_two_rows_with_the_quiet_zone() {
        let code = Matrix::new("A").unwrap();
        let text = code.to_terminal();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), (21 + 8usize).div_ceil(2));
        for line in &lines {
            let shown = line.strip_prefix("\x1b[38;5;16;48;5;231m").and_then(|l| l.strip_suffix("\x1b[0m")).unwrap();
            assert_eq!(shown.chars().count(), 21 + 8);
        }
        assert!(lines[0].contains(&" ".repeat(29)) && lines[1].contains(&" ".repeat(29)));
        assert!(lines[2].contains("    █▀▀▀▀▀█ "));
    }

    #[test]
    fn debug_shows_no_modules() {
        assert_eq!(format!("{:?}", Matrix::new("A").unwrap()), "Matrix { size: 21, .. }");
    }
}
