//! 2FAS: its backup, schemas 1 to 4, plain or encrypted.

use data_encoding::BASE64;
use sha2::Sha256;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Remark, Source, Unlock, crypt,
    input::Input,
    json::{self, Names, Object},
    kdf,
    table::Importer,
    text::{self, Said},
};
use crate::uri::Part;

/// 2FAS's backup.
pub(super) struct TwoFas;

/// The newest schema.
const SCHEMA: u64 = 4;
/// Rounds of PBKDF2, the same in every version.
const ROUNDS: u64 = 10_000;

impl Importer for TwoFas {
    const ID: &'static str = "2fas";
    const NAME: &'static str = "2FAS";
    const EXTENSIONS: &'static [&'static str] = &["2fas", "json"];
    const PASSWORD: PasswordUse = PasswordUse::Sometimes;

    fn recognise(input: &Input<'_>) -> Recognised {
        match input.object() {
            Some(object) if object.has("schemaVersion") && object.has("services") => Recognised::Yes,
            _ => Recognised::No,
        }
    }

    fn read(input: &Input<'_>, unlock: Unlock<'_>) -> Result<Source, ImportError> {
        let outer = input.object().ok_or(ImportError::NotThis { format: Self::NAME })?;
        let wrong = |problem: Problem| ImportError::outer(Self::NAME, &problem);
        let schema = outer.number("schemaVersion").map_err(wrong)?.unwrap_or(1);
        if schema > SCHEMA {
            return Err(ImportError::Newer { format: Self::NAME, version: format!("schema {schema}") });
        }
        let groups = outer.names("groups", "id", "name").map_err(wrong)?;
        let mut source = Source::new(Self::NAME);
        match outer.text("servicesEncrypted").map_err(wrong)? {
            Some(sealed) if !sealed.is_empty() => {
                let plain = open(&sealed, unlock)?;
                let text = std::str::from_utf8(&plain).map_err(|_| wrong(Problem::Malformed("servicesEncrypted")))?;
                let items = json::list_of(text).map_err(|_| wrong(Problem::Malformed("servicesEncrypted")))?;
                services(&mut source, &items, schema, &groups);
            }
            _ => services(&mut source, &outer.list("services").map_err(wrong)?, schema, &groups),
        }
        Ok(source)
    }

    fn record(raw: &str) -> Result<Draft, Problem> {
        draft(&json::record(raw)?, SCHEMA, &Names::new())
    }
}

/// Ciphertext with its tag, salt and nonce, each in Base64, between colons.
fn open(sealed: &str, unlock: Unlock<'_>) -> Result<crypt::Plain, ImportError> {
    let damaged = || ImportError::damaged(TwoFas::NAME, "its encrypted part is not whole");
    let mut parts = sealed.split(':').map(|part| BASE64.decode(part.as_bytes()).map_err(|_| damaged()));
    let mut part = || parts.next().ok_or_else(damaged)?;
    let (ciphertext, salt, nonce) = (part()?, part()?, part()?);
    let Some(password) = unlock.password else {
        return Err(ImportError::PasswordNeeded { format: TwoFas::NAME });
    };
    let key = kdf::pbkdf2::<Sha256>(password.expose().as_bytes(), &salt, ROUNDS, 32)?;
    crypt::gcm(&key, &nonce, &[], &ciphertext).ok_or(ImportError::WrongPassword { format: TwoFas::NAME })
}

fn services(source: &mut Source, items: &[&serde_json::value::RawValue], schema: u64, groups: &Names) {
    for raw in items {
        let name = |service: &Object<'_>| service.text("name").ok().flatten().unwrap_or_default();
        source.push_object(raw.get(), name, |service| draft(service, schema, groups));
    }
}

fn draft(service: &Object<'_>, schema: u64, groups: &Names) -> Result<Draft, Problem> {
    let otp = service.object("otp")?;
    let text = |field| otp.as_ref().map_or(Ok(None), |otp| otp.text(field));
    let number = |field| otp.as_ref().map_or(Ok(None), |otp| otp.number(field));
    let name = service.text_or_empty("name")?;
    let issuer = text("issuer")?.filter(|issuer| !issuer.is_empty()).unwrap_or(name);
    let label = text("label")?.unwrap_or_default();
    let account = text("account")?.filter(|account| !account.is_empty());
    let account = account.unwrap_or_else(|| text::account_of(&label, &issuer));
    let kind = text("tokenType")?.unwrap_or_default();
    let algorithm = text("algorithm")?;
    let period = number("period")?;
    let said = Said {
        issuer,
        account,
        kind: &kind,
        algorithm: algorithm.as_deref(),
        digits: number("digits")?,
        period,
        counter: number("counter")?,
        pin: None,
    };
    let mut draft = said.with_text(&service.needed("secret")?)?;
    match schema {
        1 => draft.remark(Remark::Unsaid),
        // Before schema 3 there is no type, and a counter-based token shows only by its missing period.
        2 if period.is_none() => draft.remark(Remark::Assumed { part: Part::Period, taken: "30".to_owned() }),
        _ => {}
    }
    draft.groups.extend(service.text("groupId")?.and_then(|id| groups.get(&id)).map(|name| String::from(&**name)));
    Ok(draft)
}
