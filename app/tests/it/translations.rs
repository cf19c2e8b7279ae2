//! Every text of the pages has its German and its Turkish one.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// A text: what it is about where that is said, the text itself, and the one for many where it counts something.
type Text = (String, String, String);

const LANGUAGES: [&str; 2] = ["de", "tr"];

fn ui() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui")
}

#[test]
fn every_text_is_translated() {
    let texts = texts_of_pages();
    assert!(texts.len() > 150, "the scanner lost the texts: {}", texts.len());
    let mut wrong = String::new();
    for (one, next) in texts.keys().zip(texts.keys().skip(1)) {
        if (&one.0, &one.1) == (&next.0, &next.1) {
            writeln!(wrong, "a catalogue can hold only one of {one:?} and {next:?}").unwrap();
        }
    }
    for language in LANGUAGES {
        let catalogue = catalogue(language);
        for (text, place) in &texts {
            let Some(translated) = catalogue.get(text) else {
                // As the catalogue wants it, to be filled in.
                let line = |key: &str, text: &str| match text {
                    "" => String::new(),
                    text => format!("{key} \"{text}\"\n"),
                };
                let (context, many) = (line("msgctxt", &text.0), line("msgid_plural", &text.2));
                write!(wrong, "{language} lacks\n#: {place}\n{context}msgid \"{}\"\n{many}\n", text.1).unwrap();
                continue;
            };
            let forms = if text.2.is_empty() { 1 } else { 2 };
            if translated.len() != forms || translated.iter().any(String::is_empty) {
                writeln!(wrong, "{language}: {forms} forms are wanted for {:?}", text.1).unwrap();
            }
            // The form for one may say "one" instead of the number.
            let (one, many) = (placeholders(&text.1), placeholders(&text.2));
            for form in translated {
                let has = placeholders(form);
                if has != one && (text.2.is_empty() || has != many) {
                    writeln!(wrong, "{language}: the placeholders of {:?} became {has:?} in {form:?}", text.1).unwrap();
                }
            }
        }
        for text in catalogue.keys().filter(|text| !texts.contains_key(*text)) {
            writeln!(wrong, "{language}: nothing says {:?} any more", text.0).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_scanner_sees_what_the_compiler_sees() {
    let source = r#"
        // @tr("a comment")
        text: @tr("plain");
        text: @tr("with \"quotes\" and {}", 1) + @tr( "context" => "in context" );
        text: @tr("one" | "{n} many" % count);
    "#;
    let found: Vec<Text> = texts(source).collect();
    let text = |about: &str, one: &str, many: &str| (about.to_owned(), one.to_owned(), many.to_owned());
    assert_eq!(
        found,
        [
            text("", "plain", ""),
            text("", "with \\\"quotes\\\" and {}", ""),
            text("context", "in context", ""),
            text("", "one", "{n} many"),
        ]
    );
}

fn texts_of_pages() -> BTreeMap<Text, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![ui()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "slint") {
                let place = path.strip_prefix(ui()).unwrap().display().to_string();
                found.extend(texts(&fs::read_to_string(&path).unwrap()).map(|text| (text, place.clone())));
            }
        }
    }
    found
}

/// The texts of each `@tr(..)`, escaped as they stand there, which is as a catalogue escapes them.
fn texts(source: &str) -> impl Iterator<Item = Text> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let calls: Vec<String> = code.split("@tr(").skip(1).map(str::to_owned).collect();
    calls.into_iter().map(|call| {
        let (mut one, mut rest) = literal(&call).unwrap();
        let mut about = "";
        if let Some(after_context) = rest.strip_prefix("=>") {
            about = one;
            (one, rest) = literal(after_context).unwrap();
        }
        let many = rest.strip_prefix('|').map(|rest| literal(rest).unwrap().0).unwrap_or_default();
        (about.to_owned(), one.to_owned(), many.to_owned())
    })
}

/// The string literal that `code` begins with, and what follows it.
fn literal(code: &str) -> Option<(&str, &str)> {
    let inner = code.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((&inner[..end], inner[end + 1..].trim_start()))
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn catalogue(language: &str) -> BTreeMap<Text, Vec<String>> {
    let path = ui().join(format!("lang/{language}/LC_MESSAGES/countersign-ui.po"));
    let mut found = BTreeMap::new();
    let (mut text, mut forms) = (Text::default(), Vec::new());
    for line in fs::read_to_string(path).unwrap().lines().chain([""]) {
        let value = |key: &str| Some(line.strip_prefix(key)?.strip_prefix('"')?.strip_suffix('"')?.to_owned());
        if let Some(about) = value("msgctxt ") {
            text.0 = about;
        } else if let Some(one) = value("msgid ") {
            text.1 = one;
        } else if let Some(many) = value("msgid_plural ") {
            text.2 = many;
        } else if let Some(form) = value("msgstr ").or_else(|| value("msgstr[0] ")).or_else(|| value("msgstr[1] ")) {
            forms.push(form);
        } else if line.is_empty() {
            if !text.1.is_empty() {
                found.insert(std::mem::take(&mut text), std::mem::take(&mut forms));
            }
            (text, forms) = Default::default();
        } else {
            assert!(line.starts_with(['#', '"']), "a line that no one reads: {line}");
        }
    }
    found
}
