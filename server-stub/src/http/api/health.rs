//! Whether the process lives and whether it can answer.

use axum::extract::State;

use crate::http::{App, Problem};

/// The process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "It does", body = String, content_type = "text/plain")),
)]
pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

/// Requests can be answered: the database is there, and takes what is written.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "They can", body = String, content_type = "text/plain"),
        (status = 503, description = "The database is away, or cannot be written", body = countersign_wire::v1::ApiError),
    ),
)]
pub(crate) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    app.store.ready().await?;
    Ok("ready\n")
}
