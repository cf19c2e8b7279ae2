//! Pages for people. They work without JavaScript, and nothing of them comes from elsewhere.

mod enroll;
mod outbox;
mod words;

use askama::Template;
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
    routing::{get, post},
};

use super::App;
use crate::domain::texts::Language;

const STYLE: &str = include_str!("../../../templates/page.css");

/// A few words.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    language: Language,
    /// The way from the page's address to the server's.
    root: &'static str,
    /// The server's name, as people know it.
    host: &'a str,
    title: &'static str,
    text: &'static str,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/page.css", get(style))
        .route("/enroll/{link}", get(enroll::page))
        .route("/enroll/{link}/secret", post(enroll::secret))
        .route("/enroll/{link}/confirm", post(enroll::confirm))
        .route("/outbox", get(outbox::page))
}

async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, STYLE).into_response()
}

/// A page, with what a browser may do with it: show its own style, send its own forms, nothing else.
fn page(status: StatusCode, language: Language, page: &impl Template) -> Response {
    let text = match page.render() {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::CONTENT_LANGUAGE, language.code()),
        (header::VARY, "accept-language"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn language(headers: &HeaderMap) -> Language {
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::accepted(header.unwrap_or_default())
}

/// Whether a form was sent by a page of this server, whose address is `server`, as far as the browser says so (Fetch
/// Metadata, and `Origin`, RFC 6454). What opens a link's page stands in its address, and nothing that a browser sends by
/// itself opens anything: this is the second lock.
fn own_form(headers: &HeaderMap, server: &str) -> bool {
    let from_here = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    from_here && headers.get_all(header::ORIGIN).iter().all(|origin| own_origin(origin, headers, server))
}

/// Whether an origin is this server's: by the address that is set, or by the one that the request came to.
fn own_origin(origin: &HeaderValue, headers: &HeaderMap, server: &str) -> bool {
    // What a page with `Referrer-Policy: no-referrer` sends, as this server's own do: it says nothing.
    if origin == "null" {
        return true;
    }
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // The scheme aside: a proxy may have taken TLS off.
    origin.split_once("://").is_some_and(|(_, own)| host.is_some_and(|host| own.eq_ignore_ascii_case(host)))
        || reqwest::Url::parse(server).is_ok_and(|server| server.origin().ascii_serialization() == origin)
}
