//! The first step: a password or a link, and a code on its way.

use std::collections::BTreeSet;

use countersign_core::secret::Password;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Desk, GOOD_FOR, PER_USER, RESEND_AFTER, RegistrationError, SMS_DIGITS, Started};
use crate::{
    domain::{
        app_key::AppKey,
        audit::Event,
        links,
        policy::{Settings, TokenKind},
    },
    service::Now,
    store::{
        StoreError, links as link_rows,
        outbox::{self, Channel, Outgoing},
        registration::{self as rows, Registrant, Registration},
        users,
    },
    template::{Escape, expand},
};

/// Who begins a registration.
struct Beginner {
    user_id: String,
    phone: String,
    group_policy: Option<String>,
    /// What opened it.
    by: By,
}

/// What opens a registration.
enum By {
    /// The password of this hash.
    Password(Option<String>),
    /// The link of this id.
    Link(String),
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
        let found = rows::claim_password(&mut transaction, rows::CLAIM_PASSWORD, folded, now.seconds()).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        let found = found.open();
        let hash = found.as_ref().ok().and_then(|found| found.password_hash.clone());
        let right = self.passwords.matches(password, hash).await;
        let policy = settings.policy_of(found.as_ref().ok().and_then(|found| found.group_policy.as_deref()));
        let has = match &found {
            Ok(found) if right => users::kinds(&mut *self.store.reader().await?, &found.user_id).await?,
            _ => BTreeSet::new(),
        };
        let allowed = policy.self_enrollment && policy.admits(TokenKind::Totp, &has).is_ok();
        let beginner = match found {
            Ok(Registrant { phone: Some(phone), user_id, group_policy, password_hash, .. }) if right && allowed => {
                Beginner { user_id, phone, group_policy, by: By::Password(password_hash) }
            }
            found => {
                let (user, reason) = match found {
                    Err(refused) => refused,
                    Ok(found) if !right => (Some(found.user_id), "password"),
                    Ok(found) if !allowed => (Some(found.user_id), "policy"),
                    Ok(found) => (Some(found.user_id), "no_phone"),
                };
                let event = Event::new(now, "registration.refused", user.as_deref()).with(json!({ "reason": reason }));
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
        link_rows::end_if_too_old(&self.store, &links::hash(link), now.seconds()).await?;
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
            by: By::Link(found.id),
        };
        self.send_code(settings, beginner, app, now).await
    }

    async fn send_code(
        &self,
        settings: &Settings,
        Beginner { user_id, phone, group_policy, by }: Beginner,
        (key, app_name, platform): (AppKey, String, String),
        now: Now,
    ) -> Result<Started, RegistrationError> {
        let prefix: String = phone.chars().take(5).collect();
        let mut transaction = self.store.begin().await?;
        // Locks the user's row: two at once are counted one after the other. What opened this may have ended since.
        match &by {
            By::Password(hash) => {
                if !rows::enter(&mut transaction, &user_id, hash.as_deref()).await? {
                    return Err(RegistrationError::Credentials);
                }
            }
            By::Link(link) => {
                link_rows::lock_user(&mut transaction, &user_id).await?;
                if !link_rows::is_open(&mut transaction, link).await? {
                    return Err(RegistrationError::Link);
                }
            }
        }
        let link_id = match by {
            By::Password(_) => None,
            By::Link(link) => Some(link),
        };
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

    fn sms_code(&self) -> Zeroizing<String> {
        let most = 10_u64.pow(SMS_DIGITS.into());
        // 64 bits over a million: no code is likelier than another by more than one in 10^13.
        let number = u64::from_be_bytes(self.random.bytes()) % most;
        Zeroizing::new(format!("{number:0width$}", width = usize::from(SMS_DIGITS)))
    }
}
