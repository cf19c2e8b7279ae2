//! Backup texts: as they come, and after what a mail program does to a whole one.

use std::sync::OnceLock;

use countersign_core::{
    backup,
    secret::Password,
    token::TokenId,
    uri,
    vault::{Content, KdfParams},
};

use super::{check_codes, sealed::Constant};

const PASSWORD: &str = "fuzz";

/// A backup text; and the bytes as orders to a mail program that a whole text must survive.
pub fn backup_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(found) = backup::find(text)
        && let Ok(content) = found.open(&Password::new(PASSWORD))
    {
        content.tokens().iter().for_each(|token| check_codes(&token.spec));
    }
    if let [width, habits, ..] = data
        && text.is_char_boundary(2)
        && !text.contains("---")
    {
        let mailed = mailed(usize::from(*width).max(4), *habits, &text[2..]);
        let found = backup::find(&mailed).unwrap_or_else(|error| panic!("{error}\n{mailed}"));
        assert!(found.open(&Password::new(PASSWORD)).is_ok_and(|content| content == *content_of_one()));
    }
}

/// The backup text with its lines wrapped at `width` and each of `habits`' bits applied, `words` around it.
fn mailed(width: usize, habits: u8, words: &str) -> String {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let kdf = KdfParams::new(8, 1, 1).unwrap();
        backup::write(content_of_one(), &Password::new(PASSWORD), kdf, &mut Constant, 1_790_000_000).unwrap()
    });
    let on = |bit: u8| habits & (1 << bit) != 0;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with('-') {
            lines.push(line.to_owned());
        } else {
            lines.extend(line.as_bytes().chunks(width).map(|part| String::from_utf8_lossy(part).into_owned()));
        }
    }
    let (prefix, suffix) = (
        format!("{}{}", if on(0) { "> " } else { "" }, if on(1) { "    " } else { "" }),
        format!("{}{}", if on(2) { " " } else { "" }, if on(3) { "\u{a0}" } else { "" }),
    );
    let end = if on(4) { "\r\n" } else { "\n" };
    let gap = if on(5) { end } else { "" };
    let body: String = lines.iter().map(|line| format!("{prefix}{line}{suffix}{end}{gap}")).collect();
    format!("{words}{end}{body}{end}{words}")
}

fn content_of_one() -> &'static Content {
    static CONTENT: OnceLock<Content> = OnceLock::new();
    CONTENT.get_or_init(|| {
        let mut content = Content::default();
        let spec = uri::parse("otpauth://totp/Example:ada?secret=JBSWY3DPEHPK3PXP&issuer=Example").unwrap().spec;
        content.add(TokenId::from_random([3; 16]), spec, 1_790_000_000);
        content
    })
}
