//! A token as a QR code: shown for a minute, copied as a link, saved as a picture.

use std::path::PathBuf;

use countersign_core::{
    qr::{self, Luma, Matrix},
    secret::SecretText,
    token::TokenId,
    uri,
};
use zeroize::Zeroizing;

use super::DetailController;
use crate::{files, platform::Ask};

/// How long a code stays on the screen, in seconds.
pub const SHOWN_SECONDS: u64 = 60;

/// Pixels on a side of a saved picture, at least.
const PICTURE_PIXELS: u32 = 600;

/// A code that is shown.
pub struct Qr {
    link: SecretText,
    matrix: Matrix,
    name: String,
    from: u64,
}

/// Why there is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// The token is gone.
    #[error("there is no such token")]
    NoSuchToken,
    /// Its server does not let it leave this app.
    #[error("the server does not let the token leave this app")]
    Kept,
    /// Its link is longer than any code holds.
    #[error("the token's names are too long for a QR code")]
    TooLong,
}

/// Why a picture was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureProblem {
    /// The dialog could not be opened: the place has to be typed.
    NoDialog,
    /// The system did not let it be written there.
    CannotWrite,
}

impl Qr {
    /// The token's link.
    pub fn link(&self) -> &SecretText {
        &self.link
    }

    /// The modules.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// How many seconds it stays; 0 where its time is over, or the clock was set back before it began.
    pub fn left(&self, now: u64) -> u64 {
        now.checked_sub(self.from).map_or(0, |shown| SHOWN_SECONDS.saturating_sub(shown))
    }
}

impl DetailController {
    /// Makes the code of a token; from now on it is shown.
    pub fn show_qr(&self, id: TokenId) -> Result<(), QrError> {
        let content = self.door.content().ok_or(QrError::NoSuchToken)?;
        let token = content.token(id).ok_or(QrError::NoSuchToken)?;
        if !token.may_leave() {
            return Err(QrError::Kept);
        }
        let link = uri::write(&token.spec);
        let matrix = Matrix::new(link.expose()).map_err(|_| QrError::TooLong)?;
        let name = file_name(&token.spec.title());
        *self.qr.borrow_mut() = Some(Qr { link, matrix, name, from: self.services.clock.now() });
        Ok(())
    }

    /// Asks for a place and saves the shown code there; `done` gets nothing where the user thought better of it.
    pub fn save_picture(&self, title: String, done: impl FnOnce(Option<Result<(), PictureProblem>>) + 'static) {
        let picker = self.services.platform.picker.clone();
        let Some((ask, work)) = self.picture().map(|(name, work)| (Ask::Save { name }, work)) else { return };
        self.services
            .tasks
            .run(move || Some(picker.pick(&ask, &title).chosen(PictureProblem::NoDialog)?.and_then(work)), done);
    }

    /// Saves the shown code at a place that was typed.
    pub fn save_picture_at(&self, path: PathBuf, done: impl FnOnce(Result<(), PictureProblem>) + 'static) {
        let Some((_, work)) = self.picture() else { return };
        self.services.tasks.run(move || work(path), done);
    }

    /// The name that a picture of the shown code is offered under, and what saves it.
    fn picture(&self) -> Option<(String, impl FnOnce(PathBuf) -> Result<(), PictureProblem> + Send + use<>)> {
        let qr = self.qr.borrow();
        let qr = qr.as_ref()?;
        let (matrix, link, vault) = (qr.matrix.clone(), qr.link.clone(), self.door.path());
        let work = move |path: PathBuf| {
            let path = if path.extension().is_some() { path } else { path.with_extension("png") };
            if files::same(&path, &vault) {
                return Err(PictureProblem::CannotWrite);
            }
            let png = Zeroizing::new(matrix.to_png(PICTURE_PIXELS));
            files::replace(&path, &png, |written| reads_as(written, &link)).map_err(|_| PictureProblem::CannotWrite)
        };
        Some((qr.name.clone(), work))
    }
}

/// Whether a picture is the code that was meant.
fn reads_as(picture: &[u8], link: &SecretText) -> Result<(), ()> {
    let read = Luma::from_file_bytes(picture).map(|picture| qr::read(&picture)).unwrap_or_default();
    if read.iter().any(|text| text == link.expose()) { Ok(()) } else { Err(()) }
}

/// A name that every file system takes.
fn file_name(title: &str) -> String {
    let keep = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '@' | '(' | ')');
    let name: String = title.chars().map(|c| if keep(c) { c } else { '_' }).take(80).collect();
    match name.trim_matches([' ', '.']) {
        "" => "token.png".to_owned(),
        name => format!("{name}.png"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_stays_in_its_folder() {
        assert_eq!(file_name("Example (me@example.org)"), "Example (me@example.org).png");
        assert_eq!(file_name("../a/b\\c:d"), "_a_b_c_d.png");
        assert_eq!(file_name("…"), "_.png");
        assert_eq!(file_name(" . "), "token.png");
        assert!(file_name(&"x".repeat(500)).len() < 100);
    }
}
