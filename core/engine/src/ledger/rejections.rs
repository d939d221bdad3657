//! What becomes of what a target refused: each revision of it is told until it ends.
//!
//! | state | means |
//! |---|---|
//! | open | it waits for somebody |
//! | retried | it goes out again, or is on its way |
//! | landed | sent again, it was seen |
//! | dismissed | a person said that nothing is to come of it |
//! | expired | its value was replaced, or it left the plan, as its period was over or before |
//!
//! What the cell itself says comes first ([`standing`]); the row adds what the cell does
//! not know. A rejection goes out again by itself when the mapping behind it is another
//! one than it was refused under, once: what is kept beside it is the new one then. So it
//! does when the target's master data is another one ([`super::master`]).

use jiff::{Timestamp, civil::Date};
use planthread_contracts::{CellKey, RevisionState};
use serde::Serialize;

use super::{mapped::Mapped, master::Before, revision_tally::RevisionTally, rows::Why};
use crate::{
    State,
    error::Result,
    plan::questions::place_of,
    store::{Db, Tx, cells::Cell, names::CellId, rejections::Rejected},
};

/// What has become of a revision that a target refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectState {
    /// It waits for somebody.
    Open,
    /// It goes out again, or is on its way.
    Retried,
    /// Sent again, it was seen.
    Landed,
    /// A person said that nothing is to come of it.
    Dismissed,
    /// Its value was replaced, or it left the plan, as its period was over or before.
    Expired,
}

impl RejectState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Retried, Self::Landed, Self::Dismissed, Self::Expired];

    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Retried => "retried",
            Self::Landed => "landed",
            Self::Dismissed => "dismissed",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Open | Self::Retried => false,
            Self::Landed | Self::Dismissed | Self::Expired => true,
        }
    }
}

/// Why one expired whose value was replaced.
const REPLACED: &str = "a newer value was wanted";
/// Why one expired that is not wanted any more.
const LEFT: &str = "its cell left the plan";
/// Why one expired whose period is closed.
const OVER: &str = "its period is closed";

/// What has become of revision `rev`, as its cell says now, and why.
pub(crate) const fn standing(rev: u64, cell: &Cell) -> (RejectState, &'static str) {
    use RevisionState as S;
    if cell.rev != rev {
        return (RejectState::Expired, REPLACED);
    }
    match cell.state {
        S::Rejected => (RejectState::Open, ""),
        S::Seen => (RejectState::Landed, ""),
        S::Withdrawn => (RejectState::Expired, LEFT),
        S::Superseded | S::Overtaken => (RejectState::Expired, REPLACED),
        S::Pending | S::Held | S::InFlight | S::Unproven => (RejectState::Retried, ""),
    }
}

/// Whether a cell was refused and waits for somebody: of what was dismissed nothing is to
/// come.
pub(crate) fn waits(db: &Db, cell: &Cell) -> Result<bool> {
    if cell.state != RevisionState::Rejected {
        return Ok(false);
    }
    Ok(db.rejection(cell.id, cell.rev)?.is_some_and(|one| one.ended_at.is_none()))
}

/// Keeps that revisions of one scope were refused in an attempt.
pub(crate) fn note(
    tx: &Tx<'_>,
    scope: i64,
    attempt: i64,
    refused: &[(CellId, u64)],
    now: Timestamp,
) -> Result<()> {
    let Some((first, _)) = refused.first() else { return Ok(()) };
    let target = tx.group(first.grp)?.key.target;
    let mapped = tx.mapped(&target)?;
    let behind = mapped.as_ref().map(|mapped| mapped.held.behind());
    let (before, names) = (Before::of(tx, &target)?, tx.measures()?);
    for (id, rev) in refused {
        let basis = match (&behind, names.get(&id.measure)) {
            (Some(behind), Some(name)) => behind.of(&place_of(&tx.group(id.grp)?.key), name),
            _ => String::new(),
        };
        let measure = names.get(&id.measure).map(AsRef::as_ref);
        // What was sent again was refused beside what was read before it went.
        let master = match tx.rejection(*id, *rev)? {
            Some(known) => known.master,
            None => before.behind(&tx.group(id.grp)?.key, measure),
        };
        tx.put_rejection(&Rejected {
            id: *id,
            rev: *rev,
            scope,
            attempt,
            at: now,
            state: RejectState::Open,
            basis,
            master,
            ended_at: None,
            who: String::new(),
            why: String::new(),
        })?;
    }
    Ok(())
}

/// Ends what is over in a scope, as its cells say. What is wanted stays open, also in a
/// period that is closed: else the next round would want it anew, and send it. A period
/// that ends on or before `closed_before` is told as the reason of what left the plan.
/// What was refused under another mapping than `mapped` becomes pending, once.
pub(super) fn follow(
    tx: &Tx<'_>,
    tally: &mut RevisionTally,
    scope: i64,
    (mapped, closed_before): (&Mapped, Date),
    now: Timestamp,
) -> Result<()> {
    let rejections = tx.rejections(scope)?;
    if rejections.is_empty() {
        return Ok(());
    }
    let (behind, names) = (mapped.behind(), tx.measures()?);
    for mut one in rejections {
        let Some(mut cell) = tx.cell(one.id)? else { continue };
        let before = one.clone();
        let (state, why) = standing(one.rev, &cell);
        (one.state, one.why) = (state, why.to_owned());
        let group = tx.group(one.id.grp)?.key;
        if why == LEFT && group.period.end() <= closed_before {
            OVER.clone_into(&mut one.why);
        }
        if state == RejectState::Open {
            let basis = names.get(&one.id.measure).map(|name| behind.of(&place_of(&group), name));
            let basis = basis.unwrap_or_default();
            let is_known = !one.basis.is_empty() && !basis.is_empty();
            if is_known && one.basis != basis {
                cell.step(tally, scope, RevisionState::Pending)?;
                cell.why = Why::Retried;
                one.state = RejectState::Retried;
                tx.put_cell(&cell)?;
            }
            one.basis = basis;
        }
        one.ended_at = one.state.is_end().then_some(now);
        if one != before {
            tx.put_rejection(&one)?;
        }
    }
    Ok(())
}

/// Ends the open rejections of these cells: nothing is to come of them. Their values
/// are not sent; newer ones are. Returns how many there were.
///
/// # Errors
/// When the ledger does not know one of the cells: then nothing is changed.
pub fn dismiss_rejections(
    state: &State,
    keys: Vec<CellKey>,
    who: String,
    why: String,
    now: Timestamp,
) -> Result<u64> {
    state.change(move |tx| {
        let mut dismissed = 0;
        for key in &keys {
            let id = tx.cell_named(key)?;
            let Some(cell) = tx.cell(id)? else { continue };
            if standing(cell.rev, &cell).0 != RejectState::Open {
                continue;
            }
            if let Some(one) = tx.rejection(id, cell.rev)?.filter(|one| one.ended_at.is_none()) {
                let (who, why) = (who.clone(), why.clone());
                let (state, ended_at) = (RejectState::Dismissed, Some(now));
                tx.put_rejection(&Rejected { state, ended_at, who, why, ..one })?;
                dismissed += 1;
            }
        }
        Ok(dismissed)
    })
}
