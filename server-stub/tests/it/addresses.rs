//! What one network address may try.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, body::Body, http::Request};
use countersign_server::{
    http::{App, Peer, app},
    service::Clock,
    store::Store,
};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    kit::{Database, on_both},
    registration::{NOW, PASSWORD, add_ada},
};

struct Server {
    router: Router,
    clock: Arc<AtomicU64>,
}

impl Server {
    fn new(database: &Database, store: &Store) -> Self {
        let clock = Arc::new(AtomicU64::new(NOW * 1000));
        let read = clock.clone();
        let clock_value = Clock::new(move || read.load(Ordering::SeqCst));
        let (keys, random) = (database.keys.clone(), database.random.clone());
        Self { router: app(App::new(store.clone(), keys, clock_value, random, Arc::default()).unwrap()), clock }
    }

    async fn ask(&self, peer: &str, forwarded: Option<&str>, path: &str, user: &str, password: &str) -> u16 {
        let key = data_encoding::BASE64URL_NOPAD.encode(crate::registration::Phone::new("a", 1).public().bytes());
        let app = json!({ "name": "a", "platform": "test", "public_key": key });
        let body = json!({ "username": user, "password": password, "code": "1", "app": app });
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        request.extensions_mut().insert(Peer(SocketAddr::new(peer.parse().unwrap(), 4711)));
        self.router.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    async fn login(&self, peer: &str, forwarded: Option<&str>, user: &str, password: &str) -> u16 {
        self.ask(peer, forwarded, "/api/v1/login", user, password).await
    }
}

on_both! {
    async fn passwords_from_one_address_have_a_budget(database: &Database) {
        let store = database.open().await;
        let ada = add_ada(database, &store).await;
        store.set_setting(&database.keys, "address_attempts", Some("3"), crate::kit::at(0)).await.unwrap();
        let server = Server::new(database, &store);
        // Whichever door, and whatever the name.
        for (path, user) in [("/api/v1/login", "bob"), ("/api/v1/registrations", "eve"), ("/api/v1/confirmations", "")] {
            assert_eq!(server.ask("203.0.113.5", None, path, user, "wrong").await, 403);
        }
        for path in ["/api/v1/login", "/api/v1/registrations", "/api/v1/confirmations"] {
            assert_eq!(server.ask("203.0.113.5", None, path, "ada", PASSWORD).await, 403);
            let said = store.audit_newest(None, 1).await.unwrap();
            assert!(said[0].user_id.is_none() && said[0].detail.contains("address_spent"), "{said:?}");
        }
        // It costs the user nothing, and nobody else; the next window is another.
        assert_eq!(store.user(&ada).await.unwrap().password_failures, 0);
        assert_eq!(server.login("203.0.113.6", None, "ada", PASSWORD).await, 200);
        server.clock.fetch_add(600_000, Ordering::SeqCst);
        assert_eq!(server.login("203.0.113.5", None, "ada", PASSWORD).await, 200);
        // An IPv6 network of one machine is one; what a client says of itself is not heard.
        for host in 1..4 {
            assert_eq!(server.login(&format!("2a00::{host}"), Some("192.0.2.1"), "bob", "wrong").await, 403);
        }
        assert_eq!(server.login("2a00::4", Some("192.0.2.2"), "ada", PASSWORD).await, 403);
        assert_eq!(server.login("2a00:0:0:1::4", None, "ada", PASSWORD).await, 200);
        // A proxy is nobody.
        for peer in ["127.0.0.1", "10.0.0.1"] {
            for _ in 0..5 {
                assert_eq!(server.login(peer, Some("192.0.2.1"), "bob", "wrong").await, 403);
            }
            assert_eq!(server.login(peer, Some("192.0.2.1"), "ada", PASSWORD).await, 200);
        }
    }

    async fn whom_a_trusted_proxy_names_has_the_budget(database: &Database) {
        let store = database.open().await;
        add_ada(database, &store).await;
        for (name, value) in [("address_attempts", "3"), ("trusted_proxies", "127.0.0.1, 10.0.0.0/8")] {
            store.set_setting(&database.keys, name, Some(value), crate::kit::at(0)).await.unwrap();
        }
        let server = Server::new(database, &store);
        for spoofed in 1..4 {
            let said = format!("192.0.2.{spoofed}, 203.0.113.5, 10.0.0.2");
            assert_eq!(server.login("127.0.0.1", Some(&said), "bob", "wrong").await, 403);
        }
        assert_eq!(server.login("10.0.0.1", Some("203.0.113.5"), "ada", PASSWORD).await, 403);
        assert_eq!(server.login("10.0.0.1", Some("203.0.113.6"), "ada", PASSWORD).await, 200);
        assert_eq!(server.login("203.0.113.7", Some("203.0.113.5"), "ada", PASSWORD).await, 200);
    }
}
