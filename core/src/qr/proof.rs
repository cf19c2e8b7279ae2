//! What a code's error correction proves.
//!
//! A Reed-Solomon code that corrects t bytes takes about one in t! random words for a code with errors (McEliece and
//! Swanson 1986). The smallest QR codes correct two to seven bytes: among the patches of noise that a ladder looks at,
//! some would "read". ISO/IEC 18004 keeps a part of their redundancy for detection, which decoders use up.

use qrcode::{
    Color, EcLevel, Version,
    bits::Bits,
    canvas::{Canvas, MaskPattern},
    ec::construct_codewords,
};
use rxing::common::BitMatrix;

/// Whether so many bytes are corrected in a block that no noise reads as one: 8 and more.
pub(super) fn is_strong(version: u32, level: char) -> bool {
    // ISO/IEC 18004, table 9: bytes corrected, where they are fewer than eight.
    match version {
        1 => level == 'H',
        2 => level != 'L',
        3 => level != 'L',
        _ => true,
    }
}

/// Whether the modules are those of the text itself, but for few. Noise that reads as a text is as far from it as error
/// correction reaches; a real code is close, and ends in the standard's own filling.
pub(super) fn fits(modules: &BitMatrix, is_mirrored: bool, version: u32, level: char, bytes: &[u8]) -> bool {
    let level = match level {
        'L' => EcLevel::L,
        'M' => EcLevel::M,
        'Q' => EcLevel::Q,
        _ => EcLevel::H,
    };
    let Ok(number) = i16::try_from(version) else { return false };
    let most_wrong = modules.width() as usize * modules.width() as usize / 100;
    segmentations(Version::Normal(number), level, bytes).into_iter().any(|data| {
        MASKS
            .into_iter()
            .any(|mask| distance(&data, mask, modules, is_mirrored).is_some_and(|wrong| wrong <= most_wrong))
    })
}

/// Whether a text that was seen twice is one: noise that reads as digits or capitals does so by a dozen bits, noise that
/// reads as a line of anything else does not.
pub(super) fn is_line(text: &str) -> bool {
    let is_alphanumeric = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || " $%*+-./:".contains(c);
    text.len() >= 6 && !text.contains(|c: char| c.is_control() || c == '\u{fffd}') && !text.chars().all(is_alphanumeric)
}

const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// The symbol without its mask, for each way in which encoders write such a text.
fn segmentations(version: Version, level: EcLevel, bytes: &[u8]) -> Vec<Canvas> {
    type Push = fn(&mut Bits, &[u8]) -> qrcode::QrResult<()>;
    let is_digits = bytes.iter().all(u8::is_ascii_digit);
    let is_alphanumeric =
        bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b" $%*+-./:".contains(b));
    let ways: [(bool, Push); 4] = [
        (true, |bits, bytes| bits.push_byte_data(bytes)),
        (is_alphanumeric, |bits, bytes| bits.push_alphanumeric_data(bytes)),
        (is_digits, |bits, bytes| bits.push_numeric_data(bytes)),
        (true, |bits, bytes| bits.push_optimal_data(bytes)),
    ];
    let canvas = |push: Push| {
        let mut bits = Bits::new(version);
        push(&mut bits, bytes).ok()?;
        bits.push_terminator(level).ok()?;
        let (data, correction) = construct_codewords(&bits.into_bytes(), version, level).ok()?;
        let mut canvas = Canvas::new(version, level);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &correction);
        Some(canvas)
    };
    ways.into_iter().filter(|(applies, _)| *applies).filter_map(|(_, push)| canvas(push)).collect()
}

/// Modules that differ; `None` where the sizes do.
fn distance(canvas: &Canvas, mask: MaskPattern, modules: &BitMatrix, is_mirrored: bool) -> Option<usize> {
    let mut canvas = canvas.clone();
    canvas.apply_mask(mask);
    let size = modules.width() as usize;
    let dark: Vec<bool> = canvas.into_colors().into_iter().map(|color| color == Color::Dark).collect();
    if dark.len() != size * size || modules.height() as usize != size {
        return None;
    }
    let differs = |at: &usize| {
        let (x, y) = ((at % size) as u32, (at / size) as u32);
        let is_dark = if is_mirrored { modules.get(y, x) } else { modules.get(x, y) };
        is_dark != dark[*at]
    };
    Some((0..size * size).filter(differs).count())
}

#[cfg(test)]
mod tests {
    use qrcode::QrCode;

    use super::*;

    fn matrix(code: &QrCode) -> BitMatrix {
        let size = code.width() as u32;
        let mut matrix = BitMatrix::new(size, size).unwrap();
        for (at, color) in (0..).zip(code.to_colors()) {
            matrix.set_bool(at % size, at / size, color == Color::Dark);
        }
        matrix
    }

    #[test]
    fn a_small_code_fits_its_own_text_and_no_other() {
        for text in ["HELLO", "hello", "0123456789", "A1b2"] {
            let code = QrCode::with_version(text, Version::Normal(1), EcLevel::L).unwrap();
            let mut modules = matrix(&code);
            assert!(fits(&modules, false, 1, 'L', text.as_bytes()), "{text}");
            modules.flip_coords(15, 15);
            modules.flip_coords(12, 12);
            modules.flip_coords(11, 17);
            assert!(fits(&modules, false, 1, 'L', text.as_bytes()), "{text}");
            assert!(!fits(&modules, false, 1, 'L', b"other"));
            assert!(!fits(&modules, false, 2, 'L', text.as_bytes()));
        }
    }

    #[test]
    fn a_line_has_more_than_digits_and_capitals() {
        assert!(is_line("otpauth") && is_line("größer"));
        assert!(!is_line("HELLO WORLD") && !is_line("0123456789") && !is_line("ab") && !is_line("abc\u{1}def"));
    }

    #[test]
    fn only_the_smallest_codes_prove_little() {
        assert!(!is_strong(1, 'L') && !is_strong(1, 'Q') && is_strong(1, 'H'));
        assert!(!is_strong(2, 'L') && is_strong(2, 'M') && !is_strong(3, 'L') && is_strong(4, 'L'));
    }
}
