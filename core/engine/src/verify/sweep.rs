//! Sweep: reads selections back, judges them, and tells who wrote what is not
//! ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{CellKey, MeasureDecl, Period, PeriodKind, Scope};
use planthread_kit::{Clock, Connector, ConnectorError};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    InUse, PatternPolicy, Which, judge,
    observe::{self, NAMED, Observation, Observed},
    pattern::{Foreign, Levels},
    select,
};
use crate::{State, error::Result, ledger::attempts};

/// What a sweep reads, and how it judges.
#[derive(Debug, Clone)]
pub struct SweepPolicy {
    /// The configured target.
    pub target: String,
    /// The scope.
    pub scope: Scope,
    /// The target's measures, those that are ours.
    pub measures: Vec<MeasureDecl>,
    /// Which cells.
    pub which: Which,
    /// The plant's civil day.
    pub today: Date,
    /// Days from today that count as near.
    pub near_days: i64,
    /// What was seen of a near period expires after this.
    pub near_age: SignedDuration,
    /// What was seen of other periods expires after this.
    pub far_age: SignedDuration,
    /// What was seen of a cell that is to be sent expires after this.
    pub basis_age: SignedDuration,
    /// How long the target may take until a write can be read back.
    pub settle_window: SignedDuration,
    /// When many cells are too many for one person.
    pub pattern: PatternPolicy,
    /// How long a person's edit locks its cell.
    pub lock_for: SignedDuration,
    /// Most cells in one selection: bounds memory.
    pub cells_per_selection: usize,
    /// The measure that drives the target's plan, if it is known.
    pub in_use: Option<InUse>,
}

impl SweepPolicy {
    /// A policy with the declared defaults: near is 28 days, seen expires after
    /// 24 h near and 7 days else, an edit locks for 14 days.
    #[must_use]
    pub fn new(
        target: &str,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        which: Which,
        today: Date,
    ) -> Self {
        Self {
            target: target.to_owned(),
            scope,
            measures,
            which,
            today,
            near_days: 28,
            near_age: SignedDuration::from_hours(24),
            far_age: SignedDuration::from_hours(7 * 24),
            basis_age: SignedDuration::from_mins(15),
            settle_window: SignedDuration::from_mins(15),
            pattern: PatternPolicy::default(),
            lock_for: SignedDuration::from_hours(14 * 24),
            cells_per_selection: 50_000,
            in_use: None,
        }
    }

    /// The measures to read in periods of one kind: ours, and the one that
    /// drives the plan.
    pub(crate) fn names(&self, kind: PeriodKind) -> Vec<String> {
        let stored = self.measures.iter().filter(|decl| decl.level == kind);
        let mut names: Vec<String> = stored.map(|decl| decl.name.clone()).collect();
        let driven = self.in_use.iter().filter(|wiring| names.contains(&wiring.by));
        let drivers: Vec<String> = driven.map(|wiring| wiring.drives.clone()).collect();
        names.extend(drivers);
        names.sort();
        names.dedup();
        names
    }
}

/// A cell that was sent and is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostCell {
    /// The cell.
    pub key: CellKey,
    /// The revision that was sent.
    pub revision: u64,
    /// Its value.
    pub wanted: Decimal,
    /// What stands there.
    pub read: Option<Decimal>,
    /// Whether the target had said that it took it: then it dropped the row.
    pub accepted: bool,
    /// The attempt.
    pub attempt: String,
    /// The vendor's handle of its receipt.
    pub receipt: String,
}

/// A cell that a person has most likely edited; it is locked now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonEdit {
    /// The cell.
    pub key: CellKey,
    /// What we want there.
    pub wanted: Decimal,
    /// What stands there.
    pub read: Option<Decimal>,
    /// When the lock ends by itself.
    pub until: Timestamp,
}

/// What a sweep found. Cells are counted; the first thousand are named.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SweepReport {
    /// Selections that were read.
    pub selections: u64,
    /// Cells that were compared.
    pub read: u64,
    /// They hold what is wanted.
    pub landed: u64,
    /// Not there yet, inside the settle window.
    pub not_yet: u64,
    /// Nothing of ours is expected there yet.
    pub waiting: u64,
    /// Sent, and not there: they are pending again.
    pub lost: u64,
    /// Lost, though the target had said that it took them.
    pub dropped: u64,
    /// The lost cells by name.
    pub lost_cells: Vec<LostCell>,
    /// An older value of ours stood there: pending again.
    pub stale_own: u64,
    /// What we sent took effect more than once: pending again.
    pub doubled: u64,
    /// Cells of each case that was opened or met again.
    pub cases: BTreeMap<String, u64>,
    /// Cells that a person edited.
    pub persons: u64,
    /// They by name.
    pub person_edits: Vec<PersonEdit>,
    /// Cells whose driving value was compared.
    pub compared_in_use: u64,
    /// Of them, in use.
    pub in_use: u64,
    /// Why the sweep ended early; what was read before counts.
    #[serde(skip)]
    pub error: Option<ConnectorError>,
}

impl SweepReport {
    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.landed += other.landed;
        self.not_yet += other.not_yet;
        self.waiting += other.waiting;
        self.lost += other.lost;
        self.dropped += other.dropped;
        self.stale_own += other.stale_own;
        self.doubled += other.doubled;
        self.compared_in_use += other.compared_in_use;
        self.in_use += other.in_use;
        self.lost_cells.extend(other.lost_cells);
        self.lost_cells.truncate(NAMED);
    }
}

/// Reads back what the policy selects, and writes down what it means.
///
/// Who wrote what is not ours is told from how the changes lie. So a sweep that
/// meets any reads all the rest before it judges: a load found in portions would
/// look like many people, and a target that lost everything like one lost row.
/// What was read before an error is judged when it is met again.
///
/// # Errors
/// When the state can't be read or written. An error of the connector ends the
/// sweep and stands in the report.
pub async fn sweep(
    state: &Arc<State>,
    connector: &dyn Connector,
    clock: &dyn Clock,
    policy: &SweepPolicy,
) -> Result<SweepReport> {
    let began = clock.now();
    let mut sweep = Sweep { state, connector, clock, policy, found: Findings::default() };
    sweep.read(policy).await?;
    let some = policy.which != Which::All;
    if some && sweep.found.report.error.is_none() && sweep.found.asks_for_all() {
        let all = SweepPolicy { which: Which::Since(began), ..policy.clone() };
        sweep.read(&all).await?;
    }
    let Findings { mut report, foreign, levels, doubled, .. } = sweep.found;
    if report.error.is_none() {
        let foreign = foreign.into_values().collect();
        judge::foreign(state, policy, clock.now(), foreign, levels, &mut report)?;
    }
    judge::own(state, policy, clock.now(), doubled, &mut report)?;
    Ok(report)
}

struct Sweep<'a> {
    state: &'a Arc<State>,
    connector: &'a dyn Connector,
    clock: &'a dyn Clock,
    policy: &'a SweepPolicy,
    found: Findings,
}

/// What a sweep has found so far.
#[derive(Default)]
struct Findings {
    report: SweepReport,
    /// By group and measure: a cell may be read twice.
    foreign: BTreeMap<(i64, i64), Foreign>,
    levels: Levels,
    doubled: Option<String>,
    gone: bool,
}

impl Findings {
    /// Periods and places of which all is known: what is foreign there keeps its
    /// old age, and need not be read once more.
    fn places(&self) -> BTreeSet<(Period, select::Place)> {
        let place = |key: &CellKey| (key.resource.clone(), key.location.clone());
        self.foreign.values().map(|cell| (cell.key.period, place(&cell.key))).collect()
    }

    fn asks_for_all(&self) -> bool {
        let nothing_left = self.report.lost > 0 && self.report.landed == 0;
        !self.foreign.is_empty() || self.gone || nothing_left
    }
}

impl Sweep<'_> {
    async fn read(&mut self, policy: &SweepPolicy) -> Result<()> {
        let known = self.found.places();
        let (reader, now) = (self.state.reader()?, self.clock.now());
        let selections = select::selections_but(&reader, policy, now, &known)?;
        drop(reader);
        for selection in selections {
            let read_after = attempts::newest(self.state.reader()?.conn())?;
            let read = match self.connector.read(&selection).await {
                Ok(read) => read,
                Err(error) => {
                    self.found.report.error = Some(error);
                    return Ok(());
                }
            };
            self.found.report.selections += 1;
            let observation = Observation {
                selection,
                read,
                read_after,
                measures: policy.measures.clone(),
                settle_window: policy.settle_window,
                in_use: policy.in_use.clone(),
            };
            let now = self.clock.now();
            self.note(self.state.write(move |conn| observe::run(conn, &observation, now))?);
        }
        Ok(())
    }

    fn note(&mut self, observed: Observed) {
        let found = &mut self.found;
        found.report.add(observed.report);
        found.gone |= observed.gone;
        found.doubled = found.doubled.take().or(observed.doubled);
        let place = |cell: Foreign| ((cell.grp, cell.measure), cell);
        found.foreign.extend(observed.foreign.into_iter().map(place));
        for (key, wanted) in &observed.levels {
            if let Some(decl) = self.policy.measures.iter().find(|m| m.name == key.measure) {
                found.levels.add(key, *wanted, decl);
            }
        }
    }
}
