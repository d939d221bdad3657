//! What only tests do to a state: damage it by hand.

use rusqlite::params;

use super::db::Tx;
use crate::error::Result;

impl Tx<'_> {
    /// Changes where a record is from.
    pub(crate) fn forge_place(&self, position: u64, place: &str) -> Result<()> {
        self.forge("UPDATE record SET place = ?2 WHERE position = ?1", params![position, place])
    }

    /// Changes the bytes of all records from `position` on.
    pub(crate) fn forge_bodies(&self, position: u64, body: &[u8]) -> Result<()> {
        self.forge("UPDATE record SET body = ?2 WHERE position >= ?1", params![position, body])
    }

    /// Runs any statement.
    pub(super) fn forge(&self, text: &str, params: impl rusqlite::Params) -> Result<()> {
        self.conn().execute(text, params)?;
        Ok(())
    }
}

/// Puts one more past revision behind every cell of `state`, and one more attempt
/// that has ended.
pub(crate) fn past(state: &super::State, round: usize) {
    let round = i64::try_from(round).unwrap();
    let done = state.change(move |tx| {
        tx.forge(
            "INSERT INTO past_revision SELECT grp, measure, ?1, state, value, unrounded, status,
                as_of, valid_until, recipe, made_at FROM cell",
            [1_000 + round],
        )?;
        tx.forge(
            "INSERT INTO attempt (hex, scope, plan, cells, opened_at, closed_at)
             VALUES (?1, 1, '', 1, 0, 1)",
            [format!("{round:032x}")],
        )
    });
    done.unwrap();
}

/// Opens a case of `owner`.
pub(crate) fn open_case(state: &super::State, owner: &str) {
    let owner = owner.to_owned();
    let case = "INSERT INTO case_file
        (scope, kind, owner, text, example, cells, holds, opened_at, last_at)
        VALUES (1, 'mass', ?1, '', '', 1, 1, 0, 0)";
    state.change(move |tx| tx.forge(case, [owner])).unwrap();
}

/// Opens so many cases, and closes each.
pub(crate) fn closed_cases(state: &super::State, many: usize) {
    for nth in 0..many {
        open_case(state, &nth.to_string());
    }
    let close = "UPDATE case_file SET closed_at = 1, closed_by = 'ada'";
    state.change(move |tx| tx.forge(close, [])).unwrap();
}

/// Writes what is no value into a column of every cell, in the file of a state
/// that nobody has open.
pub(crate) fn spoil_cells(file: &std::path::Path, column: &str) {
    assign(file, &format!("{column} = 'NaN'"));
}

/// Changes every cell beside the books, in such a file.
pub(crate) fn assign(file: &std::path::Path, what: &str) {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute_batch(&format!("UPDATE cell SET {what}")).unwrap();
}

/// Says that the database in `file` is of schema `version`.
pub(crate) fn schema_of(file: &std::path::Path, version: i64) {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.pragma_update(None, "user_version", version).unwrap();
}
