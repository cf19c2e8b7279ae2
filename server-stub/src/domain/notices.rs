//! Telling a user of a change, in the transaction that makes it.

use sqlx::AnyConnection;

use super::{policy::Policy, texts::Notice};
use crate::{
    seal::Keys,
    service::{Now, Random},
    store::{
        StoreError,
        outbox::{self, Channel, Outgoing},
        users::{Contact, contact},
    },
};

/// What a notice is written with.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'a> {
    /// The keys.
    pub keys: &'a Keys,
    /// The source of randomness.
    pub random: &'a Random,
    /// When.
    pub now: Now,
}

impl Teller<'_> {
    /// Tells a user at what is on file. Nobody is told where nothing is.
    pub async fn tell(
        self,
        connection: &mut AnyConnection,
        user_id: &str,
        policy: &Policy,
        notice: Notice<'_>,
    ) -> Result<(), StoreError> {
        let contact = contact(connection, user_id).await?;
        self.tell_at(connection, &contact, policy, notice).await
    }

    /// Tells a user by mail, which costs nothing, or by SMS where there is no address: at what was on file before a
    /// change of it.
    pub async fn tell_at(
        self,
        connection: &mut AnyConnection,
        contact: &Contact,
        policy: &Policy,
        notice: Notice<'_>,
    ) -> Result<(), StoreError> {
        let (channel, recipient) = match contact {
            Contact { email: Some(email), .. } => (Channel::Mail, email),
            Contact { phone: Some(phone), .. } => (Channel::Sms, phone),
            _ => return Ok(()),
        };
        let text = notice.text(policy.language, &policy.issuer);
        let subject = match channel {
            Channel::Mail => notice.subject(policy.language, &policy.issuer),
            Channel::Sms => String::new(),
        };
        let new = Outgoing { channel, recipient, subject: &subject, body: &text, expires_at: None };
        outbox::write(connection, self.keys, self.random, &new, self.now).await
    }
}
