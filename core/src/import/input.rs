//! A file as the formats look at it: its bytes, its text and its JSON, each made once.

use std::borrow::Cow;

use super::json::{self, Object};
use serde_json::value::RawValue;

/// A file.
pub(super) struct Input<'a> {
    /// The bytes.
    pub(super) bytes: &'a [u8],
    /// The text, where it is one, without a byte order mark.
    pub(super) text: Option<&'a str>,
    /// The outermost JSON value, where it is an object or a list.
    pub(super) json: Json<'a>,
    /// Whether the outermost JSON value has more items than records are taken.
    pub(super) too_many: bool,
    /// The key file that a person gave along with it.
    pub(super) key_file: Option<&'a [u8]>,
}

/// What the pictures of a file may take in memory beside ten times its length, in bytes.
const PICTURE_BYTES: u64 = 60 * 1024 * 1024;

/// What files begin with that are documents, pictures, archives, programs or databases.
const OTHER_FILES: &[&[u8]] = &[
    b"%PDF-",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"\x1f\x8b\x08",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!",
    b"\xd0\xcf\x11\xe0",
    b"\x7fELF",
    b"SQLite format 3\0",
];

/// Whether three of four bytes are letters, digits, signs or white space of ASCII. Of encrypted bytes two of five are:
/// that three of four are happens to one of 10,000 files of 30 bytes, and to none that holds a token.
fn mostly_ascii(bytes: &[u8]) -> bool {
    let ascii = bytes.iter().filter(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')).count();
    ascii >= bytes.len() - bytes.len() / 4
}

/// The outermost JSON value.
pub(super) enum Json<'a> {
    /// The text is no JSON.
    No,
    /// An object, its fields unread.
    Object(Object<'a>),
    /// A list, its items unread.
    List(Vec<&'a RawValue>),
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8], text: Option<&'a str>) -> Self {
        let text = text.map(|text| text.trim_start_matches('\u{feff}'));
        let mut too_many = false;
        let mut note = |error: serde_json::Error| {
            too_many = json::too_many(&error);
            Json::No
        };
        let json = match text.map(str::trim_ascii) {
            Some(text) if text.starts_with('{') => json::object_of(text).map_or_else(&mut note, Json::Object),
            Some(text) if text.starts_with('[') => json::list_of(text).map_or_else(&mut note, Json::List),
            _ => Json::No,
        };
        Self { bytes, text, json, too_many, key_file: None }
    }

    /// Whether the bytes may be encrypted, which look like chance: they are no text in any encoding, and no file of a
    /// common kind that is none of an authenticator.
    pub(super) fn may_be_encrypted(&self) -> bool {
        self.text.is_none() && !OTHER_FILES.iter().any(|head| self.bytes.starts_with(head)) && !mostly_ascii(self.bytes)
    }

    /// Whether the bytes are text in an encoding that cannot be known, as Latin-1.
    pub(super) fn is_text_of_another_encoding(&self) -> bool {
        let controls = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n');
        self.text.is_none() && mostly_ascii(self.bytes) && !self.bytes.iter().any(controls)
    }

    /// What a picture in the file may take in memory, in bytes. A file of a few kilobytes can unpack to half a gigabyte.
    pub(super) fn picture_bytes(&self) -> u64 {
        PICTURE_BYTES + 9 * self.bytes.len() as u64
    }

    /// The outermost object.
    pub(super) fn object(&self) -> Option<&Object<'a>> {
        match &self.json {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The outermost list, and its first item where that is an object.
    pub(super) fn list(&self) -> Option<(&[&'a RawValue], Option<Object<'a>>)> {
        match &self.json {
            Json::List(items) => Some((items, items.first().and_then(|item| json::object_of(item.get()).ok()))),
            _ => None,
        }
    }
}

/// The text in the bytes; `None` where there is none. UTF-16 needs its byte order mark.
pub(super) fn decoded(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let units = |from: fn([u8; 2]) -> u16| -> Option<Cow<'_, str>> {
        let (pairs, rest) = bytes[2..].as_chunks::<2>();
        let units = pairs.iter().map(|&pair| from(pair));
        let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
        if rest.is_empty() { text.map(Cow::Owned) } else { None }
    };
    match bytes {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).map(Cow::Borrowed),
    }
}
