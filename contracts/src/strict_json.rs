//! JSON without doubled keys: the second value would silently win.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::violation::Violation;

/// Parses JSON bytes and refuses doubled keys.
///
/// # Errors
///
/// One violation with the path, where it is known, and line and column.
pub fn parse(bytes: &[u8]) -> Result<Value, Violation> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value: Strict = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        Violation::new(path, format!("{}", error.inner()), "send one JSON text in UTF-8")
    })?;
    reader.end().map_err(|error| {
        Violation::new("", error.to_string(), "send one JSON text a record, and nothing after it")
    })?;
    Ok(value.0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            list.push(value);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let Strict(value) = map.next_value()?;
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("key `{key}` stands twice")));
            }
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_keys_are_refused_where_they_stand() {
        let error = parse(br#"{"data":{"pq":1,"pq":2}}"#).unwrap_err();
        assert_eq!(error.path, "data");
        assert!(error.reason.contains("`pq` stands twice at line 1"), "{error}");
    }

    #[test]
    fn what_is_no_json_has_a_line() {
        assert!(parse(b"{\n\"a\":").unwrap_err().reason.contains("line 2"));
        assert!(parse(b"{} {}").unwrap_err().cure.contains("nothing after it"));
        assert!(parse(b"[NaN]").is_err());
        assert_eq!(parse(b"[1,-2,0.5,null,true,\"x\"]").unwrap()[2], 0.5);
    }
}
