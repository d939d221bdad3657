//! What an attempt left in doubt about a cell, for the read-back that decides.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::Cell;
use crate::error::Result;

/// What an attempt left in doubt about one of its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Nothing but whether it took effect.
    Effect,
    /// Rows were refused, and nobody said which.
    Unnamed,
    /// The job failed as a whole.
    Failed,
}

/// What the cell's last attempt left in doubt.
pub(crate) fn doubt(conn: &Connection, cell: &Cell) -> Result<Doubt> {
    let query = "SELECT outcome FROM attempt_cell
         WHERE grp = ?1 AND measure = ?2 AND attempt = ?3";
    let key = params![cell.grp, cell.measure, cell.last_attempt];
    let word: Option<Option<String>> =
        conn.prepare_cached(query)?.query_row(key, |row| row.get(0)).optional()?;
    Ok(match word.flatten().as_deref() {
        Some("unnamed") => Doubt::Unnamed,
        Some("failed") => Doubt::Failed,
        _ => Doubt::Effect,
    })
}

/// Writes down that the cell is one of those that were refused without a name.
pub(crate) fn refuse_unnamed(conn: &Connection, cell: &Cell) -> Result<()> {
    let query = "UPDATE attempt_cell SET outcome = 'rejected', reason = ?4, cure = ?5
         WHERE grp = ?1 AND measure = ?2 AND attempt = ?3";
    let (key, attempt) = ((cell.grp, cell.measure), cell.last_attempt);
    let row = params![key.0, key.1, attempt, UNNAMED_REASON, UNNAMED_CURE];
    conn.prepare_cached(query)?.execute(row)?;
    Ok(())
}

const UNNAMED_REASON: &str =
    "the target refused rows of this batch without naming them, and this one is unchanged there";
const UNNAMED_CURE: &str = "look for the job at the target, and compare resource, location and \
    period with its master data and horizon; then retry";

/// The target's own word for a failed attempt.
pub(crate) fn verdict(conn: &Connection, attempt: i64) -> Result<String> {
    let query = "SELECT COALESCE(verdict, '') FROM attempt WHERE id = ?1";
    Ok(conn.prepare_cached(query)?.query_row([attempt], |row| row.get(0))?)
}
