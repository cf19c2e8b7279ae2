//! What mail and notes programs put between the characters, taken out again.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// Rounds of entities: `&amp;gt;` is what a page shows of a mail's source.
const ENTITY_ROUNDS: usize = 3;
/// The longest entity and the longest tag.
const ENTITY: usize = 10;
const TAG: usize = 2000;
/// What the first and the last line of a backup name it.
const MARK: &str = "COUNTERSIGN BACKUP";

/// One way to read a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// `=` starts an escape (RFC 2045, section 6.7).
    quoted_printable: bool,
    /// `-` and `_` stand for `+` and `/` (RFC 4648, section 5).
    url: bool,
}

impl Reading {
    /// Every reading that makes a difference, the likeliest first: what is wrong with a text is said of that one.
    pub(super) fn of(text: &str) -> impl Iterator<Item = Self> {
        let escapes = text.contains('=');
        let escaped = ["=\n", "=\r\n", "=20", "=3D"].iter().any(|sign| text.contains(sign));
        [(escaped, false), (!escaped, false), (escaped, true), (!escaped, true)]
            .map(|(quoted_printable, url)| Self { quoted_printable, url })
            .into_iter()
            .filter(move |reading| escapes || !reading.quoted_printable)
    }

    /// The Base64 character that a byte stands for; `None` for everything between.
    pub(super) fn character(self, byte: u8) -> Option<u8> {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => Some(byte),
            b'-' if self.url => Some(b'+'),
            b'_' if self.url => Some(b'/'),
            _ => None,
        }
    }
}

/// The text without escapes, entities, tags and quotation marks at line starts.
pub(super) fn plain(text: &str, reading: Reading) -> String {
    let mut text = Cow::Borrowed(text);
    if reading.quoted_printable {
        text = Cow::Owned(unescaped(&text));
    }
    for _ in 0..ENTITY_ROUNDS {
        if !text.contains('&') {
            break;
        }
        text = Cow::Owned(without_entities(&text));
    }
    if text.contains('<') {
        text = Cow::Owned(without_tags(&text));
    }
    if !text.is_ascii() {
        // Wide letters, and the ligatures that a PDF makes of `fi` and of `1/2`.
        text = Cow::Owned(text.nfkc().map(|c| if c == '\u{2044}' { '/' } else { c }).collect());
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        out.push_str(unquoted(line));
        out.push('\n');
    }
    out
}

/// Quoted-printable: soft line ends and bytes as hexadecimal digits.
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let blank = after.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if let [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] = &after[blank..] {
            rest = after;
        } else if let [high, low, after @ ..] = after
            && let (Some(high), Some(low)) = ((*high as char).to_digit(16), (*low as char).to_digit(16))
        {
            out.push((high * 16 + low) as u8);
            rest = after;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Entities of HTML. Those that no backup needs become spaces.
fn without_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = rest.bytes().take(ENTITY).position(|byte| byte == b';').map(|end| &rest[..end]);
        if let Some(name) = name.filter(|name| !name.is_empty() && name.bytes().all(is_entity)) {
            out.push(entity(name));
            rest = &rest[name.len() + 1..];
        }
    }
    out.push_str(rest);
    out
}

fn is_entity(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'#'
}

fn entity(name: &str) -> char {
    let number = match name.strip_prefix('#') {
        Some(hex) if hex.starts_with(['x', 'X']) => u32::from_str_radix(&hex[1..], 16).ok(),
        Some(decimal) => decimal.parse().ok(),
        None => None,
    };
    match name {
        "amp" => '&',
        "gt" => '>',
        "plus" => '+',
        "sol" => '/',
        // `<` would start a tag that nobody wrote.
        _ => number.and_then(char::from_u32).filter(|&c| c != '<').unwrap_or(' '),
    }
}

/// Tags of HTML, each a line end.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let is_tag = rest.starts_with(|c: char| c.is_ascii_alphabetic() || "/!".contains(c));
        let end = rest.bytes().take(TAG).position(|byte| matches!(byte, b'<' | b'>'));
        // A bracket before a backup and one after it are two brackets in two texts.
        let is_within = |end: &usize| super::position_ignoring_case(&rest[..*end], MARK).is_none();
        if let Some(end) = end.filter(|&end| is_tag && rest.as_bytes()[end] == b'>').filter(is_within) {
            rest = &rest[end + 1..];
            out.push('\n');
        }
    }
    out.push_str(rest);
    out
}

/// The line without what quotes it: `> `, `>> `, `| `, and the initials of whom it quotes, `bob> `.
fn unquoted(line: &str) -> &str {
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '>' | '|' | '\u{bb}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
        });
        match rest.find('>') {
            Some(at) if at <= 4 && rest[..at].bytes().all(|byte| byte.is_ascii_alphabetic()) => rest = &rest[at..],
            _ => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Reading = Reading { quoted_printable: false, url: false };

    #[test]
    fn what_programs_put_between_is_gone() {
        for (text, is) in [
            ("> > ab", "ab\n"),
            (">>ab\r\n|cd", "ab\n\ncd\n"),
            ("bob> ab", "ab\n"),
            ("&gt; ab", "ab\n"),
            ("&amp;gt; ab&nbsp;&#43;&#x2f;", "ab +/\n"),
            ("<div class=\"a\">ab</div>cd<br>", "\nab\ncd\n\n"),
            ("a < b & c", "a  b  c\n"),
            ("\u{ff21}\u{fb01}1\u{bd}", "Afi11/2\n"),
        ] {
            assert_eq!(plain(text, PLAIN), is, "{text}");
        }
    }

    #[test]
    fn quoted_printable_is_undone() {
        assert_eq!(unescaped("ab=\r\ncd=20=\nef=3D=2b=C3=BC"), "abcd ef=+ü");
        assert_eq!(unescaped("a= \t\nb==zz="), "abzz");
    }

    #[test]
    fn both_alphabets_are_read() {
        let url = Reading { url: true, ..PLAIN };
        assert_eq!([b'-', b'_', b'+'].map(|b| url.character(b)), [Some(b'+'), Some(b'/'), Some(b'+')]);
        assert_eq!([b'-', b'_', b'=', b' '].map(|b| PLAIN.character(b)), [None; 4]);
    }
}
