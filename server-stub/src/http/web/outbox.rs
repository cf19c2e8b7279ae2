//! `/outbox`: SMS and mail on this machine's screen, while they go nowhere else.

use std::net::IpAddr;

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Peer, page as answer};
use crate::{
    domain::{
        policy::{MailKind, SmsKind},
        texts::Language,
    },
    http::{App, Problem},
    store::outbox::Channel,
};

/// What a proxy says of whom it asks for: who is behind one is not on this machine, whatever the connection looks like.
const FORWARDED: [&str; 9] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
];

#[derive(Template)]
#[template(path = "outbox.html")]
struct OutboxPage {
    language: Language,
    root: &'static str,
    messages: Vec<Row>,
}

struct Row {
    written: String,
    channel: &'static str,
    recipient: String,
    subject: String,
    words: Vec<Word>,
}

/// A piece of a text, and whether it is an address to be opened.
struct Word {
    text: String,
    link: bool,
}

/// The newest messages; there is no such page for whoever may not see them.
pub(super) async fn page(State(app): State<App>, peer: Option<Extension<Peer>>, headers: HeaderMap) -> Response {
    let here = peer.is_some_and(|Extension(Peer(peer))| is_here(peer.ip(), &headers));
    if !here {
        return Problem::NotFound.into_response();
    }
    match rows(&app).await {
        Ok(None) => Problem::NotFound.into_response(),
        Ok(Some(messages)) => {
            let page = OutboxPage { language: Language::English, root: ".", messages };
            answer(StatusCode::OK, Language::English, &page)
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Whether a request came from a browser of this machine to a name of this machine. Another name that leads here is
/// somebody's page that had its name moved (DNS rebinding).
fn is_here(peer: IpAddr, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let own = name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    peer.to_canonical().is_loopback() && own && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// `None` where no message goes to the console.
async fn rows(app: &App) -> Result<Option<Vec<Row>>, crate::store::StoreError> {
    let snapshot = app.snapshot.get(&app.store).await?;
    let set = &snapshot.settings.senders;
    let shown = |channel: Channel| match channel {
        Channel::Sms => set.sms == SmsKind::Console,
        Channel::Mail => set.mail == MailKind::Console,
    };
    if !shown(Channel::Sms) && !shown(Channel::Mail) {
        return Ok(None);
    }
    let messages = app.store.messages(&app.desk.keys, 100).await?;
    let rows = messages.into_iter().filter(|message| shown(message.channel)).map(|message| Row {
        written: OffsetDateTime::from_unix_timestamp(message.created_at)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_default(),
        channel: message.channel.name(),
        recipient: message.recipient,
        subject: message.subject,
        words: message.body.split_inclusive(char::is_whitespace).map(word).collect(),
    });
    Ok(Some(rows.collect()))
}

fn word(text: &str) -> Word {
    Word { link: text.starts_with("https://") || text.starts_with("http://"), text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_this_machine_by_its_own_name_sees_messages() {
        let here = |peer: &str, host: &'static str, more: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(more) = more {
                headers.insert(HeaderName::from_static(more), HeaderValue::from_static("127.0.0.1"));
            }
            is_here(peer.parse().unwrap(), &headers)
        };
        for host in ["localhost", "LOCALHOST:8470", "127.0.0.1:8470", "127.1.2.3", "[::1]:8470", "[::1]"] {
            assert!(here("127.0.0.1", host, None), "{host}");
            assert!(here("::1", host, None) && here("::ffff:127.0.0.1", host, None), "{host}");
            assert!(!here("192.0.2.1", host, None), "{host}");
        }
        for host in
            ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8470", "192.0.2.1", "[2001:db8::1]"]
        {
            assert!(!here("127.0.0.1", host, None), "{host}");
        }
        for header in FORWARDED {
            assert!(!here("127.0.0.1", "localhost", Some(header)), "{header}");
        }
    }
}
