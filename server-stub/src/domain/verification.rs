//! The one way in which a code is looked at, whoever asks.

use std::{collections::BTreeSet, sync::Arc};

use countersign_core::{
    secret::SecretBytes,
    token::{Kind, TokenSecret, TokenSpec},
};
use serde_json::json;
use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot};

use super::{
    audit::Event,
    judge::{Judgement, RESYNC_SECONDS, TypedCode, judge},
    notices::Teller,
    policy::{Policy, Settings},
    texts::Notice,
};
use crate::{
    seal::Keys,
    service::{Now, Random},
    store::{
        Kind as Database, Store, StoreError, audit,
        verify::{self, Credential, Statements, Subject, Who},
    },
};

/// A code, and whose it is said to be.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose.
    pub who: Who,
    /// The code.
    pub code: TypedCode,
    /// The token, where the one who asks names it; otherwise each of the user's is tried.
    pub credential: Option<String>,
    /// The network address of the person, where it is known.
    pub address: Option<String>,
    /// Which door it came through, for the audit log.
    pub via: &'static str,
    /// When.
    pub now: Now,
}

/// What became of an attempt. Whoever asks learns no more than this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The code was right, and is used up.
    Accepted {
        /// The user.
        user_id: String,
        /// The token.
        credential_id: String,
    },
    /// Anything else.
    Refused,
}

/// Why an attempt was refused: for the audit log, and for nobody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    UnknownUser,
    NoToken,
    AddressSpent,
    BudgetSpent,
    Wrong,
    Used,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::NoToken => "no_token",
            Self::AddressSpent => "address_spent",
            Self::BudgetSpent => "budget_spent",
            Self::Wrong => "wrong",
            Self::Used => "used",
        }
    }
}

/// Decides one attempt inside a transaction, and adds to `events` what happened. The caller appends those, commits, and
/// only then answers.
///
/// The attempt is claimed before the code is compared, and it all takes the same statements and the same arithmetic
/// whether the user exists or not.
pub async fn decide(
    connection: &mut AnyConnection,
    rules: &Rules<'_>,
    attempt: &Attempt,
    address_spent: bool,
    events: &mut Vec<Event>,
) -> Result<Outcome, StoreError> {
    let now = attempt.now.seconds();
    let found = verify::subject(connection, rules.keys, &attempt.who).await?;
    let known = found.is_some();
    let subject = found.unwrap_or_else(|| nobody(&rules.settings.policy));
    let policy = rules.settings.policy_of(subject.group_policy.as_deref());

    let failures = verify::claim(connection, rules.statements, &subject.user_id, &policy, now).await?;
    let mut claimed = failures.is_some();
    if let Some(named) = &attempt.credential {
        claimed &= verify::claim_credential(connection, &subject.user_id, named).await?;
    }
    let tokens: Vec<&Credential> = subject
        .credentials
        .iter()
        .filter(|credential| credential.confirmed || rules.confirms)
        .filter(|credential| attempt.credential.as_ref().is_none_or(|named| *named == credential.id))
        .collect();
    let judged: Vec<(&Credential, Judgement)> = tokens
        .iter()
        .map(|token| {
            let resync = token.resync.filter(|(_, until)| (now..=now + RESYNC_SECONDS).contains(until));
            let resync = resync.map(|(step, _)| step);
            (*token, judge(&token.token, token.last_step, resync, &attempt.code, &policy, now))
        })
        .collect();

    let refusal = match (known, address_spent, claimed) {
        (false, ..) => Some(Reason::UnknownUser),
        (_, true, _) => Some(Reason::AddressSpent),
        (.., false) => Some(Reason::BudgetSpent),
        _ if tokens.is_empty() => Some(Reason::NoToken),
        _ => None,
    };
    let mut reason = refusal.unwrap_or(Reason::Wrong);
    if refusal.is_none() {
        for (token, judgement) in judged {
            match judgement {
                Judgement::Step(step) => {
                    if verify::accept(connection, rules.statements, &token.id, step).await? {
                        verify::forgive(connection, &subject.user_id).await?;
                        let detail = json!({ "via": attempt.via, "token": token.id });
                        events.push(Event::new(attempt.now, "verify.accepted", Some(&subject.user_id)).with(detail));
                        return Ok(Outcome::Accepted { user_id: subject.user_id, credential_id: token.id.clone() });
                    }
                    reason = Reason::Used;
                }
                Judgement::Far(step) => {
                    verify::remember_far(connection, &token.id, step, now + RESYNC_SECONDS).await?;
                }
                Judgement::Wrong => {}
            }
        }
    }
    if known && failures.is_some_and(|failures| failures >= policy.max_failures) {
        let teller = Teller { keys: rules.keys, random: rules.random, now: attempt.now };
        teller.tell(connection, &subject.user_id, &policy, Notice::Locked).await?;
    }
    let user = known.then_some(subject.user_id.as_str());
    let detail = json!({ "via": attempt.via, "reason": reason.name() });
    events.push(Event::new(attempt.now, "verify.refused", user).with(detail));
    Ok(Outcome::Refused)
}

/// What decisions go by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What is set on the server.
    pub settings: &'a Settings,
    /// The keys.
    pub keys: &'a Keys,
    /// The source of randomness.
    pub random: &'a Random,
    /// The statements that races end at.
    pub statements: Statements,
    /// Whether a code confirms a token that waits for it: the password was right, too.
    pub confirms: bool,
}

/// Somebody to do the same work for where there is no such user.
fn nobody(policy: &Policy) -> Subject {
    let secret = TokenSecret::from_bytes(SecretBytes::new(vec![0; 20]).expose().to_vec());
    let kind = Kind::Totp { algorithm: policy.algorithm, digits: policy.digits, period: policy.period };
    let credentials = secret.map(|secret| Credential {
        id: String::new(),
        token: TokenSpec {
            issuer: policy.issuer.clone(),
            account: String::new(),
            kind,
            secret,
            label_issuer: None,
            uri_parameters: vec![],
        },
        last_step: -1,
        resync: None,
        confirmed: true,
    });
    Subject { user_id: String::new(), group_policy: None, credentials: credentials.into_iter().collect() }
}

/// Most attempts that share a commit.
const BATCH: usize = 64;
/// Attempts that may wait; more are told to come back.
const QUEUE: usize = 2048;

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
    /// Starts the workers; they end when the last clone is dropped.
    pub fn start(store: Store, keys: Arc<Keys>, random: Random, statements: Statements) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(tokio::sync::Mutex::new(jobs));
        // A second one fills the time in which the first waits for the disk; SQLite has one writer anyway.
        let workers = if store.kind() == Database::Sqlite { 1 } else { 2 };
        for _ in 0..workers {
            let worker = Worker { store: store.clone(), keys: keys.clone(), random: random.clone(), statements };
            tokio::spawn(worker.run(jobs.clone()));
        }
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

struct Worker {
    store: Store,
    keys: Arc<Keys>,
    random: Random,
    statements: Statements,
}

impl Worker {
    async fn run(self, queue: Arc<tokio::sync::Mutex<mpsc::Receiver<Job>>>) {
        loop {
            let mut jobs = Vec::new();
            if queue.lock().await.recv_many(&mut jobs, BATCH).await == 0 {
                return;
            }
            // One order for all who lock several users at once, so that no two wait for each other.
            jobs.sort_by(|a, b| order(&a.attempt.who).cmp(order(&b.attempt.who)));
            let attempts: Vec<&Attempt> = jobs.iter().map(|job| &job.attempt).collect();
            match self.decide_all(&attempts).await {
                Ok(outcomes) => {
                    for (job, outcome) in jobs.into_iter().zip(outcomes) {
                        let _ = job.reply.send(Ok(outcome));
                    }
                }
                Err(error)
                    if jobs.len() == 1 || matches!(error, StoreError::Unavailable(sqlx::Error::PoolTimedOut)) =>
                {
                    tracing::warn!(%error, attempts = jobs.len(), "attempts were not decided");
                    let mut error = Some(error);
                    for job in jobs {
                        let error = error.take().map_or(VerifyError::Busy, VerifyError::Store);
                        let _ = job.reply.send(Err(error));
                    }
                }
                // What is wrong with one must not fall on the others.
                Err(_) => {
                    for job in jobs {
                        let outcome = self.decide_all(&[&job.attempt]).await;
                        let outcome = outcome.map(|mut outcomes| outcomes.pop().unwrap_or(Outcome::Refused));
                        let _ = job.reply.send(outcome.map_err(VerifyError::Store));
                    }
                }
            }
        }
    }

    async fn decide_all(&self, attempts: &[&Attempt]) -> Result<Vec<Outcome>, StoreError> {
        let mut transaction = self.store.begin().await?;
        let stored = Store::settings(&mut transaction).await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let rules = Rules {
            settings: &settings,
            keys: &self.keys,
            random: &self.random,
            statements: self.statements,
            confirms: false,
        };

        // Addresses in one order, too, and before users.
        let mut spent = BTreeSet::new();
        let mut by_address: Vec<(usize, &str, Now)> = attempts
            .iter()
            .enumerate()
            .filter_map(|(at, attempt)| Some((at, attempt.address.as_deref()?, attempt.now)))
            .collect();
        by_address.sort_by_key(|(_, address, _)| *address);
        for (at, address, now) in by_address {
            let most = settings.address_attempts;
            if !verify::claim_address(&mut transaction, address, most, now.seconds()).await? {
                spent.insert(at);
            }
        }

        let (mut outcomes, mut events) = (Vec::with_capacity(attempts.len()), Vec::with_capacity(attempts.len()));
        for (at, attempt) in attempts.iter().enumerate() {
            outcomes.push(decide(&mut transaction, &rules, attempt, spent.contains(&at), &mut events).await?);
        }
        audit::append(&mut transaction, &self.keys, &events).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }
}

fn order(who: &Who) -> &str {
    match who {
        Who::Folded(text) | Who::Id(text) => text,
    }
}
