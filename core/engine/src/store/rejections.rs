//! Rows of rejections: what becomes of each revision that a target refused.

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    codec, codes,
    db::{Db, Sql, Tx},
    names::CellId,
};
use crate::{
    EngineError,
    error::Result,
    ledger::{MasterData, MasterLook, RejectState},
};

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
    /// What was listed of the master data behind it, when it was read last.
    pub(crate) master: MasterData,
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

    /// The last reading of a target's master data.
    pub(crate) fn master_look(&self, target: &str) -> Result<Option<MasterLook>> {
        let sql = Sql::seeks(
            "SELECT tried_at, looked_at, said, asked, found FROM master_look WHERE target = ?1",
        );
        self.find(sql, [target], |row| {
            Ok(MasterLook {
                tried_at: codec::at(row, 0)?,
                looked_at: codec::maybe_at(row, 1)?,
                said: row.get(2)?,
                asked: read(codec::text(row, 3)?)?,
                found: read(codec::text(row, 4)?)?,
            })
        })
    }
}

impl Tx<'_> {
    /// Keeps the last reading of a target's master data.
    pub(crate) fn put_master_look(&self, target: &str, look: &MasterLook) -> Result<()> {
        let sql = Sql::seeks("INSERT OR REPLACE INTO master_look VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        let (tried_at, looked_at) =
            (codec::micros(look.tried_at), look.looked_at.map(codec::micros));
        let (asked, found) = (json(&look.asked)?, json(&look.found)?);
        self.run(sql, params![target, tried_at, looked_at, look.said, asked, found])?;
        Ok(())
    }

    /// Writes a rejection; what was known of the same revision is replaced.
    pub(crate) fn put_rejection(&self, one: &Rejected) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT OR REPLACE INTO rejection
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        );
        let state = codes::reject_code(one.state);
        let (at, ended_at) = (codec::micros(one.at), one.ended_at.map(codec::micros));
        let (id, attempt) = (one.id, one.attempt);
        let row = params![
            id.grp,
            id.measure,
            one.rev,
            one.scope,
            attempt,
            at,
            state,
            one.basis,
            ended_at,
            one.who,
            one.why,
            json(&one.master)?
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
        master: read(codec::text(row, 11)?)?,
    })
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| stored(&error))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| stored(&error))
}

fn stored(error: &serde_json::Error) -> EngineError {
    EngineError::Stored(format!("master data: {error}"))
}
