//! One rounding, at the declared scale.
//!
//! Days and split weeks are parts of an ISO week: their values are rounded so
//! that they sum to the week's rounded value (law 6). Every other value is
//! rounded by itself, halves to even.

use std::collections::BTreeMap;

use planthread_contracts::{
    Aggregation, CellKey, DesiredCell, MeasureDecl, Period, PeriodKind, Role,
};
use rust_decimal::Decimal;

use super::Draft;
use crate::calendar::{largest_remainder, round_half_even};

/// Rounds the drafts of one measure and place to cells, each with its key.
pub(super) fn cells(
    measure: &MeasureDecl,
    drafts: BTreeMap<Period, Draft>,
    key: impl Fn(Period) -> CellKey,
) -> Vec<DesiredCell> {
    let parts = measure.over_time == Aggregation::Sum
        && measure.role == Role::Value
        && matches!(measure.level, PeriodKind::Day | PeriodKind::TechnicalWeek);
    if !parts {
        let rounded = drafts.into_iter().map(|(period, draft)| {
            let value = round_half_even(draft.value, measure.scale);
            cell(key(period), draft, value)
        });
        return rounded.collect();
    }
    let drafts: Vec<(Period, Draft)> = drafts.into_iter().collect();
    let mut cells = Vec::with_capacity(drafts.len());
    for parts in drafts.chunk_by(|(a, _), (b, _)| week(*a) == week(*b)) {
        let exact: Vec<Decimal> = parts.iter().map(|(_, draft)| draft.value).collect();
        let rounded = parts.iter().zip(largest_remainder(&exact, measure.scale));
        cells.extend(
            rounded.map(|((period, draft), value)| cell(key(*period), draft.clone(), value)),
        );
    }
    cells
}

/// The week that a part belongs to.
fn week(part: Period) -> Period {
    Period::containing(PeriodKind::Week, part.start())
}

fn cell(key: CellKey, draft: Draft, value: Decimal) -> DesiredCell {
    DesiredCell {
        key,
        value,
        unrounded: draft.value,
        status: draft.status,
        as_of: draft.as_of,
        valid_until: draft.valid_until,
        recipe: draft.recipe,
    }
}
