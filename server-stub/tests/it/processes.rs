//! Real processes on one database: raced, killed, flooded, left without their database, and overheard.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use countersign_core::{secret::SecretBytes, token::TokenSpec};
use countersign_server::{
    domain::{app_key::AppKey, users::Name},
    service::Random,
    store::{Store, admin::NewUser, verify},
};
use countersign_wire::v1::{
    login::LOGIN,
    registration::{ACTIVATE, CONFIRM, SECRET_INFO, transcript},
};
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use hpke::{
    Deserializable as _, Kem, OpModeR, Serializable as _, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256,
};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinSet,
    time::Instant,
};

use crate::{
    cli::now,
    kit::{
        Cluster, Database, HOTP, Kept, TOTP, at, cheap_hash, on_both,
        process::{Process, SERVER, Site},
        token,
    },
};

const PASSWORD: &str = "seven calm otters";

/// An app that talks to whichever process it is given.
struct Phone {
    key: SigningKey,
    random: Random,
}

/// A registration whose token has come.
struct Waiting {
    registration: String,
    nonce: String,
    token: String,
    spec: TokenSpec,
}

impl Waiting {
    /// Opens what a confirmation was answered with.
    fn read(started: &Value, answer: &Value, private: &<DhP256HkdfSha256 as Kem>::PrivateKey) -> Self {
        let sealed =
            |name: &str| BASE64URL_NOPAD.decode(answer["sealed_secret"][name].as_str().unwrap().as_bytes()).unwrap();
        let secret = hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeR::Base,
            private,
            &<DhP256HkdfSha256 as Kem>::EncappedKey::from_bytes(&sealed("enc")).unwrap(),
            SECRET_INFO.as_bytes(),
            &sealed("ciphertext"),
            started["registration"].as_str().unwrap().as_bytes(),
        )
        .unwrap();
        let columns = verify::Columns {
            kind: "totp".to_owned(),
            issuer: answer["issuer"].as_str().unwrap().to_owned(),
            account: answer["account"].as_str().unwrap().to_owned(),
            algorithm: answer["algorithm"].as_str().unwrap().to_owned(),
            digits: answer["digits"].as_i64().unwrap(),
            period: answer["period"].as_i64().unwrap(),
        };
        Self {
            registration: started["registration"].as_str().unwrap().to_owned(),
            nonce: started["nonce"].as_str().unwrap().to_owned(),
            token: answer["token"].as_str().unwrap().to_owned(),
            spec: verify::token(&columns, -1, &SecretBytes::new(secret)).unwrap(),
        }
    }
}

impl Phone {
    fn new(seed: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[seed; 32].into()).unwrap(), random: Random::system() }
    }

    fn public(&self) -> String {
        BASE64URL_NOPAD.encode(self.key.verifying_key().to_sec1_point(false).as_bytes())
    }

    fn sign(&self, purpose: &str, fields: &[&str]) -> String {
        let signature: Signature = self.key.sign(transcript(purpose, fields).as_bytes());
        BASE64URL_NOPAD.encode(signature.to_der().as_bytes())
    }

    async fn start(&self, at: &Process, user: &str) -> Value {
        let app = json!({ "name": "Phone", "platform": "test", "public_key": self.public() });
        let body = json!({ "username": user, "password": PASSWORD, "app": app });
        let (status, body) = at.post("/api/v1/registrations", &body).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// What is sent with an SMS code, and the key that opens the answer.
    fn confirmation(&self, started: &Value, code: &str) -> (String, Value, <DhP256HkdfSha256 as Kem>::PrivateKey) {
        let (private, public) = self.random.with(|mut rng| DhP256HkdfSha256::gen_keypair_with_rng(&mut rng));
        let seal_key = BASE64URL_NOPAD.encode(&public.to_bytes());
        let (id, nonce) = (started["registration"].as_str().unwrap(), started["nonce"].as_str().unwrap());
        let signature = self.sign(CONFIRM, &[SERVER, id, nonce, code, &seal_key]);
        let body = json!({ "code": code, "seal_key": seal_key, "signature": signature });
        (format!("/api/v1/registrations/{id}/confirm"), body, private)
    }

    async fn confirm(&self, at: &Process, started: &Value, code: &str) -> Waiting {
        let (path, body, private) = self.confirmation(started, code);
        let (status, answer) = at.post(&path, &body).await;
        assert_eq!(status, 200, "{answer}");
        Waiting::read(started, &answer, &private)
    }

    fn activation(&self, waiting: &Waiting) -> (String, Value) {
        let Waiting { registration, nonce, token, spec } = waiting;
        let code = spec.code_at(now()).unwrap();
        let signature = self.sign(ACTIVATE, &[SERVER, registration, nonce, token, code.text()]);
        let body = json!({ "code": code.text(), "signature": signature });
        (format!("/api/v1/registrations/{registration}/activate"), body)
    }
}

/// The code in the newest SMS.
async fn sms_code(site: &Site, database: &Database) -> String {
    let messages = site.store.messages(&database.keys, 100).await.unwrap();
    let newest = messages.iter().find(|message| message.body.contains("is your code")).unwrap();
    newest.body.split(' ').next().unwrap().to_owned()
}

/// A user with a password, a number, and a token that was moved in.
async fn add_user(site: &Site, database: &Database, name: &str, hash: &str) {
    let new = NewUser {
        id: database.random.id(at(0)),
        name: Name::new(name).unwrap(),
        phone: Some("+491701234567".to_owned()),
        email: None,
        group: None,
        password_hash: Some(hash.to_owned()),
    };
    site.store.add_user(&database.keys, &new, at(0)).await.unwrap();
}

/// Binds a token to an app that had it before, as an earlier registration left it.
async fn bind(database: &Database, site: &Site, user: &str) -> TokenSpec {
    let spec = token(TOTP);
    let id = database.add_token(&site.store, &Name::new(user).unwrap(), &spec).await;
    let key = AppKey::read(&Phone::new(9).public()).unwrap();
    let mut transaction = site.store.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO bindings (credential_id, user_id, app_id, app_key, app_name, platform, bound_at) \
         SELECT $1, id, $2, $3, 'Earlier', 'test', 0 FROM users WHERE folded = $4",
    )
    .bind(id)
    .bind(key.id())
    .bind(key.bytes().to_vec())
    .bind(user)
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    spec
}

/// What the log of a process says of the statements of one request, and of the rows that each wrote and read.
fn statements(log: &str) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for line in log.lines() {
        let of = |name: &str, end: char| line.split(name).nth(1).and_then(|rest| rest.split(end).next());
        let Some(summary) = of("summary=\"", '"') else { continue };
        // Others go by the clock: the outbox, the snapshot of settings and keys.
        if ["u.id, g.policy", "WITH ", "audit", "users"].iter().any(|part| summary.contains(part)) {
            let rows = (of("rows_affected=", ' ').unwrap(), of("rows_returned=", ' ').unwrap());
            *counted.entry(format!("{summary} {rows:?}")).or_default() += 1;
        }
    }
    counted
}

/// A user of two apps whose registrations are under way: of the first the SMS code is there, of the second the token.
struct Lane {
    user: Name,
    started: Value,
    code: String,
    other: Waiting,
}

impl Lane {
    async fn new(site: &Site, database: &Database, process: &Process, number: usize) -> Self {
        let user = format!("user{number}");
        add_user(site, database, &user, &cheap_hash(PASSWORD)).await;
        let started = Phone::new(2).start(process, &user).await;
        let code = sms_code(site, database).await;
        let other = Phone::new(2).confirm(process, &started, &code).await;
        // A minute later, as far as the budget for messages knows.
        let mut transaction = site.store.begin().await.unwrap();
        sqlx::query("UPDATE sms_sends SET at = at - 60").execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let started = Phone::new(1).start(process, &user).await;
        Self { user: Name::new(&user).unwrap(), started, code: sms_code(site, database).await, other }
    }

    /// The SMS code is sent to both processes at once, and then the first codes of both apps are.
    async fn race(&self, store: &Store, [here, there]: [&Process; 2], verify: bool) {
        let (first, second) = (Phone::new(1), Phone::new(2));
        // Each with a key of its own to seal to: of one that was seen on the way nobody has the other.
        let sent = (first.confirmation(&self.started, &self.code), first.confirmation(&self.started, &self.code));
        let (a, b) = tokio::join!(here.post(&sent.0.0, &sent.0.1), there.post(&sent.1.0, &sent.1.1));
        let (won, key, lost) = if a.0 == 200 { (a, sent.0.2, b) } else { (b, sent.1.2, a) };
        assert_eq!((won.0, lost.0, &lost.1["code"]), (200, 403, &json!("sms_wrong")), "{won:?} {lost:?}");
        let (one, other) = (Waiting::read(&self.started, &won.1, &key), &self.other);

        let sent = (first.activation(&one), second.activation(other));
        let (a, b) = tokio::join!(here.post(&sent.0.0, &sent.0.1), there.post(&sent.1.0, &sent.1.1));
        let (won, token, lost, of_lost) = if a.0 == 200 { (a, &one, b, other) } else { (b, other, a, &one) };
        assert_eq!((won.0, lost.0, &lost.1["code"]), (200, 409, &json!("token_bound_elsewhere")), "{won:?} {lost:?}");
        let tokens = store.tokens(&self.user).await.unwrap();
        assert_eq!(tokens.iter().map(|token| &token.id).collect::<Vec<_>>(), [&token.token]);
        if verify {
            let user = self.user.folded();
            assert!(!there.verify(user, of_lost.spec.code_at(now() + 30).unwrap().text()).await);
            assert!(here.verify(user, token.spec.code_at(now() + 30).unwrap().text()).await);
        }
    }
}

on_both! {
    /// Of processes that are the first ones at the same time one makes the keys, and all use them.
    async fn processes_that_start_at_once_have_the_same_keys(database: &Database) {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("new");
        let commands: Vec<_> = (0..8).map(|nth| {
            std::process::Command::new(env!("CARGO_BIN_EXE_countersign-server"))
                .arg("--data").arg(&data)
                .args(["--database", &database.address, "user", "add", &format!("user{nth}")])
                .stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped())
                .spawn().unwrap()
        }).collect();
        for command in commands {
            let output = command.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        let files: Vec<_> = std::fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["keys"]);
        let keys = countersign_server::seal::Keys::read(&data.join("keys")).unwrap().unwrap();
        assert_eq!(database.open().await.audit_verify(&keys).await.unwrap(), Ok(8));
    }

    async fn of_two_processes_one_accepts_a_code(database: &Database) {
        const LANES: usize = 20;
        let site = Site::new(database).await;
        for lane in 0..LANES {
            let name = database.add_user(&site.store, &format!("user{lane}")).await;
            database.add_token(&site.store, &name, &token(HOTP)).await;
        }
        let (one, other) = (site.serve("warn"), site.serve("warn"));
        let mut lanes = JoinSet::new();
        for lane in 0..LANES {
            let (mut one, mut other) = (one.line().await, other.line().await);
            lanes.spawn(async move {
                for counter in 0..1000 / LANES {
                    let spec = token(&HOTP.replace("counter=0", &format!("counter={counter}")));
                    let body = json!({ "user": format!("user{lane}"), "code": spec.code_at(0).unwrap().text() });
                    let (a, b) = tokio::join!(one.post("/api/v1/verify", &body), other.post("/api/v1/verify", &body));
                    let (a, b) = (a.unwrap().2, b.unwrap().2);
                    assert!(a["accepted"].as_bool().unwrap() != b["accepted"].as_bool().unwrap(), "{counter}: {a} {b}");
                }
            });
        }
        lanes.join_all().await;

        // And of a hundred wrong ones under many spellings exactly ten are looked at.
        site.store.set_setting(&database.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let zoe = database.add_user(&site.store, "Zoë").await;
        database.add_token(&site.store, &zoe, &token(TOTP)).await;
        let before = database.outcomes(&site.store).await;
        let mut guesses = JoinSet::new();
        for guess in 0..100 {
            let mut line = if guess % 2 == 0 { one.line().await } else { other.line().await };
            let user = ["zoë", "ZOË", " zoe\u{308}", "Ｚoë"][guess % 4];
            let body = json!({ "user": user, "code": "nonsense" });
            guesses.spawn(async move { line.post("/api/v1/verify", &body).await.unwrap().2 });
        }
        assert!(guesses.join_all().await.iter().all(|answer| answer == &json!({ "accepted": false })));
        let after = database.outcomes(&site.store).await;
        let grown = |what: &str| after.get(what).unwrap_or(&0) - before.get(what).unwrap_or(&0);
        assert_eq!((grown("wrong"), grown("budget_spent")), (10, 90));
        assert!(site.store.audit_verify(&database.keys).await.unwrap().is_ok());
    }

    /// The second half of a registration, a thousand times: the SMS code, and the first codes of two apps.
    async fn of_two_apps_at_two_processes_one_has_the_token(database: &Database) {
        const LANES: usize = 8;
        let site = Site::new(database).await;
        let (here, there) = (Arc::new(site.serve("warn")), Arc::new(site.serve("warn")));
        let mut lanes = Vec::new();
        for number in 0..LANES {
            lanes.push(Lane::new(&site, database, &here, number).await);
        }
        let kept = Kept::new(&site.store).await;
        let mut running = JoinSet::new();
        for lane in lanes {
            let (kept, store, here, there) = (kept.clone(), site.store.clone(), here.clone(), there.clone());
            running.spawn(async move {
                for nth in 0..1000 / LANES {
                    kept.restore(&lane.user).await;
                    lane.race(&store, [&here, &there], nth % 8 == 0).await;
                }
            });
        }
        running.join_all().await;
        assert!(site.store.audit_verify(&database.keys).await.unwrap().is_ok());
    }

    /// Killed after a step, or at any moment of one.
    async fn a_killed_registration_leaves_one_token(database: &Database) {
        let site = Site::new(database).await;
        let hash = cheap_hash(PASSWORD);
        let mut process = Some(site.serve("warn"));
        // After the first step; in the second and after it; in the third, from at once to when it is long done, and all the
        // way between.
        let mut kills: Vec<(u32, Duration)> =
            [(1, 0), (2, 0), (2, 3), (2, 999), (3, 999)].map(|(step, millis)| (step, Duration::from_millis(millis))).into();
        let (mut trial, mut survivors) = (0, [0, 0]);
        while trial < kills.len() {
            let kill = kills[trial];
            trial += 1;
            let user = format!("user{trial}");
            add_user(&site, database, &user, &hash).await;
            let earlier = bind(database, &site, &user).await;
            let (phone, serving) = (Phone::new(1), process.take().unwrap());
            let started = phone.start(&serving, &user).await;
            let code = sms_code(&site, database).await;
            let (mut newer, mut answered) = (None, false);
            let mut line = serving.line().await;
            let (step, after) = kill;
            if step == 2 {
                let (path, body, _) = phone.confirmation(&started, &code);
                let _ = tokio::time::timeout(after, line.post(&path, &body)).await;
            } else if step == 3 {
                let waiting = phone.confirm(&serving, &started, &code).await;
                let (path, body) = phone.activation(&waiting);
                let from = Instant::now();
                let answer = tokio::time::timeout(after, line.post(&path, &body)).await;
                if kills.len() == trial && trial == 5 {
                    // As long as it takes: the others are somewhere on the way, or a little later.
                    let whole = from.elapsed();
                    kills.extend((0..20).map(|nth| (3, whole * nth / 16)));
                }
                answered = matches!(answer, Ok(Some((200, ..))));
                newer = Some(waiting);
            }
            serving.kill();

            let serving = site.serve("warn");
            let earlier_works = serving.verify(&user, earlier.code_at(now()).unwrap().text()).await;
            let newer_works = match &newer {
                Some(newer) => serving.verify(&user, newer.spec.code_at(now() + 30).unwrap().text()).await,
                None => false,
            };
            assert!(earlier_works != newer_works, "{kill:?}: {earlier_works} {newer_works}");
            survivors[usize::from(newer_works)] += 1;
            // What the app was told holds; what it was not even asked did not happen.
            assert!(newer_works || !answered, "{kill:?}");
            assert!(earlier_works || step == 3, "{kill:?}");
            assert_eq!(site.store.tokens(&Name::new(&user).unwrap()).await.unwrap().len(), 1);
            process = Some(serving);
        }
        println!("killed {trial} times: {survivors:?} with the earlier token and with the new one");
        assert!(survivors.iter().all(|survivors| *survivors > 0), "{survivors:?}");
        assert!(site.store.audit_verify(&database.keys).await.unwrap().is_ok());
    }

    /// Refusals differ in nothing that could be seen from outside: status, body, and the statements that are worked
    /// through. The arithmetic is the same code for all.
    async fn every_refusal_costs_the_same(database: &Database) {
        let site = Site::new(database).await;
        let spec = token(TOTP);
        for name in ["wrong", "used", "locked"] {
            let name = database.add_user(&site.store, name).await;
            database.add_token(&site.store, &name, &spec).await;
        }
        database.add_user(&site.store, "tokenless").await;
        site.store.set_setting(&database.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let process = site.serve("warn,sqlx=debug");
        let code = spec.code_at(now()).unwrap();
        assert!(process.verify("used", code.text()).await);
        for _ in 0..10 {
            assert!(!process.verify("locked", "000000").await);
        }
        let mut seen = Vec::new();
        for (user, code) in [
            ("wrong", "nonsense"),
            ("nobody", "nonsense"),
            ("used", code.text()),
            ("locked", code.text()),
            ("locked", "nonsense"),
            ("tokenless", "nonsense"),
            ("no\nname", "nonsense"),
            ("", ""),
        ] {
            let before = std::fs::read_to_string(site.log()).unwrap().len();
            let body = json!({ "user": user, "code": code });
            let (status, head, body) = process.line().await.post("/api/v1/verify", &body).await.unwrap();
            let varying = ["x-request-id", "date"];
            let head: Vec<&str> = head.lines().filter(|line| !varying.iter().any(|name| line.starts_with(name))).collect();
            let log = std::fs::read_to_string(site.log()).unwrap().split_off(before);
            seen.push((user, (status, head.join("\n"), body, statements(&log))));
        }
        let (_, first) = &seen[0];
        assert!(first.3.values().sum::<usize>() >= 5, "{first:?}");
        for (user, other) in &seen {
            assert_eq!(other, first, "{user:?}");
        }
    }

    /// However many keys come that are none: the database is asked for keys twenty times a second, and no more.
    async fn a_flood_of_wrong_keys_costs_little(database: &Database) {
        let site = Site::new(database).await;
        let process = site.serve("warn,sqlx=debug");
        let from = Instant::now();
        let mut flood = JoinSet::new();
        for lane in 0..50 {
            let address = process.address.clone();
            flood.spawn(async move {
                for nth in 0..10 {
                    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
                    let request = format!("POST /api/v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\
                        Content-Type: application/json\r\nAuthorization: Bearer csk_{lane}_{nth}\r\n\r\n");
                    stream.write_all(request.as_bytes()).await.unwrap();
                    let mut answer = String::new();
                    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
                    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
                }
            });
        }
        // Who has a key is not held up.
        let (status, ..) = process.line().await.post("/api/v1/verify", &json!({ "user": "ada", "code": "1" })).await.unwrap();
        assert_eq!(status, 200);
        flood.join_all().await;
        let looks = std::fs::read_to_string(site.log()).unwrap().matches("summary=\"SELECT hash, name, scopes").count();
        let most = from.elapsed().as_millis() / 50 + 3;
        assert!(looks > 1 && looks as u128 <= most, "{looks} looks, {most} at most");
    }

    async fn nothing_secret_and_nothing_forged_is_in_the_log(database: &Database) {
        let site = Site::new(database).await;
        add_user(&site, database, "ada", &cheap_hash(PASSWORD)).await;
        let process = site.serve("trace");
        let phone = Phone::new(1);
        let started = phone.start(&process, "ada").await;
        let sms = sms_code(&site, database).await;
        let waiting = phone.confirm(&process, &started, &sms).await;
        let (path, body) = phone.activation(&waiting);
        assert_eq!(process.post(&path, &body).await.0, 200);
        let (_, challenge) = process.post("/api/v1/login", &json!({ "username": "ada", "password": PASSWORD })).await;
        let (id, nonce) = (challenge["challenge"].as_str().unwrap(), challenge["nonce"].as_str().unwrap());
        let second = waiting.spec.code_at(now() + 30).unwrap();
        let signature = phone.sign(LOGIN, &[SERVER, id, nonce, &waiting.token, second.text()]);
        let body = json!({ "token": waiting.token, "code": second.text(), "public_key": phone.public(), "signature": signature });
        let (status, session) = process.post(&format!("/api/v1/login/{id}/totp"), &body).await;
        assert_eq!(status, 200, "{session}");

        // Codes and passwords that are wrong, and bodies that cannot be read, are as secret: often they are nearly right.
        let (guess, wrong, cut) = ("271828", "seven wrong otters", "seven cut otters");
        let other = Phone::new(2);
        assert_eq!(process.post("/api/v1/login", &json!({ "username": "ada", "password": wrong })).await.0, 403);
        assert!(!process.verify("ada", guess).await);
        let body = json!({ "username": "ada", "password": PASSWORD, "code": guess });
        assert_eq!(process.post("/api/v1/confirmations", &body).await.0, 403);
        let half = format!("{{\"username\":\"ada\",\"password\":\"{cut}\",");
        assert_eq!(process.line().await.ask("POST", "/api/v1/login", &half).await.unwrap().0, 400);
        let number = format!("{{\"user\":\"ada\",\"code\":{guess}}}");
        assert_eq!(process.line().await.ask("POST", "/api/v1/verify", &number).await.unwrap().0, 400);

        // What an administrator sets, makes and is shown; and a link, at its page and from an app.
        let admin = async |method: &str, path: &str, body: Value| {
            let path = format!("/api/v1/admin/{path}");
            let (status, _, answer) = process.line().await.ask(method, &path, &body.to_string()).await.unwrap();
            assert!((200..300).contains(&status), "{path}: {status} {answer}");
            answer
        };
        let (given, account) = ("seven given otters", "the token of the account");
        admin("POST", "users", json!({ "name": "eve", "phone": "+491701234568", "password": given })).await;
        admin("POST", "users/eve/tokens", json!({ "uri": TOTP })).await;
        admin("PUT", "settings/twilio_token", json!({ "value": account })).await;
        admin("PUT", "settings/other_apps", json!({ "value": "true" })).await;
        let made = admin("POST", "api-keys", json!({ "name": "VPN", "scopes": ["verify"] })).await;
        let sent = admin("POST", "users/eve/link", json!({ "via": ["link", "sms"] })).await;
        let link = sent["link"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
        for path in [format!("/enroll/{link}"), format!("/Enroll/{link}"), format!("//enroll/{link}/x")] {
            process.get(&path).await;
        }
        let body = json!({ "link": link, "username": "", "password": "", "app": { "name": "P", "platform": "t", "public_key": other.public() } });
        assert_eq!(process.post("/api/v1/registrations", &body).await.0, 200);
        let linked_sms = sms_code(&site, database).await;

        let forged = "2026-01-01T00:00:00.000000Z  INFO countersign_server: all is well";
        for name in [format!("ada\n{forged}"), "\u{1b}[31mred".to_owned(), "'; DROP TABLE users; --".to_owned(), "{{7*7}}".to_owned()] {
            assert!(!process.verify(&name, "' OR '1'='1").await);
            let (status, body) = process.post("/api/v1/login", &json!({ "username": name, "password": "x" })).await;
            assert_eq!((status, &body["code"]), (403, &json!("credentials_wrong")));
        }
        for path in ["/%0d%0aset-cookie:%20a=b", "/%1b[31mred", "/?next=https://evil.example", "//evil.example/%2e%2e"] {
            let (status, head, _) = process.line().await.post(path, &json!({})).await.unwrap();
            assert!((400..500).contains(&status), "{path}");
            assert!(!head.contains("set-cookie") && !head.contains("location"), "{head}");
        }
        assert_eq!(site.store.tokens(&Name::new("ada").unwrap()).await.unwrap().len(), 1);

        let log = std::fs::read_to_string(site.log()).unwrap();
        assert!(log.contains("DEBUG") && log.contains("/activate"));
        assert!(!log.contains('\u{1b}') && !log.lines().any(|line| line.starts_with("2026-01-01")), "forged");
        let mut hidden: Vec<String> = [PASSWORD, wrong, cut, given, account, &link, crate::kit::process::KEY, "is your code"]
            .map(str::to_owned)
            .to_vec();
        hidden.extend([&session["session"], &made["key"]].map(|shown| shown.as_str().unwrap().to_owned()));
        for spec in [&waiting.spec, &token(TOTP)] {
            let secret = spec.secret.bytes().expose();
            hidden.extend([BASE32_NOPAD.encode(secret), BASE64.encode(secret), BASE64URL_NOPAD.encode(secret)]);
            hidden.extend([HEXLOWER.encode(secret), format!("{secret:?}")]);
        }
        // Six digits turn up in a log by themselves, in the fraction of a second; these stand alone.
        let first = waiting.spec.code_at(now()).unwrap();
        for code in [sms.as_str(), &linked_sms, first.text(), second.text(), guess] {
            let alone = log.match_indices(code).any(|(at, _)| {
                let (before, after) = (log[..at].chars().next_back(), log[at + code.len()..].chars().next());
                before.is_none_or(|c| c != '.' && !c.is_ascii_alphanumeric())
                    && after.is_none_or(|c| !c.is_ascii_alphanumeric())
            });
            assert!(!alone, "{code} is in the log");
        }
        for hidden in hidden {
            assert!(!log.contains(&hidden), "{hidden} is in the log");
        }
    }
}

/// What is told to come back, and when.
fn told_to_come_back((status, head, body): &(u16, String, Value)) -> bool {
    let after = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
    *status == 503
        && body["code"] == "unavailable"
        && after.is_some_and(|after| after.parse::<u64>().is_ok_and(|after| after > 0))
}

/// For ten seconds, asks by several connections at once: each time all are told to come back, and the process itself is well.
async fn away_for_ten_seconds(process: &Process, code: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        let mut asked = JoinSet::new();
        for (path, body) in [
            ("/api/v1/verify", json!({ "user": "ada", "code": code })),
            ("/api/v1/verify", json!({ "user": "nobody", "code": code })),
            ("/api/v1/login", json!({ "username": "ada", "password": PASSWORD })),
        ] {
            let mut line = process.line().await;
            // Whatever the database does, there is an answer.
            let answer = async move { line.post(path, &body).await.unwrap() };
            asked.spawn(async move { (path, tokio::time::timeout(Duration::from_secs(20), answer).await.unwrap()) });
        }
        for (path, answer) in asked.join_all().await {
            assert!(told_to_come_back(&answer), "{path}: {answer:?}");
        }
        assert_eq!(process.get("/healthz").await, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Asks until the database is there again.
async fn back(process: &Process, ask: &Value) -> Value {
    for _ in 0..50 {
        let answer = process.line().await.post("/api/v1/verify", ask).await.unwrap();
        if answer.0 == 200 {
            return answer.2;
        }
        assert!(told_to_come_back(&answer), "{answer:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("it did not come back");
}

/// For as long as the database is away each is told to come back, and then all is as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_and_comes_back() {
    let Some(cluster) = Cluster::start() else {
        println!("skipped: PostgreSQL is not installed (Debian: postgresql)");
        return;
    };
    let database = Database::postgres(&cluster, "away").await;
    let site = Site::new(&database).await;
    let name = database.add_user(&site.store, "ada").await;
    database.add_token(&site.store, &name, &token(TOTP)).await;
    let process = site.serve("warn");
    let code = token(TOTP).code_at(now()).unwrap();
    assert!(process.verify("ada", code.text()).await);
    cluster.crash();
    away_for_ten_seconds(&process, code.text()).await;
    assert_eq!(process.get("/readyz").await, 503);
    cluster.resume();
    // What was accepted before stays used.
    let answer = back(&process, &json!({ "user": "ada", "code": code.text() })).await;
    assert_eq!(answer, json!({ "accepted": false }));
    // What was told to come back was not looked at: one failure is the one since.
    assert_eq!(site.store.user(&name).await.unwrap().failures, 1);
    assert!(process.verify("ada", token(TOTP).code_at(now() + 30).unwrap().text()).await);
    assert_eq!(process.get("/readyz").await, 200);
    assert!(site.store.audit_verify(&database.keys).await.unwrap().is_ok());
}

/// The same where it is there, takes what is sent and answers nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stands_still() {
    let Some(cluster) = Cluster::start() else {
        println!("skipped: PostgreSQL is not installed (Debian: postgresql)");
        return;
    };
    let database = Database::postgres(&cluster, "still").await;
    let site = Site::new(&database).await;
    add_user(&site, &database, "ada", &cheap_hash(PASSWORD)).await;
    let name = Name::new("ada").unwrap();
    database.add_token(&site.store, &name, &token(TOTP)).await;
    let process = site.serve("warn");
    let code = token(TOTP).code_at(now()).unwrap();
    assert!(process.verify("ada", code.text()).await);
    cluster.pause();
    away_for_ten_seconds(&process, code.text()).await;
    assert_eq!(process.get("/readyz").await, 503);
    cluster.go_on();
    let answer = back(&process, &json!({ "user": "ada", "code": code.text() })).await;
    assert_eq!(answer, json!({ "accepted": false }));
    // What was told to come back counts as not made, whatever of it the database had heard.
    let user = site.store.user(&name).await.unwrap();
    assert_eq!(user.failures, 1);
    assert!(process.verify("ada", token(TOTP).code_at(now() + 30).unwrap().text()).await);
    let (status, body) = process.post("/api/v1/login", &json!({ "username": "ada", "password": PASSWORD })).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(process.get("/readyz").await, 200);
    assert!(site.store.audit_verify(&database.keys).await.unwrap().is_ok());
}

/// The same where another program holds the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_program_holds() {
    let database = Database::sqlite();
    let site = Site::new(&database).await;
    let name = database.add_user(&site.store, "ada").await;
    database.add_token(&site.store, &name, &token(TOTP)).await;
    let process = site.serve("warn");
    let held = site.store.begin().await.unwrap();
    let code = token(TOTP).code_at(now()).unwrap();
    away_for_ten_seconds(&process, code.text()).await;
    // Who only reads waits for nobody.
    assert_eq!(process.get("/readyz").await, 200);
    held.rollback().await.unwrap();
    // What was told to come back was not looked at.
    assert_eq!(site.store.user(&name).await.unwrap().failures, 0);
    let ask = json!({ "user": "ada", "code": token(TOTP).code_at(now()).unwrap().text() });
    assert_eq!(back(&process, &ask).await["accepted"], json!(true));
}

/// A server for which the disk is full says so wherever it must write, and goes on as soon as there is room.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_that_has_room_again() {
    let database = Database::sqlite();
    let site = Site::new(&database).await;
    add_user(&site, &database, "ada", &cheap_hash(PASSWORD)).await;
    database.add_token(&site.store, &Name::new("ada").unwrap(), &token(TOTP)).await;
    let process = site.serve_on_a_small_disk("warn");
    let code = || json!({ "user": "ada", "code": token(TOTP).code_at(now()).unwrap().text() });
    let login = json!({ "username": "ada", "password": PASSWORD });
    assert_eq!(process.get("/readyz").await, 200);

    process.limit_files(Some(4096));
    for (path, body) in [("/api/v1/verify", code()), ("/api/v1/login", login.clone()), ("/api/v1/verify", code())] {
        let answer = process.line().await.post(path, &body).await.unwrap();
        assert!(told_to_come_back(&answer), "{path}: {answer:?}");
    }
    // What was found out before is believed for a moment.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!((process.get("/readyz").await, process.get("/healthz").await), (503, 200));
    let log = std::fs::read_to_string(site.log()).unwrap();
    let first = log.lines().next().unwrap();
    assert!(first.contains("disk I/O error") || first.contains("disk is full"), "{log}");

    process.limit_files(None);
    assert_eq!(process.get("/readyz").await, 200);
    let (status, _, body) = process.line().await.post("/api/v1/login", &login).await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert!(process.verify("ada", code()["code"].as_str().unwrap()).await);
    assert!(site.store.audit_verify(&database.keys).await.unwrap().is_ok());
}

/// What became a copy that only reads is not ready, and says so to whoever wants to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_only_reads() {
    let Some(cluster) = Cluster::start() else {
        println!("skipped: PostgreSQL is not installed (Debian: postgresql)");
        return;
    };
    let database = Database::postgres(&cluster, "only_reads").await;
    let site = Site::new(&database).await;
    let process = site.serve("warn");
    assert_eq!(process.get("/readyz").await, 200);
    let only_reads = |yes: &str| {
        cluster.sql("postgres", &format!("ALTER DATABASE only_reads SET default_transaction_read_only = {yes}"));
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'only_reads'";
        cluster.sql("postgres", end);
    };
    only_reads("on");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    // The first may meet a connection that was ended.
    process.get("/readyz").await;
    assert_eq!(process.get("/readyz").await, 503);
    let ask = json!({ "user": "ada", "code": "nonsense" });
    let answer = process.line().await.post("/api/v1/verify", &ask).await.unwrap();
    assert!(told_to_come_back(&answer), "{answer:?}");
    only_reads("off");
    assert_eq!(back(&process, &ask).await, json!({ "accepted": false }));
    assert_eq!(process.get("/readyz").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_connections_and_a_slow_one_hold_up_nobody() {
    let database = Database::sqlite();
    let site = Site::new(&database).await;
    let name = database.add_user(&site.store, "ada").await;
    database.add_token(&site.store, &name, &token(TOTP)).await;
    let process = site.serve("warn");
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(process.line().await);
    }
    // A head that never ends: a letter a second, for as long as anybody takes them.
    let mut dripping = process.line().await;
    let dripping = tokio::spawn(async move {
        dripping.0.write_all(b"GET /healthz HTTP/1.1\r\nX-Slow: ").await.unwrap();
        let mut answer = [0; 64];
        loop {
            let second = tokio::time::timeout(Duration::from_secs(1), dripping.0.read(&mut answer)).await;
            if matches!(second, Ok(Ok(0) | Err(_))) || dripping.0.write_all(b"a").await.is_err() {
                return;
            }
        }
    });
    let mut slow = process.line().await;
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        crate::kit::process::KEY
    );
    slow.0.write_all(head.as_bytes()).await.unwrap();
    assert!(process.verify("ada", token(TOTP).code_at(now()).unwrap().text()).await);
    // Those who were idle can still ask.
    for line in idle.iter_mut().step_by(100) {
        let (status, ..) = line.post("/api/v1/verify", &json!({ "user": "ada", "code": "1" })).await.unwrap();
        assert_eq!(status, 200);
    }
    let (status, _, body) = slow.answer().await.unwrap();
    assert_eq!((status, &body["code"]), (408, &json!("request_timeout")));
    tokio::time::timeout(Duration::from_secs(60), dripping).await.expect("the connection is still open").unwrap();
    assert_eq!(process.get("/healthz").await, 200);
}
