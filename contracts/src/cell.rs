//! The planning cell: the unit of everything that Planthread promises.

use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Name, Period, Status};

/// Names one planning cell, in the target's own keys.
///
/// Resource, location and product are the target's identifiers: the mapping
/// from factory identifiers happened in *project*, before the ledger.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct CellKey {
    /// The configured target.
    pub target: Name,
    /// Name of the scope ([`crate::Scope::name`]); empty for the base scope.
    pub scope: Name,
    /// The resource, as the target calls it.
    pub resource: Name,
    /// The location, as the target calls it.
    pub location: Name,
    /// The product, where the measure is stored by product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Name>,
    /// The period, at the measure's storage level.
    pub period: Period,
    /// [`crate::MeasureDecl::name`].
    pub measure: Name,
}

/// The cells of one resource, location and period travel together.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct GroupKey {
    /// The configured target.
    pub target: Name,
    /// The scope's name; empty for the base scope.
    pub scope: Name,
    /// The resource, as the target calls it.
    pub resource: Name,
    /// The location, as the target calls it.
    pub location: Name,
    /// The product, where the measures are stored by product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Name>,
    /// The period.
    pub period: Period,
}

impl CellKey {
    /// The group that this cell travels with.
    #[must_use]
    pub fn group(&self) -> GroupKey {
        GroupKey {
            target: self.target.clone(),
            scope: self.scope.clone(),
            resource: self.resource.clone(),
            location: self.location.clone(),
            product: self.product.clone(),
            period: self.period,
        }
    }
}

/// `target/scope/resource@location[/product]/period/measure`; the base scope
/// prints as `base`.
impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.scope.is_empty() { "base" } else { self.scope.as_str() };
        write!(f, "{}/{scope}/{}@{}", self.target, self.resource, self.location)?;
        if let Some(product) = &self.product {
            write!(f, "/{product}")?;
        }
        write!(f, "/{}/{}", self.period, self.measure)
    }
}

/// What factory truth says a cell should hold, exactly as the target will
/// store it (law 11: converted and rounded once, before *wanted*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredCell {
    /// The cell.
    pub key: CellKey,
    /// The value at the declared unit and scale.
    pub value: Decimal,
    /// The same value before rounding.
    pub unrounded: Decimal,
    /// Status of the cell group that it belongs to.
    pub status: Status,
    /// The instant that the derivation speaks for: what is derived later never
    /// has an earlier one, also when a source fell silent and what is known grew
    /// older. The age of what is known lands as a measure of its own.
    pub as_of: Timestamp,
    /// From here on a reader must treat the value as stale.
    pub valid_until: Timestamp,
    /// Digest of the recipe (input window, rules, mapping, tzdb) that made it.
    pub recipe: Name,
}

/// One cell as read back from the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenCell {
    /// The cell.
    pub key: CellKey,
    /// What the target holds; `None` when it holds nothing.
    pub value: Option<Decimal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A batch and a pack hold tens of thousands of them at once.
    #[test]
    fn a_cell_weighs_little_and_its_copies_share_their_names() {
        assert!(size_of::<CellKey>() <= 104, "{}", size_of::<CellKey>());
        assert!(size_of::<DesiredCell>() <= 200, "{}", size_of::<DesiredCell>());
        let key = CellKey {
            target: "t".into(),
            scope: Name::default(),
            resource: "LINE-1".into(),
            location: "1010".into(),
            product: None,
            period: Period::containing(crate::PeriodKind::Week, jiff::civil::date(2026, 11, 23)),
            measure: "live".into(),
        };
        let group = key.clone().group();
        assert!(std::ptr::eq(key.resource.as_str(), group.resource.as_str()));
    }
}
