//! Twilio's Messages resource: `POST /2010-04-01/Accounts/{SID}/Messages.json`, basic authentication, a form.
//!
//! It has no key by which it would know a message that comes twice. Where a try ended without an answer, the messages
//! to that number are looked through before the next one.

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use zeroize::Zeroizing;

use super::{Secrets, Try, Unset, need, no_answer, retry_after};
use crate::{domain::policy::SenderSettings, store::outbox::Message};

/// Codes of 4xx answers after which the account or what is set may be put right, or room may come up; the number and
/// the text are not what is wrong. <https://www.twilio.com/docs/api/errors>
const FOR_LATER: [i64; 15] = [
    // Authentication; account not active, suspended, test credentials; not found.
    20003, 10001, 20005, 20006, 20008, 20404, // Too many requests; too many concurrent.
    20429, 20100,
    // The sender: not valid, not owned, not capable, no permission for the region, its queue is full.
    21212, 21603, 21606, 21659, 21660, 21703, 21611,
];

pub(super) struct Parts {
    url: String,
    user: String,
    token: Zeroizing<String>,
    from: String,
}

impl Parts {
    pub(super) fn read(set: &SenderSettings, secrets: &Secrets<'_>) -> Result<Self, Unset> {
        let account = need("twilio_account", &set.twilio_account)?;
        Ok(Self {
            url: format!("{}/2010-04-01/Accounts/{account}/Messages.json", set.twilio_url),
            user: if set.twilio_key.is_empty() { account } else { set.twilio_key.clone() },
            token: secrets.need("twilio_token")?,
            from: need("twilio_from", &set.twilio_from)?,
        })
    }
}

pub(super) struct Twilio {
    parts: Parts,
    http: Client,
}

impl std::fmt::Debug for Twilio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Twilio")
    }
}

/// A message that was taken.
#[derive(Deserialize)]
struct Taken {
    sid: Option<String>,
    status: Option<String>,
    error_code: Option<i64>,
}

/// A refusal.
#[derive(Deserialize)]
struct Refusal {
    code: Option<i64>,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Earlier>,
}

#[derive(Deserialize)]
struct Earlier {
    sid: Option<String>,
    body: Option<String>,
    status: Option<String>,
    direction: Option<String>,
    date_created: Option<String>,
}

impl Twilio {
    pub(super) fn new(parts: Parts, http: Client) -> Self {
        Self { parts, http }
    }

    pub(super) async fn send(&self, message: &Message) -> Try {
        if message.unclear
            && let Some(known) = self.look_for(message).await
        {
            return known;
        }
        // A sender that begins so is a messaging service, which chooses the number.
        let sender = if self.parts.from.starts_with("MG") && self.parts.from.len() == 34 {
            "MessagingServiceSid"
        } else {
            "From"
        };
        let form =
            [("To", message.recipient.as_str()), (sender, self.parts.from.as_str()), ("Body", message.body.as_str())];
        let response = match self.signed(self.http.post(&self.parts.url).form(&form)).send().await {
            Ok(response) => response,
            Err(error) => return no_answer("Twilio", error),
        };
        let (status, after) = (response.status(), retry_after(response.headers()));
        let body = response.bytes().await;
        if status.is_success() {
            // Taken, whatever else it says; a body that breaks off changes nothing.
            let taken = body.ok().and_then(|body| serde_json::from_slice::<Taken>(&body).ok());
            return match taken {
                Some(Taken { status: Some(status), error_code: Some(code), .. }) if status == "failed" => {
                    Try::Never(reason(StatusCode::BAD_REQUEST, Some(code)))
                }
                taken => Try::Sent(taken.and_then(|taken| taken.sid).filter(|sid| sid.len() <= 64)),
            };
        }
        let code = body.ok().and_then(|body| serde_json::from_slice::<Refusal>(&body).ok()).and_then(|said| said.code);
        let reason = reason(status, code);
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Try::Later { reason, after },
            _ if status.is_server_error() => Try::Unclear(reason),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::REQUEST_TIMEOUT => {
                Try::Later { reason, after }
            }
            _ if status.is_redirection() => Try::Later { reason, after },
            _ if code.is_some_and(|code| FOR_LATER.contains(&code)) => Try::Later { reason, after },
            _ => Try::Never(reason),
        }
    }

    /// Whether Twilio has the message already. `None`: it does not, or does not let us look.
    async fn look_for(&self, message: &Message) -> Option<Try> {
        let query = [("To", message.recipient.as_str()), ("PageSize", "50")];
        let response = match self.signed(self.http.get(&self.parts.url).query(&query)).send().await {
            Ok(response) => response,
            Err(error) => {
                let (Try::Later { reason, .. } | Try::Unclear(reason) | Try::Never(reason)) =
                    no_answer("Twilio", error)
                else {
                    return None;
                };
                // Nothing was sent by this try.
                return Some(Try::Later { reason, after: None });
            }
        };
        let status = response.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return None;
        }
        if !status.is_success() {
            return Some(Try::Later { reason: reason(status, None), after: retry_after(response.headers()) });
        }
        let page: Page = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
        let found = page.messages.into_iter().find(|earlier| earlier.is(message))?;
        Some(Try::Sent(found.sid.filter(|sid| sid.len() <= 64)))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.parts.user, Some(self.parts.token.as_str()))
    }
}

impl Earlier {
    fn is(&self, message: &Message) -> bool {
        let outbound = self.direction.as_deref().is_some_and(|direction| direction.starts_with("outbound"));
        // Twilio's clock and ours may differ a little.
        let since = message.created_at - 120;
        let at = self.date_created.as_deref().and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        outbound
            && !matches!(self.status.as_deref(), Some("failed" | "canceled"))
            && at.is_some_and(|at| at.unix_timestamp() >= since)
            // A trial account puts words of its own before the text.
            && self.body.as_deref().is_some_and(|body| body.ends_with(&message.body))
    }
}

/// What happened, without what Twilio's own words repeat: the number.
fn reason(status: StatusCode, code: Option<i64>) -> String {
    let Some(code) = code else { return format!("Twilio answered {}", status.as_u16()) };
    let what = match code {
        20003 => ": account, key or token are wrong",
        20404 => ": there is no such account",
        20429 => ": too many requests",
        21211 | 21217 | 21401 => ": the number is not valid",
        21212 | 21603 | 21606 | 21659 | 21660 => ": twilio_from may not send",
        21408 => ": SMS to that country are not allowed for the account",
        21602 => ": there is no text",
        21608 => ": a trial account sends to verified numbers only",
        21610 => ": the recipient has stopped messages from this sender",
        21611 => ": the sender's queue is full",
        21612 => ": the number cannot be reached from twilio_from",
        21614 => ": the number is no mobile number",
        21617 => ": the text is too long",
        21703 => ": the messaging service has no sender",
        30034 => ": twilio_from is not registered with the carriers (A2P 10DLC)",
        _ => "",
    };
    format!("Twilio {code}{what} (https://www.twilio.com/docs/api/errors/{code})")
}
