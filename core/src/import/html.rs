//! Pages to print: those of Aegis (a picture and columns), of Stratum and of Countersign (the link as text).

use data_encoding::BASE64;

use super::{
    Draft, ImportError, MAX_RECORDS, PasswordUse, Problem, Recognised, Source, Unlock,
    input::Input,
    table::Importer,
    text::{self, Said},
    uris,
};
use crate::qr::{self, Luma};

/// A page to print.
pub(super) struct Html;

impl Importer for Html {
    const ID: &'static str = "html";
    const NAME: &'static str = "HTML (Aegis, Stratum, Countersign)";
    const EXTENSIONS: &'static [&'static str] = &["html", "htm"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let is = input.text.is_some_and(|text| {
            text.trim_start().starts_with('<')
                && text.contains("<td")
                && (uris::has_link(text) || text.contains("data:image/png;base64,"))
        });
        if is { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let mut source = Source::new(Self::NAME);
        // The parts of a Google export belong together.
        let mut migrations = Vec::new();
        for row in parts(input.text.unwrap_or_default(), "tr") {
            let cells: Vec<&str> = parts(row, "td").collect();
            if cells.is_empty() {
                continue;
            }
            if source.records.len() >= MAX_RECORDS {
                return Err(ImportError::TooMany);
            }
            take(&mut source, &mut migrations, row, &cells, input.picture_bytes());
        }
        uris::take(&mut source, &migrations.join("\n"), |_| {})?;
        Ok(source)
    }
}

/// The contents of the elements of that name, one after the other. Elements of one name are not inside one another.
fn parts<'a>(html: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let mut rest = html;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find('<')?;
            rest = &rest[at + 1..];
            let Some(after) =
                rest.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name)).map(|_| &rest[name.len()..])
            else {
                continue;
            };
            if !after.starts_with(['>', ' ', '\t', '\r', '\n']) {
                continue;
            }
            let (_, body) = after.split_once('>')?;
            let end = end_of(body, name).unwrap_or(body.len());
            rest = &body[end..];
            return Some(&body[..end]);
        }
    })
}

fn end_of(body: &str, name: &str) -> Option<usize> {
    body.match_indices("</")
        .map(|(at, _)| at)
        .find(|at| body.get(at + 2..at + 2 + name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name)))
}

/// Columns of Aegis's page.
const ISSUER: usize = 0;
const NAME: usize = 1;
const TYPE: usize = 2;
const NOTE: usize = 5;
const FAVOURITE: usize = 6;
const ALGORITHM: usize = 7;
const DIGITS: usize = 8;
const SECRET: usize = 9;
const COUNTER: usize = 10;
const PIN: usize = 11;

fn take(source: &mut Source, migrations: &mut Vec<String>, row: &str, cells: &[&str], memory: u64) {
    let texts: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
    let title = text::title(&texts[0], texts.get(1).map_or("", String::as_str));
    if let Some(link) = texts.iter().find(|cell| uris::has_link(cell)) {
        if uris::is_migration(link) {
            migrations.push(link.clone());
            return;
        }
        let draft = Draft::from_uri(link);
        let title = draft.as_ref().map_or(title, |draft| draft.spec.title());
        return source.push(title, draft, link);
    }
    // The picture says all that a link can; the columns leave the period out.
    let picture = cells.iter().find_map(|cell| link_in_picture(cell, memory));
    let draft = match (picture, texts.len() > COUNTER) {
        (Some(link), _) => Draft::from_uri(&link),
        (None, true) => columns(&texts),
        (None, false) => Err(Problem::Shape),
    };
    let draft = draft.map(|mut draft| {
        if texts.len() > COUNTER {
            draft.note.clone_from(&texts[NOTE]);
            draft.favourite = texts[FAVOURITE] == "true";
        }
        draft
    });
    source.push(title, draft, row);
}

fn link_in_picture(cell: &str, memory: u64) -> Option<String> {
    let (_, data) = cell.split_once("data:image/png;base64,")?;
    let data = data.split(['"', '\'']).next()?;
    let clean: Vec<u8> = data.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let picture = Luma::from_file_bytes_within(&BASE64.decode(&clean).ok()?, memory).ok()?;
    qr::read(&picture).into_iter().find(|text| uris::has_link(text))
}

fn columns(texts: &[String]) -> Result<Draft, Problem> {
    let number = |at: usize| texts.get(at).and_then(|text| text.trim().parse().ok());
    let kind = texts[TYPE].to_ascii_lowercase();
    let said = Said {
        issuer: texts[ISSUER].clone(),
        account: texts[NAME].clone(),
        kind: &kind,
        algorithm: Some(&texts[ALGORITHM]),
        digits: number(DIGITS),
        period: None,
        counter: number(COUNTER),
        pin: texts.get(PIN).filter(|pin| *pin != "-").cloned(),
    };
    let mut draft = said.with_text(&texts[SECRET])?;
    draft.remark(super::Remark::Assumed { part: crate::uri::Part::Period, taken: "30".to_owned() });
    Ok(draft)
}

/// The text of a cell: without elements, with its characters unescaped.
fn plain(cell: &str) -> String {
    let mut text = String::new();
    let mut rest = cell;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = rest[at..].split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    unescaped(text.trim())
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entity =
            rest.get(1..).and_then(|after| after.split_once(';')).map(|(name, _)| name).filter(|name| name.len() <= 8);
        match entity.and_then(character) {
            Some(c) => {
                out.push(c);
                rest = &rest[entity.map_or(1, |name| name.len() + 2)..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}
