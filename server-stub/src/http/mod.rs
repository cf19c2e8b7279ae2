//! Requests in, answers out. Handlers are a few lines; what they decide is in [`crate::domain`].

pub mod api;
mod error;
mod extract;
mod openapi;
mod peer;
mod snapshot;
mod web;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use tokio::sync::Notify;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use error::Problem;
pub use peer::Peer;
pub(crate) use peer::client;
pub(crate) use peer::{is_local, is_loopback};

use crate::{
    domain::{registration::Desk, verification::Verifier},
    metrics::Metrics,
    password::{Checker, HashFailed},
    seal::Keys,
    service::{Clock, Random},
    store::{Store, verify::Statements},
};

/// The longest body that is read, in bytes. Nothing that is asked here comes near it.
pub const MOST_BODY: usize = 16 * 1024;
/// Where `serve` listens unless it is told otherwise.
pub const USUAL_ADDRESS: &str = "http://127.0.0.1:8470";
/// How long a request may take from its first byte to the answer. Whoever waits longer is told to come back.
const PATIENCE: Duration = Duration::from_secs(15);

/// Passwords that are hashed at once, each in 19 MiB: on half of the cores, and on no more than four.
fn passwords_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 4))
}

/// What handlers work with.
#[derive(Clone, Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) verifier: Verifier,
    pub(crate) snapshot: Arc<snapshot::Cache>,
    pub(crate) desk: Desk,
    pub(crate) metrics: Metrics,
    /// Whether clients reach this process over TLS of its own.
    pub(crate) tls: bool,
    /// The address that this process has on its own machine.
    pub(crate) here: String,
}

impl App {
    /// The same, reached over TLS.
    pub fn over_tls(self, tls: bool) -> Self {
        Self { tls, ..self }
    }

    /// The same, listening at another address of this machine than [`USUAL_ADDRESS`].
    pub fn listening_at(self, address: &str) -> Self {
        Self { here: address.to_owned(), ..self }
    }

    /// Puts the parts together and starts the verifier.
    ///
    /// # Errors
    ///
    /// There is no memory for hashing passwords.
    pub fn new(
        store: Store,
        keys: Arc<Keys>,
        clock: Clock,
        random: Random,
        outbox: Arc<Notify>,
    ) -> Result<Self, HashFailed> {
        let verifier = Verifier::start(store.clone(), keys.clone(), random.clone(), Statements::REAL);
        let passwords = Checker::new(passwords_at_once(), &random)?;
        let desk = Desk { store: store.clone(), keys, random: random.clone(), passwords, outbox };
        Ok(Self {
            store,
            clock,
            random,
            verifier,
            snapshot: Arc::default(),
            desk,
            metrics: Metrics::default(),
            tls: false,
            here: USUAL_ADDRESS.to_owned(),
        })
    }
}

/// What programs ask: each route with what the OpenAPI document says of it.
fn documented() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (router, document) = OpenApiRouter::with_openapi(openapi::Base::openapi())
        .routes(routes!(api::health::healthz))
        .routes(routes!(api::health::readyz))
        .routes(routes!(api::metrics::metrics))
        .routes(routes!(openapi::openapi))
        .routes(routes!(api::server::server))
        .routes(routes!(api::registrations::start))
        .routes(routes!(api::registrations::confirm))
        .routes(routes!(api::registrations::activate))
        .routes(routes!(api::tokens::state))
        .routes(routes!(api::login::login))
        .routes(routes!(api::login::totp))
        .routes(routes!(api::login::confirm_token))
        .routes(routes!(api::login::who, api::login::end))
        .routes(routes!(api::verify::verify))
        .routes(routes!(api::validate::check))
        .merge(api::admin::routes())
        .split_for_parts();
    (router, openapi::with_refusals(document))
}

/// The OpenAPI 3.1 document of everything that programs ask, as JSON.
pub fn document() -> utoipa::openapi::OpenApi {
    documented().1
}

/// All routes: what programs ask, and pages for people.
pub fn app(app: App) -> Router {
    let (router, document) = documented();
    // Only types that this program wrote: nothing of it fails.
    let document = openapi::Document(document.to_json().unwrap_or_default().into());
    router
        .layer(Extension(document))
        .merge(web::routes())
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(from_fn(headers))
        .layer(from_fn_with_state(app.clone(), in_time))
        .with_state(app)
}

/// No answer of this server is for a cache or for a frame, and none is what it is not.
async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Ends a request that this server takes too long for, and says what was answered.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let id = app.random.id(app.clock.now());
    let asked = api::metrics::method(&method);
    // The pattern, of which there is an end, and nothing that somebody sent: a path may hold what opens a registration, in
    // spellings that lead nowhere, too.
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |at| at.as_str().to_owned());
    let from = tokio::time::Instant::now();
    let mut response = match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::Unavailable.into_response(),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status();
    app.metrics.answered(asked, route.clone(), status.as_u16(), from.elapsed());
    if status >= StatusCode::INTERNAL_SERVER_ERROR {
        tracing::warn!(request = %id, %method, %route, status = status.as_u16(), "answered");
    } else {
        tracing::debug!(request = %id, %method, %route, status = status.as_u16(), "answered");
    }
    response
}
