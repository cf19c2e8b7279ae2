//! `POST /validate/check`: what clients of privacyIDEA ask, answered in its shape.

use axum::{Json as Reply, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

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
#[derive(Deserialize)]
pub(crate) struct Check {
    user: Option<String>,
    pass: Option<String>,
    client: Option<String>,
}

/// Says whether a code is right.
pub(crate) async fn check(
    State(app): State<App>,
    MayValidate: MayValidate,
    FormOrJson(check): FormOrJson<Check>,
) -> Result<Reply<Value>, Problem> {
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
    let outcome = app.verifier.verify(attempt).await?;
    let (accepted, serial) = match &outcome {
        Outcome::Accepted { credential_id, .. } => (true, Some(credential_id)),
        Outcome::Refused => (false, None),
    };
    let mut detail = json!({ "message": if accepted { "accepted" } else { "refused" } });
    if let Some(serial) = serial {
        detail["serial"] = json!(serial);
    }
    let version = concat!("Countersign ", env!("CARGO_PKG_VERSION"));
    Ok(Reply(json!({
        "id": 1,
        "jsonrpc": "2.0",
        "detail": detail,
        "result": {
            "status": true,
            "value": accepted,
            "authentication": if accepted { "ACCEPT" } else { "REJECT" },
        },
        "time": now.millis as f64 / 1000.0,
        "version": version,
        "versionnumber": env!("CARGO_PKG_VERSION"),
    })))
}
