//! Texts that somebody else chose, as people are shown them.

/// The longest name of an app, in characters.
pub const MAX_APP_NAME: usize = 64;
/// Characters of an app's name that a message has room for: too few for a story.
pub const IN_MESSAGES: usize = 32;

/// Whether a character turns the direction of the text around it (Unicode Standard Annex #9, section 2), so that one name
/// looks like another.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character leaves something to be seen: it is no space and no control, and not of those that Unicode calls
/// `Default_Ignorable_Code_Point`, nor the empty pattern of Braille.
pub fn is_visible(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A text without what would move a terminal's cursor or turn what stands beside it.
pub fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || turns_direction(c) { '\u{fffd}' } else { c }).collect()
}

/// An app's name of at most `most` characters; where there is nothing to be seen of it, its platform's.
pub fn app_name(name: &str, platform: &str, most: usize) -> String {
    let given = [name, platform].into_iter().find(|text| text.chars().any(is_visible)).unwrap_or("app");
    let tamed = tame(given.trim());
    match tamed.char_indices().nth(most) {
        None => tamed,
        Some(_) => tamed.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_name_is_shown_as_what_it_is() {
        for (name, platform, shown) in [
            ("Ada's phone", "android", "Ada's phone"),
            (" \u{200b}\u{2800}\u{202e}", "android", "android"),
            ("\u{202e}enohp", "android", "\u{fffd}enohp"),
            ("a\u{7}b", "ios", "a\u{fffd}b"),
            ("", "\u{3164}", "app"),
            ("an app of a name that is far too long", "ios", "an app of a name that is far to\u{2026}"),
        ] {
            assert_eq!(app_name(name, platform, IN_MESSAGES), shown);
        }
    }
}
