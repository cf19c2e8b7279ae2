//! From a picture to a code, and back from a backup that went through a mail program.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use countersign_e2e::{Desk, SECRET, run};
use serde_json::Value;

/// Sends the text as mail (quoted-printable, as mail programs do), takes it out again, answers it with quoting, and
/// sends that too.
const MAIL: &str = r#"
import email, email.policy, sys, textwrap
from email.message import EmailMessage

def through_mail(text):
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = "My backup"
    message.set_content(text, cte="quoted-printable")
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.SMTP).get_content()

text = sys.stdin.read()
first = through_mail("Hello me,\n\nkeep this:\n\n" + text + "\n-- \nsent by hand\n")
quoted = "On Monday somebody wrote:\n" + "".join("> " + line + "\n" for line in first.splitlines())
sys.stdout.write(through_mail("See below.\n\n" + quoted).replace("\n", "\r\n"))
"#;

fn through_mail(text: &str) -> Option<String> {
    let mut python = Command::new("python3");
    python.args(["-c", MAIL]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = python.spawn() else {
        println!("skipped: there is no python3 to send mail with");
        return None;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Every token's name and code at one moment.
fn codes(desk: &Desk) -> Vec<(String, String)> {
    let list: Value = serde_json::from_str(&desk.done(&["--json", "list"])).unwrap();
    list.as_array()
        .unwrap()
        .iter()
        .map(|token| {
            let id = token["id"].as_str().unwrap();
            (token["account"].as_str().unwrap().to_owned(), desk.done(&["code", id, "--at", "1111111109"]))
        })
        .collect()
}

#[test]
fn a_lost_vault_comes_back_from_a_mail() {
    // An issuer shows a picture.
    let issuer = Desk::new();
    issuer.done(&["add", &format!("otpauth://totp/Acme:ali%20ce?secret={SECRET}&issuer=Acme&digits=8")]);
    issuer.done(&["qr", "show", "Acme", "--output", "acme.png"]);
    let picture = issuer.path("acme.png").to_str().unwrap().to_owned();

    // A person adds it and more, and has a code: RFC 6238, appendix B.
    let mine = Desk::new();
    std::fs::write(mine.path("backup-password"), "seven purple lanterns drift\n").unwrap();
    mine.done(&["add", "--image", &picture]);
    assert_eq!(mine.done(&["code", "Acme", "--at", "59"]), "94287082\n");
    let more: Vec<String> = (0..40).map(|number| countersign_e2e::link(&format!("user{number}"))).collect();
    mine.done(
        &[
            &["add", "otpauth://steam/Steam:gabe?secret=GEZDGNBVGY3TQOJQGEZDGNBV"],
            &more.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ]
        .concat(),
    );
    let before = codes(&mine);
    assert_eq!(before.len(), 42);
    let cheap = ["--kdf-memory", "1", "--kdf-passes", "1"];
    let text = mine.done(&[&["backup", "--backup-password-file", "backup-password"][..], &cheap].concat());

    // The vault is lost.
    for entry in std::fs::read_dir(mine.path("")).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("vault.json") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    assert_eq!(mine.run(["list"]).code, 1);

    // The mail brings it back.
    let Some(mail) = through_mail(&text) else { return };
    assert!(mail.contains("> -----BEGIN COUNTERSIGN BACKUP-----"), "{mail}");
    assert_ne!(mail, text);
    mine.done(&[&["init"][..], &cheap].concat());
    let mut command = mine.command(["restore-backup", "--backup-password-file", "backup-password"]);
    let restored = run(&mut command, mail.as_bytes());
    assert_eq!(restored.code, 0, "{restored:?}");
    assert!(restored.stderr.contains("42 tokens in the backup: 42 added"), "{restored:?}");
    assert_eq!(codes(&mine), before);
}
