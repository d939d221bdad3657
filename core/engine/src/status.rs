//! Status: one view of the four facts, for people and for `--json`.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use planthread_contracts::{CellKey, Period, PeriodKind, RevisionState};
use rusqlite::{Connection, params};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::{
    Reader,
    error::Result,
    ledger::{
        books,
        names::{self, GROUP_COLUMNS, GROUP_TABLES},
        rows::Why,
    },
    store::codec,
};

/// How one scope of one target stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScopeStatus {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Cells that are wanted.
    pub wanted: u64,
    /// Of them, those whose wanted revision the target said it took.
    pub accepted: u64,
    /// Of them, those that were read back as wanted.
    pub seen: u64,
    /// Of them, those that drive the target's plan.
    pub in_use: u64,
    /// Revisions by state; they add up to all that were ever made.
    pub states: BTreeMap<&'static str, u64>,
    /// Held cells by reason.
    pub held: BTreeMap<String, u64>,
    /// Since when the oldest unsent revision is wanted.
    pub oldest_pending: Option<Timestamp>,
    /// When the least recently read landed cell was read.
    pub oldest_seen: Option<Timestamp>,
    /// Landed cells whose end has passed.
    pub stale: u64,
    /// Attempts without an end.
    pub open_attempts: u64,
    /// Open cases.
    pub open_cases: u64,
    /// Locks that have not ended.
    pub locks: u64,
    /// Cells that left the plan and were left standing.
    pub withdrawn: Withdrawn,
}

/// Cells that left wanted while the target holds what we sent, as far as it
/// was read. Nobody renews them; past periods are nobody's business any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Withdrawn {
    /// How many.
    pub cells: u64,
    /// One of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<CellKey>,
}

/// How everything stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The ledger's counter.
    pub counter: u64,
    /// When truth was last taken in, and as of when.
    pub last_cycle: Option<(Timestamp, Timestamp)>,
    /// Each scope.
    pub scopes: Vec<ScopeStatus>,
}

/// One row that the target refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// The cell.
    pub key: CellKey,
    /// The revision that was refused.
    pub revision: u64,
    /// Its value.
    pub value: Decimal,
    /// The reason in the vendor's words.
    pub reason: String,
    /// The vendor's code.
    pub vendor_code: Option<String>,
    /// What a person can do about it; then `retry`.
    pub cure: String,
    /// Who is asked.
    pub owner: String,
    /// The attempt.
    pub attempt: String,
    /// When.
    pub at: Timestamp,
}

/// How everything stands at `now`.
///
/// # Errors
/// When the state can't be read.
pub fn status(reader: &Reader, now: Timestamp) -> Result<Status> {
    reader.snapshot(|conn| {
        let mut status = Status { counter: books::counter(conn)?, ..Status::default() };
        let query = "SELECT at, as_of FROM cycle ORDER BY counter DESC LIMIT 1";
        let mut statement = conn.prepare_cached(query)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            let (at, as_of) = (codec::timestamp(row.get(0)?)?, codec::timestamp(row.get(1)?)?);
            status.last_cycle = Some((at, as_of));
        }
        let mut statement =
            conn.prepare_cached("SELECT id, target, name FROM scope ORDER BY target, name")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (target, scope) = (row.get(1)?, row.get(2)?);
            status.scopes.push(one(conn, row.get(0)?, target, scope, now)?);
        }
        Ok(status)
    })
}

fn one(
    conn: &Connection,
    id: i64,
    target: String,
    scope: String,
    now: Timestamp,
) -> Result<ScopeStatus> {
    let mut status = ScopeStatus { target, scope, ..ScopeStatus::default() };
    // 0 pending, 1 held, 4 seen, 8 withdrawn.
    let query = "SELECT COUNT(*), COALESCE(SUM(c.accepted_rev = c.rev), 0),
         COALESCE(SUM(c.state = 4), 0), COALESCE(SUM(c.in_use), 0),
         MIN(CASE WHEN c.state IN (0, 1) THEN c.made_at END),
         MIN(CASE WHEN c.state = 4 THEN c.seen_at END),
         COALESCE(SUM(c.state = 4 AND c.valid_until <= ?2), 0)
         FROM cell_group g JOIN cell c ON c.grp = g.id WHERE g.scope = ?1 AND c.state <> 8";
    let mut statement = conn.prepare_cached(query)?;
    let mut rows = statement.query(params![id, codec::micros(now)])?;
    if let Some(row) = rows.next()? {
        status.wanted = row.get(0)?;
        status.accepted = row.get(1)?;
        status.seen = row.get(2)?;
        status.in_use = row.get(3)?;
        let at = |micros: Option<i64>| micros.map(codec::timestamp).transpose();
        status.oldest_pending = at(row.get(4)?)?;
        status.oldest_seen = at(row.get(5)?)?;
        status.stale = row.get(6)?;
    }
    status.states = RevisionState::ALL.iter().map(|state| (state.word(), 0)).collect();
    let mut statement = conn.prepare_cached("SELECT state, n FROM tally WHERE scope = ?1")?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        status.states.insert(codec::state(row.get(0)?)?.word(), row.get(1)?);
    }
    let held = "SELECT COALESCE(c.hold, ''), COUNT(*) FROM cell_group g
         JOIN cell c ON c.grp = g.id WHERE g.scope = ?1 AND c.state = 1 GROUP BY 1";
    let mut statement = conn.prepare_cached(held)?;
    let rows = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    status.held = rows.collect::<rusqlite::Result<_>>()?;
    let count = |query: &str| -> Result<u64> {
        Ok(conn.prepare_cached(query)?.query_row(params![id, codec::micros(now)], |r| r.get(0))?)
    };
    status.open_attempts = count(
        "SELECT COUNT(*) FROM attempt WHERE scope = ?1 AND closed_at IS NULL AND ?2 IS NOT NULL",
    )?;
    status.open_cases = count(
        "SELECT COUNT(*) FROM case_file WHERE scope = ?1 AND closed_at IS NULL AND ?2 IS NOT NULL",
    )?;
    status.locks = count(
        "SELECT COUNT(*) FROM cell_lock l JOIN cell_group g ON g.id = l.grp
         WHERE g.scope = ?1 AND l.until > ?2",
    )?;
    status.withdrawn = withdrawn_of(conn, id, now)?;
    Ok(status)
}

/// What was left standing in one scope of one target at `now`.
///
/// # Errors
/// When the state can't be read.
pub fn withdrawn(reader: &Reader, target: &str, scope: &str, now: Timestamp) -> Result<Withdrawn> {
    match names::find_scope(reader.conn(), target, scope)? {
        Some(id) => withdrawn_of(reader.conn(), id, now),
        None => Ok(Withdrawn::default()),
    }
}

fn withdrawn_of(conn: &Connection, scope: i64, now: Timestamp) -> Result<Withdrawn> {
    // 8 withdrawn; what ended with zero, or was read as gone, does not stand. A
    // period begins at most 31 days before it ends.
    let query = format!(
        "SELECT {GROUP_COLUMNS}, m.name FROM {GROUP_TABLES} JOIN cell c ON c.grp = g.id
         JOIN measure m ON m.id = c.measure
         WHERE g.scope = ?1 AND g.period >= ?2 AND c.state = 8 AND c.sent_rev > 0 AND c.why <> ?3
         AND NOT (c.seen IS NULL AND c.seen_at IS NOT NULL AND c.seen_attempt >= c.last_attempt)
         ORDER BY g.period, g.id, m.name"
    );
    let today = now.to_zoned(TimeZone::UTC).date();
    let month_ago = Period::containing(PeriodKind::Day, today.saturating_sub(31.days()));
    let from = codec::period_code(month_ago);
    let mut statement = conn.prepare_cached(&query)?;
    let mut rows = statement.query(params![scope, from, codec::why_code(Why::Ended)])?;
    let mut found = Withdrawn::default();
    while let Some(row) = rows.next()? {
        let group = names::group_from(row)?;
        if group.key.period.end() > today {
            found.cells += 1;
            if found.example.is_none() {
                found.example = Some(group.cell(&row.get::<_, String>(8)?));
            }
        }
    }
    Ok(found)
}

/// Every cell whose wanted revision the target refused.
///
/// # Errors
/// When the state can't be read.
pub fn rejects(reader: &Reader) -> Result<Vec<Reject>> {
    let query = format!(
        "SELECT {GROUP_COLUMNS}, m.name, c.rev, c.value, a.reason, a.vendor_code, a.cure, t.hex,
         t.closed_at FROM {GROUP_TABLES} JOIN cell c ON c.grp = g.id
         JOIN measure m ON m.id = c.measure
         JOIN attempt t ON t.id = c.last_attempt
         JOIN attempt_cell a INDEXED BY attempt_cell_of
             ON a.grp = c.grp AND a.measure = c.measure AND a.attempt = t.id
         WHERE c.state = 5 ORDER BY g.id, m.name"
    );
    let mut statement = reader.conn().prepare_cached(&query)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let measure: String = row.get(8)?;
        let value: String = row.get(10)?;
        let group = names::group_from(row)?;
        let reason: Option<String> = row.get(11)?;
        let cure: Option<String> = row.get(13)?;
        all.push(Reject {
            key: group.cell(&measure),
            revision: row.get(9)?,
            value: codec::decimal(&value)?,
            reason: reason.unwrap_or_default(),
            vendor_code: row.get(12)?,
            cure: cure.unwrap_or_default(),
            owner: format!("owner of {}", group.key.target),
            attempt: row.get(14)?,
            at: codec::timestamp(row.get(15)?)?,
        });
    }
    Ok(all)
}

pub use crate::ledger::{cases, locks};
