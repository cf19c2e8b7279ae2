//! What nearly every request asks the database for, read once a second: settings and API keys. A key that was taken
//! back opens nothing a second later, in every process. What was changed through this process holds at once, and a key
//! that is not known yet is looked for before it is refused.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use crate::{
    domain::{policy::Settings, scope::Scopes},
    store::{Store, StoreError},
};

const FRESH: Duration = Duration::from_secs(1);
/// Least time between two looks for keys that are not known, however many of those come.
const AGAIN: Duration = Duration::from_millis(50);

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

/// The newest snapshot, and when it was begun.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    newest: Mutex<Option<(Instant, Arc<Snapshot>)>>,
    /// Those who want a newer one wait here, and not in the way of those who do not.
    turn: Mutex<()>,
}

impl Cache {
    /// A snapshot that is at most a second old. Requests that find an older one wait for the one that reads.
    pub(crate) async fn get(&self, store: &Store) -> Result<Arc<Snapshot>, StoreError> {
        self.of_after(store, |taken| taken.elapsed() < FRESH).await
    }

    /// A snapshot of after this moment. Whoever comes while one is read shares the next.
    pub(crate) async fn newer(&self, store: &Store) -> Result<Arc<Snapshot>, StoreError> {
        let asked = Instant::now();
        let _turn = self.turn.lock().await;
        let before = self.newest.lock().await.as_ref().map(|(taken, _)| *taken);
        if let Some(taken) = before.filter(|taken| *taken < asked) {
            sleep_until(taken + AGAIN).await;
        }
        self.of_after(store, |taken| taken >= asked).await
    }

    /// Has the next request read what was just changed.
    pub(crate) async fn forget(&self) {
        *self.newest.lock().await = None;
    }

    /// The newest snapshot where it is new enough, or another.
    async fn of_after(&self, store: &Store, is_new: impl Fn(Instant) -> bool) -> Result<Arc<Snapshot>, StoreError> {
        let mut newest = self.newest.lock().await;
        if let Some((taken, snapshot)) = &*newest
            && is_new(*taken)
        {
            return Ok(snapshot.clone());
        }
        let taken = Instant::now();
        let stored = store.stored_settings().await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let hashes = store.api_key_hashes().await?;
        let known = |name, scopes: Vec<String>| KnownKey { name, scopes: Scopes::from_stored(&scopes) };
        let keys = hashes.into_iter().map(|(hash, name, scopes)| (hash, known(name, scopes))).collect();
        let snapshot = Arc::new(Snapshot { settings, keys });
        *newest = Some((taken, snapshot.clone()));
        Ok(snapshot)
    }
}
