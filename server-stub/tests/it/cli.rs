//! The program as a script uses it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::kit::{TOTP, token};

pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_countersign-server");
    Command::new(program).arg("--data").arg(data).arg("--json").args(arguments).output().unwrap()
}

pub(crate) fn done(data: &Path, arguments: &[&str]) -> Value {
    let output = run(data, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One that JSON does not take as it is.
const PASSWORD: &str = "seven \"calm\" \\otters\t&\u{1b}/";

/// A server that ends with the test.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    pub(crate) shown: BufReader<ChildStdout>,
}

impl Serving {
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with variables of its environment.
    pub(crate) fn start_with(data: &Path, variables: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign-server"))
            .envs(variables.iter().copied())
            .arg("--data")
            .arg(data)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "trace"])
            .stdout(Stdio::piped())
            .stderr(std::fs::File::options().create(true).append(true).open(data.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut shown = BufReader::new(child.stdout.take().unwrap());
        shown.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().split(',').next().unwrap().to_owned();
        Self { child, address, shown }
    }

    pub(crate) fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn verify(&self, key: &str, user: &str, code: &str) -> bool {
        let body = json!({ "user": user, "code": code }).to_string();
        let answer = self.ask(&format!(
            "POST /api/v1/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        body["accepted"].as_bool().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "the server under test has the system's clock")]
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn present_code() -> String {
    token(TOTP).code_at(now()).unwrap().text().to_owned()
}

#[test]
fn a_token_moves_in_and_its_code_is_accepted_once_even_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let password = data.join("password");
    std::fs::write(&password, "seven calm otters\n").unwrap();
    let added = done(
        data,
        &["user", "add", "Ada", "--phone", "+49 170 1234567", "--password-file", password.to_str().unwrap()],
    );
    assert_eq!((&added["phone"], &added["has_password"]), (&json!("+491701234567"), &json!(true)));
    done(data, &["token", "add", "ada", "--uri", TOTP]);
    let key = done(data, &["api-key", "add", "VPN"])["key"].as_str().unwrap().to_owned();

    let serving = Serving::start(data);
    assert!(serving.ask("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("ready\n"));
    let code = present_code();
    assert!(serving.verify(&key, "ADA", &code));
    assert!(!serving.verify(&key, "ada", &code));
    // Killed, not ended.
    drop(serving);
    let serving = Serving::start(data);
    assert!(!serving.verify(&key, "ada", &code));

    // A new key, while it runs: the next code is right, and what is written afterwards is under that key.
    assert_eq!(done(data, &["key", "rotate"])["key"], json!(2));
    let next = token(TOTP).code_at(now() + 30).unwrap().text().to_owned();
    assert!(serving.verify(&key, "ada", &next));
    assert!(!serving.verify(&key, "ada", &next));

    assert_eq!(done(data, &["audit", "verify"])["whole"], json!(true));
    let events = done(data, &["audit", "list", "--user", "ada"]);
    let reasons: Vec<&Value> = events.as_array().unwrap().iter().map(|event| &event["detail"]["reason"]).collect();
    assert_eq!(reasons.iter().filter(|reason| **reason == "used").count(), 3, "{events}");

    // Nothing secret in the log at its most talkative, nor in the files in the clear.
    let log = std::fs::read_to_string(data.join("log")).unwrap();
    assert!(log.contains("answered"), "{log}");
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for hidden in [code.as_str(), key.as_str(), "seven calm otters", secret, "12345678901234567890"] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
        for file in std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()) {
            // The test's own file.
            if file == password {
                continue;
            }
            let bytes = std::fs::read(&file).unwrap();
            // A code is short enough to turn up in random bytes.
            let found = hidden.len() > 6 && bytes.windows(hidden.len()).any(|part| part == hidden.as_bytes());
            assert!(!found, "{hidden} is in {}", file.display());
        }
    }
}

/// The script of docs/api.md: another client in nothing but curl and openssl.
#[test]
fn the_documented_script_registers_a_token_and_signs_in() {
    for tool in ["curl", "openssl"] {
        if Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("skipped: {tool} is not installed");
            return;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let password = data.join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    done(data, &["user", "add", "ada", "--phone", "+491701234567", "--password-file", password.to_str().unwrap()]);
    let mut serving = Serving::start(data);

    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/app.sh"))
        .arg("register")
        .arg(data.join("app"))
        .arg(format!("http://{}", serving.address))
        .args(["ada", PASSWORD, r#"Ada's "Shell""#])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut sms = String::new();
    serving.shown.read_line(&mut sms).unwrap();
    let code = sms.split(": ").nth(1).unwrap().split(' ').next().unwrap();
    script.stdin.take().unwrap().write_all(format!("{code}\n").as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bound: Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed = done(data, &["app", "list"]);
    assert_eq!((&listed[0]["app"], &listed[0]["token"]), (&bound["app"], &bound["token"]));
    assert_eq!(listed[0]["name"], r#"Ada's "Shell""#);

    // It signs in with the next step's code, because the first is used up, and so is that one then.
    let sign_in = || {
        Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/app.sh"))
            .arg("sign-in")
            .arg(data.join("app"))
            .arg(format!("http://{}", serving.address))
            .args(["ada", PASSWORD])
            .env("STEP", "1")
            .output()
            .unwrap()
    };
    let output = sign_in();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let opened: Value = serde_json::from_slice(&output.stdout).unwrap();
    let session = opened["session"].as_str().unwrap();
    let who = |session: &str| {
        serving.ask(&format!(
            "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {session}\r\n\r\n"
        ))
    };
    assert!(who(session).contains("\"user\":\"ada\""));
    // Taken away, the token opens nothing, and its session is over.
    done(data, &["app", "revoke", "ada"]);
    assert!(!sign_in().status.success());
    assert!(who(session).contains("session_ended"));

    let log = std::fs::read_to_string(data.join("log")).unwrap();
    assert!(log.contains("/api/v1/registrations"));
    for hidden in [PASSWORD, "otters", &format!("\"{code}\""), &format!("{code} is your code"), session] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
}

/// A link in the place of the password, with the same script; and what another authenticator does in a browser.
#[test]
fn a_link_registers_an_app_and_lets_another_authenticator_in() {
    for tool in ["curl", "openssl"] {
        if Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            println!("skipped: {tool} is not installed");
            return;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(data, &["group", "add", "others", "other_apps=true"]);
    done(data, &["user", "add", "ada", "--phone", "+491701234567", "--group", "others"]);
    assert_eq!(run(data, &["token", "send", "ada", "--via", "email"]).status.code(), Some(2));
    assert_eq!(run(data, &["token", "send", "ada", "--via", "post"]).status.code(), Some(2));
    assert_eq!(run(data, &["token", "send", "eve", "--via", "link"]).status.code(), Some(3));
    let mut serving = Serving::start(data);
    let made = done(data, &["token", "send", "ada", "--via", "link"]);
    let link = made["link"].as_str().unwrap().replace("127.0.0.1:8470", &serving.address);

    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/app.sh"))
        .args(["enroll", data.join("app").to_str().unwrap(), &link, "Shell"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut sms = String::new();
    serving.shown.read_line(&mut sms).unwrap();
    let code = sms.split(": ").nth(1).unwrap().split(' ').next().unwrap();
    script.stdin.take().unwrap().write_all(format!("{code}\n").as_bytes()).unwrap();
    let output = script.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(done(data, &["app", "list"])[0]["name"], "Shell");
    let path = |link: &str| format!("/enroll/{}", link.rsplit_once('/').unwrap().1);
    let get = |path: &str| serving.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert!(get(&path(&link)).starts_with("HTTP/1.1 410 "));

    let second = done(data, &["token", "send", "ada", "--via", "sms,link"]);
    let second = second["link"].as_str().unwrap();
    let local = serving.ask("GET /outbox HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(local.starts_with("HTTP/1.1 200 ") && local.contains(second), "{local}");
    let post = |path: &str, body: &str| {
        serving.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let page = post(&format!("{}/secret", path(second)), "");
    let uri = page.split("href=\"otpauth").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let spec = token(&format!("otpauth{uri}"));
    let code = spec.code_at(now()).unwrap();
    assert!(post(&format!("{}/confirm", path(second)), &format!("code={}", code.text())).starts_with("HTTP/1.1 200 "));
    assert_eq!(done(data, &["token", "list", "ada"]).as_array().unwrap().len(), 2);

    // What opens a registration is in no log, at any level, however it is spelt.
    let third = done(data, &["token", "send", "ada", "--via", "link"])["link"].as_str().unwrap().to_owned();
    for spelt in ["//enroll/", "/ENROLL/", "/%65nroll/", "/pam/enroll/", "/enroll%2f", "/enroll/./", "/enroll/x/../"] {
        get(&format!("{spelt}{}", &path(&third)[8..]));
    }
    assert!(get(&path(&third)).starts_with("HTTP/1.1 200 "));
    let log = std::fs::read_to_string(data.join("log")).unwrap();
    assert!(log.contains("/enroll/{link}"), "{log}");
    let secret = spec.secret.base32();
    for hidden in [&path(&link)[8..], &path(second)[8..], &path(&third)[8..], secret.expose()] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
}

#[test]
fn what_goes_wrong_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(data, &["user", "add", "ada"]);
    for (arguments, code) in [
        (&["user", "show", "eve"][..], 3),
        (&["user", "add", "ADA"], 4),
        (&["user", "add", " "], 2),
        (&["user", "set", "ada", "--phone", "0170"], 2),
        (&["user", "set", "ada"], 2),
        (&["user", "set", "ada", "--group", "nobody"], 3),
        (&["settings", "set", "digits", "3"], 2),
        (&["settings", "set", "no_such", "3"], 2),
        (&["group", "add", "staff", "validate_requires_key=false"], 2),
        (&["group", "set", "nobody", "digits=8"], 3),
        (&["group", "add", "staff", "first_kind=hotp", "allowed_kinds=totp"], 2),
        (&["user", "reset", "ada"], 2),
        (&["user", "reset", "ada", "--clear", "--unconfirm"], 2),
        (&["user", "import", "/no/such/file.csv"], 1),
        (&["token", "import", "/no/such/file.csv"], 1),
        (&["api-key", "add", "x", "--scope", "users"], 2),
        (&["admin", "create", "root"], 2),
        (&["rescue", "ada"], 3),
        (&["rescue", "nobody"], 3),
        (&["token", "add", "ada", "--uri", "otpauth://totp/a"], 2),
        (&["token", "add", "ada", "--uri", "otpauth://steam/a?secret=MFXHIZLTORUW43TH"], 2),
        (&["token", "add", "ada", "--uri", "otpauth://totp/a?secret=AAAAAAAAAAAAAAAA&digits=3"], 2),
        (&["outbox", "list", "--after", "nonsense"], 2),
        (&["api-key", "revoke", "none"], 3),
        (&["nonsense"], 2),
    ] {
        let output = run(data, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(done(data, &["audit", "verify"])["entries"], json!(1));
}

#[test]
fn settings_groups_and_users_are_what_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(data, &["settings", "set", "issuer", "Corp PAM"]);
    done(data, &["group", "add", "Staff", "digits=8", "drift_steps=0"]);
    done(data, &["group", "set", "staff", "drift_steps=", "period=60"]);
    done(data, &["user", "add", "ada", "--group", "STAFF", "--email", "ada@example.org"]);
    done(data, &["user", "set", "ada", "--email", ""]);
    assert_eq!(done(data, &["settings", "get", "issuer"]), json!({ "issuer": "Corp PAM" }));
    assert_eq!(
        done(data, &["group", "list"]),
        json!([{ "name": "Staff", "users": 1, "policy": { "digits": "8", "period": "60" } }])
    );
    let shown = done(data, &["user", "show", "ada"]);
    assert_eq!((&shown["group"], &shown["email"]), (&json!("Staff"), &Value::Null));
    done(data, &["token", "add", "ada", "--uri", TOTP]);
    let again = run(data, &["token", "add", "ADA", "--uri", TOTP]);
    assert_eq!(again.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&again.stderr).contains("has this token already"));
    assert_eq!(done(data, &["token", "list", "ada"]).as_array().unwrap().len(), 1);
    // The token's, and recipient, subject and text of the message that tells of it.
    assert_eq!(done(data, &["key", "rotate"]), json!({ "key": 2, "secrets": 4 }));
    assert_eq!(done(data, &["user", "reset", "ada", "--clear"]), json!({ "tokens_deleted": 1 }));
    done(data, &["token", "add", "ada", "--uri", TOTP]);
    let id = done(data, &["token", "list", "ada"])[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(done(data, &["token", "delete", "ada", &id]), json!({ "deleted": id }));
    assert_eq!(run(data, &["token", "delete", "ada", &id]).status.code(), Some(3));
    let full = run(data, &["group", "delete", "staff"]);
    assert_eq!(full.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&full.stderr).contains("has users"));
    done(data, &["user", "set", "ada", "--group", ""]);
    done(data, &["group", "delete", "staff"]);
    assert_eq!(done(data, &["group", "list"]), json!([]));
    let newest = done(data, &["outbox", "list", "--limit", "1"]);
    let after = newest[0]["id"].as_str().unwrap();
    let all = done(data, &["outbox", "list"]).as_array().unwrap().len();
    assert_eq!(done(data, &["outbox", "list", "--after", after]).as_array().unwrap().len(), all - 1);
    done(data, &["settings", "set", "issuer"]);
    assert_eq!(done(data, &["settings", "get", "issuer"]), json!({ "issuer": "Countersign" }));
    done(data, &["user", "delete", "ada"]);
    assert_eq!(done(data, &["user", "list"]), json!([]));
}

#[test]
fn keys_that_are_gone_or_others_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(data, &["user", "add", "ada"]);
    let keys = data.join("keys");
    let own = std::fs::read(&keys).unwrap();
    std::fs::remove_file(&keys).unwrap();
    let output = run(data, &["user", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing"));
    assert!(!keys.exists());

    let other = tempfile::tempdir().unwrap();
    done(other.path(), &["user", "list"]);
    std::fs::copy(other.path().join("keys"), &keys).unwrap();
    let output = run(data, &["user", "list"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("not those"));

    std::fs::write(&keys, own).unwrap();
    assert_eq!(done(data, &["user", "list"]).as_array().unwrap().len(), 1);
}

/// What goes wrong at the start says where, what, and what to do.
#[test]
fn what_does_not_begin_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let told = |arguments: &[&str]| -> (String, String) {
        let output = run(data, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told: Value = serde_json::from_slice(&output.stderr).unwrap();
        let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{told}")).to_owned();
        assert!(!told.to_string().contains(" at line "), "{told}");
        (text("error"), text("advice"))
    };
    let file = data.join("server.db");
    std::fs::write(&file, "no database at all, but long enough for somebody to have a look at it".repeat(100)).unwrap();
    let (error, advice) = told(&["user", "list"]);
    assert_eq!(error, format!("the database {} cannot be opened: file is not a database", file.display()));
    assert!(advice.contains("put back a backup"), "{advice}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (error, advice) = told(&["user", "list"]);
    assert_eq!(error, format!("the database {} cannot be opened: unable to open database file", file.display()));
    assert!(advice.contains("may this account write"), "{advice}");
    std::fs::remove_dir(&file).unwrap();

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (error, advice) = told(&["serve", "--listen", &address]);
    assert!(error.starts_with(&format!("{address} cannot be listened at: Address")), "{error}");
    assert!(advice.contains("--listen"), "{advice}");

    drop(taken);
    let (error, advice) = told(&["--database", &format!("postgres://pam:a-secret@{address}/tokens"), "user", "list"]);
    assert!(
        error.starts_with(&format!("the database \"tokens\" at {address} cannot be opened: Connection refused")),
        "{error}"
    );
    assert!(advice.contains("--database"), "{advice}");

    let Some(cluster) = crate::kit::Cluster::start() else {
        println!("skipped: PostgreSQL is not installed (Debian: postgresql)");
        return;
    };
    let (error, advice) = told(&["--database", &cluster.address("nope"), "user", "list"]);
    assert!(error.ends_with("cannot be opened: database \"nope\" does not exist"), "{error}");
    assert!(advice.contains("createdb"), "{advice}");
    cluster.sql("postgres", "ALTER DATABASE postgres SET default_transaction_read_only = on");
    let (error, advice) = told(&["--database", &cluster.address("postgres"), "user", "list"]);
    assert!(error.ends_with("cannot execute CREATE TABLE in a read-only transaction"), "{error}");
    assert!(advice.contains("only reads"), "{advice}");
}

/// Keys of before a rotation, as a backup has them: nothing is begun with them, and no number is used again.
#[test]
fn keys_of_before_a_rotation_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(data, &["user", "add", "ada"]);
    done(data, &["token", "add", "ada", "--uri", TOTP]);
    let keys = data.join("keys");
    let stale = std::fs::read_to_string(&keys).unwrap();
    for number in 2..5 {
        assert_eq!(done(data, &["key", "rotate"])["key"], json!(number));
    }
    let own = std::fs::read_to_string(&keys).unwrap();
    std::fs::write(&keys, &stale).unwrap();
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["key", "rotate"], &["user", "list"]] {
        let output = run(data, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told: Value = serde_json::from_slice(&output.stderr).unwrap();
        let error = format!(
            "key 4, which the database was written with last, is not in {}; nothing was changed",
            keys.display()
        );
        assert_eq!(told["error"], json!(error));
        assert!(told["advice"].as_str().unwrap().starts_with("put back the keys"));
        assert_eq!(std::fs::read_to_string(&keys).unwrap(), stale);
    }
    // A key with the right number that is another one.
    let other = stale.replace("1:", "4:");
    std::fs::write(&keys, other).unwrap();
    assert!(String::from_utf8_lossy(&run(data, &["key", "rotate"]).stderr).contains("not those"));
    std::fs::write(&keys, &own).unwrap();
    assert_eq!(done(data, &["audit", "verify"])["whole"], json!(true));

    // The newest alone opens everything, but the log's earlier entries cannot be checked.
    std::fs::write(&keys, own.lines().next().unwrap()).unwrap();
    assert_eq!(done(data, &["key", "rotate"])["key"], json!(5));
    let output = run(data, &["audit", "verify"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("under key 1, which is not here"), "{output:?}");
    std::fs::write(&keys, std::fs::read_to_string(&keys).unwrap() + own.split_once('\n').unwrap().1).unwrap();
    assert_eq!(done(data, &["audit", "verify"])["whole"], json!(true));
}

/// A rotation that cannot write its key leaves the file as it was.
#[cfg(unix)]
#[test]
fn a_key_that_cannot_be_written_takes_none_away() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(data, &["user", "add", "ada"]);
    // The database's own files are there already.
    let _serving = Serving::start(data);
    let keys = std::fs::read(data.join("keys")).unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" --data \"$1\" key rotate"])
        .arg(env!("CARGO_BIN_EXE_countersign-server"))
        .arg(data)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("File too large"), "{output:?}");
    assert_eq!(std::fs::read(data.join("keys")).unwrap(), keys);
    let mut files: Vec<_> = std::fs::read_dir(data).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["keys", "log", "server.db", "server.db-shm", "server.db-wal"]);
    assert_eq!(done(data, &["key", "rotate"])["key"], json!(2));
}

/// Eight processes that make folder, database and keys at the same time, again and again.
#[test]
fn a_new_folder_takes_several_first_processes() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let data = folder.path().join(format!("new{round}"));
        let started: Vec<Child> = (0..8)
            .map(|nth| {
                Command::new(env!("CARGO_BIN_EXE_countersign-server"))
                    .arg("--data")
                    .arg(&data)
                    .args(["user", "add", &format!("user{nth}")])
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for child in started {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(done(&data, &["audit", "verify"])["entries"], json!(8));
    }
}

/// Whatever the folder, the habits of the account and what was left there: what holds secrets is the owner's alone.
#[cfg(unix)]
#[test]
fn files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let data = folder.path();
    let started = |end: &str| {
        let arguments = format!("umask 000; exec \"$0\" --data \"$1\" {end}");
        Command::new("sh")
            .args(["-c", &arguments, env!("CARGO_BIN_EXE_countersign-server")])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let closed = || {
        for file in ["server.db", "server.db-wal", "server.db-shm", "keys"] {
            assert_eq!(mode(&data.join(file)), 0o600, "{file}");
        }
    };
    let mut serving = started("serve --listen 127.0.0.1:0");
    let mut line = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // Before any other process has looked at them.
    closed();
    done(data, &["user", "add", "ada"]);
    // As an earlier version left them, with a process that has them open.
    for file in ["server.db", "server.db-wal", "server.db-shm"] {
        open(&data.join(file));
    }
    done(data, &["user", "list"]);
    closed();
    serving.kill().unwrap();
    serving.wait().unwrap();

    let keys = data.join("keys");
    open(&keys);
    let output = started("user list").wait_with_output().unwrap();
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&format!("`chmod 600 {}`", keys.display())), "{told}");
    // The file of keys may be shared on purpose: it is left to its owner.
    assert_eq!(mode(&keys), 0o644);
}
