//! Rows of what a landing is held against: the cells of one place over all its
//! periods, the target's own figures, and the mapping behind them.

use jiff::Timestamp;
use planthread_contracts::{Name, Period, RevisionState};
use rusqlite::params;
use rust_decimal::Decimal;

use super::{
    codec, codes,
    db::{Db, Sql, Tx},
};
use crate::{
    EngineError,
    error::Result,
    ledger::{
        Why,
        mapped::{Edit, Remapped},
    },
};

/// A place of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlaceRef {
    pub(crate) id: i64,
    pub(crate) resource: Name,
    pub(crate) location: Name,
    pub(crate) product: Option<Name>,
}

/// A cell, as far as it is compared.
#[derive(Debug, Clone)]
pub(crate) struct ComparedCell {
    pub(crate) period: Period,
    pub(crate) measure: i64,
    pub(crate) state: RevisionState,
    pub(crate) why: Why,
    pub(crate) value: Decimal,
    pub(crate) unrounded: Decimal,
    pub(crate) sent: bool,
    pub(crate) seen: Option<Decimal>,
    /// What we sent last, whoever wrote over it since.
    pub(crate) last_sent: Option<Decimal>,
}

impl Db {
    /// The places of a scope in which something is to be sent, or held.
    pub(crate) fn waiting_places(&self, scope: i64) -> Result<Vec<PlaceRef>> {
        // 0 pending, 1 held.
        let sql = Sql::walks(
            "SELECT p.id, p.resource, p.location, p.product FROM place p WHERE p.id IN
                (SELECT g.place FROM cell_group g WHERE g.scope = ?1 AND EXISTS
                    (SELECT 1 FROM cell c WHERE c.grp = g.id AND c.state IN (0, 1)))
             ORDER BY p.resource, p.location, p.product",
            "the cells of one scope, once a plan",
        );
        self.all(sql, [scope], |row| {
            let product = codec::text(row, 3)?;
            Ok(PlaceRef {
                id: row.get(0)?,
                resource: codec::name(row, 1)?,
                location: codec::name(row, 2)?,
                product: product.strip_prefix('=').map(Name::from),
            })
        })
    }

    /// The cells of one place, by period.
    pub(crate) fn cells_of_place(&self, scope: i64, place: i64) -> Result<Vec<ComparedCell>> {
        let sql = Sql::seeks(
            "SELECT g.period, c.measure, c.state, c.why, c.value, c.unrounded, c.sent_rev, c.seen,
                CASE c.sent_rev WHEN c.rev THEN c.value ELSE
                    (SELECT r.value FROM past_revision r
                     WHERE r.grp = c.grp AND r.measure = c.measure AND r.rev = c.sent_rev) END
             FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1 AND g.place = ?2 ORDER BY g.period, c.measure",
        );
        self.all(sql, [scope, place], |row| {
            Ok(ComparedCell {
                period: codec::period(row.get(0)?)?,
                measure: row.get(1)?,
                state: codes::state(row.get(2)?)?,
                why: codes::why(row.get(3)?)?,
                value: codec::number(row, 4)?,
                unrounded: codec::number(row, 5)?,
                sent: row.get::<_, u64>(6)? > 0,
                seen: codec::maybe_number(row, 7)?,
                last_sent: codec::maybe_number(row, 8)?,
            })
        })
    }

    /// What the target itself says of one place: period, measure, value.
    pub(crate) fn observed_of_place(
        &self,
        scope: i64,
        place: i64,
    ) -> Result<Vec<(Period, i64, Decimal)>> {
        let sql = Sql::seeks(
            "SELECT g.period, o.measure, o.value
             FROM cell_group g JOIN observed o ON o.grp = g.id
             WHERE g.scope = ?1 AND g.place = ?2 ORDER BY g.period, o.measure",
        );
        self.all(sql, [scope, place], |row| {
            Ok((codec::period(row.get(0)?)?, row.get(1)?, codec::number(row, 2)?))
        })
    }

    /// Another scope of the target in which something was seen.
    pub(crate) fn landed_elsewhere(&self, target: &str, scope: i64) -> Result<Option<String>> {
        // 4 seen.
        let sql = Sql::walks(
            "SELECT s.name FROM scope s JOIN tally t ON t.scope = s.id
             WHERE s.target = ?1 AND s.id <> ?2 AND t.state = 4 AND t.n > 0
             ORDER BY s.name LIMIT 1",
            "the scopes of one target: as long as the configuration",
        );
        self.find(sql, params![target, scope], |row| Ok(row.get(0)?))
    }

    /// Whether something is seen in a scope.
    pub(crate) fn has_landed(&self, scope: i64) -> Result<bool> {
        // 4 seen.
        let sql = Sql::seeks("SELECT 1 FROM tally WHERE scope = ?1 AND state = 4 AND n > 0");
        Ok(self.find(sql, [scope], |row| Ok(row.get::<_, i64>(0)?))?.is_some())
    }

    /// The mapping behind the cells of a target.
    pub(crate) fn mapped(&self, target: &str) -> Result<Option<Remapped>> {
        let sql = Sql::seeks("SELECT held, edits, since FROM mapped WHERE target = ?1");
        let json = |error: serde_json::Error| EngineError::Stored(format!("a mapping: {error}"));
        self.find(sql, [target], |row| {
            Ok(Remapped {
                held: serde_json::from_str(codec::text(row, 0)?).map_err(json)?,
                edits: serde_json::from_str(codec::text(row, 1)?).map_err(json)?,
                since: codec::at(row, 2)?,
            })
        })
    }

    /// What was changed in the mapping of a target, the oldest first, each with the
    /// ledger's counter before it.
    pub(crate) fn edited(&self, target: &str) -> Result<Vec<(u64, Vec<Edit>)>> {
        let sql =
            Sql::seeks("SELECT counter, edits FROM edited WHERE target = ?1 ORDER BY counter");
        let json = |error: serde_json::Error| EngineError::Stored(format!("a change: {error}"));
        self.all(sql, [target], |row| {
            Ok((row.get(0)?, serde_json::from_str(codec::text(row, 1)?).map_err(json)?))
        })
    }
}

impl Tx<'_> {
    /// Notes what the target itself says of a group; nothing where it says
    /// nothing.
    pub(crate) fn put_observed(
        &self,
        grp: i64,
        measure: i64,
        value: Option<Decimal>,
    ) -> Result<()> {
        let Some(value) = value else {
            let sql = Sql::seeks("DELETE FROM observed WHERE grp = ?1 AND measure = ?2");
            self.run(sql, [grp, measure])?;
            return Ok(());
        };
        let sql = Sql::seeks(
            "INSERT INTO observed VALUES (?1, ?2, ?3)
             ON CONFLICT (grp, measure) DO UPDATE SET value = excluded.value
             WHERE value <> excluded.value",
        );
        self.run(sql, params![grp, measure, codec::decimal_text(value)])?;
        Ok(())
    }

    /// Keeps the mapping behind the cells of a target.
    pub(crate) fn put_mapped(
        &self,
        target: &str,
        remapped: &Remapped,
        since: Timestamp,
    ) -> Result<()> {
        let json = |error: serde_json::Error| EngineError::Stored(format!("a mapping: {error}"));
        let held = serde_json::to_string(&remapped.held).map_err(json)?;
        let edits = serde_json::to_string(&remapped.edits).map_err(json)?;
        let sql = Sql::seeks(
            "INSERT INTO mapped VALUES (?1, ?2, ?3, ?4) ON CONFLICT (target)
             DO UPDATE SET held = excluded.held, edits = excluded.edits, since = excluded.since",
        );
        self.run(sql, params![target, held, edits, codec::micros(since)])?;
        Ok(())
    }

    /// Keeps what is changed in the mapping of a target with the next want.
    pub(crate) fn put_edited(&self, target: &str, edits: &[Edit]) -> Result<()> {
        let json = |error: serde_json::Error| EngineError::Stored(format!("a change: {error}"));
        let told = serde_json::to_string(edits).map_err(json)?;
        let sql = Sql::seeks("INSERT OR REPLACE INTO edited VALUES (?1, ?2, ?3)");
        self.run(sql, params![target, self.counter()?, told])?;
        Ok(())
    }
}
