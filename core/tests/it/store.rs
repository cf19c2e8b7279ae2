//! Saves on a disk that fails, a program that is killed, and others that write at the same time.

#![allow(clippy::unwrap_used)]

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use countersign_core::{
    secret::Password,
    vault::{
        Session, newest_good,
        session::{EditError, OpenError, SaveError},
        store::{FileStore, Guard, Part, Store},
        verify,
    },
};

use crate::vault::{NOW, add, create, issuers, kdf, open, password, random_id, rng, spec};

/// What goes wrong, and at which operation of the store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The operation does nothing and says so.
    Fails,
    /// The operation does its work and says that it failed.
    FailsAfterwards,
    /// A write stops half way on a full disk; other operations fail.
    DiskFull,
    /// Nothing happens from here on: the program was killed.
    Killed,
    /// A write is cut in half, and then the program is killed.
    KilledHalfWay,
    /// What is read has one bit flipped.
    BitFlipped,
}

/// A file store that fails at the operation that it is told to.
struct FailingStore {
    inner: FileStore,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    fault: Option<(usize, Fault)>,
    operations: Vec<&'static str>,
    killed: bool,
}

impl FailingStore {
    fn new(path: &Path) -> (Self, Arc<Mutex<Plan>>) {
        let plan = Arc::new(Mutex::new(Plan::default()));
        (Self { inner: FileStore::new(path), plan: plan.clone() }, plan)
    }

    fn step(&self, name: &'static str) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        if plan.killed {
            return Some(Fault::Killed);
        }
        let at = plan.operations.len();
        plan.operations.push(name);
        let fault = plan.fault.filter(|(index, _)| *index == at).map(|(_, fault)| fault);
        plan.killed = matches!(fault, Some(Fault::Killed | Fault::KilledHalfWay));
        fault
    }

    fn run<T>(&self, name: &'static str, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.step(name) {
            None | Some(Fault::BitFlipped) => work(),
            Some(Fault::FailsAfterwards) => {
                work()?;
                Err(io::Error::other("failed afterwards"))
            }
            Some(Fault::DiskFull | Fault::KilledHalfWay) => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Fails | Fault::Killed) => Err(io::Error::other("failed")),
        }
    }
}

impl Store for FailingStore {
    fn path(&self) -> &Path {
        self.inner.path()
    }

    fn lock(&self) -> io::Result<Guard> {
        self.run("lock", || self.inner.lock())
    }

    fn read(&self, part: Part) -> io::Result<Option<Vec<u8>>> {
        let flip = {
            let plan = self.plan.lock().unwrap();
            plan.fault == Some((plan.operations.len(), Fault::BitFlipped))
        };
        let mut bytes = self.run("read", || self.inner.read(part))?;
        if let Some(bytes) = &mut bytes
            && flip
        {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        Ok(bytes)
    }

    fn exists(&self, part: Part) -> io::Result<bool> {
        self.run("exists", || self.inner.exists(part))
    }

    fn write_new(&self, bytes: &[u8]) -> io::Result<()> {
        match self.step("write_new") {
            None | Some(Fault::BitFlipped) => self.inner.write_new(bytes),
            Some(Fault::FailsAfterwards) => {
                self.inner.write_new(bytes)?;
                Err(io::Error::other("failed afterwards"))
            }
            Some(Fault::DiskFull | Fault::KilledHalfWay) => {
                self.inner.write_new(&bytes[..bytes.len() / 2])?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Some(Fault::Fails | Fault::Killed) => Err(io::Error::other("failed")),
        }
    }

    fn sync_new(&self) -> io::Result<()> {
        self.run("sync_new", || self.inner.sync_new())
    }

    fn rename(&self, from: Part, to: Part) -> io::Result<()> {
        self.run("rename", || self.inner.rename(from, to))
    }

    fn duplicate(&self, from: Part, to: Part) -> io::Result<()> {
        self.run("duplicate", || self.inner.duplicate(from, to))
    }

    fn remove(&self, part: Part) -> io::Result<()> {
        self.run("remove", || self.inner.remove(part))
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.run("sync_folder", || self.inner.sync_folder())
    }

    fn create_folder(&self) -> io::Result<()> {
        self.run("create_folder", || self.inner.create_folder())
    }
}

/// Operations of one save, with three generations there.
fn operations_of_a_save() -> Vec<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    let (mut session, plan) = failing(&folder.path().join("vault.json"));
    plan.lock().unwrap().operations.clear();
    add(&mut session, "counted").unwrap();
    let operations = plan.lock().unwrap().operations.clone();
    assert!(operations.len() > 10, "{operations:?}");
    operations
}

/// A vault with tokens and three generations, in a store that fails when told to.
fn failing(path: &Path) -> (Session, Arc<Mutex<Plan>>) {
    let mut first = create(path);
    for number in 0..4 {
        add(&mut first, &format!("before {number}")).unwrap();
    }
    let (store, plan) = FailingStore::new(path);
    (Session::open(Box::new(store), &password("pass")).unwrap(), plan)
}

#[test]
fn every_operation_of_a_save_may_fail() {
    let operations = operations_of_a_save();
    for fault in
        [Fault::Fails, Fault::FailsAfterwards, Fault::DiskFull, Fault::Killed, Fault::KilledHalfWay, Fault::BitFlipped]
    {
        let mut failed = 0;
        for (index, operation) in operations.iter().enumerate() {
            let context = format!("{fault:?} at {index} ({operation})");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("vault.json");
            let (mut session, plan) = failing(&path);
            let before = session.content().clone();
            {
                let mut plan = plan.lock().unwrap();
                plan.operations.clear();
                plan.fault = Some((index, fault));
            }
            let result = add(&mut session, "during");
            failed += usize::from(result.is_err());

            // The disk opens, and holds everything that was reported as saved, and nothing half.
            let reopened = open(&path).unwrap_or_else(|error| panic!("{context}: {error:?}"));
            let on_disk = issuers(reopened.content());
            assert_eq!(on_disk[..4], ["before 0", "before 1", "before 2", "before 3"], "{context}");
            assert!(on_disk.len() <= 5, "{context}");
            if let Ok(id) = &result {
                assert!(reopened.content().token(*id).is_some(), "{context}: {on_disk:?}");
            }
            // Memory is as before, or as the disk where the new file is in place already.
            match &result {
                Err(EditError::Save(SaveError::NotSynced(_))) | Ok(_) => {
                    assert_eq!(session.content(), reopened.content(), "{context}");
                }
                Err(_) => assert_eq!(session.content(), &before, "{context}"),
            }
            let good = verify(&FileStore::new(&path), &password("pass"));
            assert!(good.iter().all(|report| report.outcome.is_ok()), "{context}: {good:?}");
            assert!(good.len() >= 3, "{context}: a generation and more was lost: {good:?}");

            // The same session goes on once the disk works again, and so does another program.
            if !plan.lock().unwrap().killed {
                plan.lock().unwrap().fault = None;
                add(&mut session, "after").unwrap_or_else(|error| panic!("{context}: {error:?}"));
            } else {
                add(&mut open(&path).unwrap(), "after").unwrap();
            }
            let after = open(&path).unwrap();
            assert_eq!(after.content().find("before").len(), 4, "{context}");
            assert_eq!(after.content().find("after").len(), 1, "{context}");
            assert!(!path.with_extension("json.new").exists(), "{context}");
        }
        // Only what is read can be flipped.
        let expected = if fault == Fault::BitFlipped { 2 } else { operations.len() / 2 };
        assert!(failed >= expected, "{fault:?} failed {failed} of {} saves only", operations.len());
    }
}

#[test]
fn failed_saves_push_no_generation_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let (mut session, plan) = failing(&path);
    let generations = || -> Vec<u64> {
        let reports = verify(&FileStore::new(&path), &password("pass"));
        reports.into_iter().map(|report| report.outcome.unwrap().generation).collect()
    };
    assert_eq!(generations(), [5, 4, 3, 2]);
    let last_rename = operations_of_a_save().iter().rposition(|name| *name == "rename").unwrap();
    for attempt in 0..5 {
        {
            let mut plan = plan.lock().unwrap();
            plan.operations.clear();
            // The first attempt moves the generations, so the later ones have fewer operations.
            let at = if attempt == 0 { last_rename } else { last_rename - 5 };
            plan.fault = Some((at, Fault::Fails));
        }
        let failed = add(&mut session, "lost");
        let at = plan.lock().unwrap().operations.clone();
        assert!(failed.is_err(), "{attempt}: {at:?}");
        assert_eq!(generations(), [5, 5, 4, 3], "attempt {attempt}: {at:?}");
    }
    plan.lock().unwrap().fault = None;
    add(&mut session, "kept").unwrap();
    assert_eq!(generations(), [6, 5, 4, 3]);
}

#[test]
fn creation_may_fail_at_every_operation() {
    for index in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/vault.json");
        let (store, plan) = FailingStore::new(&path);
        plan.lock().unwrap().fault = Some((index, Fault::Fails));
        let made = Session::create(Box::new(store), &Password::new("pass"), kdf(), &mut rng(), NOW);
        let reached = plan.lock().unwrap().operations.len() > index;
        if path.exists() {
            assert!(open(&path).is_ok(), "{index}");
        } else {
            assert!(made.is_err(), "{index}");
            create(&path);
        }
        if !reached {
            assert!(made.is_ok());
            assert!(index > 8, "only {index} operations");
            break;
        }
    }
}

#[test]
fn two_sessions_edit_in_turn_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut window = create(&path);
    let mut terminal = open(&path).unwrap();
    for number in 0..10 {
        add(&mut window, &format!("window {number}")).unwrap();
        add(&mut terminal, &format!("terminal {number}")).unwrap();
    }
    assert_eq!(terminal.content().tokens().len(), 20);
    assert!(window.refresh().unwrap());
    assert!(!window.refresh().unwrap());
    assert_eq!(window.content(), terminal.content());
    assert_eq!(window.generation(), 21);
}

#[test]
fn two_threads_write_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    create(&path);
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let path = path.clone();
            thread::spawn(move || {
                let mut session = open(&path).unwrap();
                (0..15).map(|at| add(&mut session, &format!("{number} {at}")).unwrap()).collect::<Vec<_>>()
            })
        })
        .collect();
    let saved: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let session = open(&path).unwrap();
    assert_eq!(session.content().tokens().len(), 60);
    assert!(saved.iter().all(|id| session.content().token(*id).is_some()));
    assert_eq!(session.generation(), 61);
}

#[test]
fn a_damaged_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    add(&mut session, "one").unwrap();
    add(&mut session, "two").unwrap();
    let good = std::fs::read(&path).unwrap();
    for at in [5, good.len() / 2, good.len() - 4] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(add(&mut session, "three"), Err(EditError::Save(SaveError::Damaged(_)))), "{at}");
        assert!(matches!(session.refresh(), Err(OpenError::Damaged { .. })), "{at}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert_eq!(session.content().tokens().len(), 2);
    }

    // The newest good generation takes its place on a person's word, and the damaged file stays beside.
    let damaged = std::fs::read(&path).unwrap();
    let store = FileStore::new(&path);
    assert_eq!(newest_good(&store, &password("pass")), Some(1));
    let key = password("pass");
    let mut restored = Session::restore_generation(Box::new(store.clone()), &key, 1, &mut rng()).unwrap();
    assert_eq!(issuers(restored.content()), ["one"]);
    assert_eq!(std::fs::read(store.part_path(Part::Aside(1))).unwrap(), damaged);
    assert_eq!(restored.generation(), 4);
    add(&mut restored, "three").unwrap();
    // Whoever had it open takes the restored one for the newer.
    add(&mut session, "four").unwrap();
    assert_eq!(issuers(open(&path).unwrap().content()), ["one", "three", "four"]);
}

#[test]
fn an_older_copy_is_not_mistaken_for_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    add(&mut session, "one").unwrap();
    let older = std::fs::read(&path).unwrap();
    add(&mut session, "two").unwrap();
    std::fs::write(&path, &older).unwrap();
    assert!(matches!(add(&mut session, "three"), Err(EditError::Save(SaveError::Older { on_disk: 2, open: 3 }))));
    assert_eq!(session.content().tokens().len(), 2);
}

#[test]
fn a_file_that_is_gone_is_told_once_and_then_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    add(&mut session, "one").unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(add(&mut session, "two"), Err(EditError::Save(SaveError::Gone(_)))));
    assert!(!path.exists());
    add(&mut session, "two").unwrap();
    assert_eq!(issuers(open(&path).unwrap().content()), ["one", "two"]);
}

#[test]
fn a_new_vault_keeps_the_generations_of_a_lost_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    add(&mut session, "old").unwrap();
    assert!(matches!(
        Session::create(Box::new(FileStore::new(&path)), &Password::new("x"), kdf(), &mut rng(), NOW),
        Err(SaveError::Exists(_))
    ));
    std::fs::remove_file(&path).unwrap();
    let store = FileStore::new(&path);
    let earlier = std::fs::read(store.part_path(Part::Earlier(1))).unwrap();
    let mut new = create(&path);
    for _ in 0..5 {
        add(&mut new, "new").unwrap();
    }
    assert_eq!(std::fs::read(store.part_path(Part::Aside(1))).unwrap(), earlier);
}

#[test]
fn what_a_killed_program_left_behind_is_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let left = folder.path().join("vault.json.new");
    std::fs::write(&left, b"half a vau").unwrap();
    add(&mut session, "one").unwrap();
    assert!(!left.exists());
    assert_eq!(open(&path).unwrap().content().tokens().len(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_files_are_private() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real/vault.json");
    let mut session = create(&real);
    let link = folder.path().join("link.json");
    symlink("real/vault.json", &link).unwrap();
    let mut linked = open(&link).unwrap();
    add(&mut linked, "through the link").unwrap();
    add(&mut session, "beside it").unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(open(&link).unwrap().content().tokens().len(), 2);
    for name in ["vault.json", "vault.json.1", "vault.json.2", "vault.json.lock"] {
        let mode = std::fs::metadata(real.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(std::fs::metadata(real.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    std::fs::File::create(&path).unwrap().set_len(300 * 1024 * 1024).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::FileTooLarge));
}

#[test]
fn an_edit_that_changes_nothing_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let mut session = create(&path);
    let before = std::fs::read(&path).unwrap();
    session.edit::<_, ()>(&mut rng(), NOW, |_| Ok(())).unwrap();
    let refused = session.edit(&mut rng(), NOW, |content| {
        content.add(random_id(), spec("refused"), NOW);
        Err::<(), _>("no")
    });
    assert!(matches!(refused, Err(EditError::Change("no"))));
    assert!(session.content().tokens().is_empty());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
