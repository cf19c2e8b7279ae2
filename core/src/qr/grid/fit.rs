//! A grid over a picture, and how it is bent until it fits.

use super::{Guess, known::Known, plane::Plane};
use crate::qr::Luma;

/// How a grid may be bent.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Bend {
    /// As a flat thing in perspective.
    Flat,
    /// As paper: on a bottle, in a book, in a hand.
    Curved,
}

/// A grid in perspective, and how far it departs from that towards its middle.
#[derive(Clone)]
pub(super) struct Fit {
    /// Where the centres of the finder patterns are in the picture, and where a fourth would be: from the top left,
    /// clockwise. Then the departures, in pixels: along the width even and odd, along the height even and odd.
    points: [(f32, f32); 8],
    /// Modules between those centres.
    span: f32,
    /// Pixels a module, about.
    module: f32,
    /// The unit square to the four points.
    projection: [f32; 8],
}

/// Steps in modules that tell a good guess from a bad one.
pub(super) const ROUGH: [f32; 2] = [1.0, 0.5];
/// Steps in modules until the grid lies in the middle of each.
pub(super) const FINE: [f32; 4] = [1.0, 0.5, 0.25, 0.12];

/// From the corner to the centre of a finder pattern, in modules.
const CENTRE: f32 = 3.5;

impl Fit {
    /// The parallelogram over three finder patterns.
    pub(super) fn new(guess: &Guess, known: &Known) -> Self {
        let span = known.size as f32 - 2.0 * CENTRE;
        let Guess { tl, tr, bl, .. } = *guess;
        let br = tr + bl - tl;
        let mut points = [(0.0, 0.0); 8];
        for (point, at) in points.iter_mut().zip([tl, tr, br, bl]) {
            *point = (at.x, at.y);
        }
        let side = (rxing::Point::distance(tl, tr) + rxing::Point::distance(tl, bl)) / 2.0;
        Self { points, span, module: side / span, projection: square_to(&points) }
    }

    /// Where a place in modules is in the picture.
    pub(super) fn place(&self, u: f32, v: f32) -> (f32, f32) {
        let (s, t) = ((u - CENTRE) / self.span, (v - CENTRE) / self.span);
        let m = &self.projection;
        let w = m[6] * s + m[7] * t + 1.0;
        let (x, y) = ((m[0] * s + m[1] * t + m[2]) / w, (m[3] * s + m[4] * t + m[5]) / w);
        let (bow_s, bow_t) = (4.0 * s * (1.0 - s), 4.0 * t * (1.0 - t));
        let weights = [bow_s, bow_s * (1.0 - 2.0 * s), bow_t, bow_t * (1.0 - 2.0 * t)];
        let departure = weights.iter().zip(&self.points[4..]);
        departure.fold((x, y), |(x, y), (weight, point)| (x + weight * point.0, y + weight * point.1))
    }

    /// How well the picture agrees with the known modules: 1 is wholly, 0 not at all.
    pub(super) fn score(&self, plane: &Plane, known: &Known) -> f32 {
        let (mut agreement, mut power) = (0.0, 1.0);
        for &(u, v, sign) in &known.modules {
            let shade = plane.at(self.place(u, v));
            agreement += sign * shade;
            power += shade * shade;
        }
        agreement / (power * known.modules.len() as f32).sqrt()
    }

    /// The same grid with its fourth corner where something looks like the last alignment pattern: the best few, and
    /// itself.
    pub(super) fn with_alignment(self, plane: &Plane, known: &Known) -> Vec<Self> {
        const BEST: usize = 4;
        let Some(last) = known.last_alignment else { return vec![self] };
        let reach = (known.size as f32 * 0.22).max(3.0);
        let steps = (reach * 2.0) as i32;
        let mut places = Vec::new();
        // The grid is a parallelogram still: a module has the same two sides everywhere.
        let origin = self.place(last, last);
        let (right, below) = (self.place(last + 1.0, last), self.place(last, last + 1.0));
        let (across, down) = ((right.0 - origin.0, right.1 - origin.1), (below.0 - origin.0, below.1 - origin.1));
        for (dx, dy) in (-steps..=steps).flat_map(|dx| (-steps..=steps).map(move |dy| (dx, dy))) {
            let (du, dv) = (dx as f32 / 2.0, dy as f32 / 2.0);
            let (mut agreement, mut power) = (0.0, 1.0);
            for (x, y) in (0..25i32).map(|n| (n % 5 - 2, n / 5 - 2)) {
                let (u, v) = (du + x as f32, dv + y as f32);
                let shade = plane.at((origin.0 + u * across.0 + v * down.0, origin.1 + u * across.1 + v * down.1));
                agreement += if x.abs().max(y.abs()) == 1 { shade } else { -shade };
                power += shade * shade;
            }
            places.push((agreement / (power * 25.0).sqrt(), last + du, last + dv));
        }
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut kept: Vec<(f32, f32)> = Vec::new();
        for (_, u, v) in places {
            if kept.iter().all(|(x, y)| (x - u).abs().max((y - v).abs()) > 1.2) {
                kept.push((u, v));
            }
            if kept.len() == BEST {
                break;
            }
        }
        let moved: Vec<Self> = kept.into_iter().filter_map(|(u, v)| self.with_fourth(last, self.place(u, v))).collect();
        moved.into_iter().chain([self]).collect()
    }

    /// The grid whose place `last`, `last` is at a point, by moving its fourth corner there and correcting the rest.
    fn with_fourth(&self, last: f32, to: (f32, f32)) -> Option<Self> {
        let mut fit = self.clone();
        for _ in 0..20 {
            let (x, y) = fit.place(last, last);
            let (dx, dy) = (to.0 - x, to.1 - y);
            if dx.hypot(dy) < 0.05 * self.module {
                return Some(fit);
            }
            fit.points[2].0 += dx;
            fit.points[2].1 += dy;
            fit.projection = square_to(&fit.points);
        }
        None
    }

    /// Moves each point to where the score grows, in smaller and smaller steps.
    pub(super) fn refined(&self, plane: &Plane, known: &Known, steps: &[f32], bend: Bend) -> (f32, Self) {
        let mut best = self.clone();
        let mut score = best.score(plane, known);
        let points = if bend == Bend::Flat { 4 } else { 8 };
        for step in steps {
            let step = step * self.module;
            for _ in 0..4 {
                let before = score;
                for point in (0..points).rev() {
                    for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
                        let mut moved = best.clone();
                        moved.points[point].0 += dx * step;
                        moved.points[point].1 += dy * step;
                        if point < 4 {
                            moved.projection = square_to(&moved.points);
                        }
                        let reached = moved.score(plane, known);
                        if reached > score {
                            (best, score) = (moved, reached);
                        }
                    }
                }
                if score <= before {
                    break;
                }
            }
        }
        (score, best)
    }

    /// The shade of every module, row by row: the mean of nine places in it, the middle counting most.
    pub(super) fn shades(&self, picture: &Luma, size: usize) -> Vec<f32> {
        let (width, height) = (picture.width() as i32, picture.height() as i32);
        let pixel = |x: f32, y: f32| {
            let (x, y) = ((x.floor() as i32).clamp(0, width - 1), (y.floor() as i32).clamp(0, height - 1));
            f32::from(picture.pixels()[(y * width + x) as usize])
        };
        let mut shades = Vec::with_capacity(size * size);
        for (row, column) in (0..size).flat_map(|row| (0..size).map(move |column| (row, column))) {
            let mut sum = 0.0;
            for n in 0..9 {
                let (du, dv) = (0.25 + 0.25 * (n % 3) as f32, 0.25 + 0.25 * (n / 3) as f32);
                let (x, y) = self.place(column as f32 + du, row as f32 + dv);
                sum += pixel(x, y) * [1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0][n];
            }
            shades.push(sum / 16.0);
        }
        shades
    }
}

/// The projection of the unit square to four corners (Heckbert 1989); the ninth number is 1.
fn square_to(points: &[(f32, f32); 8]) -> [f32; 8] {
    let [a, b, c, d, ..] = *points;
    let (dx1, dx2, sx) = (b.0 - c.0, d.0 - c.0, a.0 - b.0 + c.0 - d.0);
    let (dy1, dy2, sy) = (b.1 - c.1, d.1 - c.1, a.1 - b.1 + c.1 - d.1);
    let determinant = dx1 * dy2 - dx2 * dy1;
    let (g, h) = ((sx * dy2 - dx2 * sy) / determinant, (dx1 * sy - sx * dy1) / determinant);
    [b.0 - a.0 + g * b.0, d.0 - a.0 + h * d.0, a.0, b.1 - a.1 + g * b.1, d.1 - a.1 + h * d.1, a.1, g, h]
}

#[cfg(test)]
mod tests {
    use rxing::Point;

    use super::*;

    fn near(a: (f32, f32), b: (f32, f32)) -> bool {
        (a.0 - b.0).hypot(a.1 - b.1) < 0.5
    }

    #[test]
    fn a_grid_lies_where_its_finder_patterns_are() {
        let known = Known::new(3).unwrap();
        let (tl, tr, bl) = (Point { x: 20.0, y: 30.0 }, Point { x: 152.0, y: 40.0 }, Point { x: 14.0, y: 150.0 });
        let fit = Fit::new(&Guess { tl, tr, bl, module: 6.0 }, &known);
        assert!(near(fit.place(3.5, 3.5), (20.0, 30.0)) && near(fit.place(25.5, 3.5), (152.0, 40.0)));
        assert!(near(fit.place(3.5, 25.5), (14.0, 150.0)) && near(fit.place(25.5, 25.5), (146.0, 160.0)));
        let moved = fit.with_fourth(22.5, (120.0, 128.0)).unwrap();
        assert!(near(moved.place(22.5, 22.5), (120.0, 128.0)) && near(moved.place(3.5, 3.5), (20.0, 30.0)));
    }
}
