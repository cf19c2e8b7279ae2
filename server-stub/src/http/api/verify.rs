//! `POST /api/v1/verify`.

use axum::{Json as Reply, extract::State};
use countersign_wire::v1::{ApiError, VerifyReply, VerifyRequest};

use super::{address, identifier};
use crate::{
    domain::{
        judge::TypedCode,
        users::Name,
        verification::{Attempt, Outcome},
    },
    http::{
        App, Problem,
        extract::{Json, MayVerify},
    },
    store::verify::Who,
};

/// Says whether a code is right. It is used up then.
#[utoipa::path(
    post,
    path = "/api/v1/verify",
    tag = "verify",
    responses(
        (status = 200, description = "Whether it is", body = VerifyReply),
        (status = 401, description = "`unauthorized`", body = ApiError),
    ),
    security(("api_key" = [])),
)]
pub(crate) async fn verify(
    State(app): State<App>,
    MayVerify: MayVerify,
    Json(request): Json<VerifyRequest>,
) -> Result<Reply<VerifyReply>, Problem> {
    let attempt = Attempt {
        who: who(&request.user),
        code: TypedCode::new(&request.code),
        credential: request.token.map(|token| identifier(&token).unwrap_or_default()),
        address: request.client.as_deref().and_then(address),
        via: "verify",
        now: app.clock.now(),
    };
    let outcome = app.verifier.verify(attempt).await;
    app.metrics.verified("verify", outcome.as_ref().ok().map(Outcome::accepted));
    let token = match outcome? {
        Outcome::Accepted { credential_id, .. } => Some(credential_id),
        Outcome::Refused => None,
    };
    Ok(Reply(VerifyReply { accepted: token.is_some(), token }))
}

/// The user that a name means. One that nobody can have is nobody's, and takes the same way.
pub(super) fn who(name: &str) -> Who {
    Who::Folded(Name::new(name).map(|name| name.folded().to_owned()).unwrap_or_default())
}
