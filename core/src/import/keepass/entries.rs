//! The entries of a database, and the dialects in which they keep a token.

use std::collections::HashMap;

use cbc::cipher::{KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use data_encoding::BASE64;
use salsa20::Salsa20;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::{
    KeePass, damaged,
    document::{self, Visitor},
};
use crate::{
    import::{
        Draft, ImportError, Problem, Source,
        table::Importer as _,
        text::{self, Said},
    },
    token::TokenSecret,
};

/// The stream that protected values are combined with, in the order of the file.
enum Stream {
    ChaCha(ChaCha20),
    Salsa(Salsa20),
}

impl Stream {
    fn apply(&mut self, bytes: &mut [u8]) {
        match self {
            Self::ChaCha(cipher) => cipher.apply_keystream(bytes),
            Self::Salsa(cipher) => cipher.apply_keystream(bytes),
        }
    }
}

/// How the protected values of a database are hidden.
pub(super) struct Protection<'a> {
    /// The stream: 2 is Salsa20, 3 is ChaCha20.
    pub(super) kind: u64,
    /// What its key is made of.
    pub(super) key: &'a [u8],
}

impl Protection<'_> {
    fn stream(&self) -> Option<Stream> {
        match self.kind {
            2 => {
                let nonce = [0xe8, 0x30, 0x09, 0x4b, 0x97, 0x20, 0x5d, 0x2a];
                Salsa20::new_from_slices(&Sha256::digest(self.key), &nonce).ok().map(Stream::Salsa)
            }
            3 => {
                let hash = Sha512::digest(self.key);
                ChaCha20::new_from_slices(&hash[..32], &hash[32..44]).ok().map(Stream::ChaCha)
            }
            _ => None,
        }
    }
}

/// The inner header of KDBX 4, then XML.
pub(super) fn read(plain: &[u8]) -> Result<Source, ImportError> {
    let cut = || damaged("its content is cut off");
    let (mut kind, mut key, mut rest) = (0, &plain[..0], plain);
    loop {
        let head = rest.get(..5).ok_or_else(cut)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let (value, after) = rest[5..].split_at_checked(length).ok_or_else(cut)?;
        rest = after;
        match head[0] {
            0 => break,
            1 => kind = value.first().copied().unwrap_or_default(),
            2 => key = value,
            _ => {}
        }
    }
    xml(&Protection { kind: kind.into(), key }, rest, None)
}

/// The XML. Where it says the hash of the file's header, that must be `header_hash`.
///
/// It is read as it comes: as a tree, a few kilobytes that unpack to megabytes would take tens of times that in memory.
pub(super) fn xml(protection: &Protection<'_>, xml: &[u8], header_hash: Option<&str>) -> Result<Source, ImportError> {
    let stream = protection.stream().ok_or_else(|| damaged("its values are protected in an unknown way"))?;
    let xml = std::str::from_utf8(xml).map_err(|_| damaged("its content is not UTF-8"))?;
    let mut walk = Walk::new(stream, header_hash);
    document::walk(xml, &mut walk).ok_or_else(|| damaged("its content is no XML"))??;
    Ok(walk.source)
}

/// The fields that say something of a token.
const FIELDS: [&str; 16] = [
    "Title",
    "UserName",
    "otp",
    "TOTP Seed",
    "TOTP Settings",
    "TimeOtp-Secret",
    "TimeOtp-Secret-Hex",
    "TimeOtp-Secret-Base32",
    "TimeOtp-Secret-Base64",
    "TimeOtp-Algorithm",
    "TimeOtp-Length",
    "TimeOtp-Period",
    "HmacOtp-Secret",
    "HmacOtp-Secret-Hex",
    "HmacOtp-Secret-Base32",
    "HmacOtp-Secret-Base64",
];
const COUNTER: &str = "HmacOtp-Counter";

/// A group that the walk is in.
struct Group {
    name: Option<String>,
    /// Whether it is the recycle bin, or in it.
    is_bin: bool,
}

/// What is known on the way through a database.
struct Walk<'a> {
    stream: Stream,
    header_hash: Option<&'a str>,
    /// The identifier of the recycle bin, which stands before the groups.
    bin: Option<String>,
    groups: Vec<Group>,
    /// The entry that the walk is in.
    entry: Option<HashMap<&'static str, Zeroizing<String>>>,
    /// Earlier values of an entry, one in the other as far as a file says so.
    histories: usize,
    /// Which field the next value is of.
    key: Option<&'static str>,
    source: Source,
}

impl<'a> Walk<'a> {
    fn new(stream: Stream, header_hash: Option<&'a str>) -> Self {
        Self {
            stream,
            header_hash,
            bin: None,
            groups: Vec::new(),
            entry: None,
            histories: 0,
            key: None,
            source: Source::new(KeePass::NAME),
        }
    }
}

impl Visitor for Walk<'_> {
    type Error = ImportError;

    fn is_text_asked_for(&self, element: &str, parent: &str) -> bool {
        match element {
            "Key" | "Value" => parent == "String",
            "Name" | "UUID" => parent == "Group",
            "RecycleBinUUID" | "HeaderHash" => parent == "Meta",
            _ => false,
        }
    }

    fn begin(&mut self, element: &str) {
        match element {
            "Group" => {
                let is_bin = self.groups.last().is_some_and(|outer| outer.is_bin);
                self.groups.push(Group { name: None, is_bin });
            }
            "History" => self.histories += 1,
            "Entry" if self.histories == 0 => self.entry = Some(HashMap::new()),
            "String" => self.key = None,
            _ => {}
        }
    }

    fn end(&mut self, element: &str, parent: &str, text: &str, is_protected: bool) -> Result<(), ImportError> {
        // Everything that is protected uses the stream: attachments and earlier values, too.
        let opened = match is_protected {
            true => {
                let bytes = BASE64.decode(text.as_bytes());
                let mut bytes = bytes.map_err(|_| damaged("a protected value is not Base64"))?;
                self.stream.apply(&mut bytes);
                Some(Zeroizing::new(String::from_utf8(bytes).unwrap_or_default()))
            }
            false => None,
        };
        match (element, parent) {
            ("Group", _) => drop(self.groups.pop()),
            ("History", _) => self.histories = self.histories.saturating_sub(1),
            ("Entry", _) if self.histories == 0 => {
                let is_thrown_away = self.groups.last().is_some_and(|group| group.is_bin);
                if let Some(fields) = self.entry.take().filter(|_| !is_thrown_away) {
                    // The outermost group is the database itself.
                    let inner = self.groups.last().filter(|_| self.groups.len() > 1);
                    take(&mut self.source, &fields, inner.and_then(|group| group.name.as_deref()));
                }
            }
            ("Key", "String") => self.key = FIELDS.into_iter().chain([COUNTER]).find(|field| *field == text),
            ("Value", "String") => {
                if let (Some(key), 0, Some(fields)) = (self.key.take(), self.histories, &mut self.entry) {
                    fields.insert(key, opened.unwrap_or_else(|| Zeroizing::new(text.to_owned())));
                }
            }
            ("Name", "Group") => {
                if let Some(group) = self.groups.last_mut() {
                    group.name = Some(text.to_owned());
                }
            }
            ("UUID", "Group") => {
                if let Some(group) = self.groups.last_mut() {
                    group.is_bin |= self.bin.as_deref() == Some(text);
                }
            }
            ("RecycleBinUUID", "Meta") => self.bin = Some(text.to_owned()).filter(|bin| !bin.is_empty()),
            ("HeaderHash", "Meta") if self.header_hash.is_some_and(|hash| text.trim() != hash) => {
                return Err(damaged("its header was changed"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn take(source: &mut Source, fields: &HashMap<&'static str, Zeroizing<String>>, group: Option<&str>) {
    let field = |name: &str| fields.get(name).map(|value| value.as_str()).filter(|value| !value.trim().is_empty());
    let (title, user) = (field("Title").unwrap_or_default(), field("UserName").unwrap_or_default());
    let Some((draft, raw)) = token(&field, title, user) else {
        source.without_token += 1;
        return;
    };
    let draft = draft.map(|mut draft| {
        draft.groups.extend(group.map(str::to_owned));
        draft
    });
    source.push(text::title(title, user), draft, &raw);
}

/// The token of an entry in whichever dialect it has, with its text as it stands there. What follows one dialect is not
/// looked at: KeePassXC writes one only.
fn token<'a>(
    field: &dyn Fn(&str) -> Option<&'a str>,
    title: &str,
    user: &str,
) -> Option<(Result<Draft, Problem>, String)> {
    let said = || Said { issuer: title.to_owned(), account: user.to_owned(), ..Said::default() };
    if let Some(otp) = field("otp") {
        let draft = if otp.contains("://") { link(otp, title, user) } else { kee_otp(otp, said()) };
        return Some((draft, otp.to_owned()));
    }
    if let Some(seed) = field("TOTP Seed") {
        let settings = field("TOTP Settings").unwrap_or_default();
        return Some((tray(seed, settings, said()), format!("{seed}\n{settings}")));
    }
    // The dialects of KeePass 2.47 and later.
    let variants = [
        ("TimeOtp-Secret-Base32", "HmacOtp-Secret-Base32", TokenSecret::from_base32 as fn(&str) -> _),
        ("TimeOtp-Secret-Hex", "HmacOtp-Secret-Hex", TokenSecret::from_hex),
        ("TimeOtp-Secret-Base64", "HmacOtp-Secret-Base64", TokenSecret::from_base64),
        ("TimeOtp-Secret", "HmacOtp-Secret", |text| TokenSecret::from_bytes(text.as_bytes().to_vec())),
    ];
    for (time, counter, decode) in variants {
        if let Some(secret) = field(time) {
            let number = |name| {
                field(name)
                    .map(|text: &str| text.trim().parse::<u64>().map_err(|_| Problem::Malformed(name)))
                    .transpose()
            };
            let draft = (|| {
                let said = Said {
                    algorithm: field("TimeOtp-Algorithm"),
                    digits: number("TimeOtp-Length")?,
                    period: number("TimeOtp-Period")?,
                    ..said()
                };
                said.with(decode(secret)?)
            })();
            return Some((draft, secret.to_owned()));
        }
        if let Some(secret) = field(counter) {
            let count = field(COUNTER).and_then(|text| text.trim().parse().ok());
            let draft = decode(secret)
                .map_err(Problem::from)
                .and_then(|secret| Said { kind: "hotp", counter: count, ..said() }.with(secret));
            return Some((draft, secret.to_owned()));
        }
    }
    None
}

fn link(otp: &str, title: &str, user: &str) -> Result<Draft, Problem> {
    let mut draft = Draft::from_uri(otp)?;
    // KeePassXC writes its own entry's names; a link without any gets them.
    if draft.spec.issuer.is_empty() {
        title.clone_into(&mut draft.spec.issuer);
    }
    if draft.spec.account.is_empty() || draft.spec.account == "none" {
        user.clone_into(&mut draft.spec.account);
    }
    Ok(draft)
}

/// KeeOtp: `key=BASE32&step=30&size=6&type=totp&otpHashMode=Sha256`.
fn kee_otp(otp: &str, said: Said<'_>) -> Result<Draft, Problem> {
    let value = |name: &str| {
        let mut pairs = otp.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.replace("%3d", "").replace("%3D", ""))
    };
    let number = |name: &'static str| {
        value(name).map(|text| text.parse::<u64>().map_err(|_| Problem::Malformed(name))).transpose()
    };
    let kind = value("type").unwrap_or_default();
    let algorithm = value("otpHashMode");
    let said = Said {
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: number("size")?,
        period: number("step")?,
        counter: number("counter")?,
        ..said
    };
    said.with_text(&value("key").ok_or(Problem::Missing("key"))?)
}

/// KeeTrayTOTP: a secret, and `30;6` or `30;S` beside it.
fn tray(seed: &str, settings: &str, said: Said<'_>) -> Result<Draft, Problem> {
    let mut parts = settings.split(';');
    let number = |part: Option<&str>| match part.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| Problem::Malformed("TOTP Settings")),
    };
    let period = number(parts.next())?;
    let size = parts.next().map(str::trim);
    let said = match size {
        Some("S" | "s") => Said { kind: "steam", ..said },
        size => Said { period, digits: number(size)?, ..said },
    };
    said.with_text(seed)
}
