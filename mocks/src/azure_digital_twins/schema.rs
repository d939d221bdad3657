//! Values and the schemas that they must have.
//!
//! The rules that validators miss are those of the corrections to the fact
//! sheet: `0.0` is no integer, floats end at 3.402823E+38, a dateTime needs a
//! zone, `null` is nothing, maps take any key.

use std::collections::BTreeMap;

use jiff::{Span, Timestamp, civil};
use serde_json::Value;

use super::dtdl::each;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Schema {
    Boolean,
    Date,
    DateTime,
    Double,
    Duration,
    Float,
    Integer,
    Long,
    Text,
    Time,
    Enum(Vec<Value>),
    Map(Box<Self>),
    Object(BTreeMap<String, Self>),
    Array(Box<Self>),
}

/// How deep objects and maps may be nested.
const DEPTH: usize = 5;

impl Schema {
    /// Reads a schema: a word, a name among `shared`, or a complex one.
    pub(super) fn read(value: &Value, shared: &BTreeMap<String, Self>) -> Result<Self, String> {
        Self::at(value, shared, DEPTH)
    }

    fn at(value: &Value, shared: &BTreeMap<String, Self>, left: usize) -> Result<Self, String> {
        if let Some(word) = value.as_str() {
            let known = primitive(word).or_else(|| shared.get(word).cloned());
            return known.ok_or_else(|| format!("unknown schema {word}"));
        }
        let left = left.checked_sub(1).ok_or("schemas are nested too deep")?;
        let inner = |value: &Value| Self::at(value, shared, left).map(Box::new);
        match each(&value["@type"]).find_map(Value::as_str) {
            Some("Map") => Ok(Self::Map(inner(&value["mapValue"]["schema"])?)),
            Some("Array") => Ok(Self::Array(inner(&value["elementSchema"])?)),
            Some("Enum") => {
                let values = each(&value["enumValues"]).map(|one| one["enumValue"].clone());
                Ok(Self::Enum(values.collect()))
            }
            Some("Object") => {
                let mut fields = BTreeMap::new();
                for field in each(&value["fields"]) {
                    let name = field["name"].as_str().ok_or("a field has no name")?;
                    fields.insert(name.to_owned(), Self::at(&field["schema"], shared, left)?);
                }
                Ok(Self::Object(fields))
            }
            _ => Err("a schema is missing".to_owned()),
        }
    }

    /// Its name in messages.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Double => "double",
            Self::Duration => "duration",
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Text => "string",
            Self::Time => "time",
            Self::Enum(_) => "enum",
            Self::Map(_) => "map",
            Self::Object(_) => "object",
            Self::Array(_) => "array",
        }
    }

    /// Whether `value` is one of it.
    pub(super) fn holds(&self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Boolean => value.is_boolean(),
            Self::Date => text.is_some_and(|text| text.parse::<civil::Date>().is_ok()),
            Self::DateTime => text.is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            Self::Double => value.is_number(),
            Self::Duration => text.is_some_and(|text| text.parse::<Span>().is_ok()),
            Self::Float => value.as_f64().is_some_and(|number| number.abs() <= f64::from(f32::MAX)),
            Self::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            Self::Long => value.as_i64().is_some(),
            // 4 KB a text (section 1.13).
            Self::Text => text.is_some_and(|text| text.len() <= 4_096),
            Self::Time => text.is_some_and(|text| text.parse::<civil::Time>().is_ok()),
            Self::Enum(values) => values.contains(value),
            Self::Map(inner) => {
                value.as_object().is_some_and(|map| map.values().all(|value| inner.holds(value)))
            }
            Self::Array(inner) => {
                value.as_array().is_some_and(|items| items.iter().all(|item| inner.holds(item)))
            }
            Self::Object(fields) => value.as_object().is_some_and(|map| {
                map.iter()
                    .all(|(name, value)| fields.get(name).is_some_and(|schema| schema.holds(value)))
            }),
        }
    }
}

fn primitive(word: &str) -> Option<Schema> {
    Some(match word {
        "boolean" => Schema::Boolean,
        "date" => Schema::Date,
        "dateTime" => Schema::DateTime,
        "double" => Schema::Double,
        "duration" => Schema::Duration,
        "float" => Schema::Float,
        "integer" => Schema::Integer,
        "long" => Schema::Long,
        "string" => Schema::Text,
        "time" => Schema::Time,
        _ => return None,
    })
}
