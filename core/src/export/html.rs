//! A page to print: a QR code and the link of each token.

use super::{
    ExportError, Part,
    table::{Exporter, Job},
};
use crate::{intake::kind_line, qr::Matrix, secret::SecretText, uri};

/// A page to print.
pub(super) struct Html;

impl Exporter for Html {
    const ID: &'static str = "html";
    const NAME: &'static str = "a page to print, with QR codes";
    const EXTENSION: &'static str = "html";
    const LACKS: &'static [Part] = &[Part::Groups, Part::Note, Part::Favourite];

    fn write(job: &mut Job<'_>) -> Result<Vec<u8>, ExportError> {
        let rows = job.entries.iter().map(|entry| {
            let spec = &entry.token.spec;
            Row { title: spec.title(), detail: kind_line(&spec.kind), link: uri::write(spec) }
        });
        page("Tokens", rows)
    }
}

/// A row of the page.
pub(super) struct Row {
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) link: SecretText,
}

const STYLE: &str = "body{font:11pt/1.4 sans-serif;color:#000;background:#fff}table{border-collapse:collapse}\
td{border-top:1px solid #999;padding:.6em .8em;vertical-align:top}tr{break-inside:avoid}svg{width:12em;height:12em}\
code{font-size:8pt;overflow-wrap:anywhere}@page{margin:1.5cm}";

/// The page. A link that is too long for a QR code stands there as text only.
pub(super) fn page(title: &str, rows: impl Iterator<Item = Row>) -> Result<Vec<u8>, ExportError> {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>Whoever has this page has these tokens. Print it, keep it locked away, and delete the file.</p>\n<table>\n"
    );
    for row in rows {
        let code = Matrix::new(row.link.expose()).map(|matrix| matrix.to_svg()).ok();
        page.push_str("<tr>\n<td>");
        page.push_str(code.as_ref().map_or("", SecretText::expose));
        page.push_str("</td>\n<td><b>");
        page.push_str(&escaped(&row.title));
        page.push_str("</b><br>");
        page.push_str(&escaped(&row.detail));
        page.push_str("</td>\n<td><code>");
        page.push_str(&escaped(row.link.expose()));
        page.push_str("</code></td>\n</tr>\n");
    }
    page.push_str("</table>\n</body>\n</html>\n");
    Ok(page.into_bytes())
}

/// A text as it stands in HTML, between quotes too.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No page may hold it; the link has it as `%00`.
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
