//! How many pictures of a set are read, and how long one takes: `COUNTERSIGN_FIXTURES=folder cargo bench --bench qr_table`.
//!
//! The folder holds `qr/NNN_kind.png` with the text in `qr/NNN_kind.txt` beside it.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a table, by the clock, for a person"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use countersign_core::qr::{Luma, read};

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    times: Vec<Duration>,
}

fn main() {
    let Some(folder) = std::env::var_os("COUNTERSIGN_FIXTURES") else {
        println!("qr_table: COUNTERSIGN_FIXTURES names no folder, nothing is measured");
        return;
    };
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(Path::new(&folder).join("qr"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "png"))
        .collect();
    pictures.sort();
    let mut kinds: BTreeMap<String, Tally> = BTreeMap::new();
    for picture in &pictures {
        let name = picture.file_stem().unwrap().to_str().unwrap();
        let kind = name.split_once('_').map_or(name, |(_, kind)| kind);
        let wanted = std::fs::read_to_string(picture.with_extension("txt")).unwrap();
        let bytes = std::fs::read(picture).unwrap();
        let start = Instant::now();
        let texts = read(&Luma::from_file_bytes(&bytes).unwrap());
        let took = start.elapsed();
        let tally = kinds.entry(kind.to_owned()).or_default();
        tally.times.push(took);
        tally.right += usize::from(texts.contains(&wanted));
        tally.wrong += texts.iter().filter(|text| **text != wanted).count();
        if !texts.contains(&wanted) {
            println!("not read: {name} ({took:?})");
        }
    }
    println!("{:14} {:>8} {:>6} {:>6} {:>9} {:>9}", "kind", "pictures", "right", "wrong", "mean", "p95");
    let mut all = Tally::default();
    for (kind, mut tally) in kinds {
        all.right += tally.right;
        all.wrong += tally.wrong;
        all.times.extend(&tally.times);
        line(&kind, &mut tally);
    }
    line("all", &mut all);
}

fn line(kind: &str, tally: &mut Tally) {
    tally.times.sort();
    let count = tally.times.len().max(1);
    let mean = tally.times.iter().sum::<Duration>() / u32::try_from(count).unwrap();
    let p95 = tally.times.get((count * 95).div_ceil(100) - 1).copied().unwrap_or_default();
    println!(
        "{kind:14} {:>8} {:>6} {:>6} {:>6} ms {:>6} ms",
        tally.times.len(),
        tally.right,
        tally.wrong,
        mean.as_millis(),
        p95.as_millis()
    );
}
