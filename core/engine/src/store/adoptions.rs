//! Rows of what stood at our measures before we landed anything there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::{error::Result, ledger::Unadopted};

impl Db {
    /// What waits for an adoption in a scope, by measure.
    pub(crate) fn unadopted(&self, scope: i64) -> Result<BTreeMap<String, Unadopted>> {
        let sql = Sql::seeks(
            "SELECT m.name, u.whole, u.example, u.found_at
             FROM unadopted u JOIN measure m ON m.id = u.measure WHERE u.scope = ?1",
        );
        self.all(sql, [scope], |row| {
            let one = Unadopted {
                measure: row.get(0)?,
                whole: row.get(1)?,
                example: row.get(2)?,
                found_at: codec::at(row, 3)?,
            };
            Ok((one.measure.clone(), one))
        })
    }
}

impl Tx<'_> {
    /// Notes that a measure holds a value that we never landed, unless that is
    /// known already.
    pub(crate) fn note_unadopted(
        &self,
        scope: i64,
        measure: i64,
        example: &str,
        now: Timestamp,
    ) -> Result<()> {
        let known = Sql::seeks("SELECT 1 FROM unadopted WHERE scope = ?1 AND measure = ?2");
        if self.find(known, [scope, measure], |_| Ok(()))?.is_some() {
            return Ok(());
        }
        let sent = Sql::walks(
            "SELECT EXISTS (SELECT 1 FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1 AND c.measure = ?2 AND c.sent_rev > 0)",
            "once a measure and scope, when such a value is first met",
        );
        let sent: bool = self.number(sent, [scope, measure])?;
        let sql = Sql::seeks("INSERT INTO unadopted VALUES (?1, ?2, ?3, ?4, ?5)");
        self.run(sql, params![scope, measure, !sent, example, codec::micros(now)])?;
        Ok(())
    }

    /// Forgets what is not there any more: cleared at the target, or landed
    /// since. Costs a seek while there is nothing.
    pub(crate) fn review_unadopted(&self, scope: i64) -> Result<()> {
        // 8 withdrawn.
        let sql = Sql::walks(
            "DELETE FROM unadopted WHERE scope = ?1 AND NOT EXISTS (
               SELECT 1 FROM cell_group g JOIN cell c ON c.grp = g.id
               WHERE g.scope = ?1 AND c.measure = unadopted.measure AND c.sent_rev = 0
               AND c.seen IS NOT NULL AND c.seen <> '0' AND c.seen <> c.value AND c.state <> 8)",
            "once a sweep, for the few measures that wait for a person",
        );
        self.run(sql, [scope])?;
        Ok(())
    }

    /// Forgets what was found of a measure: it is another surface now.
    pub(crate) fn forget_unadopted(&self, scope: i64, measure: i64) -> Result<()> {
        let sql = Sql::seeks("DELETE FROM unadopted WHERE scope = ?1 AND measure = ?2");
        self.run(sql, [scope, measure])?;
        Ok(())
    }
}
