//! Any SMS gateway that takes a request over HTTP, by template.

use reqwest::{
    Client, Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use zeroize::Zeroizing;

use super::{Secrets, Try, Unset, need, no_answer, retry_after};
use crate::{
    domain::policy::{SenderSettings, split_headers},
    store::outbox::Message,
    template::{Escape, expand},
};

/// The header that repeated messages are known by, unless the template has its own
/// (draft-ietf-httpapi-idempotency-key-header).
const KEY_HEADER: &str = "idempotency-key";

pub(super) struct Parts {
    method: Method,
    url: String,
    headers: Vec<(HeaderName, String)>,
    body: String,
    escape: Escape,
    secret: Zeroizing<String>,
}

impl Parts {
    pub(super) fn read(set: &SenderSettings, secrets: &Secrets<'_>) -> Result<Self, Unset> {
        let headers = split_headers(&set.http_headers)
            .flatten()
            .filter_map(|(name, value)| Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value.to_owned())))
            .collect::<Vec<_>>();
        let kind = headers.iter().find(|(name, _)| name == CONTENT_TYPE).map(|(_, value)| value.as_str());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let escape = match kind.as_str() {
            "" if set.http_body.is_empty() => Escape::Plain,
            "application/json" => Escape::Json,
            "application/x-www-form-urlencoded" => Escape::Percent,
            "application/xml" | "text/xml" => Escape::Xml,
            "text/plain" => Escape::Plain,
            _ => {
                return Err(Unset::Conflict(
                    "http_body needs a Content-Type in http_headers that says how to escape: application/json, \
                     application/x-www-form-urlencoded, application/xml, text/xml or text/plain",
                ));
            }
        };
        let values = [("TO", "x"), ("TEXT", "x"), ("ID", "x"), ("SECRET", "x")];
        if escape == Escape::Json
            && serde_json::from_str::<serde_json::Value>(&expand(&set.http_body, &values, Escape::Json)).is_err()
        {
            return Err(Unset::Conflict("http_body is no JSON: each %..% stands inside quotes"));
        }
        let url = need("http_url", &set.http_url)?;
        let needs_secret = [&url, &set.http_headers, &set.http_body].iter().any(|text| text.contains("%SECRET%"));
        let secret = if needs_secret { secrets.need("http_secret")? } else { Zeroizing::default() };
        if !url.contains("%TEXT%") && !set.http_body.contains("%TEXT%") {
            return Err(Unset::Conflict("neither http_url nor http_body has %TEXT%: messages would have no text"));
        }
        let method = match set.http_method.as_str() {
            "GET" => Method::GET,
            "PUT" => Method::PUT,
            _ => Method::POST,
        };
        Ok(Self { method, url, headers, body: set.http_body.clone(), escape, secret })
    }
}

pub(super) struct Gateway {
    parts: Parts,
    http: Client,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway")
    }
}

impl Gateway {
    pub(super) fn new(parts: Parts, http: Client) -> Self {
        Self { parts, http }
    }

    pub(super) async fn send(&self, message: &Message) -> Try {
        let Parts { method, url, headers, body, escape, secret } = &self.parts;
        let values = [
            ("TO", message.recipient.as_str()),
            ("TEXT", message.body.as_str()),
            ("ID", message.id.as_str()),
            ("SECRET", secret.as_str()),
        ];
        let Ok(url) = Url::parse(&expand(url, &values, Escape::Percent)) else {
            return Try::Never("gateway: http_url makes no address".to_owned());
        };
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in headers {
            // Recipient, id and secret are without control characters; whatever else is in them cannot end a header.
            let Ok(mut value) = HeaderValue::from_str(&expand(value, &values, Escape::Plain)) else {
                return Try::Never(format!("gateway: the header {name} cannot be sent"));
            };
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if !headers.iter().any(|(name, _)| name == KEY_HEADER) {
            request = request.header(KEY_HEADER, &message.id);
        }
        if !body.is_empty() {
            request = request.body(expand(body, &values, *escape));
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return no_answer("the gateway", error),
        };
        let (status, after) = (response.status(), retry_after(response.headers()));
        let reason = format!("the gateway answered {}", status.as_u16());
        match status {
            _ if status.is_success() => Try::Sent(None),
            _ if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE => Try::Unclear(reason),
            // What is set may be wrong, and may be set right.
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::UNAUTHORIZED
            | StatusCode::PAYMENT_REQUIRED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => Try::Later { reason, after },
            _ if status.is_redirection() => {
                Try::Later { reason: format!("{reason}: a redirection is not followed, set http_url"), after }
            }
            _ => Try::Never(reason),
        }
    }
}
