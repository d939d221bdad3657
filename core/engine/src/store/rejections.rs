//! Rows of rejections: what becomes of each revision that a target refused.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{
    codec, codes,
    db::{Db, Sql, Tx},
    names::CellId,
};
use crate::{error::Result, ledger::RejectState};

/// One revision that a target refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) id: CellId,
    pub(crate) rev: u64,
    pub(crate) scope: i64,
    /// In which it was refused last.
    pub(crate) attempt: i64,
    pub(crate) at: Timestamp,
    pub(crate) state: RejectState,
    /// Digest of the mapping behind it when it was refused; empty where nobody knows.
    pub(crate) basis: String,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) who: String,
    pub(crate) why: String,
}

impl Db {
    /// The rejections of a scope that have not ended.
    pub(crate) fn rejections(&self, scope: i64) -> Result<Vec<Rejected>> {
        let sql = Sql::seeks(
            "SELECT * FROM rejection WHERE scope = ?1 AND ended_at IS NULL
             ORDER BY grp, measure, rev",
        );
        self.all(sql, [scope], rejected)
    }

    /// What is known of a revision that a target refused.
    pub(crate) fn rejection(&self, id: CellId, rev: u64) -> Result<Option<Rejected>> {
        let sql =
            Sql::seeks("SELECT * FROM rejection WHERE grp = ?1 AND measure = ?2 AND rev = ?3");
        self.find(sql, params![id.grp, id.measure, rev], rejected)
    }

    /// Those that ended at `since` or later.
    pub(crate) fn ended_rejections(&self, scope: i64, since: Timestamp) -> Result<Vec<Rejected>> {
        let sql = Sql::seeks(
            "SELECT * FROM rejection WHERE scope = ?1 AND ended_at >= ?2
             ORDER BY grp, measure, rev",
        );
        self.all(sql, params![scope, codec::micros(since)], rejected)
    }
}

impl Tx<'_> {
    /// Writes a rejection; what was known of the same revision is replaced.
    pub(crate) fn put_rejection(&self, one: &Rejected) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT OR REPLACE INTO rejection
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        );
        let state = codes::reject_code(one.state);
        let (at, ended_at) = (codec::micros(one.at), one.ended_at.map(codec::micros));
        let (id, attempt) = (one.id, one.attempt);
        let row = params![
            id.grp, id.measure, one.rev, one.scope, attempt, at, state, one.basis, ended_at,
            one.who, one.why
        ];
        self.run(sql, row)?;
        Ok(())
    }
}

fn rejected(row: &Row<'_>) -> Result<Rejected> {
    Ok(Rejected {
        id: CellId { grp: row.get(0)?, measure: row.get(1)? },
        rev: row.get(2)?,
        scope: row.get(3)?,
        attempt: row.get(4)?,
        at: codec::at(row, 5)?,
        state: codes::reject(row.get(6)?)?,
        basis: row.get(7)?,
        ended_at: codec::maybe_at(row, 8)?,
        who: row.get(9)?,
        why: row.get(10)?,
    })
}
