//! The picture beside a token: the brand's icon where its issuer names one for certain, else a letter on a colour.
//!
//! The icons are those of [Simple Icons](https://simpleicons.org), inside the program, so that nothing is asked over
//! the network and nobody learns which accounts there are. A wrong logo on a token is worse than none (a person
//! chooses a code by it), so nothing is guessed: see [`find`].
//!
//! Where the file comes from and what its licences ask: `app/assets/icons/README.md`.

mod colour;
mod issuer;
mod names;
mod pack;

pub use colour::{LETTER_COLOURS, Plate, Rgb, letter_colour, letter_colour_index, plate};
pub use issuer::find;

use countersign_core::matching::fold;

/// A token whose `icon` says this keeps its letter, whatever its issuer. No icon has this name.
pub const LETTER: &str = "letter";

/// An icon of the collection. A number into the program's own data: copying it costs nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Icon(pack::Entry);

impl Icon {
    /// Its name for a token's `icon`: lower-case ASCII letters and digits, sometimes `_`.
    pub fn slug(self) -> &'static str {
        self.0.slug()
    }

    /// The brand as it writes itself.
    pub fn title(self) -> &'static str {
        self.0.title()
    }

    /// The brand's colour.
    pub fn colour(self) -> Rgb {
        self.0.colour()
    }

    /// The drawing: the commands of one filled SVG path (rule `nonzero`) on a grid of 24 by 24. Decompressed on each
    /// call (some microseconds, at most 16 KiB): whoever draws it often keeps it.
    pub fn path(self) -> String {
        self.0.path()
    }

    /// The drawing in one colour as an SVG document of its own, for places that take pictures and no paths.
    pub fn svg(self, foreground: Rgb) -> String {
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="{foreground}" d="{}"/></svg>"#,
            self.path()
        )
    }
}

impl std::fmt::Debug for Icon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Icon").field(&self.slug()).finish()
    }
}

/// The icon of this name, as [`Icon::slug`] gives it.
pub fn by_slug(slug: &str) -> Option<Icon> {
    pack::by_slug(slug).map(Icon)
}

/// Icons whose title or other name has `text` in it, the best first (the name itself, names that begin with it, a word
/// that begins with it, the rest; then by title), at most `limit`. All icons by title where `text` says nothing.
pub fn search(text: &str, limit: usize) -> Vec<Icon> {
    let wanted = issuer::squash(text);
    let mut ranked: Vec<(u8, String, Icon)> = if wanted.is_empty() && text.trim().is_empty() {
        pack::entries().map(|entry| (0, fold(entry.title()), Icon(entry))).collect()
    } else {
        let mut best = std::collections::HashMap::new();
        let named = pack::keys().filter(|(key, _)| !key.contains('.'));
        let titled = pack::entries().map(|entry| (entry.title(), entry));
        for (name, entry) in named.map(|(key, entry)| (key.to_owned(), entry)).chain(
            // Titles that two icons share are nobody's key, and a chooser shows both.
            titled.map(|(title, entry)| (issuer::squash(title), entry)),
        ) {
            let Some(rank) = rank(&name, entry, &wanted) else { continue };
            let known = best.entry(entry).or_insert(rank);
            *known = rank.min(*known);
        }
        best.into_iter().map(|(entry, rank)| (rank, fold(entry.title()), Icon(entry))).collect()
    };
    ranked.sort_unstable_by(|a, b| (a.0, &a.1, a.2.slug()).cmp(&(b.0, &b.1, b.2.slug())));
    ranked.into_iter().take(limit).map(|(.., icon)| icon).collect()
}

fn rank(name: &str, entry: pack::Entry, wanted: &str) -> Option<u8> {
    if wanted.is_empty() || !name.contains(wanted) {
        return None;
    }
    if name == wanted {
        Some(0)
    } else if name.starts_with(wanted) {
        Some(1)
    } else if entry.title().split(' ').any(|word| issuer::squash(word).starts_with(wanted)) {
        Some(2)
    } else {
        Some(3)
    }
}

/// What stands inside an avatar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Face {
    /// A letter (or the one sign that the name has).
    Letter(String),
    /// The commands of a path on a grid of 24 by 24, to be filled.
    Path(String),
}

/// The picture beside a token, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar {
    /// Behind the letter or the path.
    pub background: Rgb,
    /// The letter or the path: at least 4.5:1 (a letter) or 3:1 (a path) on the background.
    pub foreground: Rgb,
    /// The letter or the path.
    pub face: Face,
}

/// The avatar of a token: the icon that was chosen (`Token::icon`), else the one that its issuer names, else a letter.
/// A chosen name that is not known, from a later program or another app, counts as none.
pub fn avatar(issuer: &str, account: &str, chosen: Option<&str>, dark: bool) -> Avatar {
    let icon = match chosen {
        Some(LETTER) => None,
        Some(slug) => by_slug(slug).or_else(|| find(issuer, account)),
        None => find(issuer, account),
    };
    match icon {
        Some(icon) => {
            let Plate { background, foreground } = plate(icon.colour(), dark);
            Avatar { background, foreground, face: Face::Path(icon.path()) }
        }
        None => {
            let name = if issuer.trim().is_empty() { account } else { issuer };
            Avatar { background: letter_colour(name), foreground: Rgb::WHITE, face: Face::Letter(letter(name)) }
        }
    }
}

/// The letter that stands for a name: its first letter or digit in upper case, else its first sign, else `?`.
pub fn letter(name: &str) -> String {
    let Some(first) = name.chars().find(|c| c.is_alphanumeric()).or_else(|| name.trim().chars().next()) else {
        return "?".to_owned();
    };
    let mut upper = first.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one.to_string(),
        // ß has no capital of one letter
        _ => first.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slugs(text: &str, limit: usize) -> Vec<&'static str> {
        search(text, limit).into_iter().map(Icon::slug).collect()
    }

    #[test]
    fn every_icon_is_found_by_its_slug_and_draws_within_its_grid() {
        let (mut count, mut wrong) = (0, Vec::new());
        for entry in pack::entries() {
            let icon = Icon(entry);
            count += 1;
            assert_eq!(by_slug(icon.slug()), Some(icon));
            assert!(!icon.title().is_empty());
            assert!(icon.slug().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{icon:?}");
            let path = icon.path();
            assert!(path.len() <= 16 * 1024 && path.starts_with(['M', 'm']), "{icon:?}");
            let mut parser = lyon_extra::parser::PathParser::new();
            let mut bounds = Bounds::default();
            let mut source = lyon_extra::parser::Source::new(path.chars());
            let parsed = parser.parse(&lyon_extra::parser::ParserOptions::DEFAULT, &mut source, &mut bounds);
            if parsed.is_err() || bounds.low < -0.5 || bounds.high > 24.5 || bounds.points < 2 {
                wrong.push(format!("{icon:?}: {parsed:?} {bounds:?}"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(count > 3000, "{count}");
        assert_eq!(by_slug(LETTER), None);
        assert_eq!(by_slug(""), None);
        assert_eq!(by_slug("GitHub"), None);
    }

    /// The end points of a path. The toolkit reads paths with the same parser.
    #[derive(Debug)]
    struct Bounds {
        low: f32,
        high: f32,
        points: u32,
    }

    impl Default for Bounds {
        fn default() -> Self {
            Self { low: f32::MAX, high: f32::MIN, points: 0 }
        }
    }

    mod parsed {
        use lyon_path::{Attributes, EndpointId, math::Point, traits::PathBuilder};

        impl super::Bounds {
            fn take(&mut self, at: Point) -> EndpointId {
                self.low = self.low.min(at.x).min(at.y);
                self.high = self.high.max(at.x).max(at.y);
                self.points += 1;
                EndpointId(self.points)
            }
        }

        impl PathBuilder for super::Bounds {
            fn num_attributes(&self) -> usize {
                0
            }
            fn begin(&mut self, at: Point, _: Attributes<'_>) -> EndpointId {
                self.take(at)
            }
            fn end(&mut self, _: bool) {}
            fn line_to(&mut self, to: Point, _: Attributes<'_>) -> EndpointId {
                self.take(to)
            }
            fn quadratic_bezier_to(&mut self, _: Point, to: Point, _: Attributes<'_>) -> EndpointId {
                self.take(to)
            }
            fn cubic_bezier_to(&mut self, _: Point, _: Point, to: Point, _: Attributes<'_>) -> EndpointId {
                self.take(to)
            }
        }
    }

    #[test]
    fn a_known_icon_is_the_brands() {
        let icon = by_slug("github").unwrap();
        assert_eq!((icon.title(), icon.colour().to_string().as_str()), ("GitHub", "#181717"));
        let svg = icon.svg(Rgb::WHITE);
        assert!(svg.contains(r##"fill="#ffffff""##) && svg.contains(&icon.path()) && svg.ends_with("</svg>"));
    }

    #[test]
    fn search_puts_the_name_first_and_keeps_to_its_limit() {
        assert_eq!(slugs("git", 3)[0], "git");
        assert!(slugs("git", 20).contains(&"github"));
        assert_eq!(slugs("GOOGLE", 1), ["google"]);
        assert!(slugs("drive", 50).iter().position(|s| *s == "googledrive").is_some_and(|at| at < 20));
        assert_eq!(slugs("git", 5).len(), 5);
        assert_eq!(slugs("", 10).len(), 10);
        assert!(search("", usize::MAX).len() > 3000);
        assert!(slugs("no brand has this name", 10).is_empty());
        assert!(slugs("!?", 10).is_empty());
        // Two brands share this name: no token gets either by its issuer, a person may choose.
        assert!(slugs("hive", 10).contains(&"hive") && slugs("hive", 10).contains(&"hive_blockchain"));
        assert_eq!(slugs("爱发电", 5), ["afdian"]);
    }

    #[test]
    fn an_avatar_takes_the_choice_then_the_issuer_then_the_letter() {
        let face = |issuer, chosen| avatar(issuer, "", chosen, false).face;
        let path = |slug: &str| Face::Path(by_slug(slug).unwrap().path());
        assert_eq!(face("GitHub", None), path("github"));
        assert_eq!(face("GitHub", Some("gitlab")), path("gitlab"));
        assert_eq!(face("GitHub", Some("an-icon-of-another-app")), path("github"));
        assert_eq!(face("GitHub", Some(LETTER)), Face::Letter("G".to_owned()));
        let own = avatar("Corp PAM", "alice", None, true);
        assert_eq!((own.face, own.foreground), (Face::Letter("C".to_owned()), Rgb::WHITE));
        assert_eq!(avatar("", "alice", None, true).face, Face::Letter("A".to_owned()));
    }

    #[test]
    fn a_letter_stands_for_every_name() {
        for (name, wanted) in [
            ("corp", "C"),
            (" ..élan", "É"),
            ("1984", "1"),
            ("ßa", "ß"),
            ("日本", "日"),
            ("🔑", "🔑"),
            ("", "?"),
            ("  ", "?"),
        ] {
            assert_eq!(letter(name), wanted, "{name}");
        }
    }
}
