//! The picture without its light: each pixel less the mean around it.

use crate::qr::Luma;

/// Shades relative to what is around them, to be looked at between pixels.
pub(super) struct Plane {
    width: usize,
    height: usize,
    pixels: Vec<i16>,
}

impl Plane {
    /// Takes the mean of `2 * radius + 1` pixels in each direction off each pixel.
    pub(super) fn new(picture: &Luma, radius: usize) -> Self {
        let means = crate::qr::shades::blurred(picture, radius.max(2));
        let pixels = picture.pixels().iter().zip(means.pixels()).map(|(&p, &m)| i16::from(p) - i16::from(m)).collect();
        Self { width: picture.width() as usize, height: picture.height() as usize, pixels }
    }

    /// The shade at a place; 0 outside.
    pub(super) fn at(&self, (x, y): (f32, f32)) -> f32 {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        if !(left >= 0.0 && top >= 0.0) || left as usize + 1 >= self.width || top as usize + 1 >= self.height {
            return 0.0;
        }
        let at = top as usize * self.width + left as usize;
        let (s, t) = (x - left, y - top);
        let (upper, lower) = (&self.pixels[at..at + 2], &self.pixels[at + self.width..at + self.width + 2]);
        let mix = |pair: &[i16]| f32::from(pair[0]) * (1.0 - s) + f32::from(pair[1]) * s;
        mix(upper) * (1.0 - t) + mix(lower) * t
    }
}
