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
        // Sums of larger windows would not fit into 32 bits.
        let means = crate::qr::shades::blurred(picture, radius.clamp(2, 1000));
        let pixels = picture.pixels().iter().zip(means.pixels()).map(|(&p, &m)| i16::from(p) - i16::from(m)).collect();
        Self { width: picture.width() as usize, height: picture.height() as usize, pixels }
    }

    /// The shade at a place; 0 outside.
    pub(super) fn at(&self, (x, y): (f32, f32)) -> f32 {
        let (x, y) = (x - 0.5, y - 0.5);
        // Neither is a NaN fit for a place.
        if !(x >= 0.0 && y >= 0.0) {
            return 0.0;
        }
        // Cutting off instead of `floor`, which is a call on machines of twenty years.
        let (left, top) = (x as usize, y as usize);
        if left + 1 >= self.width || top + 1 >= self.height {
            return 0.0;
        }
        let (s, t) = (x - left as f32, y - top as f32);
        let at = top * self.width + left;
        let (Some([a, b]), Some([c, d])) =
            (self.pixels[at..].first_chunk::<2>(), self.pixels[at + self.width..].first_chunk::<2>())
        else {
            return 0.0;
        };
        let mix = |one: i16, other: i16| f32::from(one) * (1.0 - s) + f32::from(other) * s;
        mix(*a, *b) * (1.0 - t) + mix(*c, *d) * t
    }
}
