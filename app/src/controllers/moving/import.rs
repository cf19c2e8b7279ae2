//! Another app's file comes in: recognised, opened, compared, and only then added.

use std::{
    cell::{Ref, RefCell},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use countersign_core::{
    import::{self, Format, ImportError, Plan, Source, Unlock},
    secret::SecretText,
    vault::{
        Content,
        content::{Import, NoSuchToken},
    },
};
use zeroize::Zeroizing;

use crate::{
    controllers::{ChangeError, Door, Services, backup::Latest},
    platform::{Ask, FilePicker, files::Files},
};

/// Why there is no file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileProblem {
    /// There is none, or it may not be read.
    CannotOpen,
    /// It is larger than any export.
    TooLarge,
    /// There is no dialog for choosing one.
    NoDialog,
    /// The user thought better of choosing one.
    ThoughtBetter,
    /// The clipboard is empty, or holds a picture.
    ClipboardEmpty,
    /// The clipboard could not be read.
    Clipboard,
    /// It was looked at, and not read.
    Import(ImportError),
}

/// How a look at a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It is open: [`ImportController::opened`] has its ledger.
    Open,
    /// It is encrypted.
    Encrypted,
    /// Opening it takes so many MiB, and a person has to agree first.
    Costly(u64),
}

/// A file that was opened, and what it would change.
pub struct Opened {
    /// Its records.
    pub source: Source,
    /// What becomes of each.
    pub plan: Plan,
}

/// Another app's file on its way in.
pub struct ImportController {
    services: Rc<Services>,
    door: Rc<Door>,
    file: RefCell<Option<Arc<File>>>,
    key_file: RefCell<Option<Arc<Zeroizing<Vec<u8>>>>>,
    opened: RefCell<Option<Opened>>,
    work: Latest,
    /// Its own, so that opening the file does not drop a key file that is still to come.
    key_work: Latest,
}

struct File {
    bytes: Zeroizing<Vec<u8>>,
    formats: Vec<&'static Format>,
}

impl ImportController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self {
            services,
            door,
            file: RefCell::default(),
            key_file: RefCell::default(),
            opened: RefCell::default(),
            work: Latest::default(),
            key_work: Latest::default(),
        }
    }

    /// Asks for a file under that title, and looks at it.
    pub fn choose(self: &Rc<Self>, title: String, done: impl FnOnce(Result<Looked, FileProblem>) + 'static) {
        let picker = self.services.platform.picker.clone();
        let disk = self.services.platform.files.clone();
        self.look(move || read(&*disk, &pick(&*picker, &title)?), done);
    }

    /// Looks at a file.
    pub fn read_file(self: &Rc<Self>, path: PathBuf, done: impl FnOnce(Result<Looked, FileProblem>) + 'static) {
        let disk = self.services.platform.files.clone();
        self.look(move || read(&*disk, &path), done);
    }

    /// Looks at the text on the clipboard, as at a file.
    pub fn paste(self: &Rc<Self>, done: impl FnOnce(Result<Looked, FileProblem>) + 'static) {
        match self.services.platform.clipboard.text() {
            Ok(Some(text)) if !text.trim().is_empty() => self.read_text(text, done),
            Ok(_) => done(Err(FileProblem::ClipboardEmpty)),
            Err(_) => done(Err(FileProblem::Clipboard)),
        }
    }

    /// Looks at a text, as at a file.
    pub fn read_text(self: &Rc<Self>, text: String, done: impl FnOnce(Result<Looked, FileProblem>) + 'static) {
        let bytes = Zeroizing::new(text.into_bytes());
        self.look(move || Ok(bytes), done);
    }

    /// Opens the file that was looked at.
    pub fn open(
        self: &Rc<Self>,
        password: SecretText,
        allow_costly: bool,
        done: impl FnOnce(Result<Looked, FileProblem>) + 'static,
    ) {
        let Some(file) = self.file.borrow().clone() else { return };
        let key_file = self.key_file.borrow().clone();
        let cancel = self.work.begin();
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let password = (!password.expose().is_empty()).then_some(&password);
                let unlock = Unlock { password, allow_costly };
                match &key_file {
                    Some(key) => import::read_with_key_file(&file.bytes, key, None, unlock),
                    None => import::read(&file.bytes, None, unlock),
                }
            },
            move |result| {
                if !cancel.is_cancelled() {
                    done(this.judge(result));
                }
            },
        );
    }

    /// Asks under that title for the key file that locks the file, and takes it; `done` is called here with its name.
    /// On an error the one that was taken before stays.
    pub fn choose_key_file(self: &Rc<Self>, title: String, done: impl FnOnce(Result<String, FileProblem>) + 'static) {
        let picker = self.services.platform.picker.clone();
        let disk = self.services.platform.files.clone();
        let cancel = self.key_work.begin();
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let path = pick(&*picker, &title)?;
                Ok((name_of(&path), read(&*disk, &path)?))
            },
            move |chosen| {
                // Another file is looked at by now, which it must not open.
                if cancel.is_cancelled() {
                    return;
                }
                done(chosen.map(|(name, bytes)| {
                    *this.key_file.borrow_mut() = Some(Arc::new(bytes));
                    name
                }));
            },
        );
    }

    /// Whether a key file may lock the file.
    pub fn takes_key_file(&self) -> bool {
        self.file.borrow().as_ref().is_some_and(|file| file.formats.iter().any(|format| format.key_file))
    }

    /// The format of the file, where its content says which one it is.
    pub fn format(&self) -> Option<&'static Format> {
        match self.file.borrow().as_deref()?.formats.as_slice() {
            [one] => Some(one),
            _ => None,
        }
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
        let opened = opened.as_ref().ok_or(ChangeError::Locked)?;
        let (random, now) = (self.services.random, self.services.clock.now());
        self.door.edit(&self.services, |content| {
            let before = content.imports().last().cloned();
            let plan = opened.source.merge_into(content, &mut *random(), now);
            let import = content.imports().last().filter(|last| Some(*last) != before.as_ref()).cloned();
            Ok::<_, NoSuchToken>((plan.counts.new_tokens(), import))
        })
    }

    /// Stops what is under way.
    pub fn cancel(&self) {
        self.work.cancel();
    }

    /// No file, and nothing of it.
    pub fn forget(&self) {
        self.cancel();
        self.key_work.cancel();
        *self.file.borrow_mut() = None;
        *self.key_file.borrow_mut() = None;
        *self.opened.borrow_mut() = None;
    }

    fn look(
        self: &Rc<Self>,
        bytes: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, FileProblem> + Send + 'static,
        done: impl FnOnce(Result<Looked, FileProblem>) + 'static,
    ) {
        self.forget();
        let cancel = self.work.begin();
        let this = self.clone();
        self.services.tasks.run(
            move || {
                let bytes = bytes()?;
                let read = import::read(&bytes, None, Unlock::default());
                let formats = import::detect(&bytes);
                Ok((File { bytes, formats }, read))
            },
            move |looked| {
                if cancel.is_cancelled() {
                    return;
                }
                done(looked.and_then(|(file, read)| {
                    *this.file.borrow_mut() = Some(Arc::new(file));
                    this.judge(read)
                }));
            },
        );
    }

    fn judge(&self, read: Result<Source, ImportError>) -> Result<Looked, FileProblem> {
        match read {
            Ok(source) => {
                let (random, now) = (self.services.random, self.services.clock.now());
                // Locked meanwhile: the page that would show it is gone.
                let Some(vault) = self.door.content() else { return Err(FileProblem::Import(ImportError::Unknown)) };
                let plan = source.plan(&vault, &mut *random(), now);
                *self.opened.borrow_mut() = Some(Opened { source, plan });
                Ok(Looked::Open)
            }
            Err(ImportError::PasswordNeeded { .. }) => Ok(Looked::Encrypted),
            Err(ImportError::Costly { mib }) => Ok(Looked::Costly(mib)),
            Err(error) => Err(FileProblem::Import(error)),
        }
    }
}

/// Whether bytes are another app's file: something that is imported with its ledger, and not added.
pub fn is_export(bytes: &[u8]) -> bool {
    // A list of links is looked at where links are, a backup is restored, and a text of Base64 that only a password
    // can tell may be anything.
    matches!(import::detect(bytes).as_slice(), [one] if !matches!(one.id, "uri" | "winauth" | "totp-authenticator" | "countersign"))
}

fn pick(picker: &dyn FilePicker, title: &str) -> Result<PathBuf, FileProblem> {
    picker.pick(&Ask::File, title).chosen(FileProblem::NoDialog).unwrap_or(Err(FileProblem::ThoughtBetter))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read(disk: &dyn Files, path: &Path) -> Result<Zeroizing<Vec<u8>>, FileProblem> {
    disk.read(path, import::MAX_FILE_BYTES as u64).map(Zeroizing::new).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => FileProblem::TooLarge,
        _ => FileProblem::CannotOpen,
    })
}
