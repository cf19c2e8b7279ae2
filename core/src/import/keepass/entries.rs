//! The entries of a database, and the dialects in which they keep a token.

use std::collections::HashMap;

use cbc::cipher::{KeyIvInit, StreamCipher};
use chacha20::ChaCha20;
use data_encoding::BASE64;
use roxmltree::Node;
use salsa20::Salsa20;
use sha2::{Digest, Sha256, Sha512};
use zeroize::Zeroizing;

use super::{KeePass, damaged};
use crate::{
    import::{
        Draft, ImportError, Problem, Source, prefs,
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
pub(super) fn xml(protection: &Protection<'_>, xml: &[u8], header_hash: Option<&str>) -> Result<Source, ImportError> {
    let mut stream = protection.stream().ok_or_else(|| damaged("its values are protected in an unknown way"))?;
    let xml = std::str::from_utf8(xml).map_err(|_| damaged("its content is not UTF-8"))?;
    let document = prefs::parse(xml).ok_or_else(|| damaged("its content is no XML"))?;
    let root = document.root_element();
    let bin = root.descendants().find(|node| node.has_tag_name("RecycleBinUUID")).and_then(|node| node.text());
    let said = root.descendants().find(|node| node.has_tag_name("HeaderHash")).and_then(|node| node.text());
    if let (Some(said), Some(hash)) = (said, header_hash)
        && said.trim() != hash
    {
        return Err(damaged("its header was changed"));
    }

    // Every protected value uses the stream, also those of entries that nobody asks for.
    let mut values: HashMap<roxmltree::NodeId, Zeroizing<String>> = HashMap::new();
    for node in root.descendants().filter(|node| node.has_tag_name("Value")) {
        let text = node.text().unwrap_or_default();
        let value = if node.attribute("Protected").is_some_and(|protected| protected.eq_ignore_ascii_case("true")) {
            let mut bytes = BASE64.decode(text.as_bytes()).map_err(|_| damaged("a protected value is not Base64"))?;
            stream.apply(&mut bytes);
            String::from_utf8(bytes).unwrap_or_default()
        } else {
            text.to_owned()
        };
        values.insert(node.id(), Zeroizing::new(value));
    }
    let mut source = Source::new(KeePass::NAME);
    for entry in root.descendants().filter(|node| node.has_tag_name("Entry")) {
        let group = entry.parent();
        // Earlier values of an entry, and what was thrown away.
        let is_history = group.is_some_and(|group| group.has_tag_name("History"));
        if is_history || entry.ancestors().any(|node| node.has_tag_name("Group") && bin.is_some() && uuid(node) == bin)
        {
            continue;
        }
        take(&mut source, entry, group, &values);
    }
    Ok(source)
}

fn uuid<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.children().find(|child| child.has_tag_name("UUID")).and_then(|child| child.text())
}

fn take(
    source: &mut Source,
    entry: Node<'_, '_>,
    group: Option<Node<'_, '_>>,
    values: &HashMap<roxmltree::NodeId, Zeroizing<String>>,
) {
    let mut fields: HashMap<&str, &str> = HashMap::new();
    for string in entry.children().filter(|node| node.has_tag_name("String")) {
        let child = |name| string.children().find(|node| node.has_tag_name(name));
        let key = child("Key").and_then(|node| node.text());
        if let (Some(key), Some(value)) = (key, child("Value").and_then(|node| values.get(&node.id()))) {
            fields.insert(key, value);
        }
    }
    let field = |name: &str| fields.get(name).copied().filter(|value| !value.trim().is_empty());
    let (title, user) = (field("Title").unwrap_or_default(), field("UserName").unwrap_or_default());
    let Some((draft, raw)) = token(&field, title, user) else {
        source.without_token += 1;
        return;
    };
    let draft = draft.map(|mut draft| {
        // The outermost group is the database itself.
        let inner = group.filter(|group| group.parent().is_some_and(|parent| parent.has_tag_name("Group")));
        let name =
            inner.and_then(|group| group.children().find(|node| node.has_tag_name("Name"))).and_then(|n| n.text());
        draft.groups.extend(name.map(str::to_owned));
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
            let count = field("HmacOtp-Counter").and_then(|text| text.trim().parse().ok());
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
