//! Backups that are made by themselves: copies of the vault file in a folder, each read back, opened and counted.
//!
//! A copy needs no password of its own, which nobody would know any more on the day it is needed: it opens with the
//! vault's password or its recovery key. core/docs/backup.md says more.

use std::{
    cell::{Cell, RefCell},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use countersign_core::vault::{
    Content, CopyKey,
    session::OpenError,
    store::{FileStore, MAX_FILE_BYTES, Part, Store as _},
};

use super::{
    FileTrouble,
    reminder::{self, Mark, ReminderController},
    rotation::Owner,
};
use crate::{
    controllers::{Door, Services},
    files::{self, ReplaceError},
    platform::{Ask, files::Files},
};

/// The shortest time between two copies, in seconds; locking and quitting do not wait for it.
pub const INTERVAL: u64 = 5 * 60;
/// How long the vault has been left alone before it is copied.
const QUIET: u64 = 10;
/// How old a copy may get where only counters moved.
const DAY: u64 = 24 * 60 * 60;

/// A copy that was read back, opened and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// When it was made, in Unix seconds.
    pub at: u64,
    /// Tokens in it.
    pub tokens: usize,
    /// Its file.
    pub path: PathBuf,
    state: State,
    marks: Vec<Mark>,
}

/// What tells one state of a vault from another, as far as a copy is worth making.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    tokens: u64,
    counters: u64,
}

impl State {
    fn of(content: &Content) -> Self {
        let mix = |state: u64, value: u64| (state.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let text = |text: &str| text.bytes().fold(0, |state, byte| mix(state, u64::from(byte)));
        let tokens = content.tokens().iter().map(reminder::mark);
        let trash = content.trash().iter().map(|trashed| reminder::mark(&trashed.token) ^ 1);
        let groups = content.groups().iter().map(|group| text(&group.name));
        let counters = content.tokens().iter().filter_map(|token| token.spec.kind.counter());
        Self { tokens: tokens.chain(trash).chain(groups).fold(0, mix), counters: counters.fold(0, mix) }
    }
}

/// What the page of automatic backups shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Automatic {
    /// Where they go; `None` where none are made.
    pub folder: Option<PathBuf>,
    /// How many are kept.
    pub kept: u32,
    /// When the newest one was made that is known to be good, and how many tokens are in it.
    pub last: Option<(u64, usize)>,
    /// Why the last try made none.
    pub problem: Option<FileTrouble>,
    /// One is being made.
    pub running: bool,
    /// The folder is the vault's own.
    pub beside_vault: bool,
}

/// Makes them.
pub struct AutomaticController {
    services: Rc<Services>,
    door: Rc<Door>,
    reminder: Rc<ReminderController>,
    last: RefCell<Option<Last>>,
    problem: Cell<Option<FileTrouble>>,
    /// The problem that was told already.
    told: Cell<Option<FileTrouble>>,
    running: Cell<bool>,
    tried_at: Cell<Option<u64>>,
    /// The state that was seen last, since when, and at which count of changes.
    seen: Cell<(State, u64, u64)>,
}

impl AutomaticController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>, reminder: Rc<ReminderController>) -> Self {
        Self {
            services,
            door,
            reminder,
            last: RefCell::default(),
            problem: Cell::default(),
            told: Cell::default(),
            running: Cell::default(),
            tried_at: Cell::default(),
            seen: Cell::default(),
        }
    }

    /// What to show.
    pub fn automatic(&self) -> Automatic {
        let (folder, kept) = self.services.settings.with(|s| (s.backup_folder.clone(), s.backups_kept));
        let beside_vault = folder
            .as_deref()
            .is_some_and(|folder| self.door.path().parent().is_some_and(|own| files::same(own, folder)));
        let last = self.last.borrow().as_ref().map(|last| (last.at, last.tokens));
        let (problem, running) = (self.problem.get(), self.running.get());
        Automatic { folder, kept, last, problem, running, beside_vault }
    }

    /// A problem that was not told yet.
    pub fn untold(&self) -> Option<FileTrouble> {
        let problem = self.problem.get();
        if self.told.replace(problem) == problem { None } else { problem }
    }

    /// Asks for a folder under that title; `None` where the user thought better of it, an error where there is no
    /// dialog.
    pub fn choose(&self, title: String, done: impl FnOnce(Option<Result<PathBuf, ()>>) + 'static) {
        let picker = self.services.platform.picker.clone();
        self.services.tasks.run(move || picker.pick(&Ask::Folder, &title).chosen(()), done);
    }

    /// Makes backups into that folder from now on, or none.
    pub fn set_folder(&self, folder: Option<PathBuf>) {
        let random = self.services.random;
        let changed = self.services.settings.change(|settings| {
            settings.backup_folder = folder;
            if settings.backup_tag.is_none() {
                settings.backup_tag = Some(format!("{:08x}", rand_core::Rng::next_u32(&mut *random())));
            }
        });
        // Where it cannot be saved it holds until the program ends, as every setting does.
        let _ = changed;
        self.forget();
    }

    /// Keeps so many from now on.
    pub fn set_kept(&self, kept: u32) {
        let _ = self.services.settings.change(|settings| settings.backups_kept = kept.max(1));
    }

    /// The vault was opened: looks at the newest copy, so that what is shown of it is true today.
    pub fn opened(self: &Rc<Self>, done: impl FnOnce() + 'static) {
        let Some(job) = self.job() else { return };
        self.running.set(true);
        let this = self.clone();
        self.services.tasks.run(
            move || job.look(),
            move |result| {
                this.running.set(false);
                match result {
                    Ok(last) => {
                        this.problem.set(None);
                        this.found(last);
                    }
                    Err(problem) => this.problem.set(Some(problem)),
                }
                done();
            },
        );
    }

    /// A second went by: makes one where it is time. Says whether it began.
    pub fn tick(self: &Rc<Self>, done: impl FnOnce() + 'static) -> bool {
        let now = self.services.clock.now();
        if self.running.get() || !self.look_for_change(now) {
            return false;
        }
        let (_, since, _) = self.seen.get();
        // A clock that was set back makes one too early rather than none.
        let over = |from: u64, seconds: u64| now.checked_sub(from).is_none_or(|past| past >= seconds);
        let counters_only =
            self.last.borrow().as_ref().filter(|last| last.state.tokens == self.seen.get().0.tokens).map(|l| l.at);
        let due = over(since, QUIET)
            && self.tried_at.get().is_none_or(|tried| over(tried, INTERVAL))
            && counters_only.is_none_or(|at| over(at, DAY));
        due && self.make(done)
    }

    /// Makes one now. Says whether it began.
    pub fn make(self: &Rc<Self>, done: impl FnOnce() + 'static) -> bool {
        if self.running.get() {
            return false;
        }
        let Some(job) = self.job() else { return false };
        self.running.set(true);
        self.tried_at.set(Some(self.services.clock.now()));
        let this = self.clone();
        self.services.tasks.run(
            move || job.make(),
            move |result| {
                this.running.set(false);
                this.finished(result);
                done();
            },
        );
        true
    }

    /// The vault is about to be locked: makes one where there is something new. Nobody waits for it.
    pub fn before_lock(&self) {
        if self.running.get() || !self.look_for_change(self.services.clock.now()) {
            return;
        }
        if let Some(job) = self.job() {
            self.services.tasks.run(move || job.make(), |_| {});
        }
    }

    /// The program is about to end: makes one where there is something new, and returns when it is there.
    pub fn before_quit(&self) {
        if self.look_for_change(self.services.clock.now())
            && let Some(job) = self.job()
        {
            // Nobody is left to be told; the next start looks at the folder and says what it finds.
            let _ = job.make();
        }
    }

    /// The vault is closed, or another folder is used.
    pub fn forget(&self) {
        *self.last.borrow_mut() = None;
        self.problem.set(None);
        self.told.set(None);
        self.running.set(false);
        self.tried_at.set(None);
        self.seen.set(Default::default());
        self.reminder.remember_automatic(&[]);
    }

    /// Whether the vault holds something that the last copy does not.
    fn look_for_change(&self, now: u64) -> bool {
        if self.services.settings.with(|settings| settings.backup_folder.is_none()) {
            return false;
        }
        let Some(content) = self.door.content() else { return false };
        let (seen, _, changes) = self.seen.get();
        if changes != self.door.changes() {
            let state = State::of(&content);
            let since = if state == seen { self.seen.get().1 } else { now };
            self.seen.set((state, since, self.door.changes()));
        }
        let state = self.seen.get().0;
        self.last.borrow().as_ref().is_none_or(|last| last.state != state)
    }

    fn found(&self, last: Option<Last>) {
        if let Some(last) = &last {
            self.reminder.remember_automatic(&last.marks);
        }
        *self.last.borrow_mut() = last;
    }

    fn finished(&self, result: Result<Last, FileTrouble>) {
        match result {
            Ok(last) => {
                self.problem.set(None);
                self.told.set(None);
                self.found(Some(last));
            }
            Err(problem) => self.problem.set(Some(problem)),
        }
    }

    fn job(&self) -> Option<Job> {
        let key = self.door.copy_key()?;
        let (folder, kept, tag) =
            self.services.settings.with(|s| (s.backup_folder.clone(), s.backups_kept, s.backup_tag.clone()));
        Some(Job {
            owner: Owner::new(&key.vault_id().to_string(), &tag?),
            vault: self.door.path(),
            folder: folder?,
            kept: usize::try_from(kept).unwrap_or(usize::MAX),
            key,
            now: self.services.clock.now(),
            files: self.services.platform.files.clone(),
        })
    }
}

/// The work on another thread.
struct Job {
    vault: PathBuf,
    folder: PathBuf,
    owner: Owner,
    kept: usize,
    key: CopyKey,
    now: u64,
    files: Arc<dyn Files>,
}

impl Job {
    /// Copies the vault file, opens what is on the disk, counts, and only then lets the oldest go.
    fn make(&self) -> Result<Last, FileTrouble> {
        let names = self.files.names(&self.folder).map_err(|error| FileTrouble::from(&error))?;
        let bytes = FileStore::new(&self.vault).read(Part::Current).ok().flatten().ok_or(FileTrouble::Other)?;
        let (info, meant) = self.key.open(&bytes).map_err(|_| FileTrouble::Other)?;
        let name = self.owner.name(info.generation, self.now);
        let path = self.folder.join(&name);
        let mut opens = |written: &[u8]| self.key.open(written).is_ok_and(|(_, content)| content == meant);
        self.files.replace(&path, &bytes, &mut opens).map_err(|error| match error {
            ReplaceError::Io(error) => FileTrouble::from(&error),
            ReplaceError::Check(()) => FileTrouble::Unsound,
        })?;
        for outdated in self.owner.outdated(&names, &name, self.kept) {
            // One that stays takes room and does no harm; the next time it is tried again.
            let _ = self.files.remove(&self.folder.join(outdated));
        }
        Ok(self.last(self.now, path, &meant))
    }

    /// The newest copy that opens with the vault as it is now.
    fn look(&self) -> Result<Option<Last>, FileTrouble> {
        let names = self.files.names(&self.folder).map_err(|error| FileTrouble::from(&error))?;
        for named in self.owner.ours(&names) {
            let path = self.folder.join(&named.name);
            match self.files.read(&path, MAX_FILE_BYTES).map(|bytes| self.key.open(&bytes)) {
                Ok(Ok((_, content))) => return Ok(Some(self.last(named.made_at().unwrap_or(0), path, &content))),
                // Made before the password changed: it does its service with the old one, and a new one is due.
                Ok(Err(OpenError::WrongKey)) => return Ok(None),
                // Damaged since: an earlier one may be good.
                _ => {}
            }
        }
        Ok(None)
    }

    fn last(&self, at: u64, path: PathBuf, content: &Content) -> Last {
        Last { at, tokens: content.tokens().len(), path, state: State::of(content), marks: reminder::marks(content) }
    }
}

/// A folder as it was typed, with what a file manager may have put around it.
pub fn typed_path(typed: &str) -> Option<PathBuf> {
    let path = typed.trim().trim_matches(['"', '\'']);
    let path = path.strip_prefix("file://").unwrap_or(path);
    (!path.is_empty()).then(|| Path::new(path).to_owned())
}
