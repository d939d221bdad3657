//! What a target's own plan asks of each line and week, against what the line can do.
//!
//! Load and assumed capacity are read from the target in one selection, together with
//! what of ours stands there: so each figure is as of one reading, and a figure of ours
//! is proven by it or not. What the line can do is the ledger's. The comparison itself is
//! `planthread_domain::gap`, which is pure.

pub mod ahead;
mod board;
mod decided;
mod digest;
mod ledger;
mod moved;
mod rough;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use planthread_contracts::{CellKey, MeasureDecl, Owner, Period};
use planthread_domain::decode::DecidedHours;
use planthread_domain::gap::{Comparison, Known, Line, LineWeek, compare, hours, weekly};
use planthread_engine::Reader;
use planthread_kit::{Selection, Together, http::Lane};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use board::{GapBoard, Reading};
pub(super) use decided::zones;
pub use decided::{DecidedChange, DecidedKind};
pub use digest::{Digest, Moving, PersonsAct, PersonsActKind, digest};
use ledger::Ours;
pub use ledger::{Proof, Standing, Taken};
pub use moved::Moved;
use rough::Rough;

use super::{OpenTarget, agreement, policy};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// Where a figure is from, who answers for it, and when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FigureSource {
    /// Our name of the measure.
    pub measure: String,
    /// The target's name of it.
    pub surface: String,
    /// Who answers for it.
    pub owner: String,
    /// When it was read from the target; absent where that failed.
    pub read_at: Option<Timestamp>,
    /// Why it is compared with nothing, and was not read, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
}

/// Where the figures of a target are from; absent where nothing holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Sources {
    /// What the plan asks of the lines.
    pub load: Option<FigureSource>,
    /// What the plan has.
    pub assumed: Option<FigureSource>,
    /// What the lines can do, by factory truth.
    pub live: Option<FigureSource>,
    /// What is firm for this cycle.
    pub firm: Option<FigureSource>,
}

/// The figures of one target's plan beside what its lines can do.
#[derive(Debug, Clone)]
pub struct Gap {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Zone of the plant.
    pub zone: String,
    /// Where the figures are from.
    pub sources: Sources,
    /// What was compared.
    pub compared: Comparison,
    /// How the figures of ours stand, by line and week.
    pub standing: BTreeMap<(Line, Period), Standing>,
    /// How the figures stand that are firm for this cycle, by line and week.
    pub firm: BTreeMap<(Line, Period), Standing>,
    /// How what the lines can do moved last, by line and week, where that is known.
    pub moved: BTreeMap<(Line, Period), Moved>,
    /// What people decided, by line and week.
    pub decided: BTreeMap<(Line, Period), Vec<DecidedChange>>,
    /// Who is asked about a figure, by line and our name of the measure, where the
    /// configuration names somebody.
    pub owners: BTreeMap<(Line, String), String>,
    /// Zone of each line's plant.
    pub zones: BTreeMap<Line, String>,
    /// The day before which weeks begin whose firm figure does not move; none where nothing
    /// is frozen.
    pub frozen_before: Option<Date>,
    /// Every line that the plan or the mapping names.
    pub lines: BTreeSet<Line>,
    /// Lines of the plan that no mapping names: nothing tells what they can do.
    pub not_connected: BTreeSet<Line>,
    /// Why the target could not be read; what the ledger knows stands nevertheless.
    pub stopped: Option<Failure>,
    /// Why nothing is sent to the target, where its agreement does not let us.
    pub not_sent: Option<Failure>,
}

/// Reads what the plan of `target` says, and compares it.
///
/// # Errors
/// When the state can't be read. A target that can't be read is told in the answer.
pub async fn gap(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    now: Timestamp,
) -> Result<Gap, Failure> {
    let measures = Measures::of(&target.config);
    let today = policy::today(loaded, now)?;
    let ours = Ours::of(reader, target, &measures, today, now)?;
    let rough = target.config.gap.rough_cut.as_ref();
    let zone = loaded.config.plant.zone.as_str();
    let rough = rough.map(|files| Rough::read(files, zone, now)).transpose()?;
    let mut stopped = None;
    let mut there = There::default();
    if let Some(selection) = selection(target, &measures, &ours) {
        match target.read(&selection).await {
            Ok(cells) => there = There::of(&measures, cells.into_iter().map(|c| (c.key, c.value))),
            Err(error) => stopped = Some(Failure::from(error).about(&target.name)),
        }
    } else {
        let text = format!("{}: no week of any line is known yet", target.name);
        stopped = Some(Failure::usage(text).cure("let a cycle run first: `planthread run --once`"));
    }
    let read_at = stopped.is_none().then_some(now);
    let sheets = decided::sheets(&loaded.config.plant, reader, &target.config)?;
    let read = Read { ours, there, rough, read_at, stopped, sheets };
    let mut gap = composed(loaded, target, &measures, read);
    gap.not_sent = agreement::missing(target, now);
    let weeks = gap.compared.rows.iter().map(|row| row.week).collect();
    gap.frozen_before = policy::frozen_before(loaded, &target.config, now)?;
    gap.moved = moved::of(loaded, reader, target, &weeks)?;
    Ok(gap)
}

/// The measures that hold the figures.
struct Measures<'a> {
    load: Option<&'a MeasureDecl>,
    assumed: Option<&'a MeasureDecl>,
    live: Option<&'a MeasureDecl>,
    firm: Option<&'a MeasureDecl>,
    output: Option<&'a MeasureDecl>,
}

impl<'a> Measures<'a> {
    /// Those of `target` that are stored where the live figure is.
    fn of(target: &'a Target) -> Self {
        let live = target.live();
        let here = |one: &&MeasureDecl| live.is_some_and(|live| live.level == one.level);
        Self {
            load: target.load().filter(here),
            assumed: target.assumed().filter(here),
            firm: ledger::firm(target).filter(here),
            output: ledger::output(target).filter(here),
            live,
        }
    }

    /// Who is asked about the figures of each line, where the configuration says so.
    fn owners(&self, target: &Target, lines: &BTreeSet<Line>) -> BTreeMap<(Line, String), String> {
        let of = |line: &Line, one: &MeasureDecl| {
            let owner = target.owner_at(one, &line.line, &line.plant)?;
            Some(((line.clone(), one.name.clone()), owner.to_owned()))
        };
        lines.iter().flat_map(|line| self.read().filter_map(|one| of(line, one))).collect()
    }

    /// What is read from the target: the plan's own, and ours beside it.
    fn read(&self) -> impl Iterator<Item = &'a MeasureDecl> {
        [self.load, self.assumed, self.live, self.firm].into_iter().flatten()
    }
}

/// One selection for all of it: every line that the plan has, where the target can be
/// asked so, else the mapped ones.
fn selection(target: &OpenTarget, measures: &Measures<'_>, ours: &Ours) -> Option<Selection> {
    let (from, to) = ours.span()?;
    let by_place = target.connector.info().capabilities.carriage.together == Together::Place;
    let rows = target.config.mapping.rows.iter();
    let mapped: BTreeSet<_> =
        rows.map(|row| (row.resource.clone(), row.location.clone())).collect();
    Some(Selection {
        target: target.name.clone(),
        scope: target.scope.clone(),
        measures: measures.read().map(|one| one.name.clone()).collect(),
        resources: if by_place { mapped.into_iter().collect() } else { Vec::new() },
        from,
        to,
        lane: Lane::Verify,
    })
}

/// What stands at the target, by line and period.
#[derive(Debug, Default)]
struct There(BTreeMap<(Line, Period), BTreeMap<String, Decimal>>);

impl There {
    fn of(
        measures: &Measures<'_>,
        cells: impl Iterator<Item = (CellKey, Option<Decimal>)>,
    ) -> Self {
        let mut there = Self::default();
        let level = measures.live.map(|live| live.level);
        for (key, value) in cells {
            // A figure by product is a part of the line's, and no figure of the line.
            let Some(value) = value.filter(|_| key.product.is_none()) else { continue };
            if Some(key.period.kind()) == level {
                let at = there.0.entry((ledger::line(&key), key.period)).or_default();
                at.insert(key.measure.to_string(), value);
            }
        }
        there
    }

    /// What `measure` holds there, as it was read.
    fn value(&self, at: &(Line, Period), measure: Option<&MeasureDecl>) -> Option<Decimal> {
        self.0.get(at)?.get(&measure?.name).copied()
    }

    /// Lines for which the plan itself says something.
    fn lines(&self, measures: &Measures<'_>) -> BTreeSet<Line> {
        let said = |at: &&(Line, Period)| {
            [measures.load, measures.assumed].iter().any(|one| self.value(at, *one).is_some())
        };
        self.0.keys().filter(said).map(|(line, _)| line.clone()).collect()
    }
}

/// What the ledger and the target said.
struct Read {
    ours: Ours,
    there: There,
    rough: Option<Rough>,
    read_at: Option<Timestamp>,
    stopped: Option<Failure>,
    sheets: Vec<DecidedHours>,
}

fn composed(loaded: &Loaded, target: &OpenTarget, measures: &Measures<'_>, read: Read) -> Gap {
    let Read { ours, there, rough, read_at, stopped, sheets } = read;
    let mapped = ledger::mapped(&target.config);
    let planned = there.lines(measures);
    let rough_lines = rough.iter().flat_map(|rough| rough.load.keys().map(|(line, _)| line));
    let lines: BTreeSet<Line> = mapped.iter().chain(&planned).chain(rough_lines).cloned().collect();
    let mut all = Vec::new();
    for line in &lines {
        for period in ours.periods() {
            let at = (line.clone(), *period);
            let of = |value: Option<Decimal>, measure: Option<&MeasureDecl>| {
                hours(value?, measure?.unit)
            };
            // Absent means zero only where the measure is declared so, and was read.
            let plan = |measure: Option<&MeasureDecl>| {
                let zero = measure.filter(|one| one.absent_is_zero && read_at.is_some());
                of(there.value(&at, measure).or(zero.map(|_| Decimal::ZERO)), measure)
            };
            let known = Known {
                load: plan(measures.load),
                assumed: plan(measures.assumed),
                live: of(ours.wanted(&at, measures.live), measures.live),
                firm: of(ours.wanted(&at, measures.firm), measures.firm),
                output: ours.wanted(&at, measures.output),
            };
            all.push(LineWeek { line: line.clone(), week: *period, known });
        }
    }
    let mut weeks = weekly(all);
    rough.iter().for_each(|rough| rough.put(&mut weeks));
    let compared = compare(weeks);
    let standing = |measure: Option<&MeasureDecl>| {
        ours.standing(measure, |at| read_at.map(|when| (there.value(at, measure), when)))
    };
    let owner = |one: &MeasureDecl| match &one.owner {
        Owner::Other(owner) => owner.clone(),
        Owner::Bridge => loaded.config.identity.clone().unwrap_or_else(|| "planthread".to_owned()),
    };
    let source = |one: Option<&MeasureDecl>| {
        let (measure, surface) = one.map(|one| (one.name.clone(), one.surface.clone()))?;
        let not_compared = target.config.not_compared(one?);
        let read_at = read_at.filter(|_| not_compared.is_none());
        Some(FigureSource { measure, surface, owner: owner(one?), read_at, not_compared })
    };
    let weeks: BTreeSet<Period> = compared.rows.iter().map(|row| row.week).collect();
    Gap {
        target: target.name.clone(),
        scope: target.scope.name().to_owned(),
        zone: loaded.config.plant.zone.clone(),
        sources: Sources {
            load: rough.map(|rough| rough.source).or_else(|| source(target.config.load())),
            assumed: source(target.config.assumed()),
            live: source(measures.live),
            firm: source(ledger::firm(&target.config)),
        },
        compared,
        standing: standing(measures.live),
        firm: standing(measures.firm),
        moved: BTreeMap::new(),
        frozen_before: None,
        decided: decided::of(loaded, &sheets, &target.config, &weeks),
        owners: measures.owners(&target.config, &lines),
        zones: zones(loaded, &target.config, &lines),
        not_connected: lines.difference(&mapped).cloned().collect(),
        lines,
        stopped,
        not_sent: None,
    }
}
