//! Probes with real reads: conversions that a key figure needs, how it adds up
//! one level coarser, and (in `level`) at which level it is stored.
//!
//! None of it stands in `$metadata`. A key figure that sums where a maximum was
//! declared shows planners a severity of 7.3, so the proof is a read.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use planthread_contracts::{Aggregation, MeasureDecl, Period, PeriodKind};
use planthread_kit::sheet::Report;
use planthread_kit::{Class, ConnectorError, Selection, http::Lane};
use planthread_odata::{
    answer::text,
    filter::{all_of, equals},
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    level,
    sheet::{adds_id, aggregation, kinds, level_id, measure_id},
};
use crate::{
    context::Context,
    metadata::PlanningArea,
    translate::{
        decode::{self, Place},
        question::{Question, questions},
    },
    verbs::read::{pages, placed},
};

const PROBE: &str = "probe values";

/// Answers the lines of `measures`, all of which exist; names those that hold
/// values. A read that is refused is a finding of its key figures.
pub(crate) async fn probe(
    ibp: &Context,
    area: &PlanningArea,
    measures: &[MeasureDecl],
    report: &mut Report,
) -> Result<BTreeSet<String>, ConnectorError> {
    let mut held = BTreeSet::new();
    for kind in kinds(measures) {
        let level: Vec<MeasureDecl> =
            measures.iter().filter(|measure| measure.level == kind).cloned().collect();
        let window = window(ibp, kind, &level);
        for question in questions(&window, &level, &ibp.config, ibp.version())? {
            let names: Vec<MeasureDecl> = question.measures.clone();
            match one(ibp, area, question, &window, report).await {
                Ok(found) => held.extend(found),
                Err(error) => {
                    for measure in &names {
                        report.unread(&level_id(measure), error.clone())?;
                    }
                }
            }
        }
    }
    Ok(held)
}

/// Answers the lines of the key figures of one question.
async fn one(
    ibp: &Context,
    area: &PlanningArea,
    question: Question,
    window: &Selection,
    report: &mut Report,
) -> Result<BTreeSet<String>, ConnectorError> {
    let readable = conversions(ibp, area, question, report).await?;
    if readable.measures.is_empty() {
        return Ok(BTreeSet::new());
    }
    let stored = values(ibp, &readable, report).await?;
    level::judge(ibp, area, (&readable, window), &stored, report).await?;
    level::figures(&readable, &stored)
}

/// Periods that are looked at, from the current one on: enough that a week of
/// them is split by the end of a month, wherever a plan is that long.
const fn periods(kind: PeriodKind) -> usize {
    match kind {
        PeriodKind::Day => 14,
        PeriodKind::Week | PeriodKind::TechnicalWeek => 10,
        PeriodKind::Month => 4,
    }
}

fn window(ibp: &Context, kind: PeriodKind, measures: &[MeasureDecl]) -> Selection {
    let today = ibp.clock().now().to_zoned(TimeZone::UTC).date();
    let from = Period::containing(kind, today);
    let to = (1..periods(kind)).fold(from, |period, _| period.next());
    Selection {
        target: String::new(),
        scope: ibp.scope.clone(),
        measures: measures.iter().map(|measure| measure.name.clone()).collect(),
        resources: Vec::new(),
        from,
        to,
        lane: Lane::Sweep,
    }
}

/// Reads two rows; where that fails, each key figure alone, so that the one at
/// fault is named. Answers the question without the key figures that fail.
async fn conversions(
    ibp: &Context,
    area: &PlanningArea,
    question: Question,
    report: &mut Report,
) -> Result<Question, ConnectorError> {
    if two_rows(ibp, &question).await?.is_none() {
        return Ok(question);
    }
    let figures = question.measures.len();
    let mut readable = Question { measures: Vec::new(), ..question.clone() };
    readable.select.truncate(question.select.len() - figures);
    let level = readable.select.clone();
    for measure in &question.measures {
        let mut select = level.clone();
        select.push(measure.surface.clone());
        let alone = Question { select, measures: vec![measure.clone()], ..question.clone() };
        match two_rows(ibp, &alone).await? {
            None => {
                readable.select.push(measure.surface.clone());
                readable.measures.push(measure.clone());
            }
            Some(error) => needs(ibp, area, &alone, error, report).await?,
        }
    }
    Ok(readable)
}

/// Finds out which conversion attributes a key figure needs. The refusal names
/// one, in whatever language; so each that the area declares is given a dummy
/// value, alone and then both, until a read is allowed.
async fn needs(
    ibp: &Context,
    area: &PlanningArea,
    question: &Question,
    error: ConnectorError,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    const DUMMY: &str = "ZZZ";
    let Some(line) = question.measures.first().map(measure_id) else { return Ok(()) };
    let declared = area.conversions.iter().map(|property| property.name.as_str());
    let open: Vec<&str> = declared.filter(|name| !question.units.contains_key(*name)).collect();
    let mut tries: Vec<Vec<&str>> = open.iter().map(|name| vec![*name]).collect();
    if open.len() > 1 {
        tries.push(open);
    }
    for names in tries {
        let mut asked = question.clone();
        let terms = names.iter().map(|name| equals(name, DUMMY));
        asked.filter = all_of(&std::iter::once(asked.filter).chain(terms).collect::<Vec<_>>());
        if two_rows(ibp, &asked).await?.is_none() {
            let text = format!("a read must name {}", names.join(" and "));
            report.fail(&line, text, "set `measures.<name>.conversions` to the unit of storage");
            return Ok(());
        }
    }
    report.fail(
        &line,
        format!("can't be read: {}", error.message),
        "compare the key figure with its line",
    );
    Ok(())
}

/// Reads at most two rows; a refusal comes back as a value.
async fn two_rows(
    ibp: &Context,
    question: &Question,
) -> Result<Option<ConnectorError>, ConnectorError> {
    match ibp.planning.read(PROBE, Lane::Sweep, &question.page(2, 0)).await {
        Ok(_) => Ok(None),
        Err(error) if error.class == Class::Drift => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Reads the same window at the storage level, without resources, and without
/// periods, and compares. Answers what is stored.
async fn values(
    ibp: &Context,
    question: &Question,
    report: &mut Report,
) -> Result<Vec<(Place, Value)>, ConnectorError> {
    let stored = pages(ibp, question, Lane::Sweep).await?;
    let stored = placed(ibp, question, &stored)?;
    let names = &ibp.config.attributes;
    let time = ibp.config.time_fields.of(question.kind);
    for (axis, dropped) in [("over resources", names.resource.as_str()), ("over time", time)] {
        let coarse = coarser(question, dropped);
        let rows = if stored.is_empty() {
            Vec::new()
        } else {
            pages(ibp, &coarse, Lane::Sweep).await?.concat()
        };
        let level = coarse.order.split(',').map(str::to_owned).collect::<Vec<_>>();
        for measure in &question.measures {
            let fine = stored.iter().map(|(_, row)| row);
            let over_time = dropped == time;
            let declared = if over_time { measure.over_time } else { measure.over_resources };
            let found = observe(&level, fine, &rows, measure, declared)?;
            judge(measure, axis, declared, found, report);
        }
    }
    Ok(stored)
}

/// The same question without one attribute or the time field.
fn coarser(question: &Question, dropped: &str) -> Question {
    let keep = |name: &&str| *name != dropped;
    let order: Vec<&str> = question.order.split(',').filter(keep).collect();
    let mut coarse = question.clone();
    coarse.order = order.join(",");
    coarse.select.retain(|name| name != dropped);
    coarse
}

/// What a coarser read shows against the stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Observed {
    /// It adds up like this.
    Is(Aggregation),
    /// It shows something that is neither sum, maximum, minimum nor nothing.
    Else(Decimal),
    /// All values are alike: maximum and minimum can't be told apart.
    Alike,
    /// No group whose sum can be told from its values.
    NoEvidence,
}

/// Compares a group of stored values with what the coarser level shows for it.
/// The best group has no zeros, because a zero may be an absent cell that only
/// shows as one, and different values, because then sum, maximum and minimum
/// all differ; where all are alike, at least a sum can be told from the rest.
fn observe<'a>(
    level: &[String],
    stored: impl Iterator<Item = &'a Value>,
    coarse: &[Value],
    measure: &MeasureDecl,
    declared: Aggregation,
) -> Result<Observed, ConnectorError> {
    let key = |row: &Value| -> Vec<String> {
        level.iter().map(|column| text(row, column).to_owned()).collect()
    };
    let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
    for row in stored {
        if let Some(value) = decode::number(row, &measure.surface, 0)? {
            groups.entry(key(row)).or_default().add(value);
        }
    }
    let best = groups
        .iter()
        .filter(|(_, group)| group.tells())
        .max_by_key(|(_, group)| (!group.zeros, group.differs()));
    let Some((name, group)) = best else { return Ok(Observed::NoEvidence) };
    let shown = match coarse.iter().find(|row| key(row) == *name) {
        Some(row) => decode::number(row, &measure.surface, 0)?,
        None => None,
    };
    Ok(group.kind_of(shown, declared))
}

/// Stored values that one coarser value is made of.
#[derive(Debug, Default)]
struct Group {
    values: Vec<Decimal>,
    zeros: bool,
}

impl Group {
    fn add(&mut self, value: Decimal) {
        if value.is_zero() {
            self.zeros = true;
        } else {
            self.values.push(value);
        }
    }

    /// Whether the sum can be told from every single value.
    fn tells(&self) -> bool {
        self.values.len() > 1 && !self.values.contains(&self.values.iter().sum())
    }

    fn differs(&self) -> bool {
        self.values.iter().min() != self.values.iter().max()
    }

    /// How `shown` comes out of the values. Where maximum and minimum are the
    /// same, neither is proven.
    fn kind_of(&self, shown: Option<Decimal>, declared: Aggregation) -> Observed {
        let Some(shown) = shown else { return Observed::Is(Aggregation::None) };
        let extreme = matches!(declared, Aggregation::Max | Aggregation::Min);
        if self.zeros && shown.is_zero() {
            // The minimum of zeros, or nothing that shows as one.
            let minimum = declared == Aggregation::Min;
            return if minimum { Observed::Alike } else { Observed::Is(Aggregation::Min) };
        }
        if extreme && !self.differs() && self.values.first() == Some(&shown) {
            return Observed::Alike;
        }
        let of = |kind| match kind {
            Aggregation::Sum => Some(self.values.iter().sum::<Decimal>()),
            Aggregation::Max => self.values.iter().max().copied(),
            Aggregation::Min => self.values.iter().min().copied(),
            Aggregation::None => None,
        };
        let known = [declared, Aggregation::Sum, Aggregation::Max, Aggregation::Min];
        known
            .into_iter()
            .find(|kind| of(*kind) == Some(shown))
            .map_or(Observed::Else(shown), Observed::Is)
    }
}

fn judge(
    measure: &MeasureDecl,
    axis: &str,
    declared: Aggregation,
    found: Observed,
    report: &mut Report,
) {
    let line = adds_id(measure);
    let wanted = aggregation(declared);
    match found {
        Observed::Is(is) if is == declared => {
            report.tick(&line, format!("{axis}: {wanted}, proven"))
        }
        Observed::Is(is) => report.fail(
            &line,
            format!("{axis} it shows the {}, {wanted} is declared", aggregation(is)),
            "change the aggregation of the key figure, or correct the declaration",
        ),
        Observed::Else(value) => report.fail(
            &line,
            format!("{axis} it shows {value}: neither sum, maximum, minimum nor nothing"),
            "look at the key figure's calculations above its storage level",
        ),
        Observed::Alike => report.open(
            &line,
            format!("{axis}: {wanted} is not proven yet, the values are too alike to tell"),
        ),
        // Nothing to see before the first landing.
        Observed::NoEvidence => report
            .open(&line, format!("{axis}: {wanted} is not proven yet, land once and check again")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::measures;

    /// What a coarser read that shows `shown` says about stored `values`.
    fn seen(values: &[&str], shown: &Value, declared: Aggregation) -> Observed {
        let row = |value: &Value| json!({"LOCID": "1010", "TWINSEVERITY": value});
        let stored: Vec<Value> = values.iter().map(|value| row(&json!(value))).collect();
        let level = ["LOCID".to_owned()];
        observe(&level, stored.iter(), &[row(shown)], &measures()[3], declared).unwrap()
    }

    #[test]
    fn the_coarser_level_tells_how_values_add_up() {
        let shows = |value: Value| seen(&["0.400000", "0.300000"], &value, Aggregation::Max);
        assert_eq!(shows(json!("0.700000")), Observed::Is(Aggregation::Sum));
        assert_eq!(shows(json!("0.400000")), Observed::Is(Aggregation::Max));
        assert_eq!(shows(json!("0.300000")), Observed::Is(Aggregation::Min));
        assert_eq!(shows(json!(null)), Observed::Is(Aggregation::None));
        assert_eq!(shows(json!("0.350000")), Observed::Else("0.35".parse().unwrap()));
    }

    #[test]
    fn equal_values_still_tell_a_sum_from_the_rest() {
        let shows = |value, declared| seen(&["1", "1"], &json!(value), declared);
        assert_eq!(shows("2", Aggregation::Max), Observed::Is(Aggregation::Sum));
        assert_eq!(
            shows("1", Aggregation::Max),
            Observed::Alike,
            "the minimum looks like this too"
        );
        assert_eq!(shows("1", Aggregation::Min), Observed::Alike);
        assert_eq!(shows("1", Aggregation::Sum), Observed::Is(Aggregation::Max));
        let absent = |shown| seen(&["3", "2", "0"], &json!(shown), Aggregation::Min);
        assert_eq!(absent("2"), Observed::Is(Aggregation::Min), "the zero may be an absent cell");
        assert_eq!(absent("0"), Observed::Alike, "or a value, or nothing that shows as one");
        assert_eq!(absent("3"), Observed::Is(Aggregation::Max));
        assert_eq!(seen(&["1", "0"], &json!("1"), Aggregation::Max), Observed::NoEvidence);
        assert_eq!(seen(&["1"], &json!("1"), Aggregation::Max), Observed::NoEvidence);
    }
}
