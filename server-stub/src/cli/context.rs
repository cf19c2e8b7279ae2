//! What every command works with, and what can go wrong before it begins.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use etcetera::BaseStrategy as _;

use super::{args::Place, files};
use crate::{
    admin::{Admin, AdminError},
    domain::links::LinkError,
    password::HashFailed,
    seal::{Keys, KeysError},
    service::{Clock, Random},
    store::{Actor, Durability, OpenError, Store, StoreError, Stranger, advice},
};

/// The variable that holds the keys where no file does.
const KEYS_VARIABLE: &str = "COUNTERSIGN_SERVER_KEYS";

/// The open database, the keys, and the time.
#[derive(Debug)]
pub(super) struct Context {
    /// The database.
    pub(super) store: Store,
    /// What an administrator at the console does.
    pub(super) admin: Admin,
    /// The keys.
    pub(super) keys: Arc<Keys>,
    /// Where the keys lie; `None` where they came from the environment.
    pub(super) keys_file: Option<PathBuf>,
    /// Where things are, for people.
    pub(super) place: String,
    /// What is not as it should be, and what to do.
    pub(super) warnings: Vec<String>,
    /// The clock.
    pub(super) clock: Clock,
    /// The source of randomness.
    pub(super) random: Random,
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum CliError {
    /// Reading or writing something of the machine.
    #[error("{0}: {1}")]
    Io(&'static str, #[source] io::Error),
    /// Nobody can be listened to there.
    #[error("{address} cannot be listened at: {source}")]
    Listen {
        /// The address that was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is a database with secrets, but the keys that it was written with are gone.
    #[error("the database has been written to, but its keys are missing: restore {0}, or set {KEYS_VARIABLE}")]
    KeysGone(String),
    /// The newest key that the database was written with is not among those that are there.
    #[error("key {number}, which the database was written with last, is not in {place}; nothing was changed")]
    KeyMissing {
        /// The key's number.
        number: i64,
        /// Where the keys are.
        place: String,
    },
    /// The keys are others than those the database was written with.
    #[error("the keys in {0} are not those that the database was written with; nothing was changed")]
    KeysWrong(String),
    /// The variable with the keys is wrong.
    #[error("{KEYS_VARIABLE}: {0}")]
    KeysVariable(#[source] KeysError),
    /// No place for the data, and none was named.
    #[error("this account has no home folder: name a folder with --data")]
    NoHome,
    /// What an administrator asked for was not done.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// Something else that was given is wrong.
    #[error("{0}")]
    Usage(String),
    /// No memory for the password's hash.
    #[error(transparent)]
    Hash(#[from] HashFailed),
    /// The certificate or its key.
    #[error("TLS: {0}")]
    Tls(String),
}

impl CliError {
    /// The stable code of this error, for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Io(..) | Self::File { .. } => "io",
            Self::Listen { .. } => "address_unusable",
            Self::Open(_) => "database_not_opened",
            Self::Store(error) => error.code(),
            Self::KeysGone(_) | Self::KeyMissing { .. } => "keys_missing",
            Self::KeysWrong(_) => "keys_wrong",
            Self::KeysVariable(_) => "keys_invalid",
            Self::NoHome => "folder_missing",
            Self::Admin(error) => error.code(),
            Self::Hash(_) => "unavailable",
            Self::Tls(_) => "tls",
        }
    }

    /// What to do about it, where that is not plain.
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Admin(AdminError::Enrollment(LinkError::NoPhone)) => {
                return Some("`user set NAME --phone NUMBER`; the code of a registration goes there");
            }
            Self::Admin(AdminError::Enrollment(LinkError::NoEmail)) => return Some("`user set NAME --email ADDRESS`"),
            Self::Open(error) => return error.advice(),
            Self::Listen { source, .. } => {
                return match source.kind() {
                    io::ErrorKind::AddrInUse => Some("another program listens there: `--listen` names another address"),
                    io::ErrorKind::PermissionDenied => {
                        Some("ports below 1024 are the system's: `--listen` names another")
                    }
                    io::ErrorKind::AddrNotAvailable => {
                        Some("it is no address of this machine: `--listen` names another")
                    }
                    _ => None,
                };
            }
            Self::KeyMissing { .. } => {
                return Some(
                    "put back the keys as they were after the last `key rotate`; without that key what it sealed is lost",
                );
            }
            Self::KeysWrong(_) => {
                return Some("take the keys from where the database was written first, or from their backup");
            }
            _ => {}
        }
        let (Self::Admin(AdminError::Store(error)) | Self::Store(error)) = self else { return None };
        Some(match error {
            StoreError::Missing("user") => "`user list` says who there is",
            StoreError::Missing("group") => "`group list` says which there are",
            StoreError::Missing("token") => "`token list USER` says which there are",
            StoreError::InUse => {
                "`user list` says who; `user set NAME --group OTHER` moves one, `--group ''` into none"
            }
            StoreError::Missing("API key") => "`api-key list` says which there are",
            StoreError::Missing("registered app") => "`app list` says who has one",
            StoreError::Missing("administrator") => {
                "`admin create` makes one, `user set NAME --administrator true` makes a user one"
            }
            StoreError::Exists => {
                "names are one in every spelling: `user list`, `group list` or `api-key list` shows it"
            }
            StoreError::Unavailable(error) | StoreError::Failed(error) => return advice(error),
            _ => return None,
        })
    }

    /// The exit code: 2 what was given is wrong, 3 what was named is not there, 4 it is there already, 1 anything else.
    pub(super) fn exit(&self) -> u8 {
        let store = match self {
            Self::Usage(_) => return 2,
            Self::Admin(AdminError::Store(error)) | Self::Store(error) => error,
            Self::Admin(AdminError::Hash(_)) => return 1,
            Self::Admin(AdminError::HasToken(_)) => return 4,
            Self::Admin(_) => return 2,
            _ => return 1,
        };
        match store {
            StoreError::Missing(_) => 3,
            StoreError::Exists => 4,
            StoreError::Contradiction { .. } | StoreError::InUse => 2,
            _ => 1,
        }
    }
}

impl Context {
    /// Opens what the arguments name, making what is missing.
    pub(super) async fn open(place: &Place) -> Result<Self, CliError> {
        let folder = match &place.data {
            Some(folder) => folder.clone(),
            None => {
                etcetera::choose_base_strategy().map_err(|_| CliError::NoHome)?.data_dir().join("countersign-server")
            }
        };
        let file = match &place.database {
            Some(address) => files::database_of(address),
            None => {
                make_folder(&folder)?;
                Some(folder.join("server.db"))
            }
        };
        // Before it is opened, too: what the database puts beside itself is as open as the database.
        file.as_deref().into_iter().for_each(files::tighten);
        let (store, shown) = match (&place.database, &file) {
            (None, Some(file)) => (Store::open_file(file, Durability::Full).await?, file.display().to_string()),
            (address, _) => {
                let address = address.as_deref().unwrap_or_default();
                (Store::open(address, Durability::Full).await?, "the database that was named".to_owned())
            }
        };
        let random = Random::system();
        let written = store.newest_key().await? > 0;
        let (keys, keys_file) = keys(&folder, written, &random)?;
        recognise(&store, &keys, keys_file.as_deref()).await?;
        let keys = Arc::new(keys);
        let actor = Actor { name: "console".to_owned(), over_administrators: true };
        let admin = Admin::new(&store, keys.clone(), random.clone(), actor);
        let warnings = keys_file.as_deref().and_then(files::open_to_others).into_iter().collect();
        Ok(Self { store, admin, keys, keys_file, place: shown, warnings, clock: Clock::system(), random })
    }
}

fn keys(folder: &Path, written: bool, random: &Random) -> Result<(Keys, Option<PathBuf>), CliError> {
    if let Ok(text) = std::env::var(KEYS_VARIABLE) {
        return Ok((text.parse().map_err(CliError::KeysVariable)?, None));
    }
    let path = folder.join("keys");
    let wrong = |source| CliError::File { path: path.clone(), source };
    if let Some(keys) = Keys::read(&path).map_err(wrong)? {
        return Ok((keys, Some(path)));
    }
    if written {
        return Err(CliError::KeysGone(path.display().to_string()));
    }
    make_folder(folder)?;
    let made = Keys::generate(random);
    match made.write(&path, false) {
        // Read again, as every later process does; and where another one was first, its keys are the ones.
        Ok(()) => {
            let keys = Keys::read(&path).map_err(wrong)?.unwrap_or(made);
            Ok((keys, Some(path)))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let keys =
                Keys::read(&path).map_err(wrong)?.ok_or_else(|| CliError::KeysGone(path.display().to_string()))?;
            Ok((keys, Some(path)))
        }
        Err(source) => Err(wrong(source)),
    }
}

/// Goes on where the keys are those of the database.
pub(super) async fn recognise(store: &Store, keys: &Keys, file: Option<&Path>) -> Result<(), CliError> {
    let place = || shown_keys(file);
    store.recognise(keys).await?.map_err(|stranger| match stranger {
        Stranger::Missing(number) => CliError::KeyMissing { number, place: place() },
        Stranger::Other => CliError::KeysWrong(place()),
    })
}

fn shown_keys(file: Option<&Path>) -> String {
    file.map_or_else(|| KEYS_VARIABLE.to_owned(), |path| path.display().to_string())
}

fn make_folder(folder: &Path) -> Result<(), CliError> {
    files::make_folder(folder).map_err(|source| CliError::File { path: folder.to_owned(), source })
}
