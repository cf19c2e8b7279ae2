//! What nearly every request asks the database for, read once a second: settings and API keys. A key that was taken
//! back opens nothing a second later, in every process.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    domain::{policy::Settings, scope::Scopes},
    store::{Store, StoreError},
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

/// The newest snapshot, and when it was taken.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Option<(Instant, Arc<Snapshot>)>>);

impl Cache {
    /// A snapshot that is at most a second old. Requests that find an older one wait for the one that reads.
    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Snapshot>, StoreError> {
        let mut newest = self.0.lock().await;
        let now = Instant::now();
        if let Some((taken, snapshot)) = &*newest
            && now.duration_since(*taken) < FRESH
        {
            return Ok(snapshot.clone());
        }
        let stored = store.stored_settings().await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let hashes = store.api_key_hashes().await?;
        let known = |name, scopes: Vec<String>| KnownKey { name, scopes: Scopes::from_stored(&scopes) };
        let keys = hashes.into_iter().map(|(hash, name, scopes)| (hash, known(name, scopes))).collect();
        let snapshot = Arc::new(Snapshot { settings, keys });
        *newest = Some((now, snapshot.clone()));
        Ok(snapshot)
    }
}
