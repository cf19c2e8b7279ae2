//! What an administrator does, whoever asks: the console or the admin API. Texts come in, are checked here, and what was
//! done goes out in the shapes of [`shapes`].

mod error;
mod keys;
pub mod shapes;
mod texts;
mod users;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use countersign_core::uri;
use shapes::{
    App, AppPage, AuditCheck, AuditEntry, Group, Message, MessagePage, RevokedApp, SentLink, Setting, Token, instant,
};

use crate::{
    domain::{
        audit::Entry,
        links::{self, Via},
        policy::{MailKind, SETTINGS, Setting as Known, SettingError, Settings, SmsKind, TokenKind},
        second_factor::{Unfit, fit},
        users::Name,
    },
    outbox,
    seal::Keys,
    service::{Now, Random},
    store::{Actor, Store, StoreError, admin::NewToken, outbox::Channel, verify},
};

pub use error::AdminError;
pub use keys::API_KEY_PREFIX;
pub use users::{RowProblem, TokenRow, UserRow};

/// Who administers.
#[derive(Clone, Debug)]
pub struct Admin {
    pub(crate) store: Store,
    pub(crate) keys: Arc<Keys>,
    pub(crate) random: Random,
}

impl Admin {
    /// Administers a store as somebody.
    pub fn new(store: &Store, keys: Arc<Keys>, random: Random, actor: Actor) -> Self {
        Self { store: store.acting_as(actor), keys, random }
    }

    /// Adds a group with what differs in it.
    pub async fn add_group(
        &self,
        name: &str,
        policy: &BTreeMap<String, String>,
        now: Now,
    ) -> Result<Group, AdminError> {
        let name = Name::new(name)?;
        let given = policy.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        let policy: BTreeMap<String, String> =
            checked(&given)?.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        self.store.add_group(&self.keys, &self.random.id(now), &name, &policy, now).await?;
        self.group(&name).await
    }

    /// Changes what differs in a group; `None` and an empty text go back to the server's.
    pub async fn change_group(
        &self,
        name: &str,
        changes: &BTreeMap<String, Option<String>>,
        now: Now,
    ) -> Result<Group, AdminError> {
        let name = Name::new(name).map_err(|_| StoreError::Missing("group"))?;
        self.store.change_group(&self.keys, &name, &checked(changes)?, now).await?;
        self.group(&name).await
    }

    /// Deletes a group that nobody is in.
    pub async fn delete_group(&self, name: &str, now: Now) -> Result<(), AdminError> {
        let name = Name::new(name).map_err(|_| StoreError::Missing("group"))?;
        Ok(self.store.delete_group(&self.keys, &name, now).await?)
    }

    async fn group(&self, name: &Name) -> Result<Group, AdminError> {
        let groups = self.groups().await?;
        let found =
            groups.into_iter().find(|group| Name::new(&group.name).is_ok_and(|own| own.folded() == name.folded()));
        Ok(found.ok_or(StoreError::Missing("group"))?)
    }

    /// All groups by name.
    pub async fn groups(&self) -> Result<Vec<Group>, AdminError> {
        Ok(self.store.groups().await?.into_iter().map(Group::from).collect())
    }

    /// All settings.
    pub async fn settings(&self) -> Result<Vec<Setting>, AdminError> {
        let stored = self.store.stored_settings().await?;
        let all = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Ok(SETTINGS.iter().map(|known| Setting::new(known, &all)).collect())
    }

    /// One setting.
    pub async fn setting(&self, name: &str) -> Result<Setting, AdminError> {
        Known::find(name)?;
        let found = self.settings().await?.into_iter().find(|setting| setting.name == name);
        Ok(found.ok_or_else(|| SettingError::Unknown(name.to_owned()))?)
    }

    /// Sets one; `None` goes back to the default.
    pub async fn set(&self, name: &str, value: Option<&str>, now: Now) -> Result<Setting, AdminError> {
        let known = Known::find(name)?;
        if known.leads_secrets() && !self.store.over_administrators() {
            return Err(AdminError::LeadsSecrets(known.name));
        }
        let mut all = Settings::default();
        if let Some(value) = value {
            all.set(name, value)?;
        }
        // A sender that cannot send is not chosen, and one that can stays so.
        let mut stored = self.store.stored_settings().await?;
        let chosen = ["sms_sender", "mail_sender"].contains(&known.name);
        if chosen || outbox::check(&stored, &self.keys).is_ok() {
            stored.retain(|(own, _)| own != name);
            stored.extend(value.map(|value| {
                let kept = match known.secret {
                    true => self.keys.seal_setting(name, value, &self.random),
                    false => value.to_owned(),
                };
                (name.to_owned(), kept)
            }));
            outbox::check(&stored, &self.keys).map_err(|unset| AdminError::Sender(unset.to_string()))?;
        }
        self.store.change_setting(&self.keys, &self.random, known, value, now).await?;
        Ok(Setting::new(known, &all))
    }

    /// Gives a user a token of another server, confirmed.
    pub async fn add_token(&self, user: &str, link: &str, now: Now) -> Result<Token, AdminError> {
        let user = somebody(user)?;
        let (new, _) = self.new_token(link, now)?;
        self.admits(&user, &new, &BTreeSet::new()).await?;
        let id = new.id.clone();
        self.store.add_token(&self.keys, &user, &new, now).await.map_err(|error| match error {
            StoreError::Exists => AdminError::HasToken(user.shown().to_owned()),
            error => error.into(),
        })?;
        let tokens = self.store.tokens(&user).await?;
        let added = tokens.into_iter().find(|token| token.id == id).ok_or(StoreError::Missing("token"))?;
        Ok(added.into())
    }

    /// Whether a user's policy admits a token, besides those that there are and those that come with it.
    async fn admits(&self, user: &Name, new: &NewToken, with: &BTreeSet<TokenKind>) -> Result<TokenKind, AdminError> {
        let kind = TokenKind::named(&new.columns.kind).ok_or(Unfit::Kind)?;
        let mut has = with.clone();
        has.extend(self.store.tokens(user).await?.iter().filter_map(|token| TokenKind::named(&token.columns.kind)));
        let policy = self.store.policy_of(user).await?;
        policy.admits(kind, &has).map_err(|setting| AdminError::NotAdmitted {
            user: user.shown().to_owned(),
            kind: kind.name(),
            setting,
        })?;
        Ok(kind)
    }

    /// Sends a user an enrollment link, and ends the one before. `here` is the server's address where none is set, which
    /// does for messages that nobody but the console shows. Says the link only where `via` has `link`.
    pub async fn send_link(&self, user: &str, via: &[String], here: &str, now: Now) -> Result<SentLink, AdminError> {
        let user = somebody(user)?;
        let via: BTreeSet<Via> =
            via.iter().map(|way| Via::named(way.trim())).collect::<Option<_>>().ok_or(AdminError::Via)?;
        if via.is_empty() {
            return Err(AdminError::Via);
        }
        let stored = self.store.stored_settings().await?;
        let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let goes_out = |way: &Via| match way {
            Via::Sms => settings.senders.sms != SmsKind::Console,
            Via::Email => settings.senders.mail != MailKind::Console,
            Via::Link => false,
        };
        if settings.public_url.is_empty() && via.iter().any(goes_out) {
            return Err(AdminError::NoAddress);
        }
        let server = if settings.public_url.is_empty() { here } else { &settings.public_url };
        let made = links::make(&self.store, (&self.keys, &self.random), server, &user, &via, now).await?;
        Ok(SentLink {
            link: via.contains(&Via::Link).then(|| made.url.expose().to_owned()),
            sent: via.iter().filter(|way| **way != Via::Link).map(|way| way.name().to_owned()).collect(),
            expires_at: instant(made.expires_at),
            address_set: !settings.public_url.is_empty(),
        })
    }

    /// The token of a link, sealed; and its secret's fingerprint, by which two links are known to be one token.
    fn new_token(&self, link: &str, now: Now) -> Result<(NewToken, Vec<u8>), AdminError> {
        let parsed = uri::parse(link.trim())?;
        fit(&parsed)?;
        let token = parsed.spec;
        let (columns, last_step) = verify::columns(&token).ok_or(Unfit::Kind)?;
        let id = self.random.id(now);
        let secret = token.secret.bytes();
        let sealed = self.keys.seal(verify::SECRET_PLACE, &id, secret.expose(), &self.random);
        let print = self.keys.lookup_code(self.keys.newest(), &[b"import", secret.expose()]);
        Ok((NewToken { id, columns, last_step, secret: sealed }, print.map(Vec::from).unwrap_or_default()))
    }

    /// A user's tokens.
    pub async fn tokens(&self, user: &str) -> Result<Vec<Token>, AdminError> {
        Ok(self.store.tokens(&somebody(user)?).await?.into_iter().map(Token::from).collect())
    }

    /// Deletes one of a user's tokens.
    pub async fn delete_token(&self, user: &str, token: &str, now: Now) -> Result<(), AdminError> {
        let user = somebody(user)?;
        let token = uuid::Uuid::try_parse(token.trim()).map_err(|_| StoreError::Missing("token"))?.to_string();
        Ok(self.store.delete_token(&self.keys, &self.random, &user, &token, now).await?)
    }

    /// A page of the apps that have a token, by their users' names: those after `after`.
    pub async fn apps(&self, after: &str, most: u32) -> Result<AppPage, AdminError> {
        let page = self.store.bindings_after(after, most.into()).await?;
        let full = page.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        let next = page.last().filter(|_| full).map(|last| countersign_core::matching::fold(&last.user));
        Ok(AppPage { apps: page.into_iter().map(App::from).collect(), next })
    }

    /// Takes a user's token away from its app, and ends the registrations under way.
    pub async fn revoke_app(&self, user: &str, now: Now) -> Result<RevokedApp, AdminError> {
        Ok(self.store.revoke_app(&self.keys, &self.random, &somebody(user)?, now).await?.into())
    }

    /// Events after a number, oldest first; without one the newest, oldest of them first. Of one user where one is named, also
    /// of one who was deleted: by the name, or by the id where others had that name since.
    pub async fn audit(
        &self,
        after: Option<i64>,
        user: Option<&str>,
        most: u32,
    ) -> Result<Vec<AuditEntry>, AdminError> {
        let user = match user {
            Some(name) => Some(self.somebody_of_the_log(name).await?),
            None => None,
        };
        let entries = match after {
            Some(after) => self.store.audit_of(user.as_deref(), after, most.into()).await?,
            None => self.store.audit_newest(user.as_deref(), most.into()).await?,
        };
        let ids: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.user_id.as_deref()).collect();
        let names = self.store.user_names(&ids).await?;
        let named = |entry: Entry| {
            let user = entry.user_id.as_ref().and_then(|id| names.get(id).cloned());
            AuditEntry { user, ..AuditEntry::from(entry) }
        };
        Ok(entries.into_iter().map(named).collect())
    }

    async fn somebody_of_the_log(&self, name: &str) -> Result<String, AdminError> {
        let known = Name::new(name);
        if let Ok(name) = &known {
            match self.store.user(name).await {
                Ok(user) => return Ok(user.id),
                Err(StoreError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if let Ok(id) = uuid::Uuid::try_parse(name.trim()) {
            let id = id.to_string();
            if self.store.audit_newest(Some(&id), 1).await?.is_empty() {
                Err(StoreError::Missing("user"))?
            }
            return Ok(id);
        }
        let known = known.map_err(|_| StoreError::Missing("user"))?;
        Ok(self.store.deleted_user(&known).await?.ok_or(StoreError::Missing("user"))?)
    }

    /// Whether the audit log is whole.
    pub async fn audit_verify(&self) -> Result<AuditCheck, AdminError> {
        Ok(match self.store.audit_verify(&self.keys).await? {
            Ok(entries) => AuditCheck { whole: true, entries: Some(entries), reason: None },
            Err(broken) => AuditCheck { whole: false, entries: None, reason: Some(broken.to_string()) },
        })
    }

    /// A page of messages, newest first: those older than the one of the id `after`. With their texts where that is wanted
    /// and they go to the console, where everybody who reads its output has them anyway.
    pub async fn messages(&self, texts: bool, after: Option<&str>, most: u32) -> Result<MessagePage, AdminError> {
        let stored = self.store.stored_settings().await?;
        let set = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str()))).senders;
        let messages = match after {
            None => self.store.messages(&self.keys, most.into()).await?,
            Some(id) => self.store.messages_before(&self.keys, id, most.into()).await?,
        };
        let full = messages.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        let next = messages.last().filter(|_| full).map(|last| last.id.clone());
        let messages = messages
            .into_iter()
            .map(|message| {
                let console = match message.channel {
                    Channel::Sms => set.sms == SmsKind::Console,
                    Channel::Mail => set.mail == MailKind::Console,
                };
                Message::new(message, texts && console)
            })
            .collect();
        Ok(MessagePage { messages, next })
    }
}

/// Whom a name means. A name that nobody can have is nobody's.
fn somebody(name: &str) -> Result<Name, AdminError> {
    Ok(Name::new(name).map_err(|_| StoreError::Missing("user"))?)
}

/// What a group may change, checked; an empty value is `None`.
fn checked(changes: &BTreeMap<String, Option<String>>) -> Result<BTreeMap<String, Option<String>>, AdminError> {
    changes
        .iter()
        .map(|(name, value)| {
            let known = Known::find(name)?;
            if !known.per_group {
                return Err(AdminError::PerServer(known.name));
            }
            let value = value.clone().filter(|value| !value.is_empty());
            if let Some(value) = &value {
                Settings::default().set(name, value)?;
            }
            Ok((name.clone(), value))
        })
        .collect()
}
