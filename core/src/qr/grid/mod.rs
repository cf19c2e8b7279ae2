//! A reader for what lines and edges do not show: blurred, bent, stained codes.
//!
//! It knows where a code of each version is dark and light whatever it holds: finder, timing and alignment patterns. It
//! bends a grid until the picture agrees with that as well as it can, reads the shade of every module, and undoes the
//! blur with a filter that it learns from the modules that are known. Only finding a first guess is left to others.

mod equalise;
mod fit;
mod known;
mod plane;

use rxing::{
    Point,
    common::cpp_essentials::ConcentricPattern,
    qrcode::cpp_port::detector::{FinderPatternSet, GenerateFinderPatternSets},
};

use super::{
    Luma,
    guard::guarded,
    readers::{self, Sighting},
};
use fit::Fit;
use known::Known;
use plane::Plane;

/// The most guesses of which a grid is roughly bent, the best first, and the most that are followed to the end.
const MOST_GUESSES: usize = 16;
const MOST_FOLLOWED: usize = 4;
/// The most finder patterns of which pairs are made.
const MOST_PATTERNS: usize = 10;

/// Three places where finder patterns are, or would be.
#[derive(Clone, Copy)]
struct Guess {
    tl: Point,
    tr: Point,
    bl: Point,
    /// Pixels a module.
    module: f32,
}

/// Looks for codes around finder patterns that others saw: threes of them, and, with `of_two`, pairs to which the third
/// is added in thought.
pub(super) fn read(
    picture: &Luma,
    patterns: &[ConcentricPattern],
    of_two: bool,
    stop: &dyn Fn() -> bool,
    see: &mut dyn FnMut(Sighting),
) {
    let guesses = if of_two { pairs(patterns) } else { threes(patterns) };
    let mut planes: Vec<(f32, Plane)> = Vec::new();
    let mut ranked: Vec<(f32, Guess, Known)> = Vec::new();
    for guess in guesses {
        if stop() {
            return;
        }
        let at = planes.iter().position(|(module, _)| (module / guess.module).ln().abs() < 0.3).unwrap_or_else(|| {
            planes.push((guess.module, Plane::new(picture, (guess.module * 5.0) as usize)));
            planes.len() - 1
        });
        for version in versions(&guess) {
            let Some(known) = Known::new(version) else { continue };
            let score = Fit::new(&guess, &known).score(&planes[at].1, &known);
            if score >= LEAST_SCORE / 2.0 {
                ranked.push((score, guess, known));
            }
        }
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut bent: Vec<(f32, Fit, Known, &Plane)> = Vec::new();
    for (_, guess, known) in ranked.into_iter().take(MOST_GUESSES) {
        let plane = planes.iter().find(|(module, _)| (module / guess.module).ln().abs() < 0.3);
        let Some((_, plane)) = plane else { continue };
        if stop() {
            return;
        }
        let best = Fit::new(&guess, &known)
            .with_alignment(plane, &known)
            .into_iter()
            .filter(|fit| fit.score(plane, &known) >= LEAST_SCORE / 2.0)
            .map(|fit| fit.refined(plane, &known, &fit::ROUGH, fit::Bend::Flat))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((score, fit)) = best.filter(|(score, _)| *score >= LEAST_SCORE) {
            bent.push((score, fit, known, plane));
        }
    }
    bent.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, fit, known, plane) in bent.into_iter().take(MOST_FOLLOWED) {
        if stop() {
            return;
        }
        if let Some(sighting) = guarded(|| follow(picture, plane, fit, &known)).flatten() {
            see(sighting);
            return;
        }
    }
}

/// The least agreement with the known modules from which on it is worth to read the others: chance reaches a quarter.
const LEAST_SCORE: f32 = 0.4;

fn follow(picture: &Luma, plane: &Plane, mut fit: Fit, known: &Known) -> Option<Sighting> {
    for bend in [fit::Bend::Flat, fit::Bend::Curved] {
        fit = fit.refined(plane, known, &fit::FINE, bend).1;
        let shades = fit.shades(picture, known.size);
        for matrix in equalise::decisions(&shades, known) {
            if let Some(mut sighting) = readers::decoded(&matrix) {
                let size = known.size as f32;
                sighting.corners = [(0.0, 0.0), (size, 0.0), (size, size), (0.0, size)].map(|(u, v)| fit.place(u, v));
                return Some(sighting);
            }
        }
    }
    None
}

fn threes(patterns: &[ConcentricPattern]) -> Vec<Guess> {
    let mut patterns = patterns.to_vec();
    let sets: Vec<FinderPatternSet> = guarded(|| GenerateFinderPatternSets(&mut patterns)).unwrap_or_default();
    sets.into_iter()
        .take(24)
        .map(|set| {
            let module = (set.tl.size + set.tr.size + set.bl.size) as f32 / 21.0;
            Guess { tl: set.tl.p, tr: set.tr.p, bl: set.bl.p, module }
        })
        .collect()
}

/// Each pair as two of three finder patterns: two along an edge, to either side, or the two of the diagonal.
fn pairs(patterns: &[ConcentricPattern]) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let patterns = &patterns[..patterns.len().min(MOST_PATTERNS)];
    for (index, a) in patterns.iter().enumerate() {
        for b in &patterns[index + 1..] {
            let module = (a.size + b.size) as f32 / 14.0;
            let apart = Point::distance(a.p, b.p) / module;
            let alike = a.size.max(b.size) * 2 <= a.size.min(b.size) * 3;
            if !alike || !(13.0..=260.0).contains(&apart) {
                continue;
            }
            for (p, q) in [(a.p, b.p), (b.p, a.p)] {
                // A quarter turn to the right of the way from the first to the second.
                let turn = Point { x: p.y - q.y, y: q.x - p.x };
                guesses.push(Guess { tl: p, tr: q, bl: p + turn, module });
                guesses.push(Guess { tl: p, tr: p - turn, bl: q, module });
                guesses.push(Guess { tl: (p + q) / 2.0 + turn / 2.0, tr: p, bl: q, module });
            }
        }
    }
    guesses
}

/// Versions whose size fits the guess, the nearest first.
fn versions(guess: &Guess) -> Vec<u32> {
    let side = (Point::distance(guess.tl, guess.tr) + Point::distance(guess.tl, guess.bl)) / 2.0;
    let size = side / guess.module + 7.0;
    let version = (size - 17.0) / 4.0;
    let reach = 1.0 + version / 8.0;
    let mut versions: Vec<u32> = (1..=40).filter(|&v| (v as f32 - version).abs() <= reach).collect();
    versions.sort_by(|&a, &b| (a as f32 - version).abs().total_cmp(&(b as f32 - version).abs()));
    versions
}
