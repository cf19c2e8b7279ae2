//! The one door: texts, files and pictures to tokens and problems.

#![expect(clippy::unwrap_used, reason = "a test")]

use countersign_core::{
    intake::{Cause, Intake, KnownThing, MAX_TEXT_BYTES, Place, preview},
    qr::{Luma, Matrix},
    token::{Digits, Kind, Period, TokenSecret, TokenSpec},
    uri::{UriError, migration},
};

const FIRST: &str = "otpauth://totp/Bank:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Bank";
const SECOND: &str = "otpauth://hotp/Shop:bob?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Shop&counter=3";

fn of_text(text: &str) -> Intake {
    let mut intake = Intake::default();
    intake.take_text(text);
    intake
}

fn of_bytes(bytes: &[u8]) -> Intake {
    let mut intake = Intake::default();
    intake.take_bytes(bytes);
    intake
}

fn titles(intake: &Intake) -> Vec<String> {
    intake.tokens.iter().map(|parsed| parsed.spec.title()).collect()
}

fn problems(intake: &Intake) -> Vec<String> {
    intake.problems.iter().map(ToString::to_string).collect()
}

fn png(text: &str) -> Vec<u8> {
    Matrix::new(text).unwrap().to_png(300)
}

/// Parts of an export of 15 entries, as Google Authenticator splits it.
fn export() -> Vec<String> {
    let specs: Vec<TokenSpec> = (1..=15)
        .map(|n| TokenSpec {
            issuer: format!("Issuer {n}"),
            account: "alice".to_owned(),
            kind: Kind::Totp { algorithm: Default::default(), digits: Digits::SIX, period: Period::THIRTY },
            secret: TokenSecret::from_bytes(vec![n; 20]).unwrap(),
            label_issuer: None,
            uri_parameters: Vec::new(),
        })
        .collect();
    migration::write(&specs, -7).parts.iter().map(|part| part.expose().to_owned()).collect()
}

#[test]
fn a_mixed_text_gives_its_tokens_and_its_problems_by_line() {
    let text = format!(
        "\u{feff}# my codes\r\n{FIRST}\r\n\r\nDear reader,\r\n{SECOND}\r\nhttps://example.org/a\r\notpauth://totp/x\r\n\
         motp://M:c?secret=0a1b2c3d4e5f6071\r\nsteam://GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\r\nGEZDGNBVGY3TQOJQ\r\n{FIRST}"
    );
    let intake = of_text(&text);
    assert_eq!(titles(&intake), ["Bank (alice)", "Shop (bob)", "M (c)", "Steam"]);
    let places: Vec<Place> = intake.problems.iter().map(|problem| problem.place).collect();
    assert_eq!(places, [Place::Line(6), Place::Line(7), Place::Line(10)]);
    assert!(matches!(intake.problems[0].cause, Cause::Known(KnownThing::WebAddress)));
    assert!(matches!(intake.problems[1].cause, Cause::Uri(UriError::SecretMissing)));
    assert!(matches!(intake.problems[2].cause, Cause::Known(KnownThing::BareSecret)));
    assert!(!problems(&intake).concat().contains("GEZD"));
    assert!(problems(&intake)[1].starts_with("line 7: "));
}

#[test]
fn one_thing_alone_is_named_without_a_line() {
    for (text, is) in [
        ("countersign://enroll?code=ABC", KnownThing::Enrollment),
        ("https://mfa.example.org/enroll?code=ABC", KnownThing::Enrollment),
        ("WIFI:T:WPA;S:net;P:hunter2;;", KnownThing::Wifi),
        ("mailto:a@example.org", KnownThing::Mail),
        ("tel:+491234", KnownThing::Telephone),
        ("duo://abcdefgh-YXBpLmV4YW1wbGU", KnownThing::OtherApp("Duo Mobile")),
        ("BCD\n002\n1\nSCT\n\nAda\nDE02\nEUR1", KnownThing::Payment),
        ("LPA:1$smdp.example.org$ABC-123", KnownThing::Esim),
        ("CSX1:AEBAGBAFAYDQQCIKBMGA2DQPCAIREEYUCULBOGAZDINRYHI6D4Q", KnownThing::Transfer),
        ("BEGIN:VCARD\nFN:Alice\nTEL:123\nEND:VCARD", KnownThing::Contact),
        ("Hello\n> -----BEGIN COUNTERSIGN BACKUP-----\n> Q1NCMQEB\n", KnownThing::Backup),
        ("gezd gnbv gy3t qojq", KnownThing::BareSecret),
    ] {
        let intake = of_text(text);
        assert!(intake.tokens.is_empty());
        assert_eq!(intake.problems.len(), 1, "{text}: {:?}", intake.problems);
        assert!(
            matches!(intake.problems[0].cause, Cause::Known(thing) if thing == is),
            "{text}: {:?}",
            intake.problems
        );
        assert_eq!(intake.problems[0].place, Place::Whole);
    }
    for (text, is) in [
        ("phonefactor://activate_account?code=1&url=x", UriError::MicrosoftPush),
        ("pia://qrbackup/x", UriError::PrivacyIdeaBackup),
    ] {
        let intake = of_text(text);
        assert!(matches!(&intake.problems[..], [one] if matches!(&one.cause, Cause::Uri(error) if *error == is)));
    }
    assert_eq!(problems(&of_text("How are you?\nFine.")), ["there is no link to a token in the text"]);
    assert!(of_text("").is_empty() && of_text("\n# nothing\n\n").is_empty());
}

#[test]
fn an_export_comes_in_parts_of_any_order_and_kind() {
    let parts = export();
    assert_eq!(parts.len(), 2);
    let mut intake = Intake::default();
    intake.take_bytes(&png(&parts[1]));
    assert_eq!(intake.tokens.len(), 5);
    assert_eq!(intake.incomplete, [migration::Progress { have: 1, of: 2 }]);
    intake.take_bytes(&png(&parts[1]));
    assert_eq!(intake.tokens.len(), 5);
    intake.take_text(&parts[0]);
    assert_eq!((intake.tokens.len(), intake.incomplete.len(), intake.problems.len()), (15, 0, 0));
}

#[test]
fn an_export_that_a_mail_wrapped_is_whole_again() {
    let wrapped: Vec<String> =
        export()[0].as_bytes().chunks(70).map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect();
    assert!(wrapped.len() > 3);
    let intake = of_text(&format!("Here it is:\n{}\n\nGreetings", wrapped.join("\r\n")));
    assert_eq!((intake.tokens.len(), problems(&intake)), (10, vec![]));
}

#[test]
fn a_picture_with_several_codes_gives_them_all() {
    let sheet: Vec<image::GrayImage> = [FIRST, "https://example.org", SECOND]
        .iter()
        .map(|text| image::load_from_memory(&png(text)).unwrap().into_luma8())
        .collect();
    let side = sheet.iter().map(image::GrayImage::width).max().unwrap();
    let mut image = image::GrayImage::from_pixel(side * 3, side, image::Luma([255]));
    for (n, code) in sheet.iter().enumerate() {
        image::imageops::replace(&mut image, code, (side as usize * n) as i64, 0);
    }
    let picture = Luma::new(image.width(), image.height(), image.into_raw()).unwrap();
    let mut intake = Intake::default();
    intake.take_picture(&picture);
    let mut found = titles(&intake);
    found.sort();
    assert_eq!(found, ["Bank (alice)", "Shop (bob)"]);
    assert!(matches!(&intake.problems[..], [one] if matches!(one.place, Place::Code(_))));
    // A camera hands over the same frame again and again.
    intake.take_picture(&picture);
    assert_eq!((intake.tokens.len(), intake.problems.len()), (2, 1));
}

#[test]
fn files_are_known_by_their_bytes() {
    assert_eq!(titles(&of_bytes(&png(FIRST))), ["Bank (alice)"]);
    assert_eq!(titles(&of_bytes(FIRST.as_bytes())), ["Bank (alice)"]);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(FIRST.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(titles(&of_bytes(&wide)), ["Bank (alice)"]);
    assert!(matches!(of_bytes(b"\x80\x81\x82").problems[0].cause, Cause::NotText));
    assert!(matches!(of_bytes(b"\x89PNG\r\n\x1a\n broken").problems[0].cause, Cause::Picture(_)));
    let blank = Luma::new(300, 300, vec![255; 90_000]).unwrap();
    let mut intake = Intake::default();
    intake.take_picture(&blank);
    assert!(matches!(intake.problems[0].cause, Cause::NoCode));
    let long = "a\n".repeat(MAX_TEXT_BYTES / 2 + 1);
    assert!(matches!(of_bytes(long.as_bytes()).problems[0].cause, Cause::TooLong { .. }));
    assert!(matches!(of_text(&long).problems[0].cause, Cause::TooLong { .. }));
}

#[test]
fn ten_thousand_links_are_ten_thousand_tokens() {
    let text: String = (0..10_000).map(|n| format!("otpauth://totp/I{n}:a?secret=GEZDGNBVGY3TQOJQ\n")).collect();
    let intake = of_text(&text);
    assert_eq!((intake.tokens.len(), intake.problems.len()), (10_000, 0));
}

/// RFC 6238, appendix B: at 59 seconds the code of eight digits is 94287082, of six 287082.
#[test]
fn a_preview_shows_the_first_code() {
    let intake = of_text(FIRST);
    let shown = preview(&intake.tokens[0], 59);
    assert_eq!((shown.issuer.as_str(), shown.account.as_str()), ("Bank", "alice"));
    assert_eq!(shown.kind, "TOTP, SHA-1, 6 digits, 30 seconds");
    assert_eq!(shown.code.unwrap().text(), "287082");
}

#[test]
fn nothing_of_a_text_is_in_a_debug_print() {
    let mut intake = of_text(&format!("{FIRST}\notpauth://totp/x?secret=HUNTER2HUNTER2&digits=x\n"));
    intake.take_bytes(&png(SECOND));
    let printed = format!("{intake:?}{:?}", problems(&intake));
    for secret in ["GEZDGNBV", "HUNTER", "JBSWY3DP"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn odd_texts_never_panic() {
    for text in
        ["\u{feff}", "otpauth://", "otpauth", "Ä?&=otpauth://ü?ü&ü ü", "<otpauth://totp/ü?a=b", "\u{2028}", "::::"]
    {
        of_text(text);
        for (at, _) in FIRST.char_indices() {
            of_text(&format!("{}{text}{}", &FIRST[..at], &FIRST[at..]));
        }
    }
}
