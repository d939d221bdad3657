//! Audit: counts everything again, and compares it with the books.

use rusqlite::Connection;
use serde::Serialize;

use crate::{Reader, error::Result};

/// What a full count found. `findings` is empty when all is well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Revisions ever made, by the books.
    pub made: i64,
    /// Revisions found, in whatever state.
    pub counted: i64,
    /// What does not agree, in words.
    pub findings: Vec<String>,
}

/// Counts every revision of every cell again.
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
        findings: Vec::new(),
    };
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

/// What must never be found, with the query that counts it.
const CHECKS: [(&str, &str); 5] = [
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
    (
        "journal records have no proper digest",
        "SELECT COUNT(*) FROM record WHERE length(digest) <> 32",
    ),
];
