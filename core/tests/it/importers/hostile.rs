//! Files that are meant to do harm: each ends soon, in a plain error or a ledger that adds up.

use countersign_core::{
    import::{self, ImportError, MAX_FILE_BYTES, MAX_RECORDS, Unlock},
    secret::SecretText,
    vault::Content,
};

use rand_core::TryRng as _;

use super::{
    kit::{Counting, NOW, read, specs},
    made::file,
};

/// Files whose opening costs nothing, so that they can be cut at every byte.
fn cheap() -> Vec<(&'static str, Vec<u8>)> {
    let link = "otpauth://totp/Ash:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Ash";
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        (
            "links",
            text(&format!(
                "{link}\n{link}2\notpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC\n"
            )),
        ),
        (
            "aegis",
            text(
                r#"{"version":1,"header":{"slots":null,"params":null},"db":{"version":3,"groups":[],"entries":[{"type":"totp","name":"ada","issuer":"Ash","groups":[],"info":{"secret":"GEZDGNBV","algo":"SHA1","digits":6,"period":30}}]}}"#,
            ),
        ),
        (
            "andotp",
            text(
                r#"[{"secret":"GEZDGNBV","issuer":"Ash","label":"ada","digits":6,"type":"TOTP","algorithm":"SHA1","thumbnail":"Default","period":30,"tags":[]}]"#,
            ),
        ),
        (
            "bitwarden",
            text(
                "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n,,login,\"A,\"\"b\",,,,,me,,otpauth://totp/x?secret=GEZDGNBV\n",
            ),
        ),
        (
            "freeotp",
            text(
                "<?xml version='1.0'?><map><string name=\"Ash:ada\">{&quot;algo&quot;:&quot;SHA1&quot;,&quot;counter&quot;:0,&quot;digits&quot;:6,&quot;secret&quot;:[-19,64],&quot;type&quot;:&quot;TOTP&quot;}</string></map>",
            ),
        ),
        (
            "page",
            text(&format!(
                "<html><table><tr><td>A</td><td>b</td><td><code>{link}</code></td><td></td></tr></table></html>"
            )),
        ),
        ("freeotp 2", file("freeotp.xml")),
        ("zip", file("winauth.zip")),
        ("kdbx", file("keepass.kdbx")),
        ("kdbx 3", file("keepass-3.kdbx")),
        ("otpclient", file("otpclient-3.enc")),
        ("2fas", file("2fas.2fas")),
    ]
}

/// Whatever comes: nothing is lost between the source's count and the ledger's.
fn look(bytes: &[u8]) {
    if let Ok(source) = read(bytes, None) {
        let plan = source.plan(&Content::default(), &mut Counting::default(), NOW);
        assert_eq!(plan.counts.sum(), source.count());
    }
}

/// What only a password could tell is asked for one; a document or a text in an old encoding is none of that.
#[test]
fn what_cannot_be_encrypted_asks_for_no_password() {
    let latin1 = b"otpauth://totp/Caf\xe9:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Caf\xe9\n".repeat(3);
    assert_eq!(read(&latin1, None).unwrap_err(), ImportError::Encoding);
    let noise = |head: &[u8]| {
        let mut bytes = head.to_vec();
        let mut noise = vec![0; 400];
        Counting::default().try_fill_bytes(&mut noise).unwrap_or_default();
        bytes.extend(noise);
        bytes
    };
    for head in [&b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"[..], b"PK\x03\x04", b"\x1f\x8b\x08\0"] {
        assert_eq!(read(&noise(head), None).unwrap_err(), ImportError::Unknown, "{head:?}");
    }
    assert_eq!(import::detect(&noise(b"")).len(), 2, "what looks like chance is asked about");
}

#[test]
fn cut_at_every_byte() {
    for (name, bytes) in cheap() {
        assert!(!import::detect(&bytes).is_empty(), "{name} is known when it is whole");
        for length in 0..bytes.len() {
            look(&bytes[..length]);
        }
    }
}

#[test]
fn changed_at_every_byte() {
    for (_, mut bytes) in cheap() {
        for at in 0..bytes.len() {
            let before = bytes[at];
            for value in [0, 0xff, before ^ 1, b'"', b'}'] {
                bytes[at] = value;
                look(&bytes);
            }
            bytes[at] = before;
        }
    }
}

/// What opens a file is at hand, and its bytes are wrong in turn, or missing.
#[test]
fn an_opened_database_is_whole_or_refused() {
    let whole = file("keepass-3.kdbx");
    let tokens = specs(&read(&whole, Some("correct horse")).unwrap());
    // The key derivation takes its time: every few bytes.
    for length in (0..whole.len()).step_by(5) {
        assert!(read(&whole[..length], Some("correct horse")).is_err(), "cut to {length}");
    }
    let mut changed = whole.clone();
    for at in (0..whole.len()).step_by(3) {
        changed[at] ^= 1;
        // What follows the last block is nobody's.
        if let Ok(source) = read(&changed, Some("correct horse")) {
            assert_eq!(specs(&source), tokens, "changed at {at}");
        }
        changed[at] ^= 1;
    }
}

#[test]
fn nothing_and_garbage() {
    for empty in [&b""[..], b" \n\t", b"\xef\xbb\xbf"] {
        assert!(matches!(read(empty, None), Err(ImportError::Empty | ImportError::Unknown)), "{empty:?}");
    }
    let mut seed = 1u64;
    let garbage: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    })
    .take(100_000)
    .collect();
    assert!(read(&garbage, None).is_err());
    for text in ["{", "[", "{}", "[]", "null", "<", "<map/>", "<html></html>", "a,b\n1,2", "PK", "hello"] {
        assert!(
            matches!(read(text.as_bytes(), None), Err(ImportError::Unknown)),
            "{text}: {:?}",
            read(text.as_bytes(), None)
        );
    }
    assert!(matches!(read(&vec![b'a'; MAX_FILE_BYTES + 1], None), Err(ImportError::TooLarge { .. })));
}

#[test]
fn depth_and_length_are_bounded() {
    for open in ["[", "{\"a\":", "[{\"secret\":", "{\"header\":{},\"db\":{\"entries\":["] {
        look(open.repeat(200_000).as_bytes());
    }
    let deep = format!(
        r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":3,"entries":[{{"type":"totp","name":{}1{}}}]}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let source = read(deep.as_bytes(), None).unwrap();
    assert_eq!(source.records.len(), 1);

    let long = format!(
        r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":3,"entries":[{{"type":"totp","name":"{}","issuer":"","info":{{"secret":"GEZDGNBV"}}}}]}}}}"#,
        "n".repeat(1024 * 1024)
    );
    let source = read(long.as_bytes(), None).unwrap();
    let plan = source.plan(&Content::default(), &mut Counting::default(), NOW);
    assert_eq!(plan.lines[0].remarks, ["its name is longer than 65536 bytes"]);

    let many = format!("[{}1]", "1,".repeat(MAX_RECORDS));
    assert!(matches!(read(many.as_bytes(), None), Err(ImportError::TooMany)));
    let many = format!(
        r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":3,"entries":[{}1]}}}}"#,
        "1,".repeat(MAX_RECORDS)
    );
    assert!(matches!(read(many.as_bytes(), None), Err(ImportError::TooMany)));
    let many = "otpauth://totp/a?secret=GEZDGNBV\n".repeat(MAX_RECORDS + 1);
    assert!(matches!(read(many.as_bytes(), None), Err(ImportError::TooMany)));
}

#[test]
fn entities_of_xml_are_refused() {
    let mut bomb = "<!DOCTYPE map [<!ENTITY a \"aaaaaaaaaa\">".to_owned();
    for (name, before) in ('b'..='j').zip('a'..) {
        bomb += &format!("<!ENTITY {name} \"{}\">", format!("&{before};").repeat(10));
    }
    bomb += "]><map><string name=\"Ash\">&j;</string></map>";
    assert!(matches!(read(bomb.as_bytes(), None), Err(ImportError::Unknown)));
}

#[test]
fn an_archive_unpacks_within_bounds() {
    let told = read(&file("bomb.zip"), None).unwrap_err().to_string();
    assert_eq!(told, "the export of Raivo OTP is damaged: its archive unpacks to more than any export has");
}

#[test]
fn a_key_derivation_is_bounded_before_any_work() {
    let password = SecretText::new("correct horse".to_owned());
    let read = |json: &str, allow_costly| {
        import::read(json.as_bytes(), None, Unlock { password: Some(&password), allow_costly }).unwrap_err()
    };
    let ente = |memory: u64, passes: u64| {
        format!(
            r#"{{"version":1,"kdfParams":{{"memLimit":{memory},"opsLimit":{passes},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}},
            "encryptedData":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","encryptionNonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#
        )
    };
    assert_eq!(read(&ente(1 << 30, 1), false), ImportError::Costly { mib: 1024 });
    assert!(matches!(read(&ente((1 << 30) + 1024, 1), true), ImportError::TooCostly { .. }));
    assert!(matches!(read(&ente(1 << 20, u64::MAX), true), ImportError::TooCostly { .. }));
    assert!(matches!(read(&ente(u64::MAX, 1), true), ImportError::TooCostly { .. }));
    let aegis = |n: u64, r: u64, p: u64| {
        format!(
            r#"{{"version":1,"header":{{"slots":[{{"type":1,"key":"00","key_params":{{"nonce":"000000000000000000000000",
            "tag":"00"}},"n":{n},"r":{r},"p":{p},"salt":"00"}}],"params":{{"nonce":"00","tag":"00"}}}},"db":"AAAA"}}"#
        )
    };
    assert_eq!(read(&aegis(1 << 19, 8, 1), false), ImportError::Costly { mib: 512 });
    for (n, r, p) in
        [(1 << 21, 8, 1), (1 << 62, 1 << 62, 1), (15, 8, 1), (0, 8, 1), (1 << 10, 8, u64::MAX), (1 << 10, 0, 1)]
    {
        assert!(matches!(read(&aegis(n, r, p), true), ImportError::TooCostly { .. }), "{n} {r} {p}");
    }
    let bitwarden = r#"{"encrypted":true,"passwordProtected":true,"salt":"AA==","kdfType":0,"kdfIterations":4000000000,
        "encKeyValidation_DO_NOT_EDIT":"","data":"2.AA==|AA==|AA=="}"#;
    assert!(matches!(read(bitwarden, true), ImportError::TooCostly { .. }));
}

/// Ten thousand tokens with their preview: the time is printed by `cargo bench`, here they only have to come through.
#[test]
fn ten_thousand_come_through() {
    let text: String =
        (0..10_000).map(|at| format!("otpauth://totp/Ash:user{at}?secret=GEZDGNBVGY3TQOJQ&issuer=Ash\n")).collect();
    let source = read(text.as_bytes(), None).unwrap();
    let mut vault = Content::default();
    let plan = source.merge_into(&mut vault, &mut Counting::default(), NOW);
    assert_eq!((plan.counts.added, vault.tokens().len()), (10_000, 10_000));
}
