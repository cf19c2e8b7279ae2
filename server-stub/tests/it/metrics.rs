//! What Prometheus reads, and who else.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Version},
};
use countersign_server::{
    http::{App, Peer, app},
    service::Clock,
    store::admin::ApiKey,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::kit::{Database, TOTP, at, on_both, token};

async fn send(router: &Router, request: Request<Body>) -> (u16, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn read(router: &Router, key: Option<&str>, peer: Option<&str>, header: Option<(&str, &str)>) -> (u16, String) {
    let host = header.filter(|(name, _)| *name == "host").map_or("localhost:8470", |(_, host)| host);
    let mut request = Request::get("/metrics").header("host", host);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    if let Some(peer) = peer {
        request = request.extension(Peer(peer.parse::<SocketAddr>().unwrap()));
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

on_both! {
    async fn counters_count_and_are_not_for_everybody(database: &Database) {
        let store = database.open().await;
        for scope in ["verify", "metrics"] {
            let key = ApiKey { id: scope.to_owned(), name: scope.to_owned(), scopes: vec![scope.to_owned()], created_at: 0 };
            store.add_api_key(&database.keys, &key, &Sha256::digest(scope).into(), at(0)).await.unwrap();
        }
        let ada = database.add_user(&store, "ada").await;
        database.add_token(&store, &ada, &token(TOTP)).await;
        let clock = Clock::new(|| 1_000_000_000_000);
        let router = app(App::new(store.clone(), database.keys.clone(), clock, database.random.clone(), Default::default()).unwrap());

        let code = token(TOTP).code_at(1_000_000_000).unwrap();
        for (path, body) in [
            ("/api/v1/verify", json!({ "user": "ada", "code": code.text() })),
            ("/api/v1/verify", json!({ "user": "ada", "code": code.text() })),
            ("/api/v1/verify", json!({ "user": "eve", "code": "1" })),
            ("/validate/check", json!({ "user": "ada", "pass": "1" })),
            ("/api/v1/nothing/ada", json!({})),
            ("/api/v1/login", json!({ "username": "ada", "password": "wrong" })),
        ] {
            let request = Request::post(path).header("authorization", "Bearer verify").header("content-type", "application/json");
            send(&router, request.body(Body::from(body.to_string())).unwrap()).await;
        }
        let (status, text) = read(&router, Some("metrics"), None, None).await;
        assert_eq!(status, 200, "{text}");
        for line in [
            r#"countersign_verifications_total{via="verify",outcome="accepted"} 1"#,
            r#"countersign_verifications_total{via="verify",outcome="refused"} 2"#,
            r#"countersign_verifications_total{via="validate",outcome="refused"} 1"#,
            r#"countersign_http_requests_total{method="POST",route="/api/v1/verify",status="200"} 3"#,
            r#"countersign_http_requests_total{method="POST",route="/api/v1/login",status="403"} 1"#,
            r#"countersign_http_requests_total{method="POST",route="none",status="404"} 1"#,
            r#"countersign_http_request_duration_seconds_count{route="/api/v1/verify"} 3"#,
            r#"countersign_outbox_messages{state="waiting"} 0"#,
            "countersign_database_up 1",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        // A path may name somebody.
        assert!(!text.contains("ada"));

        // Who asks: a key of that scope, or this machine itself.
        let here = Some("127.0.0.1:5000");
        assert_eq!(read(&router, None, None, None).await.0, 401);
        assert_eq!(read(&router, None, Some("192.0.2.7:5000"), None).await.0, 401);
        assert_eq!(read(&router, Some("verify"), None, None).await.0, 403);
        assert_eq!(read(&router, None, here, None).await.0, 200);
        assert_eq!(read(&router, None, Some("[::1]:5000"), None).await.0, 200);
        // A proxy on this machine asks for somebody else, and a key that is wrong is wrong here, too.
        assert_eq!(read(&router, None, here, Some(("x-forwarded-for", "192.0.2.7"))).await.0, 401);
        assert_eq!(read(&router, None, here, Some(("host", "evil.example"))).await.0, 401);
        assert_eq!(read(&router, Some("nonsense"), here, None).await.0, 401);
        let old = Request::get("/metrics").version(Version::HTTP_10).header("host", "127.0.0.1:8470");
        let old = old.extension(Peer("127.0.0.1:5000".parse().unwrap())).body(Body::empty()).unwrap();
        assert_eq!(send(&router, old).await.0, 401);
        store.close().await;
        let (status, text) = read(&router, None, here, None).await;
        assert!(status == 200 && text.contains("countersign_database_up 0"), "{text}");
    }
}
