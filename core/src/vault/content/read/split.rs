//! Splits the fields that version 1 does not know off the ones that it does.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{field, parse, v1};
use crate::vault::{
    content::{Extra, Fields, write::JsonText},
    json,
};

/// A token's known fields as JSON, and the others.
pub(super) fn token(entry: &RawValue, trashed: bool) -> Result<(Zeroizing<String>, Extra), String> {
    let mut extra = Extra::default();
    let (all, mut known) = begin(entry)?;
    for (name, value) in all.0 {
        match &*name {
            "spec" => {
                let (text, fields) = spec(value)?;
                known.raw("spec", &text);
                extra.spec = fields;
            }
            "registration" if value.get() != "null" => {
                let (text, fields) = flat(value, &v1::REGISTRATION_FIELDS)?;
                known.raw("registration", &text);
                extra.registration = fields;
            }
            "history" => {
                known.key("history");
                known.open('[');
                for revision in parse::<Vec<&RawValue>>(value.get())? {
                    let (text, fields) = split_revision(revision)?;
                    known.item(&text);
                    extra.history.push(fields);
                }
                known.close(']');
            }
            "registration" => {}
            "removed_at" if trashed => known.raw("removed_at", value.get()),
            name if v1::TOKEN_FIELDS.contains(&name) => known.raw(name, value.get()),
            _ => extra.fields.push(field(&name, value)),
        }
    }
    known.close('}');
    if extra.history.iter().all(|(revision, spec)| revision.is_empty() && spec.is_empty()) {
        extra.history.clear();
    }
    Ok((finish(known), extra))
}

/// The known fields of an object without objects inside, and the others.
pub(super) fn flat(entry: &RawValue, names: &[&str]) -> Result<(Zeroizing<String>, Fields), String> {
    let all: json::Fields<'_> = parse(entry.get())?;
    Ok(split(all, |name| names.contains(&name)))
}

/// What an entry that cannot be read seems to be called.
pub(super) fn name(entry: &RawValue) -> String {
    let text = |fields: &json::Fields<'_>, name: &str| {
        fields.get(name).and_then(|value| serde_json::from_str::<String>(value.get()).ok()).unwrap_or_default()
    };
    let Ok(all) = parse::<json::Fields<'_>>(entry.get()) else { return String::new() };
    let spec = all.get("spec").and_then(|spec| parse::<json::Fields<'_>>(spec.get()).ok()).unwrap_or_default();
    match (text(&spec, "issuer"), text(&spec, "account")) {
        (issuer, account) if issuer.is_empty() && account.is_empty() => text(&all, "name"),
        (issuer, account) if account.is_empty() => issuer,
        (issuer, account) if issuer.is_empty() => account,
        (issuer, account) => format!("{issuer} ({account})"),
    }
}

fn spec(value: &RawValue) -> Result<(Zeroizing<String>, Fields), String> {
    let all: json::Fields<'_> = parse(value.get())?;
    let kind = all.get("kind").ok_or("missing field `kind`")?;
    let kind = v1::kind_fields(&parse::<String>(kind.get())?);
    Ok(split(all, |name| v1::SPEC_FIELDS.contains(&name) || kind.contains(&name)))
}

fn split_revision(value: &RawValue) -> Result<(Zeroizing<String>, (Fields, Fields)), String> {
    let mut extra = (Fields::new(), Fields::new());
    let (all, mut known) = begin(value)?;
    for (name, value) in all.0 {
        match &*name {
            "spec" => {
                let (text, fields) = spec(value)?;
                known.raw("spec", &text);
                extra.1 = fields;
            }
            name if v1::REVISION_FIELDS.contains(&name) => known.raw(name, value.get()),
            _ => extra.0.push(field(&name, value)),
        }
    }
    known.close('}');
    Ok((finish(known), extra))
}

/// The fields of an object, and the text of another that has room for all of them.
fn begin(object: &RawValue) -> Result<(json::Fields<'_>, JsonText), String> {
    let all = parse(object.get())?;
    let mut known = JsonText::with_capacity(object.get().len() + 16);
    known.open('{');
    Ok((all, known))
}

fn split(all: json::Fields<'_>, is_known: impl Fn(&str) -> bool) -> (Zeroizing<String>, Fields) {
    let mut extra = Fields::new();
    let mut known = JsonText::with_capacity(1024);
    known.open('{');
    for (name, value) in all.0 {
        if is_known(&name) {
            known.raw(&name, value.get());
        } else {
            extra.push(field(&name, value));
        }
    }
    known.close('}');
    (finish(known), extra)
}

fn finish(mut json: JsonText) -> Zeroizing<String> {
    // Only whole texts of JSON went in, so this is UTF-8.
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *json.text)).unwrap_or_default())
}
