//! What is told of a cell group beside its values: why they are what they are, whose
//! they are, how old, and where to look further.
//!
//! It is made of what the ledger keeps, when the group goes out. No value depends on
//! it, so a plan has the same bytes with and without it.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use planthread_contracts::{Carries, MeasureDecl, Status};
use planthread_kit::rows::RowKey;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use crate::{
    error::Result,
    plan::{PlanLine, Policy, scan},
    store::Db,
};

/// Signs of a recipe that are told: enough to find it again.
const RECIPE: usize = 12;

/// One cell of the group, as far as it is told of.
#[derive(Debug, Clone)]
struct Telling<'a> {
    decl: &'a MeasureDecl,
    value: Decimal,
    unrounded: Decimal,
    status: Status,
    as_of: Timestamp,
    valid_until: Timestamp,
    recipe: String,
}

/// The texts of the groups in `lines`.
pub(super) fn told(
    db: &Db,
    policy: &Policy,
    lines: &[PlanLine],
) -> Result<BTreeMap<RowKey, String>> {
    let Some(scope) = db.scope(&policy.target, policy.scope.name())? else {
        return Ok(BTreeMap::new());
    };
    let (measures, mut told) = (db.measures()?, BTreeMap::new());
    let mut recipes: BTreeMap<i64, String> = BTreeMap::new();
    for group in lines.chunk_by(|a, b| RowKey::of(&a.cell) == RowKey::of(&b.cell)) {
        let (key, row) = (group[0].cell.group(), RowKey::of(&group[0].cell));
        let Some(id) = db.group_named(scope, &key)? else { continue };
        let mut cells = Vec::new();
        for (name, cell) in scan::cells(db, id, &measures)? {
            let Some(decl) = policy.decl(name) else { continue };
            let recipe = match recipes.get(&cell.recipe) {
                Some(recipe) => recipe.clone(),
                None => db.recipe(cell.recipe)?,
            };
            recipes.insert(cell.recipe, recipe.clone());
            let (value, unrounded, status) = (cell.value, cell.unrounded, cell.status);
            let (as_of, valid_until) = (cell.as_of, cell.valid_until);
            cells.push(Telling { decl, value, unrounded, status, as_of, valid_until, recipe });
        }
        let place = (row.resource.to_string(), row.location.to_string());
        let source = policy.sources.get(&place).map(String::as_str);
        if let Some(text) = text(&cells, source) {
            told.insert(row, text);
        }
    }
    Ok(told)
}

/// The text of one group: its status, the figures that it is made of, their source,
/// their age, and the recipe behind them.
fn text(cells: &[Telling<'_>], source: Option<&str>) -> Option<String> {
    let worst = cells.iter().max_by_key(|cell| cell.status)?;
    let of = |carries: Carries| cells.iter().find(|cell| cell.decl.carries == carries);
    let figures: Vec<String> = TOLD
        .iter()
        .filter_map(|(carries, word)| Some((of(*carries)?, word)))
        .map(|(cell, word)| format!("{word} {} {}", cell.value.normalize(), cell.decl.unit))
        .collect();
    let newest = cells.iter().max_by_key(|cell| cell.as_of)?;
    let known = of(Carries::AsOf).and_then(|cell| day(cell.value));
    let ends = of(Carries::ValidUntil).and_then(|cell| day(cell.value));
    let utc = |at: Timestamp| TimeZone::UTC.to_datetime(at).date();
    let mut parts = vec![format!("{}: {}", worst.status.word(), why(worst.status))];
    if !figures.is_empty() {
        parts.push(figures.join(", "));
    }
    if let Some(cell) = cells.iter().find(|cell| cell.unrounded != cell.value) {
        parts.push(format!("rounded to {} decimals", cell.decl.scale));
    }
    if let Some(source) = source {
        parts.push(format!("source {source}"));
    }
    parts.push(format!("known as of {}", known.unwrap_or_else(|| utc(newest.as_of))));
    parts.push(format!("valid until {}", ends.unwrap_or_else(|| utc(newest.valid_until))));
    let recipe: String = newest.recipe.chars().take(RECIPE).collect();
    parts.push(format!("recipe {recipe}"));
    Some(parts.join("; "))
}

/// Figures that say what a number is made of, in their words.
const TOLD: [(Carries, &str); 9] = [
    (Carries::PlanCut, "plan cut"),
    (Carries::AttainableClockHours, "attainable"),
    (Carries::DemonstratedStandardHours, "demonstrated"),
    (Carries::LowHours, "low"),
    (Carries::ExpectedLostHours, "expected lost"),
    (Carries::HoursAtRisk, "at risk"),
    (Carries::DecidedHours, "decided"),
    (Carries::GoodUnits, "good units"),
    (Carries::Severity, "severity"),
];

/// Why a value of this status is what it is.
const fn why(status: Status) -> &'static str {
    match status {
        Status::Live => "measured by the factory",
        Status::Planner => "a person set it",
        Status::Held => "the source is silent, the last good value holds",
        Status::Assumed => {
            "the source is silent for too long, the lesser of last good and demonstrated mean"
        }
        Status::Conflicting => "sources differ, the lower side lands",
        Status::Unknown => "the factory says nothing of it",
    }
}

/// The day of a number `yyyymmdd`.
fn day(value: Decimal) -> Option<Date> {
    let number = value.to_i64()?;
    let (year, rest) = (number / 10_000, number % 10_000);
    let part = |part: i64| i8::try_from(part).ok();
    Date::new(i16::try_from(year).ok()?, part(rest / 100)?, part(rest % 100)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::decl;

    #[test]
    fn a_planner_reads_why_whose_and_how_old() {
        let live = decl("live", "attainable_clock_hours", "value");
        let lost = decl("lost", "expected_lost_hours", "value");
        let as_of = decl("as_of", "as_of", "stamp");
        let cell = |decl, value: &str, status| Telling {
            decl,
            value: value.parse().unwrap(),
            unrounded: value.parse().unwrap(),
            status,
            as_of: "2026-11-25T06:00:00Z".parse().unwrap(),
            valid_until: "2026-12-02T06:00:00Z".parse().unwrap(),
            recipe: "0123456789abcdef".to_owned(),
        };
        let mut cells = vec![
            cell(&live, "36.50", Status::Held),
            cell(&lost, "3.5", Status::Live),
            cell(&as_of, "20261123", Status::Held),
        ];
        let told = text(&cells, Some("press-a")).unwrap();
        assert_eq!(
            told,
            "held: the source is silent, the last good value holds; attainable 36.5 HUR, expected \
             lost 3.5 HUR; source press-a; known as of 2026-11-23; valid until 2026-12-02; recipe \
             0123456789ab"
        );
        cells[0].unrounded = "36.501".parse().unwrap();
        assert!(text(&cells[..1], None).unwrap().contains("rounded to"));
        assert_eq!(text(&[], None), None);
    }
}
