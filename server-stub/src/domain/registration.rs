//! Registering a token from the app: a password, a code by SMS, a secret that only the app can read, and a first code.
//! Until that last step the user's earlier token works; from it on only the new one does.

use std::{collections::BTreeSet, sync::Arc};

use countersign_core::{
    secret::{Password, SecretBytes},
    token::Algorithm,
};
use countersign_wire::v1::registration::{ACTIVATE, CONFIRM, SealedSecret};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use sqlx::{Any, AnyConnection, Transaction};
use subtle::ConstantTimeEq as _;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use super::{
    app_key::AppKey,
    audit::Event,
    judge::{Judgement, TypedCode, judge},
    links,
    notices::Teller,
    policy::{Policy, Settings, TokenKind},
    texts::Notice,
};
use crate::{
    password::Checker,
    seal::Keys,
    service::{Now, Random},
    store::{
        Store, StoreError, audit, links as link_rows,
        outbox::{self, Channel, Outgoing},
        registration::{self as rows, Registrant, Registration},
        users,
        verify::{self, Columns},
    },
    template::{Escape, expand},
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

/// Who begins a registration.
struct Beginner {
    user_id: String,
    phone: String,
    group_policy: Option<String>,
    /// The link that takes the place of the password.
    link_id: Option<String>,
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
    /// Username and password: sends a code.
    ///
    /// # Errors
    ///
    /// One same [`RegistrationError::Credentials`] for whatever is wrong with them, after the same work.
    pub async fn start(
        &self,
        settings: &Settings,
        folded: &str,
        password: Password,
        app: (AppKey, String, String),
        now: Now,
    ) -> Result<Started, RegistrationError> {
        let mut transaction = self.store.begin_unsynced().await?;
        let found = rows::claim_password(&mut transaction, folded, now.seconds()).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        let hash = found.as_ref().and_then(|found| found.password_hash.clone());
        let right = self.passwords.matches(password, hash).await;
        let policy = settings.policy_of(found.as_ref().and_then(|found| found.group_policy.as_deref()));
        let has = match &found {
            Some(found) if right => users::kinds(&mut *self.store.reader().await?, &found.user_id).await?,
            _ => BTreeSet::new(),
        };
        let allowed = policy.self_enrollment && policy.admits(TokenKind::Totp, &has).is_ok();
        let beginner = match found {
            Some(Registrant { phone: Some(phone), user_id, group_policy, .. }) if right && allowed => {
                Beginner { user_id, phone, group_policy, link_id: None }
            }
            found => {
                let reason = match &found {
                    None => "unknown_or_waiting",
                    Some(_) if !right => "password",
                    Some(_) if !allowed => "policy",
                    Some(_) => "no_phone",
                };
                let user = found.as_ref().map(|found| found.user_id.as_str());
                let event = Event::new(now, "registration.refused", user).with(json!({ "reason": reason }));
                let mut transaction = self.store.begin_unsynced().await?;
                self.finish(&mut transaction, vec![event]).await?;
                transaction.commit().await.map_err(StoreError::from)?;
                return Err(RegistrationError::Credentials);
            }
        };
        self.send_code(settings, beginner, app, now).await
    }

    /// A link in the place of username and password: sends a code. The link stays open until a registration that it began is
    /// activated.
    ///
    /// # Errors
    ///
    /// One same [`RegistrationError::Link`] for a link that is over and for one that never was.
    pub async fn start_by_link(
        &self,
        settings: &Settings,
        link: &str,
        app: (AppKey, String, String),
        now: Now,
    ) -> Result<Started, RegistrationError> {
        let mut transaction = self.store.begin().await?;
        let found = link_rows::read(&mut transaction, &links::hash(link), now.seconds()).await?;
        let reason = match &found {
            None => Some((RegistrationError::Link, "link")),
            Some(link) if link.phone.is_none() => Some((RegistrationError::NoPhone, "no_phone")),
            Some(_) => None,
        };
        if let Some((error, reason)) = reason {
            let user = found.as_ref().map(|found| found.user_id.as_str());
            let event = Event::new(now, "registration.refused", user).with(json!({ "reason": reason }));
            self.finish(&mut transaction, vec![event]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(error);
        }
        transaction.commit().await.map_err(StoreError::from)?;
        let found = found.ok_or(RegistrationError::Link)?;
        let beginner = Beginner {
            user_id: found.user_id,
            phone: found.phone.unwrap_or_default(),
            group_policy: found.group_policy,
            link_id: Some(found.id),
        };
        self.send_code(settings, beginner, app, now).await
    }

    async fn send_code(
        &self,
        settings: &Settings,
        Beginner { user_id, phone, group_policy, link_id }: Beginner,
        (key, app_name, platform): (AppKey, String, String),
        now: Now,
    ) -> Result<Started, RegistrationError> {
        let prefix: String = phone.chars().take(5).collect();
        let mut transaction = self.store.begin().await?;
        // Locks the user's row: two at once are counted one after the other.
        match &link_id {
            None => rows::forgive_password(&mut transaction, &user_id).await?,
            Some(_) => link_rows::lock_user(&mut transaction, &user_id).await?,
        }
        let seconds = now.seconds();
        let [last, hour, day, of_prefix, of_all] = rows::sends(&mut transaction, &user_id, &prefix, seconds).await?;
        let wait = match () {
            () if hour >= PER_USER[0] => 3600,
            () if day >= PER_USER[1] => 86_400,
            () if of_prefix >= settings.sms_per_prefix || of_all >= settings.sms_per_hour => 3600,
            () => last + RESEND_AFTER - seconds,
        };
        if wait > 0 {
            let event = Event::new(now, "registration.refused", Some(&user_id)).with(json!({ "reason": "sms_budget" }));
            self.finish(&mut transaction, vec![event]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(RegistrationError::TooSoon { retry_after: u64::try_from(wait).unwrap_or(1) });
        }
        let code = self.sms_code();
        let id = self.random.id(now);
        let key_id = self.keys.newest();
        let new = Registration {
            nonce: BASE64URL_NOPAD.encode(&self.random.bytes::<32>()),
            user_id: user_id.clone(),
            state: "started".to_owned(),
            app_key: key.bytes().to_vec(),
            app_name,
            platform,
            sms_mac: self.sms_mac(key_id, &id, &code)?,
            sms_key_id: key_id.into(),
            expires_at: seconds + GOOD_FOR,
            link_id,
            token: None,
            seal_key: None,
            id,
        };
        rows::start(&mut transaction, &new, &key.id(), &prefix, seconds).await?;
        let issuer = settings.policy_of(group_policy.as_deref()).issuer;
        let values = [("CODE", code.as_str()), ("ISSUER", issuer.as_str())];
        let text = Zeroizing::new(expand(&settings.sms_template, &values, Escape::Plain));
        let sms = Outgoing {
            channel: Channel::Sms,
            recipient: &phone,
            subject: "",
            body: &text,
            expires_at: Some(new.expires_at),
        };
        outbox::write(&mut transaction, &self.keys, &self.random, &sms, now).await?;
        let detail = json!({ "registration": new.id, "app": key.id(), "link": new.link_id });
        self.finish(&mut transaction, vec![Event::new(now, "registration.started", Some(&user_id)).with(detail)])
            .await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.outbox.notify_one();
        let hint = phone.char_indices().rev().nth(1).map_or("", |(at, _)| &phone[at..]);
        Ok(Started { registration: new.id, nonce: new.nonce, phone_hint: hint.to_owned() })
    }

    /// The SMS code: delivers the token, which does not work yet.
    pub async fn confirm(
        &self,
        server: &str,
        id: &str,
        code: &str,
        seal_key: (&str, &AppKey),
        signature: &str,
        now: Now,
    ) -> Result<Confirmed, RegistrationError> {
        let mut transaction = self.store.begin().await?;
        let (settings, registration, key) = self.read(&mut transaction, id).await?;
        if !key.signed(CONFIRM, &[server, id, &registration.nonce, code, seal_key.0], signature) {
            return Err(RegistrationError::Signature);
        }
        let user = verify::Who::Id(registration.user_id.clone());
        let subject = verify::subject(&mut transaction, &self.keys, &user).await?.ok_or(RegistrationError::Ended)?;
        let policy = settings.policy_of(subject.group_policy.as_deref());
        // The same budget as for every other code of the user: a new SMS opens no new one.
        let failures = verify::claim(&mut transaction, &registration.user_id, &policy, now.seconds()).await?;
        let tried = failures.is_some() && rows::claim_sms(&mut transaction, id, now.seconds()).await?;
        let typed: Zeroizing<String> = Zeroizing::new(code.chars().filter(|c| !c.is_whitespace()).take(16).collect());
        let key_id = u32::try_from(registration.sms_key_id).unwrap_or(0);
        let right = self.sms_mac(key_id, id, &typed)?.ct_eq(&registration.sms_mac);
        // A second request with the code is another's, unless it is the first one once more.
        let confirmed = registration.state == "confirmed";
        let taken = confirmed && registration.seal_key.as_deref() != Some(seal_key.0);
        if !tried || taken || !bool::from(right) {
            let reason = if tried { "sms_wrong" } else { "budget_spent" };
            self.tell_if_locked(&mut transaction, &registration.user_id, &policy, failures, now).await?;
            let event = Event::new(now, "registration.refused", Some(&registration.user_id));
            let detail = json!({ "registration": id, "reason": reason });
            self.finish(&mut transaction, vec![event.with(detail)]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(RegistrationError::Sms);
        }
        verify::give_back(&mut transaction, &registration.user_id).await?;
        if let Some((token, columns, kept)) = registration.token.as_ref().filter(|_| confirmed) {
            // The answer was lost on the way: the same token again, to the same key.
            let secret = self.keys.open(verify::SECRET_PLACE, token, kept);
            let secret = secret.map_err(|_| StoreError::Damaged("registrations"))?;
            let sealed = seal_key.1.seal(&secret, id, &self.random).map_err(|_| RegistrationError::Signature)?;
            let replaces = self.replaces(&mut transaction, &registration.user_id, &key).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            let exportable = policy.exportable;
            return Ok(Confirmed { token: token.clone(), columns: columns.clone(), sealed, replaces, exportable });
        }

        let token = self.random.id(now);
        let secret = self.token_secret(policy.algorithm);
        let columns = Columns {
            kind: "totp".to_owned(),
            issuer: policy.issuer.clone(),
            account: users::user_name(&mut transaction, &registration.user_id).await?,
            algorithm: policy.algorithm.to_string(),
            digits: policy.digits.get().into(),
            period: i64::try_from(policy.period.seconds()).unwrap_or(30),
        };
        let kept = self.keys.seal(verify::SECRET_PLACE, &token, secret.expose(), &self.random);
        let until = now.seconds() + GOOD_FOR;
        if !rows::confirm(&mut transaction, id, &token, &columns, kept, seal_key.0, until).await? {
            return Err(RegistrationError::Ended);
        }
        let sealed = seal_key.1.seal(&secret, id, &self.random).map_err(|_| RegistrationError::Signature)?;
        let replaces = self.replaces(&mut transaction, &registration.user_id, &key).await?;
        let detail = json!({ "registration": id, "token": token });
        let event = Event::new(now, "registration.confirmed", Some(&registration.user_id)).with(detail);
        self.finish(&mut transaction, vec![event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(Confirmed { token, columns, sealed, replaces, exportable: policy.exportable })
    }

    /// A first code: the token works from now on, and the one before does not. The same request again is answered
    /// again, for an app that lost the answer.
    pub async fn activate(
        &self,
        server: &str,
        id: &str,
        code: &str,
        signature: &str,
        now: Now,
    ) -> Result<(String, String), RegistrationError> {
        let mut transaction = self.store.begin().await?;
        let (settings, registration, key) = self.read(&mut transaction, id).await?;
        let Some((token, columns, sealed)) = &registration.token else { return Err(RegistrationError::Ended) };
        if !key.signed(ACTIVATE, &[server, id, &registration.nonce, token, code], signature) {
            return Err(RegistrationError::Signature);
        }
        let user_id = &registration.user_id;
        let done = (token.clone(), key.id());
        match registration.state.as_str() {
            "confirmed" if registration.expires_at > now.seconds() => {}
            "confirmed" => return Err(RegistrationError::Ended),
            "active" => {
                let bound = rows::binding_of(&mut transaction, user_id).await?;
                let still = bound.is_some_and(|bound| bound.credential_id == *token);
                return if still { Ok(done) } else { Err(RegistrationError::BoundElsewhere) };
            }
            _ => return Err(RegistrationError::BoundElsewhere),
        }
        let subject = verify::subject(&mut transaction, &self.keys, &verify::Who::Id(user_id.clone())).await?;
        let policy = settings.policy_of(subject.ok_or(RegistrationError::Ended)?.group_policy.as_deref());
        let failures = verify::claim(&mut transaction, user_id, &policy, now.seconds()).await?;
        let secret = self.keys.open(verify::SECRET_PLACE, token, sealed);
        let secret = secret.map_err(|_| StoreError::Damaged("registrations"))?;
        let spec = verify::token(columns, -1, &secret).ok_or(StoreError::Damaged("registrations"))?;
        let judged = judge(&spec, -1, None, &TypedCode::new(code), &policy, now.seconds());
        let (Some(_), Judgement::Step(step)) = (failures, judged) else {
            self.tell_if_locked(&mut transaction, user_id, &policy, failures, now).await?;
            let reason = if failures.is_some() { "wrong" } else { "budget_spent" };
            let detail = json!({ "registration": id, "reason": reason });
            let event = Event::new(now, "registration.refused", Some(user_id)).with(detail);
            self.finish(&mut transaction, vec![event]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            return Err(RegistrationError::Code);
        };
        if let Some(link) = &registration.link_id
            && !link_rows::take(&mut transaction, link, now.seconds()).await?
        {
            return Err(RegistrationError::Link);
        }
        let before = rows::binding_of(&mut transaction, user_id).await?;
        if !rows::activate(&mut transaction, &registration, &key.id(), step, now.seconds()).await? {
            return Err(RegistrationError::BoundElsewhere);
        }
        verify::forgive(&mut transaction, user_id).await?;
        // Whose token it is hears of it, in case it was somebody else.
        let notice = Notice::Registered { app: &registration.app_name };
        self.teller(now).tell(&mut transaction, user_id, &policy, notice).await?;
        let detail = json!({
            "registration": id, "token": token, "app": key.id(), "before": before.map(|b| b.app_id),
            "link": registration.link_id,
        });
        let event = Event::new(now, "registration.activated", Some(user_id)).with(detail);
        self.finish(&mut transaction, vec![event]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.outbox.notify_one();
        Ok(done)
    }

    /// The app that a user's token would be taken from.
    async fn replaces(
        &self,
        connection: &mut AnyConnection,
        user_id: &str,
        key: &AppKey,
    ) -> Result<Option<String>, StoreError> {
        let bound = rows::binding_of(connection, user_id).await?;
        Ok(bound.filter(|bound| bound.app_id != key.id()).map(|bound| bound.app_name))
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

    fn sms_code(&self) -> Zeroizing<String> {
        let most = 10_u64.pow(SMS_DIGITS.into());
        // 64 bits over a million: no code is likelier than another by more than one in 10^13.
        let number = u64::from_be_bytes(self.random.bytes()) % most;
        Zeroizing::new(format!("{number:0width$}", width = usize::from(SMS_DIGITS)))
    }

    fn sms_mac(&self, key_id: u32, registration: &str, code: &str) -> Result<Vec<u8>, StoreError> {
        let parts: [&[u8]; 3] = [b"sms", registration.as_bytes(), code.as_bytes()];
        self.keys.lookup_code(key_id, &parts).map(Vec::from).ok_or(StoreError::Damaged("keys"))
    }

    /// As long as the hash's output, which RFC 4226 and RFC 6238 ask for.
    pub(super) fn token_secret(&self, algorithm: Algorithm) -> SecretBytes {
        let bytes = Zeroizing::new(self.random.bytes::<64>());
        let length = match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        };
        SecretBytes::new(bytes[..length].to_vec())
    }
}
