//! How a scope stands, and which of its cells are due to be read.

use jiff::Timestamp;
use planthread_contracts::{Period, RevisionState};
use rusqlite::params;

use super::{
    codec, codes,
    db::{Db, Sql},
};
use crate::{error::Result, plan::HoldReason};

/// One walk over the cells of a scope.
#[derive(Debug, Default)]
pub(crate) struct ScopeCounts {
    pub(crate) wanted: u64,
    pub(crate) accepted: u64,
    pub(crate) seen: u64,
    pub(crate) in_use: u64,
    pub(crate) oldest_pending: Option<Timestamp>,
    pub(crate) oldest_seen: Option<Timestamp>,
    pub(crate) stale: u64,
    pub(crate) oldest_unseen: Option<Timestamp>,
}

/// Which cells are due to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due<'a> {
    /// Cells in one of these states.
    pub(crate) always: &'a [RevisionState],
    /// Cells in one of these, when they were read too long ago.
    pub(crate) when_old: &'a [RevisionState],
    /// Periods that begin before this one are near.
    pub(crate) near: Period,
    /// Near cells that were read at or before this instant are old.
    pub(crate) near_old: Timestamp,
    /// The others are old when they were read at or before this one.
    pub(crate) far_old: Timestamp,
    /// Read later than this, it was read in the future: nobody knows when.
    pub(crate) soon: Timestamp,
}

impl Db {
    /// How the cells of a scope stand that are wanted.
    pub(crate) fn scope_counts(&self, scope: i64, now: Timestamp) -> Result<ScopeCounts> {
        // 0 pending, 1 held, 4 seen, 8 withdrawn.
        let sql = Sql::walks(
            "SELECT COUNT(*), COALESCE(SUM(c.accepted_rev = c.rev), 0),
                COALESCE(SUM(c.state = 4), 0), COALESCE(SUM(c.in_use), 0),
                MIN(CASE WHEN c.state IN (0, 1) THEN c.made_at END),
                MIN(CASE WHEN c.state = 4 THEN c.seen_at END),
                COALESCE(SUM(c.state = 4 AND c.valid_until <= ?2), 0),
                MIN(CASE WHEN c.state <> 4 THEN c.made_at END)
             FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1 AND c.state <> 8",
            "the cells of one scope, once a view",
        );
        self.one(sql, params![scope, codec::micros(now)], |row| {
            Ok(ScopeCounts {
                wanted: row.get(0)?,
                accepted: row.get(1)?,
                seen: row.get(2)?,
                in_use: row.get(3)?,
                oldest_pending: codec::maybe_at(row, 4)?,
                oldest_seen: codec::maybe_at(row, 5)?,
                stale: row.get(6)?,
                oldest_unseen: codec::maybe_at(row, 7)?,
            })
        })
    }

    /// Held cells of a scope by reason.
    pub(crate) fn held_by_reason(&self, scope: i64) -> Result<Vec<(Option<HoldReason>, u64)>> {
        let sql = Sql::walks(
            "SELECT c.hold, COUNT(*) FROM cell_group g JOIN cell c ON c.grp = g.id
             WHERE g.scope = ?1 AND c.state = 1 GROUP BY 1",
            "the cells of one scope, once a view",
        );
        self.all(sql, [scope], |row| {
            let hold = codec::maybe_text(row, 0)?.map(codes::hold).transpose()?;
            Ok((hold, row.get(1)?))
        })
    }

    /// Gives period, resource and location of every group of a scope that has a
    /// cell to read to `each`, by period.
    pub(crate) fn due_groups(
        &self,
        scope: i64,
        due: &Due<'_>,
        mut each: impl FnMut(Period, (String, String)),
    ) -> Result<()> {
        let sql = Sql::walks(
            "SELECT g.period, p.resource, p.location
             FROM cell_group g JOIN place p ON p.id = g.place
             WHERE g.scope = ?1 AND EXISTS (SELECT 1 FROM cell c WHERE c.grp = g.id
                AND ((1 << c.state) & ?2 OR (1 << c.state) & ?3 AND (c.seen_at IS NULL
                    OR c.seen_at > ?7
                    OR c.seen_at <= CASE WHEN g.period < ?4 THEN ?5 ELSE ?6 END)))
             ORDER BY g.period",
            "the cells of one scope, once a sweep",
        );
        let params = params![
            scope,
            mask(due.always),
            mask(due.when_old),
            codec::period_code(due.near),
            codec::micros(due.near_old),
            codec::micros(due.far_old),
            codec::micros(due.soon),
        ];
        self.each(sql, params, |row| {
            each(codec::period(row.get(0)?)?, (row.get(1)?, row.get(2)?));
            Ok(())
        })
    }
}

/// A bit for each state.
fn mask(states: &[RevisionState]) -> i64 {
    states.iter().fold(0, |mask, state| mask | 1 << codes::state_code(*state))
}
