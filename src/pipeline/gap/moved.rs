//! Why what a line can do is another figure than before: the newest releases behind it, or
//! another mapping.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, MeasureDecl, Period};
use planthread_domain::{
    calendar::periods,
    gap::Line,
    model::MapRow,
    project,
    significance::{Change, Releases, Split},
};
use planthread_engine::Reader;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::{Loaded, Target},
    failure::Failure,
    pipeline::{
        OpenTarget,
        moves::{Moves, side_by_side},
        released::releases,
        truth::levels,
    },
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
/// behind is told where its mapping was changed; one whose figure is none of clock hours
/// is not.
///
/// # Errors
/// When the state can't be read.
pub(super) fn of(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    weeks: &BTreeSet<Period>,
) -> Result<BTreeMap<(Line, Period), Moved>, Failure> {
    let mut found = BTreeMap::new();
    let live = target.config.live().filter(|live| live.carries == Carries::AttainableClockHours);
    let Some(live) = live else { return Ok(found) };
    let moves = Moves::of(loaded, reader, &target.name, &target.config)?;
    for (line, row) in behind(&target.config) {
        for week in weeks {
            let parts = parts(loaded, live, *week);
            let remapped = remapped(&moves, target, live, (&line, *week))?;
            let moved = match (remapped, row) {
                (Some(moved), _) => Some(moved),
                (None, None) => None,
                (None, Some(row)) => {
                    let released = releases(reader, [row.source.as_str()], &parts)?;
                    newest(&released, row, &parts, side_by_side(loaded, &row.source) * row.share)
                }
            };
            if let Some(moved) = moved {
                found.insert((line.clone(), *week), moved);
            }
        }
    }
    Ok(found)
}

/// How a line moved in a week whose last figures are of another mapping than those before;
/// nothing where that is not so, or the hours that it moved are not split as a whole.
fn remapped(
    moves: &Moves<'_>,
    target: &OpenTarget,
    live: &MeasureDecl,
    (line, week): (&Line, Period),
) -> Result<Option<Moved>, Failure> {
    if !moves.ever_edited() {
        return Ok(None);
    }
    let mut found: Option<(Timestamp, Split)> = None;
    for period in periods(live.level, week.start(), week.end()) {
        let key = key(target, live, line, period);
        let Some(last) = moves.last(&key)?.filter(|last| last.remapped) else { continue };
        found = Some(match found {
            None => (last.as_of, last.split),
            Some((as_of, split)) => (as_of.max(last.as_of), split.and(last.split)),
        });
    }
    let whole = found.filter(|(_, split)| split.not_split.is_zero());
    Ok(whole.map(|(as_of, Split { from, to, parts, .. })| Moved {
        as_of,
        change: Change { from, to, parts },
    }))
}

/// The cell of `live` of a line.
pub(super) fn key(target: &OpenTarget, live: &MeasureDecl, line: &Line, period: Period) -> CellKey {
    CellKey {
        target: target.name.as_str().into(),
        scope: target.scope.name().into(),
        resource: line.line.clone(),
        location: line.plant.clone(),
        product: None,
        period,
        measure: live.name.as_str().into(),
    }
}

/// The lines, each with what stands behind it, where that is one resource.
fn behind(target: &Target) -> BTreeMap<Line, Option<&MapRow>> {
    let mut rows: BTreeMap<Line, Vec<&MapRow>> = BTreeMap::new();
    for row in &target.mapping.rows {
        let line = Line { plant: row.location.as_str().into(), line: row.resource.as_str().into() };
        rows.entry(line).or_default().push(row);
    }
    let one = |(line, rows): (Line, Vec<_>)| match rows.as_slice() {
        [row] => (line, Some(*row)),
        _ => (line, None),
    };
    rows.into_iter().map(one).collect()
}

/// The periods of which the figures of a week are released.
fn parts(loaded: &Loaded, live: &MeasureDecl, week: Period) -> Vec<Period> {
    let part = project::part(live, &levels(loaded));
    let inside = |one: &Period| week.start() <= one.start() && one.end() <= week.end();
    periods(part, week.start(), week.end()).filter(inside).collect()
}

/// What the newest of the releases moved.
/// `share` is the hours that land of an hour of one of its units.
fn newest(released: &Releases, row: &MapRow, parts: &[Period], share: Decimal) -> Option<Moved> {
    let all = || parts.iter().filter_map(|part| released.get(&row.source, *part));
    let as_of = all().map(|one| one.as_of).max()?;
    let zero = || Change { from: Decimal::ZERO, to: Decimal::ZERO, parts: BTreeMap::new() };
    let mut moved: Option<Change> = None;
    for change in all().filter(|one| one.as_of == as_of).filter_map(|one| one.change.as_ref()) {
        let sum = moved.get_or_insert_with(zero);
        sum.from += change.from * share;
        sum.to += change.to * share;
        for (cause, part) in &change.parts {
            *sum.parts.entry(*cause).or_default() += *part * share;
        }
    }
    let mut change = moved?;
    change.parts.retain(|_, part| !part.is_zero());
    Some(Moved { as_of, change })
}
