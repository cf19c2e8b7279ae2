//! What is answered.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use countersign_server::{
    http::{App, app},
    service::Clock,
    store::admin::ApiKey,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::kit::{Database, TOTP, at, on_both, token};

const KEY: &str = "csk_test";

struct Server {
    router: Router,
    clock: Arc<AtomicU64>,
}

impl Server {
    async fn start(database: &Database) -> Self {
        let store = database.open().await;
        let key =
            ApiKey { id: "k".to_owned(), name: "test".to_owned(), scopes: vec!["verify".to_owned()], created_at: 0 };
        store.add_api_key(&database.keys, &key, &Sha256::digest(KEY).into(), at(0)).await.unwrap();
        let ada = database.add_user(&store, "ada").await;
        database.add_token(&store, &ada, &token(TOTP)).await;
        let clock = Arc::new(AtomicU64::new(1_000_000_000_000));
        let read = clock.clone();
        let clock_value = Clock::new(move || read.load(Ordering::SeqCst));
        let router =
            app(App::new(store, database.keys.clone(), clock_value, database.random.clone(), Arc::default()).unwrap());
        Self { router, clock }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status();
        (status, to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec())
    }

    async fn post(&self, path: &str, key: Option<&str>, kind: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let mut request = Request::post(path).header("content-type", kind);
        if let Some(key) = key {
            request = request.header("authorization", key);
        }
        let (status, body) = self.send(request.body(body.into()).unwrap()).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn verify(&self, user: &str, code: &str) -> (StatusCode, Value) {
        let body = json!({ "user": user, "code": code, "of_tomorrow": 1 }).to_string();
        self.post("/api/v1/verify", Some("Bearer csk_test"), "application/json", body).await
    }

    fn code(&self) -> String {
        token(TOTP).code_at(self.clock.load(Ordering::SeqCst) / 1000).unwrap().text().to_owned()
    }
}

on_both! {
    async fn every_refusal_is_the_same(database: &Database) {
        let server = Server::start(database).await;
        let code = server.code();
        let (status, body) = server.verify("Ada", &format!("{} {}", &code[..3], &code[3..])).await;
        assert_eq!((status, &body["accepted"]), (StatusCode::OK, &json!(true)));
        let refused = (StatusCode::OK, json!({ "accepted": false }));
        // Used, wrong, no code at all, nobody, a name that nobody can have.
        for (user, code) in
            [("ada", code.as_str()), ("ada", "000000"), ("ada", ""), ("eve", "000000"), ("", "1"), ("a\n", "1"), ("' OR 1=1 --", "1")]
        {
            assert_eq!(server.verify(user, code).await, refused, "{user:?}");
        }
        // Locked.
        for _ in 0..12 {
            assert_eq!(server.verify("ada", "000000").await, refused);
        }
    }

    async fn what_asks_privacyidea_can_ask_here(database: &Database) {
        let server = Server::start(database).await;
        let form = "application/x-www-form-urlencoded";
        let body = format!("user=ada&pass={}&realm=corp", server.code());
        let (status, _) = server.post("/validate/check", None, form, body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let (status, answer) = server.post("/validate/check", Some(KEY), form, body.clone()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["result"], json!({ "status": true, "value": true, "authentication": "ACCEPT" }));
        assert_eq!(answer["jsonrpc"], "2.0");
        let (_, answer) = server.post("/validate/check", Some(KEY), form, body).await;
        assert_eq!(answer["result"], json!({ "status": true, "value": false, "authentication": "REJECT" }));
        // Characters that a client should have escaped are part of what was typed.
        server.clock.fetch_add(30_000, Ordering::SeqCst);
        let code = server.code();
        for (body, value) in [
            (format!("user=ada&pass={code}#anything"), false),
            (format!("user=ada&realm=a b#c&pass={} {}", &code[..3], &code[3..]), true),
        ] {
            let (status, answer) = server.post("/validate/check", Some(KEY), form, body).await;
            assert_eq!((status, &answer["result"]["value"]), (StatusCode::OK, &json!(value)), "{answer}");
        }

        let store = database.open().await;
        store.set_setting(&database.keys, "validate_requires_key", Some("false"), at(0)).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        server.clock.fetch_add(60_000, Ordering::SeqCst);
        let body = json!({ "user": "ada", "pass": server.code() }).to_string();
        let (status, answer) = server.post("/validate/check", None, "application/json", body).await;
        assert_eq!((status, &answer["result"]["value"]), (StatusCode::OK, &json!(true)));
        // The other door still has its lock.
        let body = json!({ "user": "ada", "code": "1" }).to_string();
        let (status, _) = server.post("/api/v1/verify", None, "application/json", body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn nonsense_is_refused_with_a_code_and_repeats_nothing() {
    let database = Database::sqlite();
    let server = Server::start(&database).await;
    let deep = "[".repeat(5000);
    let nested = format!("{{\"user\":\"ada\",\"code\":\"1\",\"x\":{}{}}}", "[".repeat(8000), "]".repeat(8000));
    let objects = format!("{}1{}", "{\"user\":".repeat(1500), "}".repeat(1500));
    let large = format!("{{\"user\":\"{}\"}}", "a".repeat(20_000));
    let cases: [(&str, &[u8], StatusCode, &str); 9] = [
        ("application/json", b"{", StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", b"", StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", b"{\"user\":\"\xff\",\"code\":\"1\"}", StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", b"{\"user\":\"ada\",\"code\":314159}", StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", b"{\"user\":\"ada\"}", StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", deep.as_bytes(), StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", objects.as_bytes(), StatusCode::BAD_REQUEST, "body_invalid"),
        ("application/json", large.as_bytes(), StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        ("text/plain", b"{}", StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported"),
    ];
    for (kind, body, status, code) in cases {
        let (answered, answer) = server.post("/api/v1/verify", Some("Bearer csk_test"), kind, body.to_vec()).await;
        assert_eq!((answered, answer["code"].as_str()), (status, Some(code)), "{answer}");
        assert!(!answer.to_string().contains("314159"), "{answer}");
        assert_eq!(answer["field"], Value::Null);
    }
    // A field that nobody knows is passed over, however deep it is.
    let (status, answer) = server.post("/api/v1/verify", Some("Bearer csk_test"), "application/json", nested).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "accepted": false })));
    for body in [b"user=ada".as_slice(), b"user=ada&pass=1&pass=2", b"user=ada&pass=\xff", b"user=\xc3\x28&pass=1"] {
        let form = "application/x-www-form-urlencoded";
        let (status, answer) = server.post("/validate/check", Some(KEY), form, body.to_vec()).await;
        assert_eq!((status, answer["code"].as_str()), (StatusCode::BAD_REQUEST, Some("body_invalid")), "{body:?}");
    }
    // No UTF-8 where it may be escaped: in a form, in a path, after the question mark, in a header.
    let form = "application/x-www-form-urlencoded";
    let (status, answer) = server.post("/validate/check", Some(KEY), form, "user=%ff%fe&pass=%c3%28").await;
    assert!(status.is_client_error() || answer["result"]["value"] == json!(false), "{status} {answer}");
    for path in ["/enroll/%ff%fe", "/api/v1/admin/users/%ff", "/api/v1/admin/users?after=%ff", "/%ff"] {
        let request = Request::get(path).header("authorization", KEY).body(Body::empty()).unwrap();
        let (status, _) = server.send(request).await;
        assert!(status.is_client_error(), "{path} {status}");
    }
    let raw = axum::http::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap();
    let request = Request::get("/api/v1/session").header("authorization", raw).body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.0, StatusCode::UNAUTHORIZED);
    let nul = json!({ "user": "ada\u{0}", "code": "\u{0}", "token": "\u{0}", "client": "\u{0}" }).to_string();
    let (status, answer) = server.post("/api/v1/verify", Some("Bearer csk_test"), "application/json", nul).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({ "accepted": false })));
    for key in ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic csk_test", "csk_tes"] {
        let (status, answer) = server.post("/api/v1/verify", Some(key), "application/json", "{}").await;
        assert_eq!((status, answer["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("unauthorized")), "{key}");
    }
    let id = "01a20560-ef44-79fd-b465-d2ec02769e1b";
    let key = data_encoding::BASE64URL_NOPAD.encode(&[4; 65]);
    for (path, body, status, code) in [
        ("/api/v1/login", json!({ "username": "ada", "password": "x" }), StatusCode::FORBIDDEN, "credentials_wrong"),
        ("/api/v1/login", json!({ "username": "e\u{0}", "password": "x" }), StatusCode::FORBIDDEN, "credentials_wrong"),
        (
            &format!("/api/v1/login/{id}/totp"),
            json!({ "token": "\u{0}", "code": "1", "public_key": "", "signature": "" }),
            StatusCode::FORBIDDEN,
            "code_wrong",
        ),
        (
            &format!("/api/v1/registrations/{id}/confirm"),
            json!({ "code": "1", "seal_key": key, "signature": "" }),
            StatusCode::BAD_REQUEST,
            "field_invalid",
        ),
        (
            "/api/v1/registrations/%00/activate",
            json!({ "code": "1", "signature": "" }),
            StatusCode::BAD_REQUEST,
            "path_invalid",
        ),
    ] {
        let (answered, answer) = server.post(path, None, "application/json", body.to_string()).await;
        assert_eq!((answered, answer["code"].as_str()), (status, Some(code)), "{path} {answer}");
    }
    for value in ["", "Bearer x", "x"] {
        let request = Request::get("/api/v1/session").header("authorization", value).body(Body::empty()).unwrap();
        let (status, body) = server.send(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(String::from_utf8(body).unwrap().contains("session_ended"));
    }
    let (status, _) = server.send(Request::get("/nothing").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = server.send(Request::get("/api/v1/verify").body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    for path in ["/healthz", "/readyz"] {
        let (status, _) = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
}
