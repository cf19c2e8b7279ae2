//! Links in a text: one a line, or with words around them.
//!
//! Spaces are legal in what issuers write as labels and even as secrets, so a link does not simply end at the next one.
//! Where the codes could depend on the guess, there is no guess.

use super::{Cause, KnownThing, known};
use crate::uri::{self, UriError};

/// What stands in one line.
#[derive(Debug)]
pub(super) enum Found {
    /// A link to a token or to an export.
    Link(String),
    /// Something that is no link, and should not be passed over.
    Problem(Cause),
}

/// What the links start with that [`uri::parse`] knows, the longest first.
const SCHEMES: [&str; 7] =
    ["otpauth-migration://", "apple-otpauth:", "phonefactor://", "otpauth://", "steam://", "motp://", "pia://"];

/// What may enclose a link, and what ends it then.
const QUOTES: [(char, char); 9] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('<', '>'),
    ('(', ')'),
    ('[', ']'),
    ('\u{201c}', '\u{201d}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{ab}', '\u{bb}'),
];

/// The longest group of a secret that is written in groups.
const GROUP: usize = 8;

/// Finds every link with the number of its line, from 1. Lines of words beside links are passed over; where there is no
/// link, there is one problem that says what the text is instead. Little more than
/// `most` are found, so that the caller can tell that there are too many.
pub(super) fn find(text: &str, most: usize) -> Vec<(usize, Found)> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = logical_lines(text);
    let mut found = Vec::new();
    let mut passed_over = None;
    let whole = known::whole(text.trim_start());
    for (number, line) in &lines {
        if found.len() > most {
            break;
        }
        let spans = link_spans(line, most + 1);
        for &(start, end) in &spans {
            found.push((*number, link(line, start, end)));
        }
        if spans.is_empty() && whole.is_none() {
            match name(line) {
                Some(cause) => found.push((*number, Found::Problem(cause))),
                None => passed_over = passed_over.or(Some(*number)),
            }
        }
    }
    if let Some(thing) = whole {
        found.push((1, Found::Problem(Cause::Known(thing))));
    } else if let (true, Some(number)) = (found.is_empty(), passed_over) {
        found.push((number, Found::Problem(Cause::NoLink)));
    }
    found
}

/// Lines with their numbers, without blank ones and comments. An export that a mail program wrapped is one line again.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut wrapped = false;
    for (index, raw) in text.replace("\r\n", "\n").split(is_break).enumerate() {
        let line = raw.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        if line.is_empty() || line.starts_with('#') {
            wrapped = false;
            continue;
        }
        let is_data = line.bytes().all(|b| b.is_ascii_alphanumeric() || b"%+/=_-".contains(&b));
        match lines.last_mut() {
            Some((_, last)) if wrapped && is_data => last.push_str(line),
            _ => {
                wrapped = starts_with(line, "otpauth-migration://");
                lines.push((index + 1, line.to_owned()));
            }
        }
    }
    lines
}

/// What ends a line.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// Zero-width characters that editors and chats leave behind.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// Where the links of a line start, and where the next one starts; of the first `most` links and one more.
fn link_spans(line: &str, most: usize) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = Vec::new();
    let mut apple = None;
    for (at, _) in line.char_indices() {
        let Some(scheme) = SCHEMES.iter().find(|scheme| starts_with(&line[at..], scheme)) else { continue };
        // `apple-otpauth:otpauth://` is one link.
        if apple == Some(at) {
            continue;
        }
        let free = line[..at].chars().next_back().is_none_or(|before| {
            before.is_whitespace()
                || is_invisible(before)
                || ":,;|".contains(before)
                || QUOTES.iter().any(|&(open, _)| open == before)
        });
        if free {
            starts.push(at);
            apple = (*scheme == "apple-otpauth:").then(|| at + scheme.len());
            if starts.len() > most {
                break;
            }
        }
    }
    let ends = starts.iter().skip(1).copied().chain([line.len()]);
    starts.iter().copied().zip(ends.collect::<Vec<_>>()).collect()
}

fn link(line: &str, start: usize, end: usize) -> Found {
    let text = &line[start..end];
    let before = line[..start].chars().next_back();
    let quoted = QUOTES.iter().filter(|&&(open, _)| Some(open) == before).find_map(|&(_, close)| {
        // A label may hold brackets and apostrophes; parameters hardly do.
        let parameters = text.find('?').unwrap_or(0);
        text[parameters..].find(close).map(|at| &text[..parameters + at])
    });
    let clipped = match quoted {
        Some(text) => Ok(text),
        None => clip(text.trim_end(), start > 0 || end < line.len()),
    };
    match clipped {
        // Copied out of the source of a web page. A `&` in a parameter is always escaped otherwise.
        Ok(text) => Found::Link(text.replace("&amp;", "&")),
        Err(cause) => Found::Problem(cause),
    }
}

/// Takes words off the end of a link. `in_words` says whether there is more in the line than this link.
fn clip(text: &str, in_words: bool) -> Result<&str, Cause> {
    let last = text.rfind(['?', '&']).map_or(text.len(), |at| at + 1);
    let Some(space) = text[last..].find(char::is_whitespace).map(|at| last + at) else {
        return Ok(if in_words { text.trim_end_matches([',', ';', '.']) } else { text });
    };
    let (name, value) = text[last..].split_once('=').unwrap_or((&text[last..], ""));
    if name.eq_ignore_ascii_case("secret") {
        return match words_after_secret(value) {
            Some(true) => Ok(&text[..space]),
            Some(false) => Ok(text),
            None => Err(Cause::Unclear),
        };
    }
    // An issuer may have spaces. A number has none, and what follows it is words.
    let is_name = name.eq_ignore_ascii_case("issuer");
    Ok(if is_name && !in_words { text } else { text[..space].trim_end_matches([',', ';', '.']) })
}

/// Whether what follows the first space is words (`Some(true)`) or more of the secret (`Some(false)`).
fn words_after_secret(value: &str) -> Option<bool> {
    let groups: Vec<&str> = value.split_whitespace().collect();
    let (first, rest) = groups.split_first()?;
    let (last, middle) = rest.split_last()?;
    let size = first.len();
    let in_groups = size <= GROUP && middle.iter().all(|group| group.len() == size) && last.len() <= size;
    let has = |text: &str, test: fn(&u8) -> bool| text.as_bytes().iter().any(test);
    let shouts = has(first, u8::is_ascii_uppercase) && !has(first, u8::is_ascii_lowercase);
    let speaks = rest.iter().any(|word| has(word, u8::is_ascii_lowercase) || !word.is_ascii());
    match (in_groups, shouts && speaks) {
        (_, true) => Some(true),
        (true, false) => Some(false),
        (false, false) => None,
    }
}

/// Names a line without a link; `None` for words that may be passed over.
fn name(line: &str) -> Option<Cause> {
    if let Some(thing) = known::line(line) {
        return Some(Cause::Known(thing));
    }
    let error = uri::parse(line).err()?;
    match error {
        UriError::NotALink { secret: Ok(()) } => Some(Cause::Known(KnownThing::BareSecret)),
        // Words, unless they look like a link that lost a part: that is not passed over.
        error => {
            let lower = line.to_ascii_lowercase();
            let is_broken_link = ["otpauth", "secret=", "://"].iter().any(|part| lower.contains(part));
            is_broken_link.then_some(Cause::Uri(error))
        }
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    text.as_bytes().get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<String> {
        find(text, 100)
            .into_iter()
            .map(|(line, found)| match found {
                Found::Link(link) => format!("{line} {link}"),
                Found::Problem(cause) => format!("{line} ! {cause}"),
            })
            .collect()
    }

    #[test]
    fn words_around_a_link_are_passed_over() {
        const LINK: &str = "otpauth://totp/My%20Bank:a?secret=GEZDGNBV&issuer=My";
        for text in [
            LINK.to_owned(),
            format!("\u{feff}  {LINK}\u{200b}  "),
            format!("scan: {LINK}"),
            format!("scan <{LINK}> please"),
            format!("\"{LINK}\","),
            format!("[\"{LINK}\"]"),
            format!("take {LINK}, and be happy"),
            format!("# comment\n\n{LINK}").replace('\n', "\r\n"),
        ] {
            let line = if text.starts_with('#') { 3 } else { 1 };
            assert_eq!(links(&text), [format!("{line} {LINK}")], "{text}");
        }
    }

    #[test]
    fn spaces_stay_in_names_and_grouped_secrets() {
        for text in [
            "otpauth://totp/My Bank:a b?secret=GEZDGNBV&issuer=My Bank",
            "otpauth://totp/My Bank?issuer=My Bank&secret=GEZD GNBV GY",
            "otpauth://totp/My Bank?secret=gezd gnbv",
            "motp://My Bank:a?secret=0a1b",
        ] {
            assert_eq!(links(text), [format!("1 {text}")]);
        }
    }

    #[test]
    fn words_never_become_a_part_of_the_secret() {
        assert_eq!(
            links("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ thank you"),
            ["1 otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ"]
        );
        let unclear = ["1 ! it is not clear where the link ends: put it on a line of its own"];
        assert_eq!(links("otpauth://totp/a?secret=gezdgnbvgy3tqojq thank you"), unclear);
        assert_eq!(links("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ PLEASE"), unclear);
        assert_eq!(links("otpauth://totp/a?secret=AA&digits=8 thank you"), ["1 otpauth://totp/a?secret=AA&digits=8"]);
    }

    #[test]
    fn more_links_than_are_taken_are_not_looked_for() {
        for text in ["motp://a ".repeat(1000), "motp://a\n".repeat(1000), "otpauth:x\nsecret=\n".repeat(500)] {
            assert!((11..=13).contains(&find(&text, 10).len()), "{}", find(&text, 10).len());
        }
    }

    #[test]
    fn several_links_in_a_line_and_marked_up_ones() {
        assert_eq!(
            links("otpauth://totp/a?secret=AAAA, otpauth://totp/b?secret=BBBB&amp;digits=8"),
            ["1 otpauth://totp/a?secret=AAAA", "1 otpauth://totp/b?secret=BBBB&digits=8"]
        );
        assert_eq!(links("APPLE-OTPAUTH:otpauth://totp/a?secret=A"), ["1 APPLE-OTPAUTH:otpauth://totp/a?secret=A"]);
    }

    #[test]
    fn a_wrapped_export_is_one_link() {
        assert_eq!(
            links("otpauth-migration://offline?data=CiEKBWFh\n  YWFh%2F\nab==\n\nThank you"),
            ["1 otpauth-migration://offline?data=CiEKBWFhYWFh%2Fab=="]
        );
    }

    #[test]
    fn a_text_without_links_is_named_once() {
        assert_eq!(links("Hello,\nhow are you?"), ["1 ! there is no link to a token in the text"]);
        assert_eq!(links("\n# only a comment\n"), [""; 0]);
        assert_eq!(links("WIFI:S:a;;\nP:secret"), ["1 ! the access to a Wi-Fi network, not a token"]);
    }
}
