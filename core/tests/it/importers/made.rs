//! Files that `testdata/import/make.py` wrote with libraries of its own, and texts written here.

use std::{fs, path::Path};

use countersign_core::{
    import::{self, FORMATS, ImportError, Outcome, Source, Unlock},
    secret::SecretText,
};
use data_encoding::{BASE64, HEXUPPER};
use sha2::{Digest, Sha256};

use super::kit::{line, read, read_as, specs};

const PASSWORD: &str = "correct horse";
const ASH: &str = "Ash/ada totp SHA1 6 30 GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const BIRCH: &str = "Birch/bob hotp SHA256 7 c7 MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U";
const ELM: &str = "Elm/ünal totp SHA512 8 60 PFXXK3TPOVXGK43TMFRGGZDFMZTWQ2LK";
const STEAM: &str = "Steam/sam steam ORSXG5BAON2GKYLN";

pub(super) fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/import").join(name)).unwrap()
}

fn opened(name: &str, format: &str) -> Source {
    let bytes = file(name);
    let needed = read_as(&bytes, import::format(format), None);
    assert!(matches!(needed, Err(ImportError::PasswordNeeded { .. })), "{name}: {needed:?}");
    let wrong = read_as(&bytes, import::format(format), Some("battery staple"));
    assert!(matches!(wrong, Err(ImportError::WrongPassword { .. })), "{name}: {wrong:?}");
    let source = read(&bytes, Some(PASSWORD)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(source.format, import::format(format).unwrap().name, "{name}");
    source
}

fn lines(source: &Source) -> Vec<String> {
    specs(source).iter().map(line).collect()
}

fn groups(source: &Source) -> Vec<Vec<String>> {
    let groups = |record: &import::Record| match &record.outcome {
        Outcome::Token(draft) => draft.groups.clone(),
        Outcome::Unreadable(_) => Vec::new(),
    };
    source.records.iter().map(groups).collect()
}

#[test]
fn encrypted_files_of_other_apps() {
    for (name, format, tokens) in [
        ("2fas.2fas", "2fas", &[ASH, BIRCH, ELM, STEAM][..]),
        ("andotp.bin", "andotp", &[ASH, BIRCH, ELM, STEAM]),
        ("andotp-old.bin", "andotp", &[ASH, BIRCH, ELM, STEAM]),
        ("ente-message.txt", "ente", &[ASH, BIRCH, ELM, STEAM]),
        ("ente-final.txt", "ente", &[ASH, BIRCH, ELM, STEAM]),
        ("proton.json", "proton", &[ASH, ELM, STEAM]),
        ("authy.xml", "authy", &[ASH, "Elm/ünal totp SHA1 8 30 PFXXK3TPOVXGK43TMFRGGZDFMZTWQ2LK"]),
        ("raivo.zip", "raivo", &[ASH, BIRCH]),
        ("winauth.zip", "winauth", &[ASH, "My Bank/ totp SHA1 8 30 PFXXK3TPOVXGK43TMFRGGZDFMZTWQ2LK"]),
        ("otpclient-1.enc", "otpclient", &[ASH, BIRCH, ELM, STEAM]),
        ("otpclient-2.enc", "otpclient", &[ASH, BIRCH, ELM, STEAM]),
        ("otpclient-3.enc", "otpclient", &[ASH, BIRCH, ELM, STEAM]),
    ] {
        assert_eq!(lines(&opened(name, format)), tokens, "{name}");
    }
    let mut freeotp = lines(&opened("freeotp.xml", "freeotp"));
    freeotp.sort();
    assert_eq!(freeotp, [ASH, BIRCH, ELM]);
}

#[test]
fn what_the_apps_add_comes_along() {
    let ente = opened("ente-final.txt", "ente");
    for record in &ente.records {
        let Outcome::Token(draft) = &record.outcome else { panic!("{}", record.name) };
        assert_eq!((draft.groups.as_slice(), draft.note.as_str()), (&["Trees".to_owned()][..], "a note"));
        assert!(draft.favourite && draft.use_count == 2 && draft.spec.uri_parameters.is_empty());
    }
    assert!(groups(&opened("2fas.2fas", "2fas")).iter().all(|groups| groups == &["Trees"]));
    assert!(groups(&opened("andotp.bin", "andotp")).iter().all(|groups| groups == &["Trees"]));
    assert_eq!(groups(&opened("otpclient-3.enc", "otpclient"))[0], ["Trees"]);
}

#[test]
fn bitwarden_opens_with_both_derivations() {
    for name in ["bitwarden-pbkdf2.json", "bitwarden-argon2.json"] {
        let source = opened(name, "bitwarden");
        assert_eq!(
            lines(&source),
            [ASH, "Bare/me totp SHA1 6 30 GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "Guard/me steam ORSXG5BAON2GKYLN",],
            "{name}"
        );
        assert_eq!((source.without_token, source.count()), (2, 5), "a login and a card hold no token");
        assert_eq!(groups(&source)[0], ["Trees"]);
    }
    let restricted = br#"{"encrypted":true,"encKeyValidation_DO_NOT_EDIT":"2.a|b|c","items":[{"id":"1"}]}"#;
    assert!(matches!(read(restricted, Some(PASSWORD)), Err(ImportError::Refused { .. })));
}

#[test]
fn authenticator_plus_opens_its_database() {
    let source = opened("authenticator-plus.db", "authenticator-plus");
    let lines = lines(&source);
    assert_eq!(lines.len(), 62);
    assert_eq!(&lines[..2], [ASH, "Birch/bob hotp SHA1 6 c7 MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"]);
    assert_eq!((groups(&source)[0].as_slice(), groups(&source)[1].len()), (&["Trees".to_owned()][..], 0));
}

#[test]
fn totp_authenticator_has_three_spellings_of_a_secret() {
    let source = opened("totp-authenticator.bin", "totp-authenticator");
    let found = lines(&source);
    assert_eq!(found[0], ASH);
    assert_eq!(found[1], ELM.replace("SHA512", "SHA1"));
    assert_eq!(found[2], ASH.replace("Ash/ada", "Oak/olu"));
}

#[test]
fn keepass_has_four_dialects() {
    for name in ["keepass.kdbx", "keepass-chacha.kdbx"] {
        let source = opened(name, "keepass");
        let mut found = lines(&source);
        found.sort();
        let mut meant = [
            ASH,
            "Birch/bob totp SHA256 8 60 MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
            "Elm/ünal totp SHA1 8 60 PFXXK3TPOVXGK43TMFRGGZDFMZTWQ2LK",
            STEAM,
            "Oak/olu totp SHA512 8 45 GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "Yew/yas hotp SHA1 6 c9 MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U",
        ];
        meant.sort_unstable();
        assert_eq!(found, meant, "{name}");
        assert_eq!(source.without_token, 1, "an entry without a token; what was thrown away does not count");
        assert_eq!(groups(&source).iter().filter(|groups| *groups == &["Trees"]).count(), 1);
    }
    for (second, version, told) in [
        (0x65, 3, "this is a database of KeePass 1: "),
        (0x66, 1, "this is a database of a trial version of KeePass 2: "),
        (0x67, 5, "the export of KeePass has version KDBX 5, which is newer"),
    ] {
        let head = [0x03, 0xd9, 0xa2, 0x9a, second, 0xfb, 0x4b, 0xb5, 1, 0, version, 0];
        let error = read(&[&head[..], &[0; 200]].concat(), Some(PASSWORD)).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
    }
}

#[test]
fn keepass_before_kdbx_4() {
    let source = opened("keepass-3.kdbx", "keepass");
    assert_eq!(lines(&source), [ASH, STEAM]);
    assert_eq!(groups(&source), [["Trees"], ["Trees"]]);

    let whole = file("keepass-3.kdbx");
    let told = |bytes: &[u8]| read(bytes, Some(PASSWORD)).unwrap_err();
    // The rounds are at a fixed place: signature, version, cipher, compression, two seeds, then theirs.
    let rounds = 12 + (3 + 16) + (3 + 4) + 2 * (3 + 32);
    assert_eq!(whole[rounds..rounds + 11], [6, 8, 0, 100, 0, 0, 0, 0, 0, 0, 0]);
    let mut costly = whole.clone();
    costly[rounds + 10] = 1;
    assert!(matches!(told(&costly), ImportError::TooCostly { .. }));
    let mut other = whole.clone();
    other[rounds + 3] = 101;
    assert!(matches!(told(&other), ImportError::WrongPassword { .. }));
    // The comment is not part of what opens the file, but of what the content vouches for.
    let mut commented = whole[..12].to_vec();
    commented.extend_from_slice(&[1, 1, 0, b'x']);
    commented.extend_from_slice(&whole[12..]);
    assert_eq!(told(&commented).to_string(), "the export of KeePass is damaged: its header was changed");
}

#[test]
fn keepass_takes_a_key_file_of_every_kind() {
    let any = b"any file at all\n".to_vec();
    let key = Sha256::digest(&any);
    let digits = HEXUPPER.encode(&key);
    let xml_1 = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><KeyFile><Meta><Version>1.00</Version></Meta><Key><Data>{}</Data></Key></KeyFile>",
        BASE64.encode(&key)
    );
    let xml_2 = format!(
        "<KeyFile><Meta><Version>2.0</Version></Meta><Key><Data Hash=\"{}\">\n{} {}\n</Data></Key></KeyFile>",
        HEXUPPER.encode(&Sha256::digest(key)[..4]),
        &digits[..32],
        &digits[32..]
    );
    let kinds = [any.clone(), key.to_vec(), digits.into_bytes(), xml_1.into_bytes(), xml_2.into_bytes()];
    let with = |name: &str, key_file: &[u8], password: Option<&str>| {
        let password = password.map(|password| SecretText::new(password.to_owned()));
        import::read_with_key_file(
            &file(name),
            key_file,
            None,
            Unlock { password: password.as_ref(), allow_costly: false },
        )
    };
    for kind in kinds {
        assert_eq!(lines(&with("keepass-3-key.kdbx", &kind, Some(PASSWORD)).unwrap()), [ASH, STEAM]);
        for password in [None, Some("")] {
            assert_eq!(lines(&with("keepass-key.kdbx", &kind, password).unwrap()), [ASH], "{password:?}");
        }
    }
    for (name, key_file, password) in [
        ("keepass-3-key.kdbx", &any[..], None),
        ("keepass-3-key.kdbx", b"another", Some(PASSWORD)),
        ("keepass-key.kdbx", &any, Some(PASSWORD)),
        ("keepass-3.kdbx", &any, Some(PASSWORD)),
    ] {
        let error = with(name, key_file, password).unwrap_err();
        assert!(matches!(error, ImportError::WrongPassword { .. }), "{name}: {error}");
    }
    assert!(matches!(read(&file("keepass-3-key.kdbx"), Some(PASSWORD)), Err(ImportError::WrongPassword { .. })));
    let broken = b"<KeyFile><Key><Data>!</Data></Key></KeyFile>";
    assert!(matches!(with("keepass-key.kdbx", broken, None), Err(ImportError::KeyFile { .. })));
    let takes_one: Vec<_> = FORMATS.iter().filter(|format| format.key_file).map(|format| format.id).collect();
    assert_eq!(takes_one, ["keepass"]);
}

#[test]
fn privacyidea_tells_what_makes_no_codes() {
    let source = opened("privacyidea.json", "privacyidea");
    assert_eq!((source.records.len(), source.without_token), (3, 1));
    let Outcome::Unreadable(unread) = &source.records[2].outcome else { panic!("a day password is no TOTP") };
    assert_eq!(unread.problem.to_string(), "tokens of the type \"DAYPASSWORD\" cannot be used here");
    assert!(unread.raw.expose().contains("DAYPASSWORD"));
}

#[test]
fn plain_files_of_other_apps() {
    const S: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for (format, text, tokens) in [
        (
            "lastpass",
            format!(
                r#"{{"version":3,"accounts":[{{"issuerName":"Ash","userName":"ada","secret":"{S}","timeStep":30,
                "digits":6,"algorithm":"SHA1","isFavorite":true,"folderData":{{"folderId":2,"position":0}}}}],
                "folders":[{{"id":2,"name":"Trees"}}]}}"#
            ),
            vec![ASH],
        ),
        (
            "raivo",
            format!(
                r#"[{{"kind":"TOTP","timer":"30","digits":"6","algorithm":"SHA1","issuer":"Ash","account":"ada","secret":"{S}","counter":"0"}}]"#
            ),
            vec![ASH],
        ),
        (
            "bitwarden-authenticator",
            format!(
                r#"{{"encrypted":false,"items":[{{"id":"1","name":"Ash","type":1,"login":{{"username":"ada","totp":"otpauth://totp/x?secret={S}"}}}}]}}"#
            ),
            vec![ASH],
        ),
        (
            "aegis",
            format!(
                r#"{{"version":1,"header":{{"slots":null,"params":null}},"db":{{"version":2,"entries":[{{"type":"totp","name":"ada","issuer":"Ash","group":"Trees","info":{{"secret":"{S}","algo":"SHA1","digits":6,"period":30}}}}]}}}}"#
            ),
            vec![ASH],
        ),
        (
            "privacyidea",
            format!(
                "pia://qrbackup?data={}",
                data_url(&format!(
                    r#"{{"type":"TOTP","label":"ada","issuer":"Ash","algorithm":"SHA1","digits":6,"secret":"{S}","period":30}}"#
                ))
            ),
            vec![ASH],
        ),
        (
            "html",
            format!(
                "<html><body><table><tr><th>Issuer</th></tr><tr>\n<td>Ash</td><td>ada</td><td><code>otpauth://totp/Ash:ada?secret={S}&amp;issuer=Ash</code></td><td></td></tr></table></body></html>"
            ),
            vec![ASH],
        ),
        (
            "winauth",
            format!("otpauth://totp/Ash?secret={S}"),
            vec!["Ash/ totp SHA1 6 30 GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        ),
    ] {
        let named = import::format(format).unwrap();
        let source = read_as(text.as_bytes(), Some(named), None).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(lines(&source), tokens, "{format}");
        if format != "winauth" {
            assert_eq!(read(text.as_bytes(), None).unwrap().format, named.name, "by its content");
        }
    }
}

/// Aegis's page has the link in a picture only.
#[test]
fn the_picture_on_a_page_is_read() {
    let link = "otpauth://totp/Ash:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ash&period=45";
    let png = countersign_core::qr::Matrix::new(link).unwrap().to_png(256);
    let page = format!(
        "<html><table><tr><th>Issuer</th></tr><tr><td>Ash</td><td>ada</td><td>TOTP</td><td class='qr'><img \
         src=\"data:image/png;base64,{}\"/></td><td>uuid</td><td>a &lt;note&gt;</td><td>true</td><td>SHA1</td><td>6</td>\
         <td>GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ</td><td>-</td><td>-</td></tr></table></html>",
        base64(&png)
    );
    let source = read(page.as_bytes(), None).unwrap();
    assert_eq!(lines(&source), [ASH.replace(" 30 ", " 45 ")]);
    let Outcome::Token(draft) = &source.records[0].outcome else { panic!() };
    assert_eq!((draft.note.as_str(), draft.favourite), ("a <note>", true));
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number =
            chunk.iter().fold(0u32, |number, byte| (number << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            text.push(if at <= chunk.len() {
                char::from(ALPHABET[(number >> (18 - 6 * at)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}

fn data_url(text: &str) -> String {
    base64(text.as_bytes()).replace('+', "-").replace('/', "_")
}
