//! Copies of a picture in which a reader sees what it does not see in the picture itself.

use super::Luma;

/// A rectangle of the picture, which it must lie in.
pub(super) fn crop(picture: &Luma, left: u32, top: u32, width: u32, height: u32) -> Luma {
    let stride = picture.width() as usize;
    let rows = picture.pixels().chunks_exact(stride).skip(top as usize).take(height as usize);
    let columns = left as usize..(left + width) as usize;
    with_pixels(width, height, rows.flat_map(|row| &row[columns.clone()]).copied().collect())
}

/// A box blur of `radius` pixels.
pub(super) fn blurred(picture: &Luma, radius: usize) -> Luma {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.pixels();
    let row = |y: usize| &pixels[y * width..(y + 1) * width];
    // The sums of the columns move down with the window; along each row the sum of those moves to the right.
    let mut columns = vec![0u32; width];
    for y in 0..radius.min(height) {
        columns.iter_mut().zip(row(y)).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
    }
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        if y + radius < height {
            columns.iter_mut().zip(row(y + radius)).for_each(|(sum, &pixel)| *sum += u32::from(pixel));
        }
        if y > radius {
            columns.iter_mut().zip(row(y - radius - 1)).for_each(|(sum, &pixel)| *sum -= u32::from(pixel));
        }
        let depth = (y + radius + 1).min(height) - y.saturating_sub(radius);
        let mut sum: u32 = columns[..radius.min(width)].iter().sum();
        for x in 0..width {
            if x + radius < width {
                sum += columns[x + radius];
            }
            if x > radius {
                sum -= columns[x - radius - 1];
            }
            let count = depth * ((x + radius + 1).min(width) - x.saturating_sub(radius));
            out.push((sum / count as u32) as u8);
        }
    }
    with_pixels(picture.width(), picture.height(), out)
}

/// Half the width and height, each pixel the mean of four; `None` where that leaves too little.
pub(super) fn halved(picture: &Luma) -> Option<Luma> {
    let stride = picture.width() as usize;
    let (width, height) = (picture.width() / 2, picture.height() / 2);
    if width < 60 || height < 60 {
        return None;
    }
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    for rows in picture.pixels().chunks_exact(2 * stride) {
        let (upper, lower) = rows.split_at(stride);
        let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
        pixels.extend(
            upper
                .iter()
                .zip(lower)
                .map(|(a, b)| ((u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1])) / 4) as u8),
        );
    }
    Some(with_pixels(width, height, pixels))
}

/// Twice the width and height, the new pixels between the old ones.
pub(super) fn doubled(picture: &Luma) -> Luma {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.pixels();
    let mut out = vec![0u8; 4 * width * height];
    let mix = |near: u8, far: u8| ((3 * u16::from(near) + u16::from(far) + 2) / 4) as u8;
    let mut line = vec![0u8; width];
    for y in 0..2 * height {
        let near = y / 2;
        let far = if y % 2 == 0 { near.saturating_sub(1) } else { (near + 1).min(height - 1) };
        let (near, far) = (&pixels[near * width..][..width], &pixels[far * width..][..width]);
        line.iter_mut().zip(near.iter().zip(far)).for_each(|(pixel, (&near, &far))| *pixel = mix(near, far));
        let target = &mut out[y * 2 * width..][..2 * width];
        for x in 0..width {
            target[2 * x] = mix(line[x], line[x.saturating_sub(1)]);
            target[2 * x + 1] = mix(line[x], line[(x + 1).min(width - 1)]);
        }
    }
    with_pixels(2 * picture.width(), 2 * picture.height(), out)
}

fn with_pixels(width: u32, height: u32, pixels: Vec<u8>) -> Luma {
    Luma::new(width, height, pixels).unwrap_or_else(|_| Luma::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_keep_what_they_should() {
        let picture = Luma::new(3, 2, vec![0, 90, 180, 30, 60, 240]).unwrap();
        assert_eq!(crop(&picture, 1, 0, 2, 2).pixels(), [90, 180, 60, 240]);
        assert_eq!(blurred(&picture, 1).pixels(), [45, 100, 142, 45, 100, 142]);
        assert_eq!(blurred(&picture, 9).pixels(), [100; 6]);
        let wide = Luma::new(201, 201, [[10, 20].repeat(101), [30, 40].repeat(101)].concat().repeat(101)).map(|_| ());
        assert!(wide.is_err());
        let rows: Vec<u8> = (0..201 * 201).map(|at| [[10, 20], [30, 40]][at / 201 % 2][at % 201 % 2]).collect();
        let half = halved(&Luma::new(201, 201, rows).unwrap()).unwrap();
        assert_eq!((half.width(), half.height()), (100, 100));
        assert!(half.pixels().iter().all(|&p| p == 25));
        assert!(halved(&picture).is_none());
        let two = doubled(&Luma::new(2, 1, vec![0, 100]).unwrap());
        assert_eq!((two.width(), two.height()), (4, 2));
        assert_eq!(two.pixels(), [0, 25, 75, 100, 0, 25, 75, 100]);
    }
}
