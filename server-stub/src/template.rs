//! Texts with places in them, each value escaped for where it comes to stand.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a place asks of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Nothing.
    Plain,
    /// Inside an address or a form (RFC 3986, section 2.3: everything but unreserved characters).
    Percent,
    /// Inside a string of JSON (RFC 8259, section 7).
    Json,
    /// Inside text or an attribute of XML.
    Xml,
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Puts values into their places (`%NAME%`), in one pass: what a value holds is never taken for a place.
pub fn expand(template: &str, values: &[(&str, &str)], escape: Escape) -> String {
    let mut text = String::with_capacity(template.len() + values.iter().map(|(_, value)| value.len()).sum::<usize>());
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let place = values.iter().find_map(|(name, value)| {
            let after = rest[1..].strip_prefix(name)?.strip_prefix('%')?;
            Some((*value, after))
        });
        match place {
            Some((value, after)) => {
                text.push_str(&escaped(value, escape));
                rest = after;
            }
            None => {
                text.push('%');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// A `%NAME%` of a template that is none of `names`: a known one in another case, or an unknown one in capitals. Escapes of
/// an address (`%C3`) are none.
pub fn stray<'a>(template: &'a str, names: &[&str]) -> Option<&'a str> {
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        let Some((name, after)) = rest.split_once('%') else { break };
        if names.contains(&name) {
            rest = after;
        } else if names.iter().any(|known| known.eq_ignore_ascii_case(name))
            || (name.len() > 2 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        {
            return Some(name);
        }
    }
    None
}

fn escaped(value: &str, escape: Escape) -> Cow<'_, str> {
    match escape {
        Escape::Plain => Cow::Borrowed(value),
        Escape::Percent => utf8_percent_encode(value, RESERVED).into(),
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            Cow::Owned(quoted[1..quoted.len() - 1].to_owned())
        }
        Escape::Xml => {
            let mut text = String::with_capacity(value.len());
            for c in value.chars() {
                match c {
                    '&' => text.push_str("&amp;"),
                    '<' => text.push_str("&lt;"),
                    '>' => text.push_str("&gt;"),
                    '"' => text.push_str("&quot;"),
                    '\'' => text.push_str("&#39;"),
                    // XML 1.0 has no way to write the others.
                    '\n' | '\t' => text.push(c),
                    c if c.is_control() => text.push(' '),
                    c => text.push(c),
                }
            }
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_place_stays_a_value() {
        let values = [("CODE", "123456"), ("ISSUER", "%CODE%%ISSUER%")];
        assert_eq!(
            expand("%ISSUER%: %CODE%, 100 %, %OTHER%%", &values, Escape::Plain),
            "%CODE%%ISSUER%: 123456, 100 %, %OTHER%%"
        );
    }

    #[test]
    fn a_place_that_nothing_stands_for_is_seen() {
        let names = ["TO", "TEXT"];
        for (template, found) in [
            ("https://h/%TO%?t=%TEXT%", None),
            ("100 % of %C3%A4%20%TO%, %AB%CD%2", None),
            ("%TO%%TEXT%%", None),
            ("%TO%%FOO%", Some("FOO")),
            ("%20%FOO_BAR%", Some("FOO_BAR")),
            ("%TEXT%&to=%to%", Some("to")),
            ("%SECRET%", Some("SECRET")),
        ] {
            assert_eq!(stray(template, &names), found, "{template}");
        }
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        let value = "a\"b\\c\n<&'>é %&=+\u{0}";
        let at = |escape| expand("[%X%]", &[("X", value)], escape);
        assert_eq!(at(Escape::Percent), "[a%22b%5Cc%0A%3C%26%27%3E%C3%A9%20%25%26%3D%2B%00]");
        assert_eq!(at(Escape::Json), "[a\\\"b\\\\c\\n<&'>é %&=+\\u0000]");
        assert_eq!(at(Escape::Xml), "[a&quot;b\\c\n&lt;&amp;&#39;&gt;é %&amp;=+ ]");
    }
}
