//! Pictures to texts and texts to pictures.

mod ladder;
mod matrix;
mod picture;

pub use ladder::{Payload, read, read_payloads};
pub use matrix::{Matrix, TooLong};
pub use picture::{Luma, MAX_PIXELS, PictureError};
