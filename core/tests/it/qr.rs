//! Pictures to texts and back.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

#[path = "../../benches/qr_table/draw.rs"]
mod draw;
#[path = "../../benches/qr_table/kinds.rs"]
mod kinds;

use std::{io::Cursor, path::PathBuf};

use countersign_core::qr::{Luma, MAX_PIXELS, Matrix, Payload, PictureError, Watch, read, read_payloads, read_until};
use image::{DynamicImage, GrayImage, ImageFormat};

const LINK: &str =
    "otpauth://totp/Bank%20of%20Examples:alice%40example.org?secret=GEZDGNBVGY3TQOJQ&issuer=Bank%20of%20Examples";

fn picture_of(text: &str) -> GrayImage {
    let png = Matrix::new(text).unwrap().to_png(300);
    image::load_from_memory_with_format(&png, ImageFormat::Png).unwrap().into_luma8()
}

fn luma(image: &GrayImage) -> Luma {
    Luma::new(image.width(), image.height(), image.as_raw().clone()).unwrap()
}

fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn a_code_of_ours_is_read_from_every_format() {
    let image = picture_of(LINK);
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp] {
        // GIF and WebP write colours only.
        let bytes = file(DynamicImage::from(image.clone()).to_rgb8(), format);
        assert_eq!(read(&Luma::from_file_bytes(&bytes).unwrap()), [LINK], "{format:?}");
    }
}

#[test]
fn a_png_has_the_size_asked_for_and_whole_modules() {
    let code = Matrix::new(LINK).unwrap();
    let modules = u32::try_from(code.size()).unwrap() + 8;
    for (asked, least, most) in [(0, modules, modules), (300, 300, 300 + modules), (u32::MAX, 8192 - modules, 8192)] {
        let image = image::load_from_memory(&code.to_png(asked)).unwrap();
        assert_eq!(image.width(), image.height());
        assert_eq!(image.width() % modules, 0);
        assert!((least..=most).contains(&image.width()), "{asked}: {}", image.width());
    }
}

#[test]
fn the_longest_text_is_read_back() {
    let text = "otpauth-migration://offline?data=".to_owned() + &"Aa0%2B".repeat(480);
    assert_eq!(read(&luma(&picture_of(&text))), [text]);
}

#[test]
fn what_the_terminal_shows_is_the_code() {
    let code = Matrix::new(LINK).unwrap();
    let text = code.to_terminal();
    let rows: Vec<Vec<char>> = text
        .lines()
        .map(|line| line.trim_start_matches("\x1b[38;5;16;48;5;231m").trim_end_matches("\x1b[0m").chars().collect())
        .collect();
    let (width, height, scale) = (rows[0].len(), rows.len() * 2, 4);
    let dark = |x: usize, y: usize| match rows[y / 2][x] {
        '█' => true,
        '▀' => y.is_multiple_of(2),
        '▄' => !y.is_multiple_of(2),
        _ => false,
    };
    let pixels = (0..height * scale)
        .flat_map(|y| (0..width * scale).map(move |x| (x, y)))
        .map(|(x, y)| if dark(x / scale, y / scale) { 0 } else { 255 })
        .collect();
    let picture = Luma::new((width * scale) as u32, (height * scale) as u32, pixels).unwrap();
    assert_eq!(read(&picture), [LINK]);
}

#[test]
fn every_code_in_a_picture_is_read() {
    let texts: Vec<String> = (0..6).map(|n| format!("{LINK}&part={n}")).collect();
    let codes: Vec<GrayImage> = texts.iter().map(|text| picture_of(text)).collect();
    let side = codes[0].width();
    let sheet = GrayImage::from_fn(side * 3, side * 2, |x, y| {
        *codes[(x / side + 3 * (y / side)) as usize].get_pixel(x % side, y % side)
    });
    let mut found = read(&luma(&sheet));
    found.sort();
    assert_eq!(found, texts);
}

#[test]
fn light_on_dark_turned_and_transparent_codes_are_read() {
    let image = picture_of(LINK);
    let mut inverted = image.clone();
    image::imageops::invert(&mut inverted);
    assert_eq!(read(&luma(&inverted)), [LINK]);
    assert_eq!(read(&luma(&image::imageops::rotate90(&image))), [LINK]);
    assert_eq!(read(&luma(&image::imageops::flip_horizontal(&image))), [LINK]);
    for ink in [0, 255] {
        let drawn = image::RgbaImage::from_fn(image.width(), image.height(), |x, y| {
            let alpha = if image.get_pixel(x, y).0 == [0] { 255 } else { 0 };
            image::Rgba([ink, ink, ink, alpha])
        });
        let bytes = file(drawn, ImageFormat::Png);
        assert_eq!(read(&Luma::from_file_bytes(&bytes).unwrap()), [LINK], "ink {ink}");
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_as_bytes() {
    let binary: Vec<u8> = (0..=255).rev().collect();
    let code = qrcode::QrCode::new(&binary).unwrap();
    let (size, colors) = (code.width(), code.into_colors());
    let image = GrayImage::from_fn((size as u32 + 8) * 4, (size as u32 + 8) * 4, |x, y| {
        let (x, y) = ((x / 4) as usize, (y / 4) as usize);
        let inside = (4..size + 4).contains(&x) && (4..size + 4).contains(&y);
        image::Luma([if inside && colors[(y - 4) * size + x - 4] == qrcode::Color::Dark { 0 } else { 255 }])
    });
    assert!(read_payloads(&luma(&image)) == [Payload::Binary(binary)]);
    assert!(read(&luma(&image)).is_empty());
}

#[test]
fn pictures_without_a_code_hold_nothing() {
    let noise: Vec<u8> = (0..160_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (width, height, pixels) in
        [(0, 0, vec![]), (1, 1, vec![0]), (400, 1, vec![9; 400]), (1, 400, vec![9; 400]), (400, 400, noise)]
    {
        assert!(read_payloads(&Luma::new(width, height, pixels).unwrap()).is_empty(), "{width} x {height}");
    }
}

/// The benchmark's own pictures, one of each kind that a rung is there for, well inside of what it reads.
#[test]
fn hard_pictures_are_read() {
    // What the first rungs read is tested above, and the benchmark has all.
    const SOME: [&str; 10] =
        ["blur", "motion", "noise", "contrast", "finder", "glare", "curved", "several", "short", "spoilt"];
    for (kind, make) in kinds::KINDS.into_iter().filter(|(kind, _)| SOME.contains(kind)) {
        let sample = kinds::samples(kind, make, 3, 5).nth(1).unwrap();
        let mut found = read(&Luma::from_file_bytes(&sample.file).unwrap());
        let mut texts = sample.texts;
        found.sort();
        texts.sort();
        assert_eq!(found, texts, "{kind}");
    }
}

#[test]
fn a_reading_ends_when_it_is_told_to() {
    let picture = luma(&picture_of(LINK));
    let none = read_until(&picture, &|| true);
    assert!(none.codes.is_empty() && !none.is_complete);
    let all = read_until(&picture, &|| false);
    assert!(all.codes.len() == 1 && all.is_complete);
    // Noise keeps every rung busy; the question comes often enough.
    let noise = (0..250_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let asked = std::cell::Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() > 3
    };
    assert!(!read_until(&Luma::new(500, 500, noise).unwrap(), &stop).is_complete);
    assert!((4..20).contains(&asked.get()), "{}", asked.get());
}

#[test]
fn a_code_is_outlined_where_it_is() {
    let mut wide = GrayImage::from_pixel(900, 600, image::Luma([255]));
    let code = picture_of(LINK);
    image::imageops::replace(&mut wide, &code, 400, 100);
    let found = read_until(&luma(&wide), &|| false).codes;
    let modules = Matrix::new(LINK).unwrap().size() as f32 + 8.0;
    let (module, side) = (code.width() as f32 / modules, code.width() as f32);
    let (left, top) = (400.0 + 4.0 * module, 100.0 + 4.0 * module);
    let (right, bottom) = (400.0 + side - 4.0 * module, 100.0 + side - 4.0 * module);
    for ((x, y), (a, b)) in
        found[0].corners.into_iter().zip([(left, top), (right, top), (right, bottom), (left, bottom)])
    {
        assert!((x - a).abs() < module && (y - b).abs() < module, "{x} {y} is not {a} {b}");
    }
}

/// Headers that claim sizes which no memory holds; the pixels behind them are missing.
#[test]
fn huge_pictures_are_refused_by_their_header() {
    let mut png = file(picture_of("A"), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let crc = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    let mut bmp = file(DynamicImage::from(picture_of("A")).to_rgb8(), ImageFormat::Bmp);
    bmp[18..22].copy_from_slice(&60_000u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&60_000u32.to_le_bytes());
    let mut gif = file(DynamicImage::from(picture_of("A")).to_rgb8(), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    let mut jpeg = file(picture_of("A"), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    for (name, bytes, side) in
        [("png", png, 100_000), ("bmp", bmp, 60_000), ("gif", gif, 65_535), ("jpeg", jpeg, 65_535)]
    {
        let result = Luma::from_file_bytes(&bytes);
        let Err(PictureError::TooLarge { width, height }) = result else { panic!("{name}: {result:?}") };
        assert_eq!((width, height), (side, side), "{name}");
        assert!(u64::from(width) * u64::from(height) > MAX_PIXELS);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[test]
fn damaged_files_are_an_error_and_never_a_panic() {
    let whole = file(picture_of("A"), ImageFormat::Png);
    assert!(matches!(Luma::from_file_bytes(b""), Err(PictureError::UnknownFormat)));
    assert!(matches!(Luma::from_file_bytes(b"otpauth://totp/a?secret=AA"), Err(PictureError::UnknownFormat)));
    assert!(matches!(Luma::from_file_bytes(&whole[..whole.len() / 2]), Err(PictureError::Damaged(_))));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp] {
        let bytes = file(DynamicImage::from(picture_of("A")).to_rgb8(), format);
        for cut in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let _ = Luma::from_file_bytes(&bytes[..cut]);
            let mut changed = bytes.clone();
            changed[cut] ^= 0xff;
            let _ = Luma::from_file_bytes(&changed);
        }
    }
}

/// A photograph as a phone stores it: turned, with the turn in its EXIF block.
#[test]
fn the_cameras_orientation_is_applied() {
    let mut jpeg = file(GrayImage::from_fn(64, 32, |x, _| image::Luma([(x * 3) as u8])), ImageFormat::Jpeg);
    let exif: &[u8] = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    jpeg.splice(2..2, exif.iter().copied());
    let picture = Luma::from_file_bytes(&jpeg).unwrap();
    assert_eq!((picture.width(), picture.height()), (32, 64));
}

/// The set says of itself that its far ends are meant to fail. A wrong payload is never right.
#[test]
fn the_picture_set_is_read_without_one_wrong_payload() {
    let Some(folder) = std::env::var_os("COUNTERSIGN_FIXTURES").map(|f| PathBuf::from(f).join("qr")) else {
        eprintln!("skipped: COUNTERSIGN_FIXTURES names no folder with the picture set qr/");
        return;
    };
    let (mut right, mut pictures) = (0, 0);
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "png") {
            continue;
        }
        pictures += 1;
        let wanted = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let found = read_payloads(&Luma::from_file_bytes(&std::fs::read(&path).unwrap()).unwrap());
        for payload in found {
            if payload == Payload::Text(wanted.clone()) {
                right += 1;
            } else {
                wrong.push(path.clone());
            }
        }
    }
    assert_eq!(wrong, Vec::<PathBuf>::new());
    assert!(pictures > 0, "no pictures in {}", folder.display());
    assert!(right * 100 >= pictures * 99, "{right} of {pictures}");
}

/// How often a watch asks whether to stop, frame by frame.
fn steps(frames: &[Luma]) -> Vec<usize> {
    let mut watch = Watch::default();
    let steps = |frame: &Luma| {
        let asked = std::cell::Cell::new(0);
        let reading = watch.look(frame, &|| {
            asked.set(asked.get() + 1);
            false
        });
        assert!(reading.is_complete);
        asked.get()
    };
    frames.iter().map(steps).collect()
}

#[test]
fn a_camera_that_sees_nothing_is_looked_through_now_and_then() {
    let blank = Luma::new(640, 480, vec![128; 640 * 480]).unwrap();
    let steps = steps(&vec![blank; 20]);
    let (glance, thorough) = (steps[0], steps[8]);
    assert!(thorough > glance, "{steps:?}");
    let thorough_ones: Vec<usize> = (0..20).filter(|&frame| steps[frame] > glance).collect();
    assert_eq!(thorough_ones, [8, 17]);
}

#[test]
fn a_frame_that_promises_something_is_looked_through_sooner() {
    // Two finder patterns; the third is under a thumb.
    let mut image = picture_of(LINK);
    let side = image.width();
    image::imageops::replace(&mut image, &GrayImage::from_pixel(side / 2, side / 2, image::Luma([120])), 0, 0);
    image::imageops::replace(
        &mut image,
        &GrayImage::from_pixel(side / 3, side / 3, image::Luma([120])),
        i64::from(side / 3),
        i64::from(side / 3),
    );
    let frame = luma(&image);
    assert!(read(&frame).is_empty());
    let steps = steps(&vec![frame; 9]);
    let thorough_ones: Vec<usize> = (0..9).filter(|&frame| steps[frame] > steps[0]).collect();
    assert_eq!(thorough_ones, [3, 7], "{steps:?}");
}

#[test]
fn a_watch_stops_when_it_is_told_to() {
    let frame = luma(&picture_of(LINK));
    let stopped = Watch::default().look(&frame, &|| true);
    assert!(stopped.codes.is_empty() && !stopped.is_complete);
    let blank = Luma::new(640, 480, vec![128; 640 * 480]).unwrap();
    let mut watch = Watch::default();
    for _ in 0..8 {
        watch.look(&blank, &|| false);
    }
    // The ninth frame is the one that takes long.
    let asked = std::cell::Cell::new(0);
    let reading = watch.look(&blank, &|| {
        asked.set(asked.get() + 1);
        asked.get() > 4
    });
    assert!(!reading.is_complete && asked.get() <= 6, "{}", asked.get());
}

/// What the whole ladder reads, a camera that holds still sees within nine frames: all but what only a reader finds that
/// nothing can stop.
#[test]
fn a_camera_that_holds_still_sees_what_a_picture_shows() {
    let (mut shown, mut seen) = (0, 0);
    for (kind, make) in kinds::KINDS {
        // Twelve million pixels come from no camera that is pointed at a code.
        if kind == "huge" {
            continue;
        }
        for sample in kinds::samples(kind, make, 5, 1) {
            let picture = Luma::from_file_bytes(&sample.file).unwrap();
            shown += usize::from(!read(&picture).is_empty());
            let mut watch = Watch::default();
            let found =
                (0..9).find_map(|_| Some(watch.look(&picture, &|| false).codes).filter(|codes| !codes.is_empty()));
            for code in found.iter().flatten() {
                assert!(
                    matches!(&code.payload, Payload::Text(text) if sample.texts.contains(text)),
                    "{kind}: a payload that is not there"
                );
            }
            seen += usize::from(found.is_some());
        }
    }
    assert!(seen * 20 >= shown * 19, "{seen} of {shown}");
}
