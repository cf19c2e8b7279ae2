//! What is read of a request before a handler sees it.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{App, Problem};

/// A JSON body. What the reader says of one that is wrong never repeats any of it.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        if media_type(request.headers().get(header::CONTENT_TYPE)).is_none_or(|kind| kind != "application/json") {
            return Err(Problem::MediaType("application/json"));
        }
        let body = body(request, app).await?;
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
                let text = std::str::from_utf8(&body).map_err(|_| Problem::Body("it is not UTF-8".to_owned()))?;
                axum::extract::Query::<T>::try_from_uri(&query(text)?)
                    .map(|axum::extract::Query(read)| Self(read))
                    .map_err(|_| Problem::Body("a field is missing or was given twice".to_owned()))
            }
            _ => Err(Problem::MediaType("application/json or application/x-www-form-urlencoded")),
        }
    }
}

fn query(text: &str) -> Result<axum::http::Uri, Problem> {
    // Forms and queries are one syntax; a form that is no query has characters that it should have escaped.
    axum::http::Uri::builder()
        .path_and_query(format!("/?{text}"))
        .build()
        .map_err(|_| Problem::Body("it is no form".to_owned()))
}

/// What stands in the path. A path that cannot be read leads nowhere.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let read = axum::extract::Path::from_request_parts(parts, app).await;
        read.map(|axum::extract::Path(read)| Self(read)).map_err(|_| Problem::NotFound)
    }
}

/// Whoever knows a key that may verify.
pub(crate) struct MayVerify;

impl FromRequestParts<App> for MayVerify {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let snapshot = app.snapshot.get(&app.store).await?;
        let allowed = key(parts).and_then(|key| snapshot.keys.get(&hash(key))).is_some_and(|key| key.may("verify"));
        if allowed { Ok(Self) } else { Err(Problem::Unauthorised) }
    }
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
    Bytes::from_request(request, app).await.map_err(|error: BytesRejection| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
        _ => Problem::Body("it ended early".to_owned()),
    })
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        // serde's own words may quote a value, and a value may be a code.
        let what = match error.classify() {
            serde_json::error::Category::Data => "a field is missing or of another type",
            _ => "it is not JSON",
        };
        Problem::Body(format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}
