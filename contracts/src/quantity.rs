//! Units of measure: UN/CEFACT Recommendation 20 codes, closed on purpose.
//!
//! An unknown unit is refused, never guessed. Values are decimals; ratios are
//! fractions 0..1 with unit `C62`.

use std::{borrow::Cow, fmt, str::FromStr};

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A unit that Planthread can carry, named by its Rec 20 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// `HUR`, hour.
    Hour,
    /// `MIN`, minute.
    Minute,
    /// `SEC`, second.
    Second,
    /// `DAY`, day of 24 hours.
    Day,
    /// `H87`, piece.
    Piece,
    /// `C62`, one: ratios, codes, counts without dimension.
    One,
    /// `KGM`, kilogram.
    Kilogram,
    /// `TNE`, tonne.
    Tonne,
    /// `LTR`, litre.
    Litre,
}

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// The number.
    pub value: Decimal,
    /// Its unit; ratios are fractions with unit `C62`.
    pub unit: Unit,
}

/// The unit is not one that Planthread knows; it is refused, not guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown unit `{0}`: use a UN/CEFACT Rec 20 code (HUR, MIN, SEC, DAY, H87, C62, KGM, TNE, LTR)"
)]
pub struct UnknownUnit(pub String);

impl Unit {
    /// All units, for schemas and completion.
    pub const ALL: [Self; 9] = [
        Self::Hour,
        Self::Minute,
        Self::Second,
        Self::Day,
        Self::Piece,
        Self::One,
        Self::Kilogram,
        Self::Tonne,
        Self::Litre,
    ];

    /// The Rec 20 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hour => "HUR",
            Self::Minute => "MIN",
            Self::Second => "SEC",
            Self::Day => "DAY",
            Self::Piece => "H87",
            Self::One => "C62",
            Self::Kilogram => "KGM",
            Self::Tonne => "TNE",
            Self::Litre => "LTR",
        }
    }

    /// The unit's dimension and its size in that dimension's base unit.
    const fn dimension(self) -> (u8, i64) {
        match self {
            Self::Second => (0, 1),
            Self::Minute => (0, 60),
            Self::Hour => (0, 3_600),
            Self::Day => (0, 86_400),
            Self::Piece => (1, 1),
            Self::One => (2, 1),
            Self::Kilogram => (3, 1),
            Self::Tonne => (3, 1_000),
            Self::Litre => (4, 1),
        }
    }

    /// How many of the base unit of its dimension it is: an hour is 3,600
    /// seconds, a tonne 1,000 kilograms.
    #[must_use]
    pub const fn in_base(self) -> i64 {
        self.dimension().1
    }

    /// Whether it measures time.
    #[must_use]
    pub const fn is_time(self) -> bool {
        self.dimension().0 == 0
    }

    /// Whether it counts or weighs what is produced: neither time nor ratio.
    #[must_use]
    pub const fn is_output(self) -> bool {
        self.dimension().0 != 0 && self.dimension().0 != 2
    }

    /// Converts `value` from this unit to `to`; `None` when the dimensions
    /// differ (hours are never pieces).
    #[must_use]
    pub fn convert(self, value: Decimal, to: Self) -> Option<Decimal> {
        let (from_dim, from_size) = self.dimension();
        let (to_dim, to_size) = to.dimension();
        (from_dim == to_dim)
            .then(|| value.checked_mul(from_size.into())?.checked_div(to_size.into()))?
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Unit {
    type Err = UnknownUnit;

    fn from_str(code: &str) -> Result<Self, UnknownUnit> {
        Self::ALL
            .into_iter()
            .find(|unit| unit.code() == code)
            .ok_or_else(|| UnknownUnit(code.to_owned()))
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        code.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Unit {
    fn schema_name() -> Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = Self::ALL.iter().map(|unit| unit.code()).collect();
        json_schema!({ "type": "string", "enum": codes,
            "description": "UN/CEFACT Recommendation 20 unit code." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_inside_a_dimension_only() {
        assert_eq!(Unit::Minute.convert(90.into(), Unit::Hour), Some(Decimal::new(15, 1)));
        assert_eq!(Unit::Hour.convert(1.into(), Unit::Piece), None);
    }

    #[test]
    fn unknown_codes_are_refused_with_the_list() {
        let error = "HR".parse::<Unit>().unwrap_err();
        assert!(error.to_string().contains("`HR`") && error.to_string().contains("HUR"));
    }
}
