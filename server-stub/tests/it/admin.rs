//! The admin API: who may what, and that every change says who asked.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request},
};
use countersign_server::{
    http::{App, app, document},
    service::Clock,
    store::{Store, admin::ApiKey, admin::UserChange},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;

use crate::{
    kit::{Database, TOTP, at, on_both, token},
    under_way::open,
};

struct Server {
    router: Router,
    store: Store,
    clock: Arc<AtomicU64>,
}

impl Server {
    /// A server with a key for each list of scopes, called like the list.
    async fn start(database: &Database, keys: &[&str]) -> Self {
        let store = database.open().await;
        for scopes in keys {
            let key = ApiKey {
                id: (*scopes).to_owned(),
                name: (*scopes).to_owned(),
                scopes: scopes.split(' ').map(str::to_owned).collect(),
                created_at: 0,
            };
            store.add_api_key(&database.keys, &key, &Sha256::digest(scopes).into(), at(0)).await.unwrap();
        }
        let clock = Arc::new(AtomicU64::new(1_000_000_000_000));
        let read = clock.clone();
        let clock_value = Clock::new(move || read.load(Ordering::SeqCst));
        let router =
            app(App::new(store.clone(), database.keys.clone(), clock_value, database.random.clone(), Arc::default())
                .unwrap());
        Self { router, store, clock }
    }

    async fn ask(&self, key: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "evil.example")
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("admin", Method::GET, path, Value::Null).await
    }

    async fn verify(&self, code: &str) -> bool {
        let body = json!({ "user": "ada", "code": code });
        self.ask("admin", Method::POST, "/api/v1/verify", body).await.1["accepted"].as_bool().unwrap()
    }

    fn code(&self) -> String {
        token(TOTP).code_at(self.clock.load(Ordering::SeqCst) / 1000).unwrap().text().to_owned()
    }
}

const USERS: &str = "/api/v1/admin/users";

on_both! {
    /// What one database would keep and the other would not is refused before either is asked.
    async fn control_characters_are_refused_by_both(database: &Database) {
        let server = Server::start(database, &["admin"]).await;
        assert_eq!(server.ask("admin", Method::POST, USERS, json!({ "name": "ada" })).await.0, 201);
        for query in ["search=%00", "after=%00", "search=a%0ab", "search=%C2%85", "after=ada%7F"] {
            let (status, answer) = server.get(&format!("{USERS}?{query}")).await;
            assert_eq!((status, &answer["code"]), (400, &json!("query_invalid")), "{query}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains("control character"), "{answer}");
        }
        for path in ["/api/v1/admin/users/a%00", "/api/v1/admin/groups/%1f", "/api/v1/admin/api-keys/%00", "/api/v1/admin/audit?user=%00"] {
            for method in [Method::GET, Method::DELETE, Method::PATCH] {
                let (status, answer) = server.ask("admin", method, path, json!({})).await;
                assert!([400, 405].contains(&status), "{path}: {status} {answer}");
            }
        }
        for (path, body, field) in [
            (USERS, json!({ "name": "b\0" }), "name"),
            (USERS, json!({ "name": "b", "group": "\0" }), "group"),
            ("/api/v1/admin/groups", json!({ "name": "b", "policy": { "issuer": "a\0" } }), "policy"),
            ("/api/v1/admin/api-keys", json!({ "name": "b\0", "scopes": ["verify"] }), "name"),
            ("/api/v1/admin/api-keys", json!({ "name": "b", "scopes": ["verify", "\0"] }), "scopes"),
        ] {
            let (status, answer) = server.ask("admin", Method::POST, path, body).await;
            assert_eq!((status, &answer["code"], &answer["field"]), (400, &json!("field_invalid"), &json!(field)), "{path}: {answer}");
        }
        // Where nobody may hear who exists, it is what a user is who does not.
        let nobody = json!({ "user": "ada\0", "code": "\0", "token": "\0", "client": "\0" });
        assert_eq!(server.ask("admin", Method::POST, "/api/v1/verify", nobody).await, (200, json!({ "accepted": false })));
        for (path, body, status) in [
            ("/api/v1/login", json!({ "username": "\0", "password": "\0" }), 403),
            ("/validate/check", json!({ "user": "ada\0", "pass": "\0" }), 200),
            ("/api/v1/login/%00/totp", json!({ "token": "\0", "code": "1", "public_key": "", "signature": "" }), 400),
        ] {
            let (answered, answer) = server.ask("admin", Method::POST, path, body).await;
            assert_eq!(answered, status, "{path}: {answer}");
        }
        let set = server.ask("admin", Method::PUT, "/api/v1/admin/settings/smtp_user", json!({ "value": "a\0" })).await;
        assert_eq!(set.0, 400);
        for link in [
            "otpauth://totp/a%00b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%00",
        ] {
            let (status, answer) = server.ask("admin", Method::POST, "/api/v1/admin/users/ada/tokens", json!({ "uri": link })).await;
            assert_eq!((status, &answer["field"]), (400, &json!("uri")), "{answer}");
            assert!(answer["message"].as_str().unwrap().contains("control character"), "{answer}");
        }
    }

    /// What was changed holds with the answer: here, and a key everywhere.
    async fn a_change_holds_when_it_is_answered(database: &Database) {
        let (here, there) = (Server::start(database, &["admin"]).await, Server::start(database, &[]).await);
        let check = "/validate/check";
        let asked = json!({ "user": "ada", "pass": "1" });
        for nth in 0..3 {
            // Both have just read how it was.
            assert_eq!(here.ask("none", Method::POST, check, asked.clone()).await.0, 401);
            assert_eq!(there.ask("none", Method::POST, check, asked.clone()).await.0, 401);
            let name = format!("vpn{nth}");
            let new = json!({ "name": name, "scopes": ["verify", "users:read"] });
            let (status, made) = here.ask("admin", Method::POST, "/api/v1/admin/api-keys", new).await;
            assert_eq!(status, 201, "{made}");
            let key = made["key"].as_str().unwrap();
            for server in [&here, &there] {
                assert_eq!(server.ask(key, Method::POST, check, asked.clone()).await.0, 200);
                assert_eq!(server.ask(key, Method::GET, USERS, Value::Null).await.0, 200);
            }
            assert_eq!(here.ask("admin", Method::DELETE, &format!("/api/v1/admin/api-keys/{name}"), Value::Null).await.0, 204);
            assert_eq!(here.ask(key, Method::POST, check, asked.clone()).await.0, 401);

            let requires = "/api/v1/admin/settings/validate_requires_key";
            for (value, status) in [("false", 200), ("true", 401)] {
                assert_eq!(here.ask("admin", Method::PUT, requires, json!({ "value": value })).await.0, 200);
                assert_eq!(here.ask("none", Method::POST, check, asked.clone()).await.0, status, "{value}");
            }
        }
    }

    async fn what_the_console_does_a_key_does(database: &Database) {
        let server = Server::start(database, &["admin"]).await;
        let ask = async |method, path: &str, body| server.ask("admin", method, path, body).await;
        let group = json!({ "name": "Staff", "policy": { "digits": "8" } });
        assert_eq!(ask(Method::POST, "/api/v1/admin/groups", group.clone()).await.0, 201);
        assert_eq!(ask(Method::POST, "/api/v1/admin/groups", group).await.1["code"], "exists");
        let change = json!({ "policy": { "digits": null, "period": "60" } });
        let (_, changed) = ask(Method::PATCH, "/api/v1/admin/groups/staff", change).await;
        assert_eq!(changed["policy"], json!({ "period": "60" }));

        let new = json!({ "name": "Ada", "phone": "+49 170 1234567", "group": "staff", "password": "seven calm otters" });
        let (status, ada) = ask(Method::POST, USERS, new).await;
        assert_eq!((status, &ada["phone"], &ada["group"]), (201, &json!("+491701234567"), &json!("Staff")));
        assert_eq!((&ada["has_password"], &ada["administrator"]), (&json!(true), &json!(false)));
        assert_eq!(ask(Method::POST, USERS, json!({ "name": "ADA " })).await.0, 409);
        for (new, field) in [
            (json!({ "name": "" }), "name"),
            (json!({ "name": "b", "phone": "0170" }), "phone"),
            (json!({ "name": "b", "email": "b" }), "email"),
            (json!({ "name": "b", "password": "" }), "password"),
            (json!({ "name": "b", "password": "a\0b" }), "password"),
            (json!({ "name": "b", "password": "a".repeat(1025) }), "password"),
            (json!({ "name": "\u{200b}" }), "name"),
            (json!({ "name": ".." }), "name"),
        ] {
            let (status, answer) = ask(Method::POST, USERS, new).await;
            assert_eq!((status, answer["field"].as_str()), (400, Some(field)), "{answer}");
        }
        assert_eq!(ask(Method::POST, USERS, json!({ "name": "b", "group": "none" })).await.0, 404);
        for name in ["bob", "b/o b%", "eve_"] {
            assert_eq!(ask(Method::POST, USERS, json!({ "name": name })).await.0, 201);
        }
        assert_eq!(server.get("/api/v1/admin/users/b%2Fo%20b%25").await.1["name"], "b/o b%");

        // Pages.
        let (mut names, mut after) = (vec![], String::new());
        loop {
            let (_, page) = server.get(&format!("{USERS}?limit=2&after={}", after.replace('%', "%25").replace(' ', "%20"))).await;
            names.extend(page["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            after = next.to_owned();
        }
        assert_eq!(names, ["Ada", "b/o b%", "bob", "eve_"]);
        let (_, found) = server.get(&format!("{USERS}?search=E_")).await;
        assert_eq!(found["users"].as_array().unwrap().len(), 1);
        for (path, wrong, field) in [
            (USERS, "limit=0", "limit"),
            (USERS, "limit=1001", "limit"),
            (USERS, "search=a&limit=x", "limit"),
            ("/api/v1/admin/audit", "after=-1", "after"),
            ("/api/v1/admin/audit", "after=x", "after"),
        ] {
            let (_, answer) = server.get(&format!("{path}?{wrong}")).await;
            assert_eq!((&answer["code"], &answer["field"]), (&json!("query_invalid"), &json!(field)), "{wrong}: {answer}");
        }
        let (_, answer) = server.get(&format!("{USERS}?limit=1&limit=2")).await;
        assert_eq!(answer["code"], "query_invalid", "{answer}");

        let (_, changed) = ask(Method::PATCH, "/api/v1/admin/users/ada", json!({ "email": "ada@example.org", "phone": "" })).await;
        assert_eq!((&changed["email"], &changed["phone"], &changed["group"]), (&json!("ada@example.org"), &Value::Null, &json!("Staff")));

        let tokens = "/api/v1/admin/users/ada/tokens";
        assert_eq!(ask(Method::POST, tokens, json!({ "uri": TOTP })).await.0, 201);
        // A second one of the secret would take every code a second time.
        for again in [TOTP.to_owned(), TOTP.replace("Corp:ada", "other"), TOTP.replace("totp", "hotp") + "&counter=0"] {
            let (status, answer) = ask(Method::POST, tokens, json!({ "uri": again })).await;
            assert_eq!((status, &answer["code"], &answer["field"]), (409, &json!("exists"), &json!("uri")), "{answer}");
        }
        for (uri, part) in [
            ("otpauth://totp/a".to_owned(), "secret"),
            ("otpauth://totp/a?secret=AAAA".to_owned(), "secret"),
            (format!("{TOTP}&digits=3"), "digits"),
            (format!("{TOTP}&period=86400"), "period"),
        ] {
            let (status, answer) = ask(Method::POST, tokens, json!({ "uri": uri })).await;
            assert_eq!((status, &answer["field"]), (400, &json!("uri")));
            assert!(answer["message"].as_str().unwrap().contains(part), "{answer}");
        }
        assert!(server.verify(&server.code()).await);

        // To be confirmed: its codes count for nobody until a sign-in.
        let reset = "/api/v1/admin/users/ada/reset";
        assert_eq!(ask(Method::POST, reset, json!({ "mode": "unconfirm" })).await.1, json!({ "tokens_unconfirmed": 1 }));
        server.clock.fetch_add(60_000, Ordering::SeqCst);
        assert!(!server.verify(&server.code()).await);
        assert_eq!(server.get(tokens).await.1[0]["confirmed"], false);
        for _ in 0..12 {
            server.verify("nonsense").await;
        }
        let (_, locked) = server.get("/api/v1/admin/users/ada").await;
        assert!(locked["blocked_until"].is_string(), "{locked}");
        let (_, unlocked) = ask(Method::POST, "/api/v1/admin/users/ada/unlock", Value::Null).await;
        assert_eq!((&unlocked["blocked_until"], &unlocked["failures"]), (&Value::Null, &json!(0)));
        assert_eq!(ask(Method::POST, reset, json!({ "mode": "clear" })).await.1, json!({ "tokens_deleted": 1 }));
        assert_eq!(ask(Method::POST, reset, json!({ "mode": "nonsense" })).await.0, 400);

        let link = "/api/v1/admin/users/ada/link";
        for (via, field) in [(json!(["post"]), "via"), (json!([]), "via"), (json!(["link"]), "phone")] {
            let (status, answer) = ask(Method::POST, link, json!({ "via": via })).await;
            assert_eq!((status, answer["field"].as_str()), (400, Some(field)), "{answer}");
        }
        ask(Method::PATCH, "/api/v1/admin/users/ada", json!({ "phone": "+491701234567" })).await;
        let (status, sent) = ask(Method::POST, link, json!({ "via": ["link"] })).await;
        assert_eq!((status, &sent["sent"], &sent["address_set"]), (201, &json!([]), &json!(false)), "{sent}");
        assert!(sent["link"].as_str().unwrap().contains("/enroll/"), "{sent}");

        let setting = "/api/v1/admin/settings/digits";
        assert_eq!(ask(Method::PUT, setting, json!({ "value": "8" })).await.1["value"], "8");
        assert_eq!(ask(Method::PUT, setting, json!({ "value": "3" })).await.1["field"], "digits");
        assert_eq!(ask(Method::PUT, setting, json!({ "value": null })).await.1["value"], "6");
        assert_eq!(server.get("/api/v1/admin/settings/none").await.0, 404);
        assert!(server.get("/api/v1/admin/settings").await.1.as_array().unwrap().len() > 10);
        assert_eq!(server.get("/api/v1/admin/apps").await.1, json!({ "apps": [], "next": null }));
        assert_eq!(ask(Method::DELETE, "/api/v1/admin/apps/ada", Value::Null).await.0, 404);
        // Ada was told of what was changed. What was said is for her.
        let (_, told) = server.get("/api/v1/admin/outbox").await;
        let told = &told["messages"];
        assert!(!told.as_array().unwrap().is_empty());
        assert!(told.as_array().unwrap().iter().all(|message| message["text"].is_null()), "{told}");
        assert_eq!(ask(Method::DELETE, "/api/v1/admin/users/ada", Value::Null).await.0, 204);
        assert_eq!(server.get("/api/v1/admin/users/ada").await.0, 404);

        // Whom a change concerned is named as long as there is somebody.
        let (_, bob) = server.get("/api/v1/admin/audit?user=bob").await;
        assert_eq!(bob["entries"][0]["user"], "bob");
        // So is one who was deleted found, by the name or the id, and whoever was called so last.
        let of = async |user: &str| server.get(&format!("/api/v1/admin/audit?limit=1000&user={user}")).await;
        let (_, gone) = of("ADA").await;
        let last = gone["entries"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["event"], &last["user"]), (&json!("user.deleted"), &Value::Null));
        let id = last["user_id"].as_str().unwrap();
        assert_eq!(of(id).await.1, gone);
        for nobody in ["nobody", "01a20560-ef44-79fd-b465-d2ec02769e1b", "%20"] {
            assert_eq!(of(nobody).await.0, 404, "{nobody}");
        }
        ask(Method::POST, USERS, json!({ "name": "ada" })).await;
        assert_eq!(of("ada").await.1["entries"].as_array().unwrap().len(), 1);
        assert_eq!(of(id).await.1, gone);
        ask(Method::DELETE, "/api/v1/admin/users/ada", Value::Null).await;
        assert_eq!(of("ada").await.1["entries"].as_array().unwrap().len(), 2);
        // Every change says who asked.
        let (_, page) = server.get("/api/v1/admin/audit?after=1&limit=1000").await;
        let entries = page["entries"].as_array().unwrap();
        let changes: Vec<&Value> =
            entries.iter().filter(|entry| !entry["event"].as_str().unwrap().starts_with("verify.")).collect();
        assert!(changes.len() > 12);
        assert!(changes.iter().all(|entry| entry["detail"]["by"] == "key:admin"), "{changes:?}");
        assert!(!page.to_string().contains("otters"));
        let ada = changes.iter().find(|entry| entry["detail"]["name"] == "Ada").unwrap();
        assert!(ada["user"].is_null() && ada["user_id"].is_string(), "{ada}");
        assert_eq!(server.get("/api/v1/admin/audit/check").await.1["whole"], true);
    }

    async fn a_sender_in_use_stays_able_to_send(database: &Database) {
        let server = Server::start(database, &["admin"]).await;
        let put = async |name: &str, value: Value| {
            server.ask("admin", Method::PUT, &format!("/api/v1/admin/settings/{name}"), json!({ "value": value })).await
        };
        let url = "https://gateway.example/?to=%TO%&key=%SECRET%&text=%TEXT%";
        for value in ["https://gateway.example/?to=%TO%&text=%TEXT%&x=%FOO%", "https://gateway.example/?text=%text%"] {
            let (status, refused) = put("http_url", json!(value)).await;
            assert_eq!((status, &refused["field"]), (400, &json!("http_url")), "{refused}");
        }
        assert_eq!(put("http_body", json!("%TEXT% %NAME%")).await.0, 400);
        assert_eq!(put("http_headers", json!("X: %NAME%")).await.0, 400);
        assert_eq!(put("sms_template", json!("%CODE% of %ISUER%")).await.0, 400);
        // Before it is chosen, one setting after another may be what it is.
        assert_eq!(put("http_url", json!("https://gateway.example/")).await.0, 200);
        assert_eq!(put("sms_sender", json!("http")).await.0, 400);
        assert_eq!(put("http_url", json!(url)).await.0, 200);
        assert_eq!(put("http_secret", json!("s3")).await.0, 200);
        assert_eq!(put("sms_sender", json!("http")).await.0, 200);
        // From then on not what would keep it from sending.
        for (name, value, wrong) in [
            ("http_url", json!("https://gateway.example/?to=%TO%"), "%TEXT%"),
            ("http_url", Value::Null, "http_url is not set"),
            ("http_secret", Value::Null, "http_secret is not set"),
            ("http_body", json!("{}"), "Content-Type"),
        ] {
            let (status, refused) = put(name, value).await;
            assert_eq!(status, 400, "{name}: {refused}");
            assert!(refused["message"].as_str().unwrap().contains(wrong), "{refused}");
        }
        assert_eq!(put("http_secret", json!("s4")).await.0, 200);
        assert_eq!(put("http_url", json!(url.replace("example", "example.org"))).await.0, 200);
        // What is broken already is mended one setting after another.
        server.store.set_setting(&database.keys, "http_secret", None, at(0)).await.unwrap();
        assert_eq!(put("http_method", json!("GET")).await.0, 200);
        assert_eq!(put("http_secret", json!("s5")).await.0, 200);
        assert_eq!(put("sms_sender", Value::Null).await.0, 200);
        assert_eq!(put("http_url", Value::Null).await.0, 200);
    }

    async fn a_link_that_goes_out_needs_an_address(database: &Database) {
        let server = Server::start(database, &["admin"]).await;
        let new = json!({ "name": "ada", "phone": "+491701234567" });
        assert_eq!(server.ask("admin", Method::POST, USERS, new).await.0, 201);
        let send = async |via: &[&str]| {
            server.ask("admin", Method::POST, "/api/v1/admin/users/ada/link", json!({ "via": via })).await
        };
        let set = async |name: &str, value: &str| {
            server.store.set_setting(&database.keys, name, Some(value), at(0)).await.unwrap();
        };
        // What the console shows leads to this machine, whatever the request says of its host.
        let (status, sent) = send(&["sms", "link"]).await;
        assert_eq!((status, &sent["sent"]), (201, &json!(["sms"])), "{sent}");
        assert!(sent["link"].as_str().unwrap().starts_with("http://127.0.0.1:8470/enroll/"), "{sent}");
        // To people goes nothing that leads nowhere, nor where a request says.
        set("sms_sender", "http").await;
        let (status, refused) = send(&["sms"]).await;
        assert_eq!((status, &refused["code"]), (409, &json!("public_url_missing")), "{refused}");
        assert_eq!(server.store.messages(&database.keys, 10).await.unwrap().len(), 1);
        assert_eq!(send(&["link"]).await.0, 201);
        set("public_url", "https://pam.example.org").await;
        let (status, sent) = send(&["sms", "link"]).await;
        assert_eq!((status, &sent["address_set"]), (201, &json!(true)), "{sent}");
        assert!(sent["link"].as_str().unwrap().starts_with("https://pam.example.org/enroll/"), "{sent}");
    }

    async fn apps_and_messages_come_in_pages(database: &Database) {
        let server = Server::start(database, &["admin"]).await;
        for (user, app) in [("Zoe", 1), ("ada", 2), ("Bob", 3)] {
            let name = database.add_user(&server.store, user).await;
            let token = database.add_token(&server.store, &name, &token(TOTP)).await;
            let id = server.store.user(&name).await.unwrap().id;
            let mut transaction = server.store.begin().await.unwrap();
            sqlx::query("INSERT INTO bindings (credential_id, user_id, app_id, app_key, app_name, platform, bound_at) \
                VALUES ($1, $2, $3, $4, '', '', 0)")
                .bind(token).bind(id).bind(app.to_string()).bind(vec![0_u8]).execute(&mut *transaction).await.unwrap();
            transaction.commit().await.unwrap();
            for number in ["+491701234567", "+491701234568"] {
                let change = UserChange { phone: Some(Some(number.to_owned())), ..UserChange::default() };
                let now = at(1_000_000_000 + app);
                server.store.change_user(&database.keys, &database.random, &name, &change, now).await.unwrap();
            }
        }
        let pages = async |path: &str, list: &str, limit: usize| {
            let (mut sizes, mut seen, mut after) = (vec![], vec![], String::new());
            loop {
                let (status, page) = server.get(&format!("{path}?limit={limit}&after={after}")).await;
                assert_eq!(status, 200, "{page}");
                let rows = page[list].as_array().unwrap().clone();
                sizes.push(rows.len());
                seen.extend(rows);
                let Some(next) = page["next"].as_str() else { break (sizes, seen) };
                after = next.to_owned();
            }
        };
        let (sizes, apps) = pages("/api/v1/admin/apps", "apps", 2).await;
        let users: Vec<&str> = apps.iter().map(|app| app["user"].as_str().unwrap()).collect();
        assert_eq!((sizes, users), (vec![2, 1], vec!["ada", "Bob", "Zoe"]));
        let (sizes, messages) = pages("/api/v1/admin/outbox", "messages", 2).await;
        let (_, whole) = pages("/api/v1/admin/outbox", "messages", 1000).await;
        assert_eq!((sizes, &messages), (vec![2, 1], &whole));
        assert!(whole.is_sorted_by(|newer, older| newer["id"].as_str() > older["id"].as_str()));
        for wrong in ["apps?limit=0", "outbox?limit=1001", "outbox?after=nonsense"] {
            assert_eq!(server.get(&format!("/api/v1/admin/{wrong}")).await.1["code"], "query_invalid", "{wrong}");
        }
    }

    async fn a_token_and_a_group_are_deleted(database: &Database) {
        let server = Server::start(database, &["admin", "tokens:write", "groups:write", "audit:read"]).await;
        let desk = crate::registration::desk(database).await;
        let root = database.add_user(&server.store, "root").await;
        let roots = database.add_token(&server.store, &root, &token(TOTP)).await;
        let right = UserChange { administrator: Some(true), ..UserChange::default() };
        server.store.change_user(&database.keys, &database.random, &root, &right, at(0)).await.unwrap();
        let ada = crate::registration::add_ada(database, &server.store).await;
        let own = database.add_token(&server.store, &ada, &token(TOTP)).await;
        open(&desk, &ada, "of the token", Some(&own), 1_000_000_000).await;
        let delete = async |path: String| {
            let (status, answer) = server.ask("tokens:write", Method::DELETE, &path, Value::Null).await;
            (status, answer["code"].as_str().unwrap_or_default().to_owned())
        };
        for (path, status) in [
            (format!("{USERS}/ada/tokens/{roots}"), 404),
            (format!("{USERS}/ada/tokens/nonsense"), 404),
            (format!("{USERS}/eve/tokens/{own}"), 404),
            (format!("{USERS}/root/tokens/{roots}"), 403),
            (format!("{USERS}/ADA/tokens/{own}"), 204),
            (format!("{USERS}/ADA/tokens/{own}"), 404),
        ] {
            assert_eq!(delete(path.clone()).await.0, status, "{path}");
        }
        assert!(server.store.tokens(&ada).await.unwrap().is_empty());
        assert_eq!(server.store.tokens(&root).await.unwrap().len(), 1);
        assert!(server.store.session(&Sha256::digest("of the token").into(), 1_000_000_000).await.unwrap().is_none());
        let told = server.store.messages(&database.keys, 1).await.unwrap();
        assert!(told[0].body.contains("one of your tokens was taken away"), "{}", told[0].body);
        let said = server.store.audit_newest(None, 1).await.unwrap();
        assert!(said[0].event == "token.deleted" && said[0].detail.contains("key:tokens:write"), "{said:?}");

        let groups = async |method, path: &str, body| server.ask("groups:write", method, path, body).await;
        let group = "/api/v1/admin/groups/STAFF";
        assert_eq!(groups(Method::DELETE, group, Value::Null).await.0, 404);
        groups(Method::POST, "/api/v1/admin/groups", json!({ "name": "Staff" })).await;
        server.ask("admin", Method::PATCH, "/api/v1/admin/users/ada", json!({ "group": "staff" })).await;
        let (status, answer) = groups(Method::DELETE, group, Value::Null).await;
        assert_eq!((status, &answer["code"]), (409, &json!("group_in_use")), "{answer}");
        server.ask("admin", Method::PATCH, "/api/v1/admin/users/ada", json!({ "group": "" })).await;
        assert_eq!(groups(Method::DELETE, group, Value::Null).await.0, 204);
        assert_eq!(server.get("/api/v1/admin/groups").await.1, json!([]));
        let said = server.store.audit_newest(None, 1).await.unwrap();
        assert!(said[0].event == "group.deleted" && said[0].detail.contains("key:groups:write"), "{said:?}");
        assert!(server.store.audit_verify(&database.keys).await.unwrap().is_ok());
    }

    async fn a_key_opens_what_it_was_made_for(database: &Database) {
        let own = ["users:read", "users:write", "groups:read", "groups:write", "settings:read", "settings:write",
            "tokens:read", "tokens:write", "apps:read", "apps:write", "audit:read", "outbox:read", "keys:read"];
        let all = [&own[..], &["admin", "verify", "keys:write users:read"]].concat();
        let server = Server::start(database, &all).await;
        let root = database.add_user(&server.store, "root").await;
        let change = UserChange { administrator: Some(true), ..UserChange::default() };
        server.store.change_user(&database.keys, &database.random, &root, &change, at(0)).await.unwrap();
        database.add_user(&server.store, "ada").await;

        // Every operation wants a key, and one scope of those.
        let document = serde_json::to_value(document()).unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let Some(rest) = path.strip_prefix("/api/v1/admin/") else { continue };
            for method in operations.as_object().unwrap().keys() {
                let verb: Method = method.to_uppercase().parse().unwrap();
                let path = path.replace("{name}", "nobody").replace("{token}", "01a20560-ef44-79fd-b465-d2ec02769e1b");
                let body = match (method.as_str(), rest) {
                    ("post", "users") => json!({ "name": " " }),
                    ("post", "groups") => json!({ "name": " " }),
                    ("post", "api-keys") => json!({ "name": "x", "scopes": [] }),
                    ("post", rest) if rest.ends_with("reset") => json!({ "mode": "clear" }),
                    ("post", rest) if rest.ends_with("link") => json!({ "via": ["link"] }),
                    ("post", rest) if rest.ends_with("tokens") => json!({ "uri": "" }),
                    ("put", _) => json!({ "value": "" }),
                    ("patch", rest) if rest.starts_with("groups") => json!({ "policy": {} }),
                    _ => json!({}),
                };
                assert_eq!(server.ask("nonsense", verb.clone(), &path, body.clone()).await.0, 401, "{path}");
                let (status, answer) = server.ask("verify", verb.clone(), &path, body.clone()).await;
                assert_eq!((status, &answer["code"]), (403, &json!("scope_missing")), "{method} {path}");
                let mut open = 0;
                for key in own.iter().chain(&["keys:write users:read"]) {
                    let (status, _) = server.ask(key, verb.clone(), &path, body.clone()).await;
                    open += usize::from(status != 403);
                }
                let expected = match rest {
                    // Two of the keys may read users.
                    "users" if method == "get" => 2,
                    "users/{name}" if method == "get" => 2,
                    _ => 1,
                };
                assert_eq!(open, expected, "{method} {path}");
            }
        }
        // A right code is asked for with another key than these.
        let body = json!({ "user": "ada", "code": "1" });
        assert_eq!(server.ask("users:read", Method::POST, "/api/v1/verify", body).await.0, 403);

        // Who may read users sees no tokens.
        let (_, seen) = server.ask("users:read", Method::GET, "/api/v1/admin/users/ada", Value::Null).await;
        assert!(seen["name"] == "ada" && seen.get("tokens").is_none(), "{seen}");
        assert_eq!(server.get("/api/v1/admin/users/ada").await.1["tokens"], json!([]));
        // Nor does it lead secrets that it never sees to an address of its own.
        for name in ["twilio_url", "http_url", "http_headers", "smtp_host", "smtp_port", "smtp_tls"] {
            let path = format!("/api/v1/admin/settings/{name}");
            for value in [json!({ "value": "https://evil.example" }), json!({ "value": null })] {
                let (status, answer) = server.ask("settings:write", Method::PUT, &path, value).await;
                assert_eq!((status, &answer["code"]), (403, &json!("scope_missing")), "{name}");
            }
        }
        let (gateway, plain) = ("/api/v1/admin/settings/http_url", json!({ "value": "http://sms.example.org/" }));
        let (status, set) = server.ask("admin", Method::PUT, gateway, plain).await;
        assert!(status == 200 && set["warning"].as_str().unwrap().contains("unencrypted"), "{set}");

        // Nobody makes more of a key than it is, nor touches an administrator.
        let maker = "keys:write users:read";
        let keys = "/api/v1/admin/api-keys";
        for (scopes, status) in [(["users:read"], 201), (["audit:read"], 403), (["admin"], 403), (["none"], 400)] {
            let new = json!({ "name": scopes[0].to_uppercase(), "scopes": scopes });
            assert_eq!(server.ask(maker, Method::POST, keys, new).await.0, status, "{scopes:?}");
        }
        assert_eq!(server.ask(maker, Method::DELETE, &format!("{keys}/admin"), Value::Null).await.0, 403);
        assert_eq!(server.ask(maker, Method::DELETE, &format!("{keys}/USERS:READ"), Value::Null).await.0, 204);
        for (method, path, body) in [
            (Method::PATCH, "/api/v1/admin/users/root", json!({ "password": "mine" })),
            (Method::PATCH, "/api/v1/admin/users/ada", json!({ "administrator": true })),
            (Method::PATCH, "/api/v1/admin/users/ada", json!({ "exempt": true })),
            (Method::POST, USERS, json!({ "name": "x", "administrator": true })),
            (Method::POST, "/api/v1/admin/users/root/reset", json!({ "mode": "clear" })),
            (Method::DELETE, "/api/v1/admin/users/root", Value::Null),
        ] {
            let (status, answer) = server.ask("users:write", method, path, body).await;
            assert_eq!((status, &answer["code"]), (403, &json!("administrator_protected")), "{path}");
        }
        let (status, _) = server.ask("tokens:write", Method::POST, &format!("{USERS}/root/tokens"), json!({ "uri": TOTP })).await;
        assert_eq!(status, 403);
        // The rules of a group that has one are an administrator's, too.
        let rules = json!({ "policy": { "allowed_kinds": "hotp" } });
        let group = "/api/v1/admin/groups/staff";
        server.ask("admin", Method::POST, "/api/v1/admin/groups", json!({ "name": "staff" })).await;
        server.ask("admin", Method::PATCH, "/api/v1/admin/users/ada", json!({ "group": "staff" })).await;
        assert_eq!(server.ask("groups:write", Method::PATCH, group, rules.clone()).await.0, 200);
        server.ask("admin", Method::PATCH, "/api/v1/admin/users/root", json!({ "group": "staff" })).await;
        let (status, answer) = server.ask("groups:write", Method::PATCH, group, rules.clone()).await;
        assert_eq!((status, &answer["code"]), (403, &json!("administrator_protected")));
        assert_eq!(server.ask("admin", Method::PATCH, group, rules).await.0, 200);
        let (status, made) = server.ask("admin", Method::PATCH, "/api/v1/admin/users/ada", json!({ "administrator": true })).await;
        assert_eq!((status, &made["administrator"]), (200, &json!(true)));
    }

    async fn a_session_without_a_second_factor_administers_nothing(database: &Database) {
        let server = Server::start(database, &[]).await;
        let desk = crate::registration::desk(database).await;
        let bob = database.add_user(&server.store, "bob").await;
        let own = database.add_token(&server.store, &bob, &token(TOTP)).await;
        let now = 1_000_000_000;
        let change = async |change: UserChange| {
            server.store.change_user(&database.keys, &database.random, &bob, &change, at(now)).await.unwrap();
        };
        let asked = async |session: &str| server.ask(session, Method::GET, USERS, Value::Null).await.0;
        open(&desk, &bob, "before", None, now).await;
        open(&desk, &bob, "with a token", Some(&own), now).await;
        change(UserChange { administrator: Some(true), ..UserChange::default() }).await;
        assert_eq!((asked("before").await, asked("with a token").await), (401, 401));
        // However one came to be, it has to have had a second factor.
        open(&desk, &bob, "alone", None, now).await;
        open(&desk, &bob, "both", Some(&own), now).await;
        assert_eq!((asked("alone").await, asked("both").await), (401, 200));
        change(UserChange { exempt: Some(true), ..UserChange::default() }).await;
        assert_eq!((asked("alone").await, asked("both").await), (200, 200));
        change(UserChange { exempt: Some(false), ..UserChange::default() }).await;
        assert_eq!((asked("alone").await, asked("both").await), (401, 200));
    }

    async fn an_administrator_who_was_rescued_is_let_in(database: &Database) {
        let server = Server::start(database, &[]).await;
        let (root, ada) = (database.add_user(&server.store, "root").await, database.add_user(&server.store, "ada").await);
        let change = UserChange { administrator: Some(true), ..UserChange::default() };
        server.store.change_user(&database.keys, &database.random, &root, &change, at(0)).await.unwrap();
        database.add_token(&server.store, &root, &token(TOTP)).await;
        let rescue = async |name, session: &'static str| {
            let hash = Sha256::digest(session).into();
            let change = UserChange::default();
            server.store.rescue(&database.keys, &database.random, name, &change, Some((session, &hash)), at(1_000_000_000)).await
        };
        assert!(rescue(&ada, "css_ada").await.is_err());
        assert_eq!(server.ask("css_ada", Method::GET, USERS, Value::Null).await.0, 401);
        assert_eq!(rescue(&root, "css_root").await.unwrap(), 1);
        let (status, page) = server.ask("css_root", Method::GET, USERS, Value::Null).await;
        assert_eq!((status, page["users"].as_array().unwrap().len()), (200, 2));
        assert_eq!(server.ask("css_root", Method::POST, USERS, json!({ "name": "bob" })).await.0, 201);
        let events = server.store.audit_newest(None, 1).await.unwrap();
        assert!(events[0].detail.contains("user:root"), "{}", events[0].detail);
        // For an hour, and as long as there is this right.
        server.clock.fetch_add(3_600_000, Ordering::SeqCst);
        assert_eq!(server.ask("css_root", Method::GET, USERS, Value::Null).await.0, 401);
        rescue(&root, "css_again").await.unwrap();
        server.clock.fetch_sub(3_600_000, Ordering::SeqCst);
        assert_eq!(server.ask("css_again", Method::GET, USERS, Value::Null).await.0, 200);
        let change = UserChange { administrator: Some(false), ..UserChange::default() };
        server.store.change_user(&database.keys, &database.random, &root, &change, at(0)).await.unwrap();
        assert_eq!(server.ask("css_again", Method::GET, USERS, Value::Null).await.0, 401);
    }
}
