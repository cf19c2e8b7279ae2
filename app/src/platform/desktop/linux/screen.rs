//! The screen under X11: what all monitors show, as one picture. Wayland shows a program its own windows only, and its
//! bridge for X11 shows black: there the desktop is asked, as `portal_screen` does.

use std::ffi::OsString;

use countersign_core::qr::{Luma, MAX_PIXELS};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ConnectionExt as _, ImageFormat, ImageOrder, Setup, Visualtype},
    rust_connection::RustConnection,
};

use crate::platform::{PlatformError, Screen, Support};

/// The screen of an X server.
#[derive(Debug)]
pub struct X11Screen {
    display: Option<String>,
}

impl X11Screen {
    /// The screen of `DISPLAY`, unless `WAYLAND_DISPLAY` says that it is a bridge.
    pub fn new(display: Option<OsString>, wayland: Option<OsString>) -> Self {
        let named = |name: Option<OsString>| name.filter(|name| !name.is_empty());
        let is_bridge = named(wayland).is_some();
        Self { display: named(display).and_then(|name| name.into_string().ok()).filter(|_| !is_bridge) }
    }
}

impl Screen for X11Screen {
    fn support(&self) -> Support {
        if self.display.is_some() { Support::Supported } else { Support::Unsupported }
    }

    fn capture(&self) -> Result<Option<Luma>, PlatformError> {
        let display = self.display.as_deref().ok_or(PlatformError::Unsupported)?;
        let (connection, number) = RustConnection::connect(Some(display)).map_err(refused)?;
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or(PlatformError::Unsupported)?;
        let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(PlatformError::Refused(format!("the screen of {width} x {height} pixels is too large")));
        }
        let image = connection
            .get_image(ImageFormat::Z_PIXMAP, screen.root, 0, 0, width, height, u32::MAX)
            .map_err(refused)?
            .reply()
            .map_err(refused)?;
        let visual = screen.allowed_depths.iter().flat_map(|depth| &depth.visuals);
        let visual = visual.into_iter().find(|visual| visual.visual_id == screen.root_visual);
        let layout = visual.and_then(|visual| Layout::new(setup, visual, image.depth));
        let grey = layout.and_then(|layout| layout.grey(&image.data, width.into(), height.into()));
        let grey = grey.ok_or_else(|| PlatformError::Refused("its pixels are of an unknown kind".to_owned()))?;
        Luma::new(width.into(), height.into(), grey)
            .map(Some)
            .map_err(|error| PlatformError::Refused(error.to_string()))
    }
}

fn refused(error: impl std::fmt::Display) -> PlatformError {
    PlatformError::Refused(error.to_string())
}

/// Where red, green and blue are in the bytes of a pixel.
struct Layout {
    bytes: usize,
    is_little: bool,
    masks: [u32; 3],
}

impl Layout {
    fn new(setup: &Setup, visual: &Visualtype, depth: u8) -> Option<Self> {
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth)?;
        let bytes = usize::from(format.bits_per_pixel) / 8;
        let masks = [visual.red_mask, visual.green_mask, visual.blue_mask];
        let fits = (2..=4).contains(&bytes) && masks.iter().all(|&mask| mask != 0);
        fits.then_some(Self { bytes, is_little: setup.image_byte_order == ImageOrder::LSB_FIRST, masks })
    }

    /// The brightness of every pixel; `None` where bytes are missing. Rows may be padded.
    fn grey(&self, data: &[u8], width: usize, height: usize) -> Option<Vec<u8>> {
        let stride = data.len().checked_div(height)?;
        if stride < width * self.bytes {
            return None;
        }
        let mut grey = Vec::with_capacity(width * height);
        for row in data.chunks_exact(stride).take(height) {
            grey.extend(row[..width * self.bytes].chunks_exact(self.bytes).map(|bytes| {
                let up = bytes.iter().rev().fold(0, |sum, &byte| sum << 8 | u32::from(byte));
                let down = bytes.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte));
                let pixel = if self.is_little { up } else { down };
                let [red, green, blue] = self.masks.map(|mask| {
                    // Shades of five or six bits are spread over eight.
                    let most = u64::from(mask >> mask.trailing_zeros());
                    (u64::from((pixel & mask) >> mask.trailing_zeros()) * 255 / most) as u32
                });
                // ITU-R BT.601, in 256ths.
                ((red * 77 + green * 150 + blue * 29) >> 8) as u8
            }));
        }
        Some(grey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_of_every_usual_kind_become_grey() {
        let masks = [0xff_0000, 0xff00, 0xff];
        let little = Layout { bytes: 4, is_little: true, masks };
        // Blue, green, red, nothing; rows of eight bytes and four of padding.
        let data = [255, 255, 255, 0, 0, 0, 0, 0, 9, 9, 9, 9, 0, 0, 255, 0, 0, 255, 0, 0, 9, 9, 9, 9];
        assert_eq!(little.grey(&data, 2, 2), Some(vec![255, 0, 76, 149]));
        let big = Layout { bytes: 4, is_little: false, masks };
        assert_eq!(big.grey(&[0, 255, 0, 0], 1, 1), Some(vec![76]));
        let sixteen = Layout { bytes: 2, is_little: true, masks: [0xf800, 0x07e0, 0x001f] };
        assert_eq!(sixteen.grey(&[0xff, 0xff, 0, 0], 2, 1), Some(vec![255, 0]));
        assert_eq!(little.grey(&[0; 7], 2, 1), None);
        assert_eq!(little.grey(&[], 0, 0), None);
    }

    #[test]
    fn a_bridge_of_wayland_is_no_screen() {
        let support =
            |display: &str, wayland: &str| X11Screen::new(Some(display.into()), Some(wayland.into())).support();
        assert_eq!(support(":0", ""), Support::Supported);
        assert_eq!(support(":0", "wayland-0"), Support::Unsupported);
        assert_eq!(support("", ""), Support::Unsupported);
        assert_eq!(X11Screen::new(None, None).capture(), Err(PlatformError::Unsupported));
    }
}
