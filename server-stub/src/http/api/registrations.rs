//! `POST /api/v1/registrations` and its two further steps.

use axum::{Json as Reply, extract::State, http::HeaderMap};
use countersign_core::secret::Password;
use countersign_wire::v1::{
    ApiError,
    registration::{ActivateReply, ActivateRequest, ConfirmReply, ConfirmRequest, RegisterReply, RegisterRequest},
};
use zeroize::Zeroizing;

use super::{identifier, server::address};
use crate::{
    domain::{
        app_key::AppKey,
        registration::{GOOD_FOR, RESEND_AFTER, RegistrationError, SMS_DIGITS, Started},
        shown::MAX_APP_NAME,
        users::Name,
    },
    http::{
        App, Problem,
        extract::{Client, Json, Path},
    },
    store::verify::ADDRESS_WINDOW,
};

const KEY: &str = "a P-256 public key: 65 bytes, uncompressed, in Base64url without padding";

/// Username and password, or an enrollment link: a code goes out.
#[utoipa::path(
    post,
    path = "/api/v1/registrations",
    tag = "app",
    responses(
        (status = 200, description = "A code is on its way", body = RegisterReply),
        (status = 403, description = "`credentials_wrong`, `phone_missing`", body = ApiError),
        (status = 410, description = "`link_ended`", body = ApiError),
        (status = 429, description = "`too_many_messages`", body = ApiError),
    ),
)]
pub(crate) async fn start(
    State(app): State<App>,
    Client(client): Client,
    Json(request): Json<RegisterRequest>,
) -> Result<Reply<RegisterReply>, Problem> {
    let settings = &app.snapshot.get(&app.store).await?.settings;
    let key =
        AppKey::read(&request.app.public_key).map_err(|_| Problem::Field { name: "app.public_key", expected: KEY })?;
    let text = |name, text: &str| {
        let whole = (1..=MAX_APP_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        whole.then(|| text.to_owned()).ok_or(Problem::Field { name, expected: "a text of 1 to 64 characters" })
    };
    let named = (key, text("app.name", &request.app.name)?, text("app.platform", &request.app.platform)?);
    if !app.desk.address_may(settings, client.as_deref(), "registration.refused", app.clock.now()).await? {
        let retry_after = ADDRESS_WINDOW.unsigned_abs();
        return Err(match request.link {
            Some(_) => RegistrationError::TooSoon { retry_after },
            None => RegistrationError::Credentials,
        }
        .into());
    }
    if let Some(link) = request.link.map(Zeroizing::new) {
        let started = app.desk.start_by_link(settings, &link, named, app.clock.now()).await?;
        return Ok(Reply(reply(started)));
    }
    // A name that nobody can have is nobody's, and takes the same way.
    let folded = Name::new(&request.username).map(|name| name.folded().to_owned()).unwrap_or_default();
    let password = Password::new(&Zeroizing::new(request.password));
    let started = app.desk.start(settings, &folded, password, named, app.clock.now()).await?;
    Ok(Reply(reply(started)))
}

fn reply(started: Started) -> RegisterReply {
    RegisterReply {
        registration: started.registration,
        nonce: started.nonce,
        phone_hint: started.phone_hint,
        digits: SMS_DIGITS,
        expires_in: GOOD_FOR.unsigned_abs(),
        resend_in: RESEND_AFTER.unsigned_abs(),
    }
}

/// The SMS code: the token comes, sealed.
#[utoipa::path(
    post,
    path = "/api/v1/registrations/{id}/confirm",
    tag = "app",
    params(("id" = String, Path, format = Uuid, description = "The registration")),
    responses(
        (status = 200, description = "The token", body = ConfirmReply),
        (status = 403, description = "`sms_wrong`, `signature_wrong`", body = ApiError),
        (status = 410, description = "`registration_ended`", body = ApiError),
    ),
)]
pub(crate) async fn confirm(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ConfirmRequest>,
) -> Result<Reply<ConfirmReply>, Problem> {
    let server = address(&app, &app.snapshot.get(&app.store).await?.settings, &headers);
    let id = identifier(&id).ok_or(RegistrationError::Ended)?;
    let key = AppKey::read(&request.seal_key).map_err(|_| Problem::Field { name: "seal_key", expected: KEY })?;
    let (code, seal_key) = (Zeroizing::new(request.code), (request.seal_key.as_str(), &key));
    let confirmed = app.desk.confirm(&server, &id, &code, seal_key, &request.signature, app.clock.now()).await?;
    Ok(Reply(ConfirmReply {
        token: confirmed.token,
        issuer: confirmed.columns.issuer,
        account: confirmed.columns.account,
        algorithm: confirmed.columns.algorithm,
        digits: u8::try_from(confirmed.columns.digits).unwrap_or(6),
        period: confirmed.columns.period.unsigned_abs(),
        sealed_secret: confirmed.sealed,
        replaces: confirmed.replaces,
        exportable: confirmed.exportable,
        expires_in: GOOD_FOR.unsigned_abs(),
    }))
}

/// A first code: the token works.
#[utoipa::path(
    post,
    path = "/api/v1/registrations/{id}/activate",
    tag = "app",
    params(("id" = String, Path, format = Uuid, description = "The registration")),
    responses(
        (status = 200, description = "It works", body = ActivateReply),
        (status = 403, description = "`code_wrong`, `signature_wrong`", body = ApiError),
        (status = 409, description = "`token_bound_elsewhere`", body = ApiError),
        (status = 410, description = "`registration_ended`, `link_ended`", body = ApiError),
    ),
)]
pub(crate) async fn activate(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(request): Json<ActivateRequest>,
) -> Result<Reply<ActivateReply>, Problem> {
    let server = address(&app, &app.snapshot.get(&app.store).await?.settings, &headers);
    let id = identifier(&id).ok_or(RegistrationError::Ended)?;
    let code = Zeroizing::new(request.code);
    let (token, bound) = app.desk.activate(&server, &id, &code, &request.signature, app.clock.now()).await?;
    Ok(Reply(ActivateReply { token, app: bound }))
}
