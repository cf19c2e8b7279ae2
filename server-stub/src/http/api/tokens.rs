//! `POST /api/v1/tokens/{token}/state`.

use axum::{Json as Reply, extract::State, http::HeaderMap};
use countersign_wire::v1::{
    ApiError,
    token_state::{TIME_TOLERANCE, TOKEN_STATE, TokenStateReply, TokenStateRequest},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{identifier, server::address};
use crate::{
    domain::{app_key::AppKey, login::LoginError},
    http::{
        App, Problem,
        extract::{Json, Path},
    },
    store::former,
};

/// What became of a token: to the app that has or had it, and to nobody else.
#[utoipa::path(
    post,
    path = "/api/v1/tokens/{id}/state",
    tag = "app",
    params(("id" = String, Path, format = Uuid, description = "The token")),
    responses(
        (status = 200, description = "`bound`, `moved` or `gone`", body = TokenStateReply),
        (status = 403, description = "`signature_wrong`", body = ApiError),
    ),
)]
pub(crate) async fn state(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<TokenStateRequest>,
) -> Result<Reply<TokenStateReply>, Problem> {
    let server = address(&app, &app.snapshot.get(&app.store).await?.settings, &headers);
    let key = AppKey::read(&request.public_key).map_err(|_| Problem::Field {
        name: "public_key",
        expected: "a P-256 public key: 65 bytes, uncompressed, in Base64url without padding",
    })?;
    let at = OffsetDateTime::parse(&request.time, &Rfc3339)
        .map_err(|_| Problem::Field { name: "time", expected: "an instant as RFC 3339 writes it" })?;
    // An old question must not be asked again by whoever saw it.
    let fresh = at.unix_timestamp().abs_diff(app.clock.now().seconds()) <= TIME_TOLERANCE.unsigned_abs();
    if !fresh || !key.signed(TOKEN_STATE, &[&server, &id, &request.time], &request.signature) {
        return Err(LoginError::Signature.into());
    }
    let state = match identifier(&id) {
        Some(token) => app.store.token_state(&token, &key.id()).await?,
        None => former::State::Unknown,
    };
    let since = |at: i64| OffsetDateTime::from_unix_timestamp(at).ok().and_then(|at| at.format(&Rfc3339).ok());
    Ok(Reply(match state {
        former::State::Bound => TokenStateReply { state: "bound".to_owned(), since: None },
        former::State::Moved(at) => TokenStateReply { state: "moved".to_owned(), since: since(at) },
        former::State::Ended(at) => TokenStateReply { state: "gone".to_owned(), since: since(at) },
        former::State::Unknown => TokenStateReply { state: "gone".to_owned(), since: None },
    }))
}
