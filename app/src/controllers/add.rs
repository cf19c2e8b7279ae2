//! Adding: from a picture or by hand, and always by way of a preview.

use std::{cell::RefCell, fs::File, io::Read as _, path::PathBuf, rc::Rc};

use countersign_core::{
    intake::{Cause, Intake, KnownThing, Problem},
    qr::PictureError,
    secret::SecretText,
    token::{Algorithm, Digits, Kind, KindName, Period, SecretError, TokenId, TokenSecret, TokenSpec},
    uri::Parsed,
    vault::content::{Content, NoSuchToken},
};
use rand_core::Rng as _;

use super::{ChangeError, Door, Services};
use crate::platform::Picked;

/// The largest file that is read in search of a token, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// What was typed into the form.
#[derive(Clone, Debug)]
pub struct Form {
    /// The issuer.
    pub issuer: String,
    /// The account.
    pub account: String,
    /// The secret, or a link.
    pub secret: SecretText,
    /// The kind.
    pub kind: KindName,
    /// The hash, for the kinds that have a choice.
    pub algorithm: Algorithm,
    /// Digits as typed.
    pub digits: String,
    /// Seconds of a period as typed.
    pub period: String,
    /// The counter as typed.
    pub counter: String,
    /// The PIN, for the kinds that have one.
    pub pin: SecretText,
}

/// What is wrong with a typed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretProblem {
    /// It is no secret.
    Secret(SecretError),
    /// It is a link, and wrong in some part.
    Link,
}

/// The form, judged.
#[derive(Debug, Default)]
pub struct Checked {
    /// What is wrong with the secret. Nothing where it is still empty.
    pub secret: Option<SecretProblem>,
    /// The digits are not 1 to 12.
    pub digits_wrong: bool,
    /// The period is not at least 1 second.
    pub period_wrong: bool,
    /// The counter is no number.
    pub counter_wrong: bool,
    /// The tokens, where all is well.
    pub tokens: Vec<Parsed>,
}

/// Why a file gave no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// It could not be opened or read.
    CannotOpen,
    /// The dialog could not be opened.
    NoDialog,
    /// It is neither a picture nor a text with a link.
    NotAPicture,
    /// It is too large.
    TooLarge,
    /// The picture is damaged.
    Damaged,
    /// The picture has no QR code.
    NoCode,
    /// The QR code is a web address.
    WebAddress,
    /// The QR code is something else.
    NoToken,
    /// The QR code is a token's link that is wrong in some part.
    BadLink,
    /// It is a backup text, which is restored and not added.
    Backup,
    /// Parts of a Google export are missing: have, of. The tokens of those that are there are in the preview.
    PartsMissing(u32, u32),
}

/// A token that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The token.
    pub parsed: Parsed,
    /// A token with the same codes is in the vault.
    pub already_there: bool,
}

/// The pages of adding.
pub struct AddController {
    services: Rc<Services>,
    door: Rc<Door>,
    found: RefCell<Vec<Found>>,
    intake: RefCell<Intake>,
}

impl AddController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, found: RefCell::default(), intake: RefCell::default() }
    }

    /// Shows the dialog, reads the file that was chosen, and calls `done` with how many tokens there are to look at;
    /// `None` where the user thought better of it.
    pub fn choose_picture(&self, done: impl FnOnce(Option<Result<PathBuf, FileProblem>>) + 'static) {
        let picker = self.services.picker.clone();
        self.services.tasks.run(
            move || picker.pick_picture(),
            move |picked| {
                done(match picked {
                    Picked::File(path) => Some(Ok(path)),
                    Picked::Cancelled => None,
                    Picked::NoDialog => Some(Err(FileProblem::NoDialog)),
                });
            },
        );
    }

    /// Reads a file; `done` is called here with what is wrong, or with nothing where tokens were found.
    pub fn read_file(self: &Rc<Self>, path: PathBuf, done: impl FnOnce(Result<(), FileProblem>) + 'static) {
        let mut intake = std::mem::take(&mut *self.intake.borrow_mut());
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let read = read_limited(&path).map(|bytes| intake.take_bytes(&bytes));
                (intake, read)
            },
            move |(intake, read)| {
                let result = read.and_then(|()| this.judge(&intake));
                *this.intake.borrow_mut() = intake;
                done(result);
            },
        );
    }

    /// Judges the form while it is typed.
    pub fn check(&self, form: &Form) -> Checked {
        let text = form.secret.expose().trim();
        if text.contains(':') && text.contains('/') {
            let mut intake = Intake::default();
            intake.take_text(text);
            let secret = intake.tokens.is_empty().then_some(SecretProblem::Link);
            return Checked { secret, tokens: intake.tokens, ..Checked::default() };
        }
        let mut checked = Checked::default();
        let secret = match form.kind {
            KindName::Motp => TokenSecret::from_hex(text),
            _ => TokenSecret::from_base32(text),
        };
        let kind = checked.kind(form);
        match (secret, kind) {
            (Ok(secret), Some(kind)) => {
                let spec = TokenSpec {
                    issuer: form.issuer.trim().to_owned(),
                    account: form.account.trim().to_owned(),
                    kind,
                    secret,
                    label_issuer: None,
                    uri_parameters: Vec::new(),
                };
                checked.tokens.push(Parsed { spec, warnings: Vec::new() });
            }
            // What is too short may still be under way.
            (Err(SecretError::TooShort), _) | (Ok(_), None) => {}
            (Err(error), _) => checked.secret = Some(SecretProblem::Secret(error)),
        }
        checked
    }

    /// Takes tokens to the preview.
    pub fn preview(&self, tokens: Vec<Parsed>) {
        let content = self.door.content();
        let found = tokens.into_iter().map(|parsed| Found {
            already_there: content.as_ref().is_some_and(|content| has(content, &parsed.spec)),
            parsed,
        });
        *self.found.borrow_mut() = found.collect();
    }

    /// What is in the preview.
    pub fn found(&self) -> std::cell::Ref<'_, Vec<Found>> {
        self.found.borrow()
    }

    /// How many entries of what was read are no tokens.
    pub fn unreadable(&self) -> usize {
        self.intake.borrow().problems.len()
    }

    /// Adds what is in the preview, in one save: a single token under the names given, of several those that are new.
    /// Says how many were added.
    pub fn confirm(&self, issuer: &str, account: &str) -> Result<usize, ChangeError> {
        let mut specs: Vec<TokenSpec> = match self.found.borrow().as_slice() {
            [one] => vec![one.parsed.spec.clone()],
            many => many.iter().filter(|found| !found.already_there).map(|found| found.parsed.spec.clone()).collect(),
        };
        if self.found.borrow().len() == 1
            && let Some(spec) = specs.first_mut()
        {
            spec.issuer = issuer.trim().to_owned();
            spec.account = account.trim().to_owned();
        }
        let count = specs.len();
        let now = self.services.clock.now();
        let mut random = (self.services.random)();
        self.door.edit(&self.services, move |content| {
            for spec in specs {
                let mut bytes = [0; 16];
                random.fill_bytes(&mut bytes);
                content.add(TokenId::from_random(bytes), spec, now);
            }
            Ok::<_, NoSuchToken>(())
        })?;
        self.forget();
        Ok(count)
    }

    /// Forgets what was found and read.
    pub fn forget(&self) {
        self.found.borrow_mut().clear();
        *self.intake.borrow_mut() = Intake::default();
    }

    fn judge(&self, intake: &Intake) -> Result<(), FileProblem> {
        if intake.tokens.is_empty() {
            return Err(intake.problems.last().map_or(FileProblem::NoToken, FileProblem::from));
        }
        self.preview(intake.tokens.clone());
        match intake.incomplete.first() {
            Some(progress) => Err(FileProblem::PartsMissing(progress.have, progress.of)),
            None => Ok(()),
        }
    }
}

impl Checked {
    fn kind(&mut self, form: &Form) -> Option<Kind> {
        let pin = || (!form.pin.is_empty()).then(|| form.pin.clone());
        match form.kind {
            KindName::Steam => return Some(Kind::Steam),
            KindName::Motp => return Some(Kind::Motp { pin: pin() }),
            KindName::Yandex => return Some(Kind::Yandex { pin: pin() }),
            KindName::Totp | KindName::Hotp => {}
        }
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let digits = number(&form.digits).and_then(|n| Digits::new(n).ok());
        self.digits_wrong = digits.is_none();
        if form.kind == KindName::Hotp {
            let counter = number(&form.counter);
            self.counter_wrong = counter.is_none();
            return Some(Kind::Hotp { algorithm: form.algorithm, digits: digits?, counter: counter? });
        }
        let period = number(&form.period).and_then(|n| Period::new(n).ok());
        self.period_wrong = period.is_none();
        Some(Kind::Totp { algorithm: form.algorithm, digits: digits?, period: period? })
    }
}

impl From<&Problem> for FileProblem {
    fn from(problem: &Problem) -> Self {
        match &problem.cause {
            Cause::NoCode => Self::NoCode,
            Cause::Known(KnownThing::WebAddress) => Self::WebAddress,
            Cause::Known(KnownThing::Backup) => Self::Backup,
            Cause::Uri(_) | Cause::Migration(_) | Cause::Entry(_) | Cause::Unclear => Self::BadLink,
            Cause::Picture(PictureError::UnknownFormat) | Cause::NotText | Cause::NoLink => Self::NotAPicture,
            Cause::Picture(PictureError::TooLarge { .. }) | Cause::TooLong { .. } => Self::TooLarge,
            Cause::Picture(_) => Self::Damaged,
            _ => Self::NoToken,
        }
    }
}

fn has(content: &Content, spec: &TokenSpec) -> bool {
    content.tokens().iter().any(|token| token.spec.same_codes(spec))
}

fn read_limited(path: &std::path::Path) -> Result<Vec<u8>, FileProblem> {
    let file = File::open(path).map_err(|_| FileProblem::CannotOpen)?;
    let mut bytes = Vec::new();
    // One more than allowed tells a file of exactly that size from a longer one, and no endless device is followed.
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|_| FileProblem::CannotOpen)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(FileProblem::TooLarge) } else { Ok(bytes) }
}
