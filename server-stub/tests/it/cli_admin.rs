//! Administrators, lists that move in, and what every command prints: as a script, and a person, use them.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::kit::{HOTP, TOTP};

fn run(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign-server"))
        .arg("--data")
        .arg(data)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read is no failure.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json(data: &Path, arguments: &[&str], input: &str) -> (i32, Value) {
    let output = run(data, &[&["--json"], arguments].concat(), input);
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

fn text(data: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(data, arguments, input);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn names(data: &Path) -> Vec<String> {
    let (_, users) = json(data, &["user", "list"], "");
    users.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
}

fn lines_of(report: &Value) -> Vec<(u64, usize)> {
    let lines = report["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["line"].as_u64().unwrap(), line["problems"].as_array().unwrap().len())).collect()
}

#[test]
fn a_list_of_users_moves_in_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    json(data, &["group", "add", "Staff"], "");
    json(data, &["user", "add", "Ada"], "");
    let import = ["user", "import", "-"];

    // Each line with its problems, and nothing imported, although one line is right.
    let wrong = "name,phone,email,group,password\n\
        bob,+49 170 1234567,bob@example.org,Staff,seven calm otters\n\
        ada,,,,\n\
        carol,0170,,,\n\
        BOB,,,nobody,\n\
        short,\n\
        ,,,,\n\
        dan,,not mail,,\n\
        eve,,,,a\u{0}b\n";
    let (exit, report) = json(data, &import, wrong);
    assert_eq!((exit, &report["imported"]), (2, &json!(0)));
    assert_eq!(lines_of(&report), [(2, 0), (3, 1), (4, 1), (5, 2), (6, 1), (8, 1), (9, 1)]);
    assert_eq!(names(data), ["Ada"]);
    let told = text(data, &import, wrong);
    assert!(told.contains("line 3: ada exists already\n"), "{told}");
    assert!(told.contains("line 5: BOB stands in line 2 already\n"), "{told}");
    assert!(told.contains("line 5: there is no group nobody\n"), "{told}");
    assert!(told.ends_with("Nothing was imported: 6 of 7 lines are wrong.\n"), "{told}");

    // As a spreadsheet writes it: another order, semicolons, a mark at the beginning, quotes.
    let right = "\u{feff}Password;Name;Group\r\nseven calm otters;\"Bob \"\"B\"\" B\";staff\r\n;carol;\r\n";
    let (exit, report) = json(data, &["user", "import", "-", "--dry-run"], right);
    assert_eq!((exit, &report["imported"], &report["dry_run"]), (0, &json!(0), &json!(true)));
    assert_eq!(names(data), ["Ada"]);
    let file = data.join("users.csv");
    std::fs::write(&file, right).unwrap();
    assert_eq!(text(data, &["user", "import", file.to_str().unwrap()], ""), "Imported 2 users.\n");
    assert_eq!(names(data), ["Ada", "Bob \"B\" B", "carol"]);
    let (_, bob) = json(data, &["user", "show", "bob \"b\" b"], "");
    assert_eq!((&bob["group"], &bob["has_password"]), (&json!("Staff"), &json!(true)));
    // Once.
    assert_eq!(json(data, &["user", "import", file.to_str().unwrap()], "").0, 2);

    for (list, exit) in [
        ("", 2),
        ("name,phone\n", 2),
        ("bob,+49\n", 2),
        ("phone,email\n+49,x\n", 2),
        ("name,name\na,b\n", 2),
        ("name,shoe size\na,b\n", 2),
    ] {
        assert_eq!(json(data, &import, list).0, exit, "{list:?}");
    }
    std::fs::write(&file, b"name\nJ\xfcrgen\n").unwrap();
    let output = run(data, &["user", "import", file.to_str().unwrap()], "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("UTF-8"));
}

#[test]
fn tokens_of_another_server_move_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    for name in ["ada", "bob"] {
        json(data, &["user", "add", name], "");
    }
    let import = ["token", "import", "-"];
    let wrong = format!(
        "user,uri\nada,{TOTP}\nada,{TOTP}\neve,{TOTP}\nbob,otpauth://totp/a\nbob,otpauth://steam/a?secret=MFXHIZLTORUW43TH\n"
    );
    let (exit, report) = json(data, &import, &wrong);
    assert_eq!(exit, 2);
    assert_eq!(lines_of(&report), [(2, 0), (3, 1), (4, 1), (5, 1), (6, 1)]);
    assert!(!report.to_string().contains("GEZDGNBV"), "{report}");
    assert_eq!(json(data, &["token", "list", "ada"], "").1, json!([]));

    // With a heading or without.
    let right = format!("ada,{TOTP}\nbob,{TOTP}\nBOB,{HOTP}\n").replace("ada,otp", "Ada , otp");
    assert_eq!(lines_of(&json(data, &["token", "import", "--dry-run", "-"], &right).1), [(1, 0), (2, 0), (3, 1)]);
    let right = format!("ada,{TOTP}\nbob,{HOTP}\n");
    assert_eq!(
        json(data, &import, &right),
        (
            0,
            json!({
                "imported": 2, "dry_run": false,
                "lines": [{ "line": 1, "name": "ada", "problems": [] }, { "line": 2, "name": "bob", "problems": [] }],
            })
        )
    );
    let (_, tokens) = json(data, &["token", "list", "ada"], "");
    assert_eq!(
        (&tokens[0]["kind"], &tokens[0]["confirmed"], &tokens[0]["used"]),
        (&json!("totp"), &json!(true), &json!(false))
    );
    let again = text(data, &import, &format!("uri,user\n{TOTP},ada\n"));
    assert_eq!(again, "line 2: ada has this token already\nNothing was imported: 1 of 1 lines are wrong.\n");
}

#[test]
fn an_administrator_is_made_and_rescued_from_the_console() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let create = ["admin", "create", "root", "--phone", "+491701234567", "--password-file", "-"];
    let (exit, made) = json(data, &[&create[..], &["--api-key", "ops"]].concat(), "seven calm otters\n");
    assert_eq!(
        (exit, &made["user"]["administrator"], &made["api_key"]["scopes"]),
        (0, &json!(true), &json!(["admin"]))
    );
    assert!(made["api_key"]["key"].as_str().unwrap().starts_with("csk_"));
    assert_eq!(json(data, &create, "x\n").0, 4);
    assert_eq!(json(data, &["admin", "create", "other", "--password-file", "-"], "\n").0, 2);
    json(data, &["user", "add", "ada"], "");

    json(data, &["token", "add", "root", "--uri", TOTP], "");
    let (exit, rescued) =
        json(data, &["rescue", "ROOT", "--session", "--phone", "+49170999", "--password-file", "-"], "new\n");
    assert_eq!((exit, &rescued["tokens_deleted"], &rescued["has_phone"]), (0, &json!(1), &json!(true)));
    assert!(rescued["session"].as_str().unwrap().starts_with("css_"));
    let (_, root) = json(data, &["user", "show", "root"], "");
    assert_eq!((&root["phone"], &root["tokens"]), (&json!("+49170999"), &json!([])));
    let (_, events) = json(data, &["audit", "list"], "");
    let last = events.as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["detail"]["by"]), (&json!("administrator.rescued"), &json!("console")));
    assert_eq!(last["detail"]["changed"], json!(["phone", "password"]));
    for (who, exit) in [("ada", 3), ("nobody", 3), (" ", 3)] {
        assert_eq!(json(data, &["rescue", who], "").0, exit);
    }
    assert_eq!((&root["password_failures"], &root["password_blocked_until"]), (&json!(0), &Value::Null));
    // Another administrator is a user with the right, and may lose it.
    json(data, &["user", "set", "ada", "--administrator", "true"], "");
    let told = text(data, &["rescue", "ada"], "");
    assert!(told.contains("user set ada --phone NUMBER"), "{told}");
    json(data, &["user", "set", "ada", "--phone", "+49170998"], "");
    let told = text(data, &["rescue", "ada"], "");
    assert!(!told.contains("--phone") && told.contains("register a token"), "{told}");
    json(data, &["user", "set", "ada", "--administrator", "false"], "");
    assert_eq!(json(data, &["rescue", "ada"], "").0, 3);
}

#[test]
fn a_program_reads_why_something_was_not_done() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    json(data, &["user", "add", "ada"], "");
    for (arguments, exit, code) in [
        (&["user", "show", "eve"][..], 3, "not_found"),
        (&["user", "add", "ada"], 4, "exists"),
        (&["user", "set", "ada", "--phone", "0170"], 2, "field_invalid"),
        (&["user", "import", "/no/such/file.csv"], 1, "io"),
        (&["admin", "create", "root"], 2, "usage"),
        (&["user", "shout"], 2, "usage"),
        (&["user", "set"], 2, "usage"),
        (&["user"], 2, "usage"),
        (&[], 2, "usage"),
        (&["serve", "--log", "a=b=c"], 2, "usage"),
        (&["--database", "mysql://x", "user", "list"], 1, "database_not_opened"),
    ] {
        let output = run(data, &[&["--json"], arguments].concat(), "");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), told.lines().count()), (Some(exit), 1), "{arguments:?}: {told}");
        let error: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(error["code"], code, "{arguments:?}: {told}");
        assert!(!error["error"].as_str().unwrap().is_empty(), "{told}");
        assert!(output.stdout.is_empty());
    }
    // Help is help.
    let output = run(data, &["--json", "user", "--help"], "");
    assert!(output.status.success() && output.stdout.starts_with(b"Users"));
    let plain = run(data, &["user", "shout"], "");
    assert!(plain.stderr.starts_with(b"error: unrecognized subcommand 'shout'"));
}

#[test]
fn a_name_is_looked_up_for_where_to_listen() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().to_string();
    for (address, code) in [
        (taken.as_str(), "address_unusable"),
        ("nowhere.invalid:8470", "address_unusable"),
        ("localhost", "usage"),
        ("localhost:x", "usage"),
        (":8470", "usage"),
        ("local host:8470", "usage"),
    ] {
        let output = run(data, &["--json", "serve", "--listen", address], "");
        let told = String::from_utf8(output.stderr).unwrap();
        let error: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        assert_eq!(error["code"], code, "{told}");
        assert!(error["error"].as_str().unwrap().contains(address), "{told}");
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign-server"))
        .arg("--data")
        .arg(data)
        .args(["serve", "--listen", "localhost:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("http://127.0.0.1:") || line.contains("http://[::1]:"), "{line}");
}

#[test]
fn what_is_wrong_with_a_certificate_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    if crate::kit::twins::Authority::new(data).is_none() {
        println!("skipped: openssl is not installed");
        return;
    }
    let file = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let locked = ["ec", "-in", "key.pem", "-aes256", "-passout", "pass:x", "-out", "locked.pem"];
    assert!(Command::new("openssl").args(locked).current_dir(data).output().unwrap().status.success());
    let pkcs8 = ["pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:x", "-out", "pkcs8.pem"];
    assert!(Command::new("openssl").args(pkcs8).current_dir(data).output().unwrap().status.success());
    for (certificate, key, wrong) in [
        ("cert.pem", "cert.pem", "cert.pem: there is no private key in it. It is PEM"),
        ("cert.pem", "pkcs8.pem", "pkcs8.pem: there is no private key in it. It is PEM"),
        ("cert.pem", "locked.pem", "locked.pem: "),
        ("cert.pem", "ca.key", "ca.key: it is not the key of the certificate in "),
        ("key.pem", "key.pem", "key.pem: there is no certificate in it"),
        ("cert.pem", "none.pem", "none.pem: "),
    ] {
        let (certificate, key) = (file(certificate), file(key));
        let output = run(data, &["serve", "--tls-certificate", &certificate, "--tls-key", &key], "");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(&format!("TLS: {}{wrong}", file(""))), "{told}");
    }
}

#[test]
fn a_script_has_the_link_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    json(data, &["user", "add", "ada", "--phone", "+491701234567"], "");
    let send = |via: &str| {
        let output = run(data, &["token", "send", "ada", "--via", via], "");
        assert!(output.status.success());
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for via in ["link", "sms,link"] {
        let (link, notes) = send(via);
        assert!(link.starts_with("http://127.0.0.1:8470/enroll/") && link.lines().count() == 1, "{link}");
        assert!(notes.contains("public_url") && notes.contains("Written to ada: sms.") == (via != "link"), "{notes}");
    }
    assert_eq!(send("sms").0, "Written to ada: sms.\n");
    json(data, &["settings", "set", "public_url", "https://pam.example.org"], "");
    let (link, notes) = send("link");
    assert!(link.starts_with("https://pam.example.org/enroll/") && notes.is_empty(), "{link}{notes}");
}

/// What people see, word by word. Times and ids are blotted out.
#[test]
fn a_person_reads_sentences() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut seen = String::new();
    for arguments in [
        "user add Ada --phone +491701234567 --email ada@example.org",
        "user add ada",
        "user show eve",
        "user set ada --phone 0170",
        "user list",
        "group add staff digits=8",
        "group set staff validate_requires_key=false",
        "group list",
        "settings get digits",
        "settings set digits 3",
        "settings set shoes 3",
        "settings set digits 8",
        "token add ada --uri otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=x",
        "user reset ada --unconfirm",
        "user reset ada --clear",
        "user unlock ada",
        "api-key add vpn --scope verify,shoes",
        "api-key revoke vpn",
        "app list",
        "app revoke ada",
        "outbox list",
        "audit verify",
        "key rotate",
        "rescue ada",
        "user import /no/such/file.csv",
        "user delete ada",
    ] {
        let words: Vec<&str> = arguments.split(' ').collect();
        let output = run(data, &words, "");
        seen.push_str(&format!("$ countersign-server {arguments}\n"));
        seen.push_str(&String::from_utf8(output.stdout).unwrap().replace(data.to_str().unwrap(), "DATA"));
        seen.push_str(&String::from_utf8(output.stderr).unwrap());
        match output.status.code().unwrap() {
            0 => {}
            code => seen.push_str(&format!("? {code}\n")),
        }
    }
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/cli_transcript.txt");
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    if seen != expected {
        let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli_transcript.txt");
        std::fs::write(&written, &seen).unwrap();
        panic!("the transcript changed: compare {} with {golden}", written.display());
    }
}

#[test]
fn a_program_reads_where_the_server_listens() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign-server"))
        .arg("--data")
        .arg(folder.path())
        .args(["--json", "serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    shown.read_line(&mut line).unwrap();
    // Messages that the console shows are objects, too.
    json(folder.path(), &["user", "add", "ada", "--phone", "+491701234567", "--email", "ada@example.org"], "");
    json(folder.path(), &["token", "send", "ada", "--via", "sms,email"], "");
    let messages: Vec<Value> =
        shown.lines().take(2).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut channels: Vec<&str> = messages.iter().map(|message| message["channel"].as_str().unwrap()).collect();
    channels.sort_unstable();
    assert_eq!(channels, ["mail", "sms"]);
    for message in &messages {
        assert_eq!(message["event"], "message");
        assert!(message["text"].as_str().unwrap().contains("http://127.0.0.1:8470/enroll/"), "{message}");
    }
    let told: Value = serde_json::from_str(&line).unwrap();
    assert!(told["address"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
    assert!(told["database"].as_str().unwrap().ends_with("server.db"), "{line}");
}
