//! The document and the routes are one.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use countersign_server::{
    http::{App, app, document},
    service::Clock,
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::kit::Database;

/// Pages for people: what a browser shows is in no document for programs.
fn for_people(path: &str) -> bool {
    !path.starts_with("/api/")
        && !path.starts_with("/validate/")
        && !["/healthz", "/readyz", "/metrics"].contains(&path)
}

async fn router() -> Router {
    let database = Database::sqlite();
    let store = database.open().await;
    app(App::new(store, database.keys.clone(), Clock::system(), database.random.clone(), Arc::default()).unwrap())
}

async fn status(router: &Router, method: &Method, path: &str) -> StatusCode {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "01a20560-ef44-79fd-b465-d2ec02769e1b" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// The paths that a router has, from what it shows of itself: it has no other way to say.
fn paths(router: &Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let paths: BTreeSet<String> = shown
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with('/') && !text.contains("__private__"))
        .map(str::to_owned)
        .collect();
    assert!(paths.contains("/healthz"), "{shown}");
    paths
}

#[tokio::test]
async fn the_document_and_the_routes_are_one() {
    let router = router().await;
    let document = serde_json::to_value(document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let documented = document["paths"].as_object().unwrap();
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    for path in paths(&router).into_iter().filter(|path| !for_people(path)) {
        let Some(operations) = documented.get(&path) else { panic!("{path} is in no document") };
        for method in &methods {
            let answered = status(&router, method, &filled(&path)).await;
            assert_ne!(answered, StatusCode::NOT_FOUND, "{method} {path}");
            let told = operations.get(method.as_str().to_lowercase()).is_some();
            assert_eq!(answered != StatusCode::METHOD_NOT_ALLOWED, told, "{method} {path}");
        }
    }
    for path in documented.keys() {
        assert!(paths(&router).contains(path), "{path} leads nowhere");
    }
}

#[tokio::test]
async fn every_operation_says_what_it_is_and_how_it_refuses() {
    let document = serde_json::to_value(document()).unwrap();
    let mut names = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let at = format!("{method} {path}");
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{at}");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{at}");
            let refusal = &operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(refusal, "#/components/schemas/ApiError", "{at}");
        }
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_server_serves_its_document() {
    let router = router().await;
    let response = router.oneshot(Request::get("/api/v1/openapi.json").body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), serde_json::to_value(document()).unwrap());
}
