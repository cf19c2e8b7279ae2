//! Mail over SMTP.

use std::time::{Duration, SystemTime};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message as Mail, Tokio1Executor,
    message::{Mailbox, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};

use super::{Secrets, Try, Unset, need, tls_failure};
use crate::{
    domain::policy::{SenderSettings, SmtpTls},
    service::Now,
    store::outbox::Message,
};

/// Codes that say what is set is wrong, not the message: authentication (RFC 4954, section 6), no mail from here.
const FOR_LATER: [u16; 5] = [521, 530, 534, 535, 538];

pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    domain: String,
    patience: Duration,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Smtp")
    }
}

impl Smtp {
    pub(super) fn read(set: &SenderSettings, secrets: &Secrets<'_>, patience: Duration) -> Result<Self, Unset> {
        let host = need("smtp_host", &set.smtp_host)?;
        let from = need("mail_from", &set.mail_from)?;
        let from: Mailbox = from.parse().map_err(|_| Unset::Missing("mail_from"))?;
        let domain = from.email.domain().to_owned();
        let parameters = || {
            TlsParameters::new(host.clone()).map_err(|_| Unset::Conflict("smtp_host has no name that TLS could check"))
        };
        let tls = match set.smtp_tls {
            SmtpTls::None => Tls::None,
            SmtpTls::Starttls => Tls::Required(parameters()?),
            SmtpTls::Tls => Tls::Wrapper(parameters()?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(set.smtp_port)
            .tls(tls)
            .hello_name(ClientId::Domain(domain.clone()))
            .timeout(Some(patience));
        if !set.smtp_user.is_empty() {
            let password = secrets.need("smtp_password")?;
            transport = transport.credentials(Credentials::new(set.smtp_user.clone(), password.to_string()));
        }
        Ok(Self { transport: transport.build(), from, domain, patience })
    }

    pub(super) async fn send(&self, message: &Message, now: Now) -> Try {
        let Ok(to) = message.recipient.parse::<Address>() else {
            return Try::Never("the mail address is not valid".to_owned());
        };
        let mail = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&message.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(now.millis))
            // The same at every try: mail programs show a message that came twice once.
            .message_id(Some(format!("<{}@{}>", message.id, self.domain)))
            // No automatic answer comes back (RFC 3834).
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(header::ContentType::TEXT_PLAIN)
            .body(message.body.clone());
        let Ok(mail) = mail else { return Try::Never("the mail cannot be built".to_owned()) };
        let sent = match tokio::time::timeout(self.patience, self.transport.send(mail)).await {
            Ok(Ok(_)) => return Try::Sent(None),
            Ok(Err(error)) => error,
            Err(_) => return Try::Unclear("the mail server did not answer in time".to_owned()),
        };
        match sent.status().map(u16::from) {
            Some(code) => {
                // Its words may repeat the address.
                let reason = format!("the mail server answered {code}");
                if sent.is_permanent() && !FOR_LATER.contains(&code) {
                    Try::Never(reason)
                } else {
                    Try::Later { reason, after: None }
                }
            }
            None if sent.is_tls() => Try::Later { reason: "the mail server's TLS failed".to_owned(), after: None },
            None if let Some(why) = tls_failure(&sent) => {
                Try::Later { reason: format!("the mail server: no TLS: {why}"), after: None }
            }
            None if sent.is_client() => {
                let reason = "the mail server does not offer what is set (smtp_tls, smtp_user)".to_owned();
                Try::Later { reason, after: None }
            }
            None if sent.is_timeout() => Try::Unclear("the mail server did not answer in time".to_owned()),
            None => Try::Unclear("the mail server cannot be reached or broke off".to_owned()),
        }
    }
}
