//! Tables of an SQLite file, read without SQLite.
//!
//! The crates that read the format in Rust are prototypes, and SQLite itself wants a C compiler for every platform. Four
//! apps keep a handful of rows in one table each, so this reads just that: the pages of a table in order, within bounds,
//! believing nothing. <https://www.sqlite.org/fileformat2.html>

use std::rc::Rc;

use super::MAX_RECORDS;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// The most values of all rows together. An empty one is a byte in the file and much more in memory.
const MAX_CELLS: usize = 10 * MAX_RECORDS;
/// Pages below one another; a table of ten million rows has four.
const MAX_DEPTH: usize = 20;

/// The file is no database that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damaged {
    #[error("it is no SQLite database")]
    NotSqlite,
    #[error("the database has no table {0}")]
    NoTable(String),
    #[error("a page of the database is damaged")]
    Page,
    #[error("its texts are in UTF-16, which no known app writes")]
    Encoding,
    #[error("it has more rows than are read")]
    TooMany,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    columns: Rc<Vec<Column>>,
    values: Vec<Value>,
}

impl Row {
    fn value(&self, column: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|known| known.name.eq_ignore_ascii_case(column))?;
        self.values.get(at)
    }

    /// The column as text; empty where it is none.
    pub(super) fn text(&self, column: &str) -> String {
        match self.value(column) {
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Integer(number)) => number.to_string(),
            Some(Value::Blob(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }
    }

    /// The column as a number that is not negative.
    pub(super) fn number(&self, column: &str) -> Option<u64> {
        match self.value(column) {
            Some(Value::Integer(number)) => u64::try_from(*number).ok(),
            Some(Value::Text(text)) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The row as JSON, for a row that could not be read.
    pub(super) fn raw(&self) -> String {
        let value = |value: &Value| match value {
            Value::Null => serde_json::Value::Null,
            Value::Integer(number) => (*number).into(),
            Value::Real(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Blob(bytes) => data_encoding::BASE64.encode(bytes).into(),
        };
        let map: serde_json::Map<String, serde_json::Value> =
            self.columns.iter().zip(&self.values).map(|(column, v)| (column.name.clone(), value(v))).collect();
        serde_json::Value::Object(map).to_string()
    }
}

/// What may still be looked at.
struct Left {
    /// Every page is looked at once: a file whose pages name each other in a circle ends there.
    pages: usize,
    rows: usize,
    bytes: usize,
    cells: usize,
}

/// A database in memory.
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    page: usize,
    /// Bytes of a page that SQLite uses.
    usable: usize,
}

/// Whether the bytes are a database with a table of that name.
pub(super) fn has_table(bytes: &[u8], name: &str) -> bool {
    Database::open(bytes).and_then(|database| database.root(name)).is_ok()
}

impl<'a> Database<'a> {
    /// Looks at the header.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Damaged> {
        if !bytes.starts_with(MAGIC) || bytes.len() < 100 {
            return Err(Damaged::NotSqlite);
        }
        let page = match u16::from_be_bytes([bytes[16], bytes[17]]) {
            1 => 65536,
            size if size.is_power_of_two() && size >= 512 => usize::from(size),
            _ => return Err(Damaged::NotSqlite),
        };
        if !matches!(u32::from_be_bytes([bytes[56], bytes[57], bytes[58], bytes[59]]), 0 | 1) {
            return Err(Damaged::Encoding);
        }
        Ok(Self { bytes, page, usable: page - usize::from(bytes[20]).min(page - 480) })
    }

    /// Whether a table has a column.
    pub(super) fn has_column(&self, table: &str, column: &str) -> bool {
        self.root(table).is_ok_and(|(_, columns)| columns.iter().any(|c| c.name.eq_ignore_ascii_case(column)))
    }

    /// All rows of a table.
    pub(super) fn table(&self, name: &str) -> Result<Vec<Row>, Damaged> {
        let (root, columns) = self.root(name)?;
        let mut rows = Vec::new();
        let columns = Rc::new(columns);
        self.walk(root, &mut |rowid, mut values| {
            for (column, value) in columns.iter().zip(&mut values) {
                // The column that is the row's number is stored as null.
                if column.is_rowid && *value == Value::Null {
                    *value = Value::Integer(rowid);
                }
            }
            rows.push(Row { columns: columns.clone(), values });
        })?;
        Ok(rows)
    }

    /// The first page of a table, and its columns.
    fn root(&self, name: &str) -> Result<(u32, Vec<Column>), Damaged> {
        let mut found = None;
        self.walk(1, &mut |_, values| {
            if let [Value::Text(kind), Value::Text(table), _, Value::Integer(root), Value::Text(sql), ..] =
                values.as_slice()
                && kind == "table"
                && table.eq_ignore_ascii_case(name)
                && let Ok(root) = u32::try_from(*root)
            {
                found = Some((root, columns(sql)));
            }
        })?;
        found.ok_or_else(|| Damaged::NoTable(name.to_owned()))
    }

    fn page_bytes(&self, number: u32) -> Result<&'a [u8], Damaged> {
        let at = (number as usize).checked_sub(1).and_then(|at| at.checked_mul(self.page)).ok_or(Damaged::Page)?;
        self.bytes.get(at..at + self.page).ok_or(Damaged::Page)
    }

    /// Goes through the rows below a page, in their order.
    fn walk(&self, root: u32, take: &mut dyn FnMut(i64, Vec<Value>)) -> Result<(), Damaged> {
        // Rows do not share bytes, so all of them together are no longer than the file.
        let mut left = Left {
            pages: self.bytes.len() / self.page + 1,
            rows: MAX_RECORDS,
            bytes: self.bytes.len(),
            cells: MAX_CELLS,
        };
        self.walk_page(root, 0, &mut left, take)
    }

    fn walk_page(
        &self,
        number: u32,
        depth: usize,
        left: &mut Left,
        take: &mut dyn FnMut(i64, Vec<Value>),
    ) -> Result<(), Damaged> {
        left.pages = left.pages.checked_sub(1).ok_or(Damaged::Page)?;
        if depth > MAX_DEPTH {
            return Err(Damaged::Page);
        }
        let page = self.page_bytes(number)?;
        let head = if number == 1 { 100 } else { 0 };
        let cells = usize::from(be16(page, head + 3)?);
        let interior = match page.get(head) {
            Some(0x05) => true,
            Some(0x0d) => false,
            _ => return Err(Damaged::Page),
        };
        let pointers = head + if interior { 12 } else { 8 };
        for cell in 0..cells {
            let at = usize::from(be16(page, pointers + 2 * cell)?);
            if interior {
                self.walk_page(be32(page, at)?, depth + 1, left, take)?;
            } else {
                left.rows = left.rows.checked_sub(1).ok_or(Damaged::TooMany)?;
                let (rowid, values) = self.cell(page, at, &mut left.bytes)?;
                left.cells = left.cells.checked_sub(values.len()).ok_or(Damaged::TooMany)?;
                take(rowid, values);
            }
        }
        if interior {
            self.walk_page(be32(page, head + 8)?, depth + 1, left, take)?;
        }
        Ok(())
    }

    /// One row: its number and values, also those that went on to other pages.
    fn cell(&self, page: &[u8], at: usize, left: &mut usize) -> Result<(i64, Vec<Value>), Damaged> {
        let (length, at) = varint(page, at)?;
        let (rowid, at) = varint(page, at)?;
        let length = usize::try_from(length).map_err(|_| Damaged::Page)?;
        *left = left.checked_sub(length).ok_or(Damaged::Page)?;
        let most = self.usable - 35;
        if length <= most {
            return Ok((rowid as i64, values(page.get(at..at + length).ok_or(Damaged::Page)?)?));
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (self.usable - 4);
        let here = if fitting <= most { fitting } else { least };
        let mut record = Vec::with_capacity(length);
        record.extend_from_slice(page.get(at..at + here).ok_or(Damaged::Page)?);
        let mut next = be32(page, at + here)?;
        while record.len() < length {
            let more = self.page_bytes(next)?;
            let take = (length - record.len()).min(self.usable - 4);
            record.extend_from_slice(more.get(4..4 + take).ok_or(Damaged::Page)?);
            next = be32(more, 0)?;
        }
        Ok((rowid as i64, values(&record)?))
    }
}

fn be16(bytes: &[u8], at: usize) -> Result<u16, Damaged> {
    let bytes = bytes.get(at..at + 2).ok_or(Damaged::Page)?;
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn be32(bytes: &[u8], at: usize) -> Result<u32, Damaged> {
    let bytes = bytes.get(at..at + 4).ok_or(Damaged::Page)?;
    Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// A number of one to nine bytes, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Result<(u64, usize), Damaged> {
    let mut number = 0u64;
    for index in 0..9 {
        let byte = *bytes.get(at + index).ok_or(Damaged::Page)?;
        if index == 8 {
            return Ok(((number << 8) | u64::from(byte), at + 9));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((number, at + index + 1));
        }
    }
    Err(Damaged::Page)
}

/// The values of a record.
fn values(record: &[u8]) -> Result<Vec<Value>, Damaged> {
    let (head, mut at) = varint(record, 0)?;
    let head = usize::try_from(head).map_err(|_| Damaged::Page)?;
    let mut body = head;
    let mut values = Vec::new();
    while at < head {
        let (kind, next) = varint(record, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).map_err(|_| Damaged::Page)?,
            _ => return Err(Damaged::Page),
        };
        let end = body.checked_add(length).ok_or(Damaged::Page)?;
        let bytes = record.get(body..end).ok_or(Damaged::Page)?;
        body = end;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => {
                let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
                Value::Integer(bytes.iter().fold(sign, |number, byte| (number << 8) | i64::from(*byte)))
            }
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().map_err(|_| Damaged::Page)?)),
            kind if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        });
        if values.len() > 1000 {
            return Err(Damaged::Page);
        }
    }
    Ok(values)
}

#[derive(Debug)]
struct Column {
    /// In lower case.
    name: String,
    /// Whether it is another name of the row's number.
    is_rowid: bool,
}

/// The columns of a `CREATE TABLE` statement: what stands first between its outermost commas.
fn columns(sql: &str) -> Vec<Column> {
    let body = sql.split_once('(').map_or("", |(_, body)| body);
    let (mut depth, mut quote, mut part, mut parts) = (0, None, String::new(), Vec::new());
    for c in body.chars() {
        match (quote, c) {
            (Some(end), _) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => break,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    parts.push(part);
    let constraint = |word: &str| {
        ["constraint", "primary", "unique", "check", "foreign"].iter().any(|name| word.eq_ignore_ascii_case(name))
    };
    let mut columns = Vec::new();
    for part in parts {
        let part = part.trim();
        let (name, rest) = match part.chars().next() {
            Some(open @ ('"' | '`' | '[')) => {
                let close = if open == '[' { ']' } else { open };
                part[1..].split_once(close).unwrap_or((&part[1..], ""))
            }
            _ => part.split_once(char::is_whitespace).unwrap_or((part, "")),
        };
        if name.is_empty() || (!part.starts_with(['"', '`', '[']) && constraint(name)) {
            continue;
        }
        let rest = rest.trim_start().to_ascii_lowercase();
        let is_rowid = rest.starts_with("integer") && rest.contains("primary key");
        columns.push(Column { name: name.to_ascii_lowercase(), is_rowid });
    }
    columns
}
