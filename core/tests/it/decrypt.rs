//! The decryptor in core/docs/decrypt.py opens what this program writes: the document is enough for another reader.

#![allow(clippy::unwrap_used)]

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use countersign_core::{
    backup,
    secret::Password,
    token::TokenSecret,
    vault::{Content, KdfParams, Session, store::FileStore},
};
use serde_json::Value;

use crate::vault::{NOW, random_id, rng, spec};

/// A Python that has what decrypt.py needs; without one it says that this test is skipped.
#[allow(clippy::print_stderr)]
pub(crate) fn python(test: &str) -> Option<&'static str> {
    const NEEDED: &str = "import cryptography.hazmat.primitives.asymmetric.x25519\n\
         try: import cryptography.hazmat.primitives.kdf.argon2\n\
         except ImportError: import argon2.low_level";
    let python = ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let found = Command::new(python).args(["-c", NEEDED]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    });
    if python.is_none() {
        eprintln!("SKIPPED {test}: no python3 with cryptography and Argon2id");
    }
    python
}

/// What a script of this folder writes, or says where it fails; it is given the key as a line.
pub(crate) fn run(python: &str, script: &str, arguments: &[&OsStr], key: &str) -> Result<String, String> {
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script))
        .args(arguments)
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{key}").unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn decrypt(python: &str, file: &Path, key: &str) -> Result<String, String> {
    run(python, "docs/decrypt.py", &[file.as_os_str()], key)
}

#[test]
fn the_python_decryptor_opens_a_vault() {
    let Some(python) = python("the_python_decryptor_opens_a_vault") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    let store = Box::new(FileStore::new(&path));
    let typed = "cafe\u{301}\u{a0}\u{2003}\u{1F511}";
    let kdf = KdfParams::new(256, 2, 4).unwrap();
    let mut session = Session::create(store, &Password::new(typed), kdf, &mut rng(), NOW).unwrap();
    let paper = session.new_recovery_key(&mut rng(), NOW).unwrap();
    session.add_device_slot("téléphone \u{1F4F1} \"\\\u{7f}", &mut rng(), NOW).unwrap();
    let mut token = spec("Zoë's \"bank\"");
    token.secret = TokenSecret::from_bytes(b"1234567890".to_vec()).unwrap();
    session.edit::<_, ()>(&mut rng(), NOW, |content| Ok(content.add(random_id(), token, NOW))).unwrap();

    for key in [typed, "café  \u{1F511}", paper.expose(), &paper.expose().to_lowercase().replace('-', " ")] {
        let content: Value = serde_json::from_str(&decrypt(python, &path, key).unwrap()).unwrap();
        assert_eq!(content["tokens"][0]["spec"]["issuer"], "Zoë's \"bank\"");
        assert_eq!(content["tokens"][0]["spec"]["secret"], "GEZDGNBVGY3TQOJQ");
    }
    let error = decrypt(python, &path, "wrong").unwrap_err();
    assert!(error.contains("another one"), "{error}");

    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vault");
    let content = decrypt(python, &fixtures.join("v1-unknown-fields.json"), "fixture").unwrap();
    assert!(content.contains("\"quantum\""), "{content}");
}

#[test]
fn the_python_decryptor_opens_a_backup() {
    let Some(python) = python("the_python_decryptor_opens_a_backup") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup.txt");
    let mut content = Content::default();
    for _ in 0..30 {
        content.add(random_id(), spec("Zoë's \"bank\""), NOW);
    }
    let kdf = KdfParams::new(256, 2, 4).unwrap();
    let text = backup::write(&content, &Password::new("cafe\u{301}\u{a0}1"), kdf, &mut rng(), NOW).unwrap();
    for mailed in [text.clone(), text.replace('\n', "\r\n> ")] {
        std::fs::write(&path, mailed).unwrap();
        let read: Value = serde_json::from_str(&decrypt(python, &path, "café 1").unwrap()).unwrap();
        let tokens = read["tokens"].as_array().unwrap();
        assert_eq!(tokens.len(), 30);
        assert!(tokens.iter().all(|token| token["spec"]["issuer"] == "Zoë's \"bank\""));
        let error = decrypt(python, &path, "wrong").unwrap_err();
        assert!(error.contains("another one"), "{error}");
    }
    std::fs::write(&path, &text[..1000]).unwrap();
    assert!(decrypt(python, &path, "café 1").unwrap_err().contains("cut off"));

    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/backup/v1.txt");
    let content = decrypt(python, &fixture, "fixture").unwrap();
    assert!(content.contains("\"Bank 2\""), "{content}");
}
