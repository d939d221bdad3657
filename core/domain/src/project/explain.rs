//! The arithmetic of one wanted cell: the figure of each resource behind it,
//! and what makes them the number that the target holds.

use planthread_contracts::{Aggregation, Carries, CellKey, MeasureDecl, Status};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Draft, MapRow, Request, drafts, figure, kind, rounding, value};
use crate::{
    calendar::round_half_even,
    derive::{self, Derivation, Explanation},
    model::Mapping,
};

/// Why a cell holds its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    let from = if measure.carries == Carries::PlanCut { request.cut } else { Some(request.live) };
    let derivation = from?;
    // One place is asked for: the rows of others would only cost time.
    let mapping = Mapping {
        rows: request.mapping.rows.iter().filter(|row| stands(row, key)).cloned().collect(),
        ..request.mapping.clone()
    };
    let request = &Request { mapping: &mapping, ..*request };
    let drafts = drafts(request, measure, &mut Vec::new());
    let draft = drafts.get(key)?.clone();
    let cells = rounding::cells(measure, drafts);
    let landed = cells.into_iter().find(|cell| cell.key == *key)?.value;
    let notes = vec![format!("measure {}, at the target {}.", measure.name, measure.surface)];
    let mut found = CellExplanation {
        figures: Vec::new(),
        landed: Explanation {
            resource: format!("{}@{}", key.resource, key.location),
            period: key.period,
            figure: measure.carries,
            steps: Vec::new(),
            notes,
        },
    };
    let parts: Vec<Part> = mapping
        .rows
        .iter()
        .filter_map(|row| part(request, derivation, measure, row, key, &mut found))
        .collect();
    together(&mut found.landed, measure, &parts, &draft)?;
    rounded(&mut found.landed, measure, &draft, landed);
    Some(found)
}

/// Whether `row` is mapped to the place of `key`.
fn stands(row: &MapRow, key: &CellKey) -> bool {
    (&row.resource, &row.location, &row.product) == (&key.resource, &key.location, &key.product)
}

/// One resource's part of the cell, in the measure's unit.
struct Part {
    name: String,
    source: String,
    value: Decimal,
    status: Status,
}

fn part(
    request: &Request<'_>,
    derivation: &Derivation,
    measure: &MeasureDecl,
    row: &MapRow,
    key: &CellKey,
    found: &mut CellExplanation,
) -> Option<Part> {
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
    let units = plant.resource(&row.source).map_or(1, |resource| resource.parallel_units);
    if additive && units != 1 {
        formula.push_str(&format!(" * {units}"));
        words.push_str(&format!(" × {units} parallel units"));
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
    Some(Part { name, source: row.source.clone(), value, status: one.status })
}

/// Several resources that are one at the target.
fn together(
    landed: &mut Explanation,
    measure: &MeasureDecl,
    parts: &[Part],
    draft: &Draft,
) -> Option<()> {
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let (formula, words) = match (measure.carries, measure.over_resources, parts) {
        (.., []) => return None,
        (.., [_]) => return Some(()),
        (Carries::Heartbeat, ..) => (names[0].to_owned(), "One writer".to_owned()),
        (Carries::Status, ..) => {
            let worst = parts.iter().find(|part| part.value == draft.value)?;
            let words = format!("The worst of them, {} of {}", worst.status.word(), worst.source);
            (worst.name.clone(), words)
        }
        (Carries::AsOf | Carries::ValidUntil, ..) => {
            (format!("min({})", names.join(", ")), "The oldest of them".to_owned())
        }
        (_, Aggregation::Min, _) => {
            (format!("min({})", names.join(", ")), "The least of them".to_owned())
        }
        (_, Aggregation::Max | Aggregation::None, _) => {
            (format!("max({})", names.join(", ")), "The most of them".to_owned())
        }
        (_, Aggregation::Sum, _) => (names.join(" + "), "Together".to_owned()),
    };
    landed.step("together", &words, formula, draft.value);
    Some(())
}

/// One rounding, at the measure's scale.
fn rounded(landed: &mut Explanation, measure: &MeasureDecl, draft: &Draft, value: Decimal) {
    let Some(exact) = landed.steps.last().map(|step| step.name.clone()) else { return };
    let scale = measure.scale;
    let moved = value - round_half_even(draft.value, scale);
    let mut formula = format!("round({exact}, {scale})");
    let mut words = format!("Rounded once, to the {scale} decimals that the target holds");
    if !moved.is_zero() {
        let sign = if moved.is_sign_negative() { '-' } else { '+' };
        formula.push_str(&format!(" {sign} {}", moved.abs()));
        words.push_str(", and so that the parts of the week add up to its rounded value");
    }
    landed.step("landed", &words, formula, value);
}
