//! How messages go out: what may be set, and what each takes.

use std::net::IpAddr;

use super::Settings;
use crate::{domain::users, template::stray};

/// What may stand in a gateway's templates.
const PLACES: [&str; 4] = ["TO", "TEXT", "ID", "SECRET"];

/// Which way SMS go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmsKind {
    /// Shown on the console and on `/outbox`.
    #[default]
    Console,
    /// Twilio's API.
    Twilio,
    /// Any gateway, by template.
    Http,
}

/// Which way mail goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailKind {
    /// Shown on the console and on `/outbox`.
    #[default]
    Console,
    /// A mail server.
    Smtp,
}

/// When the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// After the greeting; without it nothing is sent.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
    /// Never: for a server on the same machine.
    None,
}

macro_rules! names {
    ($kind:ident { $($variant:ident = $name:literal),* }) => {
        impl $kind {
            /// The one of a name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

names!(SmsKind { Console = "console", Twilio = "twilio", Http = "http" });
names!(MailKind { Console = "console", Smtp = "smtp" });
names!(SmtpTls { Starttls = "starttls", Tls = "tls", None = "none" });

/// What the senders need, secrets aside. Empty texts are not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderSettings {
    /// Which way SMS go.
    pub sms: SmsKind,
    /// Twilio: the account's SID.
    pub twilio_account: String,
    /// Twilio: an API key's SID.
    pub twilio_key: String,
    /// Twilio: a number, a name, or a messaging service's SID.
    pub twilio_from: String,
    /// Twilio: scheme and host.
    pub twilio_url: String,
    /// Gateway: the method.
    pub http_method: String,
    /// Gateway: the address, a template.
    pub http_url: String,
    /// Gateway: `NAME: VALUE`, separated by `\n` in two characters; the values are templates.
    pub http_headers: String,
    /// Gateway: the body, a template.
    pub http_body: String,
    /// Which way mail goes.
    pub mail: MailKind,
    /// Mail: whom it is from.
    pub mail_from: String,
    /// Mail: the server.
    pub smtp_host: String,
    /// Mail: its port.
    pub smtp_port: u16,
    /// Mail: when the connection is encrypted.
    pub smtp_tls: SmtpTls,
    /// Mail: the user.
    pub smtp_user: String,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            sms: SmsKind::Console,
            twilio_account: String::new(),
            twilio_key: String::new(),
            twilio_from: String::new(),
            twilio_url: "https://api.twilio.com".to_owned(),
            http_method: "POST".to_owned(),
            http_url: String::new(),
            http_headers: String::new(),
            http_body: String::new(),
            mail: MailKind::Console,
            mail_from: String::new(),
            smtp_host: String::new(),
            smtp_port: 587,
            smtp_tls: SmtpTls::Starttls,
            smtp_user: String::new(),
        }
    }
}

/// Notes that a secret has a value. Its value goes to the store, sealed.
pub(super) fn secret(all: &mut Settings, name: &'static str, text: &str) -> Option<()> {
    line(text)?;
    all.secrets.insert(name);
    Some(())
}

/// What is shown of a secret.
pub(super) fn shown(all: &Settings, name: &str) -> String {
    if all.secrets.contains(name) { "(set)".to_owned() } else { String::new() }
}

/// A line of 1 to 256 characters.
pub(super) fn line(text: &str) -> Option<String> {
    let whole = (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    whole.then(|| text.to_owned())
}

/// One of Twilio's identifiers.
pub(super) fn sid(text: &str, beginnings: &[&str]) -> Option<String> {
    let digits = beginnings.iter().find_map(|beginning| text.strip_prefix(beginning))?;
    (digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| text.to_owned())
}

/// A number, a messaging service, or an alphanumeric sender (3GPP TS 23.040: at most 11 characters).
pub(super) fn from(text: &str) -> Option<String> {
    let name = (1..=11).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ')
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    users::phone(text).ok().or_else(|| sid(text, &["MG"])).or_else(|| name.then(|| text.to_owned()))
}

/// Whether an address is of another machine and reached without TLS.
pub(super) fn is_open(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|at| at.to_canonical().is_loopback());
        url.scheme() == "http" && !own
    })
}

/// Scheme and host without a path: HTTPS, or this machine.
pub(super) fn base(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let whole = matches!(url.scheme(), "https" | "http") && url.has_host() && url.path() == "/" && !text.ends_with('/');
    (whole && !is_open(text) && url.query().is_none() && url.fragment().is_none() && url.username().is_empty())
        .then(|| text.to_owned())
}

/// The address of this server: what stands in links and is signed, so nothing that a reader of addresses would change.
pub(super) fn public(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let (_, rest) = text.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let whole = matches!(url.scheme(), "https" | "http")
        && !host.is_empty()
        && !host.contains(['%', '@', '\\'])
        && url.port() != Some(0)
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == if path.is_empty() { "/" } else { path }
        && !text.ends_with(['/', '?', '#', ':'])
        && text.len() <= 1024
        && text.bytes().all(|b| b.is_ascii_graphic());
    whole.then(|| text.to_owned())
}

/// A method that gateways take.
pub(super) fn method(text: &str) -> Option<String> {
    ["GET", "POST", "PUT"].contains(&text).then(|| text.to_owned())
}

/// An address whose host no message can change.
pub(super) fn gateway_url(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let (_, rest) = text.split_once("://")?;
    let host = rest.split(['/', '?', '#', '\\']).next()?;
    let whole = matches!(url.scheme(), "https" | "http")
        && url.has_host()
        && !host.contains(['%', '@'])
        && url.fragment().is_none()
        && text.len() <= 2048
        && stray(text, &PLACES).is_none()
        && text.bytes().all(|b| b.is_ascii_graphic());
    whole.then(|| text.to_owned())
}

/// Headers, one a line. A text of a message may not stand in one: a header has no way to hold every character.
pub(super) fn headers(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace('\n', "\\n");
    let whole = text.len() <= 4096
        && !text.contains("%TEXT%")
        && stray(&text, &PLACES).is_none()
        && split_headers(&text).all(|header| header.is_some());
    whole.then_some(text)
}

/// Reads headers back; `None` for one that is none.
pub(crate) fn split_headers(text: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    text.split("\\n").filter(|line| !line.trim().is_empty()).map(|line| {
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        reqwest::header::HeaderName::from_bytes(name.as_bytes()).ok()?;
        reqwest::header::HeaderValue::from_str(value).ok()?;
        Some((name, value))
    })
}

/// A body as it was given.
pub(super) fn body(text: &str) -> Option<String> {
    let whole = !text.is_empty() && text.chars().count() <= 4096 && stray(text, &PLACES).is_none();
    (whole && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))).then(|| text.to_owned())
}

/// A sender of mail.
pub(super) fn mailbox(text: &str) -> Option<String> {
    let plain = !text.chars().any(char::is_control) && text.len() <= 320;
    (plain && text.parse::<lettre::message::Mailbox>().is_ok()).then(|| text.to_owned())
}

/// A host's name or address.
pub(super) fn host(text: &str) -> Option<String> {
    let whole = (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
    whole.then(|| text.to_owned())
}
