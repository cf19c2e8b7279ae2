//! `/api/v1/admin`: what the command line does, for programs. Each handler names the scope that it wants.

mod records;
mod refusals;
mod rules;
mod users;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::{App, Problem};

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::show, users::change, users::delete))
        .routes(routes!(users::reset))
        .routes(routes!(users::unlock))
        .routes(routes!(users::tokens, users::add_token))
        .routes(routes!(users::delete_token))
        .routes(routes!(users::send_link))
        .routes(routes!(rules::groups, rules::add_group))
        .routes(routes!(rules::change_group, rules::delete_group))
        .routes(routes!(rules::settings))
        .routes(routes!(rules::setting, rules::set))
        .routes(routes!(records::apps))
        .routes(routes!(records::revoke_app))
        .routes(routes!(records::audit))
        .routes(routes!(records::audit_check))
        .routes(routes!(records::outbox))
        .routes(routes!(records::keys, records::add_key))
        .routes(routes!(records::revoke_key))
}

/// How many of a page.
fn limit(asked: u32) -> Result<u32, Problem> {
    if (1..=1000).contains(&asked) { Ok(asked) } else { Err(Problem::query("limit")) }
}
