//! Explain: the arithmetic of one figure, or of what a measure holds.

use planthread_contracts::{Carries, MeasureDecl, Period, PeriodKind};
use planthread_domain::{
    derive::{self, Deriver, Explanation, Origin, figure_name},
    project::{self, CellExplanation, Landing},
};
use rust_decimal::Decimal;

use super::trace::explain_cell;
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// Explains one figure of one resource and period in words.
///
/// # Errors
/// When it was not derived; the message says what was.
pub fn explain(
    loaded: &Loaded,
    deriver: &Deriver<'_>,
    resource: &str,
    period: Period,
    figure: Carries,
) -> Result<Explanation, Failure> {
    let plant = &loaded.config.plant;
    let derivation = deriver.of([resource]);
    derive::explain(plant, &derivation, resource, period, figure).ok_or_else(|| {
        let known = plant.resource(resource).is_some() || plant.line(resource).is_some();
        let derived = derivation.get(resource, period).is_some_and(derive::is_known);
        let mine = || derivation.figures.iter();
        match (known, mine().next(), mine().next_back()) {
            (true, ..) if derived => {
                let name = figure_name(figure);
                Failure::usage(format!("{resource} has no {name} in {period}")).cure(needs(figure))
            }
            (true, Some(_), _) if mine().all(|one| one.period.kind() != period.kind()) => {
                not_stored(deriver.origin(), period)
            }
            (true, Some(first), Some(last)) => {
                let doubts = derive::doubts(plant, &derivation, resource, period);
                let doubts: String = doubts.iter().map(|one| format!("\n  {one}")).collect();
                Failure::usage(format!("nothing is known about {resource} in {period}{doubts}"))
                    .cure(if doubts.is_empty() {
                        format!("periods from {} to {} were derived", first.period, last.period)
                    } else {
                        "let the sources tell what they leave open, or declare the machine's \
                         `standard_availability`"
                            .to_owned()
                    })
            }
            (true, ..) => Failure::usage(format!("nothing is known about {resource}"))
                .cure("send records of it, or declare its `standard_availability`"),
            (false, ..) => {
                let resources = plant.resources.iter().map(|one| one.id.as_str());
                let names = resources.chain(plant.lines.iter().map(|one| one.id.as_str()));
                Failure::usage(format!("`{resource}` is no resource or line of the plant"))
                    .cure(format!("known: {}", names.collect::<Vec<_>>().join(", ")))
            }
        }
    })
}

/// A kind of period, in words.
pub(crate) const fn kind_name(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Day => "day",
        PeriodKind::TechnicalWeek => "technical week",
        PeriodKind::Week => "week",
        PeriodKind::Month => "month",
    }
}

/// A period of a kind that no measure stores was never derived: that says nothing
/// about the resource.
fn not_stored(origin: &Origin, period: Period) -> Failure {
    let derived: Vec<_> = origin.periods.keys().copied().map(kind_name).collect();
    let asked = kind_name(period.kind());
    Failure::usage(format!("no measure is stored by {asked}, so {period} was not derived")).cure(
        format!(
            "ask for a period by {}, or declare a measure with the level of a {asked}",
            derived.join(" or ")
        ),
    )
}

/// What a figure needs that a known resource may lack.
const fn needs(figure: Carries) -> &'static str {
    match figure {
        Carries::DemonstratedStandardHours => {
            "it needs counted good parts, an ideal cycle, and a source that tells standby from slow running"
        }
        Carries::LowHours => {
            "it needs a period ahead, and a forecast with a low quantile or seven full weeks behind it (of a whole week)"
        }
        Carries::GoodUnits => "it needs counted good parts; ahead also demonstrated standard hours",
        Carries::Severity => "it needs a constraint map that holds in the period",
        Carries::HoursAtRisk => {
            "it needs a forecast for the period with failure_probability and repair_hours"
        }
        Carries::Heartbeat | Carries::Observed => {
            "it is no figure of a resource: `trace` shows the cell"
        }
        _ => "send records of it",
    }
}

/// Which figure `--figure` names; a plan cut is the figure of capacity that the
/// first target expects.
#[must_use]
pub fn capacity_of_cut(loaded: &Loaded, figure: Carries) -> Carries {
    let expects = loaded.config.targets.values().next().map(|target| target.mapping.expects);
    match (figure, expects) {
        (Carries::PlanCut, Some(planthread_domain::model::Figure::DemonstratedStandardHours)) => {
            Carries::DemonstratedStandardHours
        }
        (other, _) => other,
    }
}

/// The measure called `name`, or `target/name`, with its target.
///
/// # Errors
/// When there is none, or several targets have one.
pub fn measure<'a>(
    loaded: &'a Loaded,
    name: &str,
) -> Result<(&'a str, &'a Target, &'a MeasureDecl), Failure> {
    let all = || {
        loaded.config.targets.iter().flat_map(|(target, config)| {
            config.measures.iter().map(move |measure| (target.as_str(), config, measure))
        })
    };
    let full = |target: &str, measure: &MeasureDecl| format!("{target}/{}", measure.name);
    let found: Vec<_> = all()
        .filter(|(target, _, measure)| measure.name == name || full(target, measure) == name)
        .collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let names: Vec<&str> = all().map(|(_, _, measure)| measure.name.as_str()).collect();
            Err(Failure::usage(format!("no target has a measure `{name}`"))
                .cure(format!("measures: {}", names.join(", "))))
        }
        several => {
            let names = several.iter().map(|(target, _, measure)| full(target, measure));
            Err(Failure::usage(format!("several targets have a measure `{name}`"))
                .cure(format!("name one of: {}", names.collect::<Vec<_>>().join(", "))))
        }
    }
}

/// Explains what `measure` holds of one resource and period: the figure, its
/// share, the unit, the rounding. One explanation for each place of the target.
///
/// # Errors
/// When nothing of it lands there.
pub fn explain_measure(
    loaded: &Loaded,
    deriver: &Deriver<'_>,
    (resource, period): (&str, Period),
    (name, target, measure): (&str, &Target, &MeasureDecl),
) -> Result<Vec<CellExplanation>, Failure> {
    if period.kind() != measure.level {
        let level = serde_json::to_value(measure.level).unwrap_or_default();
        let level = level.as_str().unwrap_or_default().replace('_', " ");
        return Err(Failure::usage(format!("{} is stored by {level}", measure.name))
            .cure(format!("name a {level} instead of {period}")));
    }
    let figure = project::figure(measure, &target.mapping);
    let landings = Landing::all(&target.mapping).into_iter();
    let found: Vec<CellExplanation> = landings
        .filter(|landing| landing.sources().any(|source| source == resource))
        .filter_map(|landing| {
            let key = landing.key(name, target.scope().name(), period, &measure.name);
            // Which writer it will be is known to the cell alone.
            explain_cell(loaded, target, &deriver.of(landing.sources()), &key, Decimal::ZERO, None)
        })
        .collect();
    if found.is_empty() || measure.carries == Carries::Heartbeat {
        // Either there is no such figure, and this says why ...
        explain(loaded, deriver, resource, period, figure)?;
        return Err(Failure::usage(format!(
            "{} of {resource} in {period} does not land at {name}",
            measure.name
        ))
        .cure("see `map coverage` for resources without a row, and `plan` for what is withheld"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use planthread_domain::decode::Facts;

    use super::*;
    use crate::{
        config,
        pipeline::{derive_facts, facts_of_files},
    };

    const HOURS: Carries = Carries::AttainableClockHours;

    #[test]
    fn a_period_that_no_measure_stores_is_not_called_unknown() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = root.join("examples/line-simulation/planthread.yaml");
        let loaded = config::load(&file, None).unwrap();
        let as_of = loaded.config.plant.as_of.unwrap();
        let facts = Facts::default();
        let deriver = derive_facts(&loaded, &facts, as_of).unwrap();
        let said = |resource: &str, period: &str| {
            explain(&loaded, &deriver, resource, period.parse().unwrap(), HOURS).unwrap_err()
        };
        let month = said("M1", "2026-12");
        assert_eq!(month.message, "no measure is stored by month, so 2026-12 was not derived");
        assert!(month.cure.starts_with("ask for a period by week, or"), "{}", month.cure);
        assert!(said("M1", "2026-W48").message.contains("nothing is known about M1"));
        assert!(said("M9", "2026-12").message.contains("is no resource or line"));
    }

    #[test]
    fn of_a_machine_of_which_nothing_is_known_it_says_who_fell_silent() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("tests/cases/two-event-sources-conflict");
        let text = fs::read_to_string(folder.join("planthread.yaml")).unwrap();
        // The second logger speaks for nobody: one row of it is old news.
        let mine = |line: &&str| !line.contains("speaks_for") && !line.contains("alive_by");
        let text: String = text.lines().filter(mine).flat_map(|line| [line, "\n"]).collect();
        let loaded = config::parse(&text, &folder.join("planthread.yaml"), None).unwrap();
        let as_of = loaded.config.plant.as_of.unwrap();
        let (facts, _) = facts_of_files(&loaded, as_of).unwrap();
        let deriver = derive_facts(&loaded, &facts, as_of).unwrap();
        for week in ["2026-W44", "2026-W49"] {
            let said = explain(&loaded, &deriver, "M1", week.parse().unwrap(), HOURS).unwrap_err();
            assert!(said.message.contains("hall-b says nothing of M1 since"), "{said}");
            assert!(said.cure.contains("standard_availability"), "{said}");
        }
    }
}
