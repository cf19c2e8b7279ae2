//! Where messages go, out of what is set.

use std::time::Duration;

use super::{PATIENCE, gateway, smtp, twilio};
use crate::{
    domain::policy::{MailKind, Settings, SmsKind},
    seal::Keys,
};

/// Where messages go, as it is set.
#[derive(Debug)]
pub(super) struct Senders {
    pub(super) sms: Sms,
    pub(super) mail: Mail,
    pub(super) tries: i64,
}

#[derive(Debug)]
pub(super) enum Sms {
    Console,
    Twilio(twilio::Twilio),
    Gateway(gateway::Gateway),
    Unset(Unset),
}

#[derive(Debug)]
pub(super) enum Mail {
    Console,
    Smtp(Box<smtp::Smtp>),
    Unset(Unset),
}

/// Why a sender cannot send: what is set is not enough.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unset {
    /// A setting that the sender needs has no value.
    #[error("{0} is not set: countersign-server settings set {0} VALUE")]
    Missing(&'static str),
    /// A secret does not open with the keys that are there.
    #[error("{0} cannot be opened with this server's keys: set it again")]
    Sealed(&'static str),
    /// Two settings do not go together.
    #[error("{0}")]
    Conflict(&'static str),
}

/// Whether what is set is enough for the senders that are chosen.
///
/// # Errors
///
/// What is missing or does not go together.
pub fn check(stored: &[(String, String)], keys: &Keys) -> Result<(), Unset> {
    let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let secrets = Secrets { stored, keys };
    match settings.senders.sms {
        SmsKind::Console => {}
        SmsKind::Twilio => drop(twilio::Parts::read(&settings.senders, &secrets)?),
        SmsKind::Http => drop(gateway::Parts::read(&settings.senders, &secrets)?),
    }
    match settings.senders.mail {
        MailKind::Console => {}
        MailKind::Smtp => drop(smtp::Smtp::read(&settings.senders, &secrets, PATIENCE)?),
    }
    Ok(())
}

/// What is set makes these.
pub(super) fn senders(stored: &[(String, String)], keys: &Keys, http: &reqwest::Client, patience: Duration) -> Senders {
    let settings = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let (set, secrets) = (&settings.senders, Secrets { stored, keys });
    let sms = match set.sms {
        SmsKind::Console => Sms::Console,
        SmsKind::Twilio => twilio::Parts::read(set, &secrets)
            .map_or_else(Sms::Unset, |parts| Sms::Twilio(twilio::Twilio::new(parts, http.clone()))),
        SmsKind::Http => gateway::Parts::read(set, &secrets)
            .map_or_else(Sms::Unset, |parts| Sms::Gateway(gateway::Gateway::new(parts, http.clone()))),
    };
    let mail = match set.mail {
        MailKind::Console => Mail::Console,
        MailKind::Smtp => {
            smtp::Smtp::read(set, &secrets, patience).map_or_else(Mail::Unset, |smtp| Mail::Smtp(Box::new(smtp)))
        }
    };
    Senders { sms, mail, tries: settings.outbox_tries }
}

/// The secret settings.
pub(super) struct Secrets<'a> {
    stored: &'a [(String, String)],
    keys: &'a Keys,
}

impl Secrets<'_> {
    /// One by name; `None` where it has no value.
    pub(super) fn find(&self, name: &'static str) -> Result<Option<zeroize::Zeroizing<String>>, Unset> {
        let Some((_, sealed)) = self.stored.iter().find(|(own, _)| own == name) else { return Ok(None) };
        self.keys.open_setting(name, sealed).map(Some).map_err(|_| Unset::Sealed(name))
    }

    /// One that must have a value.
    pub(super) fn need(&self, name: &'static str) -> Result<zeroize::Zeroizing<String>, Unset> {
        self.find(name)?.ok_or(Unset::Missing(name))
    }
}

/// A text that must have been set.
pub(super) fn need(name: &'static str, text: &str) -> Result<String, Unset> {
    if text.is_empty() { Err(Unset::Missing(name)) } else { Ok(text.to_owned()) }
}
