//! Signing in from the app: a password, then a code of the token that is bound to the app, signed by the app.

use countersign_core::secret::Password;
use countersign_wire::v1::login::LOGIN;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;
use zeroize::Zeroizing;

use super::{
    app_key::AppKey,
    audit::Event,
    judge::TypedCode,
    policy::{Policy, Settings},
    registration::Desk,
    verification::{Attempt, Outcome, Rules, decide},
};
use crate::{
    service::{Now, Random},
    store::{
        Store, StoreError, audit, former,
        login::{self as rows, Challenge, Validity},
        registration::{self, Registrant},
        users,
        verify::{Statements, Who},
    },
};

/// Seconds for which a challenge is open.
pub const CHALLENGE_SECONDS: i64 = 120;

/// What a right password leads to.
#[derive(Clone, Debug)]
pub enum Entered {
    /// The second factor is asked for, of a token of that issuer.
    Challenge(Challenge, String),
    /// Nothing more is asked of this user.
    Session(Opened),
}

/// A session.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What opens it.
    pub text: Zeroizing<String>,
    /// How long.
    pub validity: Validity,
}

/// What opens a session must not end in a log.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("validity", &self.validity).finish_non_exhaustive()
    }
}

/// Why nobody was let in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// No such user, a wrong password, or too many tries.
    #[error("username and password let nobody in")]
    Credentials,
    /// Whatever is wrong with the code, or the challenge is over.
    #[error("the code lets nobody in")]
    Code,
    /// The signature is not over this.
    #[error("the signature does not belong to the key and this request")]
    Signature,
    /// Another app has the token.
    #[error("the token is bound to another app")]
    BoundElsewhere,
    /// The store failed; nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What opens a session: 256 random bits.
pub(crate) fn session_text(random: &Random) -> Zeroizing<String> {
    Zeroizing::new(format!("css_{}", BASE64URL_NOPAD.encode(&random.bytes::<32>())))
}

impl Desk {
    /// Username and password: a challenge, or a session where the policy asks for no more.
    ///
    /// # Errors
    ///
    /// One same answer for whatever is wrong with them, after the same work.
    pub async fn login(
        &self,
        settings: &Settings,
        folded: &str,
        password: Password,
        now: Now,
    ) -> Result<Entered, LoginError> {
        let user = self.right_password(folded, password, now).await?;
        let policy = settings.policy_of(user.group_policy.as_deref());
        let mut transaction = self.store.begin().await?;
        self.enter(&mut transaction, &user).await?;
        let standing = rows::standing(&mut transaction, &user.user_id).await?;
        // Who administers is asked, whatever the group's policy; the one way around it is said of this user alone.
        let asks = !standing.rights.exempt && (standing.rights.administrator || policy.asks(standing.tokens));
        let (event, entered) = if asks {
            let challenge = Challenge {
                id: self.random.id(now),
                user_id: user.user_id.clone(),
                nonce: BASE64URL_NOPAD.encode(&self.random.bytes::<32>()),
            };
            let until = now.seconds() + CHALLENGE_SECONDS;
            rows::start(&mut transaction, &challenge, now.seconds(), until).await?;
            (Event::new(now, "login.started", Some(&user.user_id)), Entered::Challenge(challenge, policy.issuer))
        } else {
            let (id, opened) = self.open(&mut transaction, (&user.user_id, None), &policy, now).await?;
            let why = if standing.rights.exempt { "exempt" } else { "not_required" };
            let detail = json!({ "session": id, "second_factor": why });
            (Event::new(now, "login.done", Some(&user.user_id)).with(detail), Entered::Session(opened))
        };
        audit::append(&mut transaction, &self.keys, &[event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(entered)
    }

    /// Checks a password, and says in the audit log when it is wrong.
    async fn right_password(&self, folded: &str, password: Password, now: Now) -> Result<Registrant, LoginError> {
        let mut transaction = self.store.begin_unsynced().await?;
        let found =
            registration::claim_password(&mut transaction, registration::CLAIM_PASSWORD, folded, now.seconds()).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        let found = found.open();
        let hash = found.as_ref().ok().and_then(|found| found.password_hash.clone());
        let right = self.passwords.matches(password, hash).await;
        let (user_id, reason) = match found {
            Ok(user) if right => return Ok(user),
            Ok(user) => (Some(user.user_id), "password"),
            Err(refused) => refused,
        };
        let mut transaction = self.store.begin_unsynced().await?;
        let event = Event::new(now, "login.refused", user_id.as_deref()).with(json!({ "reason": reason }));
        audit::append(&mut transaction, &self.keys, &[event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Err(LoginError::Credentials)
    }

    /// Forgives wrong passwords after the right one, and keeps others from the user's row. A password that was changed since
    /// it was looked at is a wrong one.
    async fn enter(&self, connection: &mut AnyConnection, user: &Registrant) -> Result<(), LoginError> {
        let still = registration::enter(connection, &user.user_id, user.password_hash.as_deref()).await?;
        if still { Ok(()) } else { Err(LoginError::Credentials) }
    }

    /// Opens a session, with the token that it ends with.
    async fn open(
        &self,
        connection: &mut AnyConnection,
        whose: (&str, Option<&str>),
        policy: &Policy,
        now: Now,
    ) -> Result<(String, Opened), StoreError> {
        let (id, text) = (self.random.id(now), session_text(&self.random));
        let validity = Validity { before_first: policy.session_before_first, lasts: policy.session_after_first * 60 };
        let hash = Sha256::digest(text.as_bytes()).into();
        rows::open_session(connection, &id, &hash, whose, validity, now.seconds()).await?;
        Ok((id, Opened { text, validity }))
    }

    /// Username, password and a code: the token that it is of counts again.
    ///
    /// # Errors
    ///
    /// As [`Desk::login`]; and one same answer for whatever is wrong with the code.
    pub async fn confirm_token(
        &self,
        folded: &str,
        password: Password,
        code: &str,
        now: Now,
    ) -> Result<String, LoginError> {
        let user = self.right_password(folded, password, now).await?;
        let mut transaction = self.store.begin().await?;
        self.enter(&mut transaction, &user).await?;
        let attempt = Attempt {
            who: Who::Id(user.user_id),
            code: TypedCode::new(code),
            credential: None,
            address: None,
            via: "confirmation",
            now,
        };
        let stored = Store::settings(&mut transaction).await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let (rules, mut events) = (self.rules(&settings), Vec::new());
        let outcome = decide(&mut transaction, &rules, &attempt, &mut events).await?;
        audit::append(&mut transaction, &self.keys, &events).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        match outcome {
            Outcome::Accepted { credential_id, .. } => Ok(credential_id),
            Outcome::Refused => Err(LoginError::Code),
        }
    }

    fn rules<'a>(&'a self, settings: &'a Settings) -> Rules<'a> {
        Rules { settings, keys: &self.keys, random: &self.random, statements: Statements::REAL, confirms: true }
    }

    /// A code with the app's signature: the text that opens a session.
    ///
    /// The signature proves only the key; whether the key is that of the token's app is told to nobody whose code is
    /// wrong, and a right code is used up even where the app is the wrong one.
    pub async fn login_totp(
        &self,
        server: &str,
        id: &str,
        (token, code): (&str, &str),
        (key, signature): (&AppKey, &str),
        now: Now,
    ) -> Result<Opened, LoginError> {
        let seconds = now.seconds();
        let mut transaction = self.store.begin().await?;
        let challenge = rows::read(&mut transaction, id, seconds).await?.ok_or(LoginError::Code)?;
        if !key.signed(LOGIN, &[server, id, &challenge.nonce, token, code], signature) {
            return Err(LoginError::Signature);
        }
        let stored = Store::settings(&mut transaction).await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let rules = self.rules(&settings);
        let attempt = Attempt {
            who: Who::Id(challenge.user_id.clone()),
            code: TypedCode::new(code),
            credential: Some(token.to_owned()),
            address: None,
            via: "login",
            now,
        };
        let mut events = Vec::new();
        let outcome = decide(&mut transaction, &rules, &attempt, &mut events).await?;
        let user_id = challenge.user_id.as_str();
        let bound = rows::bound_key(&mut transaction, user_id, token).await?;
        // Only whoever holds the key of the app that had the token hears that it moved.
        let was_here = former::state(&mut transaction, token, &key.id()).await?;
        let done = if outcome == Outcome::Refused && matches!(was_here, former::State::Moved(_)) {
            Err(LoginError::BoundElsewhere)
        } else if outcome == Outcome::Refused {
            Err(LoginError::Code)
        } else if bound.as_deref() != Some(key.bytes()) {
            let detail = json!({ "token": token, "app": key.id(), "reason": "token_bound_elsewhere" });
            events.push(Event::new(now, "login.refused", Some(user_id)).with(detail));
            Err(LoginError::BoundElsewhere)
        } else if !rows::take(&mut transaction, id, seconds).await? {
            Err(LoginError::Code)
        } else {
            let (_, policy) = users::policy(&mut transaction, user_id).await?;
            let (session, opened) = self.open(&mut transaction, (user_id, Some(token)), &policy, now).await?;
            events
                .push(Event::new(now, "login.done", Some(user_id)).with(json!({ "token": token, "session": session })));
            Ok(opened)
        };
        audit::append(&mut transaction, &self.keys, &events).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        done
    }
}
