//! A full session with everything turned on that makes programs talk: no secret is said where nobody asked for it.

use countersign_e2e::{Desk, PASSWORD, Run, run};
use data_encoding::{BASE64, HEXLOWER};

const SECRET: &str = "MZXW6YTBOJRGC6RTMZXW6YTBOJRGC6RT";
const SECRET_BYTES: &[u8] = b"foobarbaz3foobarbaz3";
const PIN: &str = "739146";
const BACKUP_PASSWORD: &str = "seven purple lanterns drift";
const NEW_PASSWORD: &str = "nine copper kettles whistle";

#[test]
fn no_secret_is_said_where_nobody_asked_for_it() {
    let desk = Desk::new();
    for (name, text) in
        [("backup-password", BACKUP_PASSWORD), ("new-password", NEW_PASSWORD), ("wrong", "wrong guess here")]
    {
        std::fs::write(desk.path(name), text).unwrap();
    }
    let mut said = String::new();
    let mut session = |arguments: &[&str], stdin: &[u8], keeps_quiet: bool| -> Run {
        let mut command = desk.command(arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("RUST_LIB_BACKTRACE", "1");
        let run = run(&mut command, stdin);
        if keeps_quiet {
            said += &run.stdout;
        }
        said += &run.stderr;
        said += "\n";
        run
    };
    let uri = format!("otpauth://totp/Acme:alice?secret={SECRET}&issuer=Acme");
    let cheap = ["--kdf-memory", "1", "--kdf-passes", "1"];
    // What works.
    assert_eq!(session(&["add", &uri], b"", true).code, 0);
    assert_eq!(session(&["--json", "add", "-"], uri.replace("alice", "bob").as_bytes(), true).code, 0);
    let motp = ["add", "--issuer", "Old", "--kind", "motp", "--secret", &HEXLOWER.encode(SECRET_BYTES), "--pin", PIN];
    assert_eq!(session(&motp, b"", true).code, 0);
    for arguments in [&["list"][..], &["--json", "list"], &["verify"], &["--json", "verify"], &["code", "alice"]] {
        assert_eq!(session(arguments, b"", true).code, 0);
    }
    assert_eq!(session(&["edit", "alice", "--note", "note", "--secret", SECRET], b"", true).code, 0);
    assert_eq!(session(&["qr", "show", "alice", "--output", "alice.png"], b"", true).code, 0);
    assert!(session(&["qr", "show", "bob"], b"", false).stdout.contains('█'));
    assert!(session(&["--json", "qr", "show", "bob"], b"", false).stdout.contains(SECRET), "asked for, and shown");
    let backup = [&["backup", "--backup-password-file", "backup-password"][..], &cheap].concat();
    let text = session(&backup, b"", false).stdout;
    assert_eq!(
        session(&["restore-backup", "--backup-password-file", "backup-password"], text.as_bytes(), true).code,
        0
    );
    assert_eq!(session(&["remove", "bob"], b"", true).code, 0);
    assert_eq!(session(&["restore", "bob"], b"", true).code, 0);

    // What fails.
    let bad = uri.replace("MZXW6", "MZXW0");
    let wrong_algorithm = format!("{uri}&algorithm=MD5");
    for arguments in [
        &["add", &bad][..],
        &["--json", "add", &bad],
        &["add", &wrong_algorithm],
        &["add", "--issuer", "x", "--secret", "MZXW6YTBOJRGC6RTMZXW6YTBOJRGC6R0"],
        &["add", "--issuer", "x", "--secret", SECRET, "--digits", "99"],
        &["--password-file", "wrong", "list"],
        &["code", "a"],
        &["code", "nobody"],
        &["restore-backup", "vault.json", "--backup-password-file", "backup-password"],
        &["qr", "read", "vault.json"],
        &["init"],
    ] {
        assert_ne!(session(arguments, b"", true).code, 0, "{arguments:?}");
    }
    assert_eq!(session(&["restore-backup", "--backup-password-file", "wrong"], text.as_bytes(), true).code, 4);
    let passwd = [&["passwd", "--new-password-file", "new-password"][..], &cheap].concat();
    assert_eq!(session(&passwd, b"", true).code, 0);
    let mut damaged = std::fs::read(desk.vault()).unwrap();
    damaged.truncate(damaged.len() / 2);
    std::fs::write(desk.vault(), damaged).unwrap();
    assert_eq!(session(&["list"], b"", true).code, 5);

    for (what, secret) in [
        ("the secret", SECRET.to_owned()),
        ("the secret in lower case", SECRET.to_lowercase()),
        ("a part of the secret", SECRET[5..21].to_owned()),
        ("the secret's bytes", "foobarbaz3".to_owned()),
        ("the secret in hexadecimal", HEXLOWER.encode(&SECRET_BYTES[..10])),
        ("the secret in Base64", BASE64.encode(&SECRET_BYTES[..9])),
        ("the bytes as a list", "102, 111, 111".to_owned()),
        ("the PIN", PIN.to_owned()),
        ("the password", PASSWORD.to_owned()),
        ("the new password", NEW_PASSWORD.to_owned()),
        ("the backup's password", BACKUP_PASSWORD.to_owned()),
        ("a guessed password", "wrong guess here".to_owned()),
    ] {
        assert!(!said.contains(&secret), "{what} was said:\n{said}");
    }
    // A key of 32 bytes is 43 characters in Base64 and 64 in hexadecimal: nothing that long without a break is said.
    let longest = said
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_')))
        .max_by_key(|word| word.len())
        .unwrap();
    assert!(longest.len() < 43, "{longest:?} looks like a key:\n{said}");
}
