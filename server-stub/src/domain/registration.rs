//! Registering a token from the app: a password, a code by SMS, a secret that only the app can read, and a first code.
//! Until that last step the user's earlier token works; from it on only the new one does.

mod begin;
mod finish;

use std::{collections::BTreeMap, sync::Arc};

use countersign_core::{secret::SecretBytes, token::Algorithm};
use countersign_wire::v1::registration::SealedSecret;
use serde_json::json;
use sqlx::{Any, AnyConnection, Transaction};
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::{
    app_key::AppKey,
    audit::Event,
    notices::Teller,
    policy::{Policy, Settings},
    texts::Notice,
};
use crate::{
    password::Checker,
    seal::Keys,
    service::{Now, Random},
    store::{
        Store, StoreError, audit,
        registration::{self as rows, Registration},
        verify::{self, Columns},
    },
};

/// Digits of an SMS code.
pub const SMS_DIGITS: u8 = 6;
/// Seconds for which an SMS code, and then a token without its first code, is good.
pub const GOOD_FOR: i64 = 600;
/// Seconds between two SMS to one user.
pub const RESEND_AFTER: i64 = 60;
/// SMS to one user in an hour and in a day.
const PER_USER: [i64; 2] = [5, 20];

/// Why a step was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// No such user, a wrong password, no number on file, or too many tries. The audit log says which.
    #[error("username and password do not open a registration")]
    Credentials,
    /// Another SMS would be too many.
    #[error("too many messages: wait")]
    TooSoon {
        /// Seconds after which one may be sent.
        retry_after: u64,
    },
    /// The signature is not the app's, or not over this.
    #[error("the signature does not belong to the app's key and this request")]
    Signature,
    /// The SMS code is wrong, too old, or was tried too often.
    #[error("the SMS code is wrong or no longer good")]
    Sms,
    /// The first code is wrong.
    #[error("the code is wrong")]
    Code,
    /// There is no such registration, or it is over.
    #[error("the registration is over: begin again")]
    Ended,
    /// Another app has the token now.
    #[error("the token is bound to another app")]
    BoundElsewhere,
    /// The link was used, replaced, is too old, or is none.
    #[error("the link is over: ask for a new one")]
    Link,
    /// The link's user has no number on file, which the code would go to.
    #[error("there is no phone number on file")]
    NoPhone,
    /// The store failed; nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An SMS is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The registration's id.
    pub registration: String,
    /// What the signatures to come are over.
    pub nonce: String,
    /// The last two digits of the number.
    pub phone_hint: String,
}

/// The token to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Its id.
    pub token: String,
    /// What it is.
    pub columns: Columns,
    /// Its secret, for the app's eyes.
    pub sealed: SealedSecret,
    /// The app that has the user's token so far, where it is another.
    pub replaces: Option<String>,
    /// Whether the app may give the secret away.
    pub exportable: bool,
}

/// A token that waits for its first code.
pub(super) struct TokenToBe {
    pub(super) id: String,
    pub(super) columns: Columns,
    pub(super) secret: SecretBytes,
    /// The secret, sealed for the id.
    pub(super) kept: Vec<u8>,
}

/// Takes registrations.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The database.
    pub store: Store,
    /// The keys.
    pub keys: Arc<Keys>,
    /// The source of randomness.
    pub random: Random,
    /// Checks passwords.
    pub passwords: Checker,
    /// Woken when a message was written.
    pub outbox: Arc<Notify>,
}

impl Desk {
    /// Counts an attempt of a network address, where one is known. False: it has had its budget, `address_attempts` in
    /// ten minutes, codes among them; `event` is in the audit log then.
    pub async fn address_may(
        &self,
        settings: &Settings,
        address: Option<&str>,
        event: &'static str,
        now: Now,
    ) -> Result<bool, StoreError> {
        let Some(address) = address else { return Ok(true) };
        let mut transaction = self.store.begin_unsynced().await?;
        let counted = verify::count_addresses(&mut transaction, &BTreeMap::from([(address, 1)]), now.seconds()).await?;
        let may = counted.get(address).is_none_or(|attempts| *attempts <= settings.address_attempts);
        if !may {
            let event = Event::new(now, event, None).with(json!({ "reason": "address_spent", "address": address }));
            self.finish(&mut transaction, vec![event]).await?;
        }
        transaction.commit().await?;
        Ok(may)
    }

    async fn read(
        &self,
        connection: &mut AnyConnection,
        id: &str,
    ) -> Result<(Settings, Registration, AppKey), RegistrationError> {
        let stored = Store::settings(&mut *connection).await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let registration = rows::read(connection, id).await?.ok_or(RegistrationError::Ended)?;
        let key = AppKey::from_bytes(registration.app_key.clone());
        Ok((settings, registration, key.map_err(|_| StoreError::Damaged("registrations"))?))
    }

    /// After a wrong code: tells a user whose second factor it locked.
    pub(super) async fn tell_if_locked(
        &self,
        connection: &mut AnyConnection,
        user_id: &str,
        policy: &Policy,
        failures: Option<i64>,
        now: Now,
    ) -> Result<(), StoreError> {
        if failures.is_some_and(|failures| failures >= policy.max_failures) {
            self.teller(now).tell(connection, user_id, policy, Notice::Locked).await?;
        }
        Ok(())
    }

    pub(super) fn teller(&self, now: Now) -> Teller<'_> {
        Teller { keys: &self.keys, random: &self.random, now }
    }

    pub(super) async fn finish(
        &self,
        transaction: &mut Transaction<'static, Any>,
        events: Vec<Event>,
    ) -> Result<(), StoreError> {
        audit::append(transaction, &self.keys, &events).await
    }

    fn sms_mac(&self, key_id: u32, registration: &str, code: &str) -> Result<Vec<u8>, StoreError> {
        let parts: [&[u8]; 3] = [b"sms", registration.as_bytes(), code.as_bytes()];
        self.keys.lookup_code(key_id, &parts).map(Vec::from).ok_or(StoreError::Damaged("keys"))
    }

    /// A token as a policy asks for it. Its secret is as long as the hash's output, which RFC 4226 and RFC 6238 ask for.
    pub(super) fn token_to_be(&self, policy: &Policy, account: String, now: Now) -> TokenToBe {
        let bytes = Zeroizing::new(self.random.bytes::<64>());
        let length = match policy.algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        let (id, secret) = (self.random.id(now), SecretBytes::new(bytes[..length].to_vec()));
        let kept = self.keys.seal(verify::SECRET_PLACE, &id, secret.expose(), &self.random);
        let columns = Columns {
            kind: "totp".to_owned(),
            issuer: policy.issuer.clone(),
            account,
            algorithm: policy.algorithm.to_string(),
            digits: policy.digits.get().into(),
            period: i64::try_from(policy.period.seconds()).unwrap_or(30),
        };
        TokenToBe { id, columns, secret, kept }
    }
}
