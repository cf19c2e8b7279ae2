//! What it takes to get grey pixels out of a camera's frame, and a code out of those: `cargo bench --bench frames`.

#![expect(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, reason = "a table, by the clock")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use countersign_core::qr::{FRAME_BUDGET, Frame, Luma, Matrix, PixelFormat, Watch, read_until};

fn main() {
    println!("{:8}{:>14}{:>12}{:>14}", "format", "size", "to grey", "and read");
    for (width, height) in [(640, 480), (1280, 720), (1920, 1080)] {
        let grey = scene(width, height);
        for format in [
            PixelFormat::Grey,
            PixelFormat::Yuyv,
            PixelFormat::Nv12,
            PixelFormat::Rgb,
            PixelFormat::Bgr,
            PixelFormat::Mjpeg,
        ] {
            // Rows with padding, as memory is handed over in practice.
            let stride = (width * format.bytes_per_pixel()).next_multiple_of(64) + 64;
            let bytes = bytes(&grey, width, height, stride, format);
            let frame = Frame { width: width as u32, height: height as u32, stride, format, bytes: &bytes };
            let convert = least(|| drop(black_box(frame.luma())));
            let read = least(|| {
                let found = read_until(&frame.luma().unwrap(), &|| false);
                assert_eq!(found.codes.len(), 1);
            });
            let name = format!("{format:?}");
            println!("{name:8}{:>14}{:>12.2?}{:>14.2?}", format!("{width} x {height}"), convert, read);
        }
    }
    without_code();
}

/// What a camera costs that sees no code: a second of frames with a budget for each, as the app looks at them.
fn without_code() {
    println!("\n{:8}{:>14}{:>12}{:>14}{:>14}", "scene", "size", "a frame", "the longest", "all rungs");
    type Scene = fn(usize, usize, u32) -> u8;
    let scenes: [(&str, Scene); 3] = [
        ("wall", |x, y, noise| (90 + (x + y) % 64 + noise as usize % 8) as u8),
        ("text", |x, y, noise| if noise % 3 == 0 && y / 9 % 2 == 0 && x / 3 % 5 != 0 { 40 } else { 200 }),
        ("noise", |_, _, noise| noise as u8),
    ];
    for (width, height) in [(640, 480), (1280, 720), (1920, 1080)] {
        for (name, scene) in scenes {
            let (mut watch, mut times) = (Watch::default(), Vec::new());
            let mut whole = Duration::ZERO;
            for number in 0..30u32 {
                let mut seed = number + 1;
                let grey = (0..width * height).map(|at| {
                    seed = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
                    // A cell of three pixels is dark or light as a whole, as strokes of letters are.
                    let cell = ((at % width / 3) as u32).wrapping_mul(2_654_435_761) ^ ((at / width / 9) as u32 * 97);
                    scene(at % width, at / width, if name == "text" { cell >> 7 } else { seed >> 24 })
                });
                let frame = Luma::new(width as u32, height as u32, grey.collect()).unwrap();
                let start = Instant::now();
                assert!(watch.look(&frame, &|| start.elapsed() > FRAME_BUDGET).codes.is_empty());
                times.push(start.elapsed());
                if number == 0 {
                    let start = Instant::now();
                    read_until(&frame, &|| false);
                    whole = start.elapsed();
                }
            }
            let mean = times.iter().sum::<Duration>() / times.len() as u32;
            let longest = times.iter().max().copied().unwrap_or_default();
            println!("{name:8}{:>14}{mean:>12.2?}{longest:>14.2?}{whole:>14.2?}", format!("{width} x {height}"));
        }
    }
}

/// The shortest of twenty.
fn least(mut work: impl FnMut()) -> Duration {
    (0..20)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

/// A code in front of a wall that the light falls on from one side.
fn scene(width: usize, height: usize) -> Vec<u8> {
    let code = Matrix::new("otpauth://totp/Birch:ada@example.org?secret=JBSWY3DPEHPK3PXP&issuer=Birch").unwrap();
    let picture = Luma::from_file_bytes(&code.to_png(height as u32 / 2)).unwrap();
    let (side, left, top) = (picture.width() as usize, width / 3, height / 5);
    let mut grey: Vec<u8> = (0..width * height).map(|at| (60 + at % width * 120 / width) as u8).collect();
    for (y, row) in picture.pixels().chunks_exact(side).enumerate() {
        let at = (top + y) * width + left;
        grey[at..at + side].iter_mut().zip(row).for_each(|(to, &from)| *to = 30 + from / 4 * 3);
    }
    grey
}

fn bytes(grey: &[u8], width: usize, height: usize, stride: usize, format: PixelFormat) -> Vec<u8> {
    if format == PixelFormat::Mjpeg {
        let colours: Vec<u8> = grey.iter().flat_map(|&shade| [shade; 3]).collect();
        let mut file = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 85)
            .encode(&colours, width as u32, height as u32, image::ExtendedColorType::Rgb8)
            .unwrap();
        return file;
    }
    let mut bytes = Vec::new();
    for row in grey.chunks_exact(width) {
        let start = bytes.len();
        match format {
            PixelFormat::Yuyv => bytes.extend(row.iter().flat_map(|&shade| [shade, 128])),
            PixelFormat::Rgb | PixelFormat::Bgr => bytes.extend(row.iter().flat_map(|&shade| [shade; 3])),
            _ => bytes.extend_from_slice(row),
        }
        bytes.resize(start + stride, 0);
    }
    if format == PixelFormat::Nv12 {
        bytes.resize(bytes.len() + stride * height.div_ceil(2), 128);
    }
    bytes
}
