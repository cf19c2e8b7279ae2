//! Time and randomness as values, so that everything below the composition root can be repeated.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rand_core::{CryptoRng, UnwrapErr};

/// The clock: Unix milliseconds.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// A clock that says what the function says, in Unix milliseconds.
    pub fn new(millis: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(millis))
    }

    /// The system's clock.
    #[expect(clippy::disallowed_methods, reason = "the composition root's clock")]
    pub fn system() -> Self {
        Self::new(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// Now.
    pub fn now(&self) -> Now {
        Now { millis: (self.0)() }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// An instant as it was read once for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Unix milliseconds.
    pub millis: u64,
}

impl Now {
    /// Unix seconds.
    pub fn seconds(self) -> i64 {
        i64::try_from(self.millis / 1000).unwrap_or(i64::MAX)
    }
}

/// The source of randomness.
#[derive(Clone)]
pub struct Random(Arc<Mutex<Box<dyn CryptoRng + Send>>>);

impl Random {
    /// A source of one's own, for tests that repeat.
    pub fn new(source: impl CryptoRng + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(source))))
    }

    /// The system's.
    pub fn system() -> Self {
        Self::new(UnwrapErr(getrandom::SysRng))
    }

    /// `N` bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }

    /// Lends the source.
    pub fn with<T>(&self, work: impl FnOnce(&mut (dyn CryptoRng + Send)) -> T) -> T {
        work(&mut **self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An identifier that sorts by time (UUID version 7, RFC 9562).
    pub fn id(&self, now: Now) -> String {
        uuid::Builder::from_unix_timestamp_millis(now.millis, &self.bytes()).into_uuid().to_string()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
