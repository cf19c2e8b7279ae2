//! Sends what was written. At least once: a process that dies between sending and saying so sends again, under the same
//! key, by which a gateway or a mail program knows it.

mod console;
mod gateway;
mod senders;
mod smtp;
mod twilio;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet};
use tokio_rustls::rustls;

use senders::{Mail, Secrets, Senders, Sms, need, senders};
pub use senders::{Unset, check};

use crate::{
    seal::Keys,
    service::{Clock, Now, Random},
    store::{
        Store, StoreError,
        outbox::{Channel, Failure, Message},
    },
};

/// How often other processes' messages are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Messages that are sent at once: a gateway that is slow to answer holds up no more than these.
const AT_ONCE: usize = 8;
/// How long one request to a gateway may take. Twice that is below the time for which a message is claimed.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Seconds after the first try; each further one doubles them.
const FIRST_DELAY: i64 = 5;
/// The longest delay between two tries, in seconds.
pub(crate) const LONGEST_DELAY: i64 = 3600;
/// How long messages under way may take when the server ends.
const END_WITHIN: Duration = Duration::from_secs(10);

/// What a sender has to say of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Try {
    /// The gateway has it, and calls it this.
    Sent(Option<String>),
    /// The gateway does not have it, and another try may do.
    Later {
        reason: String,
        /// Seconds that the gateway asks to be left alone for.
        after: Option<i64>,
    },
    /// Nobody knows whether the gateway has it.
    Unclear(String),
    /// No further try will do.
    Never(String),
}

/// No client for HTTPS: the system's certificates cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("no HTTPS client: {0}")]
pub struct ClientError(#[source] reqwest::Error);

/// Sends messages.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    keys: Arc<Keys>,
    clock: Clock,
    random: Random,
    http: reqwest::Client,
    patience: Duration,
    /// Whether messages that go to the console are shown as JSON.
    json: bool,
    /// What was set when it was last looked at, and what it makes.
    newest: Arc<Mutex<Option<Newest>>>,
}

type Stored = Vec<(String, String)>;
type Newest = (Stored, Arc<Senders>);

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Puts the parts together. `patience` is how long one request to a gateway may take.
    ///
    /// # Errors
    ///
    /// There is no HTTPS client.
    pub fn new(
        store: Store,
        keys: Arc<Keys>,
        clock: Clock,
        random: Random,
        patience: Duration,
    ) -> Result<Self, ClientError> {
        // Whoever came first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            // What is sent holds codes and keys: it goes where it was told to, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(patience)
            .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError)?;
        Ok(Self { store, keys, clock, random, http, patience, json: false, newest: Arc::default() })
    }

    /// The same, which shows messages that go to the console as JSON, one object a line.
    pub fn showing_json(self, json: bool) -> Self {
        Self { json, ..self }
    }

    /// Sends messages as they are written, until `end`; then waits for those under way.
    pub async fn run(&self, written: &Notify, end: &Notify) {
        let mut tasks = JoinSet::new();
        loop {
            while tasks.len() < AT_ONCE {
                match self.claim().await {
                    Ok(Some((message, senders))) => {
                        let outbox = self.clone();
                        tasks.spawn(async move { outbox.deliver(message, &senders).await });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "messages are waiting");
                        break;
                    }
                }
            }
            tokio::select! {
                () = end.notified() => break,
                _ = tasks.join_next(), if !tasks.is_empty() => {}
                () = written.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        // What is not done by then is sent again by another process.
        let _ = tokio::time::timeout(END_WITHIN, async { while tasks.join_next().await.is_some() {} }).await;
    }

    /// Sends what is due, one after another; how many messages that was.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn send_due(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        while let Some((message, senders)) = self.claim().await? {
            self.deliver(message, &senders).await;
            count += 1;
        }
        Ok(count)
    }

    async fn claim(&self) -> Result<Option<(Message, Arc<Senders>)>, StoreError> {
        let Some(message) = self.store.claim_message(&self.keys, self.clock.now().seconds()).await? else {
            return Ok(None);
        };
        Ok(Some((message, self.senders().await?)))
    }

    /// What is set now. Connections stay as long as the settings do.
    async fn senders(&self) -> Result<Arc<Senders>, StoreError> {
        let stored = self.store.stored_settings().await?;
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, senders)) = &*newest
            && *seen == stored
        {
            return Ok(senders.clone());
        }
        let senders = Arc::new(senders(&stored, &self.keys, &self.http, self.patience));
        *newest = Some((stored, senders.clone()));
        Ok(senders)
    }

    async fn deliver(&self, message: Message, senders: &Senders) {
        let now = self.clock.now();
        let outcome = if message.expires_at.is_some_and(|until| until <= now.seconds()) {
            let last = message.reason.as_ref().map_or_else(String::new, |reason| format!("; {reason}"));
            Try::Never(format!("it could not be sent while it was of use{last}"))
        } else if message.tries > senders.tries {
            // Whoever tried so often did not live to say what happened.
            Try::Never(format!("given up after {} tries", senders.tries))
        } else {
            self.attempt(&message, senders, now).await
        };
        let marked = match &outcome {
            Try::Sent(gateway_id) => {
                tracing::debug!(message = %message.id, channel = message.channel.name(), "sent");
                self.mark_sent(&message, gateway_id.as_deref()).await
            }
            failed => {
                let failure = self.failure(failed, &message, senders.tries);
                let (reason, last) = (&failure.reason, failure.again_at.is_none());
                tracing::warn!(message = %message.id, channel = message.channel.name(), reason, last, "not sent");
                self.store.message_failed(&self.keys, &message, &failure, self.clock.now()).await
            }
        };
        // It comes up again when its claim has run out.
        if let Err(error) = marked {
            tracing::warn!(message = %message.id, %error, "what became of a message could not be kept");
        }
    }

    async fn attempt(&self, message: &Message, senders: &Senders, now: Now) -> Try {
        match (message.channel, &senders.sms, &senders.mail) {
            (Channel::Sms, Sms::Console, _) | (Channel::Mail, _, Mail::Console) => console::send(message, self.json),
            (Channel::Sms, Sms::Twilio(twilio), _) => twilio.send(message).await,
            (Channel::Sms, Sms::Gateway(gateway), _) => gateway.send(message).await,
            (Channel::Mail, _, Mail::Smtp(smtp)) => smtp.send(message, now).await,
            (Channel::Sms, Sms::Unset(unset), _) | (Channel::Mail, _, Mail::Unset(unset)) => {
                Try::Later { reason: unset.to_string(), after: None }
            }
        }
    }

    /// While the database is away, what was sent is not forgotten before its claim runs out.
    async fn mark_sent(&self, message: &Message, gateway_id: Option<&str>) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            match self.store.message_sent(&message.id, gateway_id, self.clock.now().seconds()).await {
                Err(StoreError::Unavailable(_)) if tries < 10 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                done => return done,
            }
        }
    }

    fn failure(&self, outcome: &Try, message: &Message, most: i64) -> Failure {
        let (reason, unclear, after) = match outcome {
            Try::Sent(_) => (String::new(), false, None),
            Try::Never(reason) => return Failure { reason: reason.clone(), unclear: false, again_at: None },
            Try::Later { reason, after } => (reason.clone(), false, *after),
            Try::Unclear(reason) => (reason.clone(), true, None),
        };
        if message.tries >= most {
            return Failure { reason: format!("given up after {most} tries: {reason}"), unclear, again_at: None };
        }
        let again_at =
            self.clock.now().seconds() + delay(message.tries, after, u64::from_be_bytes(self.random.bytes()));
        Failure { reason, unclear, again_at: Some(again_at) }
    }
}

/// Seconds until the next try: doubled by each, at most an hour, and by chance up to a quarter less, so that what failed
/// together does not come back together. Never sooner than the gateway asks.
fn delay(tries: i64, asked: Option<i64>, random: u64) -> i64 {
    let delay = FIRST_DELAY.saturating_mul(1 << (tries - 1).clamp(0, 20)).min(LONGEST_DELAY);
    let less = i64::try_from(random % 1000).unwrap_or(0) * delay / 4000;
    (delay - less).max(asked.unwrap_or(0).clamp(0, LONGEST_DELAY)).max(1)
}

/// Why a request had no answer. Its address stays out of it: it may hold a text.
fn no_answer(who: &str, error: reqwest::Error) -> Try {
    let error = error.without_url();
    if let Some(why) = tls_failure(&error) {
        return Try::Later { reason: format!("{who}: no TLS: {why}"), after: None };
    }
    match () {
        // Nothing was sent.
        () if error.is_connect() => Try::Later { reason: format!("{who} cannot be reached"), after: None },
        () if error.is_builder() => Try::Never(format!("{who}: the request cannot be built from what is set")),
        () if error.is_timeout() => Try::Unclear(format!("{who} did not answer in time")),
        () => Try::Unclear(format!("{who}: the connection broke")),
    }
}

/// What TLS said, where it was TLS: a certificate that nobody here trusts, for the most part.
fn tls_failure(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(error.to_string());
        }
        // What it wraps is not its source.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(why) = inner.and_then(|inner| tls_failure(inner)) {
            return Some(why);
        }
        next = error.source();
    }
    None
}

/// Seconds in `Retry-After`.
fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<i64> {
    headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_an_hour_and_heed_the_gateway() {
        let least: Vec<i64> = (1..=14).map(|tries| delay(tries, None, 999)).collect();
        let most: Vec<i64> = (1..=14).map(|tries| delay(tries, None, 0)).collect();
        assert_eq!(most[..5], [5, 10, 20, 40, 80]);
        assert_eq!(most[13], 3600);
        for (least, most) in least.iter().zip(&most) {
            assert!(least <= most && *least >= most * 3 / 4, "{least} {most}");
        }
        assert_eq!(delay(1, Some(30), 0), 30);
        assert_eq!(delay(1, Some(i64::MAX), 0), 3600);
        assert_eq!(delay(i64::MAX, Some(-5), 0), 3600);
    }
}
