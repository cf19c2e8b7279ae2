//! Android's shared preferences: an XML map of names and texts, which several apps keep their tokens in.

use roxmltree::{Document, ParsingOptions};

use super::input::Input;

/// The texts of a preferences file by their names, in their order; `None` where it is none.
pub(super) fn strings(input: &Input<'_>) -> Option<Vec<(String, String)>> {
    let text = input.text?.trim_ascii();
    // Before anything is parsed: other XML files may be large.
    if !text.starts_with('<') || !text.contains("<map") {
        return None;
    }
    let document = parse(text, input.bytes.len())?;
    let map = document.root_element();
    if map.tag_name().name() != "map" {
        return None;
    }
    let strings = map.children().filter(|node| node.tag_name().name() == "string").map(|node| {
        let name = node.attribute("name").unwrap_or_default().to_owned();
        let text = node.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect();
        (name, text)
    });
    Some(strings.collect())
}

/// The most attributes of an element. The parser compares each with those before it.
const MAX_ATTRIBUTES: usize = 32;

/// What an element, a text or an attribute takes in memory at the most, in bytes, while a list of them grows.
const NODE_BYTES: usize = 200;
/// What a parsed text may take in memory, in bytes, beside ten times the file that it is of.
const DOCUMENT_BYTES: usize = 48 * 1024 * 1024;
/// The most nodes, however large the file is.
const MAX_NODES: usize = 2_000_000;

/// An XML text out of a file of so many bytes, within bounds: no document type, and so no entities of its own; few
/// attributes; no more nodes than such a file may take memory for.
pub(super) fn parse(text: &str, file_bytes: usize) -> Option<Document<'_>> {
    let most = (DOCUMENT_BYTES + 10 * file_bytes).saturating_sub(text.len()) / NODE_BYTES;
    let most = most.min(MAX_NODES);
    // The parser reserves for each of these marks, whatever they turn out to be.
    let marks = text.bytes().filter(|byte| matches!(byte, b'<' | b'=')).take(most + 1).count();
    if marks > most || !has_few_attributes(text)? {
        return None;
    }
    let options = ParsingOptions { nodes_limit: most as u32, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).ok()
}

/// Whether no element has more than [`MAX_ATTRIBUTES`]; `None` where the text ends within something.
fn has_few_attributes(text: &str) -> Option<bool> {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let apart = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];
        if let Some((open, close)) = apart.iter().find(|(open, _)| rest.starts_with(open)) {
            rest = rest[open.len()..].split_once(close)?.1;
            continue;
        }
        let mut attributes = 0;
        loop {
            let next = rest.find(['"', '\'', '>'])?;
            let mark = rest.as_bytes()[next];
            rest = &rest[next + 1..];
            if mark == b'>' {
                break;
            }
            attributes += 1;
            if attributes > MAX_ATTRIBUTES {
                return Some(false);
            }
            rest = &rest[rest.find(char::from(mark))? + 1..];
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_bounded_by_the_file() {
        let of = |count: usize| format!("<a>{}</a>", "<b c=''/>".repeat(count));
        let most = DOCUMENT_BYTES / NODE_BYTES;
        assert!(parse(&of(most / 3), 0).is_some());
        assert!(parse(&of(most / 2), 0).is_none(), "each has an attribute, too");
        assert!(parse(&of(most / 2), 4 * 1024 * 1024).is_some());
        assert!(parse(&of(MAX_NODES / 2), usize::MAX / 20).is_none());
    }

    #[test]
    fn attributes_are_counted_where_they_are_some() {
        let one = |count: usize| format!("<a {}>", "b='>' ".repeat(count));
        assert_eq!(has_few_attributes(&one(MAX_ATTRIBUTES)), Some(true));
        assert_eq!(has_few_attributes(&one(MAX_ATTRIBUTES + 1)), Some(false));
        assert_eq!(has_few_attributes(&format!("<?xml a='?><!-- ' --><![CDATA[ ' ]]>{}", one(100))), Some(false));
        let texts = "<a b=\"'\">'</a>".repeat(100);
        assert_eq!(has_few_attributes(&texts), Some(true));
        for cut in ["<a", "<a b='", "<!-- ", "<?xml "] {
            assert_eq!(has_few_attributes(cut), None, "{cut}");
        }
    }
}
