//! Audit: counts everything again, and compares it with the books.

use rusqlite::Connection;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{Reader, error::Result};

/// What a full count found. `findings` is empty when all is well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Revisions ever made, by the books.
    pub made: i64,
    /// Revisions found, in whatever state.
    pub counted: i64,
    /// Records whose bytes were compared with their digests: those of the
    /// journal, and those that wait or were refused beside it.
    pub records: u64,
    /// Whether the database file is sound in itself.
    pub database: bool,
    /// What does not agree, in words.
    pub findings: Vec<String>,
}

/// Findings of one kind that are named one by one.
const NAMED: u64 = 20;

/// Counts every revision of every cell again, compares every record with its
/// digest, and asks SQLite whether the file is sound.
///
/// # Errors
/// When the state can't be read.
pub fn audit(reader: &Reader) -> Result<Audit> {
    reader.snapshot(run)
}

fn run(conn: &Connection) -> Result<Audit> {
    let one = |query: &str| -> Result<i64> { Ok(conn.query_row(query, [], |row| row.get(0))?) };
    let mut audit = Audit {
        made: one("SELECT value FROM counter WHERE name = 'revisions'")?,
        counted: one("SELECT (SELECT COUNT(*) FROM cell) + (SELECT COUNT(*) FROM past_revision)")?,
        ..Audit::default()
    };
    sound(conn, &mut audit)?;
    for (what, query) in DIGESTED {
        digests(conn, what, query, &mut audit)?;
    }
    if audit.made != audit.counted {
        audit.findings.push(format!(
            "{} revisions were made, {} are there: some are lost or invented",
            audit.made, audit.counted
        ));
    }
    let query = "SELECT scope, state, SUM(n) FROM (
           SELECT g.scope, c.state, COUNT(*) AS n FROM cell c
             JOIN cell_group g ON g.id = c.grp GROUP BY 1, 2
           UNION ALL SELECT g.scope, p.state, COUNT(*) FROM past_revision p
             JOIN cell_group g ON g.id = p.grp GROUP BY 1, 2
           UNION ALL SELECT scope, state, -n FROM tally)
         GROUP BY 1, 2 HAVING SUM(n) <> 0";
    let mut statement = conn.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (scope, state, off): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        audit.findings.push(format!("scope {scope}, state {state}: the books are off by {off}"));
    }
    for (what, query) in CHECKS {
        let found = one(query)?;
        if found > 0 {
            audit.findings.push(format!("{found} {what}"));
        }
    }
    Ok(audit)
}

/// SQLite's own check of its file.
fn sound(conn: &Connection, audit: &mut Audit) -> Result<()> {
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    let mut faults = 0;
    while let Some(row) = rows.next()? {
        let word: String = row.get(0)?;
        if word != "ok" {
            faults += 1;
            audit.findings.push(format!("the database file: {word}"));
        }
    }
    audit.database = faults == 0;
    Ok(())
}

/// Compares the bytes of every row with their digest.
fn digests(conn: &Connection, what: &str, query: &str, audit: &mut Audit) -> Result<()> {
    let mut statement = conn.prepare(query)?;
    let mut rows = statement.query([])?;
    let mut damaged = 0;
    while let Some(row) = rows.next()? {
        audit.records += 1;
        // A forged column may be of any type: what is no blob has no digest.
        let bytes = |at: usize| -> Result<Option<&[u8]>> { Ok(row.get_ref(at)?.as_bytes().ok()) };
        let body = bytes(1)?.unwrap_or_default();
        if bytes(2)? == Some(Sha256::digest(body).as_slice()) {
            continue;
        }
        damaged += 1;
        if damaged <= NAMED {
            let (number, source, id): (u64, String, String) =
                (row.get(0)?, row.get(3)?, row.get(4)?);
            audit.findings.push(format!(
                "{what} {number} ({source}, {id}) is not what was kept: its digest differs"
            ));
        }
    }
    if damaged > NAMED {
        audit.findings.push(format!("{what}: {} more of the kind", damaged - NAMED));
    }
    Ok(())
}

/// What is kept with a digest: number, bytes, digest, and where it is from.
const DIGESTED: [(&str, &str); 4] = [
    (
        "record",
        "SELECT position, body, digest, 'source ' || source, 'id ' || id FROM record
         ORDER BY position",
    ),
    (
        "conflicting record",
        "SELECT id, body, digest, place, 'line ' || line FROM record_conflict ORDER BY id",
    ),
    (
        "refused record",
        "SELECT id, body, digest, place, 'line ' || line FROM record_rejected ORDER BY id",
    ),
    (
        "waiting record",
        "SELECT id, body, digest, 'source ' || source, 'id ' || record_id FROM record_quarantine
         ORDER BY id",
    ),
];

/// What must never be found, with the query that counts it.
const CHECKS: [(&str, &str); 4] = [
    (
        "cells have an attempt that is not open",
        "SELECT COUNT(*) FROM cell c JOIN attempt a ON a.id = c.open_attempt
         WHERE c.open_attempt <> 0 AND a.closed_at IS NOT NULL",
    ),
    (
        "cells are in flight without an open attempt",
        "SELECT COUNT(*) FROM cell WHERE state = 2 AND open_attempt = 0",
    ),
    (
        "cells stand in two open attempts",
        "SELECT COUNT(*) FROM (SELECT 1 FROM attempt_cell c JOIN attempt a ON a.id = c.attempt
         WHERE a.closed_at IS NULL GROUP BY c.grp, c.measure HAVING COUNT(*) > 1)",
    ),
    (
        "cells were sent a revision that the ledger does not have yet",
        "SELECT COUNT(*) FROM cell WHERE sent_rev > rev OR accepted_rev > rev",
    ),
];
