//! What opening and saving cost beside the key derivation and the disk. Prints a table; the best of several runs, so
//! that a busy machine shows less.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use countersign_core::{
    secret::Password,
    token::{Algorithm, Digits, Kind, Period, TokenId, TokenSecret, TokenSpec},
    vault::{
        KdfParams, Session,
        session::Key,
        store::{FileStore, Guard, Part, Store},
    },
};
use getrandom::SysRng;
use rand_core::{Rng, UnwrapErr};

const NOW: u64 = 1_790_000_000;
const RUNS: usize = 15;

/// A file store that leaves out fsync: what remains is ours.
struct Unsynced(FileStore);

impl Store for Unsynced {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn lock(&self) -> io::Result<Guard> {
        self.0.lock()
    }

    fn read(&self, part: Part) -> io::Result<Option<Vec<u8>>> {
        self.0.read(part)
    }

    fn exists(&self, part: Part) -> io::Result<bool> {
        self.0.exists(part)
    }

    fn write_new(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_new(bytes)
    }

    fn sync_new(&self) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, from: Part, to: Part) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn duplicate(&self, from: Part, to: Part) -> io::Result<()> {
        self.0.duplicate(from, to)
    }

    fn remove(&self, part: Part) -> io::Result<()> {
        self.0.remove(part)
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }

    fn create_folder(&self) -> io::Result<()> {
        self.0.create_folder()
    }
}

fn best(mut work: impl FnMut()) -> Duration {
    let timed = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..RUNS).map(timed).min().unwrap_or_default()
}

fn spec(number: usize) -> TokenSpec {
    let mut secret = vec![0; 20];
    UnwrapErr(SysRng).fill_bytes(&mut secret);
    TokenSpec {
        issuer: format!("Issuer {number}"),
        account: format!("user{number}@example.org"),
        kind: Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY },
        secret: TokenSecret::from_bytes(secret).unwrap(),
        label_issuer: None,
        uri_parameters: Vec::new(),
    }
}

fn id() -> TokenId {
    let mut bytes = [0; 16];
    UnwrapErr(SysRng).fill_bytes(&mut bytes);
    TokenId::from_random(bytes)
}

fn main() {
    let password = Password::new("benchmark");
    let key = Key::Password(password.clone());
    println!("tokens   file KiB   Argon2id   open beside it   save beside fsync   save in all   (ms, best of {RUNS})");
    for tokens in [0, 100, 1_000, 10_000] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault.json");
        let rng = &mut UnwrapErr(SysRng);
        let store = Box::new(FileStore::new(&path));
        // The smallest derivation, so that its spread does not hide what is measured; the recommended one is beside it.
        let small = KdfParams::new(8, 1, 1).unwrap();
        let mut session = Session::create(store, &password, small, rng, NOW).unwrap();
        let fill = |content: &mut countersign_core::vault::Content| {
            for number in 0..tokens {
                content.add(id(), spec(number), NOW);
            }
            Ok::<_, ()>(())
        };
        session.edit(rng, NOW, fill).unwrap();

        let open = best(|| {
            let session = Session::open(Box::new(FileStore::new(&path)), &key).unwrap();
            assert_eq!(session.content().tokens().len(), tokens);
        });
        let add = |content: &mut countersign_core::vault::Content| {
            content.add(id(), spec(0), NOW);
            Ok::<_, ()>(())
        };
        let mut unsynced = Session::open(Box::new(Unsynced(FileStore::new(&path))), &key).unwrap();
        let save = best(|| unsynced.edit(rng, NOW, add).unwrap());
        session.refresh().unwrap();
        let synced = best(|| session.edit(rng, NOW, add).unwrap());

        let kib = std::fs::metadata(&path).unwrap().len() / 1024;
        let params = KdfParams::RECOMMENDED;
        let slow = folder.path().join("slow.json");
        drop(Session::create(Box::new(FileStore::new(&slow)), &password, params, rng, NOW).unwrap());
        let argon2 = best(|| drop(Session::open(Box::new(FileStore::new(&slow)), &key).unwrap()));
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        println!(
            "{tokens:>6} {kib:>10} {:>10.1} {:>16.1} {:>19.1} {:>13.1}",
            ms(argon2),
            ms(open),
            ms(save),
            ms(synced)
        );
    }
}
