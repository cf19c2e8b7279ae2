//! Apps, what happened, what went out, and who may ask.

use axum::{Json as Reply, extract::State, http::StatusCode};
use countersign_wire::v1::ApiError;

use super::refusals::{Closed, Missing, Unreadable};
use crate::{
    admin::shapes::{
        ApiKey, AppPage, AppQuery, AuditCheck, AuditPage, AuditQuery, MadeKey, MessagePage, MessageQuery, NewKey,
        RevokedApp,
    },
    domain::scope::Scope,
    http::{
        App, Problem,
        api::identifier,
        extract::{Caller, Json, Path, Query},
    },
};

/// Lists the apps that have a token, by their users' names, a page at a time.
#[utoipa::path(
    get,
    path = "/api/v1/admin/apps",
    tag = "admin",
    params(AppQuery),
    responses(
        (status = 200, description = "A page", body = AppPage),
        Unreadable,
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn apps(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AppQuery>,
) -> Result<Reply<AppPage>, Problem> {
    let admin = caller.admin(&app, Scope::AppsRead)?;
    let limit = super::limit(query.limit)?;
    Ok(Reply(admin.apps(&query.after, limit).await?))
}

/// Takes a user's token away from its app, and ends the registrations under way.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/apps/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 200, description = "The app that had it, or was about to", body = RevokedApp),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn revoke_app(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Reply<RevokedApp>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::AppsWrite)?.revoke_app(&name, app.clock.now()).await?))
}

/// Lists events.
#[utoipa::path(
    get,
    path = "/api/v1/admin/audit",
    tag = "admin",
    params(AuditQuery),
    responses(
        (status = 200, description = "The events", body = AuditPage),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn audit(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Reply<AuditPage>, Problem> {
    let admin = caller.admin(&app, Scope::AuditRead)?;
    let limit = super::limit(query.limit)?;
    if query.after.is_some_and(|after| after < 0) {
        return Err(Problem::query("after"));
    }
    let entries = admin.audit(query.after, query.user.as_deref(), limit).await?;
    let next = entries.last().map(|entry| entry.seq).or(query.after);
    Ok(Reply(AuditPage { entries, next }))
}

/// Checks that nothing of the audit log was changed or left out.
#[utoipa::path(
    get,
    path = "/api/v1/admin/audit/check",
    tag = "admin",
    responses(
        (status = 200, description = "Whether it is whole", body = AuditCheck),
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn audit_check(State(app): State<App>, caller: Caller) -> Result<Reply<AuditCheck>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::AuditRead)?.audit_verify().await?))
}

/// Lists messages, the newest first, without their texts, a page at a time.
#[utoipa::path(
    get,
    path = "/api/v1/admin/outbox",
    tag = "admin",
    params(MessageQuery),
    responses(
        (status = 200, description = "A page", body = MessagePage),
        Unreadable,
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn outbox(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<MessageQuery>,
) -> Result<Reply<MessagePage>, Problem> {
    let admin = caller.admin(&app, Scope::OutboxRead)?;
    let limit = super::limit(query.limit)?;
    let after =
        query.after.filter(|id| !id.is_empty()).map(|id| identifier(&id).ok_or(Problem::query("after"))).transpose()?;
    Ok(Reply(admin.messages(false, after.as_deref(), limit).await?))
}

/// Lists API keys.
#[utoipa::path(
    get,
    path = "/api/v1/admin/api-keys",
    tag = "admin",
    responses(
        (status = 200, description = "The keys", body = Vec<ApiKey>),
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn keys(State(app): State<App>, caller: Caller) -> Result<Reply<Vec<ApiKey>>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::KeysRead)?.api_keys().await?))
}

/// Makes an API key, which may no more than whoever makes it.
#[utoipa::path(
    post,
    path = "/api/v1/admin/api-keys",
    tag = "admin",
    responses(
        (status = 201, description = "The key", body = MadeKey),
        Unreadable,
        Closed,
        (status = 409, description = "`exists`", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn add_key(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Reply<MadeKey>), Problem> {
    let admin = caller.admin(&app, Scope::KeysWrite)?;
    let made = admin.add_key(&new.name, &new.scopes, caller.scopes(), app.clock.now()).await;
    app.snapshot.forget().await;
    Ok((StatusCode::CREATED, Reply(made?)))
}

/// Takes an API key back.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/api-keys/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The key's name")),
    responses(
        (status = 204, description = "Done"),
        Unreadable,
        Closed,
        Missing,
        (status = 409, description = "`own_key`: the key that asks", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn revoke_key(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let admin = caller.admin(&app, Scope::KeysWrite)?;
    if caller.is_key(&name) {
        return Err(Problem::OwnKey);
    }
    let revoked = admin.revoke_key(&name, caller.scopes(), app.clock.now()).await;
    app.snapshot.forget().await;
    revoked?;
    Ok(StatusCode::NO_CONTENT)
}
