//! The backup text: out, through mail programs, and back.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test")]

use std::process::{Command, Stdio};

use countersign_core::{
    backup::{self, BEGIN, END, OpenError, ReadError},
    secret::Password,
    token::{GroupId, Kind, TokenId, TokenSecret, TokenSpec},
    vault::{Content, KdfParams, content::Change},
};
use getrandom::SysRng;
use rand_core::UnwrapErr;

const NOW: u64 = 1_795_000_000;

fn password() -> Password {
    Password::new("Größe 12 & more")
}

fn fast() -> KdfParams {
    KdfParams::new(64, 1, 1).unwrap()
}

fn content(tokens: u8) -> Content {
    let mut content = Content::default();
    for n in 0..tokens {
        let spec = TokenSpec {
            issuer: format!("Bank {n}"),
            account: "alice@example.org".to_owned(),
            kind: Kind::Totp { algorithm: Default::default(), digits: Default::default(), period: Default::default() },
            secret: TokenSecret::from_bytes((0..20).map(|byte| n.wrapping_mul(37) ^ (byte * 7)).collect()).unwrap(),
            label_issuer: None,
            uri_parameters: vec![("image".to_owned(), "x".to_owned())],
        };
        content.add(TokenId::from_random([n; 16]), spec, NOW);
    }
    content
}

fn written(content: &Content) -> String {
    backup::write(content, &password(), fast(), &mut UnwrapErr(SysRng), NOW).unwrap()
}

fn opened(text: &str) -> Content {
    backup::find(text).unwrap().open(&password()).unwrap()
}

#[track_caller]
fn survives(name: &str, text: &str, content: &Content) {
    let sealed = backup::find(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
    let back = sealed.open(&password()).unwrap();
    assert_eq!((back.tokens(), back.groups()), (content.tokens(), content.groups()), "{name}");
}

/// The characters of the block alone.
fn block(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with('-')).collect()
}

#[test]
fn a_text_is_lines_of_64_characters_without_padding() {
    let text = written(&content(3));
    let lines: Vec<&str> = text.lines().collect();
    let (&first, rest) = lines.split_first().unwrap();
    let (&last, middle) = rest.split_last().unwrap();
    assert_eq!((first, last), (BEGIN, END));
    let (end, full) = middle.split_last().unwrap();
    assert!(full.iter().all(|line| line.len() == 64) && (1..=64).contains(&end.len()));
    assert!(text.is_ascii() && text.ends_with('\n') && !text.contains('='));
    assert!(block(&text).starts_with("Q1NCMQEB"));
    assert_eq!(backup::find(&text).unwrap().created_at(), NOW);
}

#[test]
fn everything_a_user_made_comes_back_and_the_trash_does_not() {
    let mut content = content(4);
    let group = content.group(GroupId::from_random([9; 16]), "Work");
    let id = content.tokens()[1].id;
    let change = Change {
        groups: Some(vec![group]),
        favourite: Some(true),
        note: Some("in the blue folder\nsecond line".to_owned()),
        icon: Some(Some("bank".to_owned())),
        ..Change::default()
    };
    content.change(id, change, NOW + 1).unwrap();
    content.remove(content.tokens()[3].id, NOW + 2).unwrap();
    content.set_setting("clipboard_seconds", Some(&serde_json::json!(12)));
    let back = opened(&written(&content));
    assert_eq!(back.tokens(), content.tokens());
    assert_eq!(back.groups(), content.groups());
    assert!(back.trash().is_empty() && back.imports().is_empty());
    assert_eq!(back.setting("clipboard_seconds"), None);
}

/// A text of every version is kept for ever, as a mail program holds it.
#[test]
fn texts_of_every_version_are_read() {
    let text = include_str!("../../testdata/backup/v1.txt");
    let sealed = backup::find(text).unwrap();
    assert_eq!(sealed.created_at(), NOW);
    let back = sealed.open(&Password::new("fixture")).unwrap();
    assert_eq!(back.tokens(), content(3).tokens());
}

/// Run with `--ignored` when the version changes, and keep the file of the version before.
#[test]
#[ignore = "writes the fixture of the current version"]
fn write_fixture() {
    let text = backup::write(&content(3), &Password::new("fixture"), fast(), &mut UnwrapErr(SysRng), NOW).unwrap();
    let text = format!("Expected: three tokens, Bank 0 to Bank 2. Password: fixture\n\n{text}");
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/backup/v1.txt"), text).unwrap();
}

#[test]
fn many_tokens_and_none_come_back() {
    for tokens in [0, 1, 40, 250] {
        let content = content(tokens);
        assert_eq!(opened(&written(&content)).tokens(), content.tokens(), "{tokens}");
    }
}

#[test]
fn two_texts_of_one_content_have_one_length_and_nothing_else_in_common() {
    let (one, other) = (written(&content(2)), written(&content(2)));
    assert_eq!(one.len(), other.len());
    assert_eq!(written(&content(1)).len(), written(&content(0)).len());
    // Magic, version, compression, length, time and parameters are 30 bytes: 40 characters.
    assert_eq!(block(&one)[..40], block(&other)[..40]);
    assert_ne!(block(&one)[40..80], block(&other)[40..80]);
    assert!(!one.contains("Bank"));
}

#[test]
fn mail_and_notes_programs_are_forgiven() {
    let content = content(8);
    let text = written(&content);
    let block = block(&text);
    let chunks = |size: usize, join: &str| {
        block.as_bytes().chunks(size).map(|c| std::str::from_utf8(c).unwrap()).collect::<Vec<_>>().join(join)
    };
    let prefixed = |prefix: &str| text.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>();
    for (name, changed) in [
        ("as it is", text.clone()),
        ("CRLF", text.replace('\n', "\r\n")),
        ("CR", text.replace('\n', "\r")),
        ("blank lines", text.replace('\n', "\n\n")),
        ("quoted", prefixed("> ")),
        ("quoted twice", prefixed("> > ")),
        ("quoted tightly", prefixed(">>")),
        ("quoted with a bar", prefixed("| ")),
        ("quoted with initials", prefixed("bob> ")),
        ("quoted in HTML", prefixed("&gt; ")),
        ("quoted twice in HTML", prefixed("&gt;&gt; ")),
        ("quoted in a page's source", prefixed("&amp;gt; ")),
        ("indented", prefixed(" \t   ")),
        ("trailing spaces", text.replace('\n', "  \n")),
        ("one line", text.replace('\n', " ")),
        ("one word", block.clone()),
        ("rewrapped at 72", format!("{BEGIN}\n{}\n{END}", chunks(72, "\n"))),
        ("rewrapped at 20", format!("{BEGIN}\n{}\n{END}", chunks(20, "\r\n> "))),
        ("groups of five", chunks(5, " ")),
        ("non-breaking spaces", text.replace('\n', "\u{a0}\n\u{a0}")),
        ("zero-width spaces", chunks(30, "\u{200b}")),
        ("soft hyphens", chunks(30, "\u{ad}")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("words around", format!("Dear Bob,\n\nhere is my backup 1234:\n{text}\nBest regards\nAlice +49/123\n")),
        ("words on the lines", format!("my backup {} and so on", text.trim())),
        ("em dashes", text.replace("-----", "\u{2014}-")),
        ("en dashes", text.replace("-----", "\u{2013}")),
        ("no first line", text.replace(BEGIN, "")),
        ("no last line", text.replace(END, "")),
        ("lower-case marks", text.replace(BEGIN, &BEGIN.to_lowercase()).replace(END, &END.to_lowercase())),
        ("quoted-printable", text.replace('\n', "=20\n").replace("AB", "=41B")),
        ("soft line ends", format!("{BEGIN}=0D=0A{}=0D=0A{END}", chunks(70, "=\r\n"))),
        ("an = that was left", chunks(70, "=\n")),
        ("URL alphabet", text.replace('+', "-").replace('/', "_")),
        ("HTML", format!("<html><body><p>{}</p></body></html>", text.trim().replace('\n', "<br>\n"))),
        ("HTML with words", format!("<pre style=\"a > b\">Hi &amp; bye{}", text.replace('\n', "</div><div>"))),
        ("wide letters", text.replace('A', "\u{ff21}").replace("fi", "\u{fb01}").replace("1/2", "\u{bd}")),
        ("after a broken one", format!("{}\n{text}", &text[..text.len() / 2])),
        ("after a damaged one", format!("{}\n{text}", text.replace('Q', "R").replace("R1NCMR", "Q1NCMQ"))),
        ("twice", format!("{text}\n{text}")),
    ] {
        survives(name, &changed, &content);
    }
}

#[test]
fn brackets_around_a_short_backup_take_nothing_away() {
    let content = content(0);
    let text = written(&content);
    for (before, after) in [("see <end", "so a>b"), ("<ada", "> bob"), ("a <!", "> b"), ("<a", "<b>c</b>")] {
        survives(before, &format!("{before}\n{text}\n{after}\n"), &content);
    }
}

#[test]
fn of_several_backups_the_first_whole_one_is_taken() {
    let (first, second) = (content(1), content(2));
    let (one, two) = (written(&first), written(&second));
    survives("first", &format!("{one}{two}"), &first);
    survives("second", &format!("{two}{one}"), &second);
    survives("cut off and whole", &format!("{}\n{two}", &one[..one.len() - 60]), &second);
}

#[test]
fn a_text_that_is_cut_off_says_how_much_is_missing() {
    let text = written(&content(3));
    let block = block(&text);
    let expected = block.len();
    let cut = |text: &str| backup::find(text).unwrap_err();
    for keep in [16, 64, 100, 900, expected - 1] {
        assert_eq!(cut(&block[..keep]), ReadError::CutOff { expected, found: keep });
    }
    let part = &block[..900];
    let lines: String =
        part.as_bytes().chunks(64).map(|c| format!("> {}\n", std::str::from_utf8(c).unwrap())).collect();
    for (name, text) in [
        ("in lines", format!("{BEGIN}\r\n{lines}")),
        ("with its last line", format!("{BEGIN}\n{lines}{END}")),
        (
            "with words after it",
            format!("Hello\n{BEGIN}\n{lines}\n[Message clipped]  View entire message\nGreetings from me\n"),
        ),
        ("in quoted-printable", format!("{BEGIN}=20\n{}", lines.replace("> ", "=3E=20"))),
    ] {
        assert_eq!(cut(&text), ReadError::CutOff { expected, found: 900 }, "{name}");
    }
    let error = ReadError::CutOff { expected: 1204, found: 900 };
    assert_eq!(error.to_string(), "the text is cut off: 1204 characters expected, 900 found");
    // One line is missing in the middle.
    let middle = text.lines().nth(5).unwrap();
    assert_eq!(cut(&text.replace(middle, "")), ReadError::CutOff { expected, found: expected - 64 });
}

#[test]
fn a_text_cut_at_any_character_is_never_anything_but_cut_off() {
    let content = content(1);
    let text = written(&content);
    let last = text.find(END).unwrap() - 1;
    for (at, _) in text.char_indices() {
        match backup::find(&text[..at]) {
            Ok(_) => assert!(at >= last, "whole at {at}"),
            Err(ReadError::NotFound) => assert!(at < BEGIN.len(), "not found at {at}"),
            Err(ReadError::CutOff { expected, found }) => assert!(found < expected && at < last, "{at}"),
            Err(error) => panic!("{at}: {error}"),
        }
    }
}

#[test]
fn every_changed_bit_is_seen_before_a_password_is_asked_for() {
    let text = written(&content(1));
    let bytes = text.as_bytes();
    let whole = backup::find(&text).unwrap();
    let (first, last) = (BEGIN.len() + 1, text.find(END).unwrap() - 1);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            let Err(error) = backup::find(&String::from_utf8_lossy(&changed)).map(|sealed| {
                // Line ends and the words around the block are not of it.
                let between = !(first..last).contains(&at) || bytes[at] == b'\n';
                assert!(sealed == whole && between, "other data, byte {at} bit {bit}");
            }) else {
                continue;
            };
            let told = matches!(error, ReadError::Damaged | ReadError::CutOff { .. } | ReadError::NotFound);
            assert!(told && (first..last).contains(&at), "byte {at} bit {bit}: {error}");
        }
    }
}

#[test]
fn the_last_line_lends_no_character_to_the_block() {
    // The salt decides on the last character: one in 64 texts ends as `END` begins.
    let text = std::iter::repeat_with(|| written(&content(1))).find(|text| block(text).ends_with('E')).unwrap();
    let last = text.find(END).unwrap() - 2;
    let characters = block(&text).len();
    for changed in ["", "\u{5}", "."] {
        let mut lost = text.clone();
        lost.replace_range(last..=last, changed);
        let error = backup::find(&lost).map(|_| ()).unwrap_err();
        assert!(
            matches!(error, ReadError::CutOff { expected, found } if expected == characters && found < characters),
            "{changed:?}: {error:?}"
        );
    }
}

#[test]
fn another_password_is_another_error() {
    let sealed = backup::find(&written(&content(2))).unwrap();
    for wrong in ["", "größe 12 & more", "Größe 12 & more "] {
        assert_eq!(sealed.open(&Password::new(wrong)).unwrap_err(), OpenError::WrongPassword);
    }
    // Decomposed, as another system types it.
    assert!(sealed.open(&Password::new("Gro\u{308}ße 12 & more")).is_ok());
}

/// Takes the bytes out, changes them, and puts a matching checksum behind them, as a forger or a newer program would.
fn forged(text: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    use sha2::{Digest, Sha256};
    let mut bytes = data_encoding::BASE64.decode(block(text).as_bytes()).unwrap();
    bytes.truncate(bytes.len() - 8);
    change(&mut bytes);
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum[..8]);
    data_encoding::BASE64.encode(&bytes)
}

#[test]
fn whatever_is_forged_does_not_open() {
    let text = written(&content(1));
    let length = block(&text).len() / 4 * 3 - 8;
    for at in 10..length {
        let forged = forged(&text, |bytes| bytes[at] ^= 1);
        let error = backup::find(&forged).unwrap().open(&password()).unwrap_err();
        assert!(matches!(error, OpenError::WrongPassword | OpenError::Kdf(_)), "{at}: {error:?}");
    }
}

#[test]
fn newer_versions_are_named_and_told_from_damage() {
    let text = written(&content(1));
    assert_eq!(backup::find(&forged(&text, |bytes| bytes[4] = 2)), Err(ReadError::Newer(2)));
    assert_eq!(backup::find(&forged(&text, |bytes| bytes[4] = 0)), Err(ReadError::Damaged));
    let other_compression = backup::find(&forged(&text, |bytes| bytes[5] = 2)).unwrap();
    assert!(matches!(other_compression.open(&password()), Err(OpenError::Content(_))));
}

#[test]
fn a_forged_amount_of_work_is_refused_at_once() {
    let text = written(&content(1));
    for (at, value) in [(18, u32::MAX), (18, 1024 * 1024 + 1), (18, 7), (22, 17), (22, u32::MAX), (26, 17), (26, 0)] {
        let forged = forged(&text, |bytes| bytes[at..at + 4].copy_from_slice(&value.to_be_bytes()));
        let error = backup::find(&forged).unwrap().open(&password()).unwrap_err();
        assert!(matches!(error, OpenError::Kdf(_)), "{at} {value}: {error:?}");
    }
    for total in [0, 1, 96, u32::MAX, u32::MAX / 3 * 3, 97 * 1024 * 1024] {
        let forged = forged(&text, |bytes| bytes[6..10].copy_from_slice(&u32::to_be_bytes(total)));
        assert!(matches!(backup::find(&forged), Err(ReadError::Damaged | ReadError::CutOff { .. })), "{total}");
    }
}

#[test]
fn what_is_no_backup_is_not_found() {
    for text in [
        "",
        "Hello",
        "otpauth://totp/a?secret=AAAA",
        "-----BEGIN PGP MESSAGE-----\nQ1NC\n",
        "Q1NCM",
        "====",
        "&&&;<<<>>>",
    ] {
        assert_eq!(backup::find(text), Err(ReadError::NotFound), "{text}");
    }
    assert!(matches!(backup::find(&format!("{BEGIN}\n{END}\n")), Err(ReadError::CutOff { found: 0, .. })));
    assert_eq!(backup::find(&format!("{BEGIN}\nR1NCMQEBAAAA\n{END}\n")), Err(ReadError::Damaged));
}

#[test]
fn texts_made_to_keep_the_reader_busy_do_not() {
    for text in
        ["Q1NCMQEBBf////".repeat(50_000), "Q1NCMQ".repeat(100_000), "&amp;".repeat(100_000), "<a".repeat(200_000)]
    {
        assert!(backup::find(&text).is_err());
    }
}

/// Through Python's mail package: quoted twice, rewrapped at 72, sent as quoted-printable, and its source copied.
#[test]
fn a_real_mail_is_survived() {
    const SCRIPT: &str = r#"
import sys, textwrap
from email.message import EmailMessage
import email, email.policy
text = sys.stdin.read()
text = "Grüße, here is what you sent me:\n" + text + "\n--\nAlice\n"
for _ in range(2):
    text = "\n".join("> " + line for line in text.splitlines())
    text = "\n".join("\n".join(textwrap.wrap(line, 72, break_on_hyphens=False)) for line in text.splitlines())
mail = EmailMessage()
mail["Subject"] = "backup"
mail["From"] = mail["To"] = "alice@example.org"
mail.set_content(text, cte="quoted-printable")
source = mail.as_bytes(policy=email.policy.SMTP)
sys.stdout.buffer.write(source)
sys.stdout.buffer.write(b"\n=====\n")
sys.stdout.buffer.write(email.message_from_bytes(source, policy=email.policy.default).get_content().encode())
"#;
    let Ok(mut python) =
        Command::new("python3").args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    else {
        eprintln!("skipped: python3 is not installed");
        return;
    };
    let content = content(20);
    let text = written(&content);
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), text.as_bytes()).unwrap();
    let output = String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap();
    let (source, received) = output.split_once("\n=====\n").unwrap();
    assert!(source.contains("quoted-printable") && source.contains("> > Q1NCMQEB"));
    survives("the source", source, &content);
    survives("what was received", received, &content);
}
