//! Backups out and in.

use countersign::{
    controllers::backup::reminder,
    platform::{
        Ask, Support, Unsupported,
        files::{FakeFiles, Faults},
    },
};
use countersign_core::{
    backup,
    token::{TokenId, TokenSecret},
    vault::content::{Change, Content, NoSuchToken},
};
use countersign_ui::{
    AutomaticAdapter, BackupAdapter, BackupOpenProblem, ExportDone, ReadProblem, RestoreAdapter, RestoreStep,
    SaveProblem, Verdict,
};

use super::*;

const BACKUP_PASSWORD: &str = "plum tractor velvet oboe";

impl Stage {
    fn equipped(equip: impl FnOnce(&mut Platform)) -> Self {
        let stage = Self::on(equip);
        stage.create();
        stage.add_by_hand("Example", RFC_SECRET, |_| {});
        stage
    }

    /// On the page of backups, with a good password.
    fn ready_to_export(&self) {
        self.go(Page::Backup);
        self.fill("Backup password", BACKUP_PASSWORD);
        self.fill("Again", BACKUP_PASSWORD);
    }

    /// A backup text of the vault as it is now.
    fn backup_text(&self) -> String {
        let content = self.parts.door.content().unwrap();
        let mut random = (self.parts.services.random)();
        let password = Password::new(BACKUP_PASSWORD);
        backup::write(&content, &password, self.parts.services.kdf, &mut *random, self.clock.now()).unwrap()
    }

    /// From the text to the ledger.
    fn to_ledger(&self, text: &str) {
        self.go(Page::Restore);
        self.fill("Or the text itself", text);
        self.press("Read this text");
        self.work();
        self.fill("Backup password", BACKUP_PASSWORD);
        self.press("Open the backup");
        self.work();
    }

    fn tokens(&self) -> usize {
        self.on_disk().content().tokens().len()
    }

    fn backup(&self) -> BackupAdapter<'_> {
        self.window.global()
    }

    fn restore(&self) -> RestoreAdapter<'_> {
        self.window.global()
    }

    fn automatic(&self) -> AutomaticAdapter<'_> {
        self.window.global()
    }

    /// Automatic backups into a new folder.
    fn automatic_into(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        self.go(Page::Automatic);
        self.picker.answer(Picked::File(folder.clone()));
        self.press("Automatic backups");
        self.work();
        folder
    }

    /// Changes a token, a second later.
    fn note(&self, note: &str) {
        self.clock.advance(1);
        let now = self.clock.now();
        self.parts
            .door
            .edit(&self.parts.services, |content| {
                let id = content.tokens()[0].id;
                content.change(id, Change { note: Some(note.into()), ..Change::default() }, now)
            })
            .unwrap();
    }
}

fn files(folder: &PathBuf) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_copied_backup_opens_and_nothing_of_it_stays_on_the_page() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.go(Page::Backup);
    assert!(!stage.backup().get_can_export());
    stage.ready_to_export();
    stage.press("Copy to clipboard");
    assert!(stage.shows("Encrypting"));
    stage.work();
    assert_eq!(stage.backup().get_done(), ExportDone::Copied);
    assert!(stage.backup().get_preview().starts_with(backup::BEGIN));
    let text = stage.clipboard.content.borrow().clone().unwrap();
    let back = backup::find(&text).unwrap().open(&Password::new(BACKUP_PASSWORD)).unwrap();
    assert_eq!(back.tokens().len(), 1);

    stage.go(Page::Tokens);
    assert_eq!(stage.backup().get_password(), "");
    assert_eq!(stage.backup().get_again(), "");
    assert_eq!(stage.backup().get_preview(), "");
    stage.tick(299);
    assert!(stage.clipboard.content.borrow().is_some(), "a backup stays long enough to be pasted");
    stage.tick(2);
    assert_eq!(*stage.clipboard.content.borrow(), None, "and no longer");
}

#[test]
fn a_password_that_can_be_read_is_typed_once() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.go(Page::Backup);
    stage.fill("Backup password", BACKUP_PASSWORD);
    assert!(!stage.backup().get_can_export());
    stage.backup().set_password_shown(true);
    stage.settle();
    assert!(!stage.shows("Again"));
    assert!(stage.backup().get_can_export());
    stage.fill("Backup password", "password");
    assert!(!stage.backup().get_can_export(), "what falls in seconds protects nothing");
}

#[test]
fn passwords_that_differ_make_no_backup() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.go(Page::Backup);
    stage.fill("Backup password", BACKUP_PASSWORD);
    stage.fill("Again", "plum tractor velvet obox");
    assert_eq!(stage.find("Again").accessible_description().unwrap_or_default(), "The two passwords differ.");
    stage.press("Copy to clipboard");
    stage.work();
    assert_eq!(*stage.clipboard.content.borrow(), None);
}

#[test]
fn a_clipboard_that_another_holds_is_told_beside_the_button() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.ready_to_export();
    stage.clipboard.refuses.set(true);
    stage.press("Copy to clipboard");
    stage.work();
    assert_eq!(stage.backup().get_problem(), SaveProblem::Clipboard);
    assert!(
        stage.shows("The clipboard did not take the backup: another program holds it. Try again, or save to a file.")
    );
    assert_eq!(stage.parts.reminder.reminder().tokens, 1, "nothing went out");
    stage.clipboard.refuses.set(false);
    stage.press("Copy to clipboard");
    stage.work();
    assert_eq!(stage.backup().get_done(), ExportDone::Copied);
    assert_eq!(stage.parts.reminder.reminder().tokens, 0);
}

#[test]
fn without_a_clipboard_there_is_no_button_for_it() {
    let stage = Stage::equipped(|platform| platform.clipboard = Rc::new(Unsupported));
    assert_eq!(stage.parts.services.platform.clipboard.support(), Support::Unsupported);
    stage.go(Page::Backup);
    assert!(!stage.shows("Copy to clipboard"));
    assert!(stage.shows("Save to a file"));
    stage.go(Page::Restore);
    assert!(!stage.shows("Paste from the clipboard"));
}

#[test]
fn a_file_is_written_for_its_owner_alone() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.ready_to_export();
    let path = stage.folder.path().join("backup.txt");
    stage.picker.answer(Picked::File(path.clone()));
    stage.press("Save to a file");
    stage.work();
    assert_eq!(stage.picker.asked(), [Ask::Save { name: "countersign-backup.txt".into() }]);
    assert_eq!(stage.backup().get_done(), ExportDone::Saved);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(backup::find(&text).unwrap().open(&Password::new(BACKUP_PASSWORD)).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_cannot_be_written_says_why() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.ready_to_export();
    stage.picker.answer(Picked::File(stage.folder.path().join("nowhere/backup.txt")));
    stage.press("Save to a file");
    stage.work();
    assert_eq!(stage.backup().get_problem(), SaveProblem::Gone);
    stage.picker.answer(Picked::File(stage.folder.path().join("vault.countersign")));
    stage.press("Save to a file");
    stage.work();
    assert_eq!(stage.backup().get_problem(), SaveProblem::Vault);
    assert_eq!(stage.tokens(), 1, "the vault is as it was");
    stage.picker.answer(Picked::Cancelled);
    stage.press("Save to a file");
    stage.work();
    assert_eq!(stage.backup().get_done(), ExportDone::None);
    stage.picker.answer(Picked::NoDialog);
    stage.press("Save to a file");
    stage.work();
    assert_eq!(stage.backup().get_problem(), SaveProblem::NoDialog);
    stage.fill("Path of the file", &stage.folder.path().join("typed.txt").display().to_string());
    stage.press("Save to this file");
    stage.work();
    assert_eq!(stage.backup().get_done(), ExportDone::Saved);
    assert!(stage.folder.path().join("typed.txt").exists());
}

#[test]
fn a_disk_that_lies_or_is_full_saves_nothing() {
    let disk = Arc::new(FakeFiles::default());
    let on_stage = disk.clone();
    let stage = Stage::equipped(|platform| platform.files = on_stage);
    for (faults, problem) in [
        (Faults { lies: true, ..Faults::default() }, SaveProblem::Unsound),
        (Faults { write: Some(std::io::ErrorKind::StorageFull), ..Faults::default() }, SaveProblem::Full),
        (Faults { write: Some(std::io::ErrorKind::PermissionDenied), ..Faults::default() }, SaveProblem::Denied),
        (Faults { write: Some(std::io::ErrorKind::ReadOnlyFilesystem), ..Faults::default() }, SaveProblem::ReadOnly),
        (Faults { write: Some(std::io::ErrorKind::Interrupted), ..Faults::default() }, SaveProblem::Other),
    ] {
        disk.fail(faults);
        stage.ready_to_export();
        stage.picker.answer(Picked::File("/stick/backup.txt".into()));
        stage.press("Save to a file");
        stage.work();
        assert_eq!(stage.backup().get_problem(), problem);
        assert_eq!(stage.backup().get_done(), ExportDone::None);
        assert_eq!(disk.all(), [""; 0].map(PathBuf::from));
        assert_eq!(stage.parts.reminder.reminder().tokens, 1, "it counts as in no backup");
    }
}

#[test]
fn work_that_is_cancelled_or_left_does_nothing() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.ready_to_export();
    stage.press("Copy to clipboard");
    stage.press("Cancel");
    stage.work();
    assert_eq!(*stage.clipboard.content.borrow(), None);
    assert!(stage.shows("Copy to clipboard"));
    stage.press("Copy to clipboard");
    stage.go(Page::Tokens);
    stage.work();
    assert_eq!(*stage.clipboard.content.borrow(), None);
    let path = stage.folder.path().join("backup.txt");
    stage.ready_to_export();
    stage.picker.answer(Picked::File(path.clone()));
    stage.press("Save to a file");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.work();
    assert!(!path.exists(), "nothing is written after a lock");
    assert_eq!(stage.backup().get_password(), "");
}

#[test]
fn a_group_goes_out_alone() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("Other", "JBSWY3DPEHPK3PXP", |_| {});
    let now = stage.clock.now();
    stage
        .parts
        .door
        .edit(&stage.parts.services, |content| {
            let group = content.group(countersign_core::token::GroupId::from_random([7; 16]), "Work");
            let id = content.tokens()[1].id;
            content.change(id, Change { groups: Some(vec![group]), ..Change::default() }, now)
        })
        .unwrap();
    stage.go(Page::Backup);
    stage.press("Work");
    assert_eq!(stage.backup().get_count(), 1);
    stage.ready_to_export();
    stage.press("Copy to clipboard");
    stage.work();
    let text = stage.clipboard.content.borrow().clone().unwrap();
    let back = backup::find(&text).unwrap().open(&Password::new(BACKUP_PASSWORD)).unwrap();
    assert_eq!(back.tokens().iter().map(|token| token.spec.issuer.as_str()).collect::<Vec<_>>(), ["Other"]);
    assert_eq!(stage.parts.reminder.reminder().tokens, 1, "the other one is in no backup yet");
}

#[test]
fn a_mail_from_the_clipboard_comes_back_and_goes_again() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let text = stage.backup_text();
    let mail = format!("Hello,\r\n\r\n> {}\r\n\r\nBest", text.trim_end().replace('\n', "\r\n> "));
    let id = stage.on_disk().content().tokens()[0].id;
    stage.parts.tokens.remove(&std::collections::HashSet::from([id])).unwrap();
    stage.add_by_hand("Other", "JBSWY3DPEHPK3PXP", |_| {});
    *stage.clipboard.content.borrow_mut() = Some(mail);
    stage.go(Page::Restore);
    stage.chord(&[slint::platform::Key::Control], "v");
    stage.work();
    assert_eq!(stage.restore().get_step(), RestoreStep::Open);

    stage.fill("Backup password", "another password");
    stage.press("Open the backup");
    assert!(stage.shows("Opening"));
    stage.work();
    assert_eq!(stage.restore().get_open_problem(), BackupOpenProblem::WrongPassword);
    let said = stage.find("Backup password").accessible_description().unwrap_or_default();
    assert_eq!(said, "That is not the password of this backup.");

    stage.fill("Backup password", BACKUP_PASSWORD);
    stage.press("Open the backup");
    stage.work();
    assert_eq!(stage.restore().get_step(), RestoreStep::Ledger);
    assert_eq!(stage.restore().get_password(), "", "the password has done its service");
    assert_eq!(stage.tokens(), 1, "nothing is added before it was seen");
    assert_eq!(stage.value("Example, me@example.org"), RFC_CODE);
    stage.press("Add 1 token");
    assert_eq!(stage.page(), Page::Tokens);
    assert_eq!(stage.notice(), Notice::Added);
    assert_eq!(stage.tokens(), 2);
    assert_eq!(stage.parts.reminder.reminder().tokens, 1, "what came out of a backup is in one");

    stage.press("Undo");
    assert_eq!(stage.tokens(), 1);
    assert_eq!(stage.notice(), Notice::ImportUndone);
    assert!(stage.parts.restore.imports().is_empty());
}

#[test]
fn what_is_wrong_with_a_text_is_said_precisely() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let text = stage.backup_text();
    let mut damaged = text.clone().into_bytes();
    damaged[300] = if damaged[300] == b'A' { b'B' } else { b'A' };
    let cut: String = text.chars().take(text.len() / 2).collect();
    stage.go(Page::Restore);
    for (text, problem) in [
        ("Dear all, here are the minutes.".to_owned(), ReadProblem::NotFound),
        (cut, ReadProblem::CutOff),
        (String::from_utf8(damaged).unwrap(), ReadProblem::Damaged),
    ] {
        stage.fill("Or the text itself", &text);
        assert_eq!(stage.restore().get_problem(), ReadProblem::None);
        stage.press("Read this text");
        stage.work();
        assert_eq!(stage.restore().get_problem(), problem);
        assert_eq!(stage.restore().get_step(), RestoreStep::Find);
        assert_eq!(stage.restore().get_text(), text.as_str(), "what was typed stays");
        if problem == ReadProblem::CutOff {
            assert_eq!(stage.restore().get_expected(), "1,476");
            assert!(stage.shows(&format!(
                "The text is cut off: 1,476 characters expected, {} found. Copy it once more, to its last line.",
                stage.restore().get_found()
            )));
        }
    }
    *stage.clipboard.content.borrow_mut() = None;
    stage.press("Paste from the clipboard");
    assert_eq!(stage.restore().get_problem(), ReadProblem::ClipboardEmpty);
    stage.clipboard.refuses.set(true);
    stage.press("Paste from the clipboard");
    assert_eq!(stage.restore().get_problem(), ReadProblem::Clipboard);
    stage.picker.answer(Picked::File("/nowhere/mail.eml".into()));
    stage.press("Choose a file");
    stage.work();
    assert_eq!(stage.restore().get_problem(), ReadProblem::CannotOpen);
    stage.picker.answer(Picked::NoDialog);
    stage.press("Choose a file");
    stage.work();
    assert_eq!(stage.restore().get_problem(), ReadProblem::NoDialog);
    let path = stage.folder.path().join("mail.eml");
    std::fs::write(&path, stage.backup_text()).unwrap();
    stage.fill("Path of the file", &path.display().to_string());
    stage.press("Read this file");
    stage.work();
    assert_eq!(stage.restore().get_step(), RestoreStep::Open);
}

#[test]
fn the_counts_of_the_ledger_add_up() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.add_by_hand("Changed", "JBSWY3DPEHPK3PXP", |_| {});
    let mut other = Content::default();
    let now = stage.clock.now();
    let here = stage.on_disk().content().tokens().to_vec();
    for (at, (from, issuer, secret)) in
        [(0, "Example", RFC_SECRET), (1, "Changed", "KRSXG5CTMVRXEZLU"), (0, "New", "MFRGGZDFMZTWQ2LK")]
            .into_iter()
            .enumerate()
    {
        let mut spec = here[from].spec.clone();
        spec.issuer = issuer.into();
        spec.secret = TokenSecret::from_base32(secret).unwrap();
        other.add(TokenId::from_random([at as u8 + 1; 16]), spec, now);
    }
    let mut random = (stage.parts.services.random)();
    let password = Password::new(BACKUP_PASSWORD);
    let text = backup::write(&other, &password, stage.parts.services.kdf, &mut *random, now).unwrap();
    stage.to_ledger(&text);

    let adapter = stage.restore();
    let counts = adapter.get_counts();
    assert_eq!([counts.new, counts.already_here, counts.conflicts, counts.unreadable, counts.total], [1, 1, 1, 0, 3]);
    let rows: Vec<_> = adapter.get_rows().iter().collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        [rows[0].verdict, rows[1].verdict, rows[2].verdict],
        [Verdict::AlreadyHere, Verdict::Conflict, Verdict::New]
    );
    assert_eq!(rows[0].code, RFC_CODE);
    assert!(!rows[1].code_here.is_empty() && rows[1].code != rows[1].code_here, "both codes stand side by side");

    stage.press("Add 2 tokens");
    assert_eq!(stage.tokens(), 4);
    stage.go(Page::Backup);
    stage.window.window().set_size(slint::PhysicalSize::new(390, 1_600));
    stage.settle();
    stage.press("Undo the last import");
    stage.press("Undo import");
    assert_eq!(stage.tokens(), 2);
    assert!(!stage.shows("Undo the last import"));
}

#[test]
fn the_codes_of_the_ledger_do_not_grow_old() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let text = stage.backup_text();
    stage.to_ledger(&text);
    assert_eq!(stage.restore().get_rows().row_data(0).unwrap().code, RFC_CODE);
    stage.tick(2);
    assert_eq!(stage.restore().get_rows().row_data(0).unwrap().code, "050 471");
}

#[test]
fn a_lock_in_the_middle_of_a_restore_leaves_nothing() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let text = stage.backup_text();
    stage.to_ledger(&text);
    assert_eq!(stage.restore().get_rows().row_count(), 1);
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.work();
    assert_eq!(stage.restore().get_step(), RestoreStep::Find);
    assert_eq!(stage.restore().get_rows().row_count(), 0);
    assert!(stage.parts.restore.opened().is_none());
    assert_eq!(stage.page(), Page::Unlock);
}

#[test]
fn back_goes_from_the_ledger_to_the_text_and_then_away() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let text = stage.backup_text();
    stage.go(Page::Backup);
    stage.to_ledger(&text);
    let navigation = stage.window.global::<NavigationAdapter<'_>>();
    navigation.invoke_back();
    assert_eq!((stage.page(), stage.restore().get_step()), (Page::Restore, RestoreStep::Find));
    navigation.invoke_back();
    assert_eq!(stage.page(), Page::Backup);
}

#[test]
fn what_is_in_no_backup_is_told_until_it_is_waved_away() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    stage.tick(1);
    assert!(stage.shows("One token is in no backup"));
    stage.press("Not now");
    assert!(!stage.shows("One token is in no backup"));
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert!(!stage.backup().get_remind(), "it stays away over a lock");
    stage.tick(1);
    stage.note("changed");
    stage.tick(1);
    assert!(stage.backup().get_remind(), "until something changes");

    stage.ready_to_export();
    stage.press("Copy to clipboard");
    stage.work();
    assert!(!stage.backup().get_remind());
    let id = stage.on_disk().content().tokens()[0].id;
    stage.parts.tokens.note_use(id);
    stage.parts.tokens.save_uses().unwrap();
    stage.tick(1);
    assert_eq!(stage.backup().get_unsaved(), 0, "a use is no change");
}

#[test]
fn a_counter_that_moves_does_not_nag() {
    let stage = Stage::opened();
    let now = stage.clock.now();
    stage
        .parts
        .door
        .edit(&stage.parts.services, |content| {
            let link = format!("otpauth://hotp/Bank:me?secret={RFC_SECRET}&counter=5");
            content.add(TokenId::from_random([1; 16]), countersign_core::uri::parse(&link).unwrap().spec, now);
            let held = reminder::marks(content);
            reminder::note(content, &held, Some(now));
            Ok::<_, NoSuchToken>(())
        })
        .unwrap();
    let id = stage.on_disk().content().tokens()[0].id;
    stage.parts.tokens.next(id).unwrap();
    assert_eq!(stage.parts.reminder.reminder().tokens, 0);
}

#[test]
fn automatic_backups_are_made_counted_and_rotated() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let folder = stage.automatic_into("stick");
    std::fs::write(folder.join("holiday.jpg"), "theirs").unwrap();
    assert_eq!(stage.automatic().get_last_tokens(), 1);
    assert_eq!(stage.automatic().get_problem(), SaveProblem::None);
    assert_eq!(files(&folder).len(), 2);
    assert_eq!(stage.parts.reminder.reminder().tokens, 0, "what is in there is in a backup");
    stage.press("Keep 3");
    for change in 0..6 {
        stage.note(&format!("change {change}"));
        stage.tick(1);
        stage.work();
        let before = files(&folder).len();
        stage.tick(5);
        stage.work();
        assert_eq!(files(&folder).len(), before, "not in the middle of changes");
        stage.tick(400);
        stage.work();
    }
    let names = files(&folder);
    assert_eq!(names.len(), 4, "{names:?}");
    assert!(names.contains(&"holiday.jpg".to_owned()));
    assert_eq!(stage.parts.reminder.reminder().tokens, 0);
    stage.tick(1000);
    stage.work();
    assert_eq!(files(&folder), names, "nothing new, nothing made");
}

#[test]
fn an_automatic_backup_restores_with_the_password_of_the_vault() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let folder = stage.automatic_into("stick");
    let copy = folder.join(&files(&folder)[0]);
    let id = stage.on_disk().content().tokens()[0].id;
    stage.parts.tokens.remove(&std::collections::HashSet::from([id])).unwrap();
    stage.go(Page::Restore);
    stage.picker.answer(Picked::File(copy));
    stage.press("Choose a file");
    stage.work();
    assert!(stage.restore().get_is_copy());
    stage.press("Use the recovery key");
    stage.fill("Recovery key", "ABCD");
    stage.press("Open the backup");
    stage.work();
    assert_eq!(stage.restore().get_open_problem(), BackupOpenProblem::Mistyped);
    stage.press("Use the password");
    stage.fill("Password of that vault", "wrong");
    stage.press("Open the backup");
    stage.work();
    assert_eq!(stage.restore().get_open_problem(), BackupOpenProblem::WrongPassword);
    stage.fill("Password of that vault", PASSWORD);
    stage.press("Open the backup");
    stage.work();
    stage.press("Add 1 token");
    assert_eq!(stage.tokens(), 1);
}

#[test]
fn a_folder_that_is_gone_is_told_once_and_shown_as_long_as_it_is() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let folder = stage.automatic_into("stick");
    std::fs::remove_dir_all(&folder).unwrap();
    stage.note("changed");
    stage.tick(1);
    stage.tick(400);
    stage.work();
    assert_eq!(stage.notice(), Notice::BackupFailed);
    assert_eq!(stage.automatic().get_problem(), SaveProblem::Gone);
    assert!(!folder.exists(), "no folder is made in the place of a disk that is away");
    stage.window.global::<NavigationAdapter<'_>>().set_notice(Notice::None);
    stage.tick(400);
    stage.work();
    assert_eq!(stage.notice(), Notice::None, "told once");
    assert_eq!(stage.automatic().get_problem(), SaveProblem::Gone);
    std::fs::create_dir(&folder).unwrap();
    stage.tick(400);
    stage.work();
    assert_eq!(stage.automatic().get_problem(), SaveProblem::None);
    assert_eq!(files(&folder).len(), 1);
}

#[test]
fn a_copy_that_does_not_read_back_pushes_nothing_out() {
    let disk = Arc::new(FakeFiles::default());
    let on_stage = disk.clone();
    let stage = Stage::equipped(|platform| platform.files = on_stage);
    stage.go(Page::Automatic);
    stage.picker.answer(Picked::File("/stick".into()));
    stage.press("Automatic backups");
    stage.work();
    stage.parts.automatic.set_kept(1);
    let good = disk.all();
    assert_eq!(good.len(), 1);
    for (faults, problem) in [
        (Faults { lies: true, ..Faults::default() }, SaveProblem::Unsound),
        (Faults { write: Some(std::io::ErrorKind::StorageFull), ..Faults::default() }, SaveProblem::Full),
        (Faults { write: Some(std::io::ErrorKind::ReadOnlyFilesystem), ..Faults::default() }, SaveProblem::ReadOnly),
        (Faults { names: Some(std::io::ErrorKind::PermissionDenied), ..Faults::default() }, SaveProblem::Denied),
    ] {
        disk.fail(faults);
        stage.note(&format!("{problem:?}"));
        stage.press("Make one now");
        stage.work();
        assert_eq!(stage.automatic().get_problem(), problem);
        assert_eq!(disk.all(), good, "the last good one stays");
        assert_eq!(stage.automatic().get_last_tokens(), 1);
    }
    disk.fail(Faults::default());
    stage.clock.advance(10);
    stage.press("Make one now");
    stage.work();
    assert_eq!(disk.all().len(), 1);
    assert_ne!(disk.all(), good, "only a good one takes its place");
}

#[test]
fn locking_and_quitting_copy_what_is_new() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let folder = stage.automatic_into("stick");
    stage.clock.advance(10);
    stage.note("before the lock");
    stage.window.global::<NavigationAdapter<'_>>().invoke_lock();
    stage.work();
    assert_eq!(files(&folder).len(), 2);
    stage.fill("Password", PASSWORD);
    stage.press("Unlock");
    stage.work();
    assert_eq!(stage.automatic().get_last_tokens(), 1, "the newest is looked at again");
    assert_eq!(stage.parts.reminder.reminder().tokens, 0);
    bind::quit(&stage.parts);
    assert_eq!(files(&folder).len(), 2, "nothing is new");
    stage.clock.advance(10);
    stage.note("before the end");
    bind::quit(&stage.parts);
    assert_eq!(files(&folder).len(), 3);
}

#[test]
fn without_a_dialog_the_folder_is_typed() {
    let stage = Stage::with_token("Example", RFC_SECRET);
    let folder = stage.folder.path().join("typed");
    std::fs::create_dir(&folder).unwrap();
    stage.go(Page::Automatic);
    stage.picker.answer(Picked::NoDialog);
    stage.press("Automatic backups");
    stage.work();
    assert_eq!(stage.automatic().get_problem(), SaveProblem::NoDialog);
    assert!(!stage.automatic().get_on());
    stage.fill("Path of the folder", &folder.display().to_string());
    stage.press("Use this folder");
    stage.work();
    assert!(stage.automatic().get_on());
    assert_eq!(files(&folder).len(), 1);
    stage.press("Automatic backups");
    assert!(!stage.automatic().get_on());
    assert_eq!(files(&folder).len(), 1, "switching off removes nothing");
}
