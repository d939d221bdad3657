//! Attempts: opened and committed before anything is sent, closed by what the
//! target said, at most one open for each cell.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{CellKey, Receipt, Rejection, RevisionState, RowOutcome, Scope};
use planthread_kit::{AttemptEnd, AttemptId, AttemptRecord, CellWrite, RecordedBatch};
use rusqlite::{Connection, OptionalExtension as _, params};
use rust_decimal::Decimal;

use super::{
    books::Books,
    names::{GROUP_COLUMNS, GROUP_TABLES, Interner, group_from},
    rows::{Cell, same},
    view::Holds,
};
use crate::{
    EngineError, Reader,
    error::Result,
    store::{codec, told},
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

/// Opens an attempt for cells of one scope, in key order. Law 4 is kept here:
/// the revision must be the current one, and no other attempt open or unclear.
/// A retry comes here too, so people's locks and open cases are asked again.
pub(crate) fn open(
    conn: &Connection,
    id: &AttemptId,
    plan: &str,
    writes: &[CellWrite],
    now: Timestamp,
) -> Result<Opened> {
    let Some(first) = writes.first() else { return Ok(Opened::Moved(Vec::new())) };
    let mut names = Interner::default();
    let scope = names.scope(conn, &first.key.target, &first.key.scope)?;
    let query = "INSERT INTO attempt (hex, scope, plan, cells, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.execute(query, params![id.as_str(), scope, plan, writes.len(), codec::micros(now)])?;
    let attempt = conn.last_insert_rowid();
    let mut books = Books::default();
    let holds = Holds::load(conn, now)?;
    let mut moved = Vec::new();
    let mut place = 0;
    for group in writes.chunk_by(|a, b| a.key.group() == b.key.group()) {
        let grp = names.group(conn, &group[0].key.group())?.id;
        for write in group {
            let measure = names.measure(conn, &write.key.measure)?;
            match Cell::load(conn, grp, measure)? {
                Some(cell) if sendable(&cell, write) && !holds.hold(&cell) => {
                    send(conn, &mut books, scope, (attempt, place), cell, now)?;
                    place += 1;
                }
                _ => moved.push(write.key.clone()),
            }
        }
    }
    if moved.is_empty() {
        books.flush(conn)?;
        return Ok(Opened::Yes);
    }
    Ok(Opened::Moved(moved))
}

fn sendable(cell: &Cell, write: &CellWrite) -> bool {
    let state =
        matches!(cell.state, RevisionState::Pending | RevisionState::Held | RevisionState::Seen);
    state
        && cell.open_attempt == 0
        && cell.rev == write.revision
        && cell.rev >= cell.sent_rev
        && cell.value == write.value
}

fn send(
    conn: &Connection,
    books: &mut Books,
    scope: i64,
    (attempt, place): (i64, usize),
    mut cell: Cell,
    now: Timestamp,
) -> Result<()> {
    let carried = cell.state == RevisionState::Seen;
    if cell.state == RevisionState::Held {
        cell.step(books, scope, RevisionState::Pending)?;
    }
    cell.step(books, scope, RevisionState::InFlight)?;
    if let Some(seen) = cell.trusted_seen() {
        cell.before = Some(seen);
    }
    let query = "INSERT INTO attempt_cell
         (attempt, place, grp, measure, rev, before_known, before, carried)
         VALUES (?1, ?8, ?2, ?3, ?4, ?5, ?6, ?7)";
    let seen = cell.trusted_seen();
    conn.prepare_cached(query)?.execute(params![
        attempt,
        cell.grp,
        cell.measure,
        cell.rev,
        seen.is_some(),
        seen.flatten().map(codec::decimal_text),
        carried,
        place,
    ])?;
    cell.sent_rev = cell.rev;
    cell.sent_at = Some(codec::micros(now));
    cell.last_attempt = attempt;
    cell.open_attempt = attempt;
    cell.unclear = None;
    cell.save(conn)
}

/// One cell of an attempt.
struct Part {
    /// Its place in the batch: with the attempt, the key of its row.
    place: i64,
    grp: i64,
    measure: i64,
    rev: u64,
    before: Option<Option<Decimal>>,
}

/// Closes an attempt. Closing it again changes nothing.
pub(crate) fn close(
    conn: &Connection,
    id: &AttemptId,
    end: &AttemptEnd,
    now: Timestamp,
) -> Result<()> {
    let query = "SELECT id, scope FROM attempt WHERE hex = ?1 AND closed_at IS NULL";
    let found: Option<(i64, i64)> =
        conn.query_row(query, [id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((attempt, scope)) = found else { return Ok(()) };
    let parts = parts(conn, attempt)?;
    let outcomes = outcomes(end, parts.len())?;
    let mut books = Books::default();
    for (part, outcome) in parts.iter().zip(outcomes) {
        settle_part(conn, &mut books, scope, attempt, part, &outcome)?;
    }
    let (word, receipt, error) = describe(end);
    let query = "UPDATE attempt SET closed_at = ?2, end = ?3, handle = ?4, verdict = ?5,
         receipt_at = ?6, error = ?7 WHERE id = ?1";
    conn.execute(
        query,
        params![
            attempt,
            codec::micros(now),
            word,
            receipt.map(|r| told(&r.handle)),
            receipt.map(|r| told(&r.verdict)),
            receipt.map(|r| codec::micros(r.at)),
            error.as_deref().map(told),
        ],
    )?;
    books.flush(conn)?;
    Ok(())
}

/// The word, receipt and reason of an end.
fn describe(end: &AttemptEnd) -> (&'static str, Option<&Receipt>, Option<String>) {
    match end {
        AttemptEnd::Done(outcome) => {
            let word = if outcome.failed { "failed" } else { "done" };
            let unnamed = outcome.refused_unnamed;
            let error = format!("{unnamed} rows were refused without a name");
            (word, Some(&outcome.receipt), (unnamed > 0).then_some(error))
        }
        AttemptEnd::NotTaken { reason, .. } => ("not_taken", None, Some(reason.clone())),
        AttemptEnd::Unknown { reason, .. } => ("unknown", None, Some(reason.clone())),
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
        until: i64,
    },
}

impl Outcome {
    /// How it is spelt in a column.
    const fn word(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected(_) => "rejected",
            Self::Unproven => "unproven",
            Self::Unnamed => "unnamed",
            Self::Failed => "failed",
            Self::NotTaken => "not_taken",
            Self::Unclear { .. } => "unclear",
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
        AttemptEnd::Unknown { until, .. } => {
            vec![Outcome::Unclear { until: codec::micros(*until).max(1) }; cells]
        }
    })
}

/// The cells of an attempt in the order of its batch, which is that of keys.
fn parts(conn: &Connection, attempt: i64) -> Result<Vec<Part>> {
    let query = "SELECT grp, measure, rev, before_known, before, place
         FROM attempt_cell WHERE attempt = ?1 ORDER BY place";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query([attempt])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let before: Option<String> = row.get(4)?;
        let known: bool = row.get(3)?;
        let before = before.as_deref().map(codec::decimal).transpose()?;
        parts.push(Part {
            place: row.get(5)?,
            grp: row.get(0)?,
            measure: row.get(1)?,
            rev: row.get(2)?,
            before: known.then_some(before),
        });
    }
    Ok(parts)
}

fn settle_part(
    conn: &Connection,
    books: &mut Books,
    scope: i64,
    attempt: i64,
    part: &Part,
    outcome: &Outcome,
) -> Result<()> {
    let mut cell = Cell::load(conn, part.grp, part.measure)?
        .ok_or_else(|| EngineError::Stored("an attempt for a cell that is not there".into()))?;
    cell.open_attempt = 0;
    cell.unclear = match outcome {
        Outcome::Unclear { until } => Some(*until),
        _ => None,
    };
    if matches!(outcome, Outcome::Accepted) {
        cell.accepted_rev = part.rev;
        cell.accepted_by = attempt;
    }
    if matches!(outcome, Outcome::NotTaken) && part.before.is_some() {
        // Provably without effect: what was read before it still holds.
        cell.seen_attempt = attempt;
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
        cell.step(books, scope, to)?;
    } else {
        // A newer revision replaced it while it was under way.
        let to = match outcome {
            Outcome::NotTaken => RevisionState::Superseded,
            Outcome::Rejected(_) => RevisionState::Rejected,
            Outcome::Accepted
            | Outcome::Unproven
            | Outcome::Unnamed
            | Outcome::Failed
            | Outcome::Unclear { .. } => RevisionState::Overtaken,
        };
        books.step(scope, RevisionState::InFlight, to)?;
        let query = "UPDATE past_revision SET state = ?4
             WHERE grp = ?1 AND measure = ?2 AND rev = ?3";
        let key = params![part.grp, part.measure, part.rev, codec::state_code(to)];
        conn.prepare_cached(query)?.execute(key)?;
    }
    cell.save(conn)?;
    note_outcome(conn, attempt, part, outcome)
}

fn note_outcome(conn: &Connection, attempt: i64, part: &Part, outcome: &Outcome) -> Result<()> {
    let rejection = match outcome {
        Outcome::Rejected(rejection) => Some(rejection),
        _ => None,
    };
    let query = "UPDATE attempt_cell SET outcome = ?3, reason = ?4, vendor_code = ?5, cure = ?6
         WHERE attempt = ?1 AND place = ?2";
    conn.prepare_cached(query)?.execute(params![
        attempt,
        part.place,
        outcome.word(),
        rejection.map(|r| told(&r.reason)),
        rejection.and_then(|r| r.vendor_code.as_deref().map(told)),
        rejection.map(|r| told(&r.cure)),
    ])?;
    Ok(())
}

/// Keeps a vendor handle of an open attempt.
pub(crate) fn note(conn: &Connection, id: &AttemptId, key: &str, value: &str) -> Result<()> {
    let query = "INSERT OR REPLACE INTO note
         SELECT id, ?2, ?3 FROM attempt WHERE hex = ?1 AND closed_at IS NULL";
    if conn.prepare_cached(query)?.execute(params![id.as_str(), key, told(value)])? == 1 {
        return Ok(());
    }
    Err(EngineError::Refused(format!("attempt {id} is not open, so nothing can be noted for it")))
}

/// The notes of an attempt.
pub(crate) fn notes(conn: &Connection, id: &AttemptId) -> Result<BTreeMap<String, String>> {
    let query = "SELECT n.key, n.value FROM note n JOIN attempt a ON a.id = n.attempt
         WHERE a.hex = ?1";
    let mut statement = conn.prepare_cached(query)?;
    let rows = statement.query_map([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What an attempt carried, in the order of its batch: each cell with the
/// revision and the value that went out, also where a newer one is wanted since.
pub(crate) fn recorded(conn: &Connection, id: &AttemptId) -> Result<RecordedBatch> {
    let query = format!(
        "SELECT {GROUP_COLUMNS}, m.name, ac.rev, COALESCE(
            (SELECT c.value FROM cell c
             WHERE c.grp = ac.grp AND c.measure = ac.measure AND c.rev = ac.rev),
            (SELECT p.value FROM past_revision p
             WHERE p.grp = ac.grp AND p.measure = ac.measure AND p.rev = ac.rev))
         FROM attempt_cell ac JOIN {GROUP_TABLES} JOIN measure m
         WHERE ac.attempt = (SELECT a.id FROM attempt a WHERE a.hex = ?1)
         AND g.id = ac.grp AND m.id = ac.measure ORDER BY ac.place"
    );
    let mut statement = conn.prepare_cached(&query)?;
    let mut rows = statement.query([id.as_str()])?;
    let (mut scope, mut cells) = (Scope::base(), Vec::new());
    while let Some(row) = rows.next()? {
        let group = group_from(row)?;
        let (measure, revision): (String, u64) = (row.get(8)?, row.get(9)?);
        let value: Option<String> = row.get(10)?;
        let value = value.ok_or_else(|| {
            EngineError::Stored(format!("attempt {id} carried revision {revision}, which is gone"))
        })?;
        scope = Scope::named(&group.key.scope);
        cells.push(CellWrite {
            key: group.cell(&measure),
            revision,
            value: codec::decimal(&value)?,
        });
    }
    Ok(RecordedBatch::new(scope, cells))
}

/// Every open attempt of a target, oldest first.
///
/// # Errors
/// When the state can't be read.
pub fn open_attempts(reader: &Reader, target: &str) -> Result<Vec<OpenAttempt>> {
    let conn = reader.conn();
    let query = "SELECT a.hex, s.target, s.name, a.opened_at, a.cells
         FROM attempt a JOIN scope s ON s.id = a.scope
         WHERE a.closed_at IS NULL AND s.target = ?1 ORDER BY a.id";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query([target])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let hex: String = row.get(0)?;
        let id = AttemptId::parse(&hex)
            .ok_or_else(|| EngineError::Stored(format!("`{hex}` as an attempt")))?;
        let notes = notes(conn, &id)?;
        all.push(OpenAttempt {
            record: AttemptRecord { id, notes },
            target: row.get(1)?,
            scope: row.get(2)?,
            opened_at: codec::timestamp(row.get(3)?)?,
            cells: row.get(4)?,
        });
    }
    Ok(all)
}

/// The newest attempt's number; 0 before the first.
pub(crate) fn newest(conn: &Connection) -> Result<i64> {
    let query = "SELECT COALESCE(MAX(id), 0) FROM attempt";
    Ok(conn.prepare_cached(query)?.query_row([], |row| row.get(0))?)
}
