//! Pure: cells to the changes of each twin.

use std::collections::BTreeMap;

use planthread_contracts::{Carries, MeasureDecl, Rejection, RowOutcome};
use planthread_kit::{
    CellWrite, ConnectorError,
    rows::{declared, refuse},
};
use rust_decimal::Decimal;

use crate::{config::Config, key};

/// Digits that a double keeps, whatever they are.
const DIGITS: u32 = 15;

/// One value on its way into a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The map.
    pub(crate) property: String,
    /// The key in it.
    pub(crate) key: String,
    /// The value, as the twin shall hold it.
    pub(crate) value: Decimal,
    /// Position of the cell in the batch.
    pub(crate) cell: usize,
}

/// What changes at one twin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TwinChanges {
    /// Its id.
    pub(crate) id: String,
    /// Where it must stand.
    pub(crate) location: String,
    /// The values, in the order of the batch.
    pub(crate) changes: Vec<Change>,
    /// The day that they speak for, as the batch itself says.
    pub(crate) as_of: Option<String>,
}

/// Cells by twin.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    /// Twins, by id and location.
    pub(crate) twins: Vec<TwinChanges>,
    /// Cells that no twin can hold, by position.
    pub(crate) refused: BTreeMap<usize, Rejection>,
}

impl Encoded {
    /// Outcomes before the instance said anything.
    pub(crate) fn outcomes(&self, total: usize) -> Vec<RowOutcome> {
        let mut outcomes = vec![RowOutcome::Unproven; total];
        for (&at, rejection) in &self.refused {
            outcomes[at] = RowOutcome::Rejected(rejection.clone());
        }
        outcomes
    }
}

/// Groups cells by the twin that holds them.
///
/// # Errors
/// `Fatal` when a cell names a measure that is not declared.
pub(crate) fn encode(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
    config: &Config,
) -> Result<Encoded, ConnectorError> {
    let mut twins: BTreeMap<(String, String), TwinChanges> = BTreeMap::new();
    let mut refused = BTreeMap::new();
    for (at, cell) in cells.iter().enumerate() {
        let measure = declared(&cell.key, measures)?;
        if let Some(rejection) = unfit(cell, measure) {
            refused.insert(at, rejection);
            continue;
        }
        let key = &cell.key;
        let location = key.location.to_string();
        let id = config.twin_of(&key.resource, &location);
        let twin = twins.entry((id.clone(), location.clone())).or_insert_with(|| TwinChanges {
            id,
            location,
            ..TwinChanges::default()
        });
        if measure.carries == Carries::AsOf {
            twin.as_of = twin.as_of.take().max(day(cell.value));
        }
        twin.changes.push(Change {
            property: measure.surface.clone(),
            key: key::of(key.period),
            value: cell.value,
            cell: at,
        });
    }
    Ok(Encoded { twins: twins.into_values().collect(), refused })
}

/// Why no twin can hold a cell.
fn unfit(cell: &CellWrite, measure: &MeasureDecl) -> Option<Rejection> {
    let key = &cell.key;
    let no = |reason: &str, cure: &'static str| Some(refuse(key, reason, cure));
    if key.resource.is_empty() || key.location.is_empty() {
        return no("resource or location is empty", "complete the mapping");
    }
    if key.product.is_some() {
        return no(
            "a twin's capacity is not kept by product",
            "declare the measure without a product for this target",
        );
    }
    if key.period.kind() != measure.level {
        return no("it is not at the measure's level", "project the measure at its declared level");
    }
    let value = cell.value.normalize();
    if value.scale() > measure.scale {
        return no(
            "it has more decimals than declared",
            "project the measure at its declared scale",
        );
    }
    let digits = value.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
    if digits > DIGITS {
        return no(
            "a double does not hold so many digits exactly",
            "use a larger unit, or fewer decimals",
        );
    }
    None
}

/// The day that a stamp `yyyymmdd` names, as an instant.
fn day(stamp: Decimal) -> Option<String> {
    let number = i32::try_from(stamp.normalize()).ok()?;
    let part = |value: i32| i8::try_from(value).ok();
    let year = i16::try_from(number / 10_000).ok()?;
    let date = jiff::civil::Date::new(year, part(number / 100 % 100)?, part(number % 100)?).ok()?;
    Some(format!("{date}T00:00:00Z"))
}

/// A value as it goes out: the shortest text of the number. `5.00` is no integer to
/// the service, and nothing is lost without the zeros.
pub(crate) fn number(value: Decimal) -> String {
    value.normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{cell, config, measures};

    #[test]
    fn cells_of_one_twin_come_together_with_their_day() {
        let cells = [
            cell("LINE-1", "2026-W49", "live", "38.50"),
            cell("LINE-1", "2026-W49", "as_of", "20261122"),
            cell("LINE-2", "2026-W49", "live", "36"),
        ];
        let encoded = encode(&cells, &measures(), &config()).unwrap();
        let ids: Vec<_> = encoded.twins.iter().map(|twin| twin.id.as_str()).collect();
        assert_eq!(ids, ["LINE-1", "LINE-2"]);
        assert_eq!(encoded.twins[0].as_of.as_deref(), Some("2026-11-22T00:00:00Z"));
        assert_eq!(encoded.twins[0].changes[0].key, "W2026_49");
        assert_eq!(encoded.twins[1].as_of, None);
    }

    #[test]
    fn what_no_twin_holds_is_refused_by_name() {
        let mut by_product = cell("LINE-1", "2026-W49", "live", "1");
        by_product.key.product = Some("P".into());
        for (cell, says) in [
            (by_product, "by product"),
            (cell("LINE-1", "2026-11", "live", "1"), "level"),
            (cell("LINE-1", "2026-W49", "live", "1.234"), "decimals"),
            (cell("LINE-1", "2026-W49", "live", "12345678901234.56"), "digits"),
        ] {
            let encoded = encode(&[cell], &measures(), &config()).unwrap();
            assert!(encoded.refused[&0].reason.contains(says), "{:?}", encoded.refused);
            assert!(encoded.twins.is_empty() && !encoded.refused[&0].cure.is_empty());
        }
    }
}
