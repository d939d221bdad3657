//! The arithmetic of one wanted cell: the figure of each resource behind it,
//! and what makes them the number that the target holds.

use planthread_contracts::{Carries, CellKey, MeasureDecl, Status};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Draft, MapRow, Place, Portion, Request, Sources, Together, figure, kind, status_cells, value,
};
use crate::{
    calendar::round_half_even,
    derive::{self, Derivation, Explanation},
};

/// Why a cell holds its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CellExplanation {
    /// The figure of each resource behind the cell.
    pub figures: Vec<Explanation>,
    /// From these figures to the cell: shares, unit, rounding. Its last step is
    /// the cell's value.
    pub landed: Explanation,
}

/// Explains one cell; `None` when it does not land.
#[must_use]
pub fn explain(request: &Request<'_>, key: &CellKey) -> Option<CellExplanation> {
    let measure = request.measures.iter().find(|measure| measure.name == key.measure)?;
    if measure.carries.vouches() {
        return explain_standing(request, measure, key);
    }
    let from = if measure.carries == Carries::PlanCut { request.cut } else { Some(request.live) };
    let derivation = from?;
    let (rows, sources) = (rows_of(request, key), Sources::of(request));
    let portion = Portion::new(request, &sources, place(key), &rows);
    let drafts = portion.drafts(measure, measure.level, &mut Vec::new());
    let draft = drafts.get(&key.period)?;
    let cells = portion.cells(measure, &mut Vec::new());
    let landed = cells.into_iter().find(|cell| cell.key == *key)?.value;
    let mut found = begun(measure, key);
    let parts: Vec<String> = rows
        .iter()
        .filter_map(|row| part(request, derivation, measure, row, key, &mut found))
        .collect();
    together(&mut found.landed, measure, &parts, draft)?;
    rounded(&mut found.landed, measure, draft, landed);
    Some(found)
}

/// The rows that are mapped to the place of `key`.
fn rows_of<'a>(request: &Request<'a>, key: &CellKey) -> Vec<&'a MapRow> {
    let here = place(key);
    let stands = |row: &&MapRow| {
        (row.resource.as_str(), row.location.as_str(), row.product.as_deref()) == here
    };
    request.mapping.rows.iter().filter(stands).collect()
}

fn begun(measure: &MeasureDecl, key: &CellKey) -> CellExplanation {
    let notes = vec![format!("measure {}, at the target {}.", measure.name, measure.surface)];
    let landed = Explanation {
        resource: format!("{}@{}", key.resource, key.location),
        period: key.period,
        figure: measure.carries,
        steps: Vec::new(),
        notes,
    };
    CellExplanation { figures: Vec::new(), landed }
}

/// Explains a status, or whether it is covered: of each resource behind the
/// cell, then the worst of them, unless no value lands there at all.
fn explain_standing(
    request: &Request<'_>,
    measure: &MeasureDecl,
    key: &CellKey,
) -> Option<CellExplanation> {
    let (rows, sources) = (rows_of(request, key), Sources::of(request));
    let portion = Portion::new(request, &sources, place(key), &rows);
    let cells = portion.projection().cells;
    let valued = portion.valued(&cells);
    let cell = cells.into_iter().find(|cell| cell.key == *key)?;
    let mut found = begun(measure, key);
    let mut names = Vec::new();
    for row in &rows {
        let name = format!("part_{}", names.len() + 1);
        let (live, source) = (request.live, &row.source);
        let own = derive::explain(request.plant, live, source, key.period, measure.carries);
        let status = live.get(source, key.period).map_or(Status::Unknown, status_cells::status_of);
        let value = status_cells::number(measure, status);
        let words = format!(
            "{} of {source}, which is {}",
            derive::figure_name(measure.carries),
            status.word()
        );
        found.landed.step(&name, &words, format!("{value}"), value);
        names.push(name);
        found.figures.extend(own.filter(|own| !found.figures.contains(own)));
    }
    let exact = status_cells::number(measure, cell.status);
    if !valued.contains(&key.period) {
        let words = "No value of ours lands there, so nothing is known of it";
        found.landed.step("together", words, format!("{exact}"), exact);
    } else if names.len() > 1 {
        let (way, words) = match measure.carries {
            Carries::Covered => ("min", "Covered only where all of them are"),
            _ => ("max", "The worst of them"),
        };
        found.landed.step("together", words, format!("{way}({})", names.join(", ")), exact);
    }
    let scale = measure.scale;
    let last = found.landed.steps.last().map(|step| step.name.clone())?;
    let words = format!("Rounded once, to the {scale} decimals that the target holds");
    found.landed.step("landed", &words, format!("round({last}, {scale})"), cell.value);
    Some(found)
}

fn place(key: &CellKey) -> Place<'_> {
    (&key.resource, &key.location, key.product.as_deref())
}

/// The step of one resource's part of the cell, in the measure's unit.
fn part(
    request: &Request<'_>,
    derivation: &Derivation,
    measure: &MeasureDecl,
    row: &MapRow,
    key: &CellKey,
    found: &mut CellExplanation,
) -> Option<String> {
    let one = derivation.get(&row.source, key.period)?;
    let value = value(request, measure, row, one).ok()??;
    let carries = figure(measure, request.mapping);
    let plant = request.plant;
    let own = derive::explain(plant, derivation, &row.source, key.period, carries);
    let number = match &own {
        Some(own) => own.steps.last()?.result,
        // A heartbeat is a figure of the writer, not of a resource.
        None => value,
    };
    if let Some(own) = own.filter(|own| !found.figures.contains(own)) {
        found.figures.push(own);
    }
    let (unit, additive) = kind(carries);
    let (from, to) = (unit.in_base(), measure.unit.in_base());
    let mut formula = number.normalize().to_string();
    let mut words = format!("{} of {}", derive::figure_name(carries), row.source);
    if additive && one.units != 1 {
        formula.push_str(&format!(" * {}", one.units));
        words.push_str(&format!(" × {} parallel units", one.units));
    }
    if additive && row.share != Decimal::ONE {
        formula.push_str(&format!(" * {}", row.share.normalize()));
        words.push_str(" × the share of the mapping");
    }
    if from != to {
        formula.push_str(&format!(" * {from} / {to}"));
        words.push_str(&format!(", from {unit} to {}", measure.unit));
    }
    let name = format!("part_{}", found.landed.steps.len() + 1);
    let words = words.chars().take(1).flat_map(char::to_uppercase).chain(words.chars().skip(1));
    found.landed.step(&name, &words.collect::<String>(), formula, value);
    Some(name)
}

/// Several resources that are one at the target.
fn together(
    landed: &mut Explanation,
    measure: &MeasureDecl,
    names: &[String],
    draft: &Draft,
) -> Option<()> {
    let (formula, words) = match (super::together(measure.carries), names) {
        (_, []) => return None,
        (_, [_]) => return Some(()),
        (Together::Same, [first, ..]) => (first.clone(), "One writer"),
        (Together::Least, _) => (format!("min({})", names.join(", ")), "The oldest of them"),
        (Together::Most, _) => (format!("max({})", names.join(", ")), "The most of them"),
        (Together::Add, _) => (names.join(" + "), "Together"),
    };
    landed.step("together", words, formula, draft.derived);
    Some(())
}

/// One rounding, at the measure's scale.
fn rounded(landed: &mut Explanation, measure: &MeasureDecl, draft: &Draft, value: Decimal) {
    let Some(exact) = landed.steps.last().map(|step| step.name.clone()) else { return };
    let scale = measure.scale;
    let moved = value - round_half_even(draft.derived, scale);
    let mut formula = format!("round({exact}, {scale})");
    let mut words = format!("Rounded once, to the {scale} decimals that the target holds");
    if !moved.is_zero() {
        let sign = if moved.is_sign_negative() { '-' } else { '+' };
        formula.push_str(&format!(" {sign} {}", moved.abs()));
        words.push_str(
            ", as the difference of the rounded running sums at its two edges, so that days, weeks \
             and months add up",
        );
    }
    landed.step("landed", &words, formula, value);
}
