//! A content as bytes to be encrypted: compressed, with its length before it, filled up to a size class.

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_slice_iter_to_slice};
use zeroize::Zeroizing;

use crate::vault::Content;

/// The most bytes that a content may have before it is compressed.
const MAX_JSON_BYTES: usize = 128 * 1024 * 1024;
/// Bytes of the content's length, which stands before the compressed content.
const LENGTH_BYTES: usize = 4;
/// miniz's best level that does not cost a multiple of the time.
const LEVEL: u8 = 8;

/// A packed content.
pub(crate) struct Packed {
    /// The bytes, filled up to their size class.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Bytes of the content's text.
    pub(crate) json_bytes: usize,
}

/// Packs it. The error is the number of bytes of a content that is too large.
pub(crate) fn pack(content: &Content) -> Result<Packed, usize> {
    let json = content.to_backup_json();
    let json_bytes = json.len();
    let length = u32::try_from(json_bytes).ok().filter(|_| json_bytes <= MAX_JSON_BYTES).ok_or(json_bytes)?;
    let compressed = Zeroizing::new(compress_to_vec(&json, LEVEL));
    let class = size_class(LENGTH_BYTES + compressed.len());
    let mut bytes = Zeroizing::new(Vec::with_capacity(class));
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&compressed);
    bytes.resize(class, 0);
    Ok(Packed { bytes, json_bytes })
}

impl Packed {
    /// The bytes with zeros behind them, so many in all.
    pub(crate) fn filled_up_to(self, length: usize) -> Zeroizing<Vec<u8>> {
        let mut filled = Zeroizing::new(Vec::with_capacity(length));
        filled.extend_from_slice(&self.bytes);
        filled.resize(length, 0);
        filled
    }
}

/// Unpacks what [`pack`] made. The error says in words what is wrong.
pub(crate) fn unpack(plaintext: &[u8]) -> Result<Content, String> {
    let json = inflated(plaintext).ok_or("its compression is damaged")?;
    Content::from_backup_json(&json).map_err(|error| error.to_string())
}

/// The content's text. Memory is taken once, for the length that stands before it, and bounded.
fn inflated(plaintext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (length, compressed) = plaintext.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|&length| length <= MAX_JSON_BYTES)?;
    let mut json = Zeroizing::new(vec![0; length]);
    let written = decompress_slice_iter_to_slice(&mut json, std::iter::once(compressed), false, true).ok()?;
    (written == length).then_some(json)
}

/// The size class of so many bytes: from 1 KiB on, four classes to each doubling, so that a class is at most a quarter
/// larger. The length of the text tells the number of tokens only roughly.
fn size_class(bytes: usize) -> usize {
    const SMALLEST: usize = 1024;
    if bytes <= SMALLEST {
        return SMALLEST;
    }
    bytes.next_multiple_of(bytes.next_power_of_two() / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_grow_by_a_quarter_at_most() {
        for (bytes, class) in [(0, 1024), (1024, 1024), (1025, 1280), (1281, 1536), (2048, 2048), (2049, 2560)] {
            assert_eq!(size_class(bytes), class, "{bytes}");
        }
        for bytes in (1025..200_000).step_by(7) {
            let class = size_class(bytes);
            assert!(class >= bytes && class * 4 <= bytes * 5 + 4, "{bytes} {class}");
            assert_eq!(size_class(class), class);
        }
    }

    #[test]
    fn a_bomb_takes_no_more_memory_than_it_names() {
        let bomb = compress_to_vec(&vec![0; 1_000_000], 8);
        let named = |length: u32| [&length.to_be_bytes()[..], &bomb].concat();
        assert_eq!(inflated(&named(1_000_000)).map(|json| json.len()), Some(1_000_000));
        assert!(inflated(&named(999_999)).is_none());
        assert!(inflated(&named(1_000_001)).is_none());
        assert!(inflated(&named(u32::MAX)).is_none());
        assert!(inflated(&[0, 0]).is_none());
        assert!(inflated(&named(1_000_000)[..20]).is_none());
    }
}
