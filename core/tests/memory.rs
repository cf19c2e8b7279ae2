//! What hostile files take in memory: at most ten times the file and 64 MiB, whatever is in it. A binary of its own,
//! because an allocator that counts counts for all tests.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::{io::Cursor, sync::Mutex};

use countersign_core::{
    import::{self, ImportError, MAX_FILE_BYTES, MAX_TOKENS, Unlock},
    secret::SecretText,
    vault::Content,
};
use data_encoding::BASE64;
use image::{DynamicImage, ImageFormat};
use peak_alloc::PeakAlloc;
use rand_core::TryRng as _;

#[allow(dead_code, reason = "the other tests use the rest")]
#[path = "it/importers/kit.rs"]
mod kit;
#[allow(unreachable_pub, reason = "a library of its own there")]
#[path = "../fuzz/src/database.rs"]
mod sealed;

use kit::{Counting, NOW};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time: they share the allocator.
static TURN: Mutex<()> = Mutex::new(());

const MIB: usize = 1024 * 1024;
const PASSWORD: &str = "correct horse";
/// A file that is large enough to tell ten times its size from twenty.
const LARGE: usize = 16 * MIB;

/// Reads, previews and adds a file, and holds it to the bound. The answer is how many records there were.
fn within_bounds(name: &str, bytes: &[u8]) -> Result<usize, ImportError> {
    let password = SecretText::new(PASSWORD.to_owned());
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let read = import::read(bytes, None, Unlock { password: Some(&password), allow_costly: false });
    let count = read.map(|source| {
        let mut vault = Content::default();
        source.plan(&vault, &mut Counting::default(), NOW);
        let plan = source.merge_into(&mut vault, &mut Counting::default(), NOW);
        assert_eq!(plan.counts.sum(), source.count(), "{name}");
        source.count()
    });
    let peak = bytes.len() + MEMORY.peak_usage() - before;
    let bound = 10 * bytes.len() + 64 * MIB;
    println!("{name:<28} {:>6} KiB take {:>7} of {:>7} KiB", bytes.len() / 1024, peak / 1024, bound / 1024);
    assert!(peak <= bound, "{name}: {} bytes take {peak}", bytes.len());
    count
}

/// What becomes of a file.
enum End {
    /// It is read, with so many records.
    Read(usize),
    /// It is refused, with an error that says this.
    Refused(&'static str),
}

fn check(name: &str, bytes: impl AsRef<[u8]>, end: End) {
    let _turn = TURN.lock();
    match (within_bounds(name, bytes.as_ref()), end) {
        (Ok(count), End::Read(wanted)) => assert_eq!(count, wanted, "{name}"),
        (Err(error), End::Refused(wanted)) => {
            assert!(error.to_string().contains(wanted), "{name}: {error}");
        }
        (result, _) => panic!("{name}: {result:?}"),
    }
}

const UNKNOWN: &str = "of no format";
const UNREAD: &str = "more than 8 MiB of its records cannot be read";
const RECORDS: &str = "more than 100000 records";
const TOKENS: &str = "more than 20000 tokens";
const GROUPS: &str = "it has more groups, or longer names of them, than any export";

fn aegis(entries: &str, groups: &str) -> String {
    format!("{{\"header\":{{}},\"db\":{{\"groups\":[{groups}],\"entries\":[{entries}1]}}}}")
}

#[test]
fn one_thing_over_and_over() {
    check("garbage", garbage(MAX_FILE_BYTES), End::Refused("password does not open"));
    check("too much garbage", garbage(MAX_FILE_BYTES + 1), End::Refused("is larger than"));
    check("letters", "a".repeat(LARGE + 1), End::Refused(UNKNOWN));
    check("Base64", "A".repeat(LARGE), End::Refused("password does not open"));
    for open in ["{", "[", "{\"a\":", "[{\"secret\":"] {
        check(open, open.repeat(LARGE / open.len()), End::Refused(UNKNOWN));
    }
    check("line breaks", format!("motp://a{}", "\n".repeat(LARGE)), End::Refused(RECORDS));
    check("rare line breaks", format!("motp://a{}", "a\u{2028}".repeat(LARGE / 4)), End::Refused(RECORDS));
    check("schemes", "motp://a ".repeat(LARGE / 9), End::Refused(RECORDS));
    check("a scheme in a scheme", "otpauth://".repeat(MIB), End::Refused(UNREAD));
    check("a link", format!("otpauth://totp/a?secret=AAAA&issuer={}", "a".repeat(9 * MIB)), End::Refused(UNREAD));
    check("words after a link", format!("otpauth://totp/a?secret=AAAA {}", "word ".repeat(MIB)), End::Read(1));
    let migration = format!("otpauth-migration://offline?data={}\n", "CgIKAAoCCgAKAgoA".repeat(60_000));
    check("Google's export", migration.repeat(3), End::Refused(UNREAD));
    check("cells of a page", format!("<html>otpauth://<tr>{}", "<td></td>".repeat(LARGE / 9)), End::Refused(UNREAD));
    check("UTF-16", [&b"\xff\xfe"[..], &b"\0\x4e".repeat(LARGE / 2)].concat(), End::Refused(UNKNOWN));
}

#[test]
fn many_records() {
    check("links", "otpauth://totp/a?secret=AAAA\n".repeat(MAX_TOKENS), End::Read(MAX_TOKENS));
    check("one link more", "otpauth://totp/a?secret=AAAA\n".repeat(MAX_TOKENS + 1), End::Refused(TOKENS));
    let links: String = (0..MAX_TOKENS).map(|n| format!("otpauth://totp/{n}?secret=AAAA\n")).collect();
    check("various links", links, End::Read(MAX_TOKENS));
    check("no links", "motp://\n".repeat(MAX_TOKENS), End::Read(MAX_TOKENS));
    check("numbers", aegis(&"1,".repeat(MAX_TOKENS - 1), ""), End::Read(MAX_TOKENS));
    check("ten million numbers", aegis(&"1,".repeat(10_000_000), ""), End::Refused(RECORDS));
    check("ten million links", "motp://\n".repeat(8_000_000), End::Refused(RECORDS));
    let escapes = format!("{{\"note\":\"{}\"}},", "\\u0001".repeat(60));
    check("escapes", aegis(&escapes.repeat(MAX_TOKENS - 1), ""), End::Read(MAX_TOKENS));
    check("a name of 1 MiB", aegis(&format!("{{\"name\":\"{}\"}},", "n".repeat(MIB)), ""), End::Read(2));
    check("a name of 16 MiB", aegis(&format!("{{\"name\":\"{}\"}},", "n".repeat(LARGE)), ""), End::Refused(UNREAD));
    let in_all = "{\"type\":\"\",\"info\":{\"secret\":\"AA\"},\"groups\":[\"1\",\"1\",\"1\"]},".repeat(MAX_TOKENS / 2);
    let name = |bytes: usize| format!("{{\"uuid\":\"1\",\"name\":\"{}\"}}", "g".repeat(bytes));
    check("groups", aegis(&in_all, &name(20)), End::Read(MAX_TOKENS / 2 + 1));
    check("long groups", aegis(&in_all, &name(60_000)), End::Refused(GROUPS));
    check("longer groups", aegis(&in_all, &name(LARGE)), End::Refused(GROUPS));
}

#[test]
fn tables_and_trees() {
    let head = "login_uri,login_totp\n";
    check("commas", format!("{head}{}", ",".repeat(LARGE)), End::Refused("its table cannot be read"));
    check("commas above", format!("login_uri,login_totp{}", ",".repeat(LARGE)), End::Refused("cannot be read"));
    check("an open quote", format!("{head}\"{}", "a\n".repeat(LARGE / 2)), End::Read(1));
    check("rows", format!("{head}{}", ",a\n".repeat(MAX_TOKENS)), End::Read(MAX_TOKENS));
    let map = |inner: &str| format!("<map>{inner}</map>");
    check("elements", map(&"<a/>".repeat(LARGE / 4)), End::Refused(UNKNOWN));
    check("equals signs", map(&"=".repeat(LARGE)), End::Refused(UNKNOWN));
    let attributes: String = (0..LARGE / 10).map(|n| format!("a{n}='' ")).collect();
    check("attributes", format!("<map {attributes}/>"), End::Refused(UNKNOWN));
    check("a few attributes each", map(&"<a b='' c='' d='' e=''/>".repeat(LARGE / 24)), End::Refused(UNKNOWN));
    let tokens = map(&"<string name='tokenOrder'>1</string>".repeat(MAX_TOKENS));
    check("preferences", tokens, End::Read(0));
    // A map of Java's, in which one long text is referred to again and again.
    let mut java = b"\xac\xed\0\x05\x73\x72\0\x11java.util.HashMap".to_vec();
    java.extend_from_slice(b"\0\0\0\0\0\0\0\0\x03\0\0\x78\x70\x77\x08\0\0\0\0\0\x01\x86\xa0\x74\xff\xff");
    java.resize(java.len() + 65535, b'a');
    java.extend_from_slice(&b"\x71\0\x7e\0\x02".repeat(199_999));
    check("references", java, End::Refused("password does not open"));
}

#[test]
fn what_unpacks() {
    let bomb = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/import/bomb.zip");
    check("an archive", std::fs::read(bomb).unwrap(), End::Refused("unpacks to more than any export has"));
    let most = 15 * MIB;
    for inner in ["<a b=''/>", "<Value Protected='True'/>", "="] {
        check(inner, database(&inner.repeat(most / inner.len())), End::Read(0));
    }
    check("a larger one", database(&" ".repeat(17 * MIB)), End::Refused("cannot be unpacked"));
    check("entries", database(&"<Entry/>".repeat(most / 8)), End::Read(most / 8));
    let entry = "<Entry><String><Key>otp</Key><Value>key=AA</Value></String></Entry>";
    check("tokens", database(&entry.repeat(MAX_TOKENS)), End::Read(MAX_TOKENS));
    check("more tokens", database(&entry.repeat(most / entry.len())), End::Refused(TOKENS));
    let group = |depth: usize| format!("{}<Entry/>{}", "<Group>".repeat(depth), "</Group>".repeat(depth));
    check("groups in groups", database(&group(900)), End::Read(1));
    check("too many of them", database(&group(most / 16)), End::Refused("no XML"));
}

/// A white picture, which a few kilobytes unpack to.
fn white(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let picture = match format {
        ImageFormat::Jpeg => DynamicImage::new_rgb8(width, height),
        _ => DynamicImage::new_rgba8(width, height),
    };
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

#[test]
fn pictures() {
    let none = "there is none in the picture";
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
        let name = |size: &str| format!("{size} {format:?}");
        check(&name("a large screen as"), white(3840, 2160, format), End::Refused(none));
        check(&name("a bomb as"), white(7000, 7000, format), End::Refused("pixels, more than can be read"));
    }
    check("a photograph", white(4000, 3000, ImageFormat::Jpeg), End::Refused(none));
    let cell = BASE64.encode(&white(7000, 7000, ImageFormat::Png));
    let page = format!("<html><tr><td><img src='data:image/png;base64,{cell}'></td></tr>");
    check("a bomb in a page", page, End::Read(1));
}

fn garbage(bytes: usize) -> Vec<u8> {
    let mut garbage = vec![0; bytes];
    // The first byte decides: none of the formats begins so.
    Counting::default().try_fill_bytes(&mut garbage).unwrap_or_default();
    garbage
}

/// A KeePass database with that in its outermost group.
fn database(inner: &str) -> Vec<u8> {
    let xml = format!("<KeePassFile><Root><Group>{inner}</Group></Root></KeePassFile>");
    let mut gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\0".to_vec();
    gzip.extend(miniz_oxide::deflate::compress_to_vec(xml.as_bytes(), 6));
    sealed::sealed(&gzip, true, PASSWORD)
}
