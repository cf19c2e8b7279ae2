//! Groups and settings.

use axum::{Json as Reply, extract::State, http::StatusCode};
use countersign_wire::v1::ApiError;

use super::refusals::{Closed, Missing, Unreadable};
use crate::{
    admin::{
        AdminError,
        shapes::{Group, GroupChange, NewGroup, Setting, SettingValue},
    },
    domain::{policy::SettingError, scope::Scope},
    http::{
        App, Problem,
        extract::{Caller, Json, Path},
    },
};

/// Lists groups.
#[utoipa::path(
    get,
    path = "/api/v1/admin/groups",
    tag = "admin",
    responses(
        (status = 200, description = "The groups", body = Vec<Group>),
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn groups(State(app): State<App>, caller: Caller) -> Result<Reply<Vec<Group>>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::GroupsRead)?.groups().await?))
}

/// Adds a group.
#[utoipa::path(
    post,
    path = "/api/v1/admin/groups",
    tag = "admin",
    responses(
        (status = 201, description = "The group", body = Group),
        Unreadable,
        Closed,
        (status = 409, description = "`exists`", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn add_group(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewGroup>,
) -> Result<(StatusCode, Reply<Group>), Problem> {
    let admin = caller.admin(&app, Scope::GroupsWrite)?;
    Ok((StatusCode::CREATED, Reply(admin.add_group(&new.name, &new.policy, app.clock.now()).await?)))
}

/// Changes what differs in a group.
#[utoipa::path(
    patch,
    path = "/api/v1/admin/groups/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The group's name, in any spelling")),
    responses(
        (status = 200, description = "The group", body = Group),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn change_group(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(change): Json<GroupChange>,
) -> Result<Reply<Group>, Problem> {
    let admin = caller.admin(&app, Scope::GroupsWrite)?;
    Ok(Reply(admin.change_group(&name, &change.policy, app.clock.now()).await?))
}

/// Deletes a group that nobody is in.
#[utoipa::path(
    delete,
    path = "/api/v1/admin/groups/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The group's name, in any spelling")),
    responses(
        (status = 204, description = "Done"),
        Unreadable,
        Closed,
        Missing,
        (status = 409, description = "`group_in_use`", body = ApiError),
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn delete_group(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.admin(&app, Scope::GroupsWrite)?.delete_group(&name, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows every setting.
#[utoipa::path(
    get,
    path = "/api/v1/admin/settings",
    tag = "admin",
    responses(
        (status = 200, description = "The settings", body = Vec<Setting>),
        Closed,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn settings(State(app): State<App>, caller: Caller) -> Result<Reply<Vec<Setting>>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::SettingsRead)?.settings().await?))
}

/// Shows a setting.
#[utoipa::path(
    get,
    path = "/api/v1/admin/settings/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The setting's name")),
    responses(
        (status = 200, description = "The setting", body = Setting),
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn setting(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Reply<Setting>, Problem> {
    Ok(Reply(caller.admin(&app, Scope::SettingsRead)?.setting(&name).await.map_err(of_path)?))
}

/// Sets a setting, or goes back to its default.
#[utoipa::path(
    put,
    path = "/api/v1/admin/settings/{name}",
    tag = "admin",
    params(("name" = String, Path, description = "The setting's name")),
    responses(
        (status = 200, description = "The setting", body = Setting),
        Unreadable,
        Closed,
        Missing,
    ),
    security(("api_key" = []), ("session" = [])),
)]
pub(crate) async fn set(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Json(value): Json<SettingValue>,
) -> Result<Reply<Setting>, Problem> {
    let admin = caller.admin(&app, Scope::SettingsWrite)?;
    let set = admin.set(&name, value.value.as_deref(), app.clock.now()).await;
    app.snapshot.forget().await;
    Ok(Reply(set.map_err(of_path)?))
}

/// A setting that a path names and that does not exist is a path that leads nowhere.
fn of_path(error: AdminError) -> Problem {
    match error {
        AdminError::Setting(SettingError::Unknown(_)) => Problem::NotFound,
        error => error.into(),
    }
}
