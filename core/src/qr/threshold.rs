//! Grey to black and white. What is light and what is dark differs from place to place, and no one rule sees it always.

use rxing::common::{BitArray, BitMatrix};

use super::Luma;

/// Pixels on a side of a block.
const BLOCK: usize = 8;
/// Shades between the darkest and the lightest pixel from which on a block has both dark and light in it.
const LEAST_RANGE: u8 = 24;

/// Thresholds for blocks of 8 x 8 pixels out of the 5 x 5 blocks around each, as ZXing's hybrid binarizer has them; a
/// block without contrast takes over what is around it. Follows shadows, and costs about a nanosecond a pixel.
/// `None` where there are too few pixels.
pub(super) fn by_blocks(picture: &Luma) -> Option<BitMatrix> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width < 5 * BLOCK || height < 5 * BLOCK {
        return by_otsu(picture);
    }
    let columns = width.div_ceil(BLOCK);
    let rows = height.div_ceil(BLOCK);
    let points = black_points(picture, columns, rows);
    let mut matrix = BitMatrix::new(picture.width(), picture.height()).ok()?;
    let mut bits = BitArray::with_size(width);
    let (mut thresholds, mut fives) = (vec![0u8; columns], vec![0u16; columns]);
    for (row, lines) in picture.pixels().chunks(width * BLOCK).enumerate() {
        let top = row.clamp(2, rows - 3) - 2;
        fives.fill(0);
        for points in points[top * columns..][..5 * columns].chunks_exact(columns) {
            fives.iter_mut().zip(points).for_each(|(sum, &point)| *sum += u16::from(point));
        }
        for (window, threshold) in fives.windows(5).zip(&mut thresholds[2..]) {
            *threshold = (window.iter().sum::<u16>() / 25) as u8;
        }
        // At the borders the nearest window that is whole.
        let (first, last) = (thresholds[2], thresholds[columns - 3]);
        thresholds[..2].fill(first);
        thresholds[columns - 2..].fill(last);
        for (line, pixels) in lines.chunks(width).enumerate() {
            pack(pixels, &thresholds, &mut bits);
            matrix.setRow((row * BLOCK + line) as u32, &bits);
        }
    }
    Some(matrix)
}

/// A threshold for each block, from its own pixels.
fn black_points(picture: &Luma, columns: usize, rows: usize) -> Vec<u8> {
    let width = picture.width() as usize;
    let mut points = vec![0u8; columns * rows];
    let (mut sums, mut least, mut most) = (vec![0u16; width], vec![0u8; width], vec![0u8; width]);
    for (row, lines) in picture.pixels().chunks(width * BLOCK).enumerate() {
        // Down each column first: that is plain work on whole rows, which compilers make fast.
        sums.fill(0);
        least.fill(u8::MAX);
        most.fill(0);
        for line in lines.chunks_exact(width) {
            sums.iter_mut().zip(line).for_each(|(sum, &pixel)| *sum += u16::from(pixel));
            least.iter_mut().zip(line).for_each(|(low, &pixel)| *low = (*low).min(pixel));
            most.iter_mut().zip(line).for_each(|(high, &pixel)| *high = (*high).max(pixel));
        }
        let depth = lines.len() / width;
        let blocks = sums.chunks(BLOCK).zip(least.chunks(BLOCK).zip(most.chunks(BLOCK)));
        for (column, (sums, (least, most))) in blocks.enumerate() {
            let low = least.iter().copied().min().unwrap_or(0);
            let high = most.iter().copied().max().unwrap_or(0);
            let at = row * columns + column;
            points[at] = if high - low > LEAST_RANGE {
                (sums.iter().map(|&sum| u32::from(sum)).sum::<u32>() / (depth * sums.len()) as u32) as u8
            } else if row > 0 && column > 0 {
                let known = u16::from(points[at - columns])
                    + 2 * u16::from(points[at - 1])
                    + u16::from(points[at - columns - 1]);
                // Dark all over where the neighbours see light: inside a large dark module.
                let around = (known / 4) as u8;
                if low < around { around } else { low / 2 }
            } else {
                low / 2
            };
        }
    }
    points
}

/// Sets the bits of a row: dark where a pixel is not above its block's threshold.
fn pack(pixels: &[u8], thresholds: &[u8], bits: &mut BitArray) {
    const WORD: usize = usize::BITS as usize;
    for (word, (pixels, thresholds)) in pixels.chunks(WORD).zip(thresholds.chunks(WORD / BLOCK)).enumerate() {
        let mut packed = 0usize;
        for (block, (pixels, &threshold)) in pixels.chunks(BLOCK).zip(thresholds).enumerate() {
            let dark = match pixels.first_chunk::<BLOCK>() {
                Some(eight) => not_above(u64::from_le_bytes(*eight), threshold),
                None => pixels.iter().rev().fold(0, |sum, &pixel| sum << 1 | usize::from(pixel <= threshold)),
            };
            packed |= dark << (block * BLOCK);
        }
        bits.setBulk(word * WORD, packed);
    }
}

/// Compares eight bytes at once; bit n tells whether byte n is not above the threshold.
fn not_above(bytes: u64, threshold: u8) -> usize {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let limits = u64::from(threshold) * 0x0101_0101_0101_0101;
    let low_bits = (limits | HIGH) - (bytes & !HIGH);
    let fits = ((limits & !bytes) | (!(limits ^ bytes) & low_bits)) & HIGH;
    ((fits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as usize
}

/// One threshold for all: the one that parts the shades best (Otsu 1979). For even light, and for pictures of a few
/// pixels.
pub(super) fn by_otsu(picture: &Luma) -> Option<BitMatrix> {
    let threshold = otsu(picture.pixels());
    by(picture, |_, pixels, bits| {
        for (word, pixels) in pixels.chunks(usize::BITS as usize).enumerate() {
            let packed = pixels.iter().rev().fold(0, |sum: usize, &pixel| sum << 1 | usize::from(pixel <= threshold));
            bits.setBulk(word * usize::BITS as usize, packed);
        }
    })
}

fn otsu(pixels: &[u8]) -> u8 {
    let mut counts = [0u64; 256];
    for &pixel in pixels {
        counts[usize::from(pixel)] += 1;
    }
    let weighted = |(shade, &count): (usize, &u64)| shade as f64 * count as f64;
    let (all, sum) = (pixels.len() as f64, counts.iter().enumerate().map(weighted).sum::<f64>());
    let (mut dark, mut dark_sum, mut best) = (0.0, 0.0, (0.0, 0));
    for (shade, &count) in counts.iter().enumerate() {
        dark += count as f64;
        dark_sum += weighted((shade, &count));
        let light = all - dark;
        if dark > 0.0 && light > 0.0 {
            let apart = dark_sum / dark - (sum - dark_sum) / light;
            let parted = apart * apart * dark * light;
            if parted > best.0 {
                best = (parted, shade as u8);
            }
        }
    }
    best.1
}

/// The mean of the window of `2 * radius + 1` pixels around each, less `below` shades. Follows what blocks are too
/// coarse for: modules of few pixels, blur, weak contrast.
pub(super) fn by_mean(picture: &Luma, radius: usize, below: i32) -> Option<BitMatrix> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let row = |y: usize| &picture.pixels()[y * width..(y + 1) * width];
    let mut columns = vec![0u32; width];
    for y in 0..radius.min(height) {
        columns.iter_mut().zip(row(y)).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
    }
    let mut sums = vec![0u32; width + 1];
    by(picture, |y, pixels, bits| {
        if y + radius < height {
            columns.iter_mut().zip(row(y + radius)).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
        }
        if y > radius {
            columns.iter_mut().zip(row(y - radius - 1)).for_each(|(sum, &pixel)| *sum -= u32::from(pixel));
        }
        let depth = (y + radius + 1).min(height) - y.saturating_sub(radius);
        // Up to 64 Ki pixels of 255 in windows of any height: the sum may wrap, its differences do not.
        let mut sum = 0u32;
        for (total, &column) in sums[1..].iter_mut().zip(&columns) {
            sum = sum.wrapping_add(column);
            *total = sum;
        }
        for (word, pixels) in pixels.chunks(usize::BITS as usize).enumerate() {
            let mut packed = 0usize;
            for (bit, &pixel) in pixels.iter().enumerate() {
                let x = word * usize::BITS as usize + bit;
                let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
                let count = (depth * (right - left)) as i32;
                let window = sums[right].wrapping_sub(sums[left]) as i32;
                packed |= usize::from((i32::from(pixel) + below) * count <= window) << bit;
            }
            bits.setBulk(word * usize::BITS as usize, packed);
        }
    })
}

fn by(picture: &Luma, mut row: impl FnMut(usize, &[u8], &mut BitArray)) -> Option<BitMatrix> {
    let width = picture.width() as usize;
    let mut matrix = BitMatrix::new(picture.width(), picture.height()).ok()?;
    let mut bits = BitArray::with_size(width);
    for (y, pixels) in picture.pixels().chunks_exact(width).enumerate() {
        row(y, pixels, &mut bits);
        matrix.setRow(y as u32, &bits);
    }
    Some(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dark(matrix: &BitMatrix) -> Vec<Vec<bool>> {
        (0..matrix.height()).map(|y| (0..matrix.width()).map(|x| matrix.get(x, y)).collect()).collect()
    }

    #[test]
    fn eight_bytes_are_compared_at_once() {
        for threshold in [0, 1, 127, 128, 129, 254, 255] {
            for first in 0..=255u8 {
                let bytes = [first, 0, 127, 128, 255, threshold, threshold.wrapping_add(1), 200];
                let slow = (0..8).fold(0, |sum, bit| sum | usize::from(bytes[bit] <= threshold) << bit);
                assert_eq!(not_above(u64::from_le_bytes(bytes), threshold), slow, "{threshold} {first}");
            }
        }
    }

    #[test]
    fn every_rule_parts_a_checkerboard_of_odd_size() {
        let (width, height) = (83, 61);
        let is_dark = |x: usize, y: usize| (x / 3 + y / 3).is_multiple_of(2);
        let pixels = (0..width * height).map(|at| if is_dark(at % width, at / width) { 30 } else { 200 }).collect();
        let picture = Luma::new(width as u32, height as u32, pixels).unwrap();
        let wanted: Vec<Vec<bool>> = (0..height).map(|y| (0..width).map(|x| is_dark(x, y)).collect()).collect();
        for (name, matrix) in [
            ("blocks", by_blocks(&picture)),
            ("otsu", by_otsu(&picture)),
            ("mean", by_mean(&picture, 7, 0)),
            ("wide mean", by_mean(&picture, 500, 0)),
        ] {
            assert!(dark(&matrix.unwrap()) == wanted, "{name}");
        }
    }

    #[test]
    fn pictures_of_any_size_have_a_matrix() {
        for (width, height) in [(1, 1), (1, 300), (300, 1), (64, 40), (65, 41), (40, 40), (39, 200)] {
            let picture = Luma::new(width, height, vec![128; (width * height) as usize]).unwrap();
            for matrix in [by_blocks(&picture), by_otsu(&picture), by_mean(&picture, 3, 2)] {
                let matrix = matrix.unwrap();
                assert_eq!((matrix.width(), matrix.height()), (width, height));
            }
        }
    }
}
