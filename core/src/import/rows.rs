//! The rows of a table with commas (RFC 4180), one after the other and within bounds.
//!
//! Not the `csv` crate: in it a line of commas alone decides how much memory a row takes.

use csv_core::{ReadRecordResult, Reader};

/// The most cells of a row; a password manager writes a dozen.
const MAX_CELLS: usize = 64;

/// A row has more cells than any table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooWide;

/// The rows of a table.
pub(super) struct Rows<'a> {
    reader: Reader,
    rest: &'a [u8],
    cells: Vec<u8>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { reader: Reader::new(), rest: text.as_bytes(), cells: vec![0; 1024] }
    }

    /// The next row; `None` after the last one. Rows may differ in length.
    pub(super) fn next(&mut self) -> Result<Option<Vec<String>>, TooWide> {
        let mut ends = [0; MAX_CELLS];
        let (mut written, mut count) = (0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.reader.read_record(self.rest, &mut self.cells[written..], &mut ends[count..]);
            self.rest = &self.rest[read..];
            written += wrote;
            count += ended;
            match result {
                // An empty rest says that there is no more.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(2 * self.cells.len(), 0),
                ReadRecordResult::OutputEndsFull => return Err(TooWide),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let cell = |(from, to): (usize, &usize)| String::from_utf8_lossy(&self.cells[from..*to]).into_owned();
        Ok(Some(starts.zip(&ends[..count]).map(cell).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let mut rows = Rows::new(text);
        std::iter::from_fn(|| rows.next().unwrap()).collect()
    }

    #[test]
    fn cells_are_as_they_were_written() {
        assert_eq!(
            rows("a,b\r\n\"x, \"\"y\"\"\nz\",\u{fc}\n\n,\nlast"),
            [vec!["a", "b"], vec!["x, \"y\"\nz", "\u{fc}"], vec!["", ""], vec!["last"]]
        );
        assert!(rows("").is_empty());
        let long = "n".repeat(100_000);
        assert_eq!(rows(&format!("{long},\"{long}\"\na")), [vec![long.as_str(), long.as_str()], vec!["a"]]);
    }

    #[test]
    fn a_row_of_commas_is_none() {
        assert_eq!(rows(&",".repeat(MAX_CELLS - 1))[0].len(), MAX_CELLS);
        assert_eq!(Rows::new(&",".repeat(MAX_CELLS)).next(), Err(TooWide));
    }
}
