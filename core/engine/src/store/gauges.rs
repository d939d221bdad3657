//! What a scrape asks that nobody else does: few rows, however long the history is.

use jiff::Timestamp;

use super::{
    codec, codes,
    db::{Db, Sql},
};
use crate::{error::Result, ledger::CaseKind};

impl Db {
    /// Since when the oldest attempt of a scope is open.
    pub(crate) fn oldest_open_attempt(&self, scope: i64) -> Result<Option<Timestamp>> {
        let sql = Sql::walks(
            "SELECT MIN(opened_at) FROM attempt WHERE scope = ?1 AND closed_at IS NULL",
            "the open attempts: as many as batches under way",
        );
        self.one(sql, [scope], |row| codec::maybe_at(row, 0))
    }

    /// Open cases of a scope by kind.
    pub(crate) fn open_cases_by_kind(&self, scope: i64) -> Result<Vec<(CaseKind, u64)>> {
        let sql = Sql::seeks(
            "SELECT kind, COUNT(*) FROM case_file WHERE scope = ?1 AND closed_at IS NULL
             GROUP BY kind",
        );
        self.all(sql, [scope], |row| {
            let kind: String = row.get(0)?;
            Ok((codes::case_kind(&kind)?, row.get(1)?))
        })
    }

    /// Position of the journal's last record; refused records, conflicts and records
    /// of the future that wait for a person.
    pub(crate) fn journal_waits(&self) -> Result<(u64, u64, u64, u64)> {
        let sql = Sql::walks(
            "SELECT (SELECT COALESCE(MAX(position), 0) FROM record),
                (SELECT COUNT(*) FROM record_rejected WHERE dismissed_at IS NULL),
                (SELECT COUNT(*) FROM record_conflict WHERE verdict IS NULL),
                (SELECT COUNT(*) FROM record_quarantine)",
            "what waits for a person, and the end of a tree",
        );
        self.one(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
    }

    /// When the newest record of a source arrived.
    pub(crate) fn last_arrival(&self, source: &str) -> Result<Option<Timestamp>> {
        let sql = Sql::walks(
            "SELECT MAX(received_at) FROM record WHERE source = ?1",
            "the journal, once for a source that has no mark yet",
        );
        self.one(sql, [source], |row| codec::maybe_at(row, 0))
    }
}
