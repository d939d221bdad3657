//! A whole copy of the database, made beside whoever reads and writes it.

use std::path::Path;

use rusqlite::Connection;

use super::{Db, private};
use crate::{EngineError, error::Result};

impl Db {
    /// Writes the database as it is at this moment into the new file `to`; nobody
    /// waits for it. Its size is that of what is in it.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<()> {
        copy(self.conn(), to).map_err(|error| self.named(error))
    }
}

/// Copies what `conn` has open into `to`, durably.
pub(super) fn copy(conn: &Connection, to: &Path) -> Result<()> {
    // An empty file is taken for none: the copy is nobody else's business, either.
    private::file(to).map_err(EngineError::io(to))?;
    conn.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
    // SQLite does not sync what it writes here, and a copy that a power cut
    // takes is none.
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(EngineError::io(to))?;
    private::sync_dir(to.parent().unwrap_or(Path::new(".")))
}
