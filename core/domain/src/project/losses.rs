//! What must not land: losses counted twice, figures mixed, units that differ.

use planthread_contracts::{Aggregation, Carries, Loss, MeasureDecl, Owner, Unit, Violation};

use super::{Landing, Request};
use crate::{
    derive::Figures,
    model::{Figure, Mapping},
};

/// Law 10: what the target takes off by itself must not be taken off already from
/// what lands at a place.
pub(super) fn doubled(request: &Request<'_>, landing: &Landing<'_>) -> Vec<Violation> {
    let applied = &request.mapping.target_applies;
    if applied.is_empty() {
        return Vec::new();
    }
    let lands = |one: &&Figures| landing.sources().any(|source| one.resource == source);
    let twice = |one: &Figures| applied.iter().find(|loss| one.netted_losses.contains(*loss));
    let figures = || request.live.figures.iter().filter(lands);
    let Some((one, loss)) = figures().find_map(|one| Some((one, twice(one)?))) else {
        return Vec::new();
    };
    let measures = request.measures.iter().enumerate();
    let ours = measures.filter(|(_, m)| m.owner == Owner::Bridge && is_capacity(m.carries));
    ours.map(|(index, measure)| {
        let path = format!("measures[{index}].carries");
        twice_applied(measure, &one.resource, *loss).under(&path)
    })
    .collect()
}

/// Every reason that shows in the declarations alone, before there is a fact:
/// a configuration with one of them will never land anything.
#[must_use]
pub fn declared(mapping: &Mapping, measures: &[MeasureDecl]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, measure) in measures.iter().enumerate() {
        if measure.owner != Owner::Bridge {
            continue;
        }
        let path = |field: &str| format!("measures[{index}].{field}");
        found.extend(mixed(mapping, measure).map(|f| f.under(&path("carries"))));
        found.extend(unit(measure).map(|f| f.under(&path("unit"))));
        if is_capacity(measure.carries) {
            found.extend(always_doubled(mapping, measure).map(|f| f.under(&path("carries"))));
        }
        found.extend(alone(measures, measure).map(|f| f.under(&path("level"))));
        found.extend(added_quantiles(measure).map(|f| f.under(&path("over_time"))));
        let ways = [("over_time", measure.over_time), ("over_resources", measure.over_resources)];
        for (field, way) in ways {
            found.extend(meaningless(measure, way).map(|f| f.under(&path(field))));
        }
    }
    found
}

/// Codes, counts, ratios and days that a target must not put together in this
/// way: a status lands only where a month or a plant shows the worst of its
/// parts, covered only where they are counted, and days never add up.
fn meaningless(measure: &MeasureDecl, way: Aggregation) -> Option<Violation> {
    let (what, allowed): (_, &[Aggregation]) = match measure.carries {
        Carries::Status => ("a status code", &[Aggregation::Max, Aggregation::None]),
        Carries::Severity => ("a severity", &[Aggregation::Max, Aggregation::None]),
        Carries::Covered => ("a count of covered parts", &[Aggregation::Sum, Aggregation::None]),
        Carries::AsOf | Carries::ValidUntil => ("a day", NEVER_ADDED),
        Carries::Heartbeat => ("the identity of a writer", NEVER_ADDED),
        _ => return None,
    };
    if allowed.contains(&way) {
        return None;
    }
    let effect = match (measure.carries, way) {
        (Carries::Covered, Aggregation::Max) => {
            "a total would say 1 where a single part of it was measured"
        }
        (Carries::Covered, _) => "a total would not say how many parts of it were measured",
        (_, Aggregation::Sum) => "the target would add them up, and the total means nothing",
        _ => "the target would show the mildest of them, and hide the others",
    };
    let words: Vec<&str> = allowed.iter().map(|way| aggregation(*way)).collect();
    let cure = match words.split_last() {
        Some((last, rest)) => format!("store it with aggregation {} or {last}", rest.join(", ")),
        None => String::new(),
    };
    let reason = format!(
        "`{}` carries {what} with aggregation {}: {effect}",
        measure.name,
        aggregation(way)
    );
    Some(Violation::new("", reason, cure))
}

const fn aggregation(way: Aggregation) -> &'static str {
    match way {
        Aggregation::Sum => "sum",
        Aggregation::Min => "min",
        Aggregation::Max => "max",
        Aggregation::None => "none",
    }
}

const NEVER_ADDED: &[Aggregation] = &[Aggregation::Min, Aggregation::Max, Aggregation::None];

/// Status and stamps travel with a value of the same level; where there is
/// none, they would never land. A value of others is one: somebody may promote
/// it.
fn alone(measures: &[MeasureDecl], measure: &MeasureDecl) -> Option<Violation> {
    let accompanied = || {
        measures.iter().any(|other| {
            other.carries != Carries::Observed
                && other.level == measure.level
                && !other.carries.accompanies()
        })
    };
    (measure.carries.accompanies() && !accompanied()).then(|| {
        Violation::new(
            "",
            format!("`{}` accompanies values, but no value lands at its level", measure.name),
            "store it at the level of the value that it speaks of",
        )
    })
}

/// Law 7: a target that adds quantiles up shows a number that nobody derived.
fn added_quantiles(measure: &MeasureDecl) -> Option<Violation> {
    let sums = [measure.over_time, measure.over_resources].contains(&Aggregation::Sum);
    (measure.carries == Carries::LowHours && sums).then(|| {
        Violation::new(
            "",
            format!("`{}` carries a quantile, and the target would add it up", measure.name),
            "store it with aggregation min or none over time and over resources",
        )
    })
}

const fn is_capacity(carries: Carries) -> bool {
    matches!(
        carries,
        Carries::AttainableClockHours
            | Carries::DemonstratedStandardHours
            | Carries::PlanCut
            | Carries::LowHours
            | Carries::GoodUnits
    )
}

/// What a measure has paid besides the losses of attainable hours: whatever is
/// computed from good output carries every loss between the clock and the part.
fn paid_by_output(mapping: &Mapping, measure: &MeasureDecl) -> &'static [Loss] {
    let standard = mapping.expects == Figure::DemonstratedStandardHours;
    match measure.carries {
        Carries::DemonstratedStandardHours | Carries::GoodUnits => OF_OUTPUT,
        Carries::PlanCut if standard => OF_OUTPUT,
        _ => &[],
    }
}

/// Standby (no operator, no order) is corrected for, so staffing is not here.
const OF_OUTPUT: &[Loss] = &[Loss::Setup, Loss::Speed, Loss::Quality];

/// What every figure of capacity has paid, of machines and of lines.
const ALWAYS: &[Loss] = &[Loss::PlannedMaintenance, Loss::UnplannedDown];

/// Law 10 where it shows without a fact: losses that are taken off in any case.
fn always_doubled(mapping: &Mapping, measure: &MeasureDecl) -> Option<Violation> {
    let source = &mapping.rows.first()?.source;
    let paid =
        |loss: &&Loss| ALWAYS.contains(loss) || paid_by_output(mapping, measure).contains(loss);
    let twice = mapping.target_applies.iter().find(paid)?;
    Some(twice_applied(measure, source, *twice))
}

fn twice_applied(measure: &MeasureDecl, source: &str, loss: Loss) -> Violation {
    Violation::new(
        "",
        format!(
            "`{}` of {source} has already paid {}, and the target takes it off again: the loss would count twice",
            measure.name,
            word(loss),
        ),
        "set the target's own factor for it to one and remove it from `target_applies`, or don't land this measure",
    )
}

/// The mapping says which figure the target's consumption rates expect; the
/// other one would be compared with a load in other hours.
fn mixed(mapping: &Mapping, measure: &MeasureDecl) -> Option<Violation> {
    let lands = match measure.carries {
        Carries::AttainableClockHours | Carries::LowHours => Figure::AttainableClockHours,
        Carries::DemonstratedStandardHours => Figure::DemonstratedStandardHours,
        _ => return None,
    };
    (lands != mapping.expects).then(|| {
        Violation::new(
            "",
            format!(
                "`{}` carries the other figure of capacity than the mapping's `expects`",
                measure.name
            ),
            "land the figure that the target's consumption rates expect: the two are never mixed",
        )
    })
}

/// A unit into which the figure can't be converted.
fn unit(measure: &MeasureDecl) -> Option<Violation> {
    let own = match measure.carries {
        Carries::GoodUnits => Unit::Piece,
        Carries::Severity
        | Carries::Status
        | Carries::Covered
        | Carries::AsOf
        | Carries::ValidUntil
        | Carries::Heartbeat => Unit::One,
        Carries::Observed => return None,
        Carries::AttainableClockHours
        | Carries::DemonstratedStandardHours
        | Carries::PlanCut
        | Carries::LowHours
        | Carries::ExpectedLostHours
        | Carries::HoursAtRisk
        | Carries::DecidedHours => Unit::Hour,
    };
    own.convert(1.into(), measure.unit).is_none().then(|| {
        Violation::new(
            "",
            format!("`{}` is in {own}, which does not convert to {}", measure.name, measure.unit),
            "declare the unit in which the target stores it, of the same dimension",
        )
    })
}

const fn word(loss: Loss) -> &'static str {
    match loss {
        Loss::PlannedMaintenance => "planned maintenance",
        Loss::Breaks => "breaks",
        Loss::Setup => "setup",
        Loss::UnplannedDown => "unplanned down",
        Loss::Speed => "speed losses",
        Loss::Quality => "quality losses",
        Loss::Staffing => "missing operators",
    }
}
