//! Shows messages on the terminal: for trying the server without a gateway.

use std::io::{self, Write as _};

use super::Try;
use crate::store::outbox::{Channel, Message};

pub(super) fn send(message: &Message, json: bool) -> Try {
    match write(message, json) {
        Ok(()) => Try::Sent(None),
        // Nobody reads standard output. `/outbox` and `outbox list` show it nevertheless.
        Err(error) => Try::Later { reason: format!("standard output: {}", error.kind()), after: None },
    }
}

fn write(message: &Message, json: bool) -> io::Result<()> {
    let text = line(&message.body);
    let mut out = io::stdout().lock();
    match message.channel {
        channel if json => {
            let (to, subject, text) = (&message.recipient, &message.subject, &message.body);
            let channel = channel.name();
            let object = serde_json::json!({ "event": "message", "channel": channel, "to": to, "subject": subject, "text": text });
            writeln!(out, "{object}")?;
        }
        Channel::Sms => writeln!(out, "SMS to {}: {text}", message.recipient)?,
        Channel::Mail => writeln!(out, "Mail to {}, {}: {text}", message.recipient, line(&message.subject))?,
    }
    out.flush()
}

/// A text as one line, without what would move a terminal's cursor.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
