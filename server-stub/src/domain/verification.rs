//! The one way in which a code is looked at, whoever asks.

mod batch;

use std::collections::BTreeSet;

use countersign_core::{
    secret::SecretBytes,
    token::{Kind, TokenSecret, TokenSpec},
};
use serde_json::json;
use sqlx::AnyConnection;

pub use batch::{Verifier, VerifyError};

use super::{
    audit::Event,
    judge::{Judgement, RESYNC_SECONDS, TypedCode, judge},
    notices::Teller,
    policy::{Policy, Settings, TokenKind},
    texts::Notice,
};
use crate::{
    seal::Keys,
    service::{Now, Random},
    store::{
        StoreError,
        verify::{self, Claim, Credential, Statements, Step, Subject, Who},
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

impl Outcome {
    /// Whether the code was right.
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }
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

/// An attempt in its turn.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// Whether the address that it comes from has had too many.
    pub address_spent: bool,
}

/// Decides one attempt inside a transaction; see [`decide_all`].
pub async fn decide(
    connection: &mut AnyConnection,
    rules: &Rules<'_>,
    attempt: &Attempt,
    events: &mut Vec<Event>,
) -> Result<Outcome, StoreError> {
    let asked = Asked { attempt, address_spent: false };
    Ok(decide_all(connection, rules, &[asked], events).await?.pop().unwrap_or(Outcome::Refused))
}

/// Decides attempts inside a transaction, as if one came after the other, and adds to `events` what happened. The caller
/// appends those, commits, and only then answers.
///
/// An attempt is claimed before its code is compared, and all takes the same statements, the same arithmetic and the same
/// writing whether the user exists or not, and whether a code that is refused is wrong or was used: for a name that nobody
/// has, all is done for another user, of whom nothing changes by it.
pub async fn decide_all(
    connection: &mut AnyConnection,
    rules: &Rules<'_>,
    asked: &[Asked<'_>],
    events: &mut Vec<Event>,
) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes = vec![Outcome::Refused; asked.len()];
    let mut waiting: Vec<usize> = (0..asked.len()).collect();
    // Statements take one attempt of each user at a time: a second one comes after the first has had its effect.
    while !waiting.is_empty() {
        let mut who = BTreeSet::new();
        let (mut round, mut later): (Vec<usize>, Vec<usize>) =
            waiting.into_iter().partition(|at| who.insert(&asked[*at].attempt.who));
        let mut met = verify::subjects(connection, rules.keys, &who).await?;
        let mut users = BTreeSet::new();
        round.retain(|at| {
            // One user, by name and by id.
            let again =
                met.known.get(&asked[*at].attempt.who).is_some_and(|found| !users.insert(found.user_id.clone()));
            if again {
                later.push(*at);
            }
            !again
        });
        let subjects: Vec<(bool, Subject)> = round
            .iter()
            .map(|at| match met.known.remove(&asked[*at].attempt.who) {
                Some(found) => (true, found),
                None => (false, met.others.pop().unwrap_or_else(|| nobody(&rules.settings.policy))),
            })
            .collect();
        let asked: Vec<Asked<'_>> = round.iter().map(|at| asked[*at]).collect();
        for (at, outcome) in round.iter().zip(decide_round(connection, rules, &asked, &subjects, events).await?) {
            outcomes[*at] = outcome;
        }
        waiting = later;
    }
    Ok(outcomes)
}

/// Decides attempts of different users.
async fn decide_round(
    connection: &mut AnyConnection,
    rules: &Rules<'_>,
    asked: &[Asked<'_>],
    subjects: &[(bool, Subject)],
    events: &mut Vec<Event>,
) -> Result<Vec<Outcome>, StoreError> {
    let policies: Vec<Policy> =
        subjects.iter().map(|(_, subject)| rules.settings.policy_of(subject.group_policy.as_deref())).collect();
    let claims: Vec<Claim<'_>> = asked
        .iter()
        .zip(subjects)
        .zip(&policies)
        .map(|((asked, (known, subject)), policy)| {
            let at = asked.attempt.now.seconds();
            Claim { key: &subject.key, counts: *known, at, policy }
        })
        .collect();
    let claimed = verify::claims(connection, rules.statements, &claims).await?;

    let (mut judged, mut locked) = (Vec::with_capacity(asked.len()), Vec::with_capacity(asked.len()));
    for ((Asked { attempt, address_spent }, (known, subject)), policy) in asked.iter().zip(subjects).zip(&policies) {
        let failures = claimed.get(&subject.user_id).copied();
        let mut claimed = failures.is_some();
        if let Some(named) = &attempt.credential {
            let user_id = if *known { &subject.user_id } else { "" };
            claimed &= verify::claim_credential(connection, user_id, named).await?;
        }
        let steps = steps(rules, attempt, subject, policy);
        let refusal = match (known, address_spent, claimed) {
            (false, ..) => Some(Reason::UnknownUser),
            (_, true, _) => Some(Reason::AddressSpent),
            (.., false) => Some(Reason::BudgetSpent),
            _ if steps.is_empty() => Some(Reason::NoToken),
            _ => None,
        };
        locked.push(*known && failures.is_some_and(|failures| failures >= policy.max_failures));
        judged.push((refusal, steps));
    }

    // Each has a place in the statement, also where there is nothing to accept.
    let first: Vec<Step<'_>> = judged.iter().map(|judged| place(judged, 0)).collect();
    let mut accepted = verify::accept(connection, rules.statements, &first).await?;
    // A code may belong to two tokens of a user, of which the first has seen it already.
    let most = judged.iter().map(|(_, steps)| steps.iter().filter(|step| step.step >= 0).count()).max();
    for nth in 1..most.unwrap_or(0) {
        let next: Vec<Step<'_>> = judged
            .iter()
            .filter(|(_, steps)| !steps[..nth].iter().any(|step| accepted.contains(step.credential_id)))
            .map(|judged| place(judged, nth))
            .collect();
        accepted.append(&mut verify::accept(connection, rules.statements, &next).await?);
    }

    let mut outcomes = Vec::with_capacity(asked.len());
    let mut forgiven = Vec::new();
    for (nth, (((refusal, steps), (known, subject)), Asked { attempt, .. })) in
        judged.iter().zip(subjects).zip(asked).enumerate()
    {
        let user = known.then_some(subject.user_id.as_str());
        let taken = steps.iter().find(|step| accepted.contains(step.credential_id) && step.until.is_none());
        if let Some(token) = taken.filter(|_| refusal.is_none()) {
            forgiven.push(subject.user_id.as_str());
            let detail = json!({ "via": attempt.via, "token": token.credential_id });
            events.push(Event::new(attempt.now, "verify.accepted", user).with(detail));
            let (user_id, credential_id) = (subject.user_id.clone(), token.credential_id.to_owned());
            outcomes.push(Outcome::Accepted { user_id, credential_id });
            continue;
        }
        if locked[nth] {
            let teller = Teller { keys: rules.keys, random: rules.random, now: attempt.now };
            teller.tell(connection, &subject.user_id, &policies[nth], Notice::Locked).await?;
        }
        let used = steps.iter().any(|step| step.step >= 0 && step.until.is_none());
        let reason = refusal.unwrap_or(if used { Reason::Used } else { Reason::Wrong });
        let detail = json!({ "via": attempt.via, "reason": reason.name() });
        events.push(Event::new(attempt.now, "verify.refused", user).with(detail));
        outcomes.push(Outcome::Refused);
    }
    if !forgiven.is_empty() {
        verify::forgive_all(connection, &forgiven).await?;
    }
    Ok(outcomes)
}

/// What an attempt has in the statement that accepts: the `nth` token's step, and of one that is refused already none.
fn place<'a>((refusal, steps): &(Option<Reason>, Vec<Step<'a>>), nth: usize) -> Step<'a> {
    let step = steps.get(nth).copied().unwrap_or(NO_STEP);
    if refusal.is_some() { Step { step: NO_STEP.step, until: None, ..step } } else { step }
}

/// What no token takes.
const NO_STEP: Step<'static> = Step { credential_id: "", key: "", step: -1, until: None };

/// What a code is to each of the tokens that count: first the steps that it is the code of, then those that another code
/// would have to confirm, then the tokens that it is wrong for.
fn steps<'a>(rules: &Rules<'_>, attempt: &Attempt, subject: &'a Subject, policy: &Policy) -> Vec<Step<'a>> {
    let now = attempt.now.seconds();
    let mut steps: Vec<Step<'_>> = counting(rules, attempt, subject, policy)
        .into_iter()
        .map(|token| {
            let resync = token.resync.filter(|(_, until)| (now..=now + RESYNC_SECONDS).contains(until));
            let resync = resync.map(|(step, _)| step);
            let (step, until) = match judge(&token.token, token.last_step, resync, &attempt.code, policy, now) {
                Judgement::Step(step) => (step, None),
                Judgement::Far(step) => (step, Some(now + RESYNC_SECONDS)),
                Judgement::Wrong => (NO_STEP.step, None),
            };
            Step { credential_id: &token.id, key: &token.key, step, until }
        })
        .collect();
    if steps.is_empty() {
        // No token that counts: the arithmetic of one all the same.
        for token in &nobody(policy).credentials {
            judge(&token.token, token.last_step, None, &attempt.code, policy, now);
        }
    }
    steps.sort_by_key(|step| (step.step < 0, step.until.is_some()));
    steps
}

/// The tokens that an attempt may be of, strongest first.
fn counting<'a>(rules: &Rules<'_>, attempt: &Attempt, subject: &'a Subject, policy: &Policy) -> Vec<&'a Credential> {
    let kind = |token: &Credential| match token.token.kind {
        Kind::Hotp { .. } => TokenKind::Hotp,
        _ => TokenKind::Totp,
    };
    let mut tokens: Vec<&Credential> = subject
        .credentials
        .iter()
        .filter(|token| token.confirmed || rules.confirms)
        .filter(|token| policy.allowed_kinds.contains(&kind(token)))
        .filter(|token| attempt.credential.as_ref().is_none_or(|named| *named == token.id))
        .collect();
    tokens.sort_by_key(|token| policy.strength_order.iter().position(|own| *own == kind(token)));
    tokens
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

/// Somebody to do the same arithmetic for where there is nobody else: no such user, or no token that counts.
fn nobody(policy: &Policy) -> Subject {
    let secret = TokenSecret::from_bytes(SecretBytes::new(vec![0; 20]).expose().to_vec());
    let kind = Kind::Totp { algorithm: policy.algorithm, digits: policy.digits, period: policy.period };
    let credentials = secret.map(|secret| Credential {
        id: String::new(),
        key: String::new(),
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
    Subject {
        user_id: String::new(),
        key: String::new(),
        group_policy: None,
        credentials: credentials.into_iter().collect(),
    }
}
