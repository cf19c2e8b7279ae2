//! What nearly every administrative request may be answered instead, as the document tells it.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

/// Whoever asks is nobody, or may not do this.
pub(super) struct Closed;

impl IntoResponses for Closed {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([refusal("401", "`unauthorized`"), refusal("403", "`scope_missing`, `administrator_protected`")])
    }
}

/// A part of the request is not what it must be.
pub(super) struct Unreadable;

impl IntoResponses for Unreadable {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([refusal("400", "`field_invalid`, `body_invalid`, `query_invalid`")])
    }
}

/// What was named is not there.
pub(super) struct Missing;

impl IntoResponses for Missing {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        BTreeMap::from([refusal("404", "`not_found`")])
    }
}

fn refusal(status: &str, codes: &str) -> (String, RefOr<Response>) {
    let shape = ContentBuilder::new().schema(Some(Ref::from_schema_name("ApiError"))).build();
    (status.to_owned(), RefOr::T(ResponseBuilder::new().description(codes).content("application/json", shape).build()))
}
