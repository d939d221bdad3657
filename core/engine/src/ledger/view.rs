//! One cell as everybody reads it: the four facts, and what stands in its way.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{CellKey, Name, RevisionState, Status};
use planthread_kit::CellWrite;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{rows::Why, settles::settles};
use crate::{
    EngineError, Reader,
    error::Result,
    plan::{HoldReason, scan},
    store::{
        Db,
        cells::Cell,
        holds::Hold,
        names::{CellId, GroupRef},
    },
};

/// What was read back, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seen {
    /// What the target held; `None` when it held nothing.
    pub value: Option<Decimal>,
    /// When it was read.
    pub at: Timestamp,
    /// Whether nothing has been sent since.
    pub current: bool,
}

impl Seen {
    pub(crate) fn of(cell: &Cell) -> Option<Self> {
        let current = cell.trusted_seen().is_some();
        cell.seen_at.map(|at| Self { value: cell.seen, at, current })
    }
}

/// One cell as plan, guard and status see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CellView {
    /// The cell.
    pub key: CellKey,
    /// The current wanted revision.
    pub revision: u64,
    /// Its state.
    pub state: RevisionState,
    /// Why a policy holds it, when the ledger has noted that.
    pub held_for: Option<HoldReason>,
    /// Why it is wanted, or wanted again.
    pub why: Why,
    /// The wanted value.
    pub value: Decimal,
    /// The wanted value before rounding.
    pub unrounded: Decimal,
    /// Status of the truth behind it.
    pub status: Status,
    /// Instant of the truth behind it.
    pub as_of: Timestamp,
    /// From here on it must be treated as stale.
    pub valid_until: Timestamp,
    /// The last revision that the target said it took; 0 for none.
    pub accepted_revision: u64,
    /// The last revision that was sent; 0 for none.
    pub sent_revision: u64,
    /// When that was.
    pub sent_at: Option<Timestamp>,
    /// Whether an attempt with it is open.
    pub open_attempt: bool,
    /// Its last attempt ended without anybody knowing how, and may take effect
    /// before this instant.
    pub unclear: Option<Timestamp>,
    /// What was read back last.
    pub seen: Option<Seen>,
    /// Since when the target's plan has used it; `None` when it does not.
    pub in_use_since: Option<Timestamp>,
    /// Who locked it: owner, reason, until.
    pub lock: Option<(String, String, Timestamp)>,
    /// Whether an open case holds it.
    pub in_question: bool,
}

/// Locks and cases that hold cells, loaded once for many of them.
pub(crate) struct Holds {
    locks: HashMap<CellId, Hold>,
    cases: HashSet<i64>,
}

impl Holds {
    pub(crate) fn load(db: &Db, now: Timestamp) -> Result<Self> {
        Ok(Self { locks: db.sending_locks(now)?, cases: db.holding_cases()? })
    }
}

impl CellView {
    pub(crate) fn new(group: &GroupRef, measure: &Name, cell: &Cell, holds: &Holds) -> Self {
        let seen = Seen::of(cell);
        let lock = holds.locks.get(&cell.id);
        Self {
            key: group.cell(measure),
            revision: cell.rev,
            state: cell.state,
            held_for: cell.hold,
            why: cell.why,
            value: cell.value,
            unrounded: cell.unrounded,
            status: cell.status,
            as_of: cell.as_of,
            valid_until: cell.valid_until,
            accepted_revision: cell.accepted_rev,
            sent_revision: cell.sent_rev,
            sent_at: cell.sent_at,
            open_attempt: cell.open_attempt != 0,
            unclear: cell.unclear,
            seen,
            in_use_since: cell.in_use_since.filter(|_| cell.in_use),
            lock: lock.map(|l| (l.owner.clone(), l.reason.clone(), l.until)),
            in_question: holds.cases.contains(&cell.in_case),
        }
    }

    /// What the target holds, as far as it can be relied on.
    #[must_use]
    pub fn basis(&self) -> Option<Option<Decimal>> {
        self.seen.as_ref().filter(|seen| seen.current).map(|seen| seen.value)
    }

    /// Until when what was sent of it may still come, by [`settles`].
    #[must_use]
    pub fn settles(&self, window: SignedDuration, now: Timestamp) -> Option<Timestamp> {
        settles((self.sent_at, self.unclear), window, now)
    }

    /// The cell as it goes on its way.
    #[must_use]
    pub fn write(&self) -> CellWrite {
        CellWrite { key: self.key.clone(), revision: self.revision, value: self.value }
    }
}

/// Gives every cell of every scope to `each`: near periods first, group by
/// group, one group in memory at a time.
///
/// # Errors
/// When the state can't be read, or `each` refuses.
pub fn cells(
    reader: &Reader,
    now: Timestamp,
    each: impl FnMut(CellView) -> Result<()>,
) -> Result<()> {
    walk(reader, now, |_, _| true, each)
}

/// The same of one scope of one target; nothing of the others is read.
///
/// # Errors
/// When the state can't be read, or `each` refuses.
pub fn cells_of(
    reader: &Reader,
    now: Timestamp,
    (target, scope): (&str, &str),
    each: impl FnMut(CellView) -> Result<()>,
) -> Result<()> {
    walk(reader, now, |of, name| of == target && name == scope, each)
}

fn walk(
    reader: &Reader,
    now: Timestamp,
    here: impl Fn(&str, &str) -> bool,
    mut each: impl FnMut(CellView) -> Result<()>,
) -> Result<()> {
    reader.at_once(|db| {
        let holds = Holds::load(db, now)?;
        let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
        for (scope, ..) in db.scopes()?.into_iter().filter(|(_, of, name)| here(of, name)) {
            scan::groups(db, scope, today, |group, cells| {
                let mut cells = cells.iter();
                cells.try_for_each(|(name, cell)| each(CellView::new(group, name, cell, &holds)))
            })?;
        }
        Ok(())
    })
}

/// Gives every cell that was sent and is not decided yet to `each`. A scope of which nothing
/// is out costs one look at its tally, however many cells it has.
///
/// # Errors
/// When the state can't be read, or `each` refuses.
pub fn cells_sent(
    reader: &Reader,
    now: Timestamp,
    mut each: impl FnMut(CellView) -> Result<()>,
) -> Result<()> {
    reader.at_once(|db| {
        let (holds, measures) = (Holds::load(db, now)?, db.measures()?);
        for (scope, ..) in db.scopes()? {
            let tally: Vec<(RevisionState, u64)> = db.tally(scope)?;
            if !tally.iter().any(|(state, n)| is_sent(*state) && *n > 0) {
                continue;
            }
            for grp in db.sent_groups(scope)? {
                let group = db.group(grp)?;
                let cells = scan::cells(db, grp, &measures)?;
                let mut sent = cells.iter().filter(|(_, cell)| is_sent(cell.state));
                sent.try_for_each(|(name, cell)| each(CellView::new(&group, name, cell, &holds)))?;
            }
        }
        Ok(())
    })
}

/// Whether a cell in this state was sent, and a read-back has not found it.
const fn is_sent(state: RevisionState) -> bool {
    matches!(state, RevisionState::InFlight | RevisionState::Unproven)
}

/// One cell.
///
/// # Errors
/// When the ledger does not know it.
pub fn cell(reader: &Reader, key: &CellKey, now: Timestamp) -> Result<CellView> {
    reader.at_once(|db| {
        let id = db.cell_named(key)?;
        let unknown = || EngineError::UnknownCell(Box::new(key.clone()));
        let cell = db.cell(id)?.ok_or_else(unknown)?;
        Ok(CellView::new(&db.group(id.grp)?, &key.measure, &cell, &Holds::load(db, now)?))
    })
}
