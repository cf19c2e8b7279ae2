//! Signing in from the app: a password, then a code of the token that is bound to the app, signed by the app.

use countersign_core::secret::Password;
use countersign_wire::v1::login::LOGIN;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    app_key::AppKey,
    audit::Event,
    judge::TypedCode,
    policy::Settings,
    registration::Desk,
    verification::{Attempt, Outcome, Rules, decide},
};
use crate::{
    service::{Now, Random},
    store::{
        Store, StoreError, audit, former,
        login::{self as rows, Challenge},
        registration,
        verify::{Statements, Who},
    },
};

/// Seconds for which a challenge is open.
pub const CHALLENGE_SECONDS: i64 = 120;
/// Seconds for which a session is open: eight hours.
pub const SESSION_SECONDS: i64 = 8 * 3600;

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
    /// Username and password: a challenge, and the issuer whose token answers it.
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
    ) -> Result<(Challenge, String), LoginError> {
        let seconds = now.seconds();
        let mut transaction = self.store.begin_unsynced().await?;
        let found = registration::claim_password(&mut transaction, folded, seconds).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        let hash = found.as_ref().and_then(|found| found.password_hash.clone());
        let right = self.passwords.matches(password, hash).await;
        let Some(user) = found.filter(|_| right) else {
            let mut transaction = self.store.begin_unsynced().await?;
            let event = Event::new(now, "login.refused", None).with(json!({ "reason": "password" }));
            audit::append(&mut transaction, &self.keys, &[event]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(LoginError::Credentials);
        };
        let mut transaction = self.store.begin().await?;
        registration::forgive_password(&mut transaction, &user.user_id).await?;
        let challenge = Challenge {
            id: self.random.id(now),
            user_id: user.user_id,
            nonce: BASE64URL_NOPAD.encode(&self.random.bytes::<32>()),
        };
        rows::start(&mut transaction, &challenge, seconds, seconds + CHALLENGE_SECONDS).await?;
        let event = Event::new(now, "login.started", Some(&challenge.user_id));
        audit::append(&mut transaction, &self.keys, &[event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok((challenge, settings.policy_of(user.group_policy.as_deref()).issuer))
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
    ) -> Result<Zeroizing<String>, LoginError> {
        let seconds = now.seconds();
        let mut transaction = self.store.begin().await?;
        let challenge = rows::read(&mut transaction, id, seconds).await?.ok_or(LoginError::Code)?;
        if !key.signed(LOGIN, &[server, id, &challenge.nonce, token, code], signature) {
            return Err(LoginError::Signature);
        }
        let stored = Store::settings(&mut transaction).await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let rules = Rules {
            settings: &settings,
            keys: &self.keys,
            random: &self.random,
            statements: Statements::REAL,
            confirms: true,
        };
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
        let text = session_text(&self.random);
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
            let hash = Sha256::digest(text.as_bytes()).into();
            let session = self.random.id(now);
            let until = seconds + SESSION_SECONDS;
            rows::open_session(&mut transaction, &session, &hash, (user_id, Some(token)), seconds, until).await?;
            events
                .push(Event::new(now, "login.done", Some(user_id)).with(json!({ "token": token, "session": session })));
            Ok(text)
        };
        audit::append(&mut transaction, &self.keys, &events).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        done
    }
}
