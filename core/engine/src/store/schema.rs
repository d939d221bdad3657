//! Forward-only migrations: one transaction a step, a copy of the file first.

use std::path::Path;

use rusqlite::Connection;

use crate::{EngineError, error::Result};

/// The steps, in order; step `n` leads to schema version `n + 1`.
pub(crate) const STEPS: &[&str] = &[include_str!("schema_1.sql")];

/// The version that this program reads and writes.
pub(crate) fn known() -> i64 {
    version_after(STEPS)
}

fn version_after(steps: &[&str]) -> i64 {
    i64::try_from(steps.len()).unwrap_or(i64::MAX)
}

/// The version of the open database; 0 when it is empty.
pub(crate) fn found(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Brings the database to the newest of `steps`.
///
/// A database that already holds something is copied to `<file>.v<version>`
/// beside it before the first step.
pub(crate) fn migrate(conn: &mut Connection, file: &Path, steps: &[&str]) -> Result<()> {
    let found = found(conn)?;
    let known = version_after(steps);
    if found > known {
        return Err(EngineError::NewerSchema { found, known });
    }
    if found > 0 && found < known {
        copy(conn, file, found)?;
    }
    for (step, version) in steps.iter().zip(1i64..) {
        if version > found {
            let transaction = conn.transaction()?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
    }
    Ok(())
}

fn copy(conn: &Connection, file: &Path, version: i64) -> Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".v{version}"));
    let copy = Path::new(&name);
    if copy.exists() {
        // A copy from a migration that did not end is older, never better.
        std::fs::remove_file(copy).map_err(EngineError::io(copy))?;
    }
    conn.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    // SQLite does not sync what it writes here, and a copy that a power cut
    // takes is none.
    std::fs::File::open(copy).and_then(|file| file.sync_all()).map_err(EngineError::io(copy))?;
    crate::journal::sync_dir(copy.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;

    #[test]
    fn steps_run_once_copy_first_and_never_back() {
        let dir = TempDir::new("migrate");
        let file = dir.path().join("x.db");
        let mut conn = Connection::open(&file).unwrap();
        let two = ["CREATE TABLE a(x)", "ALTER TABLE a ADD COLUMN y"];
        migrate(&mut conn, &file, &two[..1]).unwrap();
        conn.execute("INSERT INTO a VALUES (7)", []).unwrap();
        migrate(&mut conn, &file, &two).unwrap();
        migrate(&mut conn, &file, &two).unwrap();
        assert_eq!(found(&conn).unwrap(), 2);
        let copy = Connection::open(dir.path().join("x.db.v1")).unwrap();
        assert_eq!(found(&copy).unwrap(), 1);
        assert_eq!(copy.query_row("SELECT x FROM a", [], |r| r.get::<_, i64>(0)).unwrap(), 7);
        let error = migrate(&mut conn, &file, &two[..1]).unwrap_err();
        assert!(matches!(error, EngineError::NewerSchema { found: 2, known: 1 }), "{error}");
    }

    #[test]
    fn a_failing_step_leaves_the_version_before_it() {
        let dir = TempDir::new("migrate-fail");
        let file = dir.path().join("x.db");
        let mut conn = Connection::open(&file).unwrap();
        let steps = ["CREATE TABLE a(x)", "CREATE TABLE b(x); nonsense"];
        assert!(migrate(&mut conn, &file, &steps).is_err());
        assert_eq!(found(&conn).unwrap(), 1);
        assert!(conn.prepare("SELECT * FROM b").is_err(), "half a step must not stay");
    }
}
