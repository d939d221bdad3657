//! Want: new factory truth enters the ledger.
//!
//! A cell gets a new revision only when its value changes. Stamps (as-of,
//! valid-until, heartbeat) never by themselves: they take a new value when a
//! value of their group does, when they are new, or when what was wanted of
//! them runs out before the next refresh.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{CellKey, DesiredCell, MeasureDecl, RevisionState};
use rusqlite::{Connection, params};
use serde::Serialize;

use super::{
    books::Books,
    locks,
    names::{GroupRef, Interner},
    rows::{Cell, Why, same},
    withdraw::{self, Complete},
};
use crate::{EngineError, State, error::Result, store::codec};

/// Factory truth for one target, as one derive made it.
#[derive(Debug, Clone)]
pub struct Want {
    /// The configured target.
    pub target: String,
    /// The instant that the truth is of: an input, quantised to the cycle.
    pub as_of: Timestamp,
    /// The target's measures.
    pub measures: Vec<MeasureDecl>,
    /// Stamps are renewed when they would run out within this time.
    pub refresh_within: SignedDuration,
    /// The cells.
    pub cells: Vec<DesiredCell>,
    /// Set when `cells` is everything that is wanted in these scopes: what is
    /// not among them is withdrawn.
    pub complete: Vec<Complete>,
}

/// What a want changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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

/// Takes new truth into the ledger, durably.
///
/// # Errors
/// When a cell is not one of the target's measures at its declared level and
/// scale, or stands in the list twice: then nothing of the want was kept.
pub fn want(state: &State, want: Want, now: Timestamp) -> Result<Wanted> {
    state.write(move |conn| run(conn, want, now))
}

/// The want inside a transaction.
pub(super) fn run(conn: &Connection, want: Want, now: Timestamp) -> Result<Wanted> {
    let Want { target, as_of, measures, refresh_within, mut cells, complete } = want;
    let decls: BTreeMap<&str, &MeasureDecl> =
        measures.iter().map(|decl| (decl.name.as_str(), decl)).collect();
    check(&target, &decls, &cells)?;
    cells.sort_by(|a, b| a.key.cmp(&b.key));
    if let Some(pair) = cells.windows(2).find(|pair| pair[0].key == pair[1].key) {
        return Err(EngineError::Refused(format!("{} is wanted twice at once", pair[0].key)));
    }
    let renew_before = as_of.checked_add(refresh_within).unwrap_or(Timestamp::MAX);
    let mut job = Job {
        conn,
        now: codec::micros(now),
        renew_before: codec::micros(renew_before),
        decls,
        names: Interner::default(),
        books: Books::default(),
        pins: locks::pinned(conn, now)?,
        done: Wanted::default(),
        touched: Vec::new(),
    };
    for group in cells.chunk_by(|a, b| same_group(&a.key, &b.key)) {
        job.group(group)?;
    }
    for scope in &complete {
        withdraw::run(&mut job, &target, scope, as_of)?;
    }
    let Job { books, mut done, .. } = job;
    done.counter = books.flush(conn)?;
    let query = "INSERT INTO cycle VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.execute(
        query,
        params![
            done.counter,
            target,
            codec::micros(as_of),
            codec::micros(now),
            cells.len(),
            done.made
        ],
    )?;
    Ok(done)
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
    pub(super) conn: &'a Connection,
    pub(super) now: i64,
    renew_before: i64,
    decls: BTreeMap<&'a str, &'a MeasureDecl>,
    pub(super) names: Interner,
    pub(super) books: Books,
    pins: HashSet<(i64, i64)>,
    pub(super) done: Wanted,
    /// Every cell that was wanted, for whoever must find the others.
    pub(super) touched: Vec<(i64, i64)>,
}

impl Job<'_> {
    /// Whether it says when or by whom, and not how things stand.
    pub(super) fn is_stamp(&self, measure: &str) -> bool {
        self.decls.get(measure).is_some_and(|decl| decl.is_stamp())
    }

    fn group(&mut self, desired: &[DesiredCell]) -> Result<()> {
        let Some(first) = desired.first() else { return Ok(()) };
        let group = self.names.group(self.conn, &first.key.group())?;
        let mut cells: BTreeMap<i64, Cell> =
            Cell::of_group(self.conn, group.id)?.into_iter().map(|c| (c.measure, c)).collect();
        let mut changed = false;
        let mut stamps = Vec::new();
        for cell in desired {
            let measure = self.names.measure(self.conn, &cell.key.measure)?;
            self.touched.push((group.id, measure));
            if self.is_stamp(&cell.key.measure) {
                stamps.push((measure, cell));
            } else {
                changed |=
                    self.cell(&group, measure, cells.remove(&measure), cell, Why::Changed)?;
            }
        }
        let runs_out = stamps.iter().any(|(measure, _)| {
            cells.get(measure).is_none_or(|cell| {
                cell.state == RevisionState::Withdrawn || cell.valid_until <= self.renew_before
            })
        });
        let why = if changed { Why::Changed } else { Why::Refresh };
        for (measure, cell) in stamps {
            if changed || runs_out {
                self.cell(&group, measure, cells.remove(&measure), cell, why)?;
            } else {
                self.done.unchanged += 1;
            }
        }
        Ok(())
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
        if self.pins.contains(&(group.id, measure)) {
            self.done.pinned += 1;
            return Ok(false);
        }
        if let Some(mut cell) = old {
            if codec::micros(desired.as_of) < cell.as_of {
                self.done.older += 1;
                return Ok(false);
            }
            if cell.value == desired.value && cell.state != RevisionState::Withdrawn {
                self.touch(&mut cell, desired)?;
                return Ok(false);
            }
            let absent_is_zero =
                self.decls.get(desired.key.measure.as_str()).is_some_and(|d| d.absent_is_zero);
            let recipe = self.names.recipe(self.conn, &desired.recipe)?;
            self.replace(group.scope, &mut cell, absent_is_zero, desired.value, why)?;
            cell.unrounded = desired.unrounded;
            cell.status = desired.status;
            cell.as_of = codec::micros(desired.as_of);
            cell.valid_until = codec::micros(desired.valid_until);
            cell.recipe = recipe;
            cell.save(self.conn)?;
        } else {
            let cell = self.first(group, measure, desired)?;
            cell.save(self.conn)?;
        }
        Ok(true)
    }

    /// Same value: only its age moves, and that is no revision.
    fn touch(&mut self, cell: &mut Cell, desired: &DesiredCell) -> Result<()> {
        self.done.unchanged += 1;
        let (as_of, valid_until) =
            (codec::micros(desired.as_of), codec::micros(desired.valid_until));
        if (cell.as_of, cell.valid_until, cell.status) != (as_of, valid_until, desired.status) {
            (cell.as_of, cell.valid_until, cell.status) = (as_of, valid_until, desired.status);
            cell.save(self.conn)?;
        }
        Ok(())
    }

    fn first(&mut self, group: &GroupRef, measure: i64, desired: &DesiredCell) -> Result<Cell> {
        self.books.make(group.scope, RevisionState::Pending)?;
        self.done.made += 1;
        Ok(Cell {
            grp: group.id,
            measure,
            rev: 1,
            state: RevisionState::Pending,
            hold: None,
            why: Why::New,
            value: desired.value,
            unrounded: desired.unrounded,
            status: desired.status,
            as_of: codec::micros(desired.as_of),
            valid_until: codec::micros(desired.valid_until),
            recipe: self.names.recipe(self.conn, &desired.recipe)?,
            made_at: self.now,
            accepted_rev: 0,
            accepted_by: 0,
            sent_rev: 0,
            sent_at: None,
            last_attempt: 0,
            open_attempt: 0,
            unclear: None,
            before: None,
            seen_at: None,
            seen: None,
            seen_attempt: 0,
            in_use: false,
            in_use_since: None,
            in_case: 0,
        })
    }

    /// Gives `cell` its next revision. The caller saves it.
    pub(super) fn replace(
        &mut self,
        scope: i64,
        cell: &mut Cell,
        absent_is_zero: bool,
        value: rust_decimal::Decimal,
        why: Why,
    ) -> Result<()> {
        match super::states::replaced(cell.state) {
            Some(RevisionState::Superseded) => self.done.superseded += 1,
            Some(RevisionState::Overtaken) => self.done.overtaken += 1,
            _ => {}
        }
        next_revision(self.conn, &mut self.books, scope, cell, value, absent_is_zero)?;
        cell.why = why;
        cell.made_at = self.now;
        self.done.made += 1;
        Ok(())
    }
}

/// Retires the current revision of `cell` and begins the next one: pending, or
/// seen when the target provably holds the value already.
pub(crate) fn next_revision(
    conn: &Connection,
    books: &mut Books,
    scope: i64,
    cell: &mut Cell,
    value: rust_decimal::Decimal,
    absent_is_zero: bool,
) -> Result<()> {
    cell.retire(conn, books, scope)?;
    let quiet = cell.open_attempt == 0 && cell.unclear.is_none();
    let there = cell.trusted_seen().is_some_and(|seen| same(value, seen, absent_is_zero));
    cell.state = if quiet && there { RevisionState::Seen } else { RevisionState::Pending };
    cell.hold = None;
    cell.rev += 1;
    cell.value = value;
    cell.unrounded = value;
    (cell.in_use, cell.in_use_since) = (false, None);
    if cell.state == RevisionState::Seen {
        cell.credit(conn)?;
    }
    books.make(scope, cell.state)
}
