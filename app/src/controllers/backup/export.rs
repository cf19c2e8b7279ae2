//! A backup text goes out: to the clipboard, or to a file.

use std::{cell::RefCell, path::PathBuf, rc::Rc};

use countersign_core::{
    backup,
    secret::{Password, SecretText},
    token::{Group, GroupId, Token},
    vault::Content,
};

use super::{
    FileTrouble, Latest,
    reminder::{self, Mark, ReminderController},
};
use crate::{
    backup_text::{self, CLIPBOARD_SECONDS},
    controllers::{Door, Services, clipboard::ClipboardController, lock::check_new},
    files::{self, ReplaceError},
    platform::Ask,
};

/// Why no backup went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportProblem {
    /// The vault was locked meanwhile.
    Locked,
    /// The system has less memory than the key derivation asks for.
    Memory,
    /// The content is larger than what a reader takes.
    TooLarge,
    /// What was written did not open again. Nothing went out.
    Unsound,
    /// The clipboard did not take it.
    Clipboard,
    /// There is no dialog for choosing a file.
    NoDialog,
    /// The file was not written.
    File(FileTrouble),
}

/// What a typed password for a backup is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PasswordWorth {
    /// 0 (seconds to guess) to 4 (centuries); `None` where nothing is typed.
    pub strength: Option<u8>,
    /// Seconds that it stands against somebody who has the text.
    pub stands: f64,
    /// Both are there and the second is not the beginning of the first.
    pub differs: bool,
    /// A backup can be made with it.
    pub good: bool,
}

/// Judges a password that is typed twice, or once where it can be read.
pub fn judge(password: &str, again: &str, readable: bool) -> PasswordWorth {
    let check = check_new(password, if readable { password } else { again });
    let stands = check.strength.map_or(0.0, |_| backup::strength(&Password::new(password)).offline_seconds);
    PasswordWorth { strength: check.strength, stands, differs: check.differs, good: check.good }
}

/// A backup text that was made, opened again and counted.
struct Made {
    text: SecretText,
    group: Option<GroupId>,
    held: Vec<Mark>,
}

/// Makes backup texts.
pub struct ExportController {
    services: Rc<Services>,
    door: Rc<Door>,
    clipboard: Rc<ClipboardController>,
    reminder: Rc<ReminderController>,
    made: RefCell<Option<Made>>,
    work: Latest,
}

impl ExportController {
    /// Over that vault.
    pub fn new(
        services: Rc<Services>,
        door: Rc<Door>,
        clipboard: Rc<ClipboardController>,
        reminder: Rc<ReminderController>,
    ) -> Self {
        Self { services, door, clipboard, reminder, made: RefCell::default(), work: Latest::default() }
    }

    /// How many tokens a backup of that group would hold; of all with `None`.
    pub fn count(&self, group: Option<GroupId>) -> usize {
        self.door.content().map_or(0, |content| content.tokens().iter().filter(|token| is_in(token, group)).count())
    }

    /// The groups that have tokens.
    pub fn groups(&self) -> Vec<Group> {
        let Some(content) = self.door.content() else { return Vec::new() };
        let used = |group: &&Group| content.tokens().iter().any(|token| token.groups.contains(&group.id));
        content.groups().iter().filter(used).cloned().collect()
    }

    /// Makes the text, opens it again and counts; `done` is called here. A text that was made before for the same
    /// tokens and password stays as it is: [`ExportController::discard`] says that the password changed.
    pub fn make(
        self: &Rc<Self>,
        password: Password,
        group: Option<GroupId>,
        done: impl FnOnce(Result<(), ExportProblem>) + 'static,
    ) {
        let Some(content) = self.part(group) else { return done(Err(ExportProblem::Locked)) };
        let held = reminder::marks(&content);
        if self.made.borrow().as_ref().is_some_and(|made| made.group == group && made.held == held) {
            return done(Ok(()));
        }
        let (kdf, random, now) = (self.services.kdf, self.services.random, self.services.clock.now());
        let cancel = self.work.begin();
        let (this, cancelled) = (self.clone(), cancel.clone());
        self.services.tasks.run(
            move || {
                let text = backup::write(&content, &password, kdf, &mut *random(), now).map_err(problem)?;
                let text = SecretText::new(text);
                if !cancelled.is_cancelled() {
                    backup_text::verify(text.expose().as_bytes(), &password, &content)
                        .map_err(|_| ExportProblem::Unsound)?;
                }
                Ok(text)
            },
            move |result| {
                if cancel.is_cancelled() {
                    return;
                }
                done(result.map(|text| *this.made.borrow_mut() = Some(Made { text, group, held })));
            },
        );
    }

    /// Copies the text that was made, marked as sensitive, and says after how many seconds it is cleared.
    pub fn copy(&self) -> Result<u64, ExportProblem> {
        let (text, held) = self.taken().ok_or(ExportProblem::Locked)?;
        self.clipboard.copy_for(text, CLIPBOARD_SECONDS).map_err(|_| ExportProblem::Clipboard)?;
        self.remember(&held);
        Ok(CLIPBOARD_SECONDS)
    }

    /// Asks for a place under that title; `None` where the user thought better of it.
    pub fn choose(&self, title: String, done: impl FnOnce(Option<Result<PathBuf, ExportProblem>>) + 'static) {
        let picker = self.services.platform.picker.clone();
        let ask = Ask::Save { name: "countersign-backup.txt".to_owned() };
        self.services.tasks.run(move || picker.pick(&ask, &title).chosen(ExportProblem::NoDialog), done);
    }

    /// Writes the text that was made to a file, and reads it back before it takes the place of anything.
    pub fn save(self: &Rc<Self>, path: PathBuf, done: impl FnOnce(Result<(), ExportProblem>) + 'static) {
        let Some((text, held)) = self.taken() else { return done(Err(ExportProblem::Locked)) };
        if files::same(&path, &self.door.path()) {
            return done(Err(ExportProblem::File(FileTrouble::Vault)));
        }
        let disk = self.services.platform.files.clone();
        let cancel = self.work.begin();
        let (this, cancelled) = (self.clone(), cancel.clone());
        self.services.tasks.run(
            move || {
                let bytes = text.expose().as_bytes();
                // The text itself was opened when it was made: the same bytes open as well.
                disk.replace(&path, bytes, &mut |written| !cancelled.is_cancelled() && written == bytes)
            },
            move |result| {
                if cancel.is_cancelled() {
                    return;
                }
                done(match result {
                    Ok(()) => {
                        this.remember(&held);
                        Ok(())
                    }
                    Err(ReplaceError::Io(error)) => Err(ExportProblem::File(FileTrouble::from(&error))),
                    Err(ReplaceError::Check(())) => Err(ExportProblem::File(FileTrouble::Unsound)),
                });
            },
        );
    }

    /// The beginning and the end of the text that was made, to look at.
    pub fn preview(&self) -> Option<String> {
        let made = self.made.borrow();
        let text = made.as_ref()?.text.expose();
        let data = text.lines().nth(1)?;
        Some(format!("{}\n{}…\n{}", backup::BEGIN, data.get(..24)?, backup::END))
    }

    /// Stops what is under way; a file that was to be replaced stays as it was.
    pub fn cancel(&self) {
        self.work.cancel();
    }

    /// The password is another one, or the page was left: the text that was made goes.
    pub fn discard(&self) {
        self.cancel();
        *self.made.borrow_mut() = None;
    }

    fn taken(&self) -> Option<(SecretText, Vec<Mark>)> {
        self.made.borrow().as_ref().map(|made| (made.text.clone(), made.held.clone()))
    }

    fn part(&self, group: Option<GroupId>) -> Option<Content> {
        let content = self.door.content()?;
        Some(if group.is_none() { content.clone() } else { content.part(|token| is_in(token, group)) })
    }

    /// The backup is out in any case: where this is not saved, the reminder comes once too often.
    fn remember(&self, held: &[Mark]) {
        let _ = self.reminder.remember(held);
    }
}

fn is_in(token: &Token, group: Option<GroupId>) -> bool {
    group.is_none_or(|group| token.groups.contains(&group))
}

fn problem(error: backup::WriteError) -> ExportProblem {
    match error {
        backup::WriteError::Memory(_) => ExportProblem::Memory,
        _ => ExportProblem::TooLarge,
    }
}
