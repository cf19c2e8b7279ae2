//! XML as it comes: what begins, what ends, and the texts that somebody asks for.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use zeroize::Zeroizing;

/// The most elements in one another. Groups in groups are two each.
const MAX_DEPTH: usize = 1000;
/// The most attributes of an element that are looked at.
const MAX_ATTRIBUTES: usize = 32;

/// Looks at a document.
pub(super) trait Visitor {
    /// Why it does not want to go on.
    type Error;

    /// Whether the text in an element is of interest; one that is protected always is. The element around it is given,
    /// too; both by their names.
    fn is_text_asked_for(&self, element: &str, parent: &str) -> bool;

    /// An element begins.
    fn begin(&mut self, element: &str);

    /// It ends; with its text, and whether it has the attribute `Protected`.
    fn end(&mut self, element: &str, parent: &str, text: &str, is_protected: bool) -> Result<(), Self::Error>;
}

/// Walks through a document; `None` where it is no XML within bounds. A document type, and so an entity of its own, is none.
pub(super) fn walk<V: Visitor>(xml: &str, visitor: &mut V) -> Option<Result<(), V::Error>> {
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    let mut path: Vec<(String, bool)> = Vec::new();
    let (mut text, mut is_asked_for) = (Zeroizing::new(String::new()), false);
    let mut was_root = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if path.len() == MAX_DEPTH || (path.is_empty() && was_root) {
                    return None;
                }
                was_root = true;
                let name = std::str::from_utf8(start.name().into_inner()).ok()?.to_owned();
                let parent = path.last().map_or("", |(name, _)| name.as_str());
                let is_protected = is_protected(&start)?;
                is_asked_for = is_protected || visitor.is_text_asked_for(&name, parent);
                text.clear();
                visitor.begin(&name);
                path.push((name, is_protected));
            }
            Event::End(_) => {
                let (name, is_protected) = path.pop()?;
                let parent = path.last().map_or("", |(name, _)| name.as_str());
                let ended = visitor.end(&name, parent, if is_asked_for { &text } else { "" }, is_protected);
                if let Err(error) = ended {
                    return Some(Err(error));
                }
                is_asked_for = false;
            }
            Event::Text(part) if is_asked_for => text.push_str(&part.decode().ok()?),
            Event::CData(part) if is_asked_for => text.push_str(&part.decode().ok()?),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().ok()? {
                    Some(character) => character,
                    None => resolve_predefined_entity(&reference.decode().ok()?)?.chars().next()?,
                };
                if is_asked_for {
                    text.push(character);
                }
            }
            Event::DocType(_) => return None,
            Event::Eof => return (path.is_empty() && was_root).then_some(Ok(())),
            _ => {}
        }
    }
}

fn is_protected(start: &BytesStart<'_>) -> Option<bool> {
    for (at, attribute) in start.attributes().with_checks(false).enumerate() {
        let attribute = attribute.ok().filter(|_| at < MAX_ATTRIBUTES)?;
        if attribute.key.into_inner() == b"Protected" {
            return Some(attribute.value.eq_ignore_ascii_case(b"true"));
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down what it sees.
    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Visitor for Seen {
        type Error = ();

        fn is_text_asked_for(&self, element: &str, _: &str) -> bool {
            element != "quiet"
        }

        fn begin(&mut self, element: &str) {
            self.0.push(format!("<{element}"));
        }

        fn end(&mut self, element: &str, parent: &str, text: &str, is_protected: bool) -> Result<(), ()> {
            self.0.push(format!("{parent}/{element} {text}{}", if is_protected { " !" } else { "" }));
            if text == "stop" { Err(()) } else { Ok(()) }
        }
    }

    fn seen(xml: &str) -> Option<Vec<String>> {
        let mut seen = Seen::default();
        walk(xml, &mut seen).and_then(Result::ok).map(|()| seen.0)
    }

    #[test]
    fn elements_and_their_texts() {
        assert_eq!(
            seen(
                "\u{feff}<?xml version=\"1.0\"?><a><!-- x --><b Protected='True'>1 &lt;&#x32;<![CDATA[&3]]></b><c/></a>"
            )
            .unwrap(),
            ["<a", "<b", "a/b 1 <2&3 !", "<c", "a/c ", "/a "]
        );
        assert_eq!(seen("<quiet>a<b>1</b>c</quiet>").unwrap(), ["<quiet", "<b", "quiet/b 1", "/quiet "]);
        assert!(walk("<a>stop</a>", &mut Seen::default()).is_some_and(|end| end.is_err()));
    }

    #[test]
    fn what_is_no_xml_within_bounds() {
        let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(seen(&deep(MAX_DEPTH)).is_some() && seen(&deep(MAX_DEPTH + 1)).is_none());
        let wide = |count: usize| format!("<a {}/>", "b='' ".repeat(count));
        assert!(seen(&wide(MAX_ATTRIBUTES)).is_some() && seen(&wide(MAX_ATTRIBUTES + 1)).is_none());
        for xml in
            ["", "a", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&b;</a>", "<!DOCTYPE a><a/>", "<a b></a>", "<a>&#0;</a"]
        {
            assert_eq!(seen(xml), None, "{xml}");
        }
    }
}
