//! Enrollment links: what an administrator sends so that a user sets up a token without a password. Opening one changes
//! nothing; it is used up when the token that it began has shown a first code.

use std::collections::BTreeSet;

use countersign_core::{
    secret::SecretText,
    uri::{
        self,
        enroll::{self, EnrollLink},
    },
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

use super::{
    audit::Event,
    judge::{Judgement, TypedCode, judge},
    policy::{Policy, TokenKind},
    registration::{Desk, TokenToBe},
    texts::{LinkText, Notice},
    users::Name,
};
use crate::{
    seal::Keys,
    service::{Now, Random},
    store::{
        Store, StoreError,
        links::{self as rows, Link},
        outbox::{self, Channel, Outgoing},
        users,
        verify::{self, Columns},
    },
};

/// Seconds for which a link is open: a day.
pub const LINK_SECONDS: i64 = 24 * 3600;

/// Which way a link reaches its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// By SMS.
    Sms,
    /// By mail.
    Email,
    /// Shown to whoever makes it.
    Link,
}

impl Via {
    /// The way of a name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sms" => Some(Self::Sms),
            "email" => Some(Self::Email),
            "link" => Some(Self::Link),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Link => "link",
        }
    }
}

/// Why a link was not made, or did not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Used, replaced by a newer one, too old, or never made.
    #[error("the link is over")]
    Over,
    /// The policy lets no other authenticators in.
    #[error("the policy lets no other authenticators in (other_apps)")]
    OtherApps,
    /// The policy lets the user have no TOTP token now; the setting that says so.
    #[error("the policy lets this user have no TOTP token now ({0})")]
    Kind(&'static str),
    /// The first code is wrong, or the user's budget is used up.
    #[error("the code is wrong")]
    Code,
    /// There is no number that an SMS could go to.
    #[error("this user has no phone number")]
    NoPhone,
    /// There is no mail address.
    #[error("this user has no mail address")]
    NoEmail,
    /// The store failed; nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A link that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its address: whoever has it can register.
    pub url: SecretText,
    /// Until when it is open, in Unix seconds.
    pub expires_at: i64,
}

/// What a link's page shows.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The user's name.
    pub user: String,
    /// The last two digits of the number that the code goes to; `None` where there is no number.
    pub phone_hint: Option<String>,
    /// Until when it is open, in Unix seconds.
    pub expires_at: i64,
    /// The user's policy.
    pub policy: Policy,
}

/// A token for another authenticator, which waits for its first code.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the page shows beside it.
    pub opened: Opened,
    /// What the token is.
    pub columns: Columns,
    /// Its `otpauth://` link.
    pub uri: SecretText,
    /// Its secret in Base32.
    pub secret: SecretText,
}

/// What a link is looked up by.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The address that opens the app with a link; its page's QR code says the same.
pub fn app_address(server: &str, text: &str) -> SecretText {
    enroll::write(&EnrollLink { server: server.to_owned(), code: SecretText::new(text.to_owned()) })
}

/// Makes a link for a user, ends the one before, and sends it.
///
/// # Errors
///
/// The user cannot be reached that way, or could do nothing with it; no link was made then.
pub async fn make(
    store: &Store,
    (keys, random): (&Keys, &Random),
    server: &str,
    user: &Name,
    via: &BTreeSet<Via>,
    now: Now,
) -> Result<Made, LinkError> {
    let mut transaction = store.begin().await?;
    let user_id = store.changeable(&mut transaction, user).await?;
    rows::lock_user(&mut transaction, &user_id).await?;
    let contact = users::contact(&mut transaction, &user_id).await?;
    let (_, policy) = users::policy(&mut transaction, &user_id).await?;
    let has = users::kinds(&mut transaction, &user_id).await?;
    policy.admits(TokenKind::Totp, &has).map_err(LinkError::Kind)?;
    if contact.phone.is_none() && (via.contains(&Via::Sms) || !policy.other_apps) {
        return Err(LinkError::NoPhone);
    }
    if contact.email.is_none() && via.contains(&Via::Email) {
        return Err(LinkError::NoEmail);
    }
    let text = SecretText::new(BASE64URL_NOPAD.encode(&random.bytes::<32>()));
    let url = SecretText::new(format!("{server}/enroll/{}", text.expose()));
    let (id, expires_at) = (random.id(now), now.seconds() + LINK_SECONDS);
    rows::start(&mut transaction, &id, &hash(text.expose()), &user_id, now.seconds(), expires_at).await?;
    for (wanted, channel, recipient) in
        [(Via::Sms, Channel::Sms, &contact.phone), (Via::Email, Channel::Mail, &contact.email)]
    {
        let Some(recipient) = recipient.as_ref().filter(|_| via.contains(&wanted)) else { continue };
        let words = LinkText { issuer: &policy.issuer, url: url.expose() };
        let (subject, body) = match channel {
            Channel::Sms => (String::new(), words.sms(policy.language)),
            Channel::Mail => (words.subject(policy.language), words.mail(policy.language)),
        };
        let body = SecretText::new(body);
        let message =
            Outgoing { channel, recipient, subject: &subject, body: body.expose(), expires_at: Some(expires_at) };
        outbox::write(&mut transaction, keys, random, &message, now).await?;
    }
    let ways: Vec<&str> = via.iter().map(|way| way.name()).collect();
    let event = Event::new(now, "link.made", Some(&user_id)).with(json!({ "link": id, "via": ways }));
    store.record(&mut transaction, keys, vec![event]).await?;
    transaction.commit().await.map_err(StoreError::from)?;
    Ok(Made { url, expires_at })
}

impl Desk {
    /// What the page of a link shows. Changes nothing of one that is open, however often it is asked: mail scanners open
    /// links.
    pub async fn open_link(&self, text: &str, now: Now) -> Result<Opened, LinkError> {
        rows::end_if_too_old(&self.store, &hash(text), now.seconds()).await?;
        let mut connection = self.store.reader().await?;
        let (_, opened) = find(&mut connection, text, now).await?;
        Ok(opened)
    }

    /// The token for another authenticator: made when it is shown first, and the same when it is shown again.
    pub async fn show_secret(&self, text: &str, now: Now) -> Result<Shown, LinkError> {
        rows::end_if_too_old(&self.store, &hash(text), now.seconds()).await?;
        let mut transaction = self.store.begin().await?;
        let (mut link, opened) = find_for_others(&mut transaction, text, now).await?;
        if link.token.is_none() {
            rows::lock_user(&mut transaction, &link.user_id).await?;
            let TokenToBe { id, columns, kept, .. } = self.token_to_be(&opened.policy, link.user.clone(), now);
            // Somebody else's first look may have been first: theirs is shown then.
            if rows::prepare(&mut transaction, &link.id, &id, &columns, kept).await? {
                let event = Event::new(now, "link.shown", Some(&link.user_id)).with(json!({ "link": link.id }));
                self.finish(&mut transaction, vec![event]).await?;
            }
            (link, _) = find_for_others(&mut transaction, text, now).await?;
            transaction.commit().await.map_err(StoreError::from)?;
        }
        let (spec, columns) = self.token_of(&link)?;
        Ok(Shown { opened, columns, uri: uri::write(&spec), secret: spec.secret.base32() })
    }

    /// The first code of another authenticator: the token works, and link and code are used up.
    pub async fn confirm_link(&self, text: &str, code: &str, now: Now) -> Result<(), LinkError> {
        rows::end_if_too_old(&self.store, &hash(text), now.seconds()).await?;
        let mut transaction = self.store.begin().await?;
        let (link, Opened { policy, .. }) = find_for_others(&mut transaction, text, now).await?;
        let (spec, columns) = self.token_of(&link)?;
        let (user_id, seconds) = (link.user_id.as_str(), now.seconds());
        let failures = verify::claim(&mut transaction, user_id, &policy, seconds).await?;
        let judged = judge(&spec, -1, None, &TypedCode::new(code), &policy, seconds);
        let (Some(_), Judgement::Step(step)) = (failures, judged) else {
            self.tell_if_locked(&mut transaction, user_id, &policy, failures, now).await?;
            let reason = if failures.is_some() { "wrong" } else { "budget_spent" };
            let detail = json!({ "link": link.id, "reason": reason });
            self.finish(&mut transaction, vec![Event::new(now, "link.refused", Some(user_id)).with(detail)]).await?;
            transaction.commit().await.map_err(StoreError::from)?;
            self.outbox.notify_one();
            return Err(LinkError::Code);
        };
        if !rows::take(&mut transaction, &link.id, seconds).await? {
            return Err(LinkError::Over);
        }
        rows::end_registrations(&mut transaction, &link.id).await?;
        rows::add_token(&mut transaction, &link, step, seconds).await?;
        verify::forgive(&mut transaction, user_id).await?;
        self.teller(now).tell(&mut transaction, user_id, &policy, Notice::Added).await?;
        let token = link.token.as_ref().map(|(id, ..)| id);
        let detail = json!({ "link": link.id, "token": token, "kind": columns.kind });
        self.finish(&mut transaction, vec![Event::new(now, "link.used", Some(user_id)).with(detail)]).await?;
        transaction.commit().await.map_err(StoreError::from)?;
        self.outbox.notify_one();
        Ok(())
    }

    fn token_of(&self, link: &Link) -> Result<(countersign_core::token::TokenSpec, Columns), LinkError> {
        let (id, columns, sealed) = link.token.as_ref().ok_or(LinkError::Over)?;
        let damaged = || StoreError::Damaged("links");
        let secret = self.keys.open(verify::SECRET_PLACE, id, sealed).map_err(|_| damaged())?;
        Ok((verify::token(columns, -1, &secret).ok_or_else(damaged)?, columns.clone()))
    }
}

async fn find(connection: &mut AnyConnection, text: &str, now: Now) -> Result<(Link, Opened), LinkError> {
    let link = rows::read(&mut *connection, &hash(text), now.seconds()).await?.ok_or(LinkError::Over)?;
    let (_, policy) = users::policy(connection, &link.user_id).await?;
    let hint = |phone: &String| phone.char_indices().rev().nth(1).map_or("", |(at, _)| &phone[at..]).to_owned();
    let opened = Opened {
        user: link.user.clone(),
        phone_hint: link.phone.as_ref().map(hint),
        expires_at: link.expires_at,
        policy,
    };
    Ok((link, opened))
}

async fn find_for_others(connection: &mut AnyConnection, text: &str, now: Now) -> Result<(Link, Opened), LinkError> {
    let (link, opened) = find(connection, text, now).await?;
    if opened.policy.other_apps { Ok((link, opened)) } else { Err(LinkError::OtherApps) }
}
