//! The backup text: out, around, and back in on another desk.

use serde_json::{Value, json};

use crate::cli_kit::{Desk, RFC_SECRET, run};

const CHEAP: [&str; 4] = ["--kdf-memory", "1", "--kdf-passes", "1"];
const BACKUP_PASSWORD: &str = "another long enough password";

fn desk_with_two() -> Desk {
    let desk = Desk::with(&[
        &format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&digits=8&issuer=RFC"),
        &format!("otpauth://hotp/Bank:bob?secret={RFC_SECRET}&counter=5"),
    ]);
    desk.done(&["edit", "alice", "--group", "Work", "--note", "note", "--favourite", "yes"]);
    desk
}

fn backup(desk: &Desk) -> String {
    desk.file("backup-password", BACKUP_PASSWORD);
    let mut command = desk.command(["backup", "--backup-password-file", "backup-password"]);
    let run = run(command.args(CHEAP), b"");
    assert_eq!(run.code, 0, "{run:?}");
    run.stdout
}

/// Restores a text from standard input.
fn restore(desk: &Desk, text: &str, more: &[&str]) -> crate::cli_kit::Run {
    desk.file("backup-password", BACKUP_PASSWORD);
    let mut command = desk.command(["--json", "restore-backup", "--backup-password-file", "backup-password"]);
    run(command.args(more), text.as_bytes())
}

#[test]
fn a_backup_comes_back_on_another_desk() {
    let text = backup(&desk_with_two());
    assert!(text.starts_with("-----BEGIN COUNTERSIGN BACKUP-----\n"), "{text}");
    let other = Desk::with(&[&format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&digits=8&issuer=RFC")]);

    let dry: Value = serde_json::from_str(&restore(&other, &text, &["--dry-run"]).stdout).unwrap();
    assert_eq!(other.json(&["list"]).as_array().unwrap().len(), 1, "a dry run changes nothing");
    let report: Value = serde_json::from_str(&restore(&other, &text, &[]).stdout).unwrap();
    assert_eq!(dry["lines"], report["lines"], "the dry run says what happens");
    assert_eq!((&dry["dry_run"], &report["dry_run"]), (&json!(true), &json!(false)));
    assert_eq!((&report["added"], &report["already_there"], &report["differs"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(report["lines"][0]["verdict"], "already-there");
    assert_eq!(report["lines"][1]["verdict"], "add");
    assert_eq!(other.json(&["list"]).as_array().unwrap().len(), 2);
    // RFC 4226, appendix D, counter 5: the counter came along.
    assert_eq!(other.done(&["code", "bob"]), "254676\n");

    let undone = other.json(&["undo-import"]);
    assert_eq!(undone, json!({ "removed": 1, "unreadable": 0 }));
    assert_eq!(other.json(&["list"]).as_array().unwrap().len(), 1);
    assert_eq!(other.json(&["list", "--trash"]).as_array().unwrap().len(), 1);
    other.fails(1, ["undo-import"]);
}

#[test]
fn everything_comes_along_into_an_empty_vault() {
    let desk = desk_with_two();
    let other = Desk::new();
    assert_eq!(restore(&other, &backup(&desk), &[]).code, 0);
    let without_ids = |desk: &Desk| {
        let mut list = desk.json(&["list"]);
        list.as_array_mut().unwrap().iter_mut().for_each(|one| drop(one.as_object_mut().unwrap().remove("id")));
        list
    };
    assert_eq!(without_ids(&other), without_ids(&desk));
    let again: Value = serde_json::from_str(&restore(&other, &backup(&desk), &[]).stdout).unwrap();
    assert_eq!((&again["added"], &again["already_there"]), (&json!(0), &json!(2)));
}

#[test]
fn another_secret_under_the_same_name_is_added_beside_it() {
    let text = backup(&desk_with_two());
    let other = Desk::with(&["otpauth://totp/RFC:alice?secret=JBSWY3DPEHPK3PXP&issuer=RFC"]);
    let report: Value = serde_json::from_str(&restore(&other, &text, &[]).stdout).unwrap();
    assert_eq!((&report["added"], &report["differs"]), (&json!(2), &json!(1)));
    assert_eq!(other.json(&["list"]).as_array().unwrap().len(), 3);
}

#[test]
fn the_ledger_for_a_person_adds_up() {
    let text = backup(&desk_with_two());
    let other = Desk::new();
    other.file("backup-password", BACKUP_PASSWORD);
    let file = other.file("backup.txt", &text);
    let run = other.run(["restore-backup", &file, "--backup-password-file", "backup-password"]);
    assert_eq!(run.stdout, "add  totp  RFC (alice)\nadd  hotp  Bank (bob)\n");
    assert!(run.stderr.starts_with("2 tokens in the backup: 2 added, 0 there already."), "{run:?}");
}

#[test]
fn a_backup_file_is_private_and_replaced_as_a_whole() {
    let desk = desk_with_two();
    desk.file("backup-password", BACKUP_PASSWORD);
    let arguments = ["backup", "--backup-password-file", "backup-password", "--output", "backup.txt"];
    desk.file("backup.txt", "yesterday's");
    desk.done(&[&arguments[..], &CHEAP].concat());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(desk.path("backup.txt")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(desk.path("backup.txt")).unwrap();
    assert_eq!(restore(&Desk::new(), &text, &[]).code, 0);
    let over_vault = ["backup", "--backup-password-file", "backup-password", "--output", "./vault.json"];
    desk.fails(2, over_vault.iter().chain(&CHEAP));
    desk.fails(
        1,
        ["backup", "--backup-password-file", "backup-password", "--output", "no/such/folder"].iter().chain(&CHEAP),
    );
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 2);
}

#[test]
fn passwords_and_text_share_standard_input() {
    let text = backup(&desk_with_two());
    let other = Desk::new();
    let mut command = other.bare();
    command.args(["--vault", "vault.json", "--password-file", "-", "restore-backup", "--backup-password-file", "-"]);
    let stdin = format!("{}\n{BACKUP_PASSWORD}\nHello,\n\n{text}\nbye", crate::cli_kit::PASSWORD);
    let run = run(&mut command, stdin.as_bytes());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(other.json(&["list"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_wrong_backup_password_is_4() {
    let text = backup(&desk_with_two());
    let other = Desk::new();
    other.file("wrong", "not it");
    let file = other.file("backup.txt", &text);
    let said = other.fails(4, ["restore-backup", &file, "--backup-password-file", "wrong"]);
    assert!(said.contains("Wrong backup password"), "{said}");
}

#[test]
fn a_damaged_backup_is_5_before_anybody_is_asked_for_a_password() {
    let text = backup(&desk_with_two());
    let other = Desk::new();
    let cut = &text[..text.len() / 2];
    let changed = text.replacen(|c: char| c.is_ascii_lowercase(), "9", 1);
    assert_ne!(changed, text);
    for damaged in [cut, &changed, "", "no backup in here"] {
        let file = other.file("backup.txt", damaged);
        // Nobody gives the backup's password: the text is looked at first.
        let said = other.fails(5, ["restore-backup", &file]);
        assert!(!said.contains("terminal"), "{said}");
    }
    let file = other.file("backup.txt", cut);
    assert!(other.fails(5, ["restore-backup", &file]).contains("cut off"));
    assert_eq!(other.json(&["list"]), json!([]));
}

#[test]
fn no_output_goes_over_a_file_of_the_vault() {
    let desk = desk_with_two();
    desk.file("backup-password", BACKUP_PASSWORD);
    let before = desk.files();
    for name in
        ["vault.json", "vault.json.1", "vault.json.3", "vault.json.lock", "vault.json.new", "vault.json.aside-7"]
    {
        for output in [name.to_owned(), desk.path(name).display().to_string()] {
            for arguments in [
                &["backup", "--backup-password-file", "backup-password"][..],
                &["export", "--format", "uri", "--yes"],
                &["export", "--format", "backup", "--export-password-file", "backup-password"],
                &["qr", "show", "alice"],
            ] {
                let said = desk.fails(2, arguments.iter().chain(&["--output", &output]));
                assert!(said.contains("would replace") && said.contains("--output"), "{said}");
            }
        }
    }
    assert_eq!(desk.files(), before);
    desk.done(&["export", "--format", "uri", "--yes", "--output", "vault.json.txt"]);
}

/// Automatic backups are copies of the vault's file.
#[test]
fn a_copy_of_a_vault_comes_back_like_a_backup_text() {
    let desk = desk_with_two();
    let other = Desk::new();
    let copy = other.file("countersign-2026-01-01.json", std::fs::read(desk.vault()).unwrap());
    let restore = |file: &str, password: &str| {
        let mut command = other.command(["--json", "restore-backup", file, "--backup-password-file", password]);
        run(&mut command, b"")
    };
    other.file("wrong", "another");
    assert_eq!(restore(&copy, "wrong").code, 4);
    let told = restore(&copy, "password");
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(serde_json::from_str::<Value>(&told.stdout).unwrap()["added"], 2);
    assert_eq!(other.json(&["list"]), desk.json(&["list"]));
    let whole = std::fs::read(&copy).unwrap();
    let cut = other.file("cut.json", &whole[..whole.len() / 2]);
    let told = restore(&cut, "password");
    assert!(told.code == 5 && told.stderr.contains("The copy is damaged"), "{told:?}");
}
