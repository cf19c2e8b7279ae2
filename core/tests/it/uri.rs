//! Links to tokens: what every one of `testdata/uri` says, and what holds for all.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;

use countersign_core::{
    secret::SecretText,
    token::{Algorithm, Digits, Kind, MAX_TEXT_BYTES, Period, TokenSecret, TokenSpec},
    uri::{self, Part, UriError},
};
use proptest::{collection::vec, option, prelude::*};

const USUAL_KIND: &str = "totp SHA1 6 30";
const USUAL_SECRET: &str = "JBSWY3DPEHPK3PXP";

fn describe(text: &str) -> String {
    let mut said = String::new();
    let parsed = match uri::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return format!("error: {error:?}\n"),
    };
    let spec = &parsed.spec;
    let kind = match &spec.kind {
        Kind::Totp { algorithm, digits, period } => format!("totp {algorithm} {digits} {period}"),
        Kind::Hotp { algorithm, digits, counter } => format!("hotp {algorithm} {digits} {counter}"),
        other => other.name().to_string(),
    };
    let mut line = |name: &str, value: &str, unsaid: &str| {
        if value != unsaid {
            writeln!(said, "{name}: {value}").unwrap();
        }
    };
    line("kind", &kind, USUAL_KIND);
    line("issuer", &spec.issuer, "");
    line("account", &spec.account, "");
    line("label issuer", spec.label_issuer.as_deref().unwrap_or_default(), "");
    line("secret", spec.secret.base32().expose(), USUAL_SECRET);
    line("pin", spec.kind.pin().map_or("", |pin| pin.expose()), "");
    for (name, value) in &spec.uri_parameters {
        line("parameter", &format!("{name} = {value}"), "");
    }
    for warning in &parsed.warnings {
        line("warning", &format!("{warning:?}"), "");
    }
    said
}

/// Runs the cases of a file and says how many there were.
fn check(file: &str) -> usize {
    let mut cases = 0;
    for block in file.split("\n\n") {
        let mut lines = block.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let Some(first) = lines.next() else { continue };
        let uri = first.strip_prefix("uri: ").unwrap_or_else(|| panic!("no link: {first}"));
        let uri = uri.replace("\\n", "\n").replace("\\t", "\t");
        let expected: String = lines.flat_map(|line| [line, "\n"]).collect();
        assert_eq!(describe(&uri), expected, "\n{uri}");
        cases += 1;
    }
    cases
}

#[test]
fn links_say_what_they_should() {
    assert!(check(include_str!("../../testdata/uri/otpauth.txt")) > 60);
    assert!(check(include_str!("../../testdata/uri/dialects.txt")) > 20);
}

#[test]
fn a_long_part_is_refused_and_never_cut() {
    let long = "a".repeat(MAX_TEXT_BYTES);
    for (part, link) in [
        (Part::Label, "otpauth://totp/LONG?secret=JBSWY3DPEHPK3PXP"),
        (Part::Label, "otpauth://totp/LONG:x?secret=JBSWY3DPEHPK3PXP"),
        (Part::Issuer, "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=LONG"),
        (Part::Secret, "otpauth://totp/x?secret=LONG"),
        (Part::Digits, "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=LONG"),
        (Part::Other, "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&image=LONG"),
        (Part::Other, "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&LONG=1"),
    ] {
        assert_eq!(uri::parse(&link.replace("LONG", &format!("{long}a"))), Err(UriError::TooLong(part)), "{link}");
        let just_fits = uri::parse(&link.replace("LONG", &long));
        assert!(!matches!(just_fits, Err(UriError::TooLong(_))), "{link}");
    }
}

#[test]
fn what_is_written_is_canonical() {
    let spec = uri::parse("otpauth://totp/A%20B:c@d?secret=jbsw-y3dp-ehpk-3pxp&issuer=A+B&image=a%2Bb").unwrap().spec;
    assert_eq!(
        uri::write(&spec).expose(),
        "otpauth://totp/A%20B:c@d?secret=JBSWY3DPEHPK3PXP&issuer=A%20B&algorithm=SHA1&digits=6&period=30&image=a%2Bb"
    );
}

#[test]
fn errors_and_warnings_keep_secrets_to_themselves() {
    for link in [
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PX0",
        "otpauth://JBSWY3DPEHPK3PXP",
        "JBSWY3DPEHPK3PX0",
        "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&secret=JBSWY3DPEHPK3PXQ&digits=5",
        "otpauth://yaotp/x?secret=JBSWY3DPEHPK3PXP&pin=JBSWY3DPEHPK3PX0",
    ] {
        let result = uri::parse(link);
        let shown = match &result {
            Ok(parsed) => format!("{parsed:?} {:?}", parsed.warnings.iter().map(ToString::to_string)),
            Err(error) => format!("{error:?} {error}"),
        };
        assert!(!shown.to_uppercase().contains("JBSWY3DP"), "{shown}");
    }
}

/// Names as they are, and as nobody would have thought of.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 .@]{0,12}", "[ :+%&#/?=@a-c]{0,8}", "\\PC{0,12}", any::<String>()]
}

fn digits() -> impl Strategy<Value = Digits> {
    (1..=12u64).prop_map(|digits| Digits::new(digits).unwrap())
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)]
}

/// A PIN that is there is never empty.
fn pin() -> impl Strategy<Value = Option<SecretText>> {
    option::of(prop_oneof!["[0-9]{1,16}", "\\PC{1,8}"].prop_map(SecretText::new))
}

fn base32() -> impl Strategy<Value = TokenSecret> {
    vec(any::<u8>(), 1..80).prop_map(|bytes| TokenSecret::from_bytes(bytes).unwrap())
}

fn kind_and_secret() -> impl Strategy<Value = (Kind, TokenSecret)> {
    let totp = (algorithm(), digits(), 1..=u64::from(u32::MAX)).prop_map(|(algorithm, digits, seconds)| Kind::Totp {
        algorithm,
        digits,
        period: Period::new(seconds).unwrap(),
    });
    let hotp = (algorithm(), digits(), any::<u64>()).prop_map(|(algorithm, digits, counter)| Kind::Hotp {
        algorithm,
        digits,
        counter,
    });
    let hex = vec(any::<u8>(), 1..40).prop_map(|bytes| {
        let hex = TokenSecret::from_bytes(bytes).unwrap().hex();
        TokenSecret::from_hex(hex.expose()).unwrap()
    });
    let yandex = any::<[u8; 16]>().prop_map(|bytes| TokenSecret::from_bytes(bytes.to_vec()).unwrap());
    prop_oneof![
        (totp, base32()),
        (hotp, base32()),
        (Just(Kind::Steam), base32()),
        (pin().prop_map(|pin| Kind::Motp { pin }), hex),
        (pin().prop_map(|pin| Kind::Yandex { pin }), yandex),
    ]
}

const KNOWN: [&str; 9] = ["secret", "issuer", "algorithm", "digits", "period", "counter", "pin", "encoder", "steam"];

fn parameters() -> impl Strategy<Value = Vec<(String, String)>> {
    let foreign = name().prop_filter("known here", |name| !KNOWN.iter().any(|known| name.eq_ignore_ascii_case(known)));
    vec((foreign, name()), 0..4)
}

fn spec() -> impl Strategy<Value = TokenSpec> {
    (name(), name(), option::of(name()), kind_and_secret(), parameters()).prop_map(
        |(issuer, account, label, (kind, secret), uri_parameters)| {
            let label_issuer = label.filter(|label| !issuer.is_empty() && !label.is_empty() && *label != issuer);
            TokenSpec { issuer, account, kind, secret, label_issuer, uri_parameters }
        },
    )
}

proptest! {
    #[test]
    fn a_written_token_is_read_as_it_was(spec in spec()) {
        let written = uri::write(&spec);
        let parsed = uri::parse(written.expose());
        prop_assert_eq!(parsed.map(|parsed| parsed.spec), Ok(spec), "{}", written.expose());
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        let _ = uri::parse(&text);
    }

    #[test]
    fn no_link_is_too_strange(
        scheme in prop_oneof!["otpauth://totp", "otpauth://hotp", "otpauth://yaotp", "motp:/", "steam:/", "apple-otpauth:"],
        rest in "[/:?&=%+#a-zA-Z0-9 \u{e4}]{0,40}",
        secret in "[A-Za-z0-9%]{0,20}",
    ) {
        let link = format!("{scheme}/{rest}?secret={secret}&digits={rest}&period=&{rest}");
        if let Ok(parsed) = uri::parse(&link) {
            // What was read once is written and read the same from then on.
            let written = uri::write(&parsed.spec);
            let again = uri::parse(written.expose()).map(|parsed| uri::write(&parsed.spec));
            prop_assert_eq!(again, Ok(written), "{}", link);
            let _ = parsed.spec.code_at(u64::MAX);
        }
    }
}
