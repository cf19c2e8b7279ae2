//! OTPClient: its database, versions 1 to 3, and the list inside it.

use sha2::Sha512;
use zeroize::Zeroizing;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf,
    table::Importer,
    text::{self, Said},
};

/// OTPClient's database.
pub(super) struct OtpClient;

const MAGIC: &[u8] = b"OTPClient";
const IV: usize = 16;
const SALT: usize = 32;
/// Rounds of PBKDF2 in version 1.
const ROUNDS: u64 = 100_000;

impl Importer for OtpClient {
    const ID: &'static str = "otpclient";
    const NAME: &'static str = "OTPClient";
    const EXTENSIONS: &'static [&'static str] = &["enc"];
    const PASSWORD: PasswordUse = PasswordUse::Always;

    fn recognise(input: &Input<'_>) -> Recognised {
        if input.bytes.starts_with(MAGIC) {
            return Recognised::Yes;
        }
        // Version 1 begins with a nonce.
        let headerless = input.may_be_encrypted() && input.bytes.len() > IV + SALT + 16;
        if headerless { Recognised::Perhaps } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let Some(password) = unlock.password else {
            return Err(ImportError::PasswordNeeded { format: Self::NAME });
        };
        let header = Header::read(input.bytes)?;
        let (aad, sealed) = input.bytes.split_at(header.length);
        let mut plain = None;
        // Earlier versions took as many bytes of the password as it has characters.
        for bytes in spellings(password.expose(), header.cost.is_none()) {
            let key = match header.cost {
                Some(cost) => kdf::argon2(argon2::Algorithm::Argon2id, &bytes, header.salt, cost, 32, unlock)?,
                None => kdf::pbkdf2::<Sha512>(&bytes, header.salt, ROUNDS, 32)?,
            };
            plain = crypt::gcm(&key, header.iv, aad, sealed);
            if plain.is_some() {
                break;
            }
        }
        let plain = plain.ok_or(ImportError::WrongPassword { format: Self::NAME })?;
        // A text of C, which may end in a zero byte.
        let text = plain.strip_suffix(&[0]).unwrap_or(&plain);
        let damaged = |_| ImportError::damaged(Self::NAME, "its content is no list of tokens");
        let text = std::str::from_utf8(text).map_err(|_| damaged(()))?;
        let mut source = Source::new(Self::NAME);
        for raw in json::list_of(text).map_err(|_| damaged(()))? {
            source.push_object(raw.get(), name, draft);
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?)
    }
}

/// What stands before the ciphertext, which authenticates all of it.
struct Header<'a> {
    iv: &'a [u8],
    salt: &'a [u8],
    /// Argon2id: memory in KiB, passes, lanes. `None` is version 1.
    cost: Option<(u64, u64, u64)>,
    length: usize,
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, ImportError> {
        let short = || ImportError::damaged(OtpClient::NAME, "it is cut off");
        let part = |from: usize, length: usize| bytes.get(from..from + length).ok_or_else(short);
        let four = |from: usize| part(from, 4).map(|four| [four[0], four[1], four[2], four[3]]);
        if !bytes.starts_with(MAGIC) {
            let header = Self { iv: part(0, IV)?, salt: part(IV, SALT)?, cost: None, length: IV + SALT };
            return part(0, header.length + 16).map(|_| header);
        }
        // Version 3 is packed; version 2 was a struct in memory: its numbers are aligned, in the machine's order.
        let (from, number): (usize, fn([u8; 4]) -> u32) = if u32::from_be_bytes(four(MAGIC.len())?) == 3 {
            (MAGIC.len(), u32::from_be_bytes)
        } else {
            (MAGIC.len().next_multiple_of(4), u32::from_le_bytes)
        };
        let version = number(four(from)?);
        if !(2..=3).contains(&version) {
            return Err(ImportError::Newer { format: OtpClient::NAME, version: version.to_string() });
        }
        let at = from + 4 + IV + SALT;
        let (passes, memory, lanes) = (number(four(at)?), number(four(at + 4)?), number(four(at + 8)?));
        part(0, at + 12 + 16)?;
        Ok(Self {
            iv: part(from + 4, IV)?,
            salt: part(from + 4 + IV, SALT)?,
            cost: Some((memory.into(), passes.into(), lanes.into())),
            length: at + 12,
        })
    }
}

/// The password's bytes, and as many of them as it has characters.
fn spellings(password: &str, shortened_first: bool) -> Vec<Zeroizing<Vec<u8>>> {
    let whole = Zeroizing::new(password.as_bytes().to_vec());
    let shortened = Zeroizing::new(password.as_bytes()[..password.chars().count()].to_vec());
    match (whole == shortened, shortened_first) {
        (true, _) => vec![whole],
        (false, false) => vec![whole, shortened],
        (false, true) => vec![shortened, whole],
    }
}

fn name(entry: &Object<'_>) -> String {
    let text = |field| entry.text(field).ok().flatten().unwrap_or_default();
    text::title(&text("issuer"), &text("label"))
}

fn draft(entry: &Object<'_>) -> Result<Draft, Problem> {
    let issuer = entry.text_or_empty("issuer")?;
    let algorithm = entry.text("algo")?;
    let mut kind = entry.needed("type")?;
    // OTPClient knows Steam by the issuer's name alone.
    if issuer.eq_ignore_ascii_case("steam") && kind.eq_ignore_ascii_case("totp") {
        kind = "steam".to_owned();
    }
    let said = Said {
        issuer,
        account: entry.text_or_empty("label")?,
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: entry.number("digits")?,
        period: entry.number("period")?,
        counter: entry.number("counter")?,
        pin: None,
    };
    let mut draft = said.with_text(&entry.needed("secret")?)?;
    draft.groups.extend(entry.text("group")?.filter(|group| !group.is_empty()));
    Ok(draft)
}
