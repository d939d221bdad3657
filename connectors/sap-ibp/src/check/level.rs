//! At which period kind a key figure is stored. $metadata does not say, and a
//! wrong declaration reads plausibly: above its storage level a write is split
//! and a read is added up (§5, §7, B).
//!
//! What values show: several of them inside one declared period, one level
//! finer, mean a finer storage. Declared periods that never hold a value beside
//! their neighbours may be a coarser storage, which is no proof of either.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{Aggregation, MeasureDecl, Name, Period, PeriodKind};
use planthread_kit::rows::RowKey;
use planthread_kit::{Class, ConnectorError, Selection, http::Lane, sheet::Report};
use rust_decimal::Decimal;
use serde_json::Value;

use super::sheet::{level_id, words};
use crate::{
    context::Context,
    metadata::PlanningArea,
    translate::{
        decode,
        question::{Question, by_kind},
    },
    verbs::read::{pages, placed},
};

type Rows = [(RowKey, Value)];
/// Values of one place by period; a zero may be an absent cell, and is none.
type Values = BTreeMap<Period, Decimal>;
type Spot = (Name, Name, Option<Name>);

/// Measures of `question` that hold values in `stored`.
pub(crate) fn figures(
    question: &Question,
    stored: &Rows,
) -> Result<BTreeSet<String>, ConnectorError> {
    let mut held = BTreeSet::new();
    for measure in &question.measures {
        if !values(stored, measure)?.is_empty() {
            held.insert(measure.name.clone());
        }
    }
    Ok(held)
}

/// Answers the level line of each measure from what is stored in `window`, and
/// from a few rows read at finer levels.
pub(crate) async fn judge(
    ibp: &Context,
    area: &PlanningArea,
    (question, window): (&Question, &Selection),
    stored: &Rows,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let mut looked: Vec<(&MeasureDecl, Spot, Values)> = Vec::new();
    for measure in &question.measures {
        let spots = values(stored, measure)?.into_iter();
        match spots.min_by_key(|(_, values)| std::cmp::Reverse(values.len())) {
            Some((spot, values)) => looked.push((measure, spot, values)),
            None => report.open(&level_id(measure), "not proven yet, land once and check again"),
        }
    }
    if looked.is_empty() {
        return Ok(());
    }
    let places = looked.iter().map(|(_, (resource, location, _), _)| (resource, location));
    let places: BTreeSet<_> = places.map(|(r, l)| (r.clone(), l.clone())).collect();
    let mut finer = Vec::new();
    for kind in finer_than(question.kind) {
        let field = ibp.config.time_fields.of(*kind);
        // A field that stands for both would answer the same again.
        if area.time(field).is_some() && field != ibp.config.time_fields.of(question.kind) {
            let selection = Selection {
                resources: places.iter().map(|(r, l)| (r.to_string(), l.to_string())).collect(),
                from: Period::containing(*kind, window.from.start()),
                to: Period::containing(
                    *kind,
                    window.to.end().yesterday().unwrap_or(window.to.start()),
                ),
                ..window.clone()
            };
            let asked = by_kind(question, &selection, &ibp.config, ibp.version());
            finer.push((*kind, rows(ibp, &asked).await?));
        }
    }
    for (measure, spot, values) in looked {
        answer(measure, &spot, &values, &finer, report)?;
    }
    Ok(())
}

/// The rows of a finer read, or the words in which it was refused.
async fn rows(
    ibp: &Context,
    question: &Question,
) -> Result<Result<Vec<(RowKey, Value)>, String>, ConnectorError> {
    let read = pages(ibp, question, Lane::Sweep).await;
    match read.and_then(|pages| placed(ibp, question, &pages)) {
        Ok(rows) => Ok(Ok(rows)),
        Err(error) => match error.class {
            Class::Drift | Class::Auth => Ok(Err(error.message)),
            Class::Transient { .. } | Class::Throttled { .. } | Class::NotYet | Class::Fatal => {
                Err(error)
            }
        },
    }
}

type Finer = (PeriodKind, Result<Vec<(RowKey, Value)>, String>);

fn answer(
    measure: &MeasureDecl,
    spot: &Spot,
    stored: &Values,
    finer: &[Finer],
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let (line, declared) = (level_id(measure), words(measure.level));
    let mut open = Vec::new();
    if !apart(measure.level, stored) {
        open.push(format!("{} values do not tell a {declared} from a coarser level", stored.len()));
    }
    if finer.is_empty() && measure.level != PeriodKind::Day {
        open.push("the area has no finer time field to compare with".to_owned());
    }
    for (kind, read) in finer {
        let found = match read {
            Ok(rows) => values(rows, measure)?.remove(spot).unwrap_or_default(),
            Err(text) => {
                open.push(format!("a read by {} was refused: {text}", words(*kind)));
                continue;
            }
        };
        if let Some((period, value)) = stored.iter().find(|(period, _)| split(**period, &found)) {
            if measure.over_time == Aggregation::Sum && inside(*period, &found).all(|v| v == value)
            {
                open.push(format!(
                    "by {} the value of {period} stands in each part: whether a read below the \
                     storage level repeats it is not known",
                    words(*kind)
                ));
                continue;
            }
            let by = words(begun(measure.level, *kind, &found));
            let text =
                format!("{period} has values by {by}: it is stored finer than by {declared}");
            let cure = "set `level` of the measure to the storage level, or use a key figure that is \
                        stored at the declared one";
            report.fail(&line, text, cure);
            return Ok(());
        }
        let week_by_parts = (measure.level, *kind) == (PeriodKind::Week, PeriodKind::TechnicalWeek);
        if week_by_parts && !stored.keys().any(|week| spans_months(*week)) {
            open.push(
                "no week with a value spans two months, where technical weeks differ".to_owned(),
            );
        }
    }
    if open.is_empty() {
        report.tick(&line, format!("one value a {declared}, and nothing finer"));
    } else {
        report.open(&line, format!("not proven yet: {}", open.join("; ")));
    }
    Ok(())
}

/// Whether `finer` values show that `period` does not hold one value only.
fn split(period: Period, finer: &Values) -> bool {
    let inside =
        finer.keys().filter(|part| period.start() <= part.start() && part.start() < period.end());
    let starts: Vec<_> = inside.map(|part| part.start()).collect();
    starts.len() > 1 || starts.iter().any(|start| *start != period.start())
}

fn inside(period: Period, finer: &Values) -> impl Iterator<Item = &Decimal> {
    let within = move |part: &Period| period.start() <= part.start() && part.start() < period.end();
    finer.iter().filter(move |(part, _)| within(part)).map(|(_, value)| value)
}

/// By which periods values stand that were read by `read`: a storage by week shows them by
/// day, too, each at the day with which its week begins.
fn begun(declared: PeriodKind, read: PeriodKind, found: &Values) -> PeriodKind {
    let begins = |kind, at| Period::containing(kind, at).start() == at;
    let fits = |kind: &PeriodKind| found.keys().all(|part| begins(*kind, part.start()));
    let coarser = [PeriodKind::Week, PeriodKind::TechnicalWeek].into_iter();
    coarser.filter(|kind| *kind != declared).find(fits).unwrap_or(read)
}

/// Kinds whose periods lie inside those of `kind`.
const fn finer_than(kind: PeriodKind) -> &'static [PeriodKind] {
    match kind {
        PeriodKind::Day => &[],
        PeriodKind::TechnicalWeek => &[PeriodKind::Day],
        PeriodKind::Week | PeriodKind::Month => &[PeriodKind::Day, PeriodKind::TechnicalWeek],
    }
}

/// Whether so many periods hold values of their own that no coarser storage
/// could show them: a coarser one shows at most one value in each of its
/// periods, technical weeks two in a week.
fn apart(kind: PeriodKind, stored: &Values) -> bool {
    let mut together: BTreeMap<_, usize> = BTreeMap::new();
    for period in stored.keys() {
        let start = period.start();
        let whole = match kind {
            PeriodKind::Day | PeriodKind::TechnicalWeek => {
                Period::containing(PeriodKind::Week, start).start()
            }
            PeriodKind::Week => start.first_of_month(),
            PeriodKind::Month => {
                let back = (start.month() - 1) % 3;
                start.saturating_sub(jiff::Span::new().months(back)).first_of_month()
            }
        };
        *together.entry(whole).or_default() += 1;
    }
    let needed = if kind == PeriodKind::Day { 3 } else { 2 };
    together.values().any(|count| *count >= needed)
}

fn spans_months(period: Period) -> bool {
    let last = period.end().yesterday().unwrap_or(period.start());
    last.first_of_month() != period.start().first_of_month()
}

/// Values of `measure` that are not zero, by place.
fn values(rows: &Rows, measure: &MeasureDecl) -> Result<BTreeMap<Spot, Values>, ConnectorError> {
    let mut found: BTreeMap<Spot, Values> = BTreeMap::new();
    for (place, row) in rows {
        let value = decode::number(row, &measure.surface, 0)?;
        if let Some(value) = value.filter(|value| !value.is_zero()) {
            let spot = (place.resource.clone(), place.location.clone(), place.product.clone());
            found.entry(spot).or_default().insert(place.period, value);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(periods: &[&str]) -> Values {
        periods.iter().map(|period| (period.parse().unwrap(), Decimal::ONE)).collect()
    }

    #[test]
    fn what_a_coarser_storage_could_show_proves_nothing() {
        let day = |days: &[&str]| apart(PeriodKind::Day, &held(days));
        assert!(!day(&["2026-11-23", "2026-11-30", "2026-12-01"]), "week or technical week");
        assert!(day(&["2026-11-23", "2026-11-24", "2026-11-26"]));
        let week = |weeks: &[&str]| apart(PeriodKind::Week, &held(weeks));
        assert!(!week(&["2026-W50", "2026-W45"]), "one in each month");
        assert!(week(&["2026-W50", "2026-W51"]));
        let month = |months: &[&str]| apart(PeriodKind::Month, &held(months));
        assert!(!month(&["2026-01", "2026-04"]), "quarters");
        assert!(month(&["2026-05", "2026-06"]));
    }

    #[test]
    fn values_stand_by_the_periods_that_they_begin() {
        use PeriodKind::{Day, Month, TechnicalWeek, Week};
        let shown = |declared, days: &[&str]| begun(declared, Day, &held(days));
        assert_eq!(shown(Month, &["2026-12-07", "2026-12-14"]), Week);
        assert_eq!(shown(Month, &["2026-12-28", "2027-01-01"]), TechnicalWeek);
        assert_eq!(shown(Month, &["2026-12-07", "2026-12-08"]), Day);
        assert_eq!(shown(Week, &["2026-12-28", "2027-01-01"]), TechnicalWeek);
        assert_eq!(shown(TechnicalWeek, &["2026-12-28", "2026-12-29"]), Day);
    }

    #[test]
    fn several_values_inside_a_period_or_one_in_its_middle_are_finer() {
        let week: Period = "2026-W49".parse().unwrap();
        assert!(!split(week, &held(&["2026-11-30"])), "where the week begins");
        assert!(!split(week, &held(&[])), "a storage by week may show nothing by day");
        assert!(split(week, &held(&["2026-11-30", "2026-12-01"])));
        assert!(split(week, &held(&["2026-12-02"])));
        assert!(spans_months(week) && !spans_months("2026-W50".parse().unwrap()));
    }
}
