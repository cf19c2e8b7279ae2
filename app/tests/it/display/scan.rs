//! Looks for byte strings in the memory of another process.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead as _, BufReader},
    os::unix::fs::FileExt as _,
};

/// The shortest that is looked for: shorter ones would be found by chance.
const SHORTEST: usize = 8;

/// What is looked for, each with its name.
pub(super) struct Needles {
    all: Vec<(String, Vec<u8>)>,
    /// By the first eight bytes.
    by_start: HashMap<[u8; SHORTEST], Vec<usize>>,
    /// Whether one begins with these two bytes.
    pairs: Vec<bool>,
    longest: usize,
}

/// Where something was found.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    /// What.
    pub(super) name: String,
    /// In which part of the memory: `[heap]`, `[stack]`, or nothing for what has no name.
    pub(super) region: String,
    /// Its address.
    pub(super) address: u64,
}

impl Needles {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), by_start: HashMap::new(), pairs: vec![false; 1 << 16], longest: 0 }
    }

    /// Looks for `bytes`; from their first one that is not zero on, for memory is full of zeros, and of a thousand random
    /// secrets one may begin so.
    pub(super) fn add(&mut self, name: impl Into<String>, bytes: &[u8]) {
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        assert!(bytes.len() >= SHORTEST, "found by chance");
        let start: [u8; SHORTEST] = bytes[..SHORTEST].try_into().unwrap();
        self.by_start.entry(start).or_default().push(self.all.len());
        self.pairs[usize::from(u16::from_le_bytes([start[0], start[1]]))] = true;
        self.longest = self.longest.max(bytes.len());
        self.all.push((name.into(), bytes.to_vec()));
    }

    /// Looks for a text in the three widths that characters have.
    pub(super) fn add_text(&mut self, name: &str, text: &str) {
        self.add(format!("{name} (UTF-8)"), text.as_bytes());
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.add(format!("{name} (UTF-16)"), &wide);
        let wider: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        self.add(format!("{name} (UTF-32)"), &wider);
    }

    /// Every place where something of it is in the memory of the process.
    pub(super) fn in_memory_of(&self, pid: u32) -> io::Result<Vec<Hit>> {
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let mut hits = Vec::new();
        for line in BufReader::new(File::open(format!("/proc/{pid}/maps"))?).lines() {
            let line = line?;
            let mut words = line.split_whitespace();
            let (Some(range), Some(rights)) = (words.next(), words.next()) else { continue };
            let region = words.nth(3).unwrap_or_default();
            // What cannot be written holds nothing but the program itself.
            if !rights.starts_with("rw") {
                continue;
            }
            let Some((from, to)) = range.split_once('-') else { continue };
            let bound = |hex: &str| u64::from_str_radix(hex, 16).map_err(io::Error::other);
            self.in_region(&memory, region, bound(from)?, bound(to)?, &mut hits)?;
        }
        Ok(hits)
    }

    fn in_region(&self, memory: &File, region: &str, from: u64, to: u64, hits: &mut Vec<Hit>) -> io::Result<()> {
        const STEP: u64 = 1 << 20;
        let mut at = from;
        while at < to {
            // Over the end of each step, for what lies across it.
            let end = to.min(at + STEP + self.longest as u64);
            let mut bytes = vec![0; usize::try_from(end - at).map_err(io::Error::other)?];
            match memory.read_exact_at(&mut bytes, at) {
                Ok(()) => self.in_bytes(&bytes, region, at, at + STEP, hits),
                // Gone since the list was read, or memory of a device.
                Err(error) if error.raw_os_error() == Some(5) || error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
            at += STEP;
        }
        Ok(())
    }

    fn in_bytes(&self, bytes: &[u8], region: &str, base: u64, until: u64, hits: &mut Vec<Hit>) {
        for (at, window) in bytes.windows(SHORTEST).enumerate() {
            if !self.pairs[usize::from(u16::from_le_bytes([window[0], window[1]]))] {
                continue;
            }
            let address = base + at as u64;
            let Some(found) = window.try_into().ok().and_then(|start: [u8; SHORTEST]| self.by_start.get(&start)) else {
                continue;
            };
            for (name, needle) in found.iter().map(|&index| &self.all[index]) {
                if address < until && bytes[at..].starts_with(needle) {
                    hits.push(Hit { name: name.clone(), region: region.to_owned(), address });
                }
            }
        }
    }
}

#[test]
fn finds_what_is_there_and_not_what_is_gone() {
    let mut needles = Needles::new();
    let kept = "a text that stands in this memory".to_owned();
    // Made up here, so that the program's own constants do not hold it.
    let wanted: String = kept.chars().rev().collect();
    needles.add_text("wanted", &wanted);
    let hits = needles.in_memory_of(std::process::id()).unwrap();
    assert!(hits.iter().any(|hit| hit.name == "wanted (UTF-8)"), "{hits:?}");
    let mut absent = Needles::new();
    absent.add("absent", &[0xA7; 24]);
    drop(std::hint::black_box(kept));
    // The list itself has it, and nothing else.
    assert!(absent.in_memory_of(std::process::id()).unwrap().len() <= 16);
}
