//! What a command has to say: for people, and as JSON.

use serde_json::Value;

use crate::domain::shown::tame;

/// A command's result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Report {
    /// For programs.
    pub(super) json: Value,
    /// For people, with its line ends.
    pub(super) text: String,
    /// What people should know beside it, with its line ends. It goes to standard error, so that a script has the text
    /// alone; programs find it in the JSON.
    pub(super) notes: String,
    /// The exit code.
    pub(super) exit: u8,
}

impl Report {
    /// A result of one line.
    pub(super) fn line(json: Value, text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.push('\n');
        Self { json, text, ..Self::default() }
    }

    /// A table: a heading and rows, columns as wide as they need to be.
    pub(super) fn table(json: Value, heading: &[&str], rows: &[Vec<String>]) -> Self {
        let heading: Vec<String> = heading.iter().map(|&name| name.to_owned()).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
        let width = |column: usize| {
            lines.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let mut text = String::new();
        for row in &lines {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let padding = (width(column) + 2).saturating_sub(cell.chars().count());
                line.push_str(&tame(cell));
                line.push_str(&" ".repeat(padding));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        Self { json, text, ..Self::default() }
    }
}
