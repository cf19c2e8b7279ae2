//! Foreign JSON, field by field: nothing is built in memory but what a format asks for.

use std::{borrow::Cow, collections::HashMap, fmt, marker::PhantomData, rc::Rc};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{MAX_RECORDS, Problem, record::MAX_GROUPS};
use crate::token::MAX_TEXT_BYTES;

/// An object, its values unread. Where a field is there twice, the last one counts, as in most programs.
#[derive(Clone)]
pub(super) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// What a program may write for a number, a truth or a text.
enum Scalar<'a> {
    Flag(bool),
    Whole(u64),
    Negative,
    Real(f64),
    Text(Cow<'a, str>),
}

impl<'a> Object<'a> {
    /// The value of a field, unread; `None` where it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let value = self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value)?;
        (value.get() != "null").then_some(value)
    }

    /// Whether the field is there, null or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Names and values in their order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), *value))
    }

    /// A text; a number is taken as its digits.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match scalar(value, name)? {
            Scalar::Text(text) => Ok(Some(text.into_owned())),
            Scalar::Whole(_) | Scalar::Negative => Ok(Some(value.get().to_owned())),
            _ => Err(Problem::Malformed(name)),
        }
    }

    /// A text that may be missing.
    pub(super) fn text_or_empty(&self, name: &'static str) -> Result<String, Problem> {
        Ok(self.text(name)?.unwrap_or_default())
    }

    /// A text that must be there.
    pub(super) fn needed(&self, name: &'static str) -> Result<String, Problem> {
        self.text(name)?.ok_or(Problem::Missing(name))
    }

    /// A whole number, also as text or as `6.0`.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, Problem> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match scalar(value, name)? {
            Scalar::Whole(number) => Ok(Some(number)),
            // Exact up to 2^53, which no parameter of a token reaches.
            Scalar::Real(number) if number >= 0.0 && number.fract() == 0.0 && number < 9e15 => Ok(Some(number as u64)),
            Scalar::Text(text) if text.trim().is_empty() => Ok(None),
            Scalar::Text(text) => text.trim().parse().map(Some).map_err(|_| Problem::Malformed(name)),
            _ => Err(Problem::Malformed(name)),
        }
    }

    /// A truth; missing is false.
    pub(super) fn flag(&self, name: &'static str) -> bool {
        let value = self.get(name).and_then(|value| scalar(value, name).ok());
        match value {
            Some(Scalar::Flag(flag)) => flag,
            Some(Scalar::Whole(number)) => number != 0,
            Some(Scalar::Text(text)) => text.eq_ignore_ascii_case("true") || text == "1",
            _ => false,
        }
    }

    /// An object; `None` where it is missing or null.
    pub(super) fn object(&self, name: &'static str) -> Result<Option<Object<'a>>, Problem> {
        self.get(name).map(|value| object_of(value.get()).map_err(|error| problem(&error, name))).transpose()
    }

    /// A list; empty where it is missing or null.
    pub(super) fn list(&self, name: &'static str) -> Result<Vec<&'a RawValue>, Problem> {
        match self.get(name) {
            Some(value) => list_of(value.get()).map_err(|error| problem(&error, name)),
            None => Ok(Vec::new()),
        }
    }

    /// The names of groups by their identifiers, each cut where it is longer than any is: [`super::Source::push`] says so.
    pub(super) fn names(&self, list: &'static str, id: &'static str, name: &'static str) -> Result<Names, Problem> {
        let mut names = HashMap::new();
        for group in self.list(list)? {
            let Ok(group) = object_of(group.get()) else { continue };
            if let (Ok(id), Ok(name)) = (group.needed(id), group.needed(name)) {
                let end = name.floor_char_boundary(MAX_TEXT_BYTES + 4);
                names.insert(id, Rc::from(&name[..end]));
            }
        }
        Ok(names)
    }

    /// The names of the groups that a list names by their identifiers.
    pub(super) fn groups(&self, list: &'static str, names: &Names) -> Result<Vec<String>, Problem> {
        let ids = self.list(list)?.into_iter().filter_map(text_of);
        Ok(ids.filter_map(|id| names.get(&id)).map(|name| String::from(&**name)).take(MAX_GROUPS + 1).collect())
    }

    /// The texts of a list; what is no text is passed over.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<String>, Problem> {
        Ok(self.list(name)?.into_iter().filter_map(text_of).collect())
    }

    /// A list of bytes, which Java writes from -128 to 127.
    pub(super) fn signed_bytes(&self, name: &'static str) -> Result<Vec<u8>, Problem> {
        let value = self.get(name).ok_or(Problem::Missing(name))?;
        let numbers: Vec<i16> = serde_json::from_str(value.get()).map_err(|_| Problem::Malformed(name))?;
        let byte = |number: i16| match number {
            -128..=-1 => Ok((number + 256) as u8),
            0..=255 => Ok(number as u8),
            _ => Err(Problem::Malformed(name)),
        };
        numbers.into_iter().map(byte).collect()
    }
}

/// The names of groups by their identifiers.
pub(super) type Names = HashMap<String, Rc<str>>;

/// The text of a value that is one.
pub(super) fn text_of(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// Looks at the first character only, so that a list in the place of a number is never built.
fn scalar<'a>(value: &'a RawValue, name: &'static str) -> Result<Scalar<'a>, Problem> {
    let text = value.get();
    let read = match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Text<'_>>(text).ok().map(|text| Scalar::Text(text.0)),
        Some(b't') => Some(Scalar::Flag(true)),
        Some(b'f') => Some(Scalar::Flag(false)),
        Some(b'-') => Some(Scalar::Negative),
        Some(b'0'..=b'9') => text.parse().map(Scalar::Whole).or_else(|_| text.parse().map(Scalar::Real)).ok(),
        _ => None,
    };
    read.ok_or(Problem::Malformed(name))
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether a list or object was refused because it has too many items.
pub(super) fn too_many(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("too many ")
}

fn problem(error: &serde_json::Error, name: &'static str) -> Problem {
    if too_many(error) { Problem::TooMany } else { Problem::Malformed(name) }
}

/// The fields of an object.
pub(super) fn object_of(text: &str) -> Result<Object<'_>, serde_json::Error> {
    serde_json::from_str(text)
}

/// A record that is an object.
pub(super) fn record(text: &str) -> Result<Object<'_>, Problem> {
    object_of(text).map_err(|_| Problem::Shape)
}

/// The items of a list.
pub(super) fn list_of(text: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_str::<List<'_>>(text).map(|list| list.0)
}

/// Refused where it has more items than records are taken, so that memory stays bounded.
struct List<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for ListVisitor<'a> {
            type Value = List<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<'a>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element::<&'de RawValue>()? {
                    if list.len() == MAX_RECORDS {
                        return Err(A::Error::custom("too many items"));
                    }
                    list.push(item);
                }
                Ok(List(list))
            }
        }

        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<'a>(PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for ObjectVisitor<'a> {
            type Value = Object<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object<'a>, A::Error> {
                let mut fields = Vec::new();
                while let Some((Text(key), value)) = entries.next_entry::<Text<'de>, &'de RawValue>()? {
                    if fields.len() == MAX_RECORDS {
                        return Err(A::Error::custom("too many fields"));
                    }
                    fields.push((key, value));
                }
                Ok(Object(fields))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}
