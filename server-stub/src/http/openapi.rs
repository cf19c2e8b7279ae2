//! The OpenAPI document: what the handlers say of themselves, and what is the same for all.

use std::sync::Arc;

use axum::{
    Extension,
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

/// The document as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Document(pub(crate) Arc<str>);

/// What the document begins with; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign server",
        description = "Registers one app per token, verifies codes, and says who may sign in. \
            server-stub/docs/api.md tells the rest: signatures, sealed secrets, budgets.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(countersign_wire::v1::ApiError)),
    tags(
        (name = "app", description = "What Countersign's app asks"),
        (name = "verify", description = "What other systems ask"),
        (name = "admin", description = "What the command line does, for programs: API keys with scopes, or an administrator's session"),
        (name = "operation", description = "What whoever runs the server asks"),
    ),
    modifiers(&Schemes),
)]
pub(super) struct Base;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, about) in [
            (
                "api_key",
                "`countersign-server api-key add` prints one. `Bearer` may be left out, as clients of privacyIDEA do",
            ),
            ("session", "What a sign-in answered"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(about.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

/// Every operation can be refused, and every refusal has one shape.
pub(super) fn with_refusals(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for item in document.paths.paths.values_mut() {
        let operations: [&mut Option<Operation>; 8] = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.options,
            &mut item.head,
            &mut item.patch,
            &mut item.trace,
        ];
        for operation in operations.into_iter().flatten() {
            let refusal = ResponseBuilder::new()
                .description("Refused: the code says why")
                .content(
                    "application/json",
                    ContentBuilder::new().schema(Some(Ref::from_schema_name("ApiError"))).build(),
                )
                .build();
            operation.responses.responses.insert("default".to_owned(), RefOr::T(refusal));
        }
    }
    document
}

/// The document itself.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "operation",
    responses((status = 200, description = "This document", body = serde_json::Value, content_type = "application/json")),
)]
pub(crate) async fn openapi(Extension(Document(text)): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}
