//! Finder patterns in black and white: along every third row, runs of pixels in the proportions 1:1:3:1:1.
//!
//! The runs come from words of 64 pixels, so that a white row costs next to nothing: most of a screen is one. Around what
//! fits, rxing looks in all directions.

use rxing::{
    Point,
    common::{
        BitMatrix,
        cpp_essentials::{ConcentricPattern, LocateConcentricPattern},
    },
};

/// Rows from one that is looked at to the next: the middle of a finder pattern has three modules.
const STEP: u32 = 3;

/// Everything that looks like a finder pattern. May panic where the library does.
pub(super) fn find(matrix: &BitMatrix) -> Vec<ConcentricPattern> {
    let mut found: Vec<ConcentricPattern> = Vec::new();
    let mut edges = Vec::new();
    for y in (STEP - 1..matrix.height()).step_by(STEP as usize) {
        let row = matrix.getRow(y);
        runs(row.getBitArray(), matrix.width(), &mut edges);
        let mut at = 0;
        // An even edge begins a dark run.
        while let Some(window) = edges.get(at..at + 6) {
            let runs: [u32; 5] = std::array::from_fn(|n| window[n + 1] - window[n]);
            at += 2;
            if !is_pattern(runs) {
                continue;
            }
            let middle = Point { x: window[2] as f32 + runs[2] as f32 / 2.0, y: y as f32 + 0.5 };
            if found.iter().any(|known| Point::distance(middle, known.p) < known.size as f32 / 2.0) {
                continue;
            }
            let range = i32::try_from(3 * runs.iter().sum::<u32>()).unwrap_or(i32::MAX);
            found.extend(LocateConcentricPattern::<true, 5, 7>(matrix, &[1, 1, 3, 1, 1], middle, range));
            at += 2;
        }
    }
    found
}

/// Where a row changes: dark from the first place to the second, from the third to the fourth, and so on.
fn runs(words: &[usize], width: u32, edges: &mut Vec<u32>) {
    edges.clear();
    let mut last = 0;
    for (index, &word) in words.iter().enumerate() {
        let mut changes = word ^ (word << 1 | last);
        last = word >> (usize::BITS - 1);
        while changes != 0 {
            edges.push(index as u32 * usize::BITS + changes.trailing_zeros());
            changes &= changes - 1;
        }
    }
    if edges.len() % 2 == 1 {
        edges.push(width);
    }
}

/// Whether five runs are as those through the middle of a finder pattern. Dark and light are measured apart: where ink
/// or light spread, one is too wide and the other too narrow.
fn is_pattern(runs: [u32; 5]) -> bool {
    let [a, b, middle, d, e] = runs;
    if middle < 3 || middle < 2 * a.max(e) || middle < b.max(d) {
        return false;
    }
    let (dark, light) = ((a + middle + e) as f32 / 5.0, (b + d) as f32 / 2.0);
    let near = |run: u32, wanted: f32, most: f32| (run as f32 - wanted).abs() <= most + 0.5;
    dark.max(light) <= 4.0 * dark.min(light)
        && near(a, dark, 0.75 * dark)
        && near(e, dark, 0.75 * dark)
        && near(middle, 3.0 * dark, 0.75 * dark)
        && near(b, light, light / 3.0)
        && near(d, light, light / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_start_where_it_gets_dark() {
        let mut edges = Vec::new();
        let top = 1usize << (usize::BITS - 1);
        runs(&[0b0110_0001 | top, 0b1], usize::BITS + 9, &mut edges);
        assert_eq!(edges, [0, 1, 5, 7, usize::BITS - 1, usize::BITS + 1]);
        runs(&[0b1000], 4, &mut edges);
        assert_eq!(edges, [3, 4]);
        runs(&[usize::MAX], usize::BITS, &mut edges);
        assert_eq!(edges, [0, usize::BITS]);
        runs(&[0, 0], 100, &mut edges);
        assert!(edges.is_empty());
    }

    #[test]
    fn proportions_may_be_off_as_far_as_ink_spreads() {
        assert!(is_pattern([4, 4, 12, 4, 4]) && is_pattern([6, 2, 14, 2, 6]) && is_pattern([3, 5, 11, 5, 3]));
        assert!(is_pattern([1, 1, 3, 1, 1]));
        assert!(!is_pattern([4, 4, 4, 4, 4]) && !is_pattern([4, 4, 12, 12, 4]) && !is_pattern([4, 1, 12, 7, 4]));
    }
}
