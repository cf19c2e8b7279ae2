//! Text for a terminal: nothing in a name can steer it, and columns line up.

use unicode_width::UnicodeWidthStr as _;

/// The text with everything that steers a terminal or hides text shown as an escape: control characters (of both
/// ranges), line and paragraph separators, and marks that turn the direction of writing or have no width.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// JSON text in which nothing steers a terminal either. Such characters stand only inside strings, where `\u` escapes
/// mean the same.
pub(crate) fn plain_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Rows of cells as lines whose columns line up. No spaces at the ends of lines.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A number with commas: `1,204`.
pub(crate) fn thousands(number: usize) -> String {
    crate::backup_text::grouped(number, ",")
}

/// `1 token`, `2 tokens`.
pub(crate) fn tokens(number: usize) -> String {
    if number == 1 { "1 token".into() } else { format!("{} tokens", thousands(number)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_cannot_steer_the_terminal() {
        let hostile = "\x1b]0;owned\x07\u{9b}2J\u{202e}evil\r\nnext\u{200b}";
        let shown = plain(hostile);
        assert_eq!(shown, r"\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}evil\r\nnext\u{200b}");
        let json = plain_json(&serde_json::to_string(hostile).unwrap());
        assert!(!json.chars().any(steers), "{json:?}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
        let astral = plain_json("\"\u{e0041}\"");
        assert_eq!(serde_json::from_str::<String>(&astral).unwrap(), "\u{e0041}");
    }

    #[test]
    fn ordinary_names_stay() {
        for name in ["Žluťoučký", "日本語", "👨\u{200d}👩\u{200d}👧", "עברית", "a+b@example.org", "नी\u{200c}"]
        {
            assert_eq!(plain(name), name);
        }
    }

    #[test]
    fn columns_line_up_by_width() {
        let rows = [["日本", "a"], ["x", "b"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(columns(&rows), "日本  a\nx     b\n");
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"].map(String::from));
    }
}
