//! Picture files to grey pixels, with the size known before memory is taken.

use std::{fmt, io::Cursor};

use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};

/// A grey picture: one byte a pixel, rows from the top, no padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Luma {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// The most pixels that a picture may have, checked before memory is taken.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// Bytes that a decoder may take: the largest picture with four channels of 16 bits.
const MAX_DECODER_BYTES: u64 = MAX_PIXELS * 8;

/// Shades that are told apart when a transparent picture lies on white; fewer, and it is laid on black.
const LEAST_CONTRAST: u8 = 16;

/// Why a picture could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file is of no known picture format.
    #[error("not a PNG, JPEG, WebP, GIF or BMP picture")]
    UnknownFormat,
    /// The picture is larger than [`MAX_PIXELS`].
    #[error("the picture has {width} x {height} pixels, more than can be read")]
    TooLarge {
        /// Its width in pixels.
        width: u32,
        /// Its height in pixels.
        height: u32,
    },
    /// The file is damaged.
    #[error("the picture is damaged: {0}")]
    Damaged(String),
    /// The number of bytes is not width times height.
    #[error("{bytes} bytes for {width} x {height} pixels")]
    WrongLength {
        /// Bytes given.
        bytes: usize,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
}

impl Luma {
    /// Takes `width * height` grey bytes.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, PictureError> {
        if u64::from(width) * u64::from(height) != pixels.len() as u64 {
            return Err(PictureError::WrongLength { bytes: pixels.len(), width, height });
        }
        Ok(Self { width, height, pixels })
    }

    /// No pixels at all.
    pub(super) fn empty() -> Self {
        Self { width: 0, height: 0, pixels: Vec::new() }
    }

    /// Takes `width * height` pixels of red, green, blue and opacity, as a clipboard hands them over. Transparent ones
    /// lie on white, or on black where white would hide everything.
    pub fn from_rgba(width: u32, height: u32, bytes: Vec<u8>) -> Result<Self, PictureError> {
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(PictureError::TooLarge { width, height });
        }
        let length = bytes.len();
        let image = image::RgbaImage::from_raw(width, height, bytes)
            .filter(|image| image.as_raw().len() as u64 == u64::from(width) * u64::from(height) * 4)
            .ok_or(PictureError::WrongLength { bytes: length, width, height })?;
        let grey = flatten(image.into());
        Self::new(width, height, grey.into_raw())
    }

    /// Whether the bytes begin as a file of one of the formats that [`Luma::from_file_bytes`] reads.
    pub fn is_picture(bytes: &[u8]) -> bool {
        format_of(bytes).is_some()
    }

    /// Reads a PNG, JPEG, WebP, GIF (its first frame) or BMP file, known by its content. The size is checked before
    /// it is decoded, the camera's orientation is applied, and transparent pixels lie on white, or on black where
    /// white would hide everything.
    pub fn from_file_bytes(bytes: &[u8]) -> Result<Self, PictureError> {
        Self::from_file_bytes_within(bytes, u64::MAX)
    }

    /// [`Luma::from_file_bytes`] of a picture that takes at most so many bytes of memory, from its file to what its codes
    /// hold; a larger one is [`PictureError::TooLarge`].
    pub fn from_file_bytes_within(bytes: &[u8], memory: u64) -> Result<Self, PictureError> {
        let format = format_of(bytes).ok_or(PictureError::UnknownFormat)?;
        // A decoder of a damaged file may panic, as may a reader of codes: the answer is the same.
        super::guard::guarded(|| decode(bytes, format, memory))
            .unwrap_or_else(|| Err(PictureError::Damaged("the decoder gave up".to_owned())))
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The grey bytes, 0 is black.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

// A picture of a code is the code: its pixels stay out of every log.
impl fmt::Debug for Luma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Luma").field("width", &self.width).field("height", &self.height).finish_non_exhaustive()
    }
}

fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    image::guess_format(bytes).ok().filter(|format| matches!(format, Bmp | Gif | Jpeg | Png | WebP))
}

fn decode(bytes: &[u8], format: ImageFormat, memory: u64) -> Result<Luma, PictureError> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| explain(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    // Beside the pixels as they are there are two copies in grey, or what the readers make of one.
    if pixels > MAX_PIXELS || decoder.total_bytes().saturating_add(2 * pixels).max(4 * pixels) > memory {
        return Err(PictureError::TooLarge { width, height });
    }
    // A missing or damaged EXIF block is no reason to refuse the pixels.
    let orientation = decoder.orientation().ok();
    let image = DynamicImage::from_decoder(decoder).map_err(|error| explain(&error))?;
    let grey = if image.color().has_alpha() { flatten(image) } else { image.into_luma8() };
    let mut grey = DynamicImage::from(grey);
    if let Some(orientation) = orientation {
        grey.apply_orientation(orientation);
    }
    let grey = grey.into_luma8();
    let (width, height) = grey.dimensions();
    Luma::new(width, height, grey.into_raw())
}

fn explain(error: &ImageError) -> PictureError {
    PictureError::Damaged(error.to_string())
}

fn flatten(image: DynamicImage) -> image::GrayImage {
    let shades = image.into_luma_alpha8();
    let on = |paper: u8| {
        image::GrayImage::from_fn(shades.width(), shades.height(), |x, y| {
            let [shade, alpha] = shades.get_pixel(x, y).0.map(u32::from);
            let mixed = (shade * alpha + u32::from(paper) * (255 - alpha)) / 255;
            image::Luma([u8::try_from(mixed).unwrap_or(u8::MAX)])
        })
    };
    let on_white = on(u8::MAX);
    let (darkest, lightest) = on_white.iter().fold((u8::MAX, 0), |(low, high), &p| (low.min(p), high.max(p)));
    if lightest.saturating_sub(darkest) < LEAST_CONTRAST { on(0) } else { on_white }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_pixels() {
        let luma = Luma::new(2, 1, vec![17, 99]).unwrap();
        assert_eq!(format!("{luma:?}"), "Luma { width: 2, height: 1, .. }");
    }

    #[test]
    fn the_length_is_checked() {
        assert!(matches!(
            Luma::new(2, 2, vec![0; 3]),
            Err(PictureError::WrongLength { bytes: 3, width: 2, height: 2 })
        ));
        assert!(matches!(Luma::new(u32::MAX, u32::MAX, vec![0]), Err(PictureError::WrongLength { .. })));
    }

    #[test]
    fn pixels_of_a_clipboard_become_grey() {
        let luma = Luma::from_rgba(2, 1, vec![255, 255, 255, 255, 0, 0, 0, 255]).unwrap();
        assert_eq!(luma.pixels(), [255, 0]);
        assert!(matches!(Luma::from_rgba(2, 1, vec![0; 7]), Err(PictureError::WrongLength { bytes: 7, .. })));
        assert!(matches!(Luma::from_rgba(2, 1, vec![0; 9]), Err(PictureError::WrongLength { bytes: 9, .. })));
        assert!(matches!(Luma::from_rgba(u32::MAX, 9, Vec::new()), Err(PictureError::TooLarge { .. })));
    }

    #[test]
    fn transparent_pixels_lie_on_the_paper_that_shows_them() {
        let dark_on_nothing =
            image::RgbaImage::from_fn(4, 1, |x, _| image::Rgba(if x == 0 { [0, 0, 0, 255] } else { [0; 4] }));
        assert_eq!(flatten(dark_on_nothing.into()).into_raw(), [0, 255, 255, 255]);
        let light_on_nothing =
            image::RgbaImage::from_fn(4, 1, |x, _| image::Rgba(if x == 0 { [255; 4] } else { [0; 4] }));
        assert_eq!(flatten(light_on_nothing.into()).into_raw(), [255, 0, 0, 0]);
    }
}
