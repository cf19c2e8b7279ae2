//! `GET /metrics`.

use axum::{
    Extension,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, Version, header},
    response::{IntoResponse as _, Response},
};
use countersign_wire::v1::ApiError;

use crate::{
    domain::scope::Scope,
    http::{App, Peer, Problem, extract::Caller, is_local},
    metrics::MEDIA_TYPE,
};

/// Counters, for Prometheus: with an API key of the scope `metrics`, or from this machine.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses(
        (status = 200, description = "Counters in the text format of OpenMetrics", body = String, content_type = "application/openmetrics-text"),
        (status = 401, description = "`unauthorized`", body = ApiError),
        (status = 403, description = "`scope_missing`", body = ApiError),
    ),
    security(("api_key" = []), ()),
)]
pub(crate) async fn metrics(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    version: Version,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let here = peer.is_some_and(|Extension(Peer(peer))| is_local(peer.ip(), version, &headers));
    // A key that is sent is looked at, so that a wrong one shows where it is set up.
    if !here || headers.contains_key(header::AUTHORIZATION) {
        let (mut parts, _) = request.into_parts();
        Caller::from_request_parts(&mut parts, &app).await?.must(Scope::Metrics)?;
    }
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], app.metrics.text(&app.store).await).into_response())
}

/// A method's name, of a closed list: whoever asks invents others.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
