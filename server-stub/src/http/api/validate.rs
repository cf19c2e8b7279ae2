//! `POST /validate/check`: what clients of privacyIDEA ask, answered in its shape.

use axum::{Json as Reply, extract::State};
use countersign_wire::v1::ApiError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{address, verify::who};
use crate::{
    domain::{
        judge::TypedCode,
        verification::{Attempt, Outcome},
    },
    http::{
        App, Problem,
        extract::{FormOrJson, MayValidate},
    },
};

/// Its fields that mean something here. `realm` and the rest are taken and not looked at: names are unique on a server.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Check {
    /// The user's name, in any spelling.
    #[schema(required, nullable = false)]
    user: Option<String>,
    /// The code.
    #[schema(required, nullable = false)]
    pass: Option<String>,
    /// The network address of the person who typed it.
    client: Option<String>,
}

/// The answer, as privacyIDEA gives it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Checked {
    id: i64,
    jsonrpc: &'static str,
    detail: Detail,
    result: Verdict,
    /// Unix seconds.
    time: f64,
    version: &'static str,
    versionnumber: &'static str,
}

/// Which token it was of.
#[derive(Serialize, ToSchema)]
pub(crate) struct Detail {
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
}

/// The answer proper.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// Whether the question was understood.
    status: bool,
    /// Whether the code was accepted.
    value: bool,
    /// `ACCEPT` or `REJECT`.
    authentication: &'static str,
}

/// Says whether a code is right, in the shape of privacyIDEA.
#[utoipa::path(
    post,
    path = "/validate/check",
    tag = "verify",
    request_body(content((Check = "application/json"), (Check = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Whether it is: `result.value`", body = Checked),
        (status = 401, description = "`unauthorized`", body = ApiError),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn check(
    State(app): State<App>,
    MayValidate: MayValidate,
    FormOrJson(check): FormOrJson<Check>,
) -> Result<Reply<Checked>, Problem> {
    let now = app.clock.now();
    let (Some(user), Some(pass)) = (check.user, check.pass) else {
        return Err(Problem::Body("user and pass are needed".to_owned()));
    };
    let attempt = Attempt {
        who: who(&user),
        code: TypedCode::new(&pass),
        credential: None,
        address: check.client.as_deref().and_then(address),
        via: "validate",
        now,
    };
    let outcome = app.verifier.verify(attempt).await;
    app.metrics.verified("validate", outcome.as_ref().ok().map(Outcome::accepted));
    let outcome = outcome?;
    let (accepted, serial) = match outcome {
        Outcome::Accepted { credential_id, .. } => (true, Some(credential_id)),
        Outcome::Refused => (false, None),
    };
    let authentication = if accepted { "ACCEPT" } else { "REJECT" };
    Ok(Reply(Checked {
        id: 1,
        jsonrpc: "2.0",
        detail: Detail { message: if accepted { "accepted" } else { "refused" }, serial },
        result: Verdict { status: true, value: accepted, authentication },
        time: now.millis as f64 / 1000.0,
        version: concat!("Countersign ", env!("CARGO_PKG_VERSION")),
        versionnumber: env!("CARGO_PKG_VERSION"),
    }))
}
