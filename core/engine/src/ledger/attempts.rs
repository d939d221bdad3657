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
    let Some((attempt, scope)) = tx.open_attempt(id)? else { return Ok(()) };
    let parts = tx.parts(attempt)?;
    let outcomes = outcomes(end, parts.len())?;
    let mut tally = RevisionTally::default();
    let mut refused = Vec::new();
    // Most batches end in one word: it is written for all cells at once.
    let common = outcomes.iter().map(Outcome::word).find(|word| *word != PartWord::Rejected);
    if let Some(word) = common {
        tx.end_parts(attempt, word)?;
    }
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
