//! A `HashMap<String, String>` as Java serialises it; nothing else of that protocol is understood.
//!
//! <https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html>

use super::MAX_RECORDS;

/// Magic and version of a stream.
pub(super) const MAGIC: &[u8] = &[0xac, 0xed, 0x00, 0x05];

const OBJECT: u8 = 0x73;
const CLASS: u8 = 0x72;
const STRING: u8 = 0x74;
const REFERENCE: u8 = 0x71;
const NULL: u8 = 0x70;
const BLOCK: u8 = 0x77;
const END_OF_BLOCK: u8 = 0x78;
const LONG_STRING: u8 = 0x7c;
/// The number of the first thing that can be referred to.
const FIRST_HANDLE: u32 = 0x7e_0000;

/// The texts of the map; `None` where the bytes are none, or where texts that are referred to again and again make more of
/// it than the file has bytes.
pub(super) fn string_map(bytes: &[u8]) -> Option<Vec<(&str, &str)>> {
    let mut reader = Reader { rest: bytes.strip_prefix(MAGIC)?, handles: Vec::new(), left: bytes.len() };
    reader.expect(OBJECT)?;
    reader.expect(CLASS)?;
    if reader.short_text()? != "java.util.HashMap" {
        return None;
    }
    reader.handles.push(None);
    // Serial number and flags of the class.
    reader.take(8 + 1)?;
    let fields = reader.u16()?;
    let mut field_bytes = 0;
    for _ in 0..fields {
        // loadFactor is a float, threshold an int: four bytes each.
        match reader.u8()? {
            b'F' | b'I' => field_bytes += 4,
            _ => return None,
        }
        reader.short_text()?;
    }
    reader.expect(END_OF_BLOCK)?;
    reader.expect(NULL)?;
    reader.handles.push(None);
    reader.take(field_bytes)?;
    // Capacity and number of entries.
    reader.expect(BLOCK)?;
    if reader.u8()? != 8 {
        return None;
    }
    reader.take(4)?;
    let entries = usize::try_from(reader.u32()?).ok().filter(|entries| *entries <= MAX_RECORDS)?;
    let mut map = Vec::new();
    for _ in 0..entries {
        map.push((reader.string()?, reader.string()?));
    }
    Some(map)
}

struct Reader<'a> {
    rest: &'a [u8],
    /// What can be referred to, in order: the texts, and `None` for everything else.
    handles: Vec<Option<&'a str>>,
    /// How many bytes of texts may still come.
    left: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.u8()? == byte).then_some(())
    }

    fn short_text(&mut self) -> Option<&'a str> {
        let length = self.u16()?;
        std::str::from_utf8(self.take(length.into())?).ok()
    }

    /// A text, or one that came before. Java's own UTF-8 differs only for the zero and beyond the basic plane, where
    /// the JSON in it is escaped.
    fn string(&mut self) -> Option<&'a str> {
        let text = match self.u8()? {
            STRING => self.short_text()?,
            LONG_STRING => {
                let length = u64::from_be_bytes(self.take(8)?.try_into().ok()?);
                std::str::from_utf8(self.take(usize::try_from(length).ok()?)?).ok()?
            }
            REFERENCE => {
                let handle = self.u32()?.checked_sub(FIRST_HANDLE)?;
                let text = (*self.handles.get(handle as usize)?)?;
                self.left = self.left.checked_sub(text.len())?;
                return Some(text);
            }
            _ => return None,
        };
        self.left = self.left.checked_sub(text.len())?;
        self.handles.push(Some(text));
        Some(text)
    }
}
