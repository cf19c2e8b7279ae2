//! What is the same in every code of a version.

use rxing::qrcode::common::Version;

/// The modules of a version that do not depend on what it holds.
pub(super) struct Known {
    /// Modules on a side.
    pub(super) size: usize,
    /// Centres of modules, and 1 where they are light, -1 where they are dark.
    pub(super) modules: Vec<(f32, f32, f32)>,
    /// The module in the middle of the last alignment pattern; version 1 has none.
    pub(super) last_alignment: Option<f32>,
}

impl Known {
    pub(super) fn new(version: u32) -> Option<Self> {
        let size = 17 + 4 * version as usize;
        let mut modules = Vec::new();
        let mut add = |x: usize, y: usize, dark: bool| {
            modules.push((x as f32 + 0.5, y as f32 + 0.5, if dark { -1.0 } else { 1.0 }));
        };
        // A finder pattern and its separator: rings around the middle at 3, 3.
        for y in 0..8usize {
            for x in 0..8usize {
                let ring = x.abs_diff(3).max(y.abs_diff(3));
                let dark = ring != 2 && ring != 4;
                add(x, y, dark);
                add(size - 1 - x, y, dark);
                add(x, size - 1 - y, dark);
            }
        }
        for at in 8..size - 8 {
            add(at, 6, at % 2 == 0);
            add(6, at, at % 2 == 0);
        }
        let centres = Version::Model2(version).ok()?.getAlignmentPatternCenters().to_vec();
        let last = centres.last().copied();
        for &cy in &centres {
            for &cx in &centres {
                let in_finder = |a: u32, b: u32| a == 6 && (b == 6 || Some(b) == last);
                if in_finder(cx, cy) || in_finder(cy, cx) {
                    continue;
                }
                for (dx, dy) in (0..25).map(|n| (n % 5, n / 5)) {
                    let ring = 2usize.abs_diff(dx).max(2usize.abs_diff(dy));
                    add(cx as usize + dx - 2, cy as usize + dy - 2, ring != 1);
                }
            }
        }
        Some(Self { size, modules, last_alignment: last.map(|centre| centre as f32 + 0.5) })
    }
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, EcLevel, QrCode, Version};

    use super::*;

    #[test]
    fn codes_have_these_modules() {
        for version in [1, 2, 6, 7, 13, 14, 21, 32, 40u32] {
            let code = QrCode::with_version("x", Version::Normal(version as i16), EcLevel::L).unwrap();
            let known = Known::new(version).unwrap();
            assert_eq!(known.size, code.width());
            for (x, y, shade) in known.modules {
                let dark = code[(x as usize, y as usize)] == Color::Dark;
                assert_eq!(dark, shade < 0.0, "version {version}, module {x} {y}");
            }
        }
        assert!(Known::new(41).is_none());
    }
}
