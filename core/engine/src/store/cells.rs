//! Rows of cells: the current revision with its four facts, and past ones.

use jiff::Timestamp;
use planthread_contracts::{Period, RevisionState, Status};
use rusqlite::{Row, params};
use rust_decimal::Decimal;

use super::{
    codec, codes,
    db::{Db, Sql, Tx},
    names::{self, CellId, GroupRef},
};
use crate::{error::Result, ledger::Why, plan::HoldReason};

/// One cell as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) id: CellId,
    pub(crate) rev: u64,
    pub(crate) state: RevisionState,
    pub(crate) hold: Option<HoldReason>,
    pub(crate) why: Why,
    pub(crate) value: Decimal,
    pub(crate) unrounded: Decimal,
    pub(crate) status: Status,
    pub(crate) as_of: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) recipe: i64,
    pub(crate) made_at: Timestamp,
    pub(crate) accepted_rev: u64,
    pub(crate) accepted_by: i64,
    pub(crate) sent_rev: u64,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) last_attempt: i64,
    pub(crate) open_attempt: i64,
    /// An attempt ended without anybody knowing how; before this instant it may
    /// still take effect.
    pub(crate) unclear: Option<Timestamp>,
    /// The value before our last write, when it was known.
    pub(crate) before: Option<Option<Decimal>>,
    pub(crate) seen_at: Option<Timestamp>,
    pub(crate) seen: Option<Decimal>,
    /// The newest attempt that had been opened when it was read.
    pub(crate) seen_attempt: i64,
    pub(crate) in_use: bool,
    pub(crate) in_use_since: Option<Timestamp>,
    pub(crate) in_case: i64,
}

/// A revision that is no cell's current one any more.
#[derive(Debug)]
pub(crate) struct PastRevision {
    pub(crate) rev: u64,
    pub(crate) state: RevisionState,
    pub(crate) value: Decimal,
    pub(crate) unrounded: Decimal,
    pub(crate) status: Status,
    pub(crate) as_of: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) recipe: i64,
    pub(crate) made_at: Timestamp,
}

impl Db {
    /// One cell.
    pub(crate) fn cell(&self, id: CellId) -> Result<Option<Cell>> {
        let sql = Sql::seeks("SELECT * FROM cell WHERE grp = ?1 AND measure = ?2");
        self.find(sql, [id.grp, id.measure], cell)
    }

    /// All cells of a group, by the number of their measure.
    pub(crate) fn cells_of_group(&self, grp: i64) -> Result<Vec<Cell>> {
        let sql = Sql::seeks("SELECT * FROM cell WHERE grp = ?1 ORDER BY measure");
        self.all(sql, [grp], cell)
    }

    /// All cells of the group of a period and a place, by the number of their measure.
    /// None where the ledger does not know such a group.
    pub(crate) fn cells_at(&self, scope: i64, period: Period, place: i64) -> Result<Vec<Cell>> {
        let sql = Sql::seeks(
            "SELECT c.* FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1 AND g.period = ?2 AND g.place = ?3 ORDER BY c.measure",
        );
        self.all(sql, params![scope, codec::period_code(period), place], cell)
    }

    /// The groups of a scope in which something is to be sent, held, under way,
    /// unproven or refused.
    pub(crate) fn waiting_groups(&self, scope: i64) -> Result<Vec<i64>> {
        let sql = Sql::walks(
            "SELECT g.id FROM cell_group g WHERE g.scope = ?1 AND EXISTS
             (SELECT 1 FROM cell c WHERE c.grp = g.id AND c.state IN (0, 1, 2, 3, 5))
             ORDER BY g.period, g.id",
            "the cells of one scope, once a cycle, and when somebody asks how it stands",
        );
        self.all(sql, [scope], |row| Ok(row.get::<_, i64>(0)?))
    }

    /// The groups of a scope in which something was sent and is not decided yet.
    pub(crate) fn sent_groups(&self, scope: i64) -> Result<Vec<i64>> {
        let sql = Sql::walks(
            "SELECT g.id FROM cell_group g WHERE g.scope = ?1 AND EXISTS
             (SELECT 1 FROM cell c WHERE c.grp = g.id AND c.state IN (2, 3))
             ORDER BY g.period, g.id",
            "the cells of one scope, where the tally says that some of them are out",
        );
        self.all(sql, [scope], |row| Ok(row.get::<_, i64>(0)?))
    }

    /// How many cells a scope has.
    pub(crate) fn cell_count(&self, scope: i64) -> Result<u64> {
        let sql = Sql::walks(
            "SELECT COUNT(*) FROM cell_group g JOIN cell c ON c.grp = g.id WHERE g.scope = ?1",
            "the cells of one scope, once a sweep that met a foreign value",
        );
        self.number(sql, [scope])
    }

    /// The value of a past revision.
    pub(crate) fn past_value(&self, id: CellId, rev: u64) -> Result<Option<Decimal>> {
        let sql = Sql::seeks(
            "SELECT value FROM past_revision WHERE grp = ?1 AND measure = ?2 AND rev = ?3",
        );
        self.find(sql, params![id.grp, id.measure, rev], |row| codec::number(row, 0))
    }

    /// The past revisions of a cell, oldest first.
    pub(crate) fn past_revisions(&self, id: CellId) -> Result<Vec<PastRevision>> {
        let sql = Sql::seeks(
            "SELECT rev, state, value, unrounded, status, as_of, valid_until, recipe, made_at
             FROM past_revision WHERE grp = ?1 AND measure = ?2 ORDER BY rev",
        );
        self.all(sql, [id.grp, id.measure], past)
    }

    /// The cells of a scope that left wanted and may stand at the target still,
    /// in periods that begin on or after one: their groups and measures.
    pub(crate) fn left_standing(
        &self,
        scope: i64,
        from: Period,
        mut each: impl FnMut(GroupRef, String) -> Result<()>,
    ) -> Result<()> {
        // 8 withdrawn; what ended with zero (8), or was read as gone, does not
        // stand.
        let sql = Sql::walks(
            "SELECT g.id, g.scope, s.target, s.name, p.resource, p.location, p.product, g.period,
                m.name
             FROM cell_group g JOIN scope s ON s.id = g.scope JOIN place p ON p.id = g.place
             JOIN cell c ON c.grp = g.id JOIN measure m ON m.id = c.measure
             WHERE g.scope = ?1 AND g.period >= ?2 AND c.state = 8 AND c.sent_rev > 0
             AND c.why <> 8
             AND NOT (c.seen IS NULL AND c.seen_at IS NOT NULL AND c.seen_attempt >= c.last_attempt)
             ORDER BY g.period, g.id, m.name",
            "the cells of one scope that are not past, once a view",
        );
        self.each(sql, params![scope, codec::period_code(from)], |row| {
            each(names::group(row, 0)?, row.get(8)?)
        })
    }
}

impl Tx<'_> {
    /// Writes a cell.
    pub(crate) fn put_cell(&self, cell: &Cell) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT OR REPLACE INTO cell VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)",
        );
        self.run(
            sql,
            params![
                cell.id.grp,
                cell.id.measure,
                cell.rev,
                codes::state_code(cell.state),
                cell.hold.map(codes::hold_word),
                codes::why_code(cell.why),
                codec::decimal_text(cell.value),
                codec::decimal_text(cell.unrounded),
                codes::status_code(cell.status),
                codec::micros(cell.as_of),
                codec::micros(cell.valid_until),
                cell.recipe,
                codec::micros(cell.made_at),
                cell.accepted_rev,
                cell.accepted_by,
                cell.sent_rev,
                cell.sent_at.map(codec::micros),
                cell.last_attempt,
                cell.open_attempt,
                cell.unclear.map_or(0, |until| codec::micros(until).max(1)),
                cell.before.is_some(),
                cell.before.flatten().map(codec::decimal_text),
                cell.seen_at.map(codec::micros),
                cell.seen.map(codec::decimal_text),
                cell.seen_attempt,
                cell.in_use,
                cell.in_use_since.map(codec::micros),
                cell.in_case,
            ],
        )?;
        Ok(())
    }

    /// Writes what delivery changes of a cell: how its revision stands, and what was
    /// sent and seen of it. What is wanted of it stays as it is on the disk.
    pub(crate) fn put_facts(&self, cell: &Cell) -> Result<()> {
        let sql = Sql::seeks(
            "UPDATE cell SET state = ?3, hold = ?4, why = ?5, accepted_rev = ?6, accepted_by = ?7,
             sent_rev = ?8, sent_at = ?9, last_attempt = ?10, open_attempt = ?11, unclear = ?12,
             before_known = ?13, before = ?14, seen_at = ?15, seen = ?16, seen_attempt = ?17,
             in_use = ?18, in_use_since = ?19, in_case = ?20
             WHERE grp = ?1 AND measure = ?2",
        );
        self.run(
            sql,
            params![
                cell.id.grp,
                cell.id.measure,
                codes::state_code(cell.state),
                cell.hold.map(codes::hold_word),
                codes::why_code(cell.why),
                cell.accepted_rev,
                cell.accepted_by,
                cell.sent_rev,
                cell.sent_at.map(codec::micros),
                cell.last_attempt,
                cell.open_attempt,
                cell.unclear.map_or(0, |until| codec::micros(until).max(1)),
                cell.before.is_some(),
                cell.before.flatten().map(codec::decimal_text),
                cell.seen_at.map(codec::micros),
                cell.seen.map(codec::decimal_text),
                cell.seen_attempt,
                cell.in_use,
                cell.in_use_since.map(codec::micros),
                cell.in_case,
            ],
        )?;
        Ok(())
    }

    /// Keeps the current revision of a cell as a past one, in `state`.
    pub(crate) fn insert_past(&self, cell: &Cell, state: RevisionState) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO past_revision VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        );
        self.run(
            sql,
            params![
                cell.id.grp,
                cell.id.measure,
                cell.rev,
                codes::state_code(state),
                codec::decimal_text(cell.value),
                codec::decimal_text(cell.unrounded),
                codes::status_code(cell.status),
                codec::micros(cell.as_of),
                codec::micros(cell.valid_until),
                cell.recipe,
                codec::micros(cell.made_at),
            ],
        )?;
        Ok(())
    }

    /// Notes in which state a past revision ended.
    pub(crate) fn end_past(&self, id: CellId, rev: u64, state: RevisionState) -> Result<()> {
        let sql = Sql::seeks(
            "UPDATE past_revision SET state = ?4 WHERE grp = ?1 AND measure = ?2 AND rev = ?3",
        );
        self.run(sql, params![id.grp, id.measure, rev, codes::state_code(state)])?;
        Ok(())
    }
}

/// Reads the columns of a past revision.
pub(super) fn past(row: &Row<'_>) -> Result<PastRevision> {
    Ok(PastRevision {
        rev: row.get(0)?,
        state: codes::state(row.get(1)?)?,
        value: codec::number(row, 2)?,
        unrounded: codec::number(row, 3)?,
        status: codes::status(row.get(4)?)?,
        as_of: codec::at(row, 5)?,
        valid_until: codec::at(row, 6)?,
        recipe: row.get(7)?,
        made_at: codec::at(row, 8)?,
    })
}

/// Reads the columns of `cell`, in the order of the table.
pub(super) fn cell(row: &Row<'_>) -> Result<Cell> {
    let before_known: bool = row.get(20)?;
    Ok(Cell {
        id: CellId { grp: row.get(0)?, measure: row.get(1)? },
        rev: row.get(2)?,
        state: codes::state(row.get(3)?)?,
        hold: codec::maybe_text(row, 4)?.map(codes::hold).transpose()?,
        why: codes::why(row.get(5)?)?,
        value: codec::number(row, 6)?,
        unrounded: codec::number(row, 7)?,
        status: codes::status(row.get(8)?)?,
        as_of: codec::at(row, 9)?,
        valid_until: codec::at(row, 10)?,
        recipe: row.get(11)?,
        made_at: codec::at(row, 12)?,
        accepted_rev: row.get(13)?,
        accepted_by: row.get(14)?,
        sent_rev: row.get(15)?,
        sent_at: codec::maybe_at(row, 16)?,
        last_attempt: row.get(17)?,
        open_attempt: row.get(18)?,
        // 0 for none.
        unclear: match row.get(19)? {
            0 => None,
            until => Some(codec::timestamp(until)?),
        },
        before: if before_known { Some(codec::maybe_number(row, 21)?) } else { None },
        seen_at: codec::maybe_at(row, 22)?,
        seen: codec::maybe_number(row, 23)?,
        seen_attempt: row.get(24)?,
        in_use: row.get(25)?,
        in_use_since: codec::maybe_at(row, 26)?,
        in_case: row.get(27)?,
    })
}
