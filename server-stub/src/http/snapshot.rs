//! What nearly every request asks the database for, read once a second: settings and API keys. A key that was taken
//! back opens nothing a second later, in every process.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    domain::{policy::Settings, scope::Scopes},
    store::{Store, StoreError, in_time},
};

const FRESH: Duration = Duration::from_secs(1);

/// The state of one moment.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) settings: Settings,
    pub(crate) keys: HashMap<[u8; 32], KnownKey>,
}

/// An API key.
#[derive(Clone, Debug)]
pub(crate) struct KnownKey {
    /// What it is called.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) scopes: Scopes,
}

/// The newest snapshot.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// When it was taken.
    newest: Option<(Instant, Arc<Snapshot>)>,
    /// When the last try to take one failed.
    failed: Option<Instant>,
}

impl Cache {
    /// A snapshot that is at most a second old. Requests that find an older one wait for the one that reads, and have its
    /// failure in common.
    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Snapshot>, StoreError> {
        let asked = Instant::now();
        let mut kept = self.0.lock().await;
        let now = Instant::now();
        if let Some((taken, snapshot)) = &kept.newest
            && now.duration_since(*taken) < FRESH
        {
            return Ok(snapshot.clone());
        }
        if kept.failed.is_some_and(|failed| failed >= asked) {
            return Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut));
        }
        match in_time(read(store)).await {
            Ok(snapshot) => {
                let snapshot = Arc::new(snapshot);
                kept.newest = Some((now, snapshot.clone()));
                Ok(snapshot)
            }
            Err(error) => {
                kept.failed = Some(Instant::now());
                Err(error)
            }
        }
    }
}

async fn read(store: &Store) -> Result<Snapshot, StoreError> {
    let stored = store.stored_settings().await?;
    let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let hashes = store.api_key_hashes().await?;
    let known = |name, scopes: Vec<String>| KnownKey { name, scopes: Scopes::from_stored(&scopes) };
    let keys = hashes.into_iter().map(|(hash, name, scopes)| (hash, known(name, scopes))).collect();
    Ok(Snapshot { settings, keys })
}
