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

/// Writes what is no value into a column of every cell, in the file of a state
/// that nobody has open.
pub(crate) fn spoil_cells(file: &std::path::Path, column: &str) {
    let conn = rusqlite::Connection::open(file).unwrap();
    conn.execute_batch(&format!("UPDATE cell SET {column} = 'NaN'")).unwrap();
}
