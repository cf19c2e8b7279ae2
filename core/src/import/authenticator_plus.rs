//! Authenticator Plus: its encrypted archive with links, and its encrypted database (SQLCipher 3).

use aes::Aes256;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding};
use hmac::{KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, archive, crypt,
    input::Input,
    kdf, sqlite,
    table::Importer,
    text::{self, Said},
    uris,
};
use crate::token::TokenSecret;

/// Authenticator Plus's export.
pub(super) struct AuthenticatorPlus;

/// The file in the archive.
const FILE: &str = "Accounts.txt";
/// Bytes of a page of the database, and what of them SQLite does not use: nonce, HMAC and filling.
const PAGE: usize = 1024;
const RESERVED: usize = 48;
/// Rounds of PBKDF2 of the key, and of the key that authenticates.
const ROUNDS: u64 = 64_000;
const MAC_ROUNDS: u64 = 2;

impl Importer for AuthenticatorPlus {
    const ID: &'static str = "authenticator-plus";
    const NAME: &'static str = "Authenticator Plus";
    const EXTENSIONS: &'static [&'static str] = &["zip", "db"];
    const PASSWORD: PasswordUse = PasswordUse::Always;

    fn recognise(input: &Input<'_>) -> Recognised {
        if archive::has(input.bytes, |name| name == FILE) {
            return Recognised::Yes;
        }
        let whole_pages = !input.bytes.is_empty() && input.bytes.len().is_multiple_of(PAGE);
        let database = whole_pages
            && input.text.is_none()
            && !input.bytes.starts_with(b"SQLite")
            && !input.bytes.starts_with(b"PK");
        if database { Recognised::Perhaps } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let mut source = Source::new(Self::NAME);
        if input.bytes.starts_with(b"PK") {
            let bytes = archive::read(Self::NAME, input.bytes, |name| name == FILE, unlock)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| ImportError::damaged(Self::NAME, "it is not UTF-8"))?;
            uris::take(&mut source, text, |_| {})?;
            return Ok(source);
        }
        let Some(password) = unlock.password else {
            return Err(ImportError::PasswordNeeded { format: Self::NAME });
        };
        let plain = decrypted(input.bytes, password.expose().as_bytes())?;
        let damaged = |error: sqlite::Damaged| ImportError::damaged(Self::NAME, error.to_string());
        for row in sqlite::Database::open(&plain).and_then(|db| db.table("accounts")).map_err(damaged)? {
            source.push(text::title(&row.text("issuer"), &row.text("email")), draft(&row), &row.raw());
        }
        Ok(source)
    }
}

/// The database as SQLite would see it. <https://www.zetetic.net/sqlcipher/design/>
fn decrypted(bytes: &[u8], password: &[u8]) -> Result<crypt::Plain, ImportError> {
    let wrong = ImportError::WrongPassword { format: AuthenticatorPlus::NAME };
    let salt = bytes.get(..16).ok_or_else(|| wrong.clone())?;
    let key = kdf::pbkdf2::<Sha1>(password, salt, ROUNDS, 32)?;
    let mac_salt: Vec<u8> = salt.iter().map(|byte| byte ^ 0x3a).collect();
    let mac_key = kdf::pbkdf2::<Sha1>(&key, &mac_salt, MAC_ROUNDS, 32)?;
    let mut plain = crypt::Plain::new(Vec::with_capacity(bytes.len()));
    for (index, page) in bytes.chunks_exact(PAGE).enumerate() {
        // The first page begins with the salt in place of SQLite's magic.
        let from = if index == 0 { 16 } else { 0 };
        let (content, reserved) = page[from..].split_at(PAGE - RESERVED - from);
        let (iv, mac) = (&reserved[..16], &reserved[16..36]);
        let Ok(hmac) = hmac::Hmac::<Sha1>::new_from_slice(&mac_key) else { return Err(wrong) };
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX).to_le_bytes();
        let made = hmac.chain_update(content).chain_update(iv).chain_update(number).finalize().into_bytes();
        if !bool::from(made.as_slice().ct_eq(mac)) {
            return Err(wrong);
        }
        if index == 0 {
            plain.extend_from_slice(b"SQLite format 3\0");
        }
        let mut block = crypt::Plain::new(content.to_vec());
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&key, iv).map_err(|_| wrong.clone())?;
        cipher.decrypt_padded::<NoPadding>(&mut block).map_err(|_| wrong.clone())?;
        plain.extend_from_slice(&block);
        plain.resize((index + 1) * PAGE, 0);
    }
    Ok(plain)
}

fn draft(row: &sqlite::Row) -> Result<Draft, Problem> {
    /// A token of Battle.net: its secret is hexadecimal, its codes have eight digits.
    const BLIZZARD: u64 = 2;

    let (issuer, account) = (row.text("issuer"), row.text("email"));
    let (issuer, account) = match issuer.is_empty() {
        false => (issuer, account),
        true => match row.text("original_name").split_once(':') {
            Some((issuer, _)) if !issuer.is_empty() => (issuer.to_owned(), account),
            _ => (String::new(), account),
        },
    };
    let kind = row.number("type").unwrap_or(0);
    let said = Said {
        issuer,
        account,
        kind: if kind == 1 { "hotp" } else { "totp" },
        digits: (kind == BLIZZARD).then_some(8),
        counter: row.number("counter"),
        ..Said::default()
    };
    let secret = row.text("secret");
    let mut draft = match kind {
        0 | 1 => said.with_text(&secret)?,
        BLIZZARD => said.with(TokenSecret::from_hex(&secret)?)?,
        other => return Err(Problem::Kind(other.to_string())),
    };
    let category = row.text("category");
    if !category.is_empty() && category != "All Accounts" {
        draft.groups.push(category);
    }
    Ok(draft)
}
