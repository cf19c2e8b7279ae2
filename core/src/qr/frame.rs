//! What cameras hand over, as grey pixels.

use std::{fmt, io::Cursor};

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use super::{Luma, guard::guarded};

/// How the bytes of a frame are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Two pixels in four bytes: brightness, blue, brightness, red.
    Yuyv,
    /// A plane of brightness, then one of blue and red for every square of four pixels.
    Nv12,
    /// A JPEG file for each frame.
    Mjpeg,
    /// One byte of brightness a pixel.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

impl PixelFormat {
    /// Bytes from one pixel to the next in the plane that has the brightness; 0 where bytes are not of single pixels.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Yuyv => 2,
            Self::Rgb | Self::Bgr => 3,
            Self::Nv12 | Self::Grey => 1,
            Self::Mjpeg => 0,
        }
    }
}

/// A frame as it came off a camera.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    /// Width in pixels. Without meaning for [`PixelFormat::Mjpeg`], as are height and stride.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row to the next, at least as many as the row has.
    pub stride: usize,
    /// How to read the bytes.
    pub format: PixelFormat,
    /// The bytes. More than are needed may be there.
    pub bytes: &'a [u8],
}

/// The frame's bytes are not what its format and size say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the camera's frame is not what it says it is")]
pub struct BadFrame;

/// The widest and highest frame that is looked at, in pixels: no camera that is pointed at a code has more.
pub const MAX_FRAME_SIDE: u32 = 8192;

impl Frame<'_> {
    /// The brightness of every pixel.
    ///
    /// # Errors
    ///
    /// Where bytes are missing, the size is none of a picture, or a JPEG is damaged.
    pub fn luma(&self) -> Result<Luma, BadFrame> {
        if self.format == PixelFormat::Mjpeg {
            return jpeg_luma(self.bytes);
        }
        self.check()?;
        let (width, height) = (self.width as usize, self.height as usize);
        let mut grey = Vec::with_capacity(width * height);
        for row in self.bytes.chunks(self.stride).take(height) {
            let row = &row[..width * self.format.bytes_per_pixel()];
            match self.format {
                PixelFormat::Grey | PixelFormat::Nv12 | PixelFormat::Mjpeg => grey.extend_from_slice(row),
                PixelFormat::Yuyv => grey.extend(row.as_chunks::<2>().0.iter().map(|pair| pair[0])),
                PixelFormat::Rgb => grey.extend(row.as_chunks::<3>().0.iter().map(|&[r, g, b]| brightness(r, g, b))),
                PixelFormat::Bgr => grey.extend(row.as_chunks::<3>().0.iter().map(|&[b, g, r]| brightness(r, g, b))),
            }
        }
        Luma::new(self.width, self.height, grey).map_err(|_| BadFrame)
    }

    /// Whether every byte that the size asks for is there.
    ///
    /// # Errors
    ///
    /// Where one is missing, or the size is none of a picture.
    pub fn check(&self) -> Result<(), BadFrame> {
        let (width, height) = (self.width as usize, self.height as usize);
        let row_bytes = width * self.format.bytes_per_pixel();
        let lines = if self.format == PixelFormat::Nv12 { height + height.div_ceil(2) } else { height };
        // The last row may end where its pixels end.
        let needed = self.stride.checked_mul(lines.saturating_sub(1)).and_then(|bytes| bytes.checked_add(row_bytes));
        let is_size = (1..=MAX_FRAME_SIDE).contains(&self.width) && (1..=MAX_FRAME_SIDE).contains(&self.height);
        let fits = self.stride >= row_bytes && needed.is_some_and(|needed| needed <= self.bytes.len());
        if is_size && fits { Ok(()) } else { Err(BadFrame) }
    }
}

// A picture of a code is the code: its pixels stay out of every log.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, stride, format, .. } = self;
        write!(f, "Frame {{ {width} x {height}, stride {stride}, {format:?}, .. }}")
    }
}

/// A camera's JPEG, of at most [`MAX_FRAME_SIDE`] pixels on a side. Most cameras leave out the usual tables.
pub fn decode_jpeg(bytes: &[u8]) -> Result<DynamicImage, BadFrame> {
    const START: &[u8] = b"\xff\xd8";
    // Says that the usual tables belong to it.
    const MARK: [u8; 18] = *b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
    let body = bytes.strip_prefix(START).ok_or(BadFrame)?;
    let file = [START, &MARK, body].concat();
    let mut reader = ImageReader::with_format(Cursor::new(file), ImageFormat::Jpeg);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_FRAME_SIDE);
    limits.max_image_height = Some(MAX_FRAME_SIDE);
    reader.limits(limits);
    guarded(|| reader.decode()).and_then(Result::ok).ok_or(BadFrame)
}

fn jpeg_luma(bytes: &[u8]) -> Result<Luma, BadFrame> {
    let image = decode_jpeg(bytes)?.into_luma8();
    let (width, height) = image.dimensions();
    Luma::new(width, height, image.into_raw()).map_err(|_| BadFrame)
}

fn brightness(red: u8, green: u8, blue: u8) -> u8 {
    // ITU-R BT.601, in 256ths; the weights add up to 256, so the sum fits.
    ((u32::from(red) * 77 + u32::from(green) * 150 + u32::from(blue) * 29) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [PixelFormat; 5] =
        [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Grey, PixelFormat::Rgb, PixelFormat::Bgr];

    /// A ramp, its rows `padding` bytes apart.
    fn bytes(format: PixelFormat, width: usize, height: usize, padding: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let shade = (16 + (x * 7 + y * 5) % 200) as u8;
                match format {
                    PixelFormat::Yuyv => bytes.extend([shade, 90]),
                    PixelFormat::Rgb | PixelFormat::Bgr => bytes.extend([shade; 3]),
                    _ => bytes.push(shade),
                }
            }
            bytes.extend(std::iter::repeat_n(0xee, padding));
        }
        if format == PixelFormat::Nv12 {
            bytes.extend(vec![128; height.div_ceil(2) * (width + padding)]);
        }
        bytes
    }

    #[test]
    fn brightness_is_what_the_camera_measured_however_rows_are_padded() {
        for format in ALL {
            for (width, height, padding) in [(8, 6, 0), (7, 5, 3), (1, 1, 64), (2, 3, 1)] {
                let bytes = bytes(format, width, height, padding);
                let stride = width * format.bytes_per_pixel() + padding;
                let frame = Frame { width: width as u32, height: height as u32, stride, format, bytes: &bytes };
                let wanted: Vec<u8> =
                    (0..height).flat_map(|y| (0..width).map(move |x| (16 + (x * 7 + y * 5) % 200) as u8)).collect();
                assert_eq!(frame.luma().unwrap().pixels(), wanted, "{format:?} {width} x {height} + {padding}");
                let short = Frame { bytes: &bytes[..height.saturating_sub(1) * stride], ..frame };
                assert_eq!(short.luma(), Err(BadFrame));
                assert_eq!(Frame { stride: stride - padding - 1, ..frame }.luma(), Err(BadFrame));
                assert_eq!(Frame { width: 0, ..frame }.luma(), Err(BadFrame));
                assert_eq!(Frame { height: MAX_FRAME_SIDE + 1, ..frame }.luma(), Err(BadFrame));
                assert!(!format!("{frame:?}").contains("bytes"));
            }
        }
        assert_eq!([brightness(255, 0, 0), brightness(0, 255, 0), brightness(0, 0, 255)], [76, 149, 28]);
    }

    #[test]
    fn a_jpeg_without_its_tables_is_read() {
        let picture = image::GrayImage::from_fn(33, 17, |x, _| image::Luma([(x * 7) as u8]));
        let mut file = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 95).encode_image(&picture).unwrap();
        let luma = |bytes: &[u8]| Frame { width: 0, height: 0, stride: 0, format: PixelFormat::Mjpeg, bytes }.luma();
        let whole = luma(&file).unwrap();
        assert_eq!((whole.width(), whole.height()), (33, 17));
        while let Some(at) = file.windows(2).position(|pair| pair == b"\xff\xc4") {
            let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            file.drain(at..at + 2 + length);
        }
        assert_eq!(luma(&file), Ok(whole));
        for bytes in [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xd9", b"no jpeg at all"] {
            assert_eq!(luma(bytes), Err(BadFrame));
        }
    }
}
