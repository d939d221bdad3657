//! Attempts: opened and committed before anything is sent, closed by what the
//! target said, at most one open for each cell.

use jiff::Timestamp;
use planthread_contracts::{CellKey, Rejection, RevisionState, RowOutcome};
use planthread_kit::{AttemptEnd, AttemptId, AttemptRecord, CellWrite};

use super::{
    rejections,
    revision_tally::RevisionTally,
    rows::same,
    view::{CellView, Holds},
};
use crate::{
    EngineError, Reader,
    error::Result,
    plan::{Policy, stands},
    store::{
        Tx,
        attempts::{Ended, Part},
        cells::Cell,
        codes::{AttemptWord, PartWord},
        names::Interner,
    },
};

/// An attempt whose end is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// The id and its notes.
    pub record: AttemptRecord,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Cells in it.
    pub cells: u64,
}

/// What opening an attempt led to.
pub(crate) enum Opened {
    /// It is open.
    Yes,
    /// These cells are not what the batch says; nothing was opened.
    Moved(Vec<CellKey>),
}

/// Opens an attempt for cells of one scope, in key order, while each of them
/// [`stands`] under `policy`. A retry comes here too, so what people, windows and
/// other writers say is asked again.
pub(crate) fn open(
    tx: &Tx<'_>,
    id: &AttemptId,
    plan: &str,
    writes: &[CellWrite],
    policy: &Policy,
) -> Result<Opened> {
    let now = policy.now;
    let Some(first) = writes.first() else { return Ok(Opened::Moved(Vec::new())) };
    let mut names = Interner::default();
    let scope = names.scope(tx, &first.key.target, &first.key.scope)?;
    let attempt = tx.insert_attempt(id, scope, plan, writes.len(), now)?;
    let policy = policy.with_others(tx, scope)?;
    let mut tally = RevisionTally::default();
    let holds = Holds::load(tx, now)?;
    let mut moved = Vec::new();
    let mut place = 0;
    for group in writes.chunk_by(|a, b| a.key.group() == b.key.group()) {
        let (known, mut cells) = names.cells_of(tx, scope, group[0].key.group())?;
        let stands = |cell: &Cell, write: &CellWrite| {
            let view = CellView::new(&known, &write.key.measure, cell, &holds);
            stands(&view, (write.revision, write.value), &policy)
        };
        for write in group {
            let measure = names.measure(tx, &write.key.measure)?;
            match cells.iter_mut().find(|cell| cell.id.measure == measure) {
                Some(cell) if stands(cell, write) => {
                    send(tx, &mut tally, scope, (attempt, place), cell, now)?;
                    place += 1;
                }
                _ => moved.push(write.key.clone()),
            }
        }
    }
    if moved.is_empty() {
        tally.flush(tx)?;
        return Ok(Opened::Yes);
    }
    Ok(Opened::Moved(moved))
}

fn send(
    tx: &Tx<'_>,
    tally: &mut RevisionTally,
    scope: i64,
    (attempt, place): (i64, usize),
    cell: &mut Cell,
    now: Timestamp,
) -> Result<()> {
    let carried = cell.state == RevisionState::Seen;
    if cell.state == RevisionState::Held {
        cell.step(tally, scope, RevisionState::Pending)?;
    }
    cell.step(tally, scope, RevisionState::InFlight)?;
    let before = cell.trusted_seen();
    cell.before = before.or(cell.before);
    tx.insert_part(&Part { attempt, place, id: cell.id, rev: cell.rev, carried, before })?;
    cell.sent_rev = cell.rev;
    cell.sent_at = Some(now);
    cell.last_attempt = attempt;
    cell.open_attempt = attempt;
    cell.unclear = None;
    tx.put_facts(cell)
}

/// Closes an attempt. Closing it again changes nothing.
pub(crate) fn close(tx: &Tx<'_>, id: &AttemptId, end: &AttemptEnd, now: Timestamp) -> Result<()> {
    let Some((attempt, scope, cells)) = tx.open_attempt(id)? else { return Ok(()) };
    let outcomes = outcomes(end, cells)?;
    let mut tally = RevisionTally::default();
    let mut refused = Vec::new();
    // Most batches end in one word: it is written for all cells at once.
    let common = outcomes.iter().map(Outcome::word).find(|word| *word != PartWord::Rejected);
    if let Some(word) = common {
        tx.end_parts(attempt, word)?;
    }
    let alike = settle_alike(tx, &mut tally, (attempt, scope), &outcomes)?;
    let parts = if alike < cells { tx.parts(attempt)? } else { Vec::new() };
    for (part, outcome) in parts.iter().zip(outcomes) {
        settle_part(tx, &mut tally, scope, part, &outcome)?;
        let rejection = match &outcome {
            Outcome::Rejected(rejection) => Some(rejection),
            _ => None,
        };
        if common != Some(outcome.word()) {
            tx.end_part(part, outcome.word(), rejection)?;
        }
        if rejection.is_some() {
            refused.push((part.id, part.rev));
        }
    }
    rejections::note(tx, scope, attempt, &refused, now)?;
    tx.end_attempt(attempt, &describe(end), now)?;
    tally.flush(tx)?;
    Ok(())
}

/// The word, receipt and reason of an end.
fn describe(end: &AttemptEnd) -> Ended<'_> {
    use AttemptWord as W;
    match end {
        AttemptEnd::Done(outcome) => {
            let unnamed = outcome.refused_unnamed;
            let error = format!("{unnamed} rows were refused without a name");
            Ended {
                word: if outcome.failed { W::Failed } else { W::Done },
                receipt: Some(&outcome.receipt),
                error: (unnamed > 0).then_some(error),
            }
        }
        AttemptEnd::NotTaken { reason } => {
            Ended { word: W::NotTaken, receipt: None, error: Some(reason.clone()) }
        }
        AttemptEnd::Unknown { reason, .. } => {
            Ended { word: W::Unknown, receipt: None, error: Some(reason.clone()) }
        }
    }
}

/// What an end means for one cell.
#[derive(Clone)]
enum Outcome {
    Accepted,
    Rejected(Rejection),
    Unproven,
    /// One of those of which some were refused without a name, perhaps.
    Unnamed,
    /// Not named, in a job that failed as a whole.
    Failed,
    NotTaken,
    Unclear {
        until: Timestamp,
    },
}

impl Outcome {
    const fn word(&self) -> PartWord {
        match self {
            Self::Accepted => PartWord::Accepted,
            Self::Rejected(_) => PartWord::Rejected,
            Self::Unproven => PartWord::Unproven,
            Self::Unnamed => PartWord::Unnamed,
            Self::Failed => PartWord::Failed,
            Self::NotTaken => PartWord::NotTaken,
            Self::Unclear { .. } => PartWord::Unclear,
        }
    }
}

fn outcomes(end: &AttemptEnd, cells: usize) -> Result<Vec<Outcome>> {
    Ok(match end {
        AttemptEnd::Done(done) => {
            if done.rows.len() != cells {
                return Err(EngineError::Refused(format!(
                    "the connector reported {} rows for {cells} cells",
                    done.rows.len()
                )));
            }
            let row = |row: &RowOutcome| match row {
                RowOutcome::Accepted => Outcome::Accepted,
                RowOutcome::Rejected(rejection) => Outcome::Rejected(rejection.clone()),
                RowOutcome::Unproven if done.failed => Outcome::Failed,
                RowOutcome::Unproven if done.refused_unnamed > 0 => Outcome::Unnamed,
                RowOutcome::Unproven => Outcome::Unproven,
            };
            done.rows.iter().map(row).collect()
        }
        AttemptEnd::NotTaken { .. } => vec![Outcome::NotTaken; cells],
        AttemptEnd::Unknown { until, .. } => vec![Outcome::Unclear { until: *until }; cells],
    })
}

/// Settles the cells of a batch that has one outcome, which only a read-back proves, in
/// one statement: how many. What a newer revision has replaced meanwhile is left.
fn settle_alike(
    tx: &Tx<'_>,
    tally: &mut RevisionTally,
    (attempt, scope): (i64, i64),
    outcomes: &[Outcome],
) -> Result<usize> {
    let Some(word) = outcomes.first().map(Outcome::word) else { return Ok(0) };
    let waits = matches!(
        word,
        PartWord::Accepted | PartWord::Unproven | PartWord::Unnamed | PartWord::Failed
    );
    if !waits || outcomes.iter().any(|outcome| outcome.word() != word) {
        return Ok(0);
    }
    let settled = tx.settle_parts(attempt, word == PartWord::Accepted)?;
    let many = i64::try_from(settled).unwrap_or(i64::MAX);
    tally.steps(scope, RevisionState::InFlight, RevisionState::Unproven, many)?;
    Ok(settled)
}

fn settle_part(
    tx: &Tx<'_>,
    tally: &mut RevisionTally,
    scope: i64,
    part: &Part,
    outcome: &Outcome,
) -> Result<()> {
    let mut cell = tx
        .cell(part.id)?
        .ok_or_else(|| EngineError::Stored("an attempt for a cell that is not there".into()))?;
    if cell.rev == part.rev && cell.state == RevisionState::Unproven {
        // Settled with those that ended alike.
        return Ok(());
    }
    cell.open_attempt = 0;
    cell.unclear = match outcome {
        Outcome::Unclear { until } => Some(*until),
        _ => None,
    };
    if matches!(outcome, Outcome::Accepted) {
        cell.accepted_rev = part.rev;
        cell.accepted_by = part.attempt;
    }
    if matches!(outcome, Outcome::NotTaken) && part.before.is_some() {
        // Provably without effect: what was read before it still holds.
        cell.seen_attempt = part.attempt;
    }
    if cell.rev == part.rev {
        let to = match outcome {
            Outcome::Accepted
            | Outcome::Unproven
            | Outcome::Unnamed
            | Outcome::Failed
            | Outcome::Unclear { .. } => RevisionState::Unproven,
            Outcome::Rejected(_) => RevisionState::Rejected,
            Outcome::NotTaken if part.before.is_some_and(|b| same(cell.value, b, false)) => {
                RevisionState::Seen
            }
            Outcome::NotTaken => RevisionState::Pending,
        };
        cell.step(tally, scope, to)?;
    } else {
        // A newer revision replaced it while it was under way.
        let to = match outcome {
            Outcome::NotTaken => RevisionState::Superseded,
            Outcome::Rejected(_)
            | Outcome::Accepted
            | Outcome::Unproven
            | Outcome::Unnamed
            | Outcome::Failed
            | Outcome::Unclear { .. } => RevisionState::Overtaken,
        };
        tally.step(scope, RevisionState::InFlight, to)?;
        tx.end_past(part.id, part.rev, to)?;
    }
    tx.put_facts(&cell)
}

/// Keeps a vendor handle of an open attempt.
pub(crate) fn note(tx: &Tx<'_>, id: &AttemptId, key: &str, value: &str) -> Result<()> {
    if tx.put_note(id, key, value)? {
        return Ok(());
    }
    Err(EngineError::Refused(format!("attempt {id} is not open, so nothing can be noted for it")))
}

/// Every open attempt of a target, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn open_attempts(reader: &Reader, target: &str) -> Result<Vec<OpenAttempt>> {
    reader.db().open_attempts(target)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::{DesiredCell, Receipt, Scope, WriteGrant};
    use planthread_kit::PushOutcome;

    use super::*;
    use crate::{
        State,
        ledger::{self, Want, want},
        testing::{TempDir, decl, now, wanted},
    };

    const CELLS: usize = 5;

    fn views(state: &State) -> Vec<CellView> {
        let mut views = Vec::new();
        let keep = |cell: CellView| {
            views.push(cell);
            Ok(())
        };
        ledger::cells(&state.reader().unwrap(), now(), keep).unwrap();
        views.sort_by(|a, b| a.key.cmp(&b.key));
        views
    }

    /// Another value is wanted of the cells whose bit is set.
    fn replace(state: &State, views: &[CellView], bits: u32) {
        let chosen = views.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0);
        let cell = |(_, view): (usize, &CellView)| DesiredCell {
            key: view.key.clone(),
            value: 90.into(),
            unrounded: 90.into(),
            status: view.status,
            as_of: view.as_of,
            valid_until: view.valid_until,
            recipe: "recipe".into(),
        };
        let all = Want {
            target: "t".to_owned(),
            as_of: now(),
            measures: vec![decl("live", "attainable_clock_hours", "value")],
            mapped: Default::default(),
            refresh_within: jiff::SignedDuration::ZERO,
            complete: Vec::new(),
        };
        want(state, all, [Ok::<_, EngineError>(chosen.map(cell).collect())], now()).unwrap();
    }

    /// The cells but the last after an attempt in which they have `row` for an outcome, and
    /// the last one has `last`. Those whose bit is set were replaced meanwhile.
    fn after(bits: u32, row: &RowOutcome, last: &RowOutcome, failed: bool) -> Vec<CellView> {
        let dir = TempDir::new("alike");
        let state = State::open(dir.path(), now()).unwrap();
        let measure = decl("live", "attainable_clock_hours", "value");
        wanted(&state, &measure, CELLS);
        let before = views(&state);
        let writes: Vec<CellWrite> = before.iter().map(CellView::write).collect();
        let (base, today) = (Scope::base(), "2026-11-22".parse().unwrap());
        let grants = vec![WriteGrant::bridge_owned(&measure, &base).unwrap()];
        let policy = Policy::open("t", base, vec![measure], grants, now(), today);
        let id = AttemptId::parse("0123456789abcdef0123456789abcdef").unwrap();
        let hex = id.clone();
        state.change(move |tx| open(tx, &hex, "plan", &writes, &policy).map(drop)).unwrap();
        replace(&state, &before, bits);
        let mut rows = vec![row.clone(); CELLS - 1];
        rows.push(last.clone());
        let receipt = Receipt { handle: "job".to_owned(), verdict: "?".to_owned(), at: now() };
        let end = AttemptEnd::Done(PushOutcome { failed, ..PushOutcome::new(receipt, rows) });
        state.change(move |tx| close(tx, &id, &end, now())).unwrap();
        let none: [String; 0] = [];
        assert_eq!(ledger::audit(&state.reader().unwrap()).unwrap().findings, none);
        let mut views = views(&state);
        assert!(views.iter().all(|view| !view.open_attempt), "{views:?}");
        views.truncate(CELLS - 1);
        views
    }

    #[test]
    fn a_batch_that_ended_alike_leaves_each_cell_as_one_by_one() {
        let refused = RowOutcome::Rejected(Rejection {
            reason: "no such resource".to_owned(),
            vendor_code: None,
            cure: "create it".to_owned(),
        });
        for bits in [0, 0b0_0001, 0b0_1010, 0b1_0000, 0b1_1111] {
            for (row, failed) in [
                (RowOutcome::Accepted, false),
                (RowOutcome::Unproven, false),
                (RowOutcome::Unproven, true),
            ] {
                let (alike, apart) =
                    (after(bits, &row, &row, failed), after(bits, &row, &refused, failed));
                assert_eq!(alike, apart, "{bits:b} {row:?} {failed}");
            }
        }
    }
}
