//! Version 1 of the content, as structs that know exactly its fields.

use std::borrow::Cow;

use data_encoding::BASE32_NOPAD;
use serde::Deserialize;

use crate::{
    secret::SecretText,
    token::{self, Algorithm, Digits, Kind, KindName, Period, TokenSecret, TokenSpec},
    vault::{content, json::Fields},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content<'a> {
    pub(super) content_version: u64,
    #[serde(borrow)]
    pub(super) tokens: Vec<Token<'a>>,
    #[serde(borrow, default)]
    pub(super) groups: Vec<Group<'a>>,
    #[serde(borrow, default)]
    pub(super) trash: Vec<Token<'a>>,
    #[serde(borrow, default)]
    pub(super) imports: Vec<Import<'a>>,
    #[serde(borrow, default)]
    pub(super) settings: Fields<'a>,
    #[serde(borrow, default)]
    pub(super) app_keys: Fields<'a>,
}

/// The fields of a token but `spec`, `registration` and `history`, which have fields of their own.
pub(super) const TOKEN_FIELDS: [&str; 9] =
    ["id", "groups", "favourite", "note", "icon", "created_at", "updated_at", "used_at", "use_count"];

/// A token in the list or, with `removed_at`, in the trash.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token<'a> {
    id: &'a str,
    removed_at: Option<u64>,
    #[serde(borrow)]
    spec: Spec<'a>,
    #[serde(borrow, default)]
    groups: Vec<&'a str>,
    #[serde(default)]
    favourite: bool,
    #[serde(borrow, default)]
    note: Cow<'a, str>,
    icon: Option<String>,
    created_at: u64,
    updated_at: u64,
    used_at: Option<u64>,
    #[serde(default)]
    use_count: u64,
    registration: Option<Registration>,
    #[serde(borrow, default)]
    history: Vec<Revision<'a>>,
}

/// The fields that every kind has.
pub(super) const SPEC_FIELDS: [&str; 7] =
    ["issuer", "account", "kind", "secret", "secret_text", "label_issuer", "uri_parameters"];

/// The further fields of a kind.
pub(in crate::vault::content) fn kind_fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "totp" => &["algorithm", "digits", "period"],
        "hotp" => &["algorithm", "digits", "counter"],
        "motp" | "yandex" => &["pin"],
        _ => &[],
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec<'a> {
    #[serde(borrow)]
    issuer: Cow<'a, str>,
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    algorithm: Option<&'a str>,
    digits: Option<u64>,
    period: Option<u64>,
    counter: Option<u64>,
    pin: Option<String>,
    #[serde(borrow)]
    secret: Cow<'a, str>,
    secret_text: Option<String>,
    label_issuer: Option<String>,
    #[serde(default)]
    uri_parameters: Vec<(String, String)>,
}

pub(super) const REGISTRATION_FIELDS: [&str; 7] =
    ["server", "token_id", "app_id", "registered_at", "moved_at", "taken_back", "exportable"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    server: String,
    token_id: String,
    app_id: String,
    registered_at: u64,
    moved_at: Option<u64>,
    taken_back: Option<bool>,
    exportable: Option<bool>,
}

/// The fields of a revision but `spec`.
pub(super) const REVISION_FIELDS: [&str; 2] = ["replaced_at", "note"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revision<'a> {
    replaced_at: u64,
    #[serde(borrow)]
    spec: Spec<'a>,
    #[serde(borrow, default)]
    note: Cow<'a, str>,
}

pub(super) const GROUP_FIELDS: [&str; 2] = ["id", "name"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group<'a> {
    id: &'a str,
    name: String,
}

pub(super) const IMPORT_FIELDS: [&str; 4] = ["at", "source", "added", "groups"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Import<'a> {
    at: u64,
    source: String,
    #[serde(borrow)]
    added: Vec<&'a str>,
    #[serde(borrow, default)]
    groups: Vec<&'a str>,
}

impl Token<'_> {
    pub(super) fn into_token(self) -> Result<token::Token, String> {
        match self.removed_at {
            None => self.convert(),
            Some(_) => Err("it has the field `removed_at`".to_owned()),
        }
    }

    pub(super) fn into_trashed(self) -> Result<content::Trashed, String> {
        let removed_at = self.removed_at.ok_or("missing field `removed_at`")?;
        Ok(content::Trashed { removed_at, token: self.convert()? })
    }

    fn convert(self) -> Result<token::Token, String> {
        let registration = self.registration.map(|registration| token::Registration {
            server: registration.server,
            token_id: registration.token_id,
            app_id: registration.app_id,
            registered_at: registration.registered_at,
            moved_at: registration.moved_at,
            taken_back: registration.taken_back.unwrap_or(false),
            exportable: registration.exportable.unwrap_or(true),
        });
        let revision = |revision: Revision<'_>| {
            Ok(token::Revision {
                replaced_at: revision.replaced_at,
                spec: revision.spec.convert()?,
                note: revision.note.into_owned(),
            })
        };
        Ok(token::Token {
            id: id(self.id)?,
            spec: self.spec.convert()?,
            groups: ids(self.groups)?,
            favourite: self.favourite,
            note: self.note.into_owned(),
            icon: self.icon,
            created_at: self.created_at,
            updated_at: self.updated_at,
            used_at: self.used_at,
            use_count: self.use_count,
            registration,
            history: self.history.into_iter().map(revision).collect::<Result<_, String>>()?,
        })
    }
}

impl Spec<'_> {
    fn convert(self) -> Result<TokenSpec, String> {
        let name: KindName = match KindName::ALL.into_iter().find(|kind| kind.name() == self.kind) {
            Some(name) => name,
            None => return Err(format!("its kind {:?} is unknown", self.kind)),
        };
        let irrelevant = |there: bool, field: &str| match there {
            true => Err(format!("a {name} token has no {field}")),
            false => Ok(()),
        };
        let has_pin = matches!(name, KindName::Motp | KindName::Yandex);
        irrelevant(self.period.is_some() && name != KindName::Totp, "period")?;
        irrelevant(self.counter.is_some() && name != KindName::Hotp, "counter")?;
        irrelevant(self.pin.is_some() && !has_pin, "pin")?;
        let fixed = !matches!(name, KindName::Totp | KindName::Hotp);
        irrelevant((self.algorithm.is_some() || self.digits.is_some()) && fixed, "algorithm and digits")?;

        let algorithm = || match self.algorithm {
            Some("SHA1") => Ok(Algorithm::Sha1),
            Some("SHA256") => Ok(Algorithm::Sha256),
            Some("SHA512") => Ok(Algorithm::Sha512),
            Some(_) => Err("its algorithm is unknown"),
            None => Err("missing field `algorithm`"),
        };
        let digits = || Digits::new(self.digits.ok_or("missing field `digits`")?).map_err(|error| error.to_string());
        let pin = self.pin.map(SecretText::new);
        let kind = match name {
            KindName::Totp => {
                let period = Period::new(self.period.ok_or("missing field `period`")?);
                Kind::Totp {
                    algorithm: algorithm()?,
                    digits: digits()?,
                    period: period.map_err(|error| error.to_string())?,
                }
            }
            KindName::Hotp => Kind::Hotp {
                algorithm: algorithm()?,
                digits: digits()?,
                counter: self.counter.ok_or("missing field `counter`")?,
            },
            KindName::Steam => Kind::Steam,
            KindName::Motp => Kind::Motp { pin },
            KindName::Yandex => Kind::Yandex { pin },
        };
        let bytes = BASE32_NOPAD.decode(self.secret.as_bytes()).map_err(|_| "its secret is no Base32")?;
        let text = self.secret_text.unwrap_or_else(|| self.secret.into_owned());
        let secret = TokenSecret::from_parts(bytes, text).map_err(|error| error.to_string())?;
        Ok(TokenSpec {
            issuer: self.issuer.into_owned(),
            account: self.account.into_owned(),
            kind,
            secret,
            label_issuer: self.label_issuer,
            uri_parameters: self.uri_parameters,
        })
    }
}

impl Group<'_> {
    pub(super) fn into_group(self) -> Result<token::Group, String> {
        Ok(token::Group { id: id(self.id)?, name: self.name })
    }
}

impl Import<'_> {
    pub(super) fn into_import(self) -> Result<content::Import, String> {
        Ok(content::Import { at: self.at, source: self.source, added: ids(self.added)?, groups: ids(self.groups)? })
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "its id is no identifier".to_owned())
}

fn ids<T: std::str::FromStr>(texts: Vec<&str>) -> Result<Vec<T>, String> {
    texts.into_iter().map(id).collect()
}
