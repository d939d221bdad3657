//! Cases: one question for one owner, however many cells it is about.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::{EngineError, Reader, State, error::Result, store::codec};

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// Another load wrote over many cells: they are repaired, its owner asked.
    Job,
    /// A large part of a scope changed in one sweep: held until answered.
    Mass,
    /// The target stores fewer decimals than declared: held.
    Rounding,
    /// What is read is an aggregate, not the stored value: held.
    Level,
    /// Many cells changed, and it can't be told by whom: held.
    Unknown,
    /// Rows were accepted and then not there: they are sent again.
    Dropped,
    /// Rows took effect more than once: they are sent again.
    Doubled,
    /// Somebody else writes our heartbeat: the scope is held.
    SecondWriter,
}

impl CaseKind {
    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Mass => "mass",
            Self::Rounding => "rounding",
            Self::Level => "level",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
            Self::Doubled => "doubled",
            Self::SecondWriter => "second_writer",
        }
    }

    /// Whether its cells wait until somebody answers.
    #[must_use]
    pub const fn holds(self) -> bool {
        !matches!(self, Self::Job | Self::Dropped | Self::Doubled)
    }
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Number.
    pub id: i64,
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// What it is about.
    pub kind: CaseKind,
    /// Who is asked.
    pub owner: String,
    /// The question, in a sentence.
    pub text: String,
    /// One cell of it, with what was wanted and what was read.
    pub example: String,
    /// Cells, over all the sweeps that found it.
    pub cells: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last met.
    pub last_at: Timestamp,
    /// When and by whom it was answered.
    pub closed: Option<(Timestamp, String)>,
}

/// What a sweep found, before it has a number.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: CaseKind,
    pub(crate) owner: String,
    pub(crate) text: String,
    pub(crate) example: String,
    pub(crate) cells: u64,
}

/// Opens a case, or adds to the open one of the same kind, owner and scope.
pub(crate) fn file(conn: &Connection, scope: i64, found: &Found, now: Timestamp) -> Result<i64> {
    let open = "SELECT id FROM case_file
         WHERE scope = ?1 AND kind = ?2 AND owner = ?3 AND closed_at IS NULL";
    let known: Option<i64> = conn
        .prepare_cached(open)?
        .query_row(params![scope, codec::case_word(found.kind), found.owner], |row| row.get(0))
        .optional()?;
    let at = codec::micros(now);
    if let Some(id) = known {
        let query = "UPDATE case_file SET cells = cells + ?2, last_at = ?3, text = ?4,
             example = ?5 WHERE id = ?1";
        conn.execute(query, params![id, found.cells, at, found.text, found.example])?;
        return Ok(id);
    }
    let query = "INSERT INTO case_file
         (scope, kind, owner, text, example, cells, holds, opened_at, last_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
    let (word, holds) = (codec::case_word(found.kind), found.kind.holds());
    conn.execute(
        query,
        params![scope, word, found.owner, found.text, found.example, found.cells, holds, at],
    )?;
    Ok(conn.last_insert_rowid())
}

/// Every case, the open ones first, then by number.
///
/// # Errors
/// When the state can't be read.
pub fn cases(reader: &Reader) -> Result<Vec<Case>> {
    let query = "SELECT c.id, s.target, s.name, c.kind, c.owner, c.text, c.example, c.cells,
         c.opened_at, c.last_at, c.closed_at, c.closed_by
         FROM case_file c JOIN scope s ON s.id = c.scope
         ORDER BY c.closed_at IS NOT NULL, c.id";
    let mut statement = reader.conn().prepare_cached(query)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let word: String = row.get(3)?;
        let closed_at: Option<i64> = row.get(10)?;
        let closed_by: Option<String> = row.get(11)?;
        all.push(Case {
            id: row.get(0)?,
            target: row.get(1)?,
            scope: row.get(2)?,
            kind: codec::case_kind(&word)?,
            owner: row.get(4)?,
            text: row.get(5)?,
            example: row.get(6)?,
            cells: row.get(7)?,
            opened_at: codec::timestamp(row.get(8)?)?,
            last_at: codec::timestamp(row.get(9)?)?,
            closed: match closed_at {
                Some(at) => Some((codec::timestamp(at)?, closed_by.unwrap_or_default())),
                None => None,
            },
        });
    }
    Ok(all)
}

/// Answers a case: what it held may be sent again. Whether it was open.
///
/// # Errors
/// When nobody answers for it.
pub fn close_case(state: &State, id: i64, by: &str, now: Timestamp) -> Result<bool> {
    if by.trim().is_empty() {
        return Err(EngineError::Refused("a case is closed by somebody: name them".into()));
    }
    let by = by.to_owned();
    state.write(move |conn| {
        let query = "UPDATE case_file SET closed_at = ?2, closed_by = ?3
             WHERE id = ?1 AND closed_at IS NULL";
        Ok(conn.execute(query, params![id, codec::micros(now), by])? > 0)
    })
}

/// Numbers of the open cases that hold their cells.
pub(crate) fn holding(conn: &Connection) -> Result<HashSet<i64>> {
    let query = "SELECT id FROM case_file WHERE holds AND closed_at IS NULL";
    let mut statement = conn.prepare_cached(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Who else writes the scope, if an open case says so.
pub(crate) fn second_writer(conn: &Connection, scope: i64) -> Result<Option<String>> {
    let query = "SELECT example FROM case_file
         WHERE scope = ?1 AND kind = 'second_writer' AND closed_at IS NULL";
    Ok(conn.prepare_cached(query)?.query_row([scope], |row| row.get(0)).optional()?)
}
