//! From shades to dark and light, with the blur undone.
//!
//! Blur mixes each module with its neighbours. A filter over the neighbourhood that turns the known modules into what
//! they are (least squares, as modems learn a line) does so for the others, whatever blurred them: a lens, a hand.

use rxing::common::BitMatrix;

use super::known::Known;

/// Ways to decide, the plainest first.
pub(super) fn decisions(shades: &[f32], known: &Known) -> impl Iterator<Item = BitMatrix> {
    let even = evened(shades, known.size);
    [0, 1, 2].into_iter().filter_map(move |reach| {
        let values = if reach == 0 { even.clone() } else { filtered(&even, known, reach)? };
        let size = known.size as u32;
        let mut matrix = BitMatrix::new(size, size).ok()?;
        for (at, &value) in (0..).zip(&values) {
            matrix.set_bool(at % size, at / size, value < 0.0);
        }
        Some(matrix)
    })
}

/// Each shade less the middle of what is around it.
fn evened(shades: &[f32], size: usize) -> Vec<f32> {
    const REACH: usize = 4;
    let mut out = Vec::with_capacity(shades.len());
    for y in 0..size {
        for x in 0..size {
            let rows = y.saturating_sub(REACH)..(y + REACH + 1).min(size);
            let columns = x.saturating_sub(REACH)..(x + REACH + 1).min(size);
            let count = (rows.len() * columns.len()) as f32;
            let sum: f32 = rows.flat_map(|row| &shades[row * size..][columns.clone()]).sum();
            out.push(shades[y * size + x] - sum / count);
        }
    }
    out
}

/// Learns the filter on the known modules and applies it to all. `None` where it cannot be learnt.
fn filtered(even: &[f32], known: &Known, reach: i32) -> Option<Vec<f32>> {
    let size = known.size as i32;
    let taps = ((2 * reach + 1) * (2 * reach + 1)) as usize + 1;
    let scale = (even.iter().map(|value| value * value).sum::<f32>() / even.len() as f32).sqrt().max(1.0);
    let around = |x: i32, y: i32| {
        let mut row = Vec::with_capacity(taps);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let (x, y) = (x + dx, y + dy);
                // Around the code it is light.
                let inside = (0..size).contains(&x) && (0..size).contains(&y);
                row.push(if inside { even[(y * size + x) as usize] / scale } else { 1.0 });
            }
        }
        row.push(1.0);
        row
    };
    let mut equations = vec![vec![0.0f32; taps + 1]; taps];
    for &(u, v, sign) in &known.modules {
        let row = around(u as i32, v as i32);
        for (i, equation) in equations.iter_mut().enumerate() {
            for (j, value) in row.iter().enumerate() {
                equation[j] += row[i] * value;
            }
            equation[taps] += row[i] * sign;
        }
    }
    // A little weight against filters that shout.
    for (i, equation) in equations.iter_mut().enumerate() {
        equation[i] += 0.02 * known.modules.len() as f32;
    }
    let filter = solved(equations)?;
    let value = |at: i32| around(at % size, at / size).iter().zip(&filter).map(|(a, b)| a * b).sum();
    Some((0..size * size).map(value).collect())
}

/// Gauss and Jordan, with the largest pivot.
fn solved(mut rows: Vec<Vec<f32>>) -> Option<Vec<f32>> {
    let count = rows.len();
    for column in 0..count {
        let pivot = (column..count).max_by(|&a, &b| rows[a][column].abs().total_cmp(&rows[b][column].abs()))?;
        rows.swap(column, pivot);
        let by = rows[column][column];
        if by.abs() < 1e-9 {
            return None;
        }
        rows[column].iter_mut().for_each(|value| *value /= by);
        let pivot = rows[column].clone();
        for (index, row) in rows.iter_mut().enumerate() {
            let factor = row[column];
            if index != column && factor != 0.0 {
                row.iter_mut().zip(&pivot).for_each(|(value, p)| *value -= factor * p);
            }
        }
    }
    rows.into_iter().map(|row| row.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, EcLevel, QrCode, Version};

    use super::*;

    #[test]
    fn equations_are_solved() {
        let solution = solved(vec![vec![0.0, 2.0, 4.0], vec![3.0, 1.0, 5.0]]).unwrap();
        assert!((solution[0] - 1.0).abs() < 1e-5 && (solution[1] - 2.0).abs() < 1e-5);
        assert_eq!(solved(vec![vec![1.0, 1.0, 1.0], vec![1.0, 1.0, 2.0]]), None);
    }

    /// Modules that are mixed with their neighbours until many are on the wrong side of every threshold.
    #[test]
    fn a_learnt_filter_undoes_the_blur() {
        let code = QrCode::with_version("otpauth://totp/a?secret=GEZDGNBV", Version::Normal(4), EcLevel::L).unwrap();
        let (known, size) = (Known::new(4).unwrap(), code.width() as i32);
        let light = |x: i32, y: i32| {
            let inside = (0..size).contains(&x) && (0..size).contains(&y);
            if inside && code[(x as usize, y as usize)] == Color::Dark { 0.0 } else { 200.0 }
        };
        let mut shades = Vec::new();
        for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
            let sides = light(x - 1, y) + light(x + 1, y) + light(x, y - 1) + light(x, y + 1);
            shades.push(0.44 * light(x, y) + 0.14 * sides);
        }
        let wrong = |matrix: &BitMatrix| {
            let differs = |at: &i32| {
                let (x, y) = (at % size, at / size);
                matrix.get(x as u32, y as u32) != (light(x, y) == 0.0)
            };
            (0..size * size).filter(differs).count()
        };
        let counts: Vec<usize> = decisions(&shades, &known).map(|matrix| wrong(&matrix)).collect();
        assert!(counts[0] > 20 && counts[1] < counts[0] && counts[2] * 4 < counts[0], "{counts:?}");
    }
}
