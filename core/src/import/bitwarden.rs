//! Bitwarden: its export of a whole vault, as JSON (plain, or protected by a password) or CSV.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    Draft, ImportError, MAX_RECORDS, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf,
    rows::Rows,
    table::Importer,
    text::{self, Said},
};

/// Bitwarden's export.
pub(super) struct Bitwarden;

impl Importer for Bitwarden {
    const ID: &'static str = "bitwarden";
    const NAME: &'static str = "Bitwarden";
    const EXTENSIONS: &'static [&'static str] = &["json", "csv"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let json = input.object().is_some_and(|object| {
            object.has("encrypted")
                && (object.has("items") || object.has("data") || object.has("encKeyValidation_DO_NOT_EDIT"))
        });
        let csv = input
            .text
            .and_then(|text| text.lines().next())
            .is_some_and(|head| head.contains("login_totp") && head.contains("login_uri"));
        if json || csv { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let Some(outer) = input.object() else { return csv(input.text.unwrap_or_default()) };
        if !outer.flag("encrypted") {
            return items(outer);
        }
        if !outer.flag("passwordProtected") {
            return Err(ImportError::Refused {
                what: "this Bitwarden export is restricted to its account, and only Bitwarden can open it",
                instead: "export again and choose the file type .json, or \"password protected\" with a password of its own",
            });
        }
        let plain = open(outer, unlock)?;
        let wrong = |_| ImportError::damaged(Self::NAME, "its content is no JSON");
        items(&json::object_of(std::str::from_utf8(&plain).map_err(|_| wrong(()))?).map_err(|_| wrong(()))?)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        token(raw, "", "")
    }
}

/// Derives the key as the file says, stretches it, and opens its data.
fn open(outer: &Object<'_>, unlock: Unlock<'_>) -> Result<crypt::Plain, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(Bitwarden::NAME, &problem);
    let salt = outer.needed("salt").map_err(wrong)?;
    let data = outer.needed("data").map_err(wrong)?;
    let number = |name| outer.number(name).and_then(|n| n.ok_or(Problem::Missing(name))).map_err(wrong);
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: Bitwarden::NAME });
    };
    let password = password.expose().as_bytes();
    let rounds = number("kdfIterations")?;
    let key = match number("kdfType")? {
        // The salt is the text itself, though it is Base64.
        0 => kdf::pbkdf2::<Sha256>(password, salt.as_bytes(), rounds, 32)?,
        1 => {
            let cost = (number("kdfMemory")?.saturating_mul(1024), rounds, number("kdfParallelism")?);
            let salt = Sha256::digest(salt.as_bytes());
            kdf::argon2(argon2::Algorithm::Argon2id, password, &salt, cost, 32, unlock)?
        }
        other => {
            return Err(ImportError::Newer { format: Bitwarden::NAME, version: format!("key derivation {other}") });
        }
    };
    // HKDF-Expand (RFC 5869, section 2.3) to one block, without the extraction.
    let stretched = |info: &[u8]| crypt::hmac_sha256(&key, &[info, &[1]]);
    let damaged = || ImportError::damaged(Bitwarden::NAME, "its encrypted data is not whole");
    let parts = data.strip_prefix("2.").ok_or_else(damaged)?;
    let parts: Result<Vec<Vec<u8>>, _> = parts.split('|').map(|part| BASE64.decode(part.as_bytes())).collect();
    let parts = parts.map_err(|_| damaged())?;
    let [iv, sealed, mac] = parts.as_slice() else { return Err(damaged()) };
    if !bool::from(crypt::hmac_sha256(&stretched(b"mac"), &[iv, sealed]).ct_eq(mac)) {
        return Err(ImportError::WrongPassword { format: Bitwarden::NAME });
    }
    crypt::cbc_aes256(&stretched(b"enc"), iv, sealed).ok_or_else(damaged)
}

fn items(vault: &Object<'_>) -> Result<Source, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(Bitwarden::NAME, &problem);
    // Folders of a person, collections of an organisation.
    let mut folders = vault.names("folders", "id", "name").map_err(wrong)?;
    folders.extend(vault.names("collections", "id", "name").map_err(wrong)?);
    let mut source = Source::new(Bitwarden::NAME);
    for raw in vault.list("items").map_err(wrong)? {
        let Ok(item) = json::object_of(raw.get()) else {
            source.push("", Err(Problem::Shape), raw.get());
            continue;
        };
        let login = item.object("login").ok().flatten();
        let totp = login.as_ref().and_then(|login| login.text("totp").ok().flatten());
        let Some(totp) = totp.filter(|totp| !totp.trim().is_empty()) else {
            source.without_token += 1;
            continue;
        };
        let name = item.text("name").ok().flatten().unwrap_or_default();
        let user = login.and_then(|login| login.text("username").ok().flatten()).unwrap_or_default();
        let draft = token(&totp, &name, &user).and_then(|mut draft| {
            // Notes are Bitwarden's own matter and stay there, with the passwords.
            draft.favourite = item.flag("favorite");
            let folder = item.text("folderId")?.and_then(|id| folders.get(&id)).map(|name| String::from(&**name));
            draft.groups.extend(folder);
            draft.groups.extend(item.groups("collectionIds", &folders)?);
            Ok(draft)
        });
        // Only what belongs to the token is kept of a login that could not be read: never its password.
        source.push(name, draft, &totp);
    }
    Ok(source)
}

/// A link, or a secret alone.
pub(super) fn token(totp: &str, name: &str, user: &str) -> Result<Draft, Problem> {
    let totp = totp.trim();
    if totp.contains("://") {
        let mut draft = Draft::from_uri(totp)?;
        // `steam://` and nameless links have no name of their own.
        let nameless = draft.spec.issuer.is_empty() && draft.spec.account.is_empty();
        if nameless || totp.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("steam://")) {
            name.clone_into(&mut draft.spec.issuer);
            user.clone_into(&mut draft.spec.account);
            draft.remarks.retain(|remark| *remark != super::Remark::Link(crate::uri::Warning::NameMissing));
        }
        return Ok(draft);
    }
    Said { issuer: name.to_owned(), account: user.to_owned(), ..Said::default() }.with_text(totp)
}

fn csv(text: &str) -> Result<Source, ImportError> {
    let damaged = |_| ImportError::damaged(Bitwarden::NAME, "its table cannot be read");
    let mut source = Source::new(Bitwarden::NAME);
    let mut rows = Rows::new(text);
    let head = rows.next().map_err(damaged)?.unwrap_or_default();
    let column = |name: &str| head.iter().position(|title| title == name);
    let (folder, favourite, name, user) =
        (column("folder"), column("favorite"), column("name"), column("login_username"));
    let totp = column("login_totp").ok_or_else(|| ImportError::damaged(Bitwarden::NAME, "its table has no tokens"))?;
    while let Some(row) = rows.next().map_err(damaged)? {
        if source.count() >= MAX_RECORDS {
            return Err(ImportError::TooMany);
        }
        let cell = |column: Option<usize>| column.and_then(|column| row.get(column)).map_or("", String::as_str);
        let Some(link) = row.get(totp).filter(|totp| !totp.trim().is_empty()) else {
            source.without_token += 1;
            continue;
        };
        let draft = token(link, cell(name), cell(user)).map(|mut draft| {
            draft.favourite = cell(favourite) == "1";
            let folder = cell(folder);
            if !folder.is_empty() {
                draft.groups.push(folder.to_owned());
            }
            draft
        });
        source.push(text::title(cell(name), ""), draft, link);
    }
    Ok(source)
}
