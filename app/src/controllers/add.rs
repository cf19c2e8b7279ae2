//! Adding: from pictures, the camera, the clipboard or by hand, and always by way of a first code that is looked at.

use std::{
    cell::{Cell, Ref, RefCell},
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    io::ErrorKind,
    path::{Path, PathBuf},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use countersign_core::{
    intake::Intake,
    qr::{Luma, Payload},
    secret::SecretText,
    token::{GroupId, Kind, KindName, TokenId, TokenSpec},
    uri::{Parsed, enroll},
    vault::content::{Change, NoSuchToken},
};
use rand_core::Rng as _;

use super::{
    ChangeError, Door, Services,
    form::{Checked, Form, check},
    moving::import::is_export,
};
use crate::{
    files,
    platform::{PlatformError, Support},
};

pub use super::problem::AddProblem;

/// The largest file that is read in search of a token, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A token that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The token.
    pub parsed: Parsed,
    /// A token with the same codes is in the vault.
    pub already_there: bool,
    /// One before it in what was found makes the same codes.
    pub repeated: bool,
    /// It will be added.
    pub chosen: bool,
}

/// A group that new tokens can go to. One without an identifier is made when they are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupChoice {
    id: Option<GroupId>,
    /// Its name.
    pub name: String,
    /// Whether new tokens go there.
    pub chosen: bool,
}

/// What is on the clipboard.
pub enum Pasted {
    /// A text, which was taken: tokens or what it is instead.
    Text(Result<(), AddProblem>),
    /// A picture, which has to be searched.
    Picture(Luma),
    /// The path of a file.
    File(PathBuf),
    /// What another app wrote: something to be imported with its ledger.
    Export(String),
}

/// The pages of adding.
pub struct AddController {
    services: Rc<Services>,
    door: Rc<Door>,
    found: RefCell<Vec<Found>>,
    groups: RefCell<Vec<GroupChoice>>,
    intake: RefCell<Intake>,
    /// Files that gave nothing while others did.
    failed: Cell<usize>,
    /// What the screen showed.
    screen: RefCell<Option<Luma>>,
    /// Counts what was begun anew, so that what was read before is dropped.
    round: Cell<u64>,
}

impl AddController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self {
            services,
            door,
            found: RefCell::default(),
            groups: RefCell::default(),
            intake: RefCell::default(),
            failed: Cell::new(0),
            screen: RefCell::default(),
            round: Cell::new(0),
        }
    }

    /// Whether cameras can be asked for.
    pub fn can_scan(&self) -> bool {
        self.services.platform.camera.support() == Support::Supported
    }

    /// Shows the dialog for pictures. `done` is called with the files, none where the user thought better of it.
    pub fn choose_pictures(&self, title: String, done: impl FnOnce(Result<Vec<PathBuf>, AddProblem>) + 'static) {
        let picker = self.services.platform.picker.clone();
        self.services
            .tasks
            .run(move || picker.pick_pictures(&title), move |picked| done(picked.map_err(|_| AddProblem::NoDialog)));
    }

    /// Reads files; `done` is called here with what is wrong, or with nothing where tokens were found.
    pub fn read_files(self: &Rc<Self>, paths: Vec<PathBuf>, done: impl FnOnce(Result<(), AddProblem>) + 'static) {
        self.take_in(
            move |intake| {
                let mut unread = Vec::new();
                for path in &paths {
                    match read(path) {
                        Ok(bytes) if is_export(&bytes) => unread.push(AddProblem::Export),
                        Ok(bytes) => intake.take_bytes(&bytes),
                        Err(problem) => unread.push(problem),
                    }
                }
                unread
            },
            done,
        );
    }

    /// Whether the screen can be looked at.
    pub fn can_see_screen(&self) -> bool {
        self.services.platform.screen.support() == Support::Supported
    }

    /// Looks for codes on the screen; `done` is called here, as for files. What the screen showed stays at hand.
    pub fn look_at_screen(self: &Rc<Self>, done: impl FnOnce(Result<(), AddProblem>) + 'static) {
        let screen = self.services.platform.screen.clone();
        let seen: Arc<Mutex<Option<Luma>>> = Arc::default();
        let (this, keeps) = (self.clone(), seen.clone());
        *self.screen.borrow_mut() = None;
        self.take_in(
            move |intake| match screen.capture() {
                Ok(Some(picture)) => {
                    intake.take_picture(&picture);
                    *keeps.lock().unwrap_or_else(PoisonError::into_inner) = Some(picture);
                    Vec::new()
                }
                Ok(None) => vec![AddProblem::ThoughtBetter],
                Err(_) => vec![AddProblem::ScreenRefused],
            },
            move |result| {
                *this.screen.borrow_mut() = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
                done(result);
            },
        );
    }

    /// What the screen showed at the last look.
    pub fn seen_on_screen(&self) -> Option<Ref<'_, Luma>> {
        Ref::filter_map(self.screen.borrow(), Option::as_ref).ok()
    }

    /// Looks for codes in a part of it; all four are shares of its width and height, from 0 to 1.
    pub fn look_at_part(
        self: &Rc<Self>,
        [left, top, width, height]: [f32; 4],
        done: impl FnOnce(Result<(), AddProblem>) + 'static,
    ) {
        let part = self.seen_on_screen().and_then(|picture| part_of(&picture, [left, top, width, height]));
        match part {
            Some(part) => self.read_picture(part, done),
            None => done(Err(AddProblem::NoCode)),
        }
    }

    /// Searches a picture; `done` is called here, as for files.
    pub fn read_picture(self: &Rc<Self>, picture: Luma, done: impl FnOnce(Result<(), AddProblem>) + 'static) {
        self.take_in(
            move |intake| {
                intake.take_picture(&picture);
                Vec::new()
            },
            done,
        );
    }

    /// Takes a text for what is to be added.
    pub fn take_text(&self, text: &str) -> Result<(), AddProblem> {
        self.start_reading();
        let mut intake = self.intake.borrow_mut();
        intake.take_text(text);
        self.judge(&intake, &[])
    }

    /// Takes what is on the clipboard.
    ///
    /// # Errors
    ///
    /// Where there is nothing, or the clipboard does not hand it over.
    pub fn paste(&self) -> Result<Pasted, AddProblem> {
        let clipboard = &self.services.platform.clipboard;
        let text = clipboard.text();
        if let Err(PlatformError::Unsupported) = text {
            return Err(AddProblem::ClipboardMissing);
        }
        // A program may offer one thing as both; the text is exact where it is understood.
        let given = text.as_ref().ok().and_then(Option::as_deref).map(str::trim).filter(|text| !text.is_empty());
        let read = given.map(|text| {
            if let Some(path) = path_in(text) {
                return Pasted::File(path);
            }
            if is_export(text.as_bytes()) {
                return Pasted::Export(text.to_owned());
            }
            Pasted::Text(self.take_text(text))
        });
        if let Some(Pasted::Text(Ok(()) | Err(AddProblem::PartsMissing(..))) | Pasted::File(_) | Pasted::Export(_)) =
            &read
        {
            return Ok(read.unwrap_or(Pasted::Text(Ok(()))));
        }
        match (clipboard.image(), read) {
            (Ok(Some(picture)), _) => Ok(Pasted::Picture(picture)),
            (_, Some(read)) => Ok(read),
            (Ok(None), None) if text.is_ok() => Err(AddProblem::ClipboardEmpty),
            _ => Err(AddProblem::ClipboardRefused),
        }
    }

    /// The text on the clipboard where it may be a secret.
    pub fn pasted_secret(&self) -> Option<SecretText> {
        self.services.platform.clipboard.text().ok().flatten().map(|text| SecretText::new(text.trim().to_owned()))
    }

    /// Takes what codes before the camera held. `None` where that says nothing new.
    pub fn scanned(&self, payloads: &[Payload]) -> Option<Result<(), AddProblem>> {
        let mut intake = self.intake.borrow_mut();
        let before = (intake.tokens.len(), intake.incomplete.clone());
        intake.take_payloads(payloads);
        // The camera sees a code again and again, and what it passed by on its way is no part of what was found.
        intake.repeated = 0;
        let problem = intake.problems.last().map(AddProblem::from);
        intake.problems.clear();
        if (intake.tokens.len(), intake.incomplete.clone()) == before {
            return problem.map(Err);
        }
        Some(self.judge(&intake, &[]))
    }

    /// Parts of a Google export that are there, and all of them.
    pub fn parts(&self) -> Option<(u32, u32)> {
        self.intake.borrow().incomplete.first().map(|progress| (progress.have, progress.of))
    }

    /// Takes tokens to the preview.
    pub fn preview(&self, tokens: Vec<Parsed>) {
        let content = self.door.content();
        let hasher = RandomState::new();
        let key = |spec: &TokenSpec| hasher.hash_one(spec.secret.bytes().expose());
        let mut there: HashMap<u64, Vec<&TokenSpec>> = HashMap::new();
        for token in content.iter().flat_map(|content| content.tokens()) {
            there.entry(key(&token.spec)).or_default().push(&token.spec);
        }
        let mut before: HashMap<u64, Vec<usize>> = HashMap::new();
        let mut found: Vec<Found> = Vec::with_capacity(tokens.len());
        for parsed in tokens {
            let key = key(&parsed.spec);
            let already_there = there.get(&key).is_some_and(|specs| specs.iter().any(|s| s.same_codes(&parsed.spec)));
            let same = before.entry(key).or_default();
            let repeated = same.iter().any(|&at| found[at].parsed.spec.same_codes(&parsed.spec));
            same.push(found.len());
            found.push(Found { parsed, already_there, repeated, chosen: !already_there && !repeated });
        }
        if let [one] = found.as_mut_slice() {
            one.chosen = true;
        }
        *self.found.borrow_mut() = found;
        drop(content);
        self.offer_groups();
    }

    /// What is in the preview.
    pub fn found(&self) -> Ref<'_, Vec<Found>> {
        self.found.borrow()
    }

    /// Whether a token with the same codes is in the vault.
    pub fn is_there(&self, spec: &TokenSpec) -> bool {
        self.door.content().is_some_and(|content| content.tokens().iter().any(|token| token.spec.same_codes(spec)))
    }

    /// Leaves one of several out, or takes it in again.
    pub fn toggle_found(&self, at: usize) {
        if let Some(found) = self.found.borrow_mut().get_mut(at) {
            found.chosen = !found.chosen;
        }
    }

    /// Changes how the codes of the single token are made; on an error it stays as it was.
    pub fn change_kind(&self, mut form: Form) -> Checked {
        let mut found = self.found.borrow_mut();
        let [one] = found.as_mut_slice() else { return Checked::default() };
        let spec = &mut one.parsed.spec;
        form.secret = if form.kind == KindName::Motp { spec.secret.hex() } else { spec.secret.base32() };
        let checked = check(&form);
        if let [parsed] = checked.tokens.as_slice() {
            let kept = spec.kind.pin().cloned();
            spec.kind = match parsed.spec.kind.clone() {
                Kind::Motp { pin } => Kind::Motp { pin: pin.or(kept) },
                Kind::Yandex { pin } => Kind::Yandex { pin: pin.or(kept) },
                kind => kind,
            };
            let spec = spec.clone();
            one.already_there = self.is_there(&spec);
        }
        checked
    }

    /// How many entries and files of what was read are no tokens.
    pub fn unreadable(&self) -> usize {
        self.intake.borrow().problems.len() + self.failed.get()
    }

    /// The enrollment link that was read, as the app's own link.
    pub fn enrollment(&self) -> Option<SecretText> {
        self.intake.borrow().enrollment.as_ref().map(enroll::write)
    }

    /// How many links and codes of what was read were there once more.
    pub fn repeated(&self) -> usize {
        self.intake.borrow().repeated
    }

    /// The groups that new tokens can go to.
    pub fn groups(&self) -> Ref<'_, Vec<GroupChoice>> {
        self.groups.borrow()
    }

    /// Chooses a group, or no longer.
    pub fn toggle_group(&self, at: usize) {
        if let Some(group) = self.groups.borrow_mut().get_mut(at) {
            group.chosen = !group.chosen;
        }
    }

    /// Offers a group of that name and chooses it. It is made when tokens are added.
    pub fn add_group(&self, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        let mut groups = self.groups.borrow_mut();
        let folded = countersign_core::matching::fold(name);
        match groups.iter_mut().find(|group| countersign_core::matching::fold(&group.name) == folded) {
            Some(group) => group.chosen = true,
            None => groups.push(GroupChoice { id: None, name: name.to_owned(), chosen: true }),
        }
    }

    /// The groups of the vault, none of them chosen.
    pub fn offer_groups(&self) {
        let content = self.door.content();
        let mut groups = self.groups.borrow_mut();
        let kept: Vec<GroupChoice> = groups.iter().filter(|group| group.chosen).cloned().collect();
        *groups = content
            .iter()
            .flat_map(|content| content.groups())
            .map(|group| GroupChoice { id: Some(group.id), name: group.name.clone(), chosen: false })
            .collect();
        // What was chosen on the page before stays chosen.
        for group in kept {
            match groups.iter_mut().find(|offered| offered.id == group.id && offered.name == group.name) {
                Some(offered) => offered.chosen = true,
                None if group.id.is_none() => groups.push(group),
                None => {}
            }
        }
    }

    /// Adds what is chosen in the preview, in one save: a single token under the names given. Says how many were added.
    pub fn confirm(&self, issuer: &str, account: &str) -> Result<usize, ChangeError> {
        let mut specs: Vec<TokenSpec> =
            self.found.borrow().iter().filter(|found| found.chosen).map(|found| found.parsed.spec.clone()).collect();
        if self.found.borrow().len() == 1
            && let Some(spec) = specs.first_mut()
        {
            issuer.trim().clone_into(&mut spec.issuer);
            account.trim().clone_into(&mut spec.account);
        }
        let count = specs.len();
        let now = self.services.clock.now();
        let mut random = (self.services.random)();
        let mut bytes = move || {
            let mut bytes = [0; 16];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let chosen: Vec<GroupChoice> = self.groups.borrow().iter().filter(|group| group.chosen).cloned().collect();
        self.door.edit(&self.services, move |content| {
            let groups: Vec<GroupId> = chosen
                .into_iter()
                .map(|group| group.id.unwrap_or_else(|| content.group(GroupId::from_random(bytes()), &group.name)))
                .collect();
            for spec in specs {
                let id = content.add(TokenId::from_random(bytes()), spec, now);
                if !groups.is_empty() {
                    content.change(id, Change { groups: Some(groups.clone()), ..Change::default() }, now)?;
                }
            }
            Ok::<_, NoSuchToken>(())
        })?;
        self.forget();
        Ok(count)
    }

    /// Forgets what was found and read; what is still being read is dropped when it comes.
    pub fn forget(&self) {
        self.round.set(self.round.get() + 1);
        self.found.borrow_mut().clear();
        self.groups.borrow_mut().clear();
        self.failed.set(0);
        *self.screen.borrow_mut() = None;
        *self.intake.borrow_mut() = Intake::default();
    }

    /// Reads elsewhere. Parts of an export that came before stay, what else was wrong with them does not.
    fn take_in(
        self: &Rc<Self>,
        read: impl FnOnce(&mut Intake) -> Vec<AddProblem> + Send + 'static,
        done: impl FnOnce(Result<(), AddProblem>) + 'static,
    ) {
        self.start_reading();
        let mut intake = std::mem::take(&mut *self.intake.borrow_mut());
        let (this, round) = (self.clone(), self.round.get());
        self.services.tasks.run(
            move || {
                let unread = read(&mut intake);
                (intake, unread)
            },
            move |(intake, unread)| {
                if this.round.get() != round {
                    return;
                }
                let result = this.judge(&intake, &unread);
                *this.intake.borrow_mut() = intake;
                done(result);
            },
        );
    }

    /// Only the parts of an export that is not complete stay from what was read before.
    fn start_reading(&self) {
        let mut intake = self.intake.borrow_mut();
        if intake.incomplete.is_empty() {
            *intake = Intake::default();
        }
        intake.problems.clear();
        intake.enrollment = None;
        intake.repeated = 0;
        self.failed.set(0);
    }

    fn judge(&self, intake: &Intake, unread: &[AddProblem]) -> Result<(), AddProblem> {
        if intake.tokens.is_empty() {
            let last = intake.problems.last().map(AddProblem::from).or(unread.first().copied());
            return Err(last.unwrap_or(AddProblem::NoToken));
        }
        self.failed.set(unread.len());
        self.preview(intake.tokens.clone());
        match intake.incomplete.first() {
            Some(progress) => Err(AddProblem::PartsMissing(progress.have, progress.of)),
            None => Ok(()),
        }
    }
}

/// A part of a picture; nothing where it has no pixels.
fn part_of(picture: &Luma, [left, top, width, height]: [f32; 4]) -> Option<Luma> {
    let place = |share: f32, of: u32| (f64::from(share.clamp(0.0, 1.0)) * f64::from(of)).round() as u32;
    let (left, right) = (place(left, picture.width()), place(left + width, picture.width()));
    let (top, bottom) = (place(top, picture.height()), place(top + height, picture.height()));
    let rows = picture.pixels().chunks_exact(picture.width() as usize).take(bottom as usize).skip(top as usize);
    let pixels: Vec<u8> = rows.flat_map(|row| &row[left as usize..right as usize]).copied().collect();
    Luma::new(right - left, bottom - top, pixels).ok().filter(|part| !part.pixels().is_empty())
}

/// The file that a text names, where it is there: file managers copy a path or a file address.
fn path_in(text: &str) -> Option<PathBuf> {
    let path = text.strip_prefix("file://").unwrap_or(text);
    let is_path = path.starts_with('/') || path.get(1..3) == Some(":\\");
    (is_path && !text.contains('\n')).then(|| PathBuf::from(path)).filter(|path| path.is_file())
}

fn read(path: &Path) -> Result<Vec<u8>, AddProblem> {
    files::read_limited(path, MAX_FILE_BYTES).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => AddProblem::TooLarge,
        _ => AddProblem::CannotOpen,
    })
}
