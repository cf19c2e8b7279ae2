//! Users.

use axum::{
    Json as Reply,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use countersign_wire::v1::ApiError;
use zeroize::Zeroizing;

use super::refusals::{Closed, Missing, Unreadable};
use crate::{
    admin::shapes::{
        NewLink, NewToken, NewUser, Reset, ResetMode, ResetReply, SentLink, Token, User, UserChange, UserDetail,
        UserPage, UserQuery,
    },
    domain::{links::Via, scope::Scope},
    http::{
        App, Problem,
        api::server::address,
        extract::{Caller, Json, Path, Query},
    },
};

/// Lists users by name, a page at a time.
#[utoipa::path(
    get,
    path = "/api/v1/admin/users",
    tag = "admin",
    params(UserQuery),
    responses(
        (status = 200, description = "A page", body = UserPage),
        Unreadable,
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<UserQuery>,
) -> Result<Reply<UserPage>, Problem> {
    let admin = caller.admin(&app, Scope::UsersRead)?;
    let limit = super::limit(query.limit)?;
    Ok(Reply(admin.users(&query.search, &query.after, limit).await?))
}

/// Adds a user.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users",
    tag = "admin",
    responses(
        (status = 201, description = "The user", body = User),
        Unreadable,
        Closed,
        Missing,
        (status = 409, description = "`exists`", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn add(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, Reply<User>), Problem> {
    let admin = caller.admin(&app, Scope::UsersWrite)?;
    Ok((StatusCode::CREATED, Reply(admin.add_user(&new, app.clock.now()).await?)))
}

/// Shows a user; with the tokens where the key may list them (`tokens:read`).
#[utoipa::path(
    get,
    path = "/api/v1/admin/users/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 200, description = "The user", body = UserDetail),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Reply<UserDetail>, Problem> {
    let tokens = caller.must(Scope::TokensRead).is_ok();
    Ok(Reply(caller.admin(&app, Scope::UsersRead)?.user(&name, tokens).await?))
}

/// Changes a user.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/users/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 200, description = "The user", body = User),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(change): Json<UserChange>,
) -> Result<Reply<User>, Problem> {
    let admin = caller.admin(&app, Scope::UsersWrite)?;
    Ok(Reply(admin.change_user(&name, &change, app.clock.now()).await?))
}

/// Deletes a user with everything that is the user's.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/users/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 204, description = "Done"),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.admin(&app, Scope::UsersWrite)?.delete_user(&name, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins anew with a user's second factor.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users/{name}/reset",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 200, description = "What became of the tokens", body = ResetReply),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn reset(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(reset): Json<Reset>,
) -> Result<Reply<ResetReply>, Problem> {
    let (admin, now) = (caller.admin(&app, Scope::UsersWrite)?, app.clock.now());
    Ok(Reply(match reset.mode {
        ResetMode::Clear => {
            ResetReply { tokens_deleted: Some(admin.clear_user(&name, now).await?), ..ResetReply::default() }
        }
        ResetMode::Unconfirm => {
            ResetReply { tokens_unconfirmed: Some(admin.unconfirm_user(&name, now).await?), ..ResetReply::default() }
        }
    }))
}

/// Lets a user try again after too many wrong codes or passwords.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users/{name}/unlock",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 200, description = "The user", body = User),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn unlock(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Reply<User>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::UsersWrite)?.unlock_user(&name, app.clock.now()).await?))
}

/// Lists a user's tokens.
#[utoipa::path(
    get,
    path = "/api/v1/admin/users/{name}/tokens",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 200, description = "The tokens", body = Vec<Token>),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn tokens(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Reply<Vec<Token>>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::TokensRead)?.tokens(&name).await?))
}

/// Gives a user a token of another server: it counts as confirmed.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users/{name}/tokens",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 201, description = "The token", body = Token),
        Unreadable,
        Closed,
        Missing,
        (status = 409, description = "`exists`", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn add_token(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Reply<Token>), Problem> {
    let admin = caller.admin(&app, Scope::TokensWrite)?;
    let link = Zeroizing::new(new.uri);
    Ok((StatusCode::CREATED, Reply(admin.add_token(&name, &link, app.clock.now()).await?)))
}

/// Deletes one of a user's tokens.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/users/{name}/tokens/{token}",
    tag = "admin",
    params(
        ("name" = String, Path, description = "The user's name, in any spelling"),
        ("token" = String, Path, format = Uuid, description = "The token"),
    ),
    responses(
        (status = 204, description = "Done"),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn delete_token(
    State(app): State<App>,
    caller: Caller,
    Path((name, token)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.admin(&app, Scope::TokensWrite)?.delete_token(&name, &token, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a user a link that sets up a token; it ends the link before.
#[utoipa::path(
    post,
    path = "/api/v1/admin/users/{name}/link",
    tag = "admin",
    params(("name" = String, Path, description = "The user's name, in any spelling")),
    responses(
        (status = 201, description = "The link was made", body = SentLink),
        Unreadable,
        Closed,
        Missing,
        (status = 409, description = "`public_url_missing`: SMS and mail go out, and there is no address for a link in them", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn send_link(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewLink>,
) -> Result<(StatusCode, Reply<SentLink>), Problem> {
    let admin = caller.admin(&app, Scope::TokensWrite)?;
    // Whoever asks sees a link that leads to where they asked. What is written to others does not follow what a request says
    // of its host.
    let shown_only = new.via.iter().all(|way| way.trim() == Via::Link.name());
    let here = match shown_only {
        true => address(&app, &app.snapshot.get(&app.store).await?.settings, &headers),
        false => app.here.clone(),
    };
    let sent = admin.send_link(&name, &new.via, &here, app.clock.now()).await?;
    app.desk.outbox.notify_one();
    Ok((StatusCode::CREATED, Reply(sent)))
}
