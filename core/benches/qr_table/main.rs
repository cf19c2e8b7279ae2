//! How many pictures are read, how many wrongly, and how long one takes:
//!
//! ```text
//! COUNTERSIGN_FIXTURES=folder cargo bench --bench qr_table            # folder/qr, and our own hard pictures
//! cargo bench --bench qr_table -- --folder pictures                   # a folder of pictures alone
//! cargo bench --bench qr_table -- --each 50 --only blur --misses      # 50 of one kind, with what was not read
//! cargo bench --bench qr_table -- --save folder                       # writes our own pictures there
//! cargo bench --bench qr_table -- --frames                            # as frames of a camera that holds still
//! ```
//!
//! A folder holds `NNN_kind.png` (or .jpg, .webp, ..) with the text in `NNN_kind.txt` beside it. Pictures with an even
//! number are for tuning the ladder, those with an odd one tell what it is worth; of our own, another seed does.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a table, by the clock, for a person"
)]

mod draw;
mod kinds;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use countersign_core::qr::{Luma, Payload, Reading, Watch, read_until};

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    opening: Duration,
    times: Vec<Duration>,
}

#[derive(Default)]
struct Wishes {
    folder: Option<PathBuf>,
    save: Option<PathBuf>,
    only: Option<String>,
    each: Option<usize>,
    misses: bool,
    frames: bool,
    /// Each picture so often, the shortest time counts: for machines that do other things besides.
    repeat: usize,
}

/// Pictures for tuning, and pictures that were never looked at while tuning.
const HALVES: [(&str, u64); 2] = [("tuning", 1), ("reported", 2)];

fn main() {
    let mut wishes = Wishes::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--folder" => wishes.folder = arguments.next().map(PathBuf::from),
            "--save" => wishes.save = arguments.next().map(PathBuf::from),
            "--only" => wishes.only = arguments.next(),
            "--each" => wishes.each = arguments.next().and_then(|n| n.parse().ok()),
            "--repeat" => wishes.repeat = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            "--misses" => wishes.misses = true,
            "--frames" => wishes.frames = true,
            _ => {}
        }
    }
    let fixtures = std::env::var_os("COUNTERSIGN_FIXTURES").map(|folder| Path::new(&folder).join("qr"));
    match wishes.folder.clone().or(fixtures) {
        Some(folder) => files(&folder, &wishes),
        None => println!("COUNTERSIGN_FIXTURES names no folder: only pictures of our own\n"),
    }
    if wishes.folder.is_none() {
        for (half, seed) in HALVES {
            ours(half, seed, &wishes);
        }
    }
}

fn files(folder: &Path, wishes: &Wishes) {
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.with_extension("txt") != *path && path.with_extension("txt").exists())
        .collect();
    pictures.sort();
    for (half, rest) in [("tuning", 0), ("reported", 1)] {
        let mut table = Table::new(&format!("{}, {half} half", folder.display()), wishes);
        for (index, picture) in pictures.iter().enumerate() {
            let name = picture.file_stem().unwrap().to_str().unwrap();
            let (number, kind) = name.split_once('_').unwrap_or(("", name));
            if number.parse().unwrap_or(index) % 2 != rest || wishes.only.as_deref().is_some_and(|only| only != kind) {
                continue;
            }
            let texts = [std::fs::read_to_string(picture.with_extension("txt")).unwrap()];
            let all = table.look(kind, &std::fs::read(picture).unwrap(), &texts);
            if !all && wishes.misses {
                println!("not read: {name}");
            }
        }
        table.print();
    }
}

fn ours(half: &str, seed: u64, wishes: &Wishes) {
    let mut table = Table::new(&format!("our own pictures, {half}"), wishes);
    for (kind, make) in kinds::KINDS {
        if wishes.only.as_deref().is_some_and(|only| only != kind) {
            continue;
        }
        // A picture of twelve million pixels takes long to draw.
        let count = wishes.each.unwrap_or(if kind == "huge" { 8 } else { 20 });
        for (number, sample) in kinds::samples(kind, make, seed, count).enumerate() {
            if !table.look(kind, &sample.file, &sample.texts) && wishes.misses {
                println!("not read: {kind} {number}");
            }
            if let Some(folder) = &wishes.save {
                std::fs::create_dir_all(folder).unwrap();
                let extension = if kind == "jpeg" { "jpg" } else { "png" };
                let path = folder.join(format!("{half}{number:03}_{kind}.{extension}"));
                std::fs::write(&path, &sample.file).unwrap();
                std::fs::write(path.with_extension("txt"), sample.texts.join("\n")).unwrap();
            }
        }
    }
    table.print();
}

/// What a camera that holds still for nine frames sees.
fn read_frames(picture: &Luma) -> Reading {
    let mut watch = Watch::default();
    let mut frames = std::iter::repeat_with(|| watch.look(picture, &|| false)).take(9);
    let mut last = Reading { codes: Vec::new(), is_complete: true };
    while last.codes.is_empty() {
        let Some(reading) = frames.next() else { break };
        last = reading;
    }
    last
}

/// A line for each kind, in the order in which they came.
struct Table {
    title: String,
    repeat: usize,
    frames: bool,
    kinds: Vec<(String, Tally)>,
    rungs: BTreeMap<&'static str, usize>,
}

impl Table {
    fn new(title: &str, wishes: &Wishes) -> Self {
        Self {
            title: title.to_owned(),
            repeat: wishes.repeat,
            frames: wishes.frames,
            kinds: Vec::new(),
            rungs: BTreeMap::new(),
        }
    }

    /// Reads a picture; whether all its texts were there.
    fn look(&mut self, kind: &str, file: &[u8], texts: &[String]) -> bool {
        if self.kinds.last().is_none_or(|(last, _)| last != kind) {
            self.kinds.push((kind.to_owned(), Tally::default()));
        }
        let tally = &mut self.kinds.last_mut().unwrap().1;
        let opened = Instant::now();
        let picture = Luma::from_file_bytes(file).unwrap();
        tally.opening += opened.elapsed();
        let read = || if self.frames { read_frames(&picture) } else { read_until(&picture, &|| false) };
        let start = Instant::now();
        let reading = read();
        let mut took = start.elapsed();
        for _ in 1..self.repeat {
            let start = Instant::now();
            read();
            took = took.min(start.elapsed());
        }
        tally.times.push(took);
        let mut found = Vec::new();
        for code in reading.codes {
            let Payload::Text(text) = code.payload else { continue };
            *self.rungs.entry(code.rung).or_default() += usize::from(texts.contains(&text));
            found.push(text);
        }
        let all = texts.iter().all(|text| found.contains(text));
        tally.right += usize::from(all);
        tally.wrong += found.iter().filter(|text| !texts.contains(text)).count();
        all
    }

    fn print(mut self) {
        println!("\n{}", self.title);
        let heads = ["pictures", "right", "wrong", "mean ms", "p95 ms", "opening"];
        println!("{:12}{}", "kind", heads.map(|head| format!("{head:>10}")).concat());
        let mut all = Tally::default();
        for (kind, tally) in &mut self.kinds {
            all.right += tally.right;
            all.wrong += tally.wrong;
            all.opening += tally.opening;
            all.times.extend(&tally.times);
            tally.print(kind);
        }
        all.print("all");
        println!("read by: {:?}", self.rungs);
    }
}

impl Tally {
    fn print(&mut self, kind: &str) {
        self.times.sort();
        let count = self.times.len().max(1);
        let mean = |sum: Duration| sum.as_secs_f64() * 1e3 / count as f64;
        let p95 = self.times.get((count * 95).div_ceil(100) - 1).copied().unwrap_or_default();
        println!(
            "{kind:12}{:>10}{:>10}{:>10}{:>10.2}{:>10.2}{:>10.2}",
            self.times.len(),
            self.right,
            self.wrong,
            mean(self.times.iter().sum()),
            p95.as_secs_f64() * 1e3,
            mean(self.opening),
        );
    }
}
