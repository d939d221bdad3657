//! Forward-only migrations: one transaction a step, a copy of the file first.

use std::path::Path;

use rusqlite::Connection;

use super::{records, whole};
use crate::{EngineError, error::Result};

/// One step to a newer schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    sql: &'static str,
    /// What SQL can't make, in the same transaction.
    then: Option<fn(&Connection) -> Result<()>>,
}

impl Step {
    const fn of(sql: &'static str) -> Self {
        Self { sql, then: None }
    }
}

/// The steps, in order; step `n` leads to schema version `n + 1`.
pub(crate) const STEPS: &[Step] = &[
    Step::of(include_str!("schema_1.sql")),
    Step::of(include_str!("schema_2.sql")),
    Step::of(include_str!("schema_3.sql")),
    Step { sql: include_str!("schema_4.sql"), then: Some(records::make_keys) },
    Step::of(include_str!("schema_5.sql")),
    Step::of(include_str!("schema_6.sql")),
    Step::of(include_str!("schema_7.sql")),
    Step::of(include_str!("schema_8.sql")),
    Step::of(include_str!("schema_9.sql")),
    Step::of(include_str!("schema_10.sql")),
    Step::of(include_str!("schema_11.sql")),
    Step::of(include_str!("schema_12.sql")),
    Step::of(include_str!("schema_13.sql")),
    Step::of(include_str!("schema_14.sql")),
];

/// The version that this program reads and writes.
pub(crate) fn known() -> i64 {
    version_after(STEPS)
}

fn version_after(steps: &[Step]) -> i64 {
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
pub(crate) fn migrate(conn: &mut Connection, file: &Path, steps: &[Step]) -> Result<()> {
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
            transaction.execute_batch(step.sql)?;
            if let Some(then) = step.then {
                then(&transaction)?;
            }
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
    whole::copy(conn, copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Reader, State, ledger,
        testing::{TempDir, now},
    };

    #[test]
    fn steps_run_once_copy_first_and_never_back() {
        let dir = TempDir::new("migrate");
        let file = dir.path().join("x.db");
        let mut conn = Connection::open(&file).unwrap();
        let two = ["CREATE TABLE a(x)", "ALTER TABLE a ADD COLUMN y"].map(Step::of);
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
        let steps = ["CREATE TABLE a(x)", "CREATE TABLE b(x); nonsense"].map(Step::of);
        assert!(migrate(&mut conn, &file, &steps).is_err());
        assert_eq!(found(&conn).unwrap(), 1);
        assert!(conn.prepare("SELECT * FROM b").is_err(), "half a step must not stay");
    }

    /// The tables, each with its columns.
    fn tables(conn: &Connection) -> Vec<(String, String)> {
        let names = "SELECT m.name, group_concat(c.name, ', ') FROM sqlite_master m
            JOIN pragma_table_info(m.name) c WHERE m.type = 'table' GROUP BY m.name ORDER BY 1";
        let mut names = conn.prepare(names).unwrap();
        let names = names.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        names.map(|name| name.unwrap()).collect()
    }

    /// What tables hold, row by row, as SQLite would write it; the order of rows
    /// says nothing.
    fn dump(conn: &Connection, tables: &[(String, String)]) -> Vec<String> {
        let mut all = Vec::new();
        for (name, columns) in tables {
            let mut rows = conn.prepare(&format!("SELECT {columns} FROM {name}")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            let before = all.len();
            while let Some(row) = rows.next().unwrap() {
                let cells = (0..columns).map(|n| format!("{:?}", row.get_ref(n).unwrap()));
                all.push(format!("{name}: {}", cells.collect::<Vec<_>>().join(", ")));
            }
            assert!(all.len() > before, "no row of `{name}` would be missed");
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn a_state_of_schema_1_keeps_every_row() {
        let dir = TempDir::new("schema-1");
        let file = dir.path().join("state.db");
        let mut old = Connection::open(&file).unwrap();
        migrate(&mut old, &file, &STEPS[..1]).unwrap();
        old.execute_batch(include_str!("rows_1.sql")).unwrap();
        // A table of a later schema begins empty.
        let tables = tables(&old);
        let before = dump(&old, &tables);
        drop(old);
        assert!(matches!(Reader::open(dir.path()), Err(EngineError::OlderSchema { .. })));

        let state = State::open(dir.path(), now()).unwrap();
        let reader = state.reader().unwrap();
        assert_eq!(found(reader.db().conn()).unwrap(), known());
        assert_eq!(dump(reader.db().conn(), &tables), before, "the migrated state");
        let copy = Connection::open(dir.path().join("state.db.v1")).unwrap();
        assert_eq!(
            (found(&copy).unwrap(), dump(&copy, &tables)),
            (1, before),
            "the copy beside it"
        );

        // A record is known by its name, as it was before.
        let named = |id| reader.db().record_named("line-sim", id).unwrap();
        assert_eq!(named("2").map(|(position, _)| position), Some(2));
        assert_eq!(named("3"), None);

        // The rows mean what they meant.
        let audit = ledger::audit(&reader).unwrap();
        assert!(audit.findings.is_empty() && audit.records == 5, "{audit:?}");
        let mut cells = Vec::new();
        let keep = |cell| {
            cells.push(cell);
            Ok(())
        };
        ledger::cells(&reader, now(), keep).unwrap();
        let [seen, held] = cells.as_slice() else { panic!("{cells:?}") };
        let told = serde_json::to_value([seen, held]).unwrap();
        assert_eq!(told[0]["key"]["resource"], "LINE-1");
        assert_eq!(told[0]["key"]["period"], "2026-W48");
        assert_eq!((&told[0]["state"], &told[0]["why"]), (&"seen".into(), &"changed".into()));
        assert_eq!(
            (&told[0]["status"], &told[1]["status"]),
            (&"live".into(), &"conflicting".into())
        );
        assert_eq!(
            (&told[1]["held_for"], &told[1]["key"]["product"]),
            (&"lock".into(), &"P-7".into())
        );
        let trace = ledger::trace(&reader, &seen.key, now()).unwrap();
        assert_eq!((trace.revisions.len(), trace.attempts.len()), (2, 2));
        assert_eq!(trace.attempts[1].notes, [("transaction".to_owned(), "T-77".to_owned())]);
        assert_eq!(ledger::locks(&reader, now()).unwrap()[0].reason, "strike");
        assert_eq!(ledger::cases(&reader).unwrap().len(), 2);
        assert_eq!(
            ledger::receipts(&reader, 9).unwrap()[1].receipt.as_ref().unwrap().handle,
            "job-1"
        );
    }

    #[test]
    fn what_was_refused_before_schema_10_is_told_and_the_books_balance() {
        let dir = TempDir::new("schema-9");
        let file = dir.path().join("state.db");
        let mut old = Connection::open(&file).unwrap();
        migrate(&mut old, &file, &STEPS[..1]).unwrap();
        old.execute_batch(include_str!("rows_1.sql")).unwrap();
        migrate(&mut old, &file, &STEPS[..9]).unwrap();
        // The held cell was refused, and so was what the other one was before.
        old.execute_batch(
            "UPDATE cell SET state = 5, hold = NULL WHERE state = 1;
             UPDATE past_revision SET state = 5;
             DELETE FROM tally;
             INSERT INTO tally SELECT g.scope, c.state, COUNT(*) FROM cell c
                JOIN cell_group g ON g.id = c.grp GROUP BY 1, 2;
             INSERT INTO tally SELECT g.scope, 5, COUNT(*) FROM past_revision p
                JOIN cell_group g ON g.id = p.grp WHERE true GROUP BY 1
                ON CONFLICT (scope, state) DO UPDATE SET n = n + excluded.n;",
        )
        .unwrap();
        drop(old);
        let state = State::open(dir.path(), now()).unwrap();
        let reader = state.reader().unwrap();
        let none: [String; 0] = [];
        assert_eq!(ledger::audit(&reader).unwrap().findings, none);
        let waiting: i64 = reader
            .db()
            .conn()
            .query_row("SELECT COUNT(*) FROM rejection WHERE ended_at IS NULL", [], |r| r.get(0))
            .unwrap();
        assert_eq!(waiting, 1);
        let all: i64 = reader
            .db()
            .conn()
            .query_row("SELECT SUM(n) FROM tally WHERE state = 5", [], |row| row.get(0))
            .unwrap();
        assert_eq!(all, 1, "only what waits is counted as refused");
    }

    /// A step that was released is never edited: a state of a customer may have
    /// taken it already.
    #[test]
    fn steps_are_frozen() {
        use sha2::{Digest as _, Sha256};
        let first = super::super::codec::hex(&Sha256::digest(STEPS[0].sql));
        assert_eq!(first, "52715cb8990559c9442d3f2ae0776438a36f2b7a51b67c98df981d770f062f69");
    }
}
