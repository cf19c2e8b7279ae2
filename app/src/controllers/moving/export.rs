//! A file for another app goes out: what the app cannot hold is told before anything is written.

use std::{
    cell::{Ref, RefCell},
    path::PathBuf,
    rc::Rc,
};

use countersign_core::{
    export::{self, ExportError, FORMATS, Format, Lock, Loss},
    qr::Matrix,
    secret::SecretText,
    token::{GroupId, Token, TokenId, TokenSpec},
    uri::migration,
    vault::Content,
};

use crate::{
    controllers::{
        Door, Services,
        backup::{FileTrouble, Latest},
    },
    files::{self, ReplaceError},
    foreign_file,
    platform::Ask,
};

/// Why there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportProblem {
    /// The vault was locked meanwhile.
    Locked,
    /// The system has less memory than the key derivation asks for.
    Memory,
    /// A link is longer than a QR code holds.
    TooLong,
    /// What was written did not read back. Nothing was replaced.
    Unsound,
    /// There is no dialog for choosing a place.
    NoDialog,
    /// The file was not written.
    File(FileTrouble),
}

/// What a token loses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its name and look.
    pub spec: TokenSpec,
    /// The name of its icon.
    pub icon: Option<String>,
    /// What it loses; nothing is said where its server keeps it here.
    pub loss: Option<Loss>,
}

impl Lost {
    /// Whether it is in no file at all.
    pub fn is_left_out(&self) -> bool {
        matches!(self.loss, None | Some(Loss::LeftOut(_)))
    }
}

/// What an export would write.
pub struct Review {
    format: &'static Format,
    content: Content,
    written: Vec<TokenId>,
    /// What is lost, token by token.
    pub lost: Vec<Lost>,
}

impl Review {
    /// How many tokens go into the file.
    pub fn written(&self) -> usize {
        self.written.len()
    }

    /// How many were chosen and do not.
    pub fn left_out(&self) -> usize {
        self.lost.iter().filter(|lost| lost.is_left_out()).count()
    }
}

/// Writes files for other apps.
pub struct ExportController {
    services: Rc<Services>,
    door: Rc<Door>,
    review: RefCell<Option<Review>>,
    codes: RefCell<Vec<Matrix>>,
    work: Latest,
}

impl ExportController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, review: RefCell::default(), codes: RefCell::default(), work: Latest::default() }
    }

    /// How many tokens are in that group; in the vault with `None`.
    pub fn count(&self, group: Option<GroupId>) -> usize {
        self.door.content().map_or(0, |content| content.tokens().iter().filter(|token| is_in(token, group)).count())
    }

    /// Works out what would be written. Nothing is.
    pub fn review(&self, format: &'static Format, group: Option<GroupId>) -> Result<(), ExportProblem> {
        let vault = self.door.content().ok_or(ExportProblem::Locked)?;
        let chosen = vault.part(|token| is_in(token, group));
        let content = chosen.part(Token::may_leave);
        let lost_of = |id: TokenId, loss: Option<Loss>| {
            let token = chosen.token(id)?;
            Some(Lost { spec: token.spec.clone(), icon: token.icon.clone(), loss })
        };
        let kept = chosen.tokens().iter().filter(|token| !token.may_leave());
        let mut lost: Vec<Lost> = kept.filter_map(|token| lost_of(token.id, None)).collect();
        let (written, losses) = export::losses(&content, format);
        lost.extend(losses.into_iter().filter_map(|(id, loss)| lost_of(id, Some(loss))));
        // What is not there at all comes first.
        lost.sort_by_key(|lost| !lost.is_left_out());
        *self.review.borrow_mut() = Some(Review { format, content, written, lost });
        Ok(())
    }

    /// What was worked out.
    pub fn reviewed(&self) -> Option<Ref<'_, Review>> {
        Ref::filter_map(self.review.borrow(), Option::as_ref).ok()
    }

    /// Asks for a place under that title; `None` where the user thought better of it.
    pub fn choose(&self, title: String, done: impl FnOnce(Option<Result<PathBuf, ExportProblem>>) + 'static) {
        let Some(extension) = self.reviewed().map(|review| review.format.extension) else { return };
        let picker = self.services.platform.picker.clone();
        let ask = Ask::Save { name: format!("countersign-export.{extension}") };
        self.services.tasks.run(move || picker.pick(&ask, &title).chosen(ExportProblem::NoDialog), done);
    }

    /// Writes the file for its owner alone, and reads it back before it takes the place of anything.
    pub fn save(
        &self,
        path: PathBuf,
        password: Option<SecretText>,
        done: impl FnOnce(Result<(), ExportProblem>) + 'static,
    ) {
        let review = self.review.borrow();
        let Some(review) = review.as_ref() else { return done(Err(ExportProblem::Locked)) };
        if files::same(&path, &self.door.path()) {
            return done(Err(ExportProblem::File(FileTrouble::Vault)));
        }
        let (content, format) = (review.content.clone(), review.format);
        let (disk, random, now) =
            (self.services.platform.files.clone(), self.services.random, self.services.clock.now());
        let cancel = self.work.begin();
        let cancelled = cancel.clone();
        self.services.tasks.run(
            move || {
                let lock = password.as_ref().map(|password| Lock { password });
                let made = export::write(&content, format, lock, &mut *random(), now).map_err(problem)?;
                let mut check = |written: &[u8]| {
                    !cancelled.is_cancelled()
                        && foreign_file::verify(written, password.as_ref(), &content, &made.written).is_ok()
                };
                disk.replace(&path, &made.bytes, &mut check).map_err(|error| match error {
                    ReplaceError::Io(error) => ExportProblem::File(FileTrouble::from(&error)),
                    ReplaceError::Check(()) => ExportProblem::Unsound,
                })
            },
            move |result| {
                if !cancel.is_cancelled() {
                    done(result);
                }
            },
        );
    }

    /// Makes the QR codes for Google Authenticator, and says how many there are.
    pub fn make_codes(&self) -> Result<usize, ExportProblem> {
        let review = self.review.borrow();
        let review = review.as_ref().ok_or(ExportProblem::Locked)?;
        let specs: Vec<TokenSpec> =
            review.written.iter().filter_map(|id| review.content.token(*id)).map(|token| token.spec.clone()).collect();
        let mut batch = [0; 4];
        (self.services.random)().fill_bytes(&mut batch);
        let parts = migration::write(&specs, i32::from_be_bytes(batch)).parts;
        let codes: Result<Vec<Matrix>, _> = parts.iter().map(|part| Matrix::new(part.expose())).collect();
        let codes = codes.map_err(|_| ExportProblem::TooLong)?;
        let count = codes.len();
        *self.codes.borrow_mut() = codes;
        Ok(count)
    }

    /// One of the QR codes, from 0.
    pub fn code(&self, at: usize) -> Option<Ref<'_, Matrix>> {
        Ref::filter_map(self.codes.borrow(), |codes| codes.get(at)).ok()
    }

    /// Stops what is under way; a file that was to be replaced stays as it was.
    pub fn cancel(&self) {
        self.work.cancel();
    }

    /// Nothing worked out, nothing shown.
    pub fn forget(&self) {
        self.cancel();
        *self.review.borrow_mut() = None;
        self.codes.borrow_mut().clear();
    }
}

/// The formats, in the order in which they are offered.
pub fn formats() -> &'static [Format] {
    FORMATS
}

fn is_in(token: &Token, group: Option<GroupId>) -> bool {
    group.is_none_or(|group| token.groups.contains(&group))
}

fn problem(error: ExportError) -> ExportProblem {
    match error {
        ExportError::TooLong(_) => ExportProblem::TooLong,
        ExportError::Memory => ExportProblem::Memory,
        // The page has no button for an encrypted file without a password.
        _ => ExportProblem::Unsound,
    }
}
