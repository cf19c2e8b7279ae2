//! Pictures to texts and texts to pictures.

mod finders;
mod frame;
mod grid;
mod guard;
mod ladder;
mod matrix;
mod picture;
mod proof;
mod readers;
mod shades;
mod threshold;
mod watch;

pub use frame::{BadFrame, Frame, MAX_FRAME_SIDE, PixelFormat, decode_jpeg};
pub use ladder::{Corners, Found, Payload, Reading, read, read_payloads, read_until};
pub use matrix::{Matrix, TooLong};
pub use picture::{Luma, MAX_PIXELS, PictureError};
pub use watch::{FRAME_BUDGET, Watch};
