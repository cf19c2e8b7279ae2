//! Sends what was written. At least once: a process that dies between sending and saying so sends again.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    seal::Keys,
    service::Clock,
    store::{Store, StoreError, outbox::Message},
};

/// How often other processes' messages are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Sends messages as they are written, until it is dropped.
pub async fn run(
    store: &Store,
    keys: &Keys,
    clock: &Clock,
    written: &Notify,
    send: impl Fn(&Message) -> io::Result<()>,
) {
    loop {
        if let Err(error) = send_due(store, keys, clock, &send).await {
            tracing::warn!(%error, "messages are waiting");
        }
        tokio::select! {
            () = written.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn send_due(
    store: &Store,
    keys: &Keys,
    clock: &Clock,
    send: impl Fn(&Message) -> io::Result<()>,
) -> Result<(), StoreError> {
    while let Some(message) = store.claim_message(keys, clock.now().seconds()).await? {
        // One that did not go out comes up again when its claim has run out.
        if let Err(error) = send(&message) {
            tracing::warn!(message = %message.id, %error, "not sent");
            continue;
        }
        store.message_sent(&message.id, clock.now().seconds()).await?;
        tracing::debug!(message = %message.id, "sent");
    }
    Ok(())
}

/// Shows a message on the terminal: for trying the server without a gateway.
///
/// # Errors
///
/// Nobody reads standard output.
pub fn console(message: &Message) -> io::Result<()> {
    let text: String = message.body.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut out = io::stdout().lock();
    writeln!(out, "SMS to {}: {text}", message.recipient)?;
    out.flush()
}
