//! `/outbox`: SMS and mail on this machine's screen, while they go nowhere else.

use askama::Template;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, Version},
    response::{IntoResponse as _, Response},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{MessagePage, page as answer};
use crate::{
    domain::{
        policy::{MailKind, SmsKind},
        texts::Language,
    },
    http::{App, Peer, Problem, is_local, is_loopback},
    store::{StoreError, outbox::Channel},
};

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
pub(super) async fn page(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    version: Version,
    headers: HeaderMap,
) -> Response {
    let here = peer.is_some_and(|Extension(Peer(peer))| is_local(peer.ip(), version, &headers));
    if !here {
        return Problem::NotFound.into_response();
    }
    match rows(&app).await {
        Ok(Seen::Nothing) => Problem::NotFound.into_response(),
        Ok(Seen::Closed) => {
            let page = MessagePage {
                language: Language::English,
                root: ".",
                host: "",
                title: "This page is closed",
                text: "This server has a public address (public_url), and whoever asks here may be its proxy. \
                       On the machine, `countersign-server outbox list` shows the messages.",
            };
            answer(StatusCode::FORBIDDEN, Language::English, &page)
        }
        Ok(Seen::Messages(messages)) => {
            let page = OutboxPage { language: Language::English, root: ".", messages };
            answer(StatusCode::OK, Language::English, &page)
        }
        Err(error) => Problem::from(error).into_response(),
    }
}

/// What there is to be seen.
enum Seen {
    /// No message goes to the console.
    Nothing,
    /// People reach this server from elsewhere.
    Closed,
    Messages(Vec<Row>),
}

async fn rows(app: &App) -> Result<Seen, StoreError> {
    let snapshot = app.snapshot.get(&app.store).await?;
    let set = &snapshot.settings.senders;
    let shown = |channel: Channel| match channel {
        Channel::Sms => set.sms == SmsKind::Console,
        Channel::Mail => set.mail == MailKind::Console,
    };
    if !shown(Channel::Sms) && !shown(Channel::Mail) {
        return Ok(Seen::Nothing);
    }
    let public = &snapshot.settings.public_url;
    let host = public.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    if !public.is_empty() && !is_loopback(host) {
        return Ok(Seen::Closed);
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
    Ok(Seen::Messages(rows.collect()))
}

fn word(text: &str) -> Word {
    Word { link: text.starts_with("https://") || text.starts_with("http://"), text: text.to_owned() }
}
