//! What is read of a request before a handler sees it.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{App, Peer, Problem, api, client, snapshot::KnownKey};
use crate::{
    admin::Admin,
    domain::scope::{Scope, Scopes},
    store::Actor,
};

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// A JSON body. What the reader says of one that is wrong never repeats any of it.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if media_type(request.headers().get(header::CONTENT_TYPE)).is_none_or(|kind| kind != "application/json") {
            return Err(Problem::MediaType("application/json"));
        }
        // Elsewhere what nobody can have is nobody's, and has the answer of that.
        let keeps = request.uri().path().starts_with("/api/v1/admin/");
        let body = body(request, app).await?;
        if keeps && let Some(field) = with_nul(&body) {
            return Err(Problem::nul(named(&field)));
        }
        json(&body).map(Self)
    }
}

/// A body in either of the forms that privacyIDEA takes.
pub(crate) struct FormOrJson<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for FormOrJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let kind = media_type(request.headers().get(header::CONTENT_TYPE));
        match kind.as_deref() {
            Some("application/json") => json(&body(request, app).await?).map(Self),
            Some("application/x-www-form-urlencoded") => {
                let body = body(request, app).await?;
                std::str::from_utf8(&body).map_err(|_| Problem::Body("it is not UTF-8".to_owned()))?;
                form(body).await.map(Self)
            }
            _ => Err(Problem::MediaType("application/json or application/x-www-form-urlencoded")),
        }
    }
}

/// A form is no address: a `#` or a space that is not escaped is what it is.
async fn form<T: DeserializeOwned>(body: Bytes) -> Result<T, Problem> {
    let wrong = || Problem::Body("a field is missing or was given twice".to_owned());
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = Method::POST;
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    axum::Form::<T>::from_request(request, &()).await.map(|axum::Form(read)| read).map_err(|_| wrong())
}

/// What stands in the path. A path that cannot be read leads nowhere.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if has_control(parts.uri.path()) {
            return Err(Problem::Control("path"));
        }
        let read = axum::extract::Path::from_request_parts(parts, app).await;
        read.map(|axum::extract::Path(read)| Self(read)).map_err(|_| Problem::NotFound)
    }
}

/// Whoever knows a key that may verify.
pub(crate) struct MayVerify;

impl FromRequestParts<App> for MayVerify {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let hash = hash(key(parts).ok_or(Problem::Unauthorised)?);
        let mut snapshot = app.snapshot.get(&app.store).await?;
        if !snapshot.keys.contains_key(&hash) {
            snapshot = app.snapshot.newer(&app.store).await?;
        }
        let known = snapshot.keys.get(&hash).ok_or(Problem::Unauthorised)?;
        if known.scopes.may(Scope::Verify) { Ok(Self) } else { Err(Problem::Scope(Scope::Verify)) }
    }
}

/// Who administers: an API key, or an administrator who signed in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    name: String,
    scopes: Scopes,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let hash = hash(key(parts).ok_or(Problem::Unauthorised)?);
        let of_key = |known: &KnownKey| Self { name: format!("key:{}", known.name), scopes: known.scopes.clone() };
        if let Some(known) = app.snapshot.get(&app.store).await?.keys.get(&hash) {
            return Ok(of_key(known));
        }
        if let Some(name) = app.store.administrator(&hash, app.clock.now().seconds()).await? {
            return Ok(Self { name: format!("user:{name}"), scopes: Scopes::all() });
        }
        app.snapshot.newer(&app.store).await?.keys.get(&hash).map(of_key).ok_or(Problem::Unauthorised)
    }
}

impl Caller {
    /// Whether this is the API key that asks.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.name.strip_prefix("key:").is_some_and(|own| own == name.trim())
    }

    /// What whoever asks may do all together.
    pub(crate) fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Goes on where whoever asks may do this.
    pub(crate) fn must(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.may(scope) { Ok(()) } else { Err(Problem::Scope(scope)) }
    }

    /// Administers, where whoever asks may do this.
    pub(crate) fn admin(&self, app: &App, scope: Scope) -> Result<Admin, Problem> {
        self.must(scope)?;
        let actor = Actor { name: self.name.clone(), over_administrators: self.scopes.may(Scope::Admin) };
        Ok(Admin::new(&app.store, app.desk.keys.clone(), app.random.clone(), actor))
    }
}

/// What stands after the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(has_control) {
            return Err(Problem::Control("query"));
        }
        let read = axum::extract::Query::from_request_parts(parts, app).await;
        read.map(|axum::extract::Query(read)| Self(read)).map_err(|error| Problem::Query { field: unread(&error) })
    }
}

/// The name of the value that was not read. What comes behind it repeats the value.
fn unread(error: &QueryRejection) -> Option<String> {
    let said = std::error::Error::source(error)?.to_string();
    let (name, _) = said.split_once(": ")?;
    named(name)
}

/// The same where the server asks for a key; anybody where it does not.
pub(crate) struct MayValidate;

impl FromRequestParts<App> for MayValidate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if !app.snapshot.get(&app.store).await?.settings.validate_requires_key {
            return Ok(Self);
        }
        MayVerify::from_request_parts(parts, app).await.map(|MayVerify| Self)
    }
}

/// The address whose budget a request is of, as it is kept; `None` where nobody's is known.
pub(crate) struct Client(pub(crate) Option<String>);

impl FromRequestParts<App> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let snapshot = app.snapshot.get(&app.store).await?;
        let peer = parts.extensions.get::<Peer>().map(|Peer(peer)| peer.ip());
        let trusted = &snapshot.settings.trusted_proxies;
        let address = peer.and_then(|peer| client(peer, parts.version, &parts.headers, trusted));
        Ok(Self(address.and_then(|address| api::address(&address.to_string()))))
    }
}

/// The key in `Authorization`, after `Bearer` or, as clients of privacyIDEA send it, alone.
fn key(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let key = match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        Some(_) => return None,
        None => value,
    };
    (!key.is_empty()).then_some(key)
}

/// Looked up by its hash, so that the time of the look-up tells nothing of a key.
fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn media_type(value: Option<&header::HeaderValue>) -> Option<String> {
    let text = value?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

async fn body(request: Request, app: &App) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(BODY_WITHIN, Bytes::from_request(request, app)).await;
    read.map_err(|_| Problem::TooSlow)?.map_err(|error: BytesRejection| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        _ => Problem::Body("it ended early".to_owned()),
    })
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Without their names fields would be read in their order, and mean what they were not meant to.
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::Body("it is a list, not an object".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| {
        // serde's own words may quote a value, and a value may be a code.
        let what = match error.classify() {
            serde_json::error::Category::Data => "a field is missing or of another type",
            _ => "it is not JSON",
        };
        Problem::Body(format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}

/// The field of a JSON object with a NUL character in it.
fn with_nul(body: &[u8]) -> Option<String> {
    // Only one that is written so: JSON has no other way for it.
    body.windows(6).find(|part| part == br"\u0000")?;
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_slice(body) else { return None };
    fields.into_iter().find(|(_, value)| has_nul(value)).map(|(name, _)| name)
}

fn has_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(values) => values.iter().any(has_nul),
        serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// A field's name, where it is like the names of fields.
fn named(field: &str) -> Option<String> {
    let plain = !field.is_empty() && field.len() <= 32 && field.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    plain.then(|| field.to_owned())
}

/// Whether part of an address has a control character once its escapes are read.
fn has_control(part: &str) -> bool {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().chars().any(char::is_control)
}
