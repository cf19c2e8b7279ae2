//! JSON read strictly (no key twice, no fractions in headers) and written one way only.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, value::RawValue};

/// A value without repeated keys and without numbers that two readers could write differently.
pub(super) struct Strict(pub(super) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without fractions")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, _>()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// The fields of an object in their order, values unread; no key is there twice.
#[derive(Default)]
pub(super) struct Fields<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        #[derive(Deserialize)]
        struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::<(Cow<'de, str>, &'de RawValue)>::new();
                let mut known = std::collections::HashSet::new();
                while let Some((Key(key), value)) = entries.next_entry::<Key<'de>, &'de RawValue>()? {
                    if !known.insert(key.clone()) {
                        return Err(A::Error::custom(format_args!("the field {key:?} is there twice")));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

impl<'a> Fields<'a> {
    /// The value of a field, unread.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }
}

/// The canonical text: keys sorted by code point, no white space, UTF-8, only what JSON demands escaped.
/// Python: `json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False)`.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

/// [`canonical`] of an object.
pub(super) fn canonical_object(map: &Map<String, Value>) -> String {
    let mut text = String::new();
    write_object(&mut text, map);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Object(map) => write_object(text, map),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(text, item);
            }
            text.push(']');
        }
        // `Value`'s own text of a string, a number, a boolean and null is the canonical one.
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn write_object(text: &mut String, map: &Map<String, Value>) {
    // Sorted here: a build in which some crate asks serde_json to keep the order must write the same.
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| key.as_str());
    text.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&Value::String(key.clone()).to_string());
        text.push(':');
        write(text, value);
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(text: &str) -> Result<String, String> {
        serde_json::from_str::<Strict>(text).map(|value| canonical(&value.0)).map_err(|error| error.to_string())
    }

    #[test]
    fn one_text_for_one_value() {
        let text = "{ \"b\": [1, -2, true, null], \"a\": \"\\u00e9\\u007f\\u0001\\n\\\"\\/\", \"\u{1F600}\":{}, \"\u{ffff}\":18446744073709551615 }";
        let expected = "{\"a\":\"é\u{7f}\\u0001\\n\\\"/\",\"b\":[1,-2,true,null],\"\u{ffff}\":18446744073709551615,\"\u{1F600}\":{}}";
        assert_eq!(strict(text).as_deref(), Ok(expected));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for text in
            ["{\"a\":1,\"a\":1}", "[{\"a\":{\"b\":1,\"\\u0062\":2}}]", "1.0", "1e3", "-0", "18446744073709551616"]
        {
            assert!(strict(text).is_err(), "{text}");
        }
    }
}
