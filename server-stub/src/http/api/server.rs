//! `GET /api/v1/server`.

use axum::{
    Json as Reply,
    extract::State,
    http::{HeaderMap, header},
};
use countersign_wire::v1::registration::ServerReply;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    domain::policy::Settings,
    http::{App, Problem},
};

/// Says who this is.
#[utoipa::path(
    get,
    path = "/api/v1/server",
    tag = "app",
    responses(
        (status = 200, description = "Who this is", body = ServerReply),
    ),
)]
pub(crate) async fn server(State(app): State<App>, headers: HeaderMap) -> Result<Reply<ServerReply>, Problem> {
    let settings = &app.snapshot.get(&app.store).await?.settings;
    let now = OffsetDateTime::from_unix_timestamp(app.clock.now().seconds());
    let time = now.ok().and_then(|now| now.format(&Rfc3339).ok()).unwrap_or_default();
    Ok(Reply(ServerReply { url: address(&app, settings, &headers), issuer: settings.policy.issuer.clone(), time }))
}

/// The address that apps know the server by; where none is set, the one that this request came to.
pub(in crate::http) fn address(app: &App, settings: &Settings, headers: &HeaderMap) -> String {
    if !settings.public_url.is_empty() {
        return settings.public_url.clone();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if app.tls { "https" } else { "http" };
    format!("{scheme}://{host}")
}
