//! Sweep: reads selections back, judges them, and tells who wrote what is not
//! ours.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{CellKey, MeasureDecl, RevisionState, Scope};
use planthread_kit::{Clock, Connector, ConnectorError};
use rusqlite::Connection;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    InUse, PatternPolicy, Which,
    observe::{self, NAMED, Observation},
    pattern::{self, Foreign, Levels, Pattern},
    select,
};
use crate::{
    State,
    error::Result,
    ledger::{
        CaseKind, Lock, LockKind, Why, attempts, books::Books, cases, cases::Found, locks,
        rows::Cell,
    },
    plan::HoldReason,
    store::codec,
};

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
            settle_window: SignedDuration::from_mins(15),
            pattern: PatternPolicy::default(),
            lock_for: SignedDuration::from_hours(14 * 24),
            cells_per_selection: 50_000,
            in_use: None,
        }
    }

    /// The measures to read: ours, and the one that drives the plan.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.measures.iter().map(|decl| decl.name.clone()).collect();
        names.extend(self.in_use.iter().map(|wiring| wiring.drives.clone()));
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
        self.compared_in_use += other.compared_in_use;
        self.in_use += other.in_use;
        self.lost_cells.extend(other.lost_cells);
        self.lost_cells.truncate(NAMED);
    }
}

/// Reads back what the policy selects, and writes down what it means.
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
    let mut report = SweepReport::default();
    let mut foreign = Vec::new();
    let mut levels = Levels::default();
    let selections = select::selections(&state.reader()?, policy, clock.now())?;
    for selection in selections {
        let read_after = attempts::newest(state.reader()?.conn())?;
        let read = match connector.read(&selection).await {
            Ok(read) => read,
            Err(error) => {
                report.error = Some(error);
                break;
            }
        };
        report.selections += 1;
        let observation = Observation {
            selection,
            read,
            read_after,
            measures: policy.measures.clone(),
            settle_window: policy.settle_window,
            in_use: policy.in_use.clone(),
        };
        let now = clock.now();
        let observed = state.write(move |conn| observe::run(conn, &observation, now))?;
        report.add(observed.report);
        foreign.extend(observed.foreign);
        for (key, wanted) in &observed.levels {
            if let Some(decl) = policy.measures.iter().find(|decl| decl.name == key.measure) {
                levels.add(key, *wanted, decl);
            }
        }
    }
    judge_foreign(state, policy, clock.now(), foreign, levels, &mut report)?;
    Ok(report)
}

fn judge_foreign(
    state: &State,
    policy: &SweepPolicy,
    now: Timestamp,
    foreign: Vec<Foreign>,
    levels: Levels,
    report: &mut SweepReport,
) -> Result<()> {
    let Some(scope) = foreign.first().map(|cell| cell.scope) else {
        return file_dropped(state, policy, now, report);
    };
    let lock_until = now.checked_add(policy.lock_for).unwrap_or(Timestamp::MAX);
    let rules = policy.pattern.clone();
    let (cases, edits) = state.write(move |conn| {
        let query = "SELECT COUNT(*) FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1";
        let cells: u64 = conn.query_row(query, [scope], |row| row.get(0))?;
        let pattern = pattern::sort(foreign, cells, &levels, &rules);
        write_pattern(conn, scope, pattern, now, lock_until)
    })?;
    for (kind, cells) in cases {
        *report.cases.entry(kind.word().to_owned()).or_default() += cells;
    }
    report.persons += u64::try_from(edits.len()).unwrap_or(u64::MAX);
    report.person_edits.extend(edits.into_iter().take(NAMED));
    file_dropped(state, policy, now, report)
}

/// Accepted and then not there: one case a sweep, for the target's owner.
fn file_dropped(
    state: &State,
    policy: &SweepPolicy,
    now: Timestamp,
    report: &mut SweepReport,
) -> Result<()> {
    let Some(lost) = report.lost_cells.iter().find(|lost| lost.accepted) else { return Ok(()) };
    let found = Found {
        kind: CaseKind::Dropped,
        owner: format!("owner of {}", policy.target),
        text: format!("{} rows were accepted and are not there", report.dropped),
        example: format!("{} of receipt {}", lost.key, lost.receipt),
        cells: report.dropped,
    };
    let (target, scope) = (policy.target.clone(), policy.scope.name().to_owned());
    state.write(move |conn| match crate::ledger::names::find_scope(conn, &target, &scope)? {
        Some(scope) => cases::file(conn, scope, &found, now).map(|_| ()),
        None => Ok(()),
    })?;
    report.cases.insert(CaseKind::Dropped.word().to_owned(), report.dropped);
    Ok(())
}

type Written = (Vec<(CaseKind, u64)>, Vec<PersonEdit>);

fn write_pattern(
    conn: &Connection,
    scope: i64,
    pattern: Pattern,
    now: Timestamp,
    lock_until: Timestamp,
) -> Result<Written> {
    let mut books = Books::default();
    let (mut filed, mut edits) = (Vec::new(), Vec::new());
    for (kind, cells) in pattern.cases {
        let Some(first) = cells.first() else { continue };
        let found = Found {
            kind,
            owner: owner(kind).to_owned(),
            text: format!("{} cells: {}", cells.len(), question(kind)),
            example: format!("{}: wanted {}, read {}", first.key, first.wanted, word(first.read)),
            cells: u64::try_from(cells.len()).unwrap_or(u64::MAX),
        };
        let id = cases::file(conn, scope, &found, now)?;
        filed.push((kind, found.cells));
        for foreign in &cells {
            let hold = kind.holds().then_some(HoldReason::InQuestion);
            overwrite(conn, &mut books, foreign, id, hold, now)?;
        }
    }
    for foreign in pattern.persons {
        let hold = Some(HoldReason::Lock);
        if overwrite(conn, &mut books, &foreign, 0, hold, now)? {
            let reason = format!("edited to {}, ours was {}", word(foreign.read), foreign.wanted);
            let lock = Lock {
                key: foreign.key.clone(),
                kind: LockKind::Send,
                owner: "a person at the target".to_owned(),
                reason,
                since: now,
                until: lock_until,
            };
            let known = locks::of_cell(conn, foreign.grp, foreign.measure)?;
            let longer =
                known.filter(|(kind, hold)| *kind == LockKind::Send && hold.until > lock_until);
            if longer.is_none() {
                locks::put(conn, foreign.grp, foreign.measure, &lock)?;
            }
            let until = longer.map_or(lock_until, |(_, hold)| hold.until);
            let Foreign { key, wanted, read, .. } = foreign;
            edits.push(PersonEdit { key, wanted, read, until });
        }
    }
    books.flush(conn)?;
    Ok((filed, edits))
}

/// Notes a foreign value; false when the cell has moved on since it was read.
fn overwrite(
    conn: &Connection,
    books: &mut Books,
    foreign: &Foreign,
    case: i64,
    hold: Option<HoldReason>,
    now: Timestamp,
) -> Result<bool> {
    let Some(mut cell) = Cell::load(conn, foreign.grp, foreign.measure)? else { return Ok(false) };
    if cell.open_attempt != 0 || cell.last_attempt > foreign.read_after {
        return Ok(false);
    }
    cell.seen = foreign.read;
    cell.seen_at = Some(codec::micros(now));
    cell.seen_attempt = foreign.read_after.max(cell.last_attempt);
    cell.unclear = false;
    cell.in_case = case;
    (cell.in_use, cell.in_use_since) = (false, None);
    if matches!(cell.state, RevisionState::Seen | RevisionState::Unproven) {
        cell.step(books, foreign.scope, RevisionState::Pending)?;
        cell.why = Why::Overwritten;
    }
    if let (RevisionState::Pending, Some(reason)) = (cell.state, hold) {
        cell.step(books, foreign.scope, RevisionState::Held)?;
        cell.hold = Some(reason.word().to_owned());
    }
    cell.save(conn)?;
    Ok(true)
}

const fn owner(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Job | CaseKind::Dropped => "owner of the load",
        CaseKind::Mass | CaseKind::Unknown => "planning lead",
        CaseKind::Rounding | CaseKind::Level => "owner of the target's setup",
        CaseKind::SecondWriter => "operator of the bridge",
    }
}

const fn question(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Job => "another load wrote over them; should it? They are sent again",
        CaseKind::Mass => "a large part of the scope changed at once; who did, and may it stay?",
        CaseKind::Unknown => "many cells of one place changed at once; who did, and may it stay?",
        CaseKind::Rounding => "the target keeps fewer decimals than declared; correct the measure",
        CaseKind::Level => "an aggregate was read; correct the storage level of the measure",
        CaseKind::Dropped => "rows were accepted and are not there",
        CaseKind::SecondWriter => "somebody else writes our heartbeat; stop one of the two",
    }
}

fn word(read: Option<Decimal>) -> String {
    read.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
