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

/// Rounds the drafts of one measure to cells.
pub(super) fn cells(measure: &MeasureDecl, drafts: BTreeMap<CellKey, Draft>) -> Vec<DesiredCell> {
    let parts = measure.over_time == Aggregation::Sum
        && measure.role == Role::Value
        && matches!(measure.level, PeriodKind::Day | PeriodKind::TechnicalWeek);
    let drafts: Vec<(CellKey, Draft)> = drafts.into_iter().collect();
    if !parts {
        return drafts
            .into_iter()
            .map(|(key, draft)| {
                let value = round_half_even(draft.value, measure.scale);
                cell(key, draft, value)
            })
            .collect();
    }
    // Keys sort by resource before period, so the parts of a week are together.
    let mut cells = Vec::with_capacity(drafts.len());
    for week in drafts.chunk_by(|(a, _), (b, _)| whole(a) == whole(b)) {
        let exact: Vec<Decimal> = week.iter().map(|(_, draft)| draft.value).collect();
        let rounded = largest_remainder(&exact, measure.scale);
        let rounded = week.iter().zip(rounded);
        cells.extend(rounded.map(|((key, draft), value)| cell(key.clone(), draft.clone(), value)));
    }
    cells
}

/// What a part belongs to: everything of its key but the period, and the week.
fn whole(key: &CellKey) -> (&str, &str, Option<&str>, Period) {
    let week = Period::containing(PeriodKind::Week, key.period.start());
    (&key.resource, &key.location, key.product.as_deref(), week)
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
