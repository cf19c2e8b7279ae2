//! The decoders, and what the ladder wants to know of each code that they see.

use rxing::{
    Point,
    common::{BitMatrix, DetectorRXingResult as _, cpp_essentials::ConcentricPattern},
    qrcode::cpp_port::{
        decoder::Decode,
        detector::{FinderPatternSet, GenerateFinderPatternSets, SampleQR},
    },
};

use super::{Corners, Luma, Payload, finders, guard::guarded, proof};

/// A code as one reader saw it.
pub(super) struct Sighting {
    pub(super) payload: Payload,
    pub(super) corners: Corners,
    /// Whether its error correction alone shows that it is no accident.
    pub(super) is_proven: bool,
}

/// The most groups of three finder patterns that are tried in one picture, the most plausible first. Pages of text have
/// thousands that are none.
const MOST_SETS: usize = 400;

/// What rxing saw beside codes.
#[derive(Default)]
pub(super) struct Besides {
    /// Everything that looks like a finder pattern, also those of codes.
    pub(super) patterns: Vec<ConcentricPattern>,
    /// Whether some of them are of a code that was not read.
    pub(super) has_unread: bool,
}

/// What rxing's detector makes of black and white.
pub(super) fn by_rxing(matrix: &BitMatrix, stop: &dyn Fn() -> bool, see: &mut dyn FnMut(Sighting)) -> Besides {
    let Some(mut patterns) = guarded(|| finders::find(matrix)) else { return Besides::default() };
    let sets = guarded(|| GenerateFinderPatternSets(&mut patterns)).unwrap_or_default();
    let mut used: Vec<ConcentricPattern> = Vec::new();
    let mut areas: Vec<Corners> = Vec::new();
    let mut left = Vec::new();
    for set in sets.into_iter().take(MOST_SETS) {
        if stop() {
            break;
        }
        let of_set = [set.bl, set.tl, set.tr];
        let is_known =
            |pattern: &ConcentricPattern| used.contains(pattern) || areas.iter().any(|area| inside(area, pattern.p));
        if of_set.iter().any(is_known) {
            continue;
        }
        match guarded(|| sample(matrix, &set)).unwrap_or(Sampled::Nothing) {
            Sampled::Read(sighting) => {
                used.extend(of_set);
                areas.push(sighting.corners);
                see(sighting);
            }
            Sampled::Unread => left.push(set),
            Sampled::Nothing => {}
        }
    }
    let is_free = |p: &ConcentricPattern| !used.contains(p) && !areas.iter().any(|area| inside(area, p.p));
    let has_unread = left.iter().any(|set: &FinderPatternSet| [set.bl, set.tl, set.tr].iter().all(is_free));
    Besides { patterns, has_unread }
}

/// What three finder patterns turned out to be.
enum Sampled {
    Read(Sighting),
    /// A code by its timing patterns, but not one that can be read so.
    Unread,
    Nothing,
}

fn sample(matrix: &BitMatrix, set: &FinderPatternSet) -> Sampled {
    let Ok(sampled) = SampleQR(matrix, set) else { return Sampled::Nothing };
    let Some(mut sighting) = decoded(sampled.getBits()) else {
        return if has_timing(sampled.getBits()) { Sampled::Unread } else { Sampled::Nothing };
    };
    // The library's order is by rows.
    if let [tl, tr, bl, br] = sampled.getPoints() {
        sighting.corners = [*tl, *tr, *br, *bl].map(|point| (point.x, point.y));
    }
    Sampled::Read(sighting)
}

/// Whether the lines between the finder patterns change from module to module, but for one in five.
fn has_timing(modules: &BitMatrix) -> bool {
    let size = modules.width();
    let between = 8..size.saturating_sub(8);
    let right = |line: &dyn Fn(u32) -> bool| between.clone().filter(|&at| line(at) == (at % 2 == 0)).count();
    let least = between.len() * 4 / 5;
    right(&|at| modules.get(at, 6)) >= least && right(&|at| modules.get(6, at)) >= least
}

/// Reads the modules of one code.
pub(super) fn decoded(modules: &BitMatrix) -> Option<Sighting> {
    let decoded = Decode(modules).ok().filter(|decoded| decoded.isValid())?;
    let bytes = decoded.content().bytes();
    if bytes.is_empty() {
        return None;
    }
    let payload = match std::str::from_utf8(bytes) {
        Ok(text) => Payload::Text(text.to_owned()),
        Err(_) => {
            // Shift JIS or Latin 1, which the library tells apart. Control characters say that it is neither.
            let text = decoded.text();
            let is_text = !text.contains(|c: char| c.is_control() && !c.is_whitespace());
            if is_text { Payload::Text(text) } else { Payload::Binary(bytes.to_vec()) }
        }
    };
    let level = decoded.ecLevel().chars().next().unwrap_or('L');
    let is_proven = proof::is_strong(decoded.versionNumber(), level)
        || proof::fits(modules, decoded.isMirrored(), decoded.versionNumber(), level, bytes);
    Some(Sighting { payload, corners: Corners::default(), is_proven })
}

/// quircs: another detector, which fills areas instead of following lines.
pub(super) fn by_quircs(picture: &Luma, see: &mut dyn FnMut(Sighting)) {
    let mut reader = quircs::Quirc::default();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let codes: Vec<_> =
        guarded(|| reader.identify(width, height, picture.pixels()).flatten().collect()).unwrap_or_default();
    for code in codes {
        let Some(Ok(data)) = guarded(|| code.decode()) else { continue };
        let Some(payload) = from_bytes(data.payload) else { continue };
        let level = match data.ecc_level {
            quircs::EccLevel::L => 'L',
            quircs::EccLevel::M => 'M',
            quircs::EccLevel::Q => 'Q',
            quircs::EccLevel::H => 'H',
        };
        see(Sighting {
            payload,
            corners: code.corners.map(|corner| (corner.x as f32, corner.y as f32)),
            is_proven: proof::is_strong(data.version as u32, level),
        });
    }
}

/// rqrr: a third detector, with thresholds of its own.
pub(super) fn by_rqrr(picture: &Luma, see: &mut dyn FnMut(Sighting)) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let grids = guarded(|| {
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| picture.pixels()[y * width + x])
            .detect_grids()
            .into_iter()
            .map(|grid| {
                let mut bytes = Vec::new();
                let data = grid.decode_to(&mut bytes).ok()?;
                Some((data, bytes, grid.bounds))
            })
            .collect::<Vec<_>>()
    });
    for (data, bytes, bounds) in grids.into_iter().flatten().flatten() {
        let Some(payload) = from_bytes(bytes) else { continue };
        // The numbers of ISO/IEC 18004, table 12.
        let level = match data.ecc_level {
            1 => 'L',
            0 => 'M',
            3 => 'Q',
            _ => 'H',
        };
        see(Sighting {
            payload,
            corners: bounds.map(|corner| (corner.x as f32, corner.y as f32)),
            is_proven: u32::try_from(data.version.0).is_ok_and(|version| proof::is_strong(version, level)),
        });
    }
}

fn from_bytes(bytes: Vec<u8>) -> Option<Payload> {
    if bytes.is_empty() {
        return None;
    }
    Some(String::from_utf8(bytes).map_or_else(|error| Payload::Binary(error.into_bytes()), Payload::Text))
}

/// Whether a point lies inside four corners, in either direction.
pub(super) fn inside(corners: &Corners, point: Point) -> bool {
    let sides = (0..4).map(|n| {
        let (a, b) = (corners[n], corners[(n + 1) % 4]);
        (b.0 - a.0) * (point.y - a.1) - (b.1 - a.1) * (point.x - a.0)
    });
    let (left, right) = sides.fold((true, true), |(left, right), side| (left && side <= 0.0, right && side >= 0.0));
    left || right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_stay_bytes() {
        assert!(from_bytes(vec![0xff, 0xfe, 0]) == Some(Payload::Binary(vec![0xff, 0xfe, 0])));
        assert!(from_bytes("grün".into()) == Some(Payload::Text("grün".into())));
        assert!(from_bytes(Vec::new()).is_none());
    }

    #[test]
    fn a_point_is_inside_of_corners_in_either_direction() {
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)];
        let other = [corners[3], corners[2], corners[1], corners[0]];
        for (x, y, is) in [(5.0, 5.0, true), (1.0, 9.0, true), (11.0, 5.0, false), (-1.0, 0.0, false)] {
            let point = Point { x, y };
            assert_eq!((inside(&corners, point), inside(&other, point)), (is, is));
        }
    }
}
