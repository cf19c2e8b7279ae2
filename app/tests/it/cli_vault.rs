//! Making a vault, opening it, and every way in which it does not open.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cli_kit::{Desk, PASSWORD, RFC_SECRET, run};

fn link() -> String {
    format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&digits=8")
}

/// Cheap key derivation; the program warns of it.
const CHEAP: [&str; 4] = ["--kdf-memory", "1", "--kdf-passes", "1"];

#[test]
fn a_vault_is_made_where_nobody_said_otherwise() {
    let desk = Desk::empty();
    let password = desk.path("password");
    let made = run(desk.bare().arg("init").args(CHEAP).arg("--password-file").arg(&password), b"");
    assert_eq!(made.code, 0, "{made:?}");
    let vault = desk.path(".local/share/countersign/vault.json");
    assert!(vault.is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&vault), mode(vault.parent().unwrap())), (0o600, 0o700));
    }
    let listed = run(desk.bare().args(["--json", "list", "--password-file"]).arg(&password), b"");
    assert_eq!((listed.code, listed.stdout.as_str()), (0, "[]\n"));
}

#[test]
fn the_environment_names_the_vault_and_an_option_overrules_it() {
    let desk = Desk::with(&[&link()]);
    let password = desk.path("password");
    let list = |option: Option<&str>| {
        let mut command = desk.bare();
        command.env("COUNTERSIGN_VAULT", desk.vault()).args(["list", "--password-file"]).arg(&password);
        run(command.args(option.map(|path| ["--vault", path]).into_iter().flatten()), b"")
    };
    assert_eq!(list(None).code, 0);
    assert_eq!(list(Some("elsewhere.json")).code, 1);
}

#[test]
fn a_vault_is_never_made_over_a_file() {
    let desk = Desk::with(&[&link()]);
    let before = desk.files();
    let said = desk.fails(1, ["init"].iter().chain(&CHEAP));
    assert!(said.contains("already"), "{said}");
    desk.file("note.txt", "dear diary");
    let mut over_note = desk.bare();
    over_note.args(["init", "--vault", "note.txt", "--password-file", "password"]).args(CHEAP);
    assert_eq!(run(&mut over_note, b"").code, 1);
    assert_eq!(std::fs::read(desk.path("note.txt")).unwrap(), b"dear diary");
    std::fs::remove_file(desk.path("note.txt")).unwrap();
    assert_eq!(desk.files(), before);
}

#[test]
fn passwords_come_from_standard_input_a_line_each() {
    let desk = Desk::empty();
    let vault = desk.vault();
    let with = |arguments: &[&str], stdin: &str| {
        run(desk.bare().arg("--vault").arg(&vault).args(["--password-file", "-"]).args(arguments), stdin.as_bytes())
    };
    let init: Vec<&str> = ["init"].into_iter().chain(CHEAP).collect();
    assert_eq!(with(&init, "first pass\r\n").code, 0);
    assert_eq!(with(&["add", "-"], &format!("first pass\n{}\n", link())).code, 0);
    let passwd: Vec<&str> = ["passwd", "--new-password-file", "-"].into_iter().chain(CHEAP).collect();
    let changed = with(&passwd, "first pass\nsecond pass");
    assert_eq!(changed.code, 0, "{changed:?}");
    assert_eq!(with(&["list"], "first pass").code, 4);
    assert_eq!(with(&["code", "alice", "--at", "59"], "second pass").stdout, "94287082\n");
    assert_eq!(with(&["list"], "").code, 2, "standard input ended before the password");
    assert_eq!(with(&init, "\n").code, 1, "the vault is there");
}

#[test]
fn an_empty_password_is_refused() {
    let desk = Desk::empty();
    let said = run(desk.bare().args(["--vault", "v", "--password-file", "-", "init"]).args(CHEAP), b"\n");
    assert_eq!(said.code, 2, "{said:?}");
    assert!(!desk.path("v").exists());
}

#[test]
fn a_weak_password_and_a_weak_derivation_are_named() {
    let desk = Desk::empty();
    let made = run(desk.bare().args(["--vault", "v", "--password-file", "-", "init"]).args(CHEAP), b"12345678\n");
    assert_eq!(made.code, 0);
    assert!(made.stderr.contains("easy to guess") && made.stderr.contains("weaker than RFC 9106"), "{made:?}");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let desk = Desk::new();
    let said = run(desk.bare().args(["--vault", "vault.json", "list"]), b"");
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("--password-file"), "{said:?}");
}

#[test]
fn a_wrong_password_is_4_and_json_says_so() {
    let desk = Desk::with(&[&link()]);
    let before = desk.files();
    desk.file("wrong", "not it");
    let said = run(desk.bare().args(["--json", "--vault", "vault.json", "--password-file", "wrong", "list"]), b"");
    assert_eq!((said.code, said.stdout.as_str()), (4, ""));
    let error: Value = serde_json::from_str(&said.stderr).unwrap();
    assert_eq!(error["error"]["code"], "wrong-password");
    assert_eq!(error["error"]["message"], "Wrong password.");
    assert!(error["error"]["hint"].is_string());
    assert_eq!(error["error"].as_object().unwrap().len(), 3);
    std::fs::remove_file(desk.path("wrong")).unwrap();
    assert_eq!(desk.files(), before);
}

#[test]
fn a_missing_vault_is_1_and_says_how_to_make_one() {
    let desk = Desk::empty();
    for command in [&["list"][..], &["code", "x"], &["verify"], &["backup"], &["remove", "x"]] {
        let said = desk.fails(1, command);
        assert!(said.contains("countersign init"), "{said}");
    }
}

#[test]
fn a_missing_vault_beside_its_generations_names_the_way_back() {
    let desk = Desk::with(&[&link()]);
    desk.done(&["edit", "alice", "--note", "later"]);
    std::fs::remove_file(desk.vault()).unwrap();
    let before = desk.files();
    for command in [&["list"][..], &["code", "alice"], &["backup"], &["init"]] {
        let said = desk.fails(1, command);
        for named in ["vault.json.1, vault.json.2", "restore-generation"] {
            assert!(said.contains(named), "{said}");
        }
        assert!(!said.contains("countersign init"), "{said}");
    }
    assert_eq!(desk.files(), before, "no generation is moved out of the way");
    desk.done(&["restore-generation"]);
    assert_eq!(desk.done(&["code", "alice", "--at", "59"]), "94287082\n");
}

#[test]
fn a_damaged_vault_is_5_stays_as_it_is_and_has_a_way_out() {
    let desk = Desk::with(&[&link()]);
    desk.done(&["edit", "alice", "--note", "later"]);
    let mut bytes = std::fs::read(desk.vault()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(desk.vault(), &bytes).unwrap();
    let said = desk.fails(5, ["add", &link().replace("alice", "bob")]);
    assert!(said.contains("damaged") && said.contains("restore-generation"), "{said}");
    assert_eq!(std::fs::read(desk.vault()).unwrap(), bytes, "a damaged file is never overwritten");

    let verified = desk.run(["--json", "verify"]);
    assert_eq!(verified.code, 5);
    let report: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!((&report[0]["good"], &report[1]["good"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(report[1]["tokens"], 1);

    desk.done(&["restore-generation"]);
    assert_eq!(desk.done(&["code", "alice", "--at", "59"]), "94287082\n");
    assert_eq!(desk.json(&["list"])[0]["note"], "", "it is the generation before");
    assert!(desk.files().iter().any(|(_, content)| *content == bytes), "the damaged file is kept beside");
    assert_eq!(desk.run(["verify"]).code, 0);
}

#[test]
fn a_vault_that_opens_is_put_back_only_on_a_word() {
    let desk = Desk::with(&[&format!("otpauth://hotp/RFC:alice?secret={RFC_SECRET}&counter=0")]);
    assert_eq!(desk.done(&["code", "alice"]), "755224\n");
    let before = desk.files();
    let said = desk.fails(1, ["restore-generation"]);
    assert!(said.contains("opens and holds 1 token") && said.contains("--yes"), "{said}");
    assert_eq!(desk.files(), before);
    for number in 1..=2 {
        let current = std::fs::read(desk.vault()).unwrap();
        let said = desk.run(["restore-generation", "--yes"]);
        assert_eq!(said.code, 0, "{said:?}");
        let kept = format!("{}.aside-{number}", desk.vault().display());
        assert!(said.stderr.contains(&format!("is kept as {kept}.")), "{said:?}");
        assert_eq!(std::fs::read(kept).unwrap(), current);
    }
    let report = desk.json(&["restore-generation", "--yes"]);
    assert_eq!(report["kept"], format!("{}.aside-3", desk.vault().display()));
}

#[test]
fn a_cut_off_or_emptied_vault_is_5() {
    let desk = Desk::with(&[&link()]);
    let bytes = std::fs::read(desk.vault()).unwrap();
    for damaged in [&b""[..], b"{}", b"\0\xff\xfe", &bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2]] {
        std::fs::write(desk.vault(), damaged).unwrap();
        desk.fails(5, ["list"]);
        assert_eq!(std::fs::read(desk.vault()).unwrap(), damaged);
    }
}

/// The vault's JSON with one value replaced wherever its key stands.
fn with_value(value: &mut Value, key: &str, new: &Value) -> bool {
    match value {
        Value::Object(map) => {
            let mut found = false;
            for (name, inner) in map.iter_mut() {
                if name == key {
                    *inner = new.clone();
                    found = true;
                } else {
                    found |= with_value(inner, key, new);
                }
            }
            found
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| with_value(item, key, new) | found),
        _ => false,
    }
}

/// Writes the file with a checksum that agrees with its header, as whoever means harm would.
fn reseal(desk: &Desk, file: &mut Value) {
    let mut header = file.as_object().unwrap().clone();
    header.remove("payload");
    header.remove("header_sha256");
    let sum = Sha256::digest(serde_json::to_vec(&header).unwrap());
    file["header_sha256"] = HEXLOWER.encode(&sum).into();
    std::fs::write(desk.vault(), serde_json::to_vec(file).unwrap()).unwrap();
}

fn read(desk: &Desk) -> Value {
    serde_json::from_slice(&std::fs::read(desk.vault()).unwrap()).unwrap()
}

#[test]
fn a_newer_vault_is_5() {
    let desk = Desk::with(&[&link()]);
    let mut file = read(&desk);
    reseal(&desk, &mut file);
    assert_eq!(desk.run(["list"]).code, 0, "the checksum here is the program's");
    file["version"] = 99.into();
    reseal(&desk, &mut file);
    let said = desk.fails(5, ["list"]);
    assert!(said.contains("newer") && said.contains("Update"), "{said}");
    desk.fails(5, ["add", &link().replace("alice", "bob")]);
    assert_eq!(read(&desk), file, "what cannot be read is not overwritten");
}

#[test]
fn a_key_derivation_beyond_all_bounds_is_refused_at_once() {
    let desk = Desk::with(&[&link()]);
    let good = read(&desk);
    for (key, value) in
        [("memory_kib", u64::from(u32::MAX)), ("memory_kib", 1 << 32), ("passes", 1 << 32), ("lanes", 17)]
    {
        let mut file = good.clone();
        assert!(with_value(&mut file, key, &value.into()), "the file has no {key}");
        reseal(&desk, &mut file);
        let said = desk.fails(5, ["list"]);
        assert!(!said.contains("checksum"), "{said}");
    }
}

#[test]
fn a_recovery_key_opens_and_a_new_one_replaces_it() {
    let desk = Desk::with(&[&link()]);
    let first = desk.done(&["recovery-key"]);
    let open = |key: &str| {
        let file = desk.file("key", key);
        run(
            desk.bare().args(["--vault", "vault.json", "--recovery-key-file", &file, "code", "alice", "--at", "59"]),
            b"",
        )
    };
    assert_eq!(open(&first).stdout, "94287082\n");
    desk.done(&["add", &link().replace("alice", "bob")]);
    assert_eq!(open(&first).code, 0, "saves keep the recovery key");
    let second = desk.json(&["recovery-key"])["recovery_key"].as_str().unwrap().to_owned();
    assert_eq!(open(&second).stdout, "94287082\n");
    assert_eq!(open(&first).code, 4);
    assert_eq!(open("AAAA-BBBB").code, 4);
    let both = run(desk.bare().args(["--password-file", "password", "--recovery-key-file", "key", "list"]), b"");
    assert_eq!(both.code, 2);
}

#[test]
fn a_forgotten_password_is_replaced_by_the_recovery_key() {
    let desk = Desk::with(&[&link()]);
    let key = desk.done(&["recovery-key"]);
    desk.file("key", &key);
    desk.file("new", "a quite different thing");
    let mut command = desk.bare();
    command
        .args(["--vault", "vault.json", "--recovery-key-file", "key", "passwd", "--new-password-file", "new"])
        .args(CHEAP);
    let changed = run(&mut command, b"");
    assert_eq!(changed.code, 0, "{changed:?}");
    desk.fails(4, ["list"]);
    desk.file("password", "a quite different thing");
    assert_eq!(desk.done(&["code", "alice", "--at", "59"]), "94287082\n");
}

#[test]
fn verify_says_what_each_generation_holds() {
    let desk = Desk::with(&[&link()]);
    desk.done(&["add", &link().replace("alice", "bob")]);
    let report = desk.json(&["verify"]);
    let counts: Vec<u64> = report.as_array().unwrap().iter().map(|one| one["tokens"].as_u64().unwrap()).collect();
    assert_eq!(counts, [2, 1, 0]);
    assert!(report.as_array().unwrap().iter().all(|one| one["good"] == true));
    let text = desk.done(&["verify"]);
    assert_eq!(text.lines().count(), 3);
    assert!(text.starts_with("good  ") && text.contains("2 tokens"), "{text}");
}

#[test]
fn wrong_uses_are_2() {
    let desk = Desk::new();
    for wrong in [
        &["frobnicate"][..],
        &["code"],
        &["list", "a", "b"],
        &["code", "x", "--at", "soon"],
        &["completions", "tcl"],
        &["init", "--kdf-memory", "4294967296"],
        &["--demo", "list"],
        &["qr"],
    ] {
        desk.fails(2, wrong);
        let said = desk.fails(2, ["--json"].iter().chain(wrong));
        let error: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert_eq!(error["error"]["code"], "usage");
    }
}

#[test]
fn no_password_stands_in_the_arguments() {
    let desk = Desk::new();
    let help = desk.done(&["--help"]);
    assert!(!help.contains("--password "), "{help}");
    desk.fails(2, ["--password", PASSWORD, "list"]);
}

#[test]
fn a_password_file_may_begin_with_a_byte_order_mark() {
    let desk = Desk::new();
    desk.file("password", format!("\u{feff}{PASSWORD}\r\n"));
    desk.done(&["list"]);
}

#[test]
fn an_empty_vault_variable_is_named() {
    let desk = Desk::new();
    let said = run(desk.bare().arg("list").env("COUNTERSIGN_VAULT", ""), b"");
    assert!(said.code == 2 && said.stderr.contains("COUNTERSIGN_VAULT is empty"), "{said:?}");
}

#[test]
fn a_generation_with_the_password_of_before_is_locked_and_not_bad() {
    let desk = Desk::with(&[&link()]);
    desk.file("new", "another good long password");
    let mut passwd = desk.command(["passwd", "--new-password-file", "new", "--kdf-memory", "1", "--kdf-passes", "1"]);
    assert_eq!(run(&mut passwd, b"").code, 0);
    desk.file("password", "another good long password");
    let told = desk.done(&["verify"]);
    assert!(told.starts_with("good") && told.contains("locked  ") && !told.contains("bad"), "{told}");
}
