//! Pictures out of arithmetic: planes, codes in perspective, and what lenses, sensors and hands do to them.

use image::GrayImage;
use qrcode::{Color, EcLevel, QrCode};

/// Numbers that are the same on every machine (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` to `high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub(crate) fn bell(&mut self) -> f32 {
        let sum: f32 = (0..6).map(|_| self.between(-1.0, 1.0)).sum();
        sum * std::f32::consts::FRAC_1_SQRT_2
    }
}

/// A grey picture while it is made: 0 is black, 255 white, and more or less in between steps.
#[derive(Clone)]
pub(crate) struct Plane {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<f32>,
}

/// A point in pixels.
pub(crate) type At = (f32, f32);

/// A code and its look.
pub(crate) struct Ink {
    modules: Vec<bool>,
    pub(crate) size: usize,
    pub(crate) dark: f32,
    pub(crate) light: f32,
    /// Light modules on each side.
    pub(crate) quiet: f32,
    /// The share of a module that a dot has, where the code is made of dots.
    pub(crate) dot: Option<f32>,
    /// Places that something lies on, in modules: left, top, right, bottom, shade.
    pub(crate) covers: Vec<(f32, f32, f32, f32, f32)>,
}

impl Ink {
    pub(crate) fn new(text: &str, level: EcLevel) -> Self {
        let code = QrCode::with_error_correction_level(text, level)
            .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L))
            .unwrap();
        let size = code.width();
        let modules = code.into_colors().into_iter().map(|color| color == Color::Dark).collect();
        Self { modules, size, dark: 0.0, light: 255.0, quiet: 4.0, dot: None, covers: Vec::new() }
    }

    /// Turns a share of the modules around that carry what it holds.
    pub(crate) fn spoil(&mut self, dice: &mut Dice, share: f32) {
        let size = self.size;
        for (at, module) in self.modules.iter_mut().enumerate() {
            let (x, y) = (at % size, at / size);
            let near = |a: usize| a < 9;
            let far = |a: usize| a >= size - 8;
            let is_known = (near(x) && (near(y) || far(y))) || (far(x) && near(y)) || x == 6 || y == 6;
            *module ^= !is_known && dice.between(0.0, 1.0) < share;
        }
    }

    /// Modules on a side with the quiet zone.
    pub(crate) fn side(&self) -> f32 {
        self.size as f32 + 2.0 * self.quiet
    }

    /// The shade at a place in modules, the quiet zone counted in; `None` outside.
    fn shade(&self, u: f32, v: f32) -> Option<f32> {
        let side = self.side();
        if !(0.0..side).contains(&u) || !(0.0..side).contains(&v) {
            return None;
        }
        let (x, y) = (u - self.quiet, v - self.quiet);
        if let Some(cover) = self.covers.iter().find(|c| (c.0..c.2).contains(&x) && (c.1..c.3).contains(&y)) {
            return Some(cover.4);
        }
        if x < 0.0 || y < 0.0 || x >= self.size as f32 || y >= self.size as f32 {
            return Some(self.light);
        }
        let (column, row) = (x as usize, y as usize);
        let mut dark = self.modules[row * self.size + column];
        if let (true, Some(share)) = (dark, self.dot) {
            let finder = |a: usize| a < 7 || a >= self.size - 7;
            let is_finder = finder(column) && finder(row) && !(column >= 7 && row >= 7);
            dark = is_finder || (x.fract() - 0.5).hypot(y.fract() - 0.5) < share / 2.0;
        }
        Some(if dark { self.dark } else { self.light })
    }
}

impl Plane {
    pub(crate) fn new(width: usize, height: usize, shade: f32) -> Self {
        Self { width, height, pixels: vec![shade; width * height] }
    }

    pub(crate) fn map(&mut self, mut change: impl FnMut(usize, usize, f32) -> f32) {
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y * self.width + x;
                self.pixels[at] = change(x, y, self.pixels[at]);
            }
        }
    }

    /// Clouds of several sizes, as walls, desks and faces out of focus have them.
    pub(crate) fn clouds(&mut self, dice: &mut Dice, strength: f32) {
        for octave in 0..5 {
            let cell = (self.width.max(self.height) as f32 / 3.0 / 2f32.powi(octave)).max(2.0);
            let (columns, rows) = ((self.width as f32 / cell) as usize + 2, (self.height as f32 / cell) as usize + 2);
            let grid: Vec<f32> = (0..columns * rows).map(|_| dice.between(-1.0, 1.0)).collect();
            let weight = strength / 1.7f32.powi(octave);
            self.map(|x, y, shade| {
                let (u, v) = (x as f32 / cell, y as f32 / cell);
                let (i, j) = (u as usize, v as usize);
                let (s, t) = (u.fract(), v.fract());
                let (s, t) = (s * s * (3.0 - 2.0 * s), t * t * (3.0 - 2.0 * t));
                let at = |i: usize, j: usize| grid[j * columns + i];
                let top = at(i, j) * (1.0 - s) + at(i + 1, j) * s;
                let bottom = at(i, j + 1) * (1.0 - s) + at(i + 1, j + 1) * s;
                shade + weight * (top * (1.0 - t) + bottom * t)
            });
        }
    }

    /// Lines of what looks like text.
    pub(crate) fn text(&mut self, dice: &mut Dice, left: usize, top: usize, right: usize, bottom: usize, shade: f32) {
        let size = 5 + dice.below(12);
        let mut y = top;
        while y + size < bottom.min(self.height) {
            let mut x = left;
            let end = left + ((right - left) as f32 * dice.between(0.4, 1.0)) as usize;
            while x + size < end.min(self.width) {
                if dice.below(6) > 0 {
                    for _ in 0..3 {
                        let (stands, at) = (dice.below(2) == 0, dice.below(size));
                        for along in 0..size {
                            let (dx, dy) = if stands { (at * 2 / 3, along) } else { (along * 2 / 3, at) };
                            self.pixels[(y + dy) * self.width + x + dx] = shade;
                        }
                    }
                }
                x += size;
            }
            y += size * 2;
        }
    }

    /// Draws a code into four corners (from the top left, clockwise), nine samples a pixel.
    pub(crate) fn place(&mut self, ink: &Ink, corners: [At; 4]) {
        let side = ink.side();
        let back = inverse(square_to(corners));
        self.sample(ink, bounds(corners), |x, y| {
            let (u, v) = project(&back, x, y);
            (u * side, v * side)
        });
    }

    /// The same, around a cylinder that stands upright: `bend` is the angle of its half, in radians.
    pub(crate) fn wrap(&mut self, ink: &Ink, center: At, half: f32, bend: f32) {
        let side = ink.side();
        let radius = half / bend.sin();
        let area = (center.0 - half, center.1 - half * 1.2, center.0 + half, center.1 + half * 1.2);
        self.sample(ink, area, |x, y| {
            let across = ((x - center.0) / radius).clamp(-1.0, 1.0).asin();
            // The edges are farther away and seen from above.
            let sag = radius * (1.0 - across.cos()) * 0.25;
            let u = (across / bend + 1.0) / 2.0;
            let v = (y - center.1 + sag) / (2.0 * half * bend / bend.sin()) + 0.5;
            (u * side, v * side)
        });
    }

    fn sample(&mut self, ink: &Ink, area: (f32, f32, f32, f32), place: impl Fn(f32, f32) -> (f32, f32)) {
        let (left, top) = (area.0.floor().max(0.0) as usize, area.1.floor().max(0.0) as usize);
        let right = (area.2.ceil().max(0.0) as usize).min(self.width);
        let bottom = (area.3.ceil().max(0.0) as usize).min(self.height);
        for y in top..bottom {
            for x in left..right {
                let at = y * self.width + x;
                let mut sum = 0.0;
                for part in 0..9 {
                    let (dx, dy) = ((part % 3) as f32 / 3.0 + 1.0 / 6.0, (part / 3) as f32 / 3.0 + 1.0 / 6.0);
                    let (u, v) = place(x as f32 + dx, y as f32 + dy);
                    sum += ink.shade(u, v).unwrap_or(self.pixels[at]);
                }
                self.pixels[at] = sum / 9.0;
            }
        }
    }

    /// A Gaussian blur of `sigma` pixels.
    pub(crate) fn blur(&mut self, sigma: f32) {
        let reach = (sigma * 3.0).ceil() as i32;
        let kernel: Vec<f32> = (-reach..=reach).map(|d| (-((d * d) as f32) / (2.0 * sigma * sigma)).exp()).collect();
        let total: f32 = kernel.iter().sum();
        for (dx, dy) in [(1, 0), (0, 1)] {
            let from = self.clone();
            self.map(|x, y, _| {
                kernel
                    .iter()
                    .zip(-reach..)
                    .map(|(k, d)| k * from.near(x as i32 + d * dx, y as i32 + d * dy))
                    .sum::<f32>()
                    / total
            });
        }
    }

    /// What a hand does that moves `length` pixels in a direction while the shutter is open.
    pub(crate) fn smear(&mut self, length: f32, angle: f32) {
        let steps = (length * 2.0).ceil().max(1.0) as i32;
        let from = self.clone();
        self.map(|x, y, _| {
            let at = |step: i32| {
                let along = length * (step as f32 / steps as f32 - 0.5);
                from.between(x as f32 + along * angle.cos(), y as f32 + along * angle.sin())
            };
            (0..=steps).map(at).sum::<f32>() / (steps + 1) as f32
        });
    }

    /// What a sensor adds.
    pub(crate) fn grain(&mut self, dice: &mut Dice, sigma: f32) {
        self.map(|_, _, shade| shade + sigma * dice.bell());
    }

    fn near(&self, x: i32, y: i32) -> f32 {
        let (x, y) = (x.clamp(0, self.width as i32 - 1) as usize, y.clamp(0, self.height as i32 - 1) as usize);
        self.pixels[y * self.width + x]
    }

    fn between(&self, x: f32, y: f32) -> f32 {
        let (i, j) = (x.floor(), y.floor());
        let (s, t) = (x - i, y - j);
        let (i, j) = (i as i32, j as i32);
        let top = self.near(i, j) * (1.0 - s) + self.near(i + 1, j) * s;
        let bottom = self.near(i, j + 1) * (1.0 - s) + self.near(i + 1, j + 1) * s;
        top * (1.0 - t) + bottom * t
    }

    pub(crate) fn picture(&self) -> GrayImage {
        let bytes = self.pixels.iter().map(|shade| shade.round().clamp(0.0, 255.0) as u8).collect();
        GrayImage::from_raw(self.width as u32, self.height as u32, bytes).unwrap()
    }
}

/// Four corners of a square that is turned by `angle` radians.
pub(crate) fn turned(center: At, side: f32, angle: f32) -> [At; 4] {
    let (half, (sin, cos)) = (side / 2.0, angle.sin_cos());
    [(-half, -half), (half, -half), (half, half), (-half, half)]
        .map(|(x, y)| (center.0 + x * cos - y * sin, center.1 + x * sin + y * cos))
}

fn bounds(corners: [At; 4]) -> (f32, f32, f32, f32) {
    corners
        .iter()
        .fold((f32::MAX, f32::MAX, f32::MIN, f32::MIN), |b, c| (b.0.min(c.0), b.1.min(c.1), b.2.max(c.0), b.3.max(c.1)))
}

/// The projection of the unit square to four corners (Heckbert 1989).
fn square_to([a, b, c, d]: [At; 4]) -> [f32; 9] {
    let (dx1, dx2, sx) = (b.0 - c.0, d.0 - c.0, a.0 - b.0 + c.0 - d.0);
    let (dy1, dy2, sy) = (b.1 - c.1, d.1 - c.1, a.1 - b.1 + c.1 - d.1);
    let denominator = dx1 * dy2 - dx2 * dy1;
    let (g, h) = ((sx * dy2 - dx2 * sy) / denominator, (dx1 * sy - sx * dy1) / denominator);
    [b.0 - a.0 + g * b.0, d.0 - a.0 + h * d.0, a.0, b.1 - a.1 + g * b.1, d.1 - a.1 + h * d.1, a.1, g, h, 1.0]
}

fn inverse(m: [f32; 9]) -> [f32; 9] {
    [
        m[4] * m[8] - m[5] * m[7],
        m[2] * m[7] - m[1] * m[8],
        m[1] * m[5] - m[2] * m[4],
        m[5] * m[6] - m[3] * m[8],
        m[0] * m[8] - m[2] * m[6],
        m[2] * m[3] - m[0] * m[5],
        m[3] * m[7] - m[4] * m[6],
        m[1] * m[6] - m[0] * m[7],
        m[0] * m[4] - m[1] * m[3],
    ]
}

fn project(m: &[f32; 9], x: f32, y: f32) -> At {
    let w = m[6] * x + m[7] * y + m[8];
    ((m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w)
}
