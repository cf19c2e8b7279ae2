//! `POST /api/v1/login`, its second step, and the session.

use axum::{
    Json as Reply,
    extract::State,
    http::{HeaderMap, StatusCode, header},
};
use countersign_core::secret::Password;
use countersign_wire::v1::{
    ApiError,
    login::{
        ChallengeReply, ConfirmTokenReply, ConfirmTokenRequest, LoginReply, LoginRequest, SessionReply, TotpRequest,
        WhoReply,
    },
};
use sha2::{Digest as _, Sha256};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use zeroize::Zeroizing;

use super::{identifier, server::address};
use crate::{
    domain::{
        app_key::AppKey,
        login::{CHALLENGE_SECONDS, Entered, LoginError, Opened},
        users::Name,
    },
    http::{
        App, Problem,
        extract::{Client, Json, Path},
    },
};

/// Username and password: a challenge, or a session where nothing more is asked.
#[utoipa::path(
    post,
    path = "/api/v1/login",
    tag = "app",
    responses(
        (status = 200, description = "The second factor is asked for, or a session where the policy asks none", body = LoginReply),
        (status = 403, description = "`credentials_wrong`", body = ApiError),
    ),
)]
pub(crate) async fn login(
    State(app): State<App>,
    Client(client): Client,
    Json(request): Json<LoginRequest>,
) -> Result<Reply<LoginReply>, Problem> {
    let settings = &app.snapshot.get(&app.store).await?.settings;
    if !app.desk.address_may(settings, client.as_deref(), "login.refused", app.clock.now()).await? {
        return Err(LoginError::Credentials.into());
    }
    let folded = Name::new(&request.username).map(|name| name.folded().to_owned()).unwrap_or_default();
    let password = Password::new(&Zeroizing::new(request.password));
    Ok(Reply(match app.desk.login(settings, &folded, password, app.clock.now()).await? {
        Entered::Challenge(challenge, issuer) => LoginReply::Challenge(ChallengeReply {
            challenge: challenge.id,
            nonce: challenge.nonce,
            issuer,
            methods: vec!["totp".to_owned()],
            expires_in: CHALLENGE_SECONDS.unsigned_abs(),
        }),
        Entered::Session(opened) => LoginReply::Session(opened_reply(&opened)),
    }))
}

/// What became of a code, where one was looked at and the database told.
fn accepted<T>(done: &Result<T, LoginError>) -> Option<bool> {
    match done {
        Ok(_) => Some(true),
        Err(LoginError::Store(_)) => None,
        Err(_) => Some(false),
    }
}

fn opened_reply(opened: &Opened) -> SessionReply {
    SessionReply {
        session: opened.text.to_string(),
        expires_in: opened.validity.before_first.unsigned_abs(),
        lasts: opened.validity.lasts.unsigned_abs(),
    }
}

/// Username, password and a code: a token that had to be confirmed counts again.
#[utoipa::path(
    post,
    path = "/api/v1/confirmations",
    tag = "app",
    responses(
        (status = 200, description = "The token", body = ConfirmTokenReply),
        (status = 403, description = "`credentials_wrong`, `code_wrong`", body = ApiError),
    ),
)]
pub(crate) async fn confirm_token(
    State(app): State<App>,
    Client(client): Client,
    Json(request): Json<ConfirmTokenRequest>,
) -> Result<Reply<ConfirmTokenReply>, Problem> {
    let settings = &app.snapshot.get(&app.store).await?.settings;
    if !app.desk.address_may(settings, client.as_deref(), "login.refused", app.clock.now()).await? {
        return Err(LoginError::Credentials.into());
    }
    let folded = Name::new(&request.username).map(|name| name.folded().to_owned()).unwrap_or_default();
    let (password, code) = (Password::new(&Zeroizing::new(request.password)), Zeroizing::new(request.code));
    let confirmed = app.desk.confirm_token(&folded, password, &code, app.clock.now()).await;
    app.metrics.verified("confirmation", accepted(&confirmed));
    Ok(Reply(ConfirmTokenReply { token: confirmed? }))
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
    let server = address(&app, &app.snapshot.get(&app.store).await?.settings, &headers);
    let (id, token) = (identifier(&id).ok_or(LoginError::Code)?, identifier(&request.token).ok_or(LoginError::Code)?);
    let key = AppKey::read(&request.public_key).map_err(|_| Problem::Field {
        name: "public_key",
        expected: "a P-256 public key: 65 bytes, uncompressed, in Base64url without padding",
    })?;
    let code = Zeroizing::new(request.code);
    let signed = (&key, request.signature.as_str());
    let session = app.desk.login_totp(&server, &id, (&token, &code), signed, app.clock.now()).await;
    app.metrics.verified("login", accepted(&session));
    Ok(Reply(opened_reply(&session?)))
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
