//! QR codes: pictures to texts, and a token to a picture.

use std::path::{Path, PathBuf};

use countersign_core::{
    qr::{self, Luma, Matrix},
    uri,
};
use serde::Serialize;
use serde_json::json;

use crate::cli::{
    context::Context,
    failure::Failure,
    files,
    output::Output,
    pick,
    read::{self, FILE_BYTES},
    record, spec, text,
};

/// Pixels on a side of a written picture, at least.
const PIXELS: u32 = 600;

#[derive(Serialize)]
struct Picture {
    file: String,
    payloads: Vec<String>,
}

/// Prints what the codes in pictures hold, one payload a line. Every picture is looked at before a failure is told.
pub(crate) fn read(out: Output, images: &[PathBuf]) -> Result<(), Failure> {
    let mut pictures = Vec::new();
    let mut failures = Vec::new();
    for path in images {
        match payloads(path) {
            Ok(payloads) => pictures.push(Picture { file: path.display().to_string(), payloads }),
            Err(failure) => failures.push(failure),
        }
    }
    out.result(&pictures, || {
        let lines = pictures.iter().flat_map(|picture| &picture.payloads);
        lines.map(|payload| text::plain(payload) + "\n").collect()
    })?;
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        count => {
            let mut failure = Failure::failed(format!("{count} of {} pictures could not be read.", images.len()));
            failure.lines = failures.into_iter().map(|failure| failure.message).collect();
            Err(failure)
        }
    }
}

fn payloads(path: &Path) -> Result<Vec<String>, Failure> {
    let bytes = read::file(path, FILE_BYTES)?;
    let picture = Luma::from_file_bytes(&bytes).map_err(|error| {
        Failure::failed(format!("{}: {}", path.display(), spec::sentence(&error.to_string())))
            .hint("Save the picture as PNG and try again.")
    })?;
    let payloads = qr::read(&picture);
    if payloads.is_empty() {
        return Err(Failure::failed(format!("{}: no QR code was found in the picture.", path.display()))
            .hint("A larger or sharper picture with a white edge around the code reads best."));
    }
    Ok(payloads)
}

/// Shows a token as a QR code. Whoever sees it has the token.
pub(crate) fn show(context: &mut Context, query: &str, output: Option<&Path>) -> Result<(), Failure> {
    files::keep_vault(output, &context.path, "The picture")?;
    let session = context.open()?;
    let token = pick::one(session.content(), query)?;
    if !token.may_leave() {
        return Err(Failure::failed(format!("The server of {} does not let it leave this app.", record::title(token)))
            .hint("Register it in the other app: it then works there."));
    }
    let link = uri::write(&token.spec);
    let matrix = Matrix::new(link.expose()).map_err(|error| {
        Failure::failed(spec::sentence(&error.to_string()))
            .hint("Shorten its issuer or account with `countersign edit`.")
    })?;
    let Some(path) = output else {
        let value = json!({ "id": token.id.to_string(), "uri": link.expose() });
        context.out.result(&value, || matrix.to_terminal())?;
        context.out.notice(&format!("{}: whoever sees this picture has the token.", record::title(token)));
        return Ok(());
    };
    let png = matrix.to_png(PIXELS);
    files::replace(path, &png, |written| {
        let back = Luma::from_file_bytes(written).map(|picture| qr::read(&picture));
        match back {
            Ok(payloads) if payloads.iter().any(|payload| payload == link.expose()) => Ok(()),
            _ => Err(Failure::failed("The picture did not read back.").hint("Show it in the terminal instead.")),
        }
    })?;
    let value = json!({ "id": token.id.to_string(), "output": path.display().to_string() });
    context.out.result(&value, String::new)?;
    context.out.notice(&format!(
        "Wrote {} to {}. Whoever has the picture has the token: delete it when it is not needed.",
        record::title(token),
        path.display()
    ));
    Ok(())
}
