//! The readers, in the order in which they are asked.
//!
//! No reader sees everything, and each has panicked on some picture. So they stand on a ladder: cheap and good ones
//! first, each with its reason, a panic counted as "saw nothing".

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

use rxing::{
    BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source, common::HybridBinarizer, multi::MultipleBarcodeReader as _,
    qrcode::cpp_port::QrReader,
};

use super::{Luma, picture::MAX_PIXELS};

/// What one QR code holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Binary(Vec<u8>),
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
    let mut found = Vec::new();
    if picture.width() == 0 || picture.height() == 0 {
        return found;
    }
    for rung in &LADDER {
        if !found.is_empty() && !rung.always {
            break;
        }
        for payload in guarded(|| (rung.read)(picture)).unwrap_or_default() {
            if !found.contains(&payload) {
                found.push(payload);
            }
        }
    }
    found
}

/// One way to look at a picture.
struct Rung {
    /// Asked even where an earlier rung found something: these see codes beside it.
    always: bool,
    read: fn(&Luma) -> Vec<Payload>,
}

/// Every rung, the reason for its place beside it.
const LADDER: [Rung; 8] = [
    // Sees the most of all single readers.
    Rung { always: true, read: by_rxing },
    // Has another detector, and costs a fraction: of several codes in one picture it finds some that the first misses.
    Rung { always: true, read: by_quircs },
    // Light on dark, as dark themes show codes. One inverted copy serves the reader that likes it best.
    Rung { always: false, read: |picture| by_rxing(&inverted(picture)) },
    // A small code on a large screen drowns in what looks like finder patterns: less around it, fewer of them.
    Rung { always: false, read: |picture| crops(picture, 2).iter().flat_map(by_rxing).collect() },
    // Noise of single pixels goes away, modules of three pixels and more stay.
    Rung { always: false, read: |picture| by_rxing(&blurred(picture, 1)) },
    // Stronger noise, larger modules.
    Rung { always: false, read: |picture| by_rxing(&blurred(picture, 2)) },
    // A photograph of twelve million pixels has modules of a hundred: smaller, they are sharper.
    Rung { always: false, read: |picture| halved(picture).map(|small| by_rxing(&small)).unwrap_or_default() },
    // A third detector for what is left.
    Rung { always: false, read: by_rqrr },
];

fn by_rxing(picture: &Luma) -> Vec<Payload> {
    let Ok(source) = Luma8Source::new_with_slice(picture.pixels(), picture.width(), picture.height()) else {
        return Vec::new();
    };
    // Micro QR codes have so little redundancy that noise reads as one; no issuer uses them.
    let hints = DecodeHints {
        TryHarder: Some(true),
        PossibleFormats: Some([BarcodeFormat::QR_CODE].into()),
        ..DecodeHints::default()
    };
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    let results = QrReader.decode_multiple_with_hints(&mut bitmap, &hints).unwrap_or_default();
    results
        .into_iter()
        .filter(|result| !result.getRawBytes().is_empty())
        .map(|result| match std::str::from_utf8(result.getRawBytes()) {
            Ok(text) => Payload::Text(text.to_owned()),
            // Shift JIS or Latin 1, which the library tells apart. Control characters say that it is neither.
            Err(_) if !result.getText().contains(|c: char| c.is_control() && !c.is_whitespace()) => {
                Payload::Text(result.getText().to_owned())
            }
            Err(_) => Payload::Binary(result.getRawBytes().to_vec()),
        })
        .collect()
}

fn by_quircs(picture: &Luma) -> Vec<Payload> {
    let mut reader = quircs::Quirc::default();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    reader
        .identify(width, height, picture.pixels())
        .filter_map(|code| code.ok()?.decode().ok())
        .filter_map(|data| from_bytes(data.payload))
        .collect()
}

fn by_rqrr(picture: &Luma) -> Vec<Payload> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| picture.pixels()[y * width + x]);
    prepared
        .detect_grids()
        .into_iter()
        .filter_map(|grid| {
            let mut bytes = Vec::new();
            grid.decode_to(&mut bytes).ok()?;
            from_bytes(bytes)
        })
        .collect()
}

fn from_bytes(bytes: Vec<u8>) -> Option<Payload> {
    if bytes.is_empty() {
        return None;
    }
    Some(String::from_utf8(bytes).map_or_else(|error| Payload::Binary(error.into_bytes()), Payload::Text))
}

fn inverted(picture: &Luma) -> Luma {
    with_pixels(picture.width(), picture.height(), picture.pixels().iter().map(|&p| !p).collect())
}

/// The centre and the four corners, each a `1/n` of the width and height and a quarter more, so that they overlap.
fn crops(picture: &Luma, n: u32) -> Vec<Luma> {
    let (width, height) = (picture.width(), picture.height());
    let (w, h) = (width / n + width / (4 * n), height / n + height / (4 * n));
    if w < 100 || h < 100 {
        return Vec::new();
    }
    let (right, bottom) = (width - w, height - h);
    [(right / 2, bottom / 2), (0, 0), (right, 0), (0, bottom), (right, bottom)]
        .map(|(left, top)| crop(picture, left, top, w, h))
        .into()
}

fn crop(picture: &Luma, left: u32, top: u32, width: u32, height: u32) -> Luma {
    let stride = picture.width() as usize;
    let rows = picture.pixels().chunks_exact(stride).skip(top as usize).take(height as usize);
    let columns = left as usize..(left + width) as usize;
    with_pixels(width, height, rows.flat_map(|row| &row[columns.clone()]).copied().collect())
}

/// A box blur of `radius` pixels.
fn blurred(picture: &Luma, radius: u32) -> Luma {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rows = box_mean(picture.pixels(), width, height, radius as usize);
    // The mean of the columns is the mean of the transposed rows.
    let columns = box_mean(&transposed(&rows, width, height), height, width, radius as usize);
    with_pixels(picture.width(), picture.height(), transposed(&columns, height, width))
}

fn box_mean(pixels: &[u8], width: usize, height: usize, radius: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(width * height);
    for row in pixels.chunks_exact(width) {
        for x in 0..width {
            let window = &row[x.saturating_sub(radius)..(x + radius + 1).min(width)];
            let sum: usize = window.iter().map(|&p| usize::from(p)).sum();
            out.push(u8::try_from(sum / window.len()).unwrap_or(u8::MAX));
        }
    }
    out
}

fn transposed(pixels: &[u8], width: usize, height: usize) -> Vec<u8> {
    (0..width).flat_map(|x| (0..height).map(move |y| pixels[y * width + x])).collect()
}

/// Half the width and height, each pixel the mean of four; `None` where that leaves too little.
fn halved(picture: &Luma) -> Option<Luma> {
    let stride = picture.width() as usize;
    let (width, height) = (picture.width() / 2, picture.height() / 2);
    if width < 100 || height < 100 {
        return None;
    }
    let at = |x: usize, y: usize| u16::from(picture.pixels()[y * stride + x]);
    let pixels = (0..height as usize)
        .flat_map(|y| (0..width as usize).map(move |x| (2 * x, 2 * y)))
        .map(|(x, y)| (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4)
        .map(|mean| u8::try_from(mean).unwrap_or(u8::MAX))
        .collect();
    Some(with_pixels(width, height, pixels))
}

fn with_pixels(width: u32, height: u32, pixels: Vec<u8>) -> Luma {
    debug_assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
    Luma::new(width, height, pixels).unwrap_or_else(|_| Luma::empty())
}

thread_local! {
    /// Whether this thread is inside [`guarded`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a library over bytes from outside; `None` where it panicked. What it would print is kept back: a panic's text
/// can hold a part of what was read.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                before(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    GUARDED.set(outer);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_nothing_seen() {
        assert_eq!(guarded(|| -> u8 { panic!("the reader met something") }), None);
        assert_eq!(guarded(|| 7), Some(7));
        assert!(!GUARDED.get());
    }

    #[test]
    fn copies_keep_what_they_should() {
        let picture = Luma::new(3, 2, vec![0, 90, 180, 30, 60, 240]).unwrap();
        assert_eq!(inverted(&picture).pixels(), [255, 165, 75, 225, 195, 15]);
        assert_eq!(crop(&picture, 1, 0, 2, 2).pixels(), [90, 180, 60, 240]);
        // Rows first: 45 90 135, 45 110 150; then columns: their means.
        assert_eq!(blurred(&picture, 1).pixels(), [45, 100, 142, 45, 100, 142]);
        assert_eq!(transposed(&[1, 2, 3, 4, 5, 6], 3, 2), [1, 4, 2, 5, 3, 6]);
        let wide = Luma::new(200, 200, [[10, 20].repeat(100), [30, 40].repeat(100)].concat().repeat(100)).unwrap();
        let half = halved(&wide).unwrap();
        assert_eq!((half.width(), half.height()), (100, 100));
        assert!(half.pixels().iter().all(|&p| p == 25));
    }

    #[test]
    fn bytes_that_are_no_text_stay_bytes() {
        assert!(from_bytes(vec![0xff, 0xfe, 0]) == Some(Payload::Binary(vec![0xff, 0xfe, 0])));
        assert!(from_bytes("grün".into()) == Some(Payload::Text("grün".into())));
        assert!(from_bytes(Vec::new()).is_none());
    }
}
