//! A backup comes back in: found in whatever was copied, opened, compared, and only then added.

use std::{
    cell::{Ref, RefCell},
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};

use countersign_core::{
    backup::{self, ReadError, Sealed},
    secret::{Password, SecretText},
    vault::{
        self, Content,
        content::{Import, NoSuchToken},
        ledger::Ledger,
        session::{Key, OpenError},
        store::MAX_FILE_BYTES,
    },
};
use zeroize::Zeroizing;

use super::{Latest, reminder};
use crate::{
    backup_text,
    controllers::{ChangeError, Door, Services},
    platform::{Ask, files::Files},
};

/// Why there is no backup to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadProblem {
    /// Neither a backup text nor a copy of a vault is in it.
    NotFound,
    /// The end is missing.
    CutOff {
        /// Characters that it says it has.
        expected: usize,
        /// Characters that are there.
        found: usize,
    },
    /// It is not as it was written.
    Damaged,
    /// A newer program wrote it.
    Newer,
    /// The clipboard is empty, or holds a picture.
    ClipboardEmpty,
    /// The clipboard could not be read.
    Clipboard,
    /// There is no such file, or it may not be read.
    CannotOpen,
    /// The file is larger than any backup.
    TooLarge,
    /// There is no dialog for choosing a file.
    NoDialog,
    /// The user thought better of choosing one.
    ThoughtBetter,
}

/// Why a backup did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenProblem {
    /// The password is another one.
    WrongPassword,
    /// The recovery key is mistyped: its check characters do not agree.
    Mistyped,
    /// The recovery key is another vault's.
    WrongRecoveryKey,
    /// A newer program wrote what is in it, or a broken one.
    Unreadable,
    /// It asks for more memory than the system gives, or for more work than any backup of ours.
    Memory,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// A copy of a vault, as automatic backups are; else a backup text.
    pub is_copy: bool,
    /// When it was written, in Unix seconds, where it says so.
    pub written_at: Option<u64>,
}

enum Source {
    Text(Sealed),
    Copy(Vec<u8>),
}

/// What opens a backup.
pub enum Opener {
    /// Its password.
    Password(Password),
    /// The recovery key of the vault that it is a copy of.
    Recovery(SecretText),
}

/// What the import of a backup is called among the imports.
const BACKUP: &str = "backup";

/// A backup that was opened, and what it would change.
pub struct Opened {
    /// What it holds.
    pub source: Content,
    /// What becomes of each token.
    pub ledger: Ledger,
    /// What the import is called.
    name: &'static str,
}

/// A backup on its way in.
pub struct RestoreController {
    services: Rc<Services>,
    door: Rc<Door>,
    source: RefCell<Option<Arc<Source>>>,
    opened: RefCell<Option<Opened>>,
    work: Latest,
}

impl RestoreController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, source: RefCell::default(), opened: RefCell::default(), work: Latest::default() }
    }

    /// Asks for a file under that title, and looks for a backup in it.
    pub fn choose(self: &Rc<Self>, title: String, done: impl FnOnce(Result<Found, ReadProblem>) + 'static) {
        let picker = self.services.platform.picker.clone();
        let disk = self.services.platform.files.clone();
        self.read(
            move || {
                let chosen = picker.pick(&Ask::File, &title).chosen(ReadProblem::NoDialog);
                find(&read(&*disk, &chosen.unwrap_or(Err(ReadProblem::ThoughtBetter))?)?)
            },
            done,
        );
    }

    /// Looks for a backup in what the clipboard holds.
    pub fn paste(self: &Rc<Self>, done: impl FnOnce(Result<Found, ReadProblem>) + 'static) {
        match self.services.platform.clipboard.text() {
            Ok(Some(text)) if !text.trim().is_empty() => self.read_text(SecretText::new(text), done),
            Ok(_) => done(Err(ReadProblem::ClipboardEmpty)),
            Err(_) => done(Err(ReadProblem::Clipboard)),
        }
    }

    /// Looks for a backup in a text.
    pub fn read_text(self: &Rc<Self>, text: SecretText, done: impl FnOnce(Result<Found, ReadProblem>) + 'static) {
        self.read(move || find(text.expose().as_bytes()), done);
    }

    /// Looks for a backup in a file: a text, a whole mail, or a copy of a vault.
    pub fn read_file(self: &Rc<Self>, path: PathBuf, done: impl FnOnce(Result<Found, ReadProblem>) + 'static) {
        let disk = self.services.platform.files.clone();
        self.read(move || find(&read(&*disk, &path)?), done);
    }

    /// Opens what was found; `done` is called here when the key was worked out and the ledger is there.
    pub fn open(self: &Rc<Self>, opener: Opener, done: impl FnOnce(Result<(), OpenProblem>) + 'static) {
        let Some(source) = self.source.borrow().clone() else { return };
        let cancel = self.work.begin();
        let this = self.clone();
        self.services.tasks.run(
            move || open(&source, opener),
            move |result| {
                if cancel.is_cancelled() {
                    return;
                }
                done(result.map(|content| this.take(content, BACKUP)));
            },
        );
    }

    /// Takes content that is open already, and compares it; `name` is what the import is called.
    pub fn take(&self, source: Content, name: &'static str) {
        let ledger = self.door.content().map(|vault| vault.compare(&source)).unwrap_or_default();
        *self.opened.borrow_mut() = Some(Opened { source, ledger, name });
    }

    /// What was opened.
    pub fn opened(&self) -> Option<Ref<'_, Opened>> {
        Ref::filter_map(self.opened.borrow(), Option::as_ref).ok()
    }

    /// What the vault holds, while it is open.
    pub fn vault(&self) -> Option<Ref<'_, Content>> {
        self.door.content()
    }

    /// Adds what the ledger says, as one import. Says how many tokens came, and which import that is.
    pub fn add(&self) -> Result<(usize, Option<Import>), ChangeError> {
        let opened = self.opened.borrow();
        let Opened { source, name, .. } = opened.as_ref().ok_or(ChangeError::Locked)?;
        let (random, now) = (self.services.random, self.services.clock.now());
        self.door.edit(&self.services, |content| {
            let ledger = content.merge(source, name, &mut *random(), now);
            // What came out of a backup is in one.
            if *name == BACKUP {
                let held: Vec<_> = ledger.lines.iter().map(|line| reminder::mark(&line.token)).collect();
                reminder::note(content, &held, None);
            }
            let import = content.imports().last().filter(|_| ledger.adds() > 0).cloned();
            Ok::<_, NoSuchToken>((ledger.adds(), import))
        })
    }

    /// The imports that can be taken back, newest first.
    pub fn imports(&self) -> Vec<Import> {
        self.door.content().map(|content| content.imports().iter().rev().cloned().collect()).unwrap_or_default()
    }

    /// Takes back the newest import, where it is still the one that is meant; says how many tokens went.
    pub fn undo(&self, meant: &Import) -> Result<usize, ChangeError> {
        let now = self.services.clock.now();
        self.door.edit(&self.services, |content| {
            if content.imports().last() != Some(meant) {
                return Err(NoSuchToken);
            }
            Ok(content.undo_import(now))
        })
    }

    /// Stops what is under way.
    pub fn cancel(&self) {
        self.work.cancel();
    }

    /// Nothing found, nothing opened.
    pub fn forget(&self) {
        self.cancel();
        *self.source.borrow_mut() = None;
        *self.opened.borrow_mut() = None;
    }

    fn read(
        self: &Rc<Self>,
        work: impl FnOnce() -> Result<(Source, Found), ReadProblem> + Send + 'static,
        done: impl FnOnce(Result<Found, ReadProblem>) + 'static,
    ) {
        let cancel = self.work.begin();
        let this = self.clone();
        self.services.tasks.run(work, move |result| {
            if cancel.is_cancelled() {
                return;
            }
            done(result.map(|(source, found)| {
                *this.source.borrow_mut() = Some(Arc::new(source));
                found
            }));
        });
    }
}

fn read(disk: &dyn Files, path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>, ReadProblem> {
    disk.read(path, MAX_FILE_BYTES).map(Zeroizing::new).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => ReadProblem::TooLarge,
        _ => ReadProblem::CannotOpen,
    })
}

fn find(bytes: &[u8]) -> Result<(Source, Found), ReadProblem> {
    if vault::looks_like_copy(bytes) {
        return match vault::inspect_copy(bytes) {
            Ok(_) => Ok((Source::Copy(bytes.to_vec()), Found { is_copy: true, written_at: None })),
            Err(OpenError::Newer { .. }) => Err(ReadProblem::Newer),
            Err(_) => Err(ReadProblem::Damaged),
        };
    }
    let text = Zeroizing::new(backup_text::lenient_text(bytes));
    let sealed = backup::find(&text).map_err(|error| match error {
        ReadError::CutOff { expected, found } => ReadProblem::CutOff { expected, found },
        ReadError::Newer(_) => ReadProblem::Newer,
        ReadError::NotFound => ReadProblem::NotFound,
        _ => ReadProblem::Damaged,
    })?;
    let found = Found { is_copy: false, written_at: Some(sealed.created_at()) };
    Ok((Source::Text(sealed), found))
}

fn open(source: &Source, opener: Opener) -> Result<Content, OpenProblem> {
    let recovery = matches!(opener, Opener::Recovery(_));
    match (source, opener) {
        (Source::Text(sealed), Opener::Password(password)) => sealed.open(&password).map_err(|error| match error {
            backup::OpenError::WrongPassword => OpenProblem::WrongPassword,
            backup::OpenError::Kdf(_) | backup::OpenError::Memory(_) => OpenProblem::Memory,
            _ => OpenProblem::Unreadable,
        }),
        // A backup text has no recovery key; the page does not offer it.
        (Source::Text(_), Opener::Recovery(_)) => Err(OpenProblem::WrongRecoveryKey),
        (Source::Copy(bytes), opener) => {
            let key = match opener {
                Opener::Password(password) => Key::Password(password),
                Opener::Recovery(typed) => Key::Recovery(typed),
            };
            vault::open_copy(bytes, &key).map_err(|error| match error {
                OpenError::WrongKey if recovery => OpenProblem::WrongRecoveryKey,
                OpenError::WrongKey => OpenProblem::WrongPassword,
                OpenError::RecoveryKey(_) => OpenProblem::Mistyped,
                OpenError::Io(_) => OpenProblem::Memory,
                _ => OpenProblem::Unreadable,
            })
        }
    }
}
