//! Pictures to texts and texts to pictures.

/// A grey picture: one byte a pixel, rows from the top, no padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Luma {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// The most pixels that a picture may have, checked before memory is taken.
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;

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

    /// Reads a picture file; its size is checked before it is decoded.
    pub fn from_file_bytes(bytes: &[u8]) -> Result<Self, PictureError> {
        let _ = bytes;
        todo!()
    }
}

/// The texts of the QR codes in a picture; empty where there is none. Never panics.
pub fn read(picture: &Luma) -> Vec<String> {
    let _ = picture;
    todo!()
}

/// A QR code as modules, without its quiet zone of four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    size: usize,
    dark: Vec<bool>,
}

/// The text has more than the 2,953 bytes that a QR code holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is too long for a QR code")]
pub struct TooLong;

impl Matrix {
    /// Makes the smallest code of medium error correction (low where the text is long).
    pub fn new(text: &str) -> Result<Self, TooLong> {
        let _ = text;
        todo!()
    }

    /// Modules on a side, without the quiet zone.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether a module is dark; outside is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark[y * self.size + x]
    }

    /// A PNG file of at least `pixels` on a side, quiet zone included, whole pixels a module.
    pub fn to_png(&self, pixels: u32) -> Vec<u8> {
        let _ = pixels;
        todo!()
    }

    /// Lines of half blocks for a terminal, quiet zone included, dark on light by escape codes or by inversion.
    pub fn to_terminal(&self) -> String {
        todo!()
    }
}
