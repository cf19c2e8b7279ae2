//! QR codes through the command line.

use serde_json::{Value, json};

use crate::cli_kit::{Desk, RFC_SECRET};

fn link() -> String {
    format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&issuer=RFC&digits=8")
}

#[test]
fn a_token_goes_through_a_picture() {
    let desk = Desk::with(&[&link()]);
    desk.done(&["qr", "show", "alice", "--output", "token.png"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(desk.path("token.png")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let payload = desk.done(&["qr", "read", "token.png"]);
    assert_eq!(payload.lines().count(), 1);
    assert!(payload.starts_with("otpauth://totp/") && payload.contains(RFC_SECRET), "{payload}");
    let read = desk.json(&["qr", "read", "token.png"]);
    assert_eq!(read, json!([{ "file": "token.png", "payloads": [payload.trim_end()] }]));
    assert_eq!(desk.json(&["qr", "show", "alice"])["uri"], payload.trim_end());

    let other = Desk::new();
    let picture = desk.path("token.png");
    other.done(&["add", "--image", picture.to_str().unwrap()]);
    assert_eq!(other.done(&["code", "alice", "--at", "59"]), "94287082\n");
}

#[test]
fn a_token_shows_in_the_terminal() {
    let desk = Desk::with(&[&link()]);
    let shown = desk.done(&["qr", "show", "alice"]);
    assert!(shown.lines().count() > 15 && shown.contains('█'), "{shown}");
}

#[test]
fn reading_pictures_needs_no_vault() {
    let desk = Desk::empty();
    let other = Desk::with(&[&link()]);
    other.done(&["qr", "show", "alice", "--output", "token.png"]);
    std::fs::copy(other.path("token.png"), desk.path("token.png")).unwrap();
    desk.file("note.txt", "not a picture");
    let run = desk.run(["--json", "qr", "read", "note.txt", "token.png", "missing.png"]);
    assert_eq!(run.code, 1, "{run:?}");
    let read: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(read.as_array().unwrap().len(), 1, "the picture that can be read is read");
    desk.fails(1, ["add", "--image", "note.txt"]);
    let said = desk.fails(1, ["add", "--image", "missing.png"]);
    assert!(said.contains("missing.png"), "{said}");
}
