//! Want: new factory truth enters the ledger.
//!
//! A cell gets a new revision only when its value changes. Stamps (as-of,
//! valid-until, heartbeat) never by themselves: they take a new value when a
//! value of their group does, when they are new, or when what was wanted of
//! them runs out before the next refresh.

use std::{
    collections::{BTreeMap, HashSet},
    sync::mpsc::{Receiver, sync_channel},
};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{Carries, CellKey, DesiredCell, MeasureDecl, RevisionState, Status};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TakenIn,
    mapped::{Edit, Mapped, Remapped},
    rejections,
    revision_tally::RevisionTally,
    rows::Why,
    withdraw::{self, Complete},
};
use crate::{
    EngineError, State,
    error::Result,
    plan::questions::place_of,
    store::{
        Tx,
        cells::Cell,
        names::{CellId, GroupRef, Interner},
    },
};

/// Factory truth for one target, as one derive made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The configured target.
    pub target: String,
    /// The instant that the truth is of: an input, quantised to the cycle.
    pub as_of: Timestamp,
    /// The target's measures.
    pub measures: Vec<MeasureDecl>,
    /// By which mapping the cells were made: what it changes is told.
    pub mapped: Mapped,
    /// Stamps are renewed when they would run out within this time.
    pub refresh_within: SignedDuration,
    /// Set when the cells are everything that is wanted in these scopes: what is
    /// not among them is withdrawn.
    pub complete: Vec<Complete>,
}

/// What a want changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Wanted {
    /// The ledger's counter after it.
    pub counter: u64,
    /// New revisions.
    pub made: u64,
    /// Cells whose value is what it was.
    pub unchanged: u64,
    /// Revisions that were replaced before they were sent.
    pub superseded: u64,
    /// Revisions that were replaced after they were sent.
    pub overtaken: u64,
    /// Cells whose truth is older than what the ledger has: left alone.
    pub older: u64,
    /// Cells that an undo pins to their earlier value.
    pub pinned: u64,
    /// Cells that left wanted.
    pub withdrawn: u64,
}

/// Portions that are made ahead of the one that is taken in: one waits, one is
/// being made. More would only be held in memory.
const AHEAD: usize = 1;

/// Takes new truth into the ledger, durably and as a whole. The cells come in
/// portions, of which a few are in memory at a time; a cell group stands in one
/// of them. They are made while the writer waits: making them must not write.
///
/// # Errors
/// When a cell is not one of the target's measures at its declared level and
/// scale, or stands there twice, and when a portion could not be made: then nothing
/// of the want was kept.
pub fn want<E: From<EngineError>>(
    state: &State,
    want: Want,
    portions: impl IntoIterator<Item = std::result::Result<Vec<DesiredCell>, E>>,
    now: Timestamp,
) -> std::result::Result<Wanted, E> {
    let (give, take) = sync_channel(AHEAD);
    let begun = state.begin(move |tx| run(tx, want, &take, now))?;
    let mut portions = portions.into_iter();
    let broken = loop {
        let (portion, is_last) = match portions.next() {
            Some(Ok(portion)) => (Some(portion), false),
            Some(Err(error)) => break Some(error),
            None => (None, true),
        };
        // Nobody takes any more when the want has failed; its answer says why.
        if give.send(portion).is_err() || is_last {
            break None;
        }
    };
    drop(give);
    let done = begun.done();
    match broken {
        Some(error) => Err(error),
        None => Ok(done?),
    }
}

/// Notes that the truth of `as_of` came to `target` again, and wants the same `cells`:
/// no cell is touched. Returns the ledger's counter after it.
///
/// # Errors
/// When the state can't be written.
pub fn want_same(
    state: &State,
    target: &str,
    as_of: Timestamp,
    cells: u64,
    now: Timestamp,
) -> Result<u64> {
    let target = target.to_owned();
    state.change(move |tx| {
        let counter = RevisionTally::default().flush(tx)?;
        tx.insert_taken_in(&TakenIn { counter, target, as_of, at: now, cells, made: 0 })?;
        Ok(counter)
    })
}

/// The want inside a transaction. Nothing says that the portions have ended;
/// without it the rest is missing, and would be withdrawn.
fn run(
    tx: &Tx<'_>,
    want: Want,
    portions: &Receiver<Option<Vec<DesiredCell>>>,
    now: Timestamp,
) -> Result<Wanted> {
    let Want { target, as_of, measures, mapped, refresh_within, complete } = want;
    let decls: BTreeMap<&str, &MeasureDecl> =
        measures.iter().map(|decl| (decl.name.as_str(), decl)).collect();
    let renew_before = as_of.checked_add(refresh_within).unwrap_or(Timestamp::MAX);
    let edits = remap(tx, &target, mapped.clone(), as_of)?;
    let mut job = Job {
        tx,
        edits,
        now,
        renew_before,
        decls,
        names: Interner::default(),
        tally: RevisionTally::default(),
        pins: tx.pinned(now)?,
        done: Wanted::default(),
        groups: HashSet::new(),
        left: Vec::new(),
    };
    let unfinished =
        |_| EngineError::Refused("not all that is wanted was told: nothing of it counts".into());
    let mut cells = 0;
    while let Some(portion) = portions.recv().map_err(unfinished)? {
        cells += portion.len();
        job.portion(&target, portion)?;
    }
    for scope in &complete {
        withdraw::run(&mut job, &target, scope, as_of)?;
        if let Some(id) = tx.scope(&target, scope.scope.name())? {
            let basis = (&mapped, scope.closed_before);
            rejections::follow(tx, &mut job.tally, id, basis, now)?;
        }
    }
    let Job { tally, mut done, .. } = job;
    done.counter = tally.flush(tx)?;
    tx.insert_taken_in(&TakenIn {
        counter: done.counter,
        target,
        as_of,
        at: now,
        cells: u64::try_from(cells).unwrap_or(u64::MAX),
        made: done.made,
    })?;
    Ok(done)
}

/// Keeps the mapping, and says what is changed in it since the last want.
fn remap(tx: &Tx<'_>, target: &str, held: Mapped, as_of: Timestamp) -> Result<Vec<Edit>> {
    let before = tx.mapped(target)?;
    let edits = before.as_ref().map_or_else(Vec::new, |before| held.edits(&before.held));
    // What was told of the last change stays, where nothing is to be told of this one.
    let (told, since) = match before {
        Some(before) if before.held == held => return Ok(edits),
        Some(before) if edits.is_empty() => (before.edits, before.since),
        _ => (edits.clone(), as_of),
    };
    if !edits.is_empty() {
        tx.put_edited(target, &edits)?;
    }
    tx.put_mapped(target, &Remapped { held, edits: told, since }, since)?;
    Ok(edits)
}

fn check(target: &str, decls: &BTreeMap<&str, &MeasureDecl>, cells: &[DesiredCell]) -> Result<()> {
    let refuse = |cell: &DesiredCell, why: String| {
        Err(EngineError::Refused(format!("{}: {why}; correct the mapping", cell.key)))
    };
    for cell in cells {
        let Some(decl) = decls.get(cell.key.measure.as_str()) else {
            return refuse(cell, "the target declares no such measure".into());
        };
        if cell.key.target != target {
            return refuse(cell, format!("it is not a cell of the target `{target}`"));
        }
        if cell.key.period.kind() != decl.level {
            return refuse(cell, format!("the measure is stored by {:?}", decl.level));
        }
        // Law 11: exactly what the target will hold, rounded before it came here.
        if cell.value.normalize().scale() > decl.scale {
            return refuse(cell, format!("the target keeps {} decimals", decl.scale));
        }
    }
    Ok(())
}

/// Whether two cells travel together.
pub(crate) fn same_group(a: &CellKey, b: &CellKey) -> bool {
    a.target == b.target
        && a.scope == b.scope
        && a.resource == b.resource
        && a.location == b.location
        && a.product == b.product
        && a.period == b.period
}

/// One want under way.
pub(super) struct Job<'a> {
    pub(super) tx: &'a Tx<'a>,
    /// What is changed in the mapping.
    edits: Vec<Edit>,
    pub(super) now: Timestamp,
    renew_before: Timestamp,
    decls: BTreeMap<&'a str, &'a MeasureDecl>,
    pub(super) names: Interner,
    pub(super) tally: RevisionTally,
    pins: HashSet<CellId>,
    pub(super) done: Wanted,
    /// Every group of which cells were wanted.
    pub(super) groups: HashSet<i64>,
    /// Cells of those groups that were not.
    pub(super) left: Vec<(GroupRef, Cell)>,
}

impl Job<'_> {
    /// Whether it says when or by whom, and not how things stand.
    pub(super) fn is_stamp(&self, measure: &str) -> bool {
        self.decls.get(measure).is_some_and(|decl| decl.is_stamp())
    }

    /// What a measure holds that has nothing to say any more; nothing for a stamp.
    pub(super) fn zero_of(&self, measure: &str) -> Option<Decimal> {
        match self.decls.get(measure) {
            Some(decl) if decl.is_stamp() => None,
            Some(decl) if decl.carries == Carries::Status => Some(Status::Unknown.code().into()),
            _ => Some(Decimal::ZERO),
        }
    }

    fn beats(&self, measure: &str) -> bool {
        self.decls.get(measure).is_some_and(|decl| decl.carries == Carries::Heartbeat)
    }

    fn portion(&mut self, target: &str, mut cells: Vec<DesiredCell>) -> Result<()> {
        check(target, &self.decls, &cells)?;
        cells.sort_by(|a, b| a.key.cmp(&b.key));
        let twice = |cell: &DesiredCell| {
            Err(EngineError::Refused(format!("{} is wanted twice at once", cell.key)))
        };
        if let Some(pair) = cells.windows(2).find(|pair| pair[0].key == pair[1].key) {
            return twice(&pair[0]);
        }
        for group in cells.chunk_by(|a, b| same_group(&a.key, &b.key)) {
            if !self.group(group)? {
                return twice(&group[0]);
            }
        }
        Ok(())
    }

    /// Wants the cells of one group; false when it was wanted before.
    fn group(&mut self, desired: &[DesiredCell]) -> Result<bool> {
        let Some(first) = desired.first() else { return Ok(true) };
        let (group, is_new) = self.names.group(self.tx, &first.key.group())?;
        if !self.groups.insert(group.id) {
            return Ok(false);
        }
        let cells = if is_new { Vec::new() } else { self.tx.cells_of_group(group.id)? };
        let mut cells: BTreeMap<i64, Cell> =
            cells.into_iter().map(|cell| (cell.id.measure, cell)).collect();
        let mut changed = false;
        let mut stamps = Vec::new();
        for cell in desired {
            let measure = self.names.measure(self.tx, &cell.key.measure)?;
            if self.is_stamp(&cell.key.measure) {
                stamps.push((measure, cell));
            } else {
                changed |=
                    self.cell(&group, measure, cells.remove(&measure), cell, Why::Changed)?;
            }
        }
        let runs_out = stamps.iter().any(|(measure, desired)| {
            // Another writer makes itself known at once.
            let beats = self.beats(&desired.key.measure);
            cells.get(measure).is_none_or(|cell| {
                cell.state == RevisionState::Withdrawn
                    || cell.valid_until <= self.renew_before
                    || (beats && cell.value != desired.value)
            })
        });
        let why = if changed { Why::Changed } else { Why::Refresh };
        for (measure, cell) in stamps {
            let old = cells.remove(&measure);
            if changed || runs_out {
                self.cell(&group, measure, old, cell, why)?;
            } else {
                self.done.unchanged += 1;
            }
        }
        self.left.extend(cells.into_values().map(|cell| (group.clone(), cell)));
        Ok(true)
    }

    /// Wants one cell; true when it got a new revision.
    fn cell(
        &mut self,
        group: &GroupRef,
        measure: i64,
        old: Option<Cell>,
        desired: &DesiredCell,
        why: Why,
    ) -> Result<bool> {
        let id = CellId { grp: group.id, measure };
        if self.pins.contains(&id) {
            self.done.pinned += 1;
            return Ok(false);
        }
        if let Some(mut cell) = old {
            if desired.as_of < cell.as_of {
                self.done.older += 1;
                return Ok(false);
            }
            if cell.value == desired.value && cell.state != RevisionState::Withdrawn {
                self.touch(&mut cell, desired)?;
                return Ok(false);
            }
            let absent_is_zero =
                self.decls.get(desired.key.measure.as_str()).is_some_and(|d| d.absent_is_zero);
            let recipe = self.names.recipe(self.tx, &desired.recipe)?;
            let why = if self.is_remapped(group, &cell, desired) { Why::Mapping } else { why };
            self.replace(group.scope, &mut cell, absent_is_zero, desired.value, why)?;
            cell.unrounded = desired.unrounded;
            cell.status = desired.status;
            cell.as_of = desired.as_of;
            cell.valid_until = desired.valid_until;
            cell.recipe = recipe;
            self.tx.put_cell(&cell)?;
        } else {
            self.tally.make(group.scope, RevisionState::Pending)?;
            self.done.made += 1;
            let recipe = self.names.recipe(self.tx, &desired.recipe)?;
            self.tx.put_cell(&Cell::first(id, desired, recipe, self.now))?;
        }
        Ok(true)
    }

    /// Whether the value changes with the mapping: now, or since it was last sent.
    fn is_remapped(&self, group: &GroupRef, cell: &Cell, desired: &DesiredCell) -> bool {
        let unsent = matches!(cell.state, RevisionState::Pending | RevisionState::Held);
        if unsent && cell.why == Why::Mapping {
            return true;
        }
        if self.edits.is_empty() {
            return false;
        }
        let place = place_of(&group.key);
        self.edits.iter().any(|edit| edit.touches(&place, &desired.key.measure))
    }

    /// Same value: only its age moves, and that is no revision.
    fn touch(&mut self, cell: &mut Cell, desired: &DesiredCell) -> Result<()> {
        self.done.unchanged += 1;
        let told = (desired.as_of, desired.valid_until, desired.status);
        if (cell.as_of, cell.valid_until, cell.status) != told {
            (cell.as_of, cell.valid_until, cell.status) = told;
            self.tx.put_cell(cell)?;
        }
        Ok(())
    }

    /// Gives `cell` its next revision. The caller saves it.
    pub(super) fn replace(
        &mut self,
        scope: i64,
        cell: &mut Cell,
        absent_is_zero: bool,
        value: Decimal,
        why: Why,
    ) -> Result<()> {
        match super::states::replaced(cell.state) {
            Some(RevisionState::Superseded) => self.done.superseded += 1,
            Some(RevisionState::Overtaken) => self.done.overtaken += 1,
            _ => {}
        }
        cell.next_revision(self.tx, &mut self.tally, scope, value, absent_is_zero)?;
        cell.why = why;
        cell.made_at = self.now;
        self.done.made += 1;
        Ok(())
    }
}
