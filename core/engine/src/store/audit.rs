//! Counting everything again: what an audit asks of the rows.

use rusqlite::Row;

use super::{
    cells, codec,
    db::{Db, Sql},
};
use crate::error::Result;

/// Something that is kept with a digest.
#[derive(Debug)]
pub(crate) struct Digested {
    /// What kind of thing it is, for people.
    pub(crate) what: &'static str,
    pub(crate) number: u64,
    /// The source or the place that it is from, for people.
    pub(crate) source: String,
    /// Its id or its line, for people.
    pub(crate) id: String,
    /// A forged column may be of any type: what is no blob has no bytes.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) digest: Option<Vec<u8>>,
}

/// Why an audit may walk over everything.
const DIGESTED: [(&str, Sql); 4] = [
    (
        "record",
        Sql::walks(
            "SELECT position, body, digest, 'source ' || source, 'id ' || id FROM record
             ORDER BY position",
            "an audit counts everything",
        ),
    ),
    (
        "conflicting record",
        Sql::walks(
            "SELECT id, body, digest, place, 'line ' || line FROM record_conflict ORDER BY id",
            "an audit counts everything",
        ),
    ),
    (
        "refused record",
        Sql::walks(
            "SELECT id, body, digest, place, 'line ' || line FROM record_rejected ORDER BY id",
            "an audit counts everything",
        ),
    ),
    (
        "waiting record",
        Sql::walks(
            "SELECT id, body, digest, 'source ' || source, 'id ' || record_id
             FROM record_quarantine ORDER BY id",
            "an audit counts everything",
        ),
    ),
];

/// What must never be found, with the query that counts it.
const NEVER: [(&str, Sql); 7] = [
    (
        "cells were refused, and nothing tells for whom they wait",
        Sql::walks(
            "SELECT COUNT(*) FROM cell c WHERE c.state = 5 AND NOT EXISTS
             (SELECT 1 FROM rejection r WHERE r.grp = c.grp AND r.measure = c.measure
              AND r.rev = c.rev AND r.state IN (0, 1, 2))",
            "an audit counts everything",
        ),
    ),
    (
        "records have the name of another one",
        Sql::walks(
            "SELECT COUNT(*) FROM (SELECT 1 FROM record GROUP BY source, id HAVING COUNT(*) > 1)",
            "an audit counts everything",
        ),
    ),
    (
        "records are not found by their names",
        Sql::walks(
            "SELECT ABS((SELECT COUNT(*) FROM record) - (SELECT COUNT(*) FROM record_key))",
            "an audit counts everything",
        ),
    ),
    (
        "cells have an attempt that is not open",
        Sql::walks(
            "SELECT COUNT(*) FROM cell c JOIN attempt a ON a.id = c.open_attempt
             WHERE c.open_attempt <> 0 AND a.closed_at IS NOT NULL",
            "an audit counts everything",
        ),
    ),
    (
        "cells are in flight without an open attempt",
        Sql::walks(
            "SELECT COUNT(*) FROM cell WHERE state = 2 AND open_attempt = 0",
            "an audit counts everything",
        ),
    ),
    (
        "cells stand in two open attempts",
        Sql::walks(
            "SELECT COUNT(*) FROM (SELECT 1 FROM attempt_cell c JOIN attempt a ON a.id = c.attempt
             WHERE a.closed_at IS NULL GROUP BY c.grp, c.measure HAVING COUNT(*) > 1)",
            "an audit counts everything",
        ),
    ),
    (
        "cells were sent a revision that the ledger does not have yet",
        Sql::walks(
            "SELECT COUNT(*) FROM cell WHERE sent_rev > rev OR accepted_rev > rev",
            "an audit counts everything",
        ),
    ),
];

/// How a row of the ledger is read by whoever needs it.
type Read = fn(&Row<'_>) -> Result<()>;

/// Rows that hold values, and how each is read; the first columns name the row.
const VALUES: [(&str, Sql, Read); 4] = [
    (
        "cell",
        Sql::walks(
            "SELECT c.*, p.resource || ' ' || m.name FROM cell c
             LEFT JOIN cell_group g ON g.id = c.grp LEFT JOIN place p ON p.id = g.place
             LEFT JOIN measure m ON m.id = c.measure",
            "an audit counts everything",
        ),
        |row| cells::cell(row).map(drop),
    ),
    (
        "past revision",
        Sql::walks(
            "SELECT r.rev, r.state, r.value, r.unrounded, r.status, r.as_of, r.valid_until,
                r.recipe, r.made_at, p.resource || ' ' || m.name FROM past_revision r
             LEFT JOIN cell_group g ON g.id = r.grp LEFT JOIN place p ON p.id = g.place
             LEFT JOIN measure m ON m.id = r.measure",
            "an audit counts everything",
        ),
        |row| cells::past(row).map(drop),
    ),
    (
        "sent value",
        Sql::walks(
            "SELECT c.before, p.resource || ' ' || m.name FROM attempt_cell c
             LEFT JOIN cell_group g ON g.id = c.grp LEFT JOIN place p ON p.id = g.place
             LEFT JOIN measure m ON m.id = c.measure",
            "an audit counts everything",
        ),
        |row| codec::maybe_number(row, 0).map(drop),
    ),
    (
        "compared value",
        Sql::walks(
            "SELECT o.value, p.resource || ' ' || m.name FROM observed o
             LEFT JOIN cell_group g ON g.id = o.grp LEFT JOIN place p ON p.id = g.place
             LEFT JOIN measure m ON m.id = o.measure",
            "an audit counts everything",
        ),
        |row| codec::number(row, 0).map(drop),
    ),
];

impl Db {
    /// Gives every row of the ledger that can't be read to `each`: what it is,
    /// which one, and why.
    pub(crate) fn unreadable(&self, mut each: impl FnMut(&'static str, String)) -> Result<()> {
        for (what, sql, read) in VALUES {
            self.each(sql, [], |row| {
                if let Err(error) = read(row) {
                    let last = row.as_ref().column_count() - 1;
                    let name = codec::maybe_text(row, last).ok().flatten();
                    each(what, format!("{}: {error}", name.unwrap_or("without a name")));
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Revisions found, in whatever state.
    pub(crate) fn count_revisions(&self) -> Result<i64> {
        let sql = Sql::walks(
            "SELECT (SELECT COUNT(*) FROM cell) + (SELECT COUNT(*) FROM past_revision)",
            "an audit counts everything",
        );
        self.number(sql, [])
    }

    /// SQLite's own check of its file; what it finds.
    pub(crate) fn check_file(&self) -> Result<Vec<String>> {
        let sql = Sql::walks("PRAGMA integrity_check", "an audit looks at everything");
        let mut found: Vec<String> = self.all(sql, [], |row| Ok(row.get(0)?))?;
        found.retain(|word| word != "ok");
        Ok(found)
    }

    /// Gives everything that is kept with a digest to `each`.
    pub(crate) fn digested(&self, mut each: impl FnMut(Digested) -> Result<()>) -> Result<()> {
        for (what, sql) in DIGESTED {
            self.each(sql, [], |row| {
                let bytes = |at: usize| -> Result<Option<Vec<u8>>> {
                    Ok(row.get_ref(at)?.as_bytes().ok().map(<[u8]>::to_vec))
                };
                each(Digested {
                    what,
                    number: row.get(0)?,
                    source: row.get(3)?,
                    id: row.get(4)?,
                    body: bytes(1)?,
                    digest: bytes(2)?,
                })
            })?;
        }
        Ok(())
    }

    /// Where the tally differs from the revisions: scope, state, by how many.
    pub(crate) fn tally_faults(&self) -> Result<Vec<(i64, i64, i64)>> {
        let sql = Sql::walks(
            "SELECT scope, state, SUM(n) FROM (
               SELECT g.scope AS scope, CAST(c.state AS INTEGER) AS state, COUNT(*) AS n FROM cell c
                 JOIN cell_group g ON g.id = c.grp GROUP BY 1, 2
               UNION ALL SELECT g.scope, CAST(p.state AS INTEGER), COUNT(*) FROM past_revision p
                 JOIN cell_group g ON g.id = p.grp GROUP BY 1, 2
               UNION ALL SELECT scope, state, -n FROM tally)
             GROUP BY 1, 2 HAVING SUM(n) <> 0",
            "an audit counts everything",
        );
        self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// How often each thing is found that must never be.
    pub(crate) fn faults(&self) -> Result<Vec<(u64, &'static str)>> {
        NEVER.iter().map(|(what, sql)| Ok((self.number(*sql, [])?, *what))).collect()
    }
}
