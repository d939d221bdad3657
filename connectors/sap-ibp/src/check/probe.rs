//! Probes with real reads: conversions that a key figure needs, how it adds up
//! one level coarser, and (in `level`) at which level it is stored.
//!
//! None of it stands in `$metadata`. A key figure that sums where a maximum was
//! declared shows planners a severity of 7.3, so the proof is a read.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use planthread_contracts::{MeasureDecl, Period, PeriodKind};
use planthread_kit::rows::RowKey;
use planthread_kit::{
    Class, ConnectorError, Selection,
    http::Lane,
    probe::{Axis, judge, observe},
    sheet::Report,
};
use planthread_odata::{
    answer::text,
    filter::{all_of, equals},
};
use serde_json::Value;

use super::{
    level,
    sheet::{adds_id, kinds, level_id, measure_id},
};
use crate::{
    context::Context,
    metadata::PlanningArea,
    translate::{
        decode,
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
) -> Result<Vec<(RowKey, Value)>, ConnectorError> {
    let stored = pages(ibp, question, Lane::Sweep).await?;
    let stored = placed(ibp, question, &stored)?;
    let names = &ibp.config.attributes;
    let time = ibp.config.time_fields.of(question.kind);
    for (axis, dropped) in [(Axis::Resources, names.resource.as_str()), (Axis::Time, time)] {
        let coarse = coarser(question, dropped);
        let rows = if stored.is_empty() {
            Vec::new()
        } else {
            pages(ibp, &coarse, Lane::Sweep).await?.concat()
        };
        let place = |row: &Value| -> Vec<String> {
            coarse.order.split(',').map(|column| text(row, column).to_owned()).collect()
        };
        for measure in &question.measures {
            let value = |row: &Value| decode::number(row, &measure.surface, 0);
            let (mut fine, mut shown) = (Vec::new(), Vec::new());
            for (_, row) in &stored {
                fine.extend(value(row)?.map(|value| (place(row), value)));
            }
            for row in &rows {
                shown.push((place(row), value(row)?));
            }
            let found = observe(fine, shown, axis.declared(measure));
            judge(&adds_id(measure), measure, axis, found, report);
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
