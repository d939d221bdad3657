//! Judge: from what a sweep found to cases, locks, and cells that are due again.

use jiff::Timestamp;
use planthread_contracts::{CellKey, Period, RevisionState};
use rust_decimal::Decimal;

use super::{
    pattern::{self, Foreign, Levels, Pattern},
    policy::SweepPolicy,
    report::{NAMED, PersonEdit, SweepReport},
};
use crate::{
    EngineError, State,
    error::Result,
    ledger::{CaseKind, Lock, LockKind, Why, revision_tally::RevisionTally},
    plan::HoldReason,
    store::{Tx, holds::Found},
};

/// Tells who wrote what is not ours, and writes down what follows.
pub(super) fn foreign(
    state: &State,
    policy: &SweepPolicy,
    now: Timestamp,
    foreign: Vec<Foreign>,
    levels: Levels,
    report: &mut SweepReport,
) -> Result<()> {
    let Some(scope) = foreign.first().map(|cell| cell.scope) else { return Ok(()) };
    let lock_until = now.checked_add(policy.lock_for).unwrap_or(Timestamp::MAX);
    let rules = policy.pattern.clone();
    let (cases, edits) = state.change(move |tx| {
        let beside = |key: &CellKey| beside(tx, key);
        let pattern = pattern::sort(foreign, tx.cell_count(scope)?, &levels, &rules, beside)?;
        write_pattern(tx, scope, pattern, now, lock_until)
    })?;
    for (kind, cells) in cases {
        *report.cases.entry(kind.word().to_owned()).or_default() += cells;
    }
    report.persons += u64::try_from(edits.len()).unwrap_or(u64::MAX);
    report.person_edits.extend(edits.into_iter().take(NAMED));
    Ok(())
}

/// The open question in which the cell before or after one of a row stands.
fn beside(tx: &Tx<'_>, key: &CellKey) -> Result<Option<CaseKind>> {
    let kind = key.period.kind();
    let before = key.period.start().yesterday().ok().map(|day| Period::containing(kind, day));
    for period in before.into_iter().chain([key.period.next()]) {
        let id = match tx.cell_named(&CellKey { period, ..key.clone() }) {
            Ok(id) => id,
            // A row has ends.
            Err(EngineError::UnknownCell(_)) => continue,
            Err(error) => return Err(error),
        };
        let Some(cell) = tx.cell(id)? else { continue };
        for kind in [CaseKind::Mass, CaseKind::Unknown] {
            if tx.is_open_case(cell.in_case, kind)? {
                return Ok(Some(kind));
            }
        }
    }
    Ok(None)
}

/// Files what happened to our own rows on the way: one case a kind and sweep.
pub(super) fn own(
    state: &State,
    policy: &SweepPolicy,
    now: Timestamp,
    doubled: Option<String>,
    report: &mut SweepReport,
) -> Result<()> {
    let dropped = report.lost_cells.iter().find(|lost| lost.accepted);
    let dropped = dropped.map(|lost| format!("{} of receipt {}", lost.key, lost.receipt));
    let owner = format!("owner of {}", policy.target);
    let found = |kind: CaseKind, example: Option<String>, cells: u64| {
        let text = format!("{cells} cells: {}", question(kind));
        example.map(|example| Found { kind, owner: owner.clone(), text, example, cells })
    };
    let all = [
        found(CaseKind::Dropped, dropped, report.dropped),
        found(CaseKind::Doubled, doubled, report.doubled),
    ];
    for found in all.into_iter().flatten() {
        report.cases.insert(found.kind.word().to_owned(), found.cells);
        let (target, scope) = (policy.target.clone(), policy.scope.name().to_owned());
        state.change(move |tx| match tx.scope(&target, &scope)? {
            Some(scope) => tx.file_case(scope, &found, now).map(|_| ()),
            None => Ok(()),
        })?;
    }
    Ok(())
}

/// Forgets values from before us that are not there any more.
pub(super) fn unlanded(state: &State, policy: &SweepPolicy) -> Result<()> {
    let reader = state.reader()?;
    let db = reader.db();
    let Some(scope) = db.scope(&policy.target, policy.scope.name())? else { return Ok(()) };
    if db.unadopted(scope)?.is_empty() {
        return Ok(());
    }
    state.change(move |tx| tx.review_unadopted(scope))
}

type Written = (Vec<(CaseKind, u64)>, Vec<PersonEdit>);

fn write_pattern(
    tx: &Tx<'_>,
    scope: i64,
    pattern: Pattern,
    now: Timestamp,
    lock_until: Timestamp,
) -> Result<Written> {
    let mut tally = RevisionTally::default();
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
        let id = tx.file_case(scope, &found, now)?;
        filed.push((kind, found.cells));
        for foreign in &cells {
            let hold = kind.holds().then_some(HoldReason::InQuestion);
            overwrite(tx, &mut tally, foreign, id, hold, now)?;
        }
    }
    for foreign in pattern.persons {
        let hold = Some(HoldReason::Lock);
        if overwrite(tx, &mut tally, &foreign, 0, hold, now)? {
            let until = take(tx, &foreign, now, lock_until)?;
            let Foreign { key, wanted, read, .. } = foreign;
            edits.push(PersonEdit { key, wanted, read, until });
        }
    }
    tally.flush(tx)?;
    Ok((filed, edits))
}

/// Locks a cell for the person who edited it; until when. Each edit is a new reason and
/// starts the lock's time anew; only what a named person said about the cell for longer
/// than that stays as it was said.
fn take(tx: &Tx<'_>, edit: &Foreign, now: Timestamp, until: Timestamp) -> Result<Timestamp> {
    let known = tx.lock_of(edit.id)?.filter(|(kind, _)| *kind == LockKind::Send);
    let (read, ours) = (word(edit.read), edit.wanted);
    let reason = match known {
        Some((_, hold)) if hold.until > until => return Ok(hold.until),
        Some((_, hold)) if hold.until > now => format!("edited again to {read}, ours is {ours}"),
        _ => format!("edited to {read}, ours was {ours}"),
    };
    let (key, owner) = (edit.key.clone(), "a person at the target".to_owned());
    let lock = Lock { key, kind: LockKind::Send, owner, reason, since: now, until };
    tx.put_lock(edit.id, &lock)?;
    Ok(until)
}

/// Notes a foreign value; false when the cell has moved on since it was read.
fn overwrite(
    tx: &Tx<'_>,
    tally: &mut RevisionTally,
    foreign: &Foreign,
    case: i64,
    hold: Option<HoldReason>,
    now: Timestamp,
) -> Result<bool> {
    let Some(mut cell) = tx.cell(foreign.id)? else { return Ok(false) };
    if cell.open_attempt != 0 || cell.last_attempt > foreign.read_after {
        return Ok(false);
    }
    cell.seen = foreign.read;
    cell.seen_at = Some(now);
    cell.seen_attempt = foreign.read_after.max(cell.last_attempt);
    cell.unclear = None;
    cell.in_case = case;
    (cell.in_use, cell.in_use_since) = (false, None);
    if matches!(cell.state, RevisionState::Seen | RevisionState::Unproven) {
        cell.step(tally, foreign.scope, RevisionState::Pending)?;
        cell.why = Why::Overwritten;
    }
    if let (RevisionState::Pending, Some(reason)) = (cell.state, hold) {
        cell.step(tally, foreign.scope, RevisionState::Held)?;
        cell.hold = Some(reason);
    }
    tx.put_cell(&cell)?;
    Ok(true)
}

const fn owner(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Job | CaseKind::Dropped => "owner of the load",
        CaseKind::Mass | CaseKind::Unknown => "planning lead",
        CaseKind::Rounding | CaseKind::Level => "owner of the target's setup",
        CaseKind::SecondWriter
        | CaseKind::Doubled
        | CaseKind::Redoubled
        | CaseKind::Clock
        | CaseKind::Restored
        | CaseKind::TakenBack => "operator of the bridge",
    }
}

const fn question(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Job => "another load wrote over them; should it? They are sent again",
        CaseKind::Mass => "a large part of the scope changed at once; who did, and may it stay?",
        CaseKind::Unknown => "many cells of one place changed at once; who did, and may it stay?",
        CaseKind::Rounding => "the target keeps fewer decimals than declared; correct the measure",
        CaseKind::Level => "an aggregate was read; correct the storage level of the measure",
        CaseKind::Dropped => "accepted, and not there; they are sent again",
        CaseKind::Doubled => {
            "what we sent once took effect more than once; what stands between us and the target? \
             They are sent again"
        }
        CaseKind::Redoubled => {
            "sent again, they took effect more than once again; what stands between us and the \
             target? They are held until that is answered"
        }
        CaseKind::SecondWriter => {
            "somebody else writes our heartbeat; stop one of the two, or answer this where the other \
             one is a state of yours that is gone"
        }
        // No read-back tells of these.
        CaseKind::Clock | CaseKind::Restored | CaseKind::TakenBack => "see `planthread status`",
    }
}

fn word(read: Option<Decimal>) -> String {
    read.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
