//! Why what a line can do is another figure than before: the newest releases behind it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use planthread_contracts::{Carries, MeasureDecl, Period};
use planthread_domain::{
    calendar::periods,
    gap::Line,
    model::MapRow,
    project,
    significance::{Change, Releases},
};
use planthread_engine::Reader;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::{Loaded, Target},
    failure::Failure,
    pipeline::{released::releases, truth::levels},
};

/// How what a line can do moved last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moved {
    /// The instant for which it was released.
    pub as_of: Timestamp,
    /// From the hours before to those after, of the days or weeks that moved then.
    #[serde(flatten)]
    pub change: Change,
}

/// How the lines of `target` moved last, by week. A line that several resources stand
/// behind, or whose figure is none of clock hours, is not told.
///
/// # Errors
/// When the state can't be read.
pub(super) fn of(
    loaded: &Loaded,
    reader: &Reader,
    target: &Target,
    weeks: &BTreeSet<Period>,
) -> Result<BTreeMap<(Line, Period), Moved>, Failure> {
    let mut found = BTreeMap::new();
    let live = target.live().filter(|live| live.carries == Carries::AttainableClockHours);
    let Some(live) = live else { return Ok(found) };
    for (line, row) in alone(target) {
        for week in weeks {
            let parts = parts(loaded, live, *week);
            let released = releases(reader, [row.source.as_str()], &parts)?;
            if let Some(moved) = newest(&released, row, &parts) {
                found.insert((line.clone(), *week), moved);
            }
        }
    }
    Ok(found)
}

/// The lines that one resource stands behind.
fn alone(target: &Target) -> BTreeMap<Line, &MapRow> {
    let mut rows: BTreeMap<Line, Vec<&MapRow>> = BTreeMap::new();
    for row in &target.mapping.rows {
        let line = Line { plant: row.location.as_str().into(), line: row.resource.as_str().into() };
        rows.entry(line).or_default().push(row);
    }
    let one = |(line, rows): (Line, Vec<_>)| match rows.as_slice() {
        [row] => Some((line, *row)),
        _ => None,
    };
    rows.into_iter().filter_map(one).collect()
}

/// The periods of which the figures of a week are released.
fn parts(loaded: &Loaded, live: &MeasureDecl, week: Period) -> Vec<Period> {
    let part = project::part(live, &levels(loaded));
    let inside = |one: &Period| week.start() <= one.start() && one.end() <= week.end();
    periods(part, week.start(), week.end()).filter(inside).collect()
}

/// What the newest of the releases moved.
fn newest(released: &Releases, row: &MapRow, parts: &[Period]) -> Option<Moved> {
    let all = || parts.iter().filter_map(|part| released.get(&row.source, *part));
    let as_of = all().map(|one| one.as_of).max()?;
    let zero = || Change { from: Decimal::ZERO, to: Decimal::ZERO, parts: BTreeMap::new() };
    let mut moved: Option<Change> = None;
    for change in all().filter(|one| one.as_of == as_of).filter_map(|one| one.change.as_ref()) {
        let sum = moved.get_or_insert_with(zero);
        sum.from += change.from * row.share;
        sum.to += change.to * row.share;
        for (cause, part) in &change.parts {
            *sum.parts.entry(*cause).or_default() += *part * row.share;
        }
    }
    let mut change = moved?;
    change.parts.retain(|_, part| !part.is_zero());
    Some(Moved { as_of, change })
}
