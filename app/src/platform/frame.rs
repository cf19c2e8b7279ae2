//! What a camera hands over, as grey pixels for the reader of codes and as a small picture for the person.

use std::fmt;

pub use countersign_core::qr::{BadFrame, PixelFormat};
use countersign_core::qr::{Frame, Luma, decode_jpeg};

/// A frame as it came off a camera.
#[derive(Clone, PartialEq, Eq)]
pub struct RawFrame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes from one row to the next, at least as many as the row has. Without meaning for [`PixelFormat::Mjpeg`].
    pub stride: usize,
    /// How to read the bytes.
    pub format: PixelFormat,
    /// The bytes. More than are needed may be there.
    pub bytes: Vec<u8>,
}

/// A picture to look at: red, green, blue, rows from the top, no padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub pixels: Vec<u8>,
}

/// A frame for both of its readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// All pixels in grey, for the reader of codes.
    pub luma: Luma,
    /// Smaller and in colour, for the person.
    pub preview: Preview,
}

/// The longest row or column of a preview, in pixels: more than the frame of the page needs, and quickly drawn.
const PREVIEW_SIDE: u32 = 800;

impl RawFrame {
    /// A frame whose rows lie as close as its bytes tell. Systems hand over a frame without its stride; where more
    /// bytes came than its rows need, the rows are padded, unless it is only what rounding up to whole pages of
    /// memory adds at the end.
    pub fn new(width: u32, height: u32, format: PixelFormat, bytes: Vec<u8>) -> Self {
        const PAGE: usize = 4096;
        let rows = height as usize;
        let tight = width as usize * format.bytes_per_pixel();
        let lines = if format == PixelFormat::Nv12 { rows + rows / 2 } else { rows };
        let more = bytes.len().saturating_sub(tight * lines);
        let is_rounded = more < PAGE && bytes.len().is_multiple_of(PAGE);
        let is_padded = more > 0 && lines > 0 && !is_rounded;
        let stride = if is_padded { bytes.len() / lines } else { tight };
        Self { width, height, stride, format, bytes }
    }

    /// Reads the frame.
    ///
    /// # Errors
    ///
    /// Where bytes are missing, the size is none of a picture, or a JPEG is damaged.
    pub fn decode(&self) -> Result<Decoded, BadFrame> {
        if self.format == PixelFormat::Mjpeg {
            return jpeg(&self.bytes);
        }
        let Self { width, height, stride, format, ref bytes } = *self;
        let luma = Frame { width, height, stride, format, bytes }.luma()?;
        Ok(Decoded { luma, preview: scaled(width, height, |x, y| self.colour(x, y)) })
    }

    /// The pixel at a place that [`RawFrame::decode`] found to be there.
    fn colour(&self, x: usize, y: usize) -> [u8; 3] {
        let row = &self.bytes[y * self.stride..];
        let row = &row[..row.len().min(self.width as usize * self.format.bytes_per_pixel())];
        match self.format {
            PixelFormat::Grey | PixelFormat::Mjpeg => [row[x]; 3],
            PixelFormat::Rgb => [row[x * 3], row[x * 3 + 1], row[x * 3 + 2]],
            PixelFormat::Bgr => [row[x * 3 + 2], row[x * 3 + 1], row[x * 3]],
            PixelFormat::Yuyv => {
                let pair = x / 2 * 4;
                // The last pixel of an odd row has no partner and so no red.
                let (blue, red) = (row[pair + 1], row.get(pair + 3).copied().unwrap_or(128));
                from_yuv(row[x * 2], blue, red)
            }
            PixelFormat::Nv12 => {
                let colours = &self.bytes[(self.height as usize + y / 2) * self.stride..];
                let pair = x / 2 * 2;
                from_yuv(row[x], colours[pair], colours.get(pair + 1).copied().unwrap_or(128))
            }
        }
    }
}

impl Preview {
    /// Where a place of the frame is in it; both as shares of width and height, from 0 to 1.
    pub fn place(&self, (x, y): (f32, f32)) -> (f32, f32) {
        // It is a mirror.
        (1.0 - x, y)
    }
}

// A picture of a code is the code: its pixels stay out of every log.
impl fmt::Debug for RawFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, stride, format, .. } = self;
        write!(f, "RawFrame {{ {width} x {height}, stride {stride}, {format:?}, .. }}")
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preview {{ {} x {}, .. }}", self.width, self.height)
    }
}

fn jpeg(bytes: &[u8]) -> Result<Decoded, BadFrame> {
    let image = decode_jpeg(bytes)?;
    let (width, height) = (image.width(), image.height());
    let colours = image.to_rgb8();
    let preview = scaled(width, height, |x, y| colours.get_pixel(x as u32, y as u32).0);
    let luma = Luma::new(width, height, image.into_luma8().into_raw()).map_err(|_| BadFrame)?;
    Ok(Decoded { luma, preview })
}

/// Takes every nth pixel, so that the preview fits: what is looked at for a moment needs no filter.
fn scaled(width: u32, height: u32, colour: impl Fn(usize, usize) -> [u8; 3]) -> Preview {
    let step = width.max(height).div_ceil(PREVIEW_SIDE).max(1) as usize;
    let (columns, rows) = ((width as usize).div_ceil(step), (height as usize).div_ceil(step));
    let mut pixels = Vec::with_capacity(columns * rows * 3);
    for y in (0..height as usize).step_by(step) {
        // Cameras of computers look at whoever sits there: as in a mirror, right is where it is expected.
        for x in (0..width as usize).step_by(step).rev() {
            pixels.extend_from_slice(&colour(x, y));
        }
    }
    Preview { width: columns as u32, height: rows as u32, pixels }
}

/// ITU-R BT.601 with the narrow range that cameras use, in 256ths.
fn from_yuv(y: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = ((i32::from(y) - 16) * 298, i32::from(u) - 128, i32::from(v) - 128);
    [y + 409 * v, y - 100 * u - 208 * v, y + 516 * u].map(|value| ((value + 128) >> 8).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use countersign_core::qr::MAX_FRAME_SIDE;

    use super::*;

    /// A grey ramp with a coloured corner, in each format with rows of `padding` bytes more.
    fn frame(format: PixelFormat, width: u32, height: u32, padding: usize) -> RawFrame {
        let row = width as usize * format.bytes_per_pixel();
        let stride = row + padding;
        let mut bytes = Vec::new();
        for y in 0..height as usize {
            for x in 0..width as usize {
                let shade = (16 + (x * 7 + y * 5) % 200) as u8;
                match format {
                    PixelFormat::Yuyv => bytes.extend([shade, if x % 2 == 0 { 90 } else { 200 }]),
                    PixelFormat::Rgb | PixelFormat::Bgr => bytes.extend([shade, 10, 250]),
                    _ => bytes.push(shade),
                }
            }
            bytes.extend(std::iter::repeat_n(0xee, padding));
        }
        if format == PixelFormat::Nv12 {
            for _ in 0..(height as usize).div_ceil(2) {
                bytes.extend((0..stride).map(|at| if at % 2 == 0 { 90 } else { 200 }));
            }
        }
        RawFrame { width, height, stride, format, bytes }
    }

    const ALL: [PixelFormat; 5] =
        [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Grey, PixelFormat::Rgb, PixelFormat::Bgr];

    #[test]
    fn padding_at_the_end_of_rows_changes_nothing() {
        for format in ALL {
            for (width, height) in [(8, 6), (7, 5), (1, 1), (2, 3)] {
                let plain = frame(format, width, height, 0).decode().unwrap();
                assert_eq!(plain.luma.pixels().len(), (width * height) as usize);
                for padding in [1, 3, 64] {
                    let padded = frame(format, width, height, padding).decode().unwrap();
                    assert_eq!(padded.luma.pixels(), plain.luma.pixels(), "{format:?} {width} x {height} + {padding}");
                    if format != PixelFormat::Nv12 || (width % 2 == 0) {
                        assert_eq!(padded.preview.pixels, plain.preview.pixels, "{format:?} {width} + {padding}");
                    }
                }
            }
        }
    }

    #[test]
    fn brightness_is_what_the_camera_measured() {
        for format in [PixelFormat::Yuyv, PixelFormat::Nv12, PixelFormat::Grey] {
            let luma = frame(format, 6, 4, 2).decode().unwrap().luma;
            assert_eq!(luma.pixels()[..3], [16, 23, 30], "{format:?}");
            assert_eq!(luma.pixels()[6], 21, "{format:?}: the next row");
        }
        let [rgb, bgr] = [PixelFormat::Rgb, PixelFormat::Bgr].map(|format| frame(format, 2, 1, 0).decode().unwrap());
        // ITU-R BT.601: 0.299 red, 0.587 green, 0.114 blue.
        assert_eq!((rgb.luma.pixels()[0], bgr.luma.pixels()[0]), (38, 82));
    }

    #[test]
    fn the_preview_is_in_colour_and_mirrored() {
        // Colours of BT.601 in the narrow range: white, black and pure red.
        assert_eq!(from_yuv(235, 128, 128), [255, 255, 255]);
        assert_eq!(from_yuv(16, 128, 128), [0, 0, 0]);
        assert_eq!(from_yuv(81, 90, 240), [255, 0, 0]);
        let preview = frame(PixelFormat::Rgb, 2, 1, 0).decode().unwrap().preview;
        assert_eq!(preview.pixels, [23, 10, 250, 16, 10, 250]);
    }

    #[test]
    fn a_large_frame_has_a_small_preview() {
        let decoded = frame(PixelFormat::Grey, 1921, 1080, 0).decode().unwrap();
        assert_eq!((decoded.luma.width(), decoded.luma.height()), (1921, 1080));
        assert_eq!((decoded.preview.width, decoded.preview.height), (641, 360));
        assert_eq!(decoded.preview.pixels.len(), 641 * 360 * 3);
    }

    #[test]
    fn a_jpeg_without_its_tables_is_read() {
        let picture = image::RgbImage::from_fn(33, 17, |x, _| image::Rgb([(x * 7) as u8, 100, 200]));
        let mut file = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 95).encode_image(&picture).unwrap();
        let whole = RawFrame::new(33, 17, PixelFormat::Mjpeg, file.clone()).decode().unwrap();
        assert_eq!((whole.luma.width(), whole.luma.height()), (33, 17));
        // Cameras leave out the tables of the standard, which this encoder uses.
        while let Some(at) = file.windows(2).position(|pair| pair == b"\xff\xc4") {
            let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            file.drain(at..at + 2 + length);
        }
        let bare = RawFrame::new(33, 17, PixelFormat::Mjpeg, file).decode().unwrap();
        assert_eq!(bare, whole);
    }

    #[test]
    fn a_frame_that_is_too_short_or_too_large_is_refused() {
        for format in ALL {
            let mut short = frame(format, 8, 6, 4);
            short.bytes.truncate(short.bytes.len() - 5);
            assert_eq!(short.decode(), Err(BadFrame), "{format:?}");
            let mut narrow = frame(format, 8, 6, 0);
            narrow.stride -= 1;
            assert_eq!(narrow.decode(), Err(BadFrame), "{format:?}");
            let huge = RawFrame { width: MAX_FRAME_SIDE + 1, ..frame(format, 8, 6, 0) };
            assert_eq!(huge.decode(), Err(BadFrame), "{format:?}");
            assert_eq!(RawFrame { width: 0, ..frame(format, 8, 6, 0) }.decode(), Err(BadFrame), "{format:?}");
        }
        for bytes in [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xd9", b"no jpeg at all"] {
            assert_eq!(RawFrame::new(2, 2, PixelFormat::Mjpeg, bytes.to_vec()).decode(), Err(BadFrame));
        }
    }

    #[test]
    fn the_stride_follows_from_the_bytes() {
        let stride = |format, bytes| RawFrame::new(638, 480, format, vec![0; bytes]).stride;
        assert_eq!(stride(PixelFormat::Yuyv, 638 * 2 * 480), 638 * 2);
        assert_eq!(stride(PixelFormat::Yuyv, 1344 * 480), 1344);
        assert_eq!(stride(PixelFormat::Nv12, 640 * 720), 640);
        // Rounded up to whole pages of memory.
        assert_eq!(stride(PixelFormat::Yuyv, (638 * 2 * 480usize).next_multiple_of(4096)), 638 * 2);
    }

    #[test]
    fn pixels_stay_out_of_logs() {
        let frame = frame(PixelFormat::Grey, 2, 1, 0);
        assert_eq!(format!("{frame:?}"), "RawFrame { 2 x 1, stride 2, Grey, .. }");
        assert_eq!(format!("{:?}", frame.decode().unwrap().preview), "Preview { 2 x 1, .. }");
    }
}
