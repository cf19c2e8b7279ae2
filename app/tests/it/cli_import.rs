//! Files of other apps: in, out, and what is told of them.

use serde_json::{Value, json};

use crate::cli_kit::{Desk, RFC_SECRET, run};

/// An Aegis export: one that is new, one without a counter, one that no program here reads.
fn aegis() -> String {
    let entry = |kind: &str, issuer: &str, secret: &str, algorithm: &str| {
        json!({
            "type": kind, "uuid": "x", "name": "alice", "issuer": issuer,
            "info": { "secret": secret, "algo": algorithm, "digits": 6, "period": 30 },
        })
    };
    let entries = [
        entry("totp", "RFC", RFC_SECRET, "SHA1"),
        entry("hotp", "Birch", RFC_SECRET, "SHA1"),
        entry("totp", "Cedar", RFC_SECRET, "SHA3"),
    ];
    json!({ "version": 1, "header": { "slots": null, "params": null }, "db": { "version": 1, "entries": entries } })
        .to_string()
}

fn report(desk: &Desk, arguments: &[&str]) -> Value {
    desk.json(arguments)
}

#[test]
fn an_import_tells_what_became_of_each_record() {
    let desk = Desk::with(&["otpauth://totp/RFC:alice?secret=JBSWY3DPEHPK3PXP&issuer=RFC"]);
    let file = desk.file("aegis.json", aegis());
    let dry = report(&desk, &["import", &file, "--dry-run"]);
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 1, "a dry run changes nothing");
    let done = report(&desk, &["import", &file]);
    assert_eq!((&done["format"], &done["records"]), (&json!("Aegis"), &json!(3)));
    for name in ["added", "repaired", "already_there", "conflict", "unreadable"] {
        assert_eq!(dry[name], done[name], "{name}: the dry run says what happens");
    }
    let fates: Vec<&str> =
        done["lines"].as_array().unwrap().iter().map(|line| line["fate"].as_str().unwrap()).collect();
    assert_eq!(fates, ["conflict", "repair", "unreadable"]);
    let conflict = &done["lines"][0];
    assert_eq!(conflict["existing"]["name"], "RFC (alice)");
    assert!(conflict["code"].is_string() && conflict["existing"]["code"].is_string(), "side by side");
    assert_eq!(done["lines"][1]["remarks"], json!(["the counter is missing and was taken as 0"]));
    assert_eq!(done["lines"][2]["remarks"], json!(["unknown algorithm \"SHA3\": SHA1, SHA256 and SHA512 are known"]));

    let again = report(&desk, &["import", &file]);
    assert_eq!((&again["already_there"], &again["added"], &again["conflict"]), (&json!(2), &json!(0), &json!(0)));
    assert_eq!(desk.json(&["undo-import"]), json!({ "removed": 2, "unreadable": 1 }));
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 1);
    assert!(desk.open().content().unreadable().is_empty(), "what was kept unreadable goes with its import");
}

#[test]
fn a_person_reads_the_ledger_as_a_table() {
    let desk = Desk::with(&["otpauth://totp/RFC:alice?secret=JBSWY3DPEHPK3PXP&issuer=RFC"]);
    let file = desk.file("aegis.json", aegis());
    let run = desk.run(["import", &file]);
    assert_eq!(run.code, 0, "{run:?}");
    for part in ["conflict", "beside", "repair", "unreadable", "Cedar (alice)", "what has its name"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(
        run.stderr.contains("3 records of Aegis: 1 repaired and added, 1 added beside one of the same name"),
        "{run:?}"
    );
    assert!(run.stderr.contains("undo-import"), "{run:?}");
}

#[test]
fn an_encrypted_file_asks_for_its_password() {
    let desk = Desk::with(&[&format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&issuer=RFC")]);
    desk.file("their-password", "another password that is long");
    desk.file("wrong-password", "wrong");
    let file = desk.path("out.json").to_str().unwrap().to_owned();
    let arguments =
        ["export", "--format", "aegis-encrypted", "--output", &file, "--export-password-file", "their-password"];
    let written = desk.json(&arguments);
    assert_eq!((&written["tokens"], &written["left_out"]), (&json!(1), &json!(0)));

    let other = Desk::new();
    other.file("their-password", "another password that is long");
    other.file("wrong-password", "wrong");
    let told = other.fails(2, ["import", &file]);
    assert!(told.contains("--import-password-file"), "{told}");
    other.fails(4, ["import", &file, "--import-password-file", "wrong-password"]);
    let done = other.json(&["import", &file, "--import-password-file", "their-password"]);
    assert_eq!(done["added"], json!(1));
    assert_eq!(other.done(&["code", "RFC", "--at", "59"]).len(), 7);
}

#[test]
fn what_is_wrong_with_a_file_is_said_and_nothing_changes() {
    let desk = Desk::new();
    let before = std::fs::read(desk.vault()).unwrap();
    for (name, bytes, code, words) in [
        ("empty", &b""[..], 1, "is empty"),
        ("garbage", b"\x00\x01\x02 nothing", 1, "of no format"),
        ("newer.json", br#"{"version":9,"header":{},"db":{}}"#, 5, "newer"),
        (
            "restricted.json",
            br#"{"encrypted":true,"passwordProtected":false,"data":"x"}"#,
            1,
            "restricted to its account",
        ),
    ] {
        let file = desk.file(name, bytes);
        let told = desk.fails(code, ["import", &file]);
        assert!(told.contains(words), "{name}: {told}");
    }
    desk.fails(1, ["import", "missing.json"]);
    desk.fails(2, ["import", "missing.json", "--format", "nonsense"]);
    assert_eq!(std::fs::read(desk.vault()).unwrap(), before);
}

#[test]
fn an_export_says_what_the_other_app_cannot_hold() {
    let desk = Desk::with(&[
        &format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&digits=8&issuer=RFC"),
        "motp://Bank:bob?secret=e3152afee62599c8",
    ]);
    desk.done(&["edit", "alice", "--group", "Work", "--note", "note"]);
    let refused = desk.run(["export", "--format", "2fas", "--output", "out.2fas"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("Bank (bob): left out: there are no motp tokens there"), "{refused:?}");
    assert!(refused.stderr.contains("RFC (alice): without its note"), "{refused:?}");
    assert!(refused.stderr.contains("--yes"), "{refused:?}");
    assert!(!desk.path("out.2fas").exists(), "nothing is written before somebody agreed");

    let written = desk.json(&["export", "--format", "2fas", "--output", "out.2fas", "--yes"]);
    assert_eq!((&written["tokens"], &written["left_out"]), (&json!(1), &json!(1)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(desk.path("out.2fas")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let links = desk.done(&["export", "--format", "uri", "--group", "work", "--yes"]);
    assert_eq!(links.lines().count(), 1, "{links}");
    desk.fails(3, ["export", "--format", "uri", "--group", "nowhere", "--yes"]);
    desk.fails(2, ["export", "--format", "uri", "--yes", "--output", "vault.json"]);
}

#[test]
fn every_format_comes_back_through_its_file() {
    let desk = Desk::with(&[
        &format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&issuer=RFC"),
        "otpauth://totp/Bank:bob?secret=JBSWY3DPEHPK3PXP&issuer=Bank",
    ]);
    desk.file("their-password", "another password that is long");
    for format in ["aegis", "stratum", "2fas", "bitwarden-authenticator", "google", "uri", "html", "backup"] {
        let mut command = desk.command(["export", "--format", format, "--output", "out", "--yes"]);
        let written = run(command.args(["--export-password-file", "their-password"]), b"");
        assert_eq!(written.code, 0, "{format}: {written:?}");
        let other = Desk::new();
        other.file("their-password", "another password that is long");
        let file = desk.path("out").to_str().unwrap().to_owned();
        let done = other.json(&["import", &file, "--import-password-file", "their-password"]);
        assert_eq!(done["added"], json!(2), "{format}: {done}");
    }
}

#[test]
fn a_token_that_is_there_under_another_name_is_told_as_what() {
    let desk = Desk::with(&[&format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&issuer=RFC")]);
    desk.done(&["edit", "alice", "--issuer", "Work", "--account", "me"]);
    let file = desk.file("links", format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&issuer=RFC\n"));
    let told = desk.done(&["import", &file]);
    assert!(told.contains("already-there") && told.trim_end().ends_with("as Work (me)"), "{told}");
    desk.done(&["edit", "me", "--issuer", "RFC", "--account", "alice"]);
    let told = desk.done(&["import", &file]);
    assert!(told.contains("already-there") && !told.contains(" as "), "{told}");
}

/// A page may not hold U+0000; the link in it has it, and the whole vault comes back.
#[test]
fn a_zero_in_a_name_keeps_no_page_from_being_written() {
    let desk = Desk::with(&[&format!("otpauth://totp/RFC:al%00ice?secret={RFC_SECRET}&issuer=RFC")]);
    desk.done(&["export", "--format", "html", "--output", "out.html", "--yes"]);
    let page = std::fs::read(desk.path("out.html")).unwrap();
    assert!(!page.contains(&0));
    let other = Desk::new();
    assert_eq!(other.json(&["import", desk.path("out.html").to_str().unwrap()])["added"], 1);
    assert_eq!(other.json(&["list"])[0]["account"], "al\0ice");
}

#[test]
fn a_wrong_password_of_a_file_says_what_it_was_taken_for() {
    let desk = Desk::new();
    let noise: Vec<u8> = (0..400_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    desk.file("noise", noise);
    let mut command = desk.command(["import", "noise", "--import-password-file", "password"]);
    let told = run(&mut command, b"");
    assert_eq!(told.code, 4, "{told:?}");
    assert!(told.stderr.contains("taken for an export of") && told.stderr.contains("--format"), "{told:?}");
}

#[test]
fn what_could_not_be_read_is_listed_shown_and_deleted() {
    let desk = Desk::with(&["otpauth://totp/RFC:alice?secret=JBSWY3DPEHPK3PXP&issuer=RFC"]);
    let file = desk.file("aegis.json", aegis());
    desk.json(&["import", &file]);
    let rows = desk.json(&["unreadable"]);
    let row = &rows.as_array().unwrap()[0];
    assert_eq!((&row["name"], &row["source"]), (&json!("Cedar (alice)"), &json!("Aegis")));
    assert!(!rows.to_string().contains(RFC_SECRET), "a list shows no secret");
    let id = row["id"].as_str().unwrap();
    let shown = desk.json(&["unreadable", &id[..8]]);
    assert!(shown["raw"].as_str().unwrap().contains("SHA3"), "{shown}");
    assert_eq!(desk.json(&["unreadable", "--read-again"])["unreadable"], json!(1));
    assert_eq!(desk.run(["unreadable", "ffff"]).code, 3);
    desk.json(&["unreadable", id, "--delete"]);
    assert_eq!(desk.json(&["unreadable"]), json!([]));

    desk.json(&["import", &file]);
    let undone = desk.run(["undo-import"]);
    assert!(undone.stderr.contains("1 entry that could not be read is gone"), "{undone:?}");
    assert!(!undone.stderr.contains("0 tokens"), "{undone:?}");
    assert!(desk.open().content().unreadable().is_empty());
}
