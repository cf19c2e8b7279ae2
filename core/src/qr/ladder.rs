//! The readers, in the order in which they are asked.
//!
//! No reader sees everything, and each has panicked on some picture. So they stand on a ladder: cheap and good ones
//! first, each with its reason, a panic counted as "saw nothing".

use rxing::{
    Point,
    common::{BitMatrix, cpp_essentials::ConcentricPattern},
};

use super::{
    Luma, grid, proof,
    readers::{self, Sighting},
    shades, threshold,
};

/// What one QR code holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Binary(Vec<u8>),
}

/// The corners of a code in pixels of the picture: its own top left one first, then clockwise as it is read.
pub type Corners = [(f32, f32); 4];

/// A code that was found.
#[derive(Clone, PartialEq)]
pub struct Found {
    /// What it holds.
    pub payload: Payload,
    /// Where it is.
    pub corners: Corners,
    /// The name of the rung that saw it.
    pub rung: &'static str,
}

/// What was read of a picture.
#[derive(Clone, PartialEq)]
pub struct Reading {
    /// The codes, each once.
    pub codes: Vec<Found>,
    /// Whether the ladder was climbed as far as it had to be. `false` where it was stopped before.
    pub is_complete: bool,
}

/// The texts of the QR codes in a picture, each once; empty where there is none. Never panics.
pub fn read(picture: &Luma) -> Vec<String> {
    read_payloads(picture)
        .into_iter()
        .filter_map(|payload| match payload {
            Payload::Text(text) => Some(text),
            Payload::Binary(_) => None,
        })
        .collect()
}

/// What the QR codes in a picture hold, each once; empty where there is none. Never panics.
pub fn read_payloads(picture: &Luma) -> Vec<Payload> {
    read_until(picture, &|| false).codes.into_iter().map(|found| found.payload).collect()
}

/// Reads a picture until `stop` says so: a deadline that has passed, a page that was left. It is asked between any two
/// attempts at a code, and at least once a step of the ladder. Never panics.
pub fn read_until(picture: &Luma, stop: &dyn Fn() -> bool) -> Reading {
    let mut climb = Climb::new(picture, stop);
    let is_complete = climb.up(|_| true);
    Reading { codes: climb.codes, is_complete }
}

/// What a rung costs where there is no code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Little, whatever the picture is: every frame of a camera is worth it.
    Glance,
    /// More, but it is asked on the way whether to stop.
    Steps,
    /// More, and nothing can stop it.
    Whole,
}

/// One way to look at a picture.
pub(super) struct Rung {
    name: &'static str,
    pub(super) effort: Effort,
    /// Whether it is asked where codes were found already, and finder patterns beside them that belong to none.
    sees_more: bool,
    climb: fn(&mut Climb<'_>, &'static str),
}

/// Every rung, the reason for its place beside it.
const LADDER: [Rung; 12] = [
    // The best single reader on thresholds that follow shadows: nine of ten pictures end here.
    Rung { name: "blocks", effort: Effort::Glance, sees_more: true, climb: |climb, name| climb.blocks(name, false) },
    // Light on dark, as dark themes show codes. The thresholds are there already.
    Rung { name: "inverted", effort: Effort::Glance, sees_more: true, climb: |climb, name| climb.blocks(name, true) },
    // Noise of single pixels goes away, modules of three pixels and more stay.
    Rung { name: "blur 1", effort: Effort::Steps, sees_more: true, climb: |climb, name| climb.blurred(name, 1) },
    // Windows around each pixel instead of blocks, any contrast: for small modules, blur, and weak light.
    Rung { name: "mean", effort: Effort::Steps, sees_more: true, climb: |climb, name| climb.mean(name) },
    // Another detector: of several codes in one picture it finds some that the first misses.
    // Its attempts to fit a grid take as long as the rungs before.
    Rung { name: "quircs", effort: Effort::Whole, sees_more: true, climb: |climb, name| climb.quircs(name) },
    // Finder patterns were seen, and what is between them is blurred, bent or stained.
    Rung { name: "grid", effort: Effort::Steps, sees_more: true, climb: |climb, name| climb.grid(name, false) },
    // A photograph of twelve million pixels has modules of a hundred: smaller, they are sharper.
    Rung { name: "halved", effort: Effort::Steps, sees_more: false, climb: |climb, name| climb.halved(name) },
    // Modules of two pixels are too few for lines to be fitted to their edges; with pixels between them they are four.
    Rung { name: "doubled", effort: Effort::Steps, sees_more: false, climb: |climb, name| climb.doubled(name) },
    // Stronger noise, larger modules.
    Rung { name: "blur 2", effort: Effort::Steps, sees_more: false, climb: |climb, name| climb.blurred(name, 2) },
    // A small code on a large screen drowns in what looks like finder patterns: less around it, fewer of them.
    Rung { name: "crops", effort: Effort::Steps, sees_more: false, climb: |climb, name| climb.crops(name) },
    // The finder patterns that showed up since, and pairs of them: the third is under a stain, a thumb, a lamp.
    Rung { name: "pairs", effort: Effort::Steps, sees_more: false, climb: |climb, name| climb.pairs(name) },
    // A third detector for what is left.
    Rung { name: "rqrr", effort: Effort::Whole, sees_more: false, climb: |climb, name| climb.rqrr(name) },
];

/// The most pixels of a picture that is doubled: four times as many are read then.
const MOST_TO_DOUBLE: u64 = 1024 * 1024;

/// A way up the ladder.
pub(super) struct Climb<'a> {
    picture: &'a Luma,
    stop: &'a dyn Fn() -> bool,
    pub(super) codes: Vec<Found>,
    /// Payloads that one rung saw and that its error correction does not prove.
    doubtful: Vec<(Payload, &'static str)>,
    /// What looked like a finder pattern, and how often.
    patterns: Vec<(ConcentricPattern, usize)>,
    /// Whether there are finder patterns that belong to no code that was read.
    has_more: bool,
    /// The picture by block thresholds, which two rungs look at.
    blocks: Option<BitMatrix>,
}

impl<'a> Climb<'a> {
    pub(super) fn new(picture: &'a Luma, stop: &'a dyn Fn() -> bool) -> Self {
        Self {
            picture,
            stop,
            codes: Vec::new(),
            doubtful: Vec::new(),
            patterns: Vec::new(),
            has_more: false,
            blocks: None,
        }
    }

    /// Climbs the rungs that are wanted, as far as there is something left to find; `false` where it was stopped.
    pub(super) fn up(&mut self, is_wanted: impl Fn(&Rung) -> bool) -> bool {
        if self.picture.width() == 0 || self.picture.height() == 0 {
            return true;
        }
        for rung in LADDER.iter().filter(|rung| is_wanted(rung)) {
            let is_asked = self.codes.is_empty() || (self.has_more && rung.sees_more);
            if !is_asked {
                continue;
            }
            if (self.stop)() {
                return false;
            }
            (rung.climb)(self, rung.name);
        }
        !(self.stop)()
    }

    /// Whether there is something that looks like a part of a code which was not read.
    pub(super) fn is_promising(&self) -> bool {
        self.has_more || (self.codes.is_empty() && self.patterns.len() >= 2)
    }

    fn blocks(&mut self, name: &'static str, is_inverted: bool) {
        let mut matrix = match self.blocks.take() {
            Some(matrix) => matrix,
            None => match threshold::by_blocks(self.picture) {
                Some(matrix) => matrix,
                None => return,
            },
        };
        let known = self.patterns.clone();
        if is_inverted {
            matrix.flip_self();
        }
        let has_more = self.rxing(name, &matrix, (0.0, 0.0, 1.0));
        if is_inverted {
            matrix.flip_self();
            self.patterns = known;
        } else {
            self.has_more = has_more;
        }
        self.blocks = Some(matrix);
    }

    fn quircs(&mut self, name: &'static str) {
        let mut seen = Vec::new();
        readers::by_quircs(self.picture, &mut |sighting| seen.push(sighting));
        self.take(name, seen, (0.0, 0.0, 1.0));
    }

    fn rqrr(&mut self, name: &'static str) {
        let mut seen = Vec::new();
        readers::by_rqrr(self.picture, &mut |sighting| seen.push(sighting));
        self.take(name, seen, (0.0, 0.0, 1.0));
    }

    fn blurred(&mut self, name: &'static str, radius: usize) {
        self.view(name, shades::blurred(self.picture, radius), (0.0, 0.0, 1.0));
    }

    fn mean(&mut self, name: &'static str) {
        let radius = (self.picture.width().max(self.picture.height()) as usize / 40).clamp(8, 40);
        if let Some(matrix) = threshold::by_mean(self.picture, radius, 0) {
            self.rxing(name, &matrix, (0.0, 0.0, 1.0));
        }
    }

    fn grid(&mut self, name: &'static str, of_two: bool) {
        loop {
            let is_free =
                |pattern: &ConcentricPattern| !self.codes.iter().any(|code| readers::inside(&code.corners, pattern.p));
            let mut patterns = self.patterns.clone();
            // What several rungs saw is more than what one saw.
            patterns.sort_by_key(|(pattern, times)| std::cmp::Reverse((*times, pattern.size)));
            let patterns: Vec<ConcentricPattern> = patterns.into_iter().map(|(p, _)| p).filter(is_free).collect();
            let mut seen = Vec::new();
            grid::read(self.picture, &patterns, of_two, self.stop, &mut |sighting| seen.push(sighting));
            let before = self.codes.len();
            self.take(name, seen, (0.0, 0.0, 1.0));
            if self.codes.len() == before {
                return;
            }
        }
    }

    fn pairs(&mut self, name: &'static str) {
        self.grid(name, false);
        if self.codes.is_empty() {
            self.grid(name, true);
        }
    }

    fn halved(&mut self, name: &'static str) {
        let mut small = shades::halved(self.picture);
        let mut scale = 2.0;
        while let Some(luma) = small {
            small = shades::halved(&luma);
            self.view(name, luma, (0.0, 0.0, scale));
            scale *= 2.0;
            if !self.codes.is_empty() || (self.stop)() {
                break;
            }
        }
    }

    fn doubled(&mut self, name: &'static str) {
        if u64::from(self.picture.width()) * u64::from(self.picture.height()) <= MOST_TO_DOUBLE {
            self.view(name, shades::doubled(self.picture), (0.0, 0.0, 0.5));
        }
    }

    /// The centre and the four corners, each five eighths of the width and height, so that they overlap.
    fn crops(&mut self, name: &'static str) {
        let (width, height) = (self.picture.width(), self.picture.height());
        let (w, h) = (width / 2 + width / 8, height / 2 + height / 8);
        if w < 100 || h < 100 {
            return;
        }
        let (right, bottom) = (width - w, height - h);
        for (left, top) in [(right / 2, bottom / 2), (0, 0), (right, 0), (0, bottom), (right, bottom)] {
            if (self.stop)() {
                return;
            }
            self.view(name, shades::crop(self.picture, left, top, w, h), (left as f32, top as f32, 1.0));
        }
    }

    fn view(&mut self, name: &'static str, luma: Luma, place: (f32, f32, f32)) {
        if let Some(matrix) = threshold::by_blocks(&luma) {
            self.rxing(name, &matrix, place);
        }
    }

    /// Whether there are codes that were seen and not read.
    fn rxing(&mut self, name: &'static str, matrix: &BitMatrix, place: (f32, f32, f32)) -> bool {
        let mut seen = Vec::new();
        let besides = readers::by_rxing(matrix, self.stop, &mut |sighting| seen.push(sighting));
        self.take(name, seen, place);
        let (left, top, scale) = place;
        for mut pattern in besides.patterns {
            pattern.p = pattern.p * scale + Point { x: left, y: top };
            pattern.size = (pattern.size as f32 * scale) as i32;
            let known = self
                .patterns
                .iter_mut()
                .find(|(other, _)| Point::distance(other.p, pattern.p) < other.size.min(pattern.size) as f32 / 2.0);
            match known {
                Some((_, times)) => *times += 1,
                None => self.patterns.push((pattern, 1)),
            }
        }
        besides.has_unread
    }

    /// Keeps what is proven, or what two rungs saw where it is no accident that both did.
    fn take(&mut self, rung: &'static str, seen: Vec<Sighting>, (left, top, scale): (f32, f32, f32)) {
        for Sighting { payload, corners, is_proven } in seen {
            if self.codes.iter().any(|found| found.payload == payload) {
                continue;
            }
            let is_line = matches!(&payload, Payload::Text(text) if proof::is_line(text));
            let is_seen_twice = is_line && self.doubtful.iter().any(|(other, by)| *other == payload && *by != rung);
            if !is_proven && !is_seen_twice {
                self.doubtful.push((payload, rung));
                continue;
            }
            let corners = corners.map(|(x, y)| (left + x * scale, top + y * scale));
            self.codes.push(Found { payload, corners, rung });
        }
    }
}
