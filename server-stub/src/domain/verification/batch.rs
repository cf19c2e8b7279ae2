//! Attempts that wait together share a transaction, and so the cost of a durable commit.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sqlx::{Any, pool::PoolConnection};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{Asked, Attempt, Outcome, Rules, decide_all};
use crate::{
    domain::policy::Settings,
    seal::Keys,
    service::Random,
    store::{
        Kind, RESTED, Store, StoreError, audit, in_time,
        verify::{self, Statements},
    },
};

/// Most attempts that share a commit.
const BATCH: usize = 64;
/// Attempts that may wait; more are told to come back.
const QUEUE: usize = 2048;
/// A transaction from which on it is worth to wait for company.
const SLOW_COMMIT: Duration = Duration::from_millis(2);
/// No longer than half of this.
const LONGEST: Duration = Duration::from_millis(6);

/// Why an attempt has no outcome. It counts as not made: nothing of it was kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// More are waiting than the database can take in time.
    #[error("too many attempts are waiting")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Job {
    attempt: Attempt,
    reply: oneshot::Sender<Result<Outcome, VerifyError>>,
}

/// Takes attempts from any number of tasks and decides those that wait together in one transaction, so that they share
/// the cost of a durable commit. Nobody is answered before it.
#[derive(Clone, Debug)]
pub struct Verifier {
    queue: mpsc::Sender<Job>,
}

impl Verifier {
    /// Starts the worker; it ends when the last clone is dropped. One is enough: what it decides together shares a commit,
    /// and only one transaction at a time can append to the audit log.
    pub fn start(store: Store, keys: Arc<Keys>, random: Random, statements: Statements) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(Worker { store, keys, random, statements, held: None }.run(jobs));
        Self { queue }
    }

    /// Decides an attempt.
    ///
    /// # Errors
    ///
    /// The store failed, or too many wait; the attempt then counts as not made.
    pub async fn verify(&self, attempt: Attempt) -> Result<Outcome, VerifyError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Job { attempt, reply }).map_err(|_| VerifyError::Busy)?;
        answer.await.map_err(|_| VerifyError::Busy)?
    }
}

/// Where a commit is slow, waits a moment for as many as were there before: who was just answered comes back with the
/// next, and misses this commit by less than another one takes.
async fn gather(queue: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>, expected: usize, moment: Duration) {
    let more = async {
        while jobs.len() < expected.min(BATCH) {
            if queue.recv_many(jobs, BATCH - jobs.len()).await == 0 {
                return;
            }
        }
    };
    // Running out of time is how it ends when they do not come back.
    let _ = tokio::time::timeout(moment, more).await;
}

struct Worker {
    store: Store,
    keys: Arc<Keys>,
    random: Random,
    statements: Statements,
    /// The connection of the batch before, for as long as one follows the other.
    held: Option<PoolConnection<Any>>,
}

impl Worker {
    async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        let (mut expected, mut moment) = (1, LONGEST);
        loop {
            let taken = match tokio::time::timeout(RESTED, queue.recv_many(&mut jobs, BATCH)).await {
                Ok(taken) => taken,
                Err(_) => {
                    self.held = None;
                    queue.recv_many(&mut jobs, BATCH).await
                }
            };
            // Nobody is left to ask.
            if taken == 0 {
                return;
            }
            gather(&mut queue, &mut jobs, expected, moment).await;
            // Who has given up was told that the attempt counts as not made.
            jobs.retain(|job| !job.reply.is_closed());
            let from = Instant::now();
            let attempts: Vec<&Attempt> = jobs.iter().map(|job| &job.attempt).collect();
            let outcomes = in_time(self.decide_all(&attempts)).await;
            let took = from.elapsed();
            (expected, moment) =
                if took < SLOW_COMMIT { (1, took) } else { (jobs.len() + queue.len(), took.min(LONGEST) / 2) };
            match outcomes {
                Ok(outcomes) => {
                    for (job, outcome) in jobs.drain(..).zip(outcomes) {
                        let _ = job.reply.send(Ok(outcome));
                    }
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    // Who came meanwhile has waited as long as is good, too.
                    while let Ok(job) = queue.try_recv() {
                        jobs.push(job);
                    }
                    tracing::warn!(%error, attempts = jobs.len(), "attempts were not decided");
                    for job in jobs.drain(..) {
                        let _ = job.reply.send(Err(VerifyError::Busy));
                    }
                }
                // What is wrong with one must not fall on the others.
                Err(error) => {
                    tracing::warn!(%error, attempts = jobs.len(), "attempts are decided one by one");
                    for job in jobs.drain(..) {
                        let outcome = in_time(self.decide_all(&[&job.attempt])).await;
                        if let Err(error) = &outcome {
                            tracing::warn!(%error, "an attempt was not decided");
                        }
                        let outcome = outcome.map(|mut outcomes| outcomes.pop().unwrap_or(Outcome::Refused));
                        let _ = job.reply.send(outcome.map_err(VerifyError::Store));
                    }
                }
            }
        }
    }

    async fn decide_all(&mut self, attempts: &[&Attempt]) -> Result<Vec<Outcome>, StoreError> {
        let mut writer = match self.held.take() {
            Some(writer) => writer,
            None => self.store.writer().await?,
        };
        let mut transaction = self.store.begin_on(&mut writer).await?;
        let stored = Store::settings(&mut transaction).await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let rules = Rules {
            settings: &settings,
            keys: &self.keys,
            random: &self.random,
            statements: self.statements,
            confirms: false,
        };

        // Addresses before users, so that all lock them in one order.
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        let mut latest = 0;
        for attempt in attempts {
            if let Some(address) = attempt.address.as_deref() {
                *counts.entry(address).or_default() += 1;
                latest = latest.max(attempt.now.seconds());
            }
        }
        let counted = match counts.is_empty() {
            true => BTreeMap::new(),
            false => verify::count_addresses(&mut transaction, &counts, latest).await?,
        };
        let mut seen: BTreeMap<&str, i64> = BTreeMap::new();
        let asked: Vec<Asked<'_>> = attempts
            .iter()
            .map(|attempt| {
                let spent = attempt.address.as_deref().is_some_and(|address| {
                    let seen = seen.entry(address).or_default();
                    *seen += 1;
                    let of = |counts: &BTreeMap<&str, i64>| counts.get(address).copied().unwrap_or(0);
                    counted.get(address).copied().unwrap_or(0) - of(&counts) + *seen > settings.address_attempts
                });
                Asked { attempt, address_spent: spent }
            })
            .collect();
        let mut events = Vec::with_capacity(attempts.len());
        let outcomes = decide_all(&mut transaction, &rules, &asked, &mut events).await?;
        audit::append(&mut transaction, &self.keys, &events).await?;
        transaction.commit().await?;
        // SQLite has one for all who write.
        self.held = (self.store.kind() == Kind::Postgres).then_some(writer);
        Ok(outcomes)
    }
}
