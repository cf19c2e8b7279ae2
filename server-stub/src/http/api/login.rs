//! `POST /api/v1/login`, its second step, and the session.

use axum::{
    Json as Reply,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use countersign_core::secret::Password;
use countersign_wire::v1::{
    ApiError,
    login::{LoginReply, LoginRequest, SessionReply, TotpRequest, WhoReply},
};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use zeroize::Zeroizing;

use super::{identifier, server::address};
use crate::{
    domain::{
        app_key::AppKey,
        login::{CHALLENGE_SECONDS, LoginError, SESSION_SECONDS},
        users::Name,
    },
    http::{
        App, Problem,
        extract::{Json, Path},
    },
};

/// Username and password: a challenge.
#[utoipa::path(
    post,
    path = "/api/v1/login",
    tag = "app",
    responses(
        (status = 200, description = "The second factor is asked for", body = LoginReply),
        (status = 403, description = "`credentials_wrong`", body = ApiError),
    ),
)]
pub(crate) async fn login(
    State(app): State<App>,
    Json(request): Json<LoginRequest>,
) -> Result<Reply<LoginReply>, Problem> {
    let settings = &app.snapshot.get(&app.store).await?.settings;
    let folded = Name::new(&request.username).map(|name| name.folded().to_owned()).unwrap_or_default();
    let password = Password::new(&Zeroizing::new(request.password));
    let (challenge, issuer) = app.desk.login(settings, &folded, password, app.clock.now()).await?;
    Ok(Reply(LoginReply {
        challenge: challenge.id,
        nonce: challenge.nonce,
        issuer,
        methods: vec!["totp".to_owned()],
        expires_in: CHALLENGE_SECONDS.unsigned_abs(),
    }))
}

/// A code: a session.
#[utoipa::path(
    post,
    path = "/api/v1/login/{id}/totp",
    tag = "app",
    params(("id" = String, Path, format = Uuid, description = "The challenge")),
    responses(
        (status = 200, description = "Let in", body = SessionReply),
        (status = 403, description = "`code_wrong`, `signature_wrong`", body = ApiError),
        (status = 409, description = "`token_bound_elsewhere`", body = ApiError),
    ),
)]
pub(crate) async fn totp(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<TotpRequest>,
) -> Result<Reply<SessionReply>, Problem> {
    let server = address(&app.snapshot.get(&app.store).await?.settings, &headers);
    let (id, token) = (identifier(&id).ok_or(LoginError::Code)?, identifier(&request.token).ok_or(LoginError::Code)?);
    let key = AppKey::read(&request.public_key).map_err(|_| Problem::Field {
        name: "public_key",
        expected: "a P-256 public key: 65 bytes, uncompressed, in Base64url without padding",
    })?;
    let code = Zeroizing::new(request.code);
    let signed = (&key, request.signature.as_str());
    let session = app.desk.login_totp(&server, &id, (&token, &code), signed, app.clock.now()).await?;
    Ok(Reply(SessionReply { session: session.to_string(), expires_in: SESSION_SECONDS.unsigned_abs() }))
}

/// Whose session this is.
#[utoipa::path(
    get,
    path = "/api/v1/session",
    tag = "app",
    responses(
        (status = 200, description = "Whose", body = WhoReply),
        (status = 401, description = "`session_ended`", body = ApiError),
    ),
    security(("session" = [])),
)]
pub(crate) async fn who(State(app): State<App>, headers: HeaderMap) -> Result<Reply<WhoReply>, Problem> {
    let hash = session(&headers).ok_or(Problem::NoSession)?;
    let (user, until) = app.store.session(&hash, app.clock.now().seconds()).await?.ok_or(Problem::NoSession)?;
    let until = OffsetDateTime::from_unix_timestamp(until).ok().and_then(|at| at.format(&Rfc3339).ok());
    Ok(Reply(WhoReply { user, expires_at: until.unwrap_or_default() }))
}

/// Ends a session.
#[utoipa::path(
    delete,
    path = "/api/v1/session",
    tag = "app",
    responses(
        (status = 204, description = "Over"),
        (status = 401, description = "`session_ended`", body = ApiError),
    ),
    security(("session" = [])),
)]
pub(crate) async fn end(State(app): State<App>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    let hash = session(&headers).ok_or(Problem::NoSession)?;
    if app.store.end_session(&hash).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::NoSession) }
}

fn session(headers: &HeaderMap) -> Option<[u8; 32]> {
    let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Sha256::digest(text.trim().as_bytes()).into())
}
