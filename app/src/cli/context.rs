//! What every command stands on: the vault's place, the ways to a password, the clock and the randomness.

use std::{
    path::PathBuf,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use countersign_core::{
    secret::SecretText,
    vault::{
        Content, KdfParams, Session,
        session::{EditError, Key, OpenError},
        store::FileStore,
    },
};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::{
    args::{Global, KdfArgs},
    failure::Failure,
    location,
    output::Output,
    passwords::{self, Source, Stdin},
};

/// How long a key derivation of a new password may take.
const KDF_TARGET: Duration = Duration::from_millis(500);

/// The arguments that all commands share, resolved once.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) out: Output,
    pub(crate) path: PathBuf,
    pub(crate) stdin: Stdin,
    password_file: Option<PathBuf>,
    recovery_key_file: Option<PathBuf>,
}

/// What is to open the vault, read as far as it was given.
#[derive(Debug)]
pub(crate) struct KeySource {
    source: Source,
    recovery: bool,
}

impl Context {
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        let path = match global.vault {
            Some(path) if path.as_os_str().is_empty() => {
                return Err(Failure::usage("The vault's file has no name: --vault or COUNTERSIGN_VAULT is empty.")
                    .hint("Name a file, or leave it out."));
            }
            Some(path) => path,
            None => location::default_vault()?,
        };
        Ok(Self {
            out: Output { json: global.json },
            path,
            stdin: Stdin::default(),
            password_file: global.password_file,
            recovery_key_file: global.recovery_key_file,
        })
    }

    /// Reads the password or recovery key as far as it is given; the first line of standard input with `-`.
    pub(crate) fn key_source(&mut self) -> Result<KeySource, Failure> {
        let recovery = self.recovery_key_file.is_some();
        let source = if recovery {
            passwords::source(self.recovery_key_file.as_deref(), "--recovery-key-file", &mut self.stdin)?
        } else {
            self.password_source()?
        };
        Ok(KeySource { source, recovery })
    }

    /// The password of a vault that is made.
    pub(crate) fn password_source(&mut self) -> Result<Source, Failure> {
        passwords::source(self.password_file.as_deref(), "--password-file", &mut self.stdin)
    }

    /// Asks where it must, and gives the key.
    pub(crate) fn key(&self, source: KeySource) -> Result<Key, Failure> {
        let text = source.source.get("Password: ", &self.stdin)?;
        Ok(if source.recovery {
            Key::Recovery(SecretText::new(text.trim().to_owned()))
        } else {
            Key::Password(countersign_core::secret::Password::new(&text))
        })
    }

    /// Opens the vault with a key that was read before.
    pub(crate) fn open_with(&self, source: KeySource) -> Result<Session, Failure> {
        let recovery = source.recovery;
        // A missing vault is said before anybody types a password for it.
        if !self.path.exists() {
            return Err(Failure::open(OpenError::Missing(self.path.clone()), &self.path, recovery));
        }
        let key = self.key(source)?;
        let session = Session::open(self.store(), &key).map_err(|error| Failure::open(error, &self.path, recovery))?;
        let unreadable = session.content().unreadable().len();
        if unreadable > 0 {
            self.out.warn(&format!(
                "{} of the vault cannot be read by this version; kept as they are, and left out here (`countersign unreadable` lists them)",
                if unreadable == 1 { "1 entry".into() } else { format!("{unreadable} entries") }
            ));
        }
        Ok(session)
    }

    /// Opens the vault.
    pub(crate) fn open(&mut self) -> Result<Session, Failure> {
        let source = self.key_source()?;
        self.open_with(source)
    }

    /// Changes the vault and saves it.
    pub(crate) fn edit<T>(
        &self,
        session: &mut Session,
        change: impl FnOnce(&mut Content) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        session.edit(&mut rng(), now(), change).map_err(|error: EditError<Failure>| Failure::edit(error, &self.path))
    }

    pub(crate) fn store(&self) -> Box<FileStore> {
        Box::new(FileStore::new(self.path.clone()))
    }
}

/// The system's randomness.
pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// 16 random bytes, for an identifier.
pub(crate) fn random_id() -> [u8; 16] {
    use rand_core::Rng as _;

    let mut bytes = [0; 16];
    rng().fill_bytes(&mut bytes);
    bytes
}

/// The clock in Unix seconds.
#[allow(clippy::disallowed_methods, reason = "the command line is a composition root")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The key derivation of a new password: as asked, or as many passes as fit in half a second.
#[allow(clippy::disallowed_methods, reason = "the command line is a composition root")]
pub(crate) fn kdf(args: KdfArgs, out: Output) -> Result<KdfParams, Failure> {
    let recommended = KdfParams::RECOMMENDED;
    let memory_kib = args.kdf_memory.map_or(recommended.memory_kib(), |mib| mib * 1024);
    let passes = args.kdf_passes.unwrap_or(recommended.passes());
    let params = KdfParams::new(memory_kib, passes, recommended.lanes())
        .map_err(|error| Failure::usage(format!("That is no key derivation: {error}.")))?;
    if params.memory_kib() < recommended.memory_kib() || params.passes() < recommended.passes() {
        out.warn("this key derivation is weaker than RFC 9106 recommends (64 MiB, 3 passes)");
    }
    if args.kdf_passes.is_some() {
        return Ok(params);
    }
    Ok(params.calibrate(KDF_TARGET, |work| {
        let start = Instant::now();
        work();
        start.elapsed()
    }))
}
