//! Android's shared preferences: an XML map of names and texts, which several apps keep their tokens in.

use roxmltree::{Document, ParsingOptions};

use super::{MAX_RECORDS, input::Input};

/// The texts of a preferences file by their names, in their order; `None` where it is none.
pub(super) fn strings(input: &Input<'_>) -> Option<Vec<(String, String)>> {
    let text = input.text?.trim_ascii();
    // Before anything is parsed: other XML files may be large.
    if !text.starts_with('<') || !text.contains("<map") {
        return None;
    }
    let document = parse(text)?;
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

/// An XML text within bounds: no document type, and so no entities of its own.
pub(super) fn parse(text: &str) -> Option<Document<'_>> {
    let options = ParsingOptions { nodes_limit: 20 * MAX_RECORDS as u32, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).ok()
}
