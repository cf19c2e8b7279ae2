//! Lists of links, one a line, Google's exports among them; and pictures of QR codes that hold them.

use super::{
    Draft, ImportError, MAX_RECORDS, PasswordUse, Problem, Recognised, Source, Unlock, input::Input, table::Importer,
    text,
};
use crate::{
    intake::{self, Cause},
    qr::{self, Luma, Payload},
    uri::migration,
};

/// A text with links.
pub(super) struct Uris;

/// What a link starts with.
const SCHEMES: [&str; 5] = ["otpauth://", "otpauth-migration://", "apple-otpauth:", "motp://", "steam://"];

impl Importer for Uris {
    const ID: &'static str = "uri";
    const NAME: &'static str = "links";
    const EXTENSIONS: &'static [&'static str] = &["txt", "png", "jpg"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let is_list = input.text.is_some_and(|text| !text.trim_start().starts_with(['{', '[', '<']) && has_link(text));
        if is_list || Luma::is_picture(input.bytes) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let mut source = Source::new(Self::NAME);
        match input.text {
            Some(text) => take(&mut source, text, |_| {})?,
            None => {
                let picture = Luma::from_file_bytes_within(input.bytes, input.picture_bytes())
                    .map_err(|error| ImportError::damaged("a QR code", error.to_string()))?;
                let payloads = qr::read_payloads(&picture);
                if payloads.is_empty() {
                    return Err(ImportError::damaged("a QR code", "there is none in the picture"));
                }
                let texts: Vec<&str> = payloads
                    .iter()
                    .filter_map(|payload| match payload {
                        Payload::Text(text) => Some(text.as_str()),
                        Payload::Binary(_) => None,
                    })
                    .collect();
                take(&mut source, &texts.join("\n"), |_| {})?;
            }
        }
        Ok(source)
    }
}

/// Whether a text has a link in it, in any case.
pub(super) fn has_link(text: &str) -> bool {
    let bytes = text.as_bytes();
    let colons = bytes.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at);
    let mut heads = colons.map(|colon| {
        let from = bytes[..colon].iter().rposition(|byte| !byte.is_ascii_alphabetic() && *byte != b'-');
        &bytes[from.map_or(0, |at| at + 1)..]
    });
    heads.any(|head| {
        SCHEMES.iter().any(|scheme| head.get(..scheme.len()).is_some_and(|h| h.eq_ignore_ascii_case(scheme.as_bytes())))
    })
}

/// Takes every link of a text; `finish` sees each token that was read.
pub(super) fn take(source: &mut Source, text: &str, finish: impl Fn(&mut Draft)) -> Result<(), ImportError> {
    let mut collector = migration::Collector::default();
    let links = intake::links_of(text, MAX_RECORDS).ok_or(ImportError::TooMany)?;
    let lines: Vec<&str> = text.lines().collect();
    for (line, found) in links {
        if let Some(error) = source.exceeded() {
            return Err(error);
        }
        match found {
            Ok(link) if is_migration(&link) => take_part(source, &mut collector, line, &link),
            Ok(link) => {
                let draft = Draft::from_uri(&link).map(|mut draft| {
                    finish(&mut draft);
                    draft
                });
                let name = draft.as_ref().map_or_else(|_| format!("line {line}"), |draft| draft.spec.title());
                source.push(name, draft, &link);
            }
            // The text as a whole: nothing in it is a record.
            Err(Cause::NoLink) => {}
            Err(cause) => {
                let raw = lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
                source.push(format!("line {line}"), Err(Problem::Line(cause.to_string())), raw);
            }
        }
    }
    let incomplete = collector.incomplete();
    if !incomplete.is_empty() {
        let (have, of) = incomplete
            .iter()
            .fold((0, 0u32), |(have, of), (_, progress)| (have + progress.have, of.saturating_add(progress.of)));
        source.missing_parts = Some((of.saturating_sub(have), of));
    }
    Ok(())
}

pub(super) fn is_migration(link: &str) -> bool {
    link.get(..20).is_some_and(|head| head.eq_ignore_ascii_case("otpauth-migration://"))
}

fn take_part(source: &mut Source, collector: &mut migration::Collector, line: usize, link: &str) {
    let part = match migration::parse(link) {
        Ok(part) => part,
        Err(error) => return source.push(format!("line {line}"), Err(Problem::Line(error.to_string())), link),
    };
    for entry in collector.add(part).entries {
        if source.exceeded().is_some() {
            return;
        }
        match entry {
            Ok(parsed) => source.push(parsed.spec.title(), Ok(Draft::from(parsed)), ""),
            // The entry's own bytes cannot be had apart: the whole part is kept.
            Err(error) => source.push(
                text::title(&error.title, ""),
                Err(Problem::Entry(error.problem)),
                &format!("entry {} of {link}", error.position),
            ),
        }
    }
}
