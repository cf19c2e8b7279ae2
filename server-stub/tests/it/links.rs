//! Enrollment links, their page, and what is tried with them.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, Version, header},
};
use countersign_core::uri::{self, enroll};
use countersign_server::{
    domain::{
        links::{self, LinkError, Via},
        registration::{Desk, RegistrationError},
        users::Name,
    },
    http::{App, Peer, app},
    service::Clock,
    store::{Store, admin::UserChange, outbox::Channel, verify::Statements},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use tower::ServiceExt as _;

use crate::{
    kit::{Database, Kept, accepted, at, attempt, on_both},
    registration::{NOW, PASSWORD, Phone, SERVER, add_ada, desk, sms_code},
};

/// Makes a link for Ada; what is behind `/enroll/`.
pub(crate) async fn link(desk: &Desk, now: u64) -> String {
    let sealing = (&*desk.keys, &desk.random);
    let via = BTreeSet::from([Via::Link]);
    let ada = Name::new("ada").unwrap();
    let made = links::make(&desk.store, sealing, SERVER, &ada, &via, at(now)).await.unwrap();
    enroll::parse(made.url.expose()).unwrap().code.expose().to_owned()
}

pub(crate) async fn allow_others(store: &Store, database: &Database) {
    store.set_setting(&database.keys, "other_apps", Some("true"), at(0)).await.unwrap();
}

/// A server with the pages, asked without a socket, from the address that the test says.
struct Site {
    router: Router,
    clock: Arc<AtomicU64>,
}

impl Site {
    async fn new(database: &Database) -> Self {
        let store = database.open().await;
        let clock = Arc::new(AtomicU64::new(NOW * 1000));
        let read = clock.clone();
        let clock_value = Clock::new(move || read.load(Ordering::SeqCst));
        let app_state =
            App::new(store, database.keys.clone(), clock_value, database.random.clone(), Arc::default()).unwrap();
        Self { router: app(app_state), clock }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, HeaderMap, String) {
        self.send(Request::get(path).header(header::HOST, "pam.example.org").body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::post(path)
            .header(header::HOST, "pam.example.org")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

/// The `otpauth://` link of a page.
fn otpauth(page: &str) -> countersign_core::token::TokenSpec {
    let link = page.split("href=\"otpauth://").nth(1).unwrap().split('"').next().unwrap();
    let link = link.replace("&#38;", "&").replace("&amp;", "&");
    uri::parse(&format!("otpauth://{link}")).unwrap().spec
}

/// What a real process answers to a form.
async fn post_form(address: &str, path: String, body: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

on_both! {
    async fn a_link_takes_the_place_of_the_password_once(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        desk.store.set_setting(&desk.keys, "exportable", Some("true"), at(0)).await.unwrap();
        let (first, second) = (Phone::new("first", 1), Phone::new("second", 2));
        let text = link(&desk, NOW).await;
        assert_eq!(text.len(), 43);
        // Looking changes nothing, however often.
        for _ in 0..3 {
            let opened = desk.open_link(&text, at(NOW)).await.unwrap();
            assert_eq!((opened.user.as_str(), opened.phone_hint.as_deref()), ("Ada", Some("67")));
        }
        let started = first.start_by_link(&desk, &text, at(NOW)).await.unwrap();
        assert_eq!(started.phone_hint, "67");
        let waiting = first.confirm(&desk, &started, &sms_code(&desk).await, at(NOW)).await.unwrap();
        // Still open: nothing is registered so far.
        assert!(desk.open_link(&text, at(NOW)).await.is_ok());
        first.activate(&desk, &waiting, at(NOW)).await.unwrap();
        assert_eq!(desk.store.tokens(&ada).await.unwrap().len(), 1);
        // The lost answer comes again; the link does not.
        first.activate(&desk, &waiting, at(NOW)).await.unwrap();
        assert!(matches!(desk.open_link(&text, at(NOW)).await, Err(LinkError::Over)));
        let again = second.start_by_link(&desk, &text, at(NOW + 60)).await;
        assert!(matches!(again, Err(RegistrationError::Link)), "{again:?}");
        // Neither is there anything of it in the database or the log.
        for event in desk.store.audit_newest(None, 100).await.unwrap() {
            assert!(!event.detail.contains(&text), "{}", event.detail);
        }
    }

    async fn a_link_ends_after_a_day_or_with_a_newer_one(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let (first, second) = (Phone::new("first", 1), Phone::new("second", 2));
        let old = link(&desk, NOW).await;
        let started = first.start_by_link(&desk, &old, at(NOW)).await.unwrap();
        let waiting = first.confirm(&desk, &started, &sms_code(&desk).await, at(NOW)).await.unwrap();
        let new = link(&desk, NOW + 60).await;
        // What was under way with the old one is over, too, and has changed nothing.
        let over = first.activate(&desk, &waiting, at(NOW + 60)).await;
        assert!(matches!(over, Err(RegistrationError::Link)), "{over:?}");
        assert!(desk.store.tokens(&ada).await.unwrap().is_empty());
        assert!(matches!(desk.open_link(&old, at(NOW + 60)).await, Err(LinkError::Over)));
        assert!(desk.open_link(&new, at(NOW + 60 + 86_399)).await.is_ok());
        assert!(matches!(desk.open_link(&new, at(NOW + 60 + 86_400)).await, Err(LinkError::Over)));
        let late = second.start_by_link(&desk, &new, at(NOW + 60 + 86_400)).await;
        assert!(matches!(late, Err(RegistrationError::Link)), "{late:?}");
        for nonsense in ["", "x", &"A".repeat(43), "\u{0}", "' OR 1=1 --"] {
            assert!(matches!(desk.open_link(nonsense, at(NOW + 60)).await, Err(LinkError::Over)), "{nonsense}");
        }
    }

    async fn a_clock_that_steps_neither_loses_a_link_nor_gives_it_twice(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let text = link(&desk, NOW).await;
        for now in [NOW - 3600, NOW + 3600, NOW + 86_399, NOW + 10] {
            assert!(desk.open_link(&text, at(now)).await.is_ok(), "{now}");
        }
        let started = phone.start_by_link(&desk, &text, at(NOW - 3600)).await.unwrap();
        // The code is of the hour that was right.
        let code = sms_code(&desk).await;
        assert!(phone.confirm(&desk, &started, &code, at(NOW)).await.is_err());
        let waiting = phone.confirm(&desk, &started, &code, at(NOW - 3590)).await.unwrap();
        phone.activate(&desk, &waiting, at(NOW - 3580)).await.unwrap();
        for now in [NOW - 7200, NOW - 3600, NOW, NOW + 3600] {
            assert!(matches!(desk.open_link(&text, at(now)).await, Err(LinkError::Over)), "{now}");
        }
        // What was over once stays over: for the page, for an app, and for another authenticator.
        allow_others(&desk.store, database).await;
        for door in 0..4 {
            let text = link(&desk, NOW).await;
            let shown = desk.show_secret(&text, at(NOW)).await.unwrap();
            let code = uri::parse(shown.uri.expose()).unwrap().spec.code_at(NOW + 86_400).unwrap();
            let late = at(NOW + 86_400);
            let over = match door {
                0 => desk.open_link(&text, late).await.is_err(),
                1 => phone.start_by_link(&desk, &text, late).await.is_err(),
                2 => desk.show_secret(&text, late).await.is_err(),
                _ => desk.confirm_link(&text, code.text(), late).await.is_err(),
            };
            assert!(over, "{door}");
            let back = at(NOW + 86_400 - 3600);
            assert!(matches!(desk.open_link(&text, back).await, Err(LinkError::Over)), "{door}");
            assert!(matches!(desk.show_secret(&text, back).await, Err(LinkError::Over)), "{door}");
            let started = phone.start_by_link(&desk, &text, back).await;
            assert!(matches!(started, Err(RegistrationError::Link)), "{door}: {started:?}");
        }
    }

    async fn another_authenticator_is_let_in_by_policy_and_a_right_code(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let site = Site::new(database).await;
        let text = link(&desk, NOW).await;
        // Not unless the policy says so: no button, no secret.
        let (status, _, page) = site.get(&format!("/enroll/{text}")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!page.contains("<form"), "{page}");
        assert_eq!(site.post(&format!("/enroll/{text}/secret"), "").await.0, StatusCode::GONE);
        allow_others(&desk.store, database).await;
        desk.store.set_setting(&desk.keys, "digits", Some("8"), at(0)).await.unwrap();
        desk.store.set_setting(&desk.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let (_, _, page) = site.get(&format!("/enroll/{text}")).await;
        assert!(page.contains(&format!("action=\"{text}/secret\"")), "{page}");
        // What opens links by itself gets no secret.
        assert!(!page.contains("otpauth"), "{page}");
        assert_eq!(site.get(&format!("/enroll/{text}/secret")).await.0, StatusCode::METHOD_NOT_ALLOWED);

        let (status, _, page) = site.post(&format!("/enroll/{text}/secret"), "").await;
        assert_eq!(status, StatusCode::OK);
        let spec = otpauth(&page);
        assert_eq!((spec.issuer.as_str(), spec.account.as_str()), ("Countersign", "Ada"));
        // The same again, and nothing works so far.
        assert_eq!(otpauth(&site.post(&format!("/enroll/{text}/secret"), "").await.2), spec);
        assert!(desk.store.tokens(&ada).await.unwrap().is_empty());

        // Wrong codes are of the user's budget.
        for wrong in ["", "nonsense", "00000000"] {
            let (status, _, page) = site.post(&format!("/enroll/{text}/confirm"), &format!("code={wrong}")).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{page}");
            assert!(page.contains("role=\"alert\""), "{page}");
        }
        assert_eq!(desk.store.user(&ada).await.unwrap().failures, 3);
        assert_eq!(site.post(&format!("/enroll/{text}/confirm"), "nothing=1").await.0, StatusCode::BAD_REQUEST);
        let code = spec.code_at(NOW).unwrap();
        let code = code.text();
        assert_eq!(code.len(), 8);
        let (status, _, page) = site.post(&format!("/enroll/{text}/confirm"), &format!("code={}+{}", &code[..4], &code[4..])).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        // Used up: the code, the link, the failures.
        let verifier = database.verifier(Statements::REAL).await;
        assert!(!accepted(&verifier.verify(attempt("ada", code, at(NOW))).await.unwrap()));
        let next = spec.code_at(NOW + 30).unwrap();
        assert!(accepted(&verifier.verify(attempt("ada", next.text(), at(NOW + 30))).await.unwrap()));
        for path in [format!("/enroll/{text}"), "/enroll/nonsense".to_owned(), format!("/enroll/{}", "A".repeat(43))] {
            let (status, _, gone) = site.get(&path).await;
            assert_eq!(status, StatusCode::GONE);
            assert!(gone.contains("This link is over"), "{gone}");
        }
        assert_eq!(site.post(&format!("/enroll/{text}/secret"), "").await.0, StatusCode::GONE);
        let told = desk.store.messages(&desk.keys, 10).await.unwrap();
        assert!(told[0].body.contains("another authenticator app"), "{}", told[0].body);
    }

    async fn a_page_trusts_no_name_and_no_other_page(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        allow_others(&desk.store, database).await;
        let site = Site::new(database).await;
        // A name and an issuer that would be markup.
        let evil = Name::new("<script>alert(1)</script>\" onload='x' {{ 7*7 }} %LINK%").unwrap();
        let new = countersign_server::store::admin::NewUser {
            id: desk.random.id(at(0)),
            name: evil.clone(),
            phone: Some("+491701234567".to_owned()),
            email: Some("eve@example.org".to_owned()),
            group: None,
            password_hash: None,
        };
        desk.store.add_user(&desk.keys, &new, at(0)).await.unwrap();
        let issuer = "<img src=x onerror=alert(1)> %LINK% %CODE%";
        desk.store.set_setting(&desk.keys, "issuer", Some(issuer), at(0)).await.unwrap();
        let via = BTreeSet::from([Via::Link, Via::Sms, Via::Email]);
        let made = links::make(&desk.store, (&desk.keys, &desk.random), SERVER, &evil, &via, at(NOW)).await.unwrap();
        let text = enroll::parse(made.url.expose()).unwrap().code.expose().to_owned();
        for page in [
            site.get(&format!("/enroll/{text}")).await.2,
            site.post(&format!("/enroll/{text}/secret"), "").await.2,
            site.post(&format!("/enroll/{text}/confirm"), "code=<script>").await.2,
        ] {
            assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("onload='x'"), "{page}");
            // The name is there, and nothing of it was worked out.
            assert!(page.contains("&#60;script&#62;alert(1)&#60;/script&#62;") && page.contains("{{ 7*7 }} %LINK%"), "{page}");
        }
        // The message says what was set, in one place each.
        for message in desk.store.messages(&desk.keys, 2).await.unwrap() {
            assert_eq!(message.body.matches(made.url.expose()).count(), 1, "{}", message.body);
            assert!(message.channel == Channel::Sms || !message.subject.contains('\n'));
        }

        // What every page keeps to.
        let (_, headers, page) = site.get(&format!("/enroll/{text}")).await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("content-language", "en"),
        ] {
            assert_eq!(headers[name], value);
        }
        assert!(!page.contains("style=") && !page.contains("src=") && !page.contains("http:") , "{page}");
        // Nowhere to be sent on to, whatever is asked for.
        for path in [
            format!("/enroll/{text}?next=https://evil.example"),
            "/enroll//evil.example/".to_owned(),
            "/enroll/%2F%2Fevil.example".to_owned(),
            "/enroll/x%0D%0ALocation:%20https:%2F%2Fevil.example".to_owned(),
        ] {
            let (status, headers, _) = site.get(&path).await;
            assert!(!status.is_redirection() && headers.get(header::LOCATION).is_none(), "{path}");
        }
        // A form of another page.
        let request = |site: &str| {
            Request::post(format!("/enroll/{text}/secret")).header("sec-fetch-site", site).body(Body::empty()).unwrap()
        };
        assert_eq!(site.send(request("cross-site")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(site.send(request("same-site")).await.0, StatusCode::FORBIDDEN);
        assert_eq!(site.send(request("same-origin")).await.0, StatusCode::OK);
        // A browser that knows no Fetch Metadata says where a form is from in another header.
        let from = |origin: &str, host: &str| {
            let request = Request::post(format!("/enroll/{text}/secret")).header("origin", origin);
            request.header(header::HOST, host).body(Body::empty()).unwrap()
        };
        for (origin, host, status) in [
            ("https://evil.example", "pam.example.org", StatusCode::FORBIDDEN),
            ("https://pam.example.org.evil.example", "pam.example.org", StatusCode::FORBIDDEN),
            ("https://pam.example.org:8443", "pam.example.org", StatusCode::FORBIDDEN),
            ("nonsense", "pam.example.org", StatusCode::FORBIDDEN),
            ("https://PAM.example.org", "pam.example.org", StatusCode::OK),
            ("http://127.0.0.1:8470", "127.0.0.1:8470", StatusCode::OK),
            ("null", "pam.example.org", StatusCode::OK),
        ] {
            assert_eq!(site.send(from(origin, host)).await.0, status, "{origin}");
        }
        desk.store.set_setting(&desk.keys, "public_url", Some("https://pam.example.org:443"), at(0)).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        assert_eq!(site.send(from("https://pam.example.org", "127.0.0.1:8470")).await.0, StatusCode::OK);
        assert_eq!(site.send(from("http://pam.example.org", "127.0.0.1:8470")).await.0, StatusCode::FORBIDDEN);
        desk.store.set_setting(&desk.keys, "public_url", None, at(0)).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        // A Host that would be markup stays text.
        let request = Request::get(format!("/enroll/{text}")).header(header::HOST, "a\"><script>");
        let (_, _, page) = site.send(request.body(Body::empty()).unwrap()).await;
        assert!(!page.contains("<script"), "{page}");
        // Languages.
        for (wanted, said) in [("de-CH", "Richten Sie Ihren Token ein"), ("tr", "Tokenınızı kurun"), ("fr", "Set up your token")] {
            let request = Request::get(format!("/enroll/{text}")).header(header::ACCEPT_LANGUAGE, wanted);
            let (_, headers, page) = site.send(request.body(Body::empty()).unwrap()).await;
            assert!(page.contains(said) && page.contains(&format!("<html lang=\"{}\"", headers["content-language"].to_str().unwrap())), "{page}");
        }
        site.clock.fetch_add(86_400_000, Ordering::SeqCst);
        assert_eq!(site.get(&format!("/enroll/{text}")).await.0, StatusCode::GONE);
    }

    /// A first code sent to two real processes at once, a thousand times: one says that the token works, the other that the
    /// link is over.
    async fn of_two_processes_one_takes_a_links_code(database: &Database) {
        const LANES: usize = 4;
        let site = crate::kit::process::Site::new(database).await;
        let (here, there) = (site.serve("warn"), site.serve("warn"));
        allow_others(&site.store, database).await;
        let (sealing, via) = ((&*database.keys, &database.random), BTreeSet::from([Via::Link]));
        let mut lanes = Vec::new();
        for lane in 0..LANES {
            let user = database.add_user(&site.store, &format!("user{lane}")).await;
            let now = at(crate::cli::now());
            let made = links::make(&site.store, sealing, SERVER, &user, &via, now).await.unwrap();
            let path = format!("/enroll/{}", enroll::parse(made.url.expose()).unwrap().code.expose());
            let spec = otpauth(&post_form(&here.address, format!("{path}/secret"), String::new()).await);
            lanes.push((user, format!("{path}/confirm"), spec));
        }
        let kept = Kept::new(&site.store).await;
        let mut running = JoinSet::new();
        for (user, path, spec) in lanes {
            let (kept, store, here, there) = (kept.clone(), site.store.clone(), here.address.clone(), there.address.clone());
            running.spawn(async move {
                for _ in 0..1000 / LANES {
                    kept.restore(&user).await;
                    let body = format!("code={}", spec.code_at(crate::cli::now()).unwrap().text());
                    let (a, b) = tokio::join!(
                        post_form(&here, path.clone(), body.clone()),
                        post_form(&there, path.clone(), body)
                    );
                    let won = [&a, &b].iter().filter(|answer| answer.starts_with("HTTP/1.1 200 ")).count();
                    let over = [&a, &b].iter().filter(|answer| answer.starts_with("HTTP/1.1 410 ")).count();
                    assert_eq!((won, over), (1, 1), "{a}\n{b}");
                    assert_eq!(store.tokens(&user).await.unwrap().len(), 1);
                }
            });
        }
        running.join_all().await;
    }

    async fn a_server_with_tls_of_its_own_says_so(database: &Database) {
        let (store, clock) = (database.open().await, Clock::new(|| NOW * 1000));
        let state = App::new(store, database.keys.clone(), clock, database.random.clone(), Arc::default()).unwrap();
        let site = Site { router: app(state.over_tls(true)), clock: Arc::default() };
        let (_, _, body) = site.get("/api/v1/server").await;
        assert!(body.contains("\"url\":\"https://pam.example.org\""), "{body}");
    }

    async fn a_link_is_sent_where_the_user_is(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let make = async |via: &[Via]| {
            let via = via.iter().copied().collect();
            links::make(&desk.store, (&desk.keys, &desk.random), SERVER, &ada, &via, at(NOW)).await
        };
        assert!(matches!(make(&[Via::Email]).await, Err(LinkError::NoEmail)));
        assert!(desk.store.messages(&desk.keys, 10).await.unwrap().is_empty());
        make(&[Via::Sms]).await.unwrap();
        let sms = desk.store.messages(&desk.keys, 10).await.unwrap().remove(0);
        assert!(sms.body.contains(&format!("{SERVER}/enroll/")), "{}", sms.body);
        assert_eq!(sms.expires_at, Some(NOW as i64 + 86_400));
        let no_phone = UserChange { phone: Some(None), ..UserChange::default() };
        desk.store.change_user(&desk.keys, &desk.random, &ada, &no_phone, at(NOW)).await.unwrap();
        assert!(matches!(make(&[Via::Link]).await, Err(LinkError::NoPhone)));
        allow_others(&desk.store, database).await;
        assert!(make(&[Via::Link]).await.is_ok());
        desk.store.set_setting(&desk.keys, "allowed_kinds", Some("hotp"), at(0)).await.unwrap();
        assert!(matches!(make(&[Via::Link]).await, Err(LinkError::Kind("allowed_kinds"))));
    }

    async fn without_self_enrollment_a_password_registers_nothing(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let mut settings = countersign_server::domain::policy::Settings::default();
        settings.policy.self_enrollment = false;
        let app = (phone.public(), "first".to_owned(), "test".to_owned());
        let password = countersign_core::secret::Password::new(PASSWORD);
        let refused = desk.start(&settings, "ada", password, app, at(NOW)).await;
        assert!(matches!(refused, Err(RegistrationError::Credentials)), "{refused:?}");
        let text = link(&desk, NOW).await;
        assert!(phone.start_by_link(&desk, &text, at(NOW)).await.is_ok());
    }

    async fn the_outbox_is_shown_to_this_machine_while_nothing_is_sent(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let via = BTreeSet::from([Via::Sms]);
        links::make(&desk.store, (&desk.keys, &desk.random), SERVER, &Name::new("ada").unwrap(), &via, at(NOW)).await.unwrap();
        let site = Site::new(database).await;
        let ask = async |peer: Option<&str>, host: &str| {
            let mut router = site.router.clone();
            if let Some(peer) = peer {
                router = router.layer(Extension(Peer(peer.parse().unwrap())));
            }
            let request = Request::get("/outbox").header(header::HOST, host).body(Body::empty()).unwrap();
            Site { router, clock: site.clock.clone() }.send(request).await
        };
        let (status, _, page) = ask(Some("127.0.0.1:5000"), "localhost:8470").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("+491701234567") && page.contains(&format!("{SERVER}/enroll/")), "{page}");
        for (peer, host) in [(None, "localhost"), (Some("192.0.2.1:5000"), "localhost"), (Some("127.0.0.1:5000"), "evil.example")] {
            let (status, _, page) = ask(peer, host).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{host}");
            assert!(!page.contains("enroll"), "{page}");
        }
        // A proxy that says nothing of whom it asks for, as nginx's is by itself.
        let old = Request::get("/outbox").version(Version::HTTP_10).header(header::HOST, "127.0.0.1:8470");
        let old = old.extension(Peer("127.0.0.1:5000".parse().unwrap())).body(Body::empty()).unwrap();
        assert_eq!(site.send(old).await.0, StatusCode::NOT_FOUND);
        // Where people come from elsewhere, the console alone shows them.
        for (address, status) in [
            (SERVER, StatusCode::FORBIDDEN),
            ("https://localhost.example.org", StatusCode::FORBIDDEN),
            ("http://[::1]:8470", StatusCode::OK),
        ] {
            desk.store.set_setting(&desk.keys, "public_url", Some(address), at(0)).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            let (answered, _, page) = ask(Some("127.0.0.1:5000"), "localhost:8470").await;
            assert_eq!(answered, status, "{address}");
            assert_eq!(page.contains("/enroll/"), status == StatusCode::OK, "{page}");
            assert_eq!(page.contains("countersign-server outbox list"), status != StatusCode::OK, "{page}");
        }
        for name in ["sms_sender", "mail_sender"] {
            let value = if name == "sms_sender" { "http" } else { "smtp" };
            desk.store.set_setting(&desk.keys, name, Some(value), at(0)).await.unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        assert_eq!(ask(Some("127.0.0.1:5000"), "localhost:8470").await.0, StatusCode::NOT_FOUND);
    }
}
