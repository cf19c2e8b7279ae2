//! Requests over HTTPS.

use std::{
    collections::HashMap,
    error::Error,
    io::Read as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{
    Url,
    blocking::{Client, ClientBuilder},
    header::{ACCEPT, CONTENT_TYPE},
    redirect::Policy,
};

use super::{Answer, Contact, Failure, Fingerprint, Method, Request, Transport, address::ServerAddress, trust};

/// How long a connection may take to be made, and an answer to come.
const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(20);
/// The largest answer that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Sends requests over the network. Connections are kept for the next one.
#[derive(Debug, Default)]
pub struct Https {
    clients: Mutex<HashMap<(bool, Option<Fingerprint>), Line>>,
}

/// A client, and the certificate that it was shown last.
#[derive(Clone, Debug)]
struct Line {
    client: Client,
    seen: trust::Seen,
}

impl Transport for Https {
    fn send(&self, contact: &Contact, request: &Request<'_>) -> Result<Answer, Failure> {
        // Checked again here, so that nothing leaves unencrypted wherever the address came from.
        let base = ServerAddress::parse(&contact.address).map_err(|error| Failure::Unreachable(error.to_string()))?;
        let url =
            Url::parse(&format!("{base}{}", request.path)).map_err(|error| Failure::Unreachable(error.to_string()))?;
        let Line { client, seen } = self.client(url.scheme() == "https", contact.pin)?;
        let mut builder = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
            Method::Delete => client.delete(url),
        }
        .header(ACCEPT, "application/json");
        if let Some(bearer) = request.bearer {
            builder = builder.bearer_auth(bearer.expose());
        }
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.expose().to_owned());
        }
        let shown = || *seen.lock().unwrap_or_else(PoisonError::into_inner);
        let response = builder.send().map_err(|error| failure(&error, contact, shown()))?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        response.take(LARGEST).read_to_end(&mut body).map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => Failure::TimedOut,
            _ => Failure::Unreachable("the connection broke off".to_owned()),
        })?;
        Ok(Answer { status, body, fingerprint: shown() })
    }
}

impl Https {
    fn client(&self, encrypted: bool, pin: Option<Fingerprint>) -> Result<Line, Failure> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&(encrypted, pin)) {
            return Ok(known.clone());
        }
        let unready = |error: &dyn std::fmt::Display| Failure::Unreachable(error.to_string());
        let builder = ClientBuilder::new()
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            // A server that moved is another server: what was signed for one must not go to the next.
            .redirect(Policy::none());
        let (config, seen) = trust::config(pin).map_err(|error| unready(&error))?;
        let builder = builder.tls_backend_preconfigured(config);
        // Unencrypted means this machine, which no proxy reaches.
        let builder = if encrypted { builder } else { builder.no_proxy() };
        let client = builder.build().map_err(|error| unready(&error))?;
        let line = Line { client, seen };
        clients.insert((encrypted, pin), line.clone());
        Ok(line)
    }
}

fn failure(error: &reqwest::Error, contact: &Contact, shown: Option<Fingerprint>) -> Failure {
    let certificate = is_of_certificate(error);
    match shown {
        Some(shown) if certificate && contact.pin.is_some() => Failure::CertificateChanged(shown),
        Some(shown) if certificate => Failure::Untrusted(shown),
        _ if error.is_timeout() => Failure::TimedOut,
        _ => Failure::Unreachable(innermost(error)),
    }
}

/// Whether an error, or any that it comes from, is of the server's certificate.
fn is_of_certificate(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return matches!(error, rustls::Error::InvalidCertificate(_));
    }
    // `source` of an I/O error is that of what it wraps, and passes over the wrapped one; and one may wrap another.
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|inner| is_of_certificate(inner)) || error.source().is_some_and(is_of_certificate)
}

/// What an error comes from in the end, in words.
fn innermost(mut error: &(dyn Error + 'static)) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
