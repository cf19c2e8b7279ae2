//! Stratum, which was Authenticator Pro: its backup (plain, encrypted, and encrypted in the legacy way) and its database.

use std::{collections::HashMap, rc::Rc};

use sha1::Sha1;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, crypt,
    input::Input,
    json::{self, Object},
    kdf,
    record::MAX_GROUPS,
    sqlite,
    table::Importer,
    text::{self, Said},
};

/// Stratum's backup.
pub(super) struct Stratum;

/// Begins an encrypted backup.
const STRONG: &[u8] = b"AUTHENTICATORPRO";
/// Begins an encrypted backup of older versions.
const LEGACY: &[u8] = b"AuthenticatorPro";
/// Argon2id of the strong one: memory in KiB, passes, lanes.
const COST: (u64, u64, u64) = (64 * 1024, 3, 4);
/// Rounds of PBKDF2 of the legacy one.
const ROUNDS: u64 = 64_000;

impl Importer for Stratum {
    const ID: &'static str = "stratum";
    const NAME: &'static str = "Stratum";
    const EXTENSIONS: &'static [&'static str] = &["stratum", "authpro", "bin", "json", "db3"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        let json = input.object().is_some_and(|object| object.has("Authenticators"));
        let sealed = input.bytes.starts_with(STRONG) || input.bytes.starts_with(LEGACY);
        let database = sqlite::has_table(input.bytes, "authenticator");
        if json || sealed || database { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        if let Some(outer) = input.object() {
            return backup(outer);
        }
        if !input.bytes.starts_with(STRONG) && !input.bytes.starts_with(LEGACY) {
            return database(input.bytes);
        }
        let plain = open(input.bytes, unlock)?;
        let damaged = |_| ImportError::damaged(Self::NAME, "its content is no JSON");
        backup(&json::object_of(std::str::from_utf8(&plain).map_err(|_| damaged(()))?).map_err(|_| damaged(()))?)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        Entry::of(&json::record(raw)?)?.draft(&Categories::new())
    }
}

fn open(bytes: &[u8], unlock: Unlock<'_>) -> Result<crypt::Plain, ImportError> {
    let strong = bytes.starts_with(STRONG);
    let (salt_bytes, iv_bytes) = if strong { (16, 12) } else { (20, 16) };
    let short = || ImportError::damaged(Stratum::NAME, "it is cut off");
    let (salt, rest) = bytes[STRONG.len()..].split_at_checked(salt_bytes).ok_or_else(short)?;
    let (iv, sealed) = rest.split_at_checked(iv_bytes).ok_or_else(short)?;
    if sealed.len() < 16 {
        return Err(short());
    }
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: Stratum::NAME });
    };
    let password = password.expose().as_bytes();
    let plain = if strong {
        crypt::gcm(&kdf::argon2(argon2::Algorithm::Argon2id, password, salt, COST, 32, unlock)?, iv, &[], sealed)
    } else {
        // Nothing authenticates it: only what begins like a backup is one.
        let plain = crypt::cbc_aes256(&kdf::pbkdf2::<Sha1>(password, salt, ROUNDS, 32)?, iv, sealed);
        plain.filter(|plain| plain.trim_ascii_start().starts_with(b"{"))
    };
    plain.ok_or(ImportError::WrongPassword { format: Stratum::NAME })
}

/// Names of the categories of each secret.
type Categories = HashMap<String, Vec<Rc<str>>>;

fn backup(outer: &Object<'_>) -> Result<Source, ImportError> {
    let wrong = |problem: Problem| ImportError::outer(Stratum::NAME, &problem);
    let objects = |name| -> Result<Vec<Object<'_>>, ImportError> {
        let items = outer.list(name).map_err(wrong)?;
        Ok(items.into_iter().filter_map(|item| json::object_of(item.get()).ok()).collect())
    };
    let text = |object: &Object<'_>, name| object.text(name).ok().flatten().unwrap_or_default();
    let names = outer.names("Categories", "Id", "Name").map_err(wrong)?;
    let mut categories = Categories::new();
    for binding in objects("AuthenticatorCategories")? {
        if let Some(name) = names.get(&text(&binding, "CategoryId")) {
            categories.entry(text(&binding, "AuthenticatorSecret")).or_default().push(name.clone());
        }
    }
    let mut source = Source::new(Stratum::NAME);
    for raw in outer.list("Authenticators").map_err(wrong)? {
        let name = |object: &Object<'_>| text::title(&text(object, "Issuer"), &text(object, "Username"));
        source.push_object(raw.get(), name, |object| Entry::of(object)?.draft(&categories));
    }
    Ok(source)
}

fn database(bytes: &[u8]) -> Result<Source, ImportError> {
    let damaged = |error: sqlite::Damaged| ImportError::damaged(Stratum::NAME, error.to_string());
    let database = sqlite::Database::open(bytes).map_err(damaged)?;
    let names: HashMap<String, Rc<str>> = match database.table("category") {
        Ok(rows) => rows.iter().map(|row| (row.text("id"), Rc::from(row.text("name")))).collect(),
        Err(_) => HashMap::new(),
    };
    let mut categories = Categories::new();
    for binding in database.table("authenticatorcategory").unwrap_or_default() {
        if let Some(name) = names.get(&binding.text("categoryId")) {
            categories.entry(binding.text("authenticatorSecret")).or_default().push(name.clone());
        }
    }
    let mut source = Source::new(Stratum::NAME);
    for row in database.table("authenticator").map_err(damaged)? {
        let entry = Entry {
            kind: row.number("type"),
            issuer: row.text("issuer"),
            username: row.text("username"),
            secret: row.text("secret"),
            pin: Some(row.text("pin")),
            algorithm: row.number("algorithm"),
            digits: row.number("digits"),
            period: row.number("period"),
            counter: row.number("counter"),
        };
        source.push(text::title(&entry.issuer, &entry.username), entry.draft(&categories), &row.raw());
    }
    Ok(source)
}

/// One token as both kinds of file have it.
struct Entry {
    kind: Option<u64>,
    issuer: String,
    username: String,
    secret: String,
    pin: Option<String>,
    algorithm: Option<u64>,
    digits: Option<u64>,
    period: Option<u64>,
    counter: Option<u64>,
}

impl Entry {
    /// As the backup has it.
    fn of(object: &Object<'_>) -> Result<Self, Problem> {
        Ok(Self {
            kind: object.number("Type")?,
            issuer: object.text_or_empty("Issuer")?,
            username: object.text_or_empty("Username")?,
            secret: object.needed("Secret")?,
            pin: object.text("Pin")?,
            algorithm: object.number("Algorithm")?,
            digits: object.number("Digits")?,
            period: object.number("Period")?,
            counter: object.number("Counter")?,
        })
    }

    fn draft(self, categories: &Categories) -> Result<Draft, Problem> {
        let kind = match self.kind {
            Some(1) => "hotp",
            Some(2) => "totp",
            Some(3) => "motp",
            Some(4) => "steam",
            Some(5) => "yandex",
            other => return Err(Problem::Kind(other.map(|kind| kind.to_string()).unwrap_or_default())),
        };
        let algorithm = match self.algorithm {
            None | Some(0) => "SHA1".to_owned(),
            Some(1) => "SHA256".to_owned(),
            Some(2) => "SHA512".to_owned(),
            Some(other) => other.to_string(),
        };
        let said = Said {
            issuer: self.issuer,
            account: self.username,
            kind,
            algorithm: Some(&algorithm),
            digits: self.digits,
            period: self.period,
            counter: self.counter,
            pin: self.pin,
        };
        let mut draft = said.with_text(&self.secret)?;
        let names = categories.get(&self.secret).into_iter().flatten();
        draft.groups = names.map(|name| String::from(&**name)).take(MAX_GROUPS + 1).collect();
        Ok(draft)
    }
}
