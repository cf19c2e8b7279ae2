//! The one door: bytes or text in, tokens and problems out. Nothing is added here.

use crate::{
    qr::{Luma, PictureError},
    uri::{Parsed, UriError, migration},
};

/// What a text, a picture or several of them held.
#[derive(Debug, Default)]
pub struct Intake {
    /// Tokens, in the order in which they were found.
    pub tokens: Vec<Parsed>,
    /// What was no token, and why.
    pub problems: Vec<Problem>,
    /// Google exports of which parts are missing.
    pub incomplete: Vec<migration::Progress>,
    collector: migration::Collector,
}

/// Something that is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A link that is wrong in some part.
    #[error("{0}")]
    Uri(UriError),
    /// One entry of a Google export.
    #[error("{0}")]
    Entry(migration::EntryError),
    /// A whole part of a Google export.
    #[error("{0}")]
    Migration(migration::MigrationError),
    /// A picture that could not be read.
    #[error("{0}")]
    Picture(PictureError),
    /// A picture without a QR code.
    #[error("no QR code was found in the picture")]
    NoCode,
    /// Something known that is no token: named for what it is.
    #[error("{0}")]
    Known(KnownThing),
}

/// What a QR code can hold that is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KnownThing {
    /// A web address.
    #[error("a web address, not a token")]
    WebAddress,
}

impl Intake {
    /// Takes a text: one or many links, one a line, or whatever a QR code held.
    pub fn take_text(&mut self, text: &str) {
        let _ = (text, &self.collector);
        todo!()
    }

    /// Takes a file's bytes: a picture, or text.
    pub fn take_bytes(&mut self, bytes: &[u8]) {
        let _ = bytes;
        todo!()
    }

    /// Takes a grey picture, of a camera say.
    pub fn take_picture(&mut self, picture: &Luma) {
        let _ = picture;
        todo!()
    }
}
