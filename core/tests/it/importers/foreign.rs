//! Real files of other apps, where `COUNTERSIGN_FIXTURES` names their folder.

use std::{fs, path::PathBuf};

use super::kit::{line, read, read_as, specs};
use countersign_core::import::{self, ImportError};

/// The tokens that most of the files hold.
const TOKENS: [&str; 7] = [
    "Deno/Mason totp SHA1 6 30 4SJHB4GSD43FZBAI7C2HLRJGPQ",
    "SPDX/James totp SHA256 7 20 5OM4WOOGPLQEF6UGN3CPEOOLWU",
    "Airbnb/Elijah totp SHA512 8 50 7ELGJSGXNCCTV3O6LKJWYFV2RA",
    "Issuu/James hotp SHA1 6 c1 YOOMIXWS5GN6RTBPUFFWKTW5M4",
    "Air Canada/Benjamin hotp SHA256 7 c50 KUVJJOM753IHTNDSZVCNKL7GII",
    "WWE/Mason hotp SHA512 8 c10300 5VAML3X35THCEBVRLV24CGBKOY",
    "Boeing/Sophia steam JRZCL47CMXVOQMNPZR2F7J4RGI",
];

/// The folder of the files, or `None` with a word on what is skipped.
#[allow(clippy::print_stderr)]
fn folder() -> Option<PathBuf> {
    let fixtures = std::env::var_os("COUNTERSIGN_FIXTURES");
    if fixtures.is_none() {
        eprintln!("skipped: COUNTERSIGN_FIXTURES names no folder of other apps' files");
    }
    fixtures.map(|fixtures| PathBuf::from(fixtures).join("import/aegis"))
}

/// Reads a file by its content and compares its tokens, in any order, with those of [`TOKENS`] that are numbered from 1,
/// each changed by `change`.
fn check_changed(file: &str, format: &str, password: Option<&str>, numbers: &[usize], change: impl Fn(&str) -> String) {
    let Some(folder) = folder() else { return };
    let bytes = fs::read(folder.join(file)).unwrap();
    let source = read(&bytes, password).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(source.format, import::format(format).unwrap().name, "{file}");
    let mut found: Vec<String> = specs(&source).iter().map(line).collect();
    let mut meant: Vec<String> = numbers.iter().map(|number| change(TOKENS[number - 1])).collect();
    found.sort();
    meant.sort();
    assert_eq!(found, meant, "{file}");
    assert_eq!(source.count(), numbers.len(), "{file}");
    if password.is_some() {
        let format = import::format(format).unwrap();
        assert!(
            matches!(read_as(&bytes, Some(format), None), Err(ImportError::PasswordNeeded { .. })),
            "{file} needs its password"
        );
    }
}

fn check(file: &str, format: &str, password: Option<&str>, numbers: &[usize]) {
    check_changed(file, format, password, numbers, str::to_owned);
}

const ALL: [usize; 7] = [1, 2, 3, 4, 5, 6, 7];

/// With what the app does not keep taken as usual: SHA-1, and 30 seconds where the period is not kept either.
fn plain_sha1(line: &str) -> String {
    line.replace("SHA256", "SHA1").replace("SHA512", "SHA1")
}

/// All TOTP, SHA-1, 6 digits, 30 seconds.
fn usual(line: &str) -> String {
    let words: Vec<&str> = line.rsplit(' ').collect();
    let name = line.split(" totp").next().unwrap().split(" hotp").next().unwrap().split(" steam").next().unwrap();
    format!("{name} totp SHA1 6 30 {}", words[0])
}

#[test]
fn aegis() {
    check("aegis_plain.json", "aegis", None, &ALL);
    check("aegis_encrypted.json", "aegis", Some("test"), &ALL);
}

#[test]
fn links() {
    check("plain.txt", "uri", None, &ALL);
}

#[test]
fn two_fas() {
    check_changed("2fas_authenticator.json", "2fas", None, &ALL[..6], usual);
    let second = |line: &str| match line {
        line if line.starts_with("Issuu") => usual(line),
        line if line.starts_with("WWE") => line.replace("hotp", "totp").replace("c10300", "30"),
        line => line.to_owned(),
    };
    check_changed("2fas_authenticator_plain.2fas", "2fas", None, &[1, 3, 4, 6], second);
    check_changed("2fas_authenticator_encrypted.2fas", "2fas", Some("test"), &[1, 3, 4, 6], second);
    check("2fas_authenticator_plain_v3.2fas", "2fas", None, &ALL[..6]);
    check("2fas_authenticator_encrypted_v3.2fas", "2fas", Some("test"), &ALL[..6]);
    check("2fas_authenticator_plain_v4.2fas", "2fas", None, &[1, 4, 5, 6, 7]);
    check("2fas_authenticator_encrypted_v4.2fas", "2fas", Some("test"), &[1, 4, 5, 6, 7]);
}

#[test]
fn and_otp() {
    check("andotp_plain.json", "andotp", None, &ALL);
    check("andotp_encrypted.bin", "andotp", Some("test"), &ALL);
    let old = |line: &str| {
        let (issuer, rest) = line.split_once('/').unwrap();
        format!("{issuer}/{issuer}:{rest}")
    };
    check_changed("andotp_encrypted_old.bin", "andotp", Some("test"), &ALL[..6], old);
}

#[test]
fn ente_and_proton() {
    check("ente_auth.txt", "ente", None, &ALL);
    check("proton_authenticator.json", "proton", None, &ALL[..3]);
}

#[test]
fn bitwarden() {
    let steam = |name: &'static str| {
        move |line: &str| if line.contains("steam") { line.replace("Boeing/Sophia", name) } else { line.to_owned() }
    };
    check_changed("bitwarden.json", "bitwarden", None, &[1, 2, 3, 7], steam("Test Steam/"));
    check_changed("bitwarden.csv", "bitwarden", None, &[1, 2, 3, 7], steam("Test 4/"));
}

#[test]
fn stratum() {
    check("stratum_plain.json", "stratum", None, &ALL);
    check("stratum_encrypted.bin", "stratum", Some("test"), &ALL);
    check("stratum_encrypted_legacy.bin", "stratum", Some("test"), &ALL);
    check("stratum_internal.db", "stratum", None, &ALL);
}

#[test]
fn free_otp() {
    check("freeotp.xml", "freeotp", None, &[1, 3, 4, 6]);
    check("freeotp_v2_api23.xml", "freeotp", Some("test"), &ALL[..6]);
    check("freeotp_v2_api34.xml", "freeotp", Some("test"), &ALL[..6]);
    check("freeotp_v2_null_algo.xml", "freeotp", Some("test"), &ALL[..1]);
    check("freeotp_plus.json", "freeotp+", None, &ALL[..6]);
    check("freeotp_plus_internal.xml", "freeotp", None, &ALL[..6]);
}

#[test]
fn authy() {
    let kept = |line: &str| plain_sha1(line).replace("7 20", "7 30").replace("8 50", "8 30");
    check_changed("authy_plain.xml", "authy", None, &ALL[..3], kept);
    check_changed("authy_encrypted.xml", "authy", Some("testtest"), &ALL[..3], kept);
}

#[test]
fn archives_and_databases() {
    check("authenticator_plus.zip", "authenticator-plus", Some("testtesttest"), &ALL);
    let google = |line: &str| {
        let line = plain_sha1(line).replace("7 20", "6 30").replace("8 50", "6 30");
        line.replace(" 7 c", " 6 c").replace(" 8 c", " 6 c")
    };
    check_changed("google_authenticator.sqlite", "google-database", None, &ALL[..6], google);
    check_changed("microsoft_authenticator.sqlite", "microsoft", None, &ALL, usual);
}

#[test]
fn totp_authenticator() {
    let lower = |line: &str| {
        let (issuer, rest) = line.split_once('/').unwrap();
        let (account, rest) = rest.split_once(' ').unwrap();
        plain_sha1(&format!("{issuer}/{} {rest}", account.to_lowercase()))
    };
    check_changed("totp_authenticator.bin", "totp-authenticator", Some("Testtest1"), &ALL[..3], lower);
    check_changed("totp_authenticator_internal.xml", "totp-authenticator", None, &ALL[..3], lower);
}

#[test]
fn single_tokens() {
    let steam = |line: &str| line.replace("Boeing", "Steam");
    check_changed("steam.json", "steam", None, &[7], steam);
    check_changed("steam_old.json", "steam", None, &[7], steam);
    check_changed("duo.json", "duo", None, &[1, 4], |line| {
        format!("/{}", line.split_once('/').unwrap().1.replace("c1 ", "c3 "))
    });
    let battle_net =
        |_: &str| "Battle.net/US-2211-2050-3346 totp SHA1 8 30 BMGRXPGFARQQF4GMT25JATL2VYLAHDBI".to_owned();
    check_changed("battle_net_authenticator.xml", "battle-net", None, &[1], battle_net);
}

/// A wrong password and a cut file are told apart from a file that is whole.
#[test]
fn a_wrong_password_is_named() {
    let Some(folder) = folder() else { return };
    for (file, format) in [
        ("aegis_encrypted.json", "aegis"),
        ("2fas_authenticator_encrypted_v4.2fas", "2fas"),
        ("andotp_encrypted_old.bin", "andotp"),
        ("stratum_encrypted_legacy.bin", "stratum"),
        ("freeotp_v2_null_algo.xml", "freeotp"),
        ("authy_encrypted.xml", "authy"),
        ("authenticator_plus.zip", "authenticator-plus"),
        ("totp_authenticator.bin", "totp-authenticator"),
    ] {
        let bytes = fs::read(folder.join(file)).unwrap();
        let read = read_as(&bytes, import::format(format), Some("another"));
        assert!(matches!(read, Err(ImportError::WrongPassword { .. })), "{file}: {read:?}");
    }
}
