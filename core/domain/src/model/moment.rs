//! An instant as a person writes it: with an offset, or in local time.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{Timestamp, civil::DateTime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: `2026-11-22T22:00:00Z` is an instant, `2026-11-22T23:00:00`
/// is local time of the calendar that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// An instant.
    Utc(Timestamp),
    /// Local civil time, in the zone of the resource's calendar.
    Local(DateTime),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::Utc(instant));
        }
        text.parse().map(Self::Local).map_err(|_| {
            format!(
                "`{text}` is no point in time: write 2026-11-22T22:00:00Z, or 2026-11-22T23:00:00 for local time"
            )
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utc(instant) => instant.fmt(f),
            Self::Local(local) => local.fmt(f),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string",
            "description": "An instant with Z or an offset, or local time without one." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_makes_the_difference() {
        assert!(matches!("2026-11-22T22:00:00Z".parse(), Ok(Moment::Utc(_))));
        assert!(matches!("2026-11-22T22:00:00+01:00".parse(), Ok(Moment::Utc(_))));
        assert!(matches!("2026-11-22T22:00:00".parse(), Ok(Moment::Local(_))));
        assert!("yesterday".parse::<Moment>().unwrap_err().contains("`yesterday`"));
    }
}
