//! The one door: bytes or text in, tokens and problems out. Nothing is added to a vault here.

mod known;
mod links;
mod preview;

use std::{borrow::Cow, collections::HashSet, fmt};

use sha2::{Digest as _, Sha256};

pub use known::KnownThing;
pub use preview::{Preview, kind_line, preview};

use crate::{
    qr::{self, Luma, Payload, PictureError},
    uri::{
        self, Parsed, UriError,
        enroll::{self, EnrollLink},
        migration,
    },
};
use links::Found;

/// The longest text that is taken at once, in bytes: forty thousand links of a usual length.
pub const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;

/// What a text, a picture or several of them held.
#[derive(Debug, Default)]
pub struct Intake {
    /// Tokens, in the order in which they were found. A link that is there twice counts once.
    pub tokens: Vec<Parsed>,
    /// What was no token, and why.
    pub problems: Vec<Problem>,
    /// How many links, QR codes and parts of exports came once more. They count once, and a person who pasted them
    /// should hear so.
    pub repeated: usize,
    /// An enrollment link of a server, the last one that came. It is among `problems`, too, for it is no token yet.
    pub enrollment: Option<EnrollLink>,
    /// Google exports of which parts are missing. Their tokens are among `tokens` already.
    pub incomplete: Vec<migration::Progress>,
    collector: migration::Collector,
    /// Checksums of the links and payloads that were taken, so that a camera that looks twice changes nothing.
    seen: HashSet<[u8; 32]>,
}

/// Something that is no token, and where it is. Its text never holds what may be a secret.
#[derive(Debug)]
pub struct Problem {
    /// Where it is.
    pub place: Place,
    /// What it is.
    pub cause: Cause,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Whole => self.cause.fmt(f),
            Place::Line(line) => write!(f, "line {line}: {}", self.cause),
            Place::Code(code) => write!(f, "QR code {code}: {}", self.cause),
        }
    }
}

impl std::error::Error for Problem {}

/// Where a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the whole text or picture.
    Whole,
    /// A line of a text of several, from 1.
    Line(usize),
    /// A QR code of a picture with several, from 1.
    Code(usize),
}

/// Why something is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A link that is wrong in some part.
    #[error(transparent)]
    Uri(UriError),
    /// One entry of a Google export.
    #[error(transparent)]
    Entry(migration::EntryError),
    /// A whole part of a Google export.
    #[error(transparent)]
    Migration(migration::MigrationError),
    /// A picture that could not be read.
    #[error(transparent)]
    Picture(PictureError),
    /// A picture without a QR code.
    #[error("no QR code was found in the picture")]
    NoCode,
    /// Something known that is no token: named for what it is.
    #[error("{0}")]
    Known(KnownThing),
    /// A text in which nothing looks like a link.
    #[error("there is no link to a token in the text")]
    NoLink,
    /// Words after a link may belong to it or not, and the codes depend on it.
    #[error("it is not clear where the link ends: put it on a line of its own")]
    Unclear,
    /// A QR code that holds bytes which are no text.
    #[error("the QR code holds data of another program, no token")]
    Binary,
    /// Bytes that are neither a picture nor a text.
    #[error("this is neither a picture that can be read nor a text")]
    NotText,
    /// A text longer than [`MAX_TEXT_BYTES`].
    #[error("the text of {bytes} bytes is longer than {max}", max = MAX_TEXT_BYTES)]
    TooLong {
        /// Bytes given.
        bytes: usize,
    },
}

impl Intake {
    /// Takes a text: one or many links, one a line, or whatever a QR code held. Blank lines and lines that start with
    /// `#` say nothing; words before a link are passed over.
    pub fn take_text(&mut self, text: &str) {
        self.take_text_at(text, None);
    }

    /// Takes a file's bytes: a picture, or text (UTF-8, or UTF-16 with its byte order mark).
    pub fn take_bytes(&mut self, bytes: &[u8]) {
        if Luma::is_picture(bytes) {
            match Luma::from_file_bytes(bytes) {
                Ok(picture) => self.take_picture(&picture),
                Err(error) => self.note(Place::Whole, Cause::Picture(error)),
            }
            return;
        }
        if bytes.len() > MAX_TEXT_BYTES {
            return self.note(Place::Whole, Cause::TooLong { bytes: bytes.len() });
        }
        match decoded(bytes) {
            Some(text) => self.take_text(&text),
            None => self.note(Place::Whole, Cause::NotText),
        }
    }

    /// Takes a grey picture, as the clipboard or a screen gives it.
    pub fn take_picture(&mut self, picture: &Luma) {
        let payloads = qr::read_payloads(picture);
        if payloads.is_empty() {
            return self.note(Place::Whole, Cause::NoCode);
        }
        self.take_payloads(&payloads);
    }

    /// Takes what QR codes held. One that was taken before changes nothing, so that a camera may hand over every frame.
    pub fn take_payloads(&mut self, payloads: &[Payload]) {
        for (index, payload) in payloads.iter().enumerate() {
            let bytes = match payload {
                Payload::Text(text) => text.as_bytes(),
                Payload::Binary(bytes) => bytes,
            };
            if !self.is_new(b"payload", bytes) {
                self.repeated += 1;
                continue;
            }
            let place = if payloads.len() > 1 { Place::Code(index + 1) } else { Place::Whole };
            match payload {
                Payload::Text(text) => self.take_text_at(text, Some(place)),
                Payload::Binary(_) => self.note(place, Cause::Binary),
            }
        }
    }

    /// Whether nothing was found at all, neither token nor problem.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.problems.is_empty()
    }

    fn take_text_at(&mut self, text: &str, place: Option<Place>) {
        if text.len() > MAX_TEXT_BYTES {
            return self.note(place.unwrap_or(Place::Whole), Cause::TooLong { bytes: text.len() });
        }
        let last = text.lines().filter_map(|line| enroll::parse(line).ok()).next_back();
        self.enrollment = last.or(self.enrollment.take());
        let lines = links::find(text, MAX_TEXT_BYTES);
        let single = lines.len() == 1;
        for (line, found) in lines {
            let place = place.unwrap_or(if single { Place::Whole } else { Place::Line(line) });
            match found {
                Found::Link(link) => self.take_link(&link, place),
                Found::Problem(cause) => self.note(place, cause),
            }
        }
    }

    fn take_link(&mut self, link: &str, place: Place) {
        match uri::parse(link) {
            Ok(parsed) => {
                if self.is_new(b"link", link.as_bytes()) {
                    self.tokens.push(parsed);
                } else {
                    self.repeated += 1;
                }
            }
            Err(UriError::Migration) => self.take_part(link, place),
            Err(error) => self.note(place, Cause::Uri(error)),
        }
    }

    fn take_part(&mut self, link: &str, place: Place) {
        let part = match migration::parse(link) {
            Ok(part) => part,
            Err(error) => return self.note(place, Cause::Migration(error)),
        };
        for entry in self.collector.add(part).entries {
            match entry {
                Ok(parsed) => self.tokens.push(parsed),
                Err(error) => self.note(place, Cause::Entry(error)),
            }
        }
        self.incomplete = self.collector.incomplete().into_iter().map(|(_, progress)| progress).collect();
    }

    fn note(&mut self, place: Place, cause: Cause) {
        self.problems.push(Problem { place, cause });
    }

    /// Whether these bytes come for the first time.
    fn is_new(&mut self, what: &[u8], bytes: &[u8]) -> bool {
        self.seen.insert(Sha256::new().chain_update(what).chain_update([0]).chain_update(bytes).finalize().into())
    }
}

/// The links of a text and what else should not be passed over, each with the number of its line, from 1; `None` where
/// there are more than `most` lines or links.
pub(crate) fn links_of(text: &str, most: usize) -> Option<Vec<(usize, Result<String, Cause>)>> {
    if text.chars().filter(|&c| links::is_break(c)).count() > most {
        return None;
    }
    let found = links::find(text, most);
    if found.len() > most {
        return None;
    }
    let found = found.into_iter().map(|(line, found)| match found {
        Found::Link(link) => (line, Ok(link)),
        Found::Problem(cause) => (line, Err(cause)),
    });
    Some(found.collect())
}

/// The text in the bytes; `None` where there is none. UTF-16 needs its byte order mark.
fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let units = |from: fn([u8; 2]) -> u16| -> Option<Cow<'_, str>> {
        let (pairs, rest) = bytes[2..].as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| from(pair)).collect();
        if rest.is_empty() { String::from_utf16(&units).ok().map(Cow::Owned) } else { None }
    };
    match bytes {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        // A zero byte is UTF-8 by the letter, and no text.
        _ => std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).map(Cow::Borrowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_other_systems_are_decoded() {
        assert_eq!(decoded("grün".as_bytes()).as_deref(), Some("grün"));
        assert_eq!(decoded(b"\xff\xfea\0\xfc\0").as_deref(), Some("aü"));
        assert_eq!(decoded(b"\xfe\xff\0a\0\xfc").as_deref(), Some("aü"));
        for broken in [&b"\xff\xfea"[..], b"\xff\xfe\0\xd8", b"\x80", b"a\0b"] {
            assert_eq!(decoded(broken), None, "{broken:?}");
        }
        assert_eq!(decoded(b"\xff\xfe").as_deref(), Some(""));
    }

    #[test]
    fn bytes_are_new_once() {
        let mut intake = Intake::default();
        assert!(intake.is_new(b"a", b"x") && intake.is_new(b"b", b"x") && !intake.is_new(b"a", b"x"));
    }
}
