//! Bytes to lines that survive notes and mail programs, and back out of whatever those made of them.
//!
//! The reader does not depend on lines or on the words around them. It looks for the characters that every backup
//! starts with, takes as many characters as the header names, and believes what the checksum confirms. So it can try
//! several readings of one text without ever taking a wrong one.

mod plain;

use data_encoding::BASE64;

use super::{
    ReadError,
    header::{self, CHECKSUM_BYTES, MIN_TOTAL_BYTES, VERSION},
};
use plain::{Reading, plain};

/// The line before the block.
pub const BEGIN: &str = "-----BEGIN COUNTERSIGN BACKUP-----";
/// The line after it.
pub const END: &str = "-----END COUNTERSIGN BACKUP-----";

/// Words of the last line that no block holds: there it ends, and what follows is no part of it.
const END_WORDS: &str = "END COUNTERSIGN";
/// Stands in a stream for the first letter of [`END_WORDS`]. No Base64 character, so that nothing decodes across it.
const STOP: u8 = b'.';
/// Characters of a line (RFC 7468, section 2).
const LINE: usize = 64;
/// [`header::MAGIC`] in Base64, as far as the version does not reach into it.
const MAGIC: &[u8] = b"Q1NCMQ";
/// How often the magic is looked for: more is a text made to keep us busy.
const MAX_TRIES: usize = 64;
/// Characters that hold the length.
const LENGTH_CHARACTERS: usize = 16;

/// Writes the block. The number of bytes is a multiple of three.
pub(super) fn write(bytes: &[u8]) -> String {
    let encoded = BASE64.encode(bytes);
    let mut text = String::with_capacity(encoded.len() + encoded.len() / LINE + BEGIN.len() + END.len() + 3);
    text.push_str(BEGIN);
    text.push('\n');
    for (index, character) in encoded.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

/// The bytes of the first whole block; else what is wrong with the first one.
pub(super) fn find(text: &str) -> Result<Vec<u8>, ReadError> {
    let mut first_problem = None;
    for reading in Reading::of(text) {
        let plain = plain(text, reading);
        let stream = stream(&plain, reading);
        let starts: Vec<usize> = (0..stream.len())
            .filter(|&at| stream[at] == MAGIC[0] && stream[at..].starts_with(MAGIC))
            .take(MAX_TRIES)
            .collect();
        for &start in &starts {
            match whole(&stream[start..]) {
                Some(Ok(bytes)) => return Ok(bytes),
                Some(Err(problem)) => return Err(problem),
                None => {}
            }
        }
        if first_problem.is_none() {
            first_problem = match starts.first() {
                Some(&start) => Some(problem(&plain, reading, &stream[start..], start)),
                None => without_magic(&plain, reading),
            };
        }
    }
    Err(first_problem.unwrap_or(ReadError::NotFound))
}

/// The Base64 characters of a text, with [`STOP`] where a block's last line begins.
fn stream(plain: &str, reading: Reading) -> Vec<u8> {
    let bytes = plain.as_bytes();
    let ends_at = |at: usize| {
        bytes[at..].get(..END_WORDS.len()).is_some_and(|words| words.eq_ignore_ascii_case(END_WORDS.as_bytes()))
    };
    let characters = bytes.iter().enumerate().filter_map(|(at, &byte)| Some((at, reading.character(byte)?)));
    characters.map(|(at, character)| if ends_at(at) { STOP } else { character }).collect()
}

/// The block at the start of the characters, if the checksum confirms it.
fn whole(stream: &[u8]) -> Option<Result<Vec<u8>, ReadError>> {
    let characters = expected(stream)?;
    let bytes = BASE64.decode(stream.get(..characters)?).ok()?;
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
    if header::checksum(content) != *checksum {
        return None;
    }
    Some(match bytes.get(4) {
        Some(&VERSION) => Ok(bytes),
        Some(&version) if version > VERSION => Err(ReadError::Newer(version)),
        _ => Err(ReadError::Damaged),
    })
}

/// How many characters the block says it has, where that is possible.
fn expected(stream: &[u8]) -> Option<usize> {
    let head = BASE64.decode(stream.get(..LENGTH_CHARACTERS)?).ok()?;
    let total = header::total(&head).filter(|&total| header::is_plausible(total))?;
    Some(total as usize / 3 * 4)
}

/// Says what is wrong with a block that starts at the `start`th character of the plain text.
fn problem(plain: &str, reading: Reading, stream: &[u8], start: usize) -> ReadError {
    let mut characters = plain.bytes().enumerate().filter(|&(_, byte)| reading.character(byte).is_some());
    let from = characters.nth(start).map_or(plain.len(), |(at, _)| at);
    let found = block_characters(&plain[from..], reading);
    if stream.len() < LENGTH_CHARACTERS || found < LENGTH_CHARACTERS {
        return ReadError::CutOff { expected: MIN_TOTAL_BYTES as usize / 3 * 4, found };
    }
    match expected(stream) {
        Some(expected) if found < expected => ReadError::CutOff { expected, found },
        _ => ReadError::Damaged,
    }
}

/// What a text without the first characters of a block is: it may hold the line before them.
fn without_magic(plain: &str, reading: Reading) -> Option<ReadError> {
    let marker = BEGIN.trim_matches('-');
    let after = position_ignoring_case(plain, marker)? + marker.len();
    let found = block_characters(plain[after..].trim_start_matches(|c: char| !c.is_ascii_alphanumeric()), reading);
    Some(if found < MAGIC.len() {
        ReadError::CutOff { expected: MIN_TOTAL_BYTES as usize / 3 * 4, found }
    } else {
        ReadError::Damaged
    })
}

/// Counts the characters of a block up to its last line, or up to the words that follow where that line is missing.
fn block_characters(text: &str, reading: Reading) -> usize {
    let ends = [END_WORDS, "BEGIN COUNTERSIGN"].iter().filter_map(|marker| position_ignoring_case(text, marker));
    let text = &text[..ends.min().unwrap_or(text.len())];
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || "-=".contains(c));
    let count = |line: &str| line.bytes().filter_map(|byte| reading.character(byte)).count();
    text.lines().take_while(|line| is_data(line, count(line))).map(count).sum()
}

/// Whether a line is of a block: almost all its characters are, and it is one word, or has a word that no language has.
fn is_data(line: &str, count: usize) -> bool {
    let words = || line.split_whitespace();
    let characters: usize = words().map(str::len).sum();
    count * 10 >= characters * 9 && (words().count() <= 1 || words().any(|word| word.len() >= 24))
}

fn position_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_64_characters() {
        let text = write(&[0; 96]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, [BEGIN, &"A".repeat(64), &"A".repeat(64), END]);
    }

    #[test]
    fn words_are_told_from_a_block() {
        let data = |line: &str| is_data(line, line.bytes().filter(u8::is_ascii_alphanumeric).count());
        assert!(data("") && data("Q1NCMQEB") && data(&format!("{} abc", "A".repeat(64))));
        assert!(!data("Best regards") && !data("a.b.c.d"));
    }
}
