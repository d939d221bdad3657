//! One cell as a row: its four facts and what is under way.

use planthread_contracts::{RevisionState, Status};
use rusqlite::{Connection, OptionalExtension as _, params};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{books::Books, states};
use crate::{error::Result, store::codec};

/// Why the current revision is wanted, or wanted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The cell's first value.
    New,
    /// Factory truth changed.
    Changed,
    /// Only its stamps: what landed is about to run out.
    Refresh,
    /// It was accepted, and then not there.
    Lost,
    /// An older value of ours was found.
    StaleOwn,
    /// Somebody else's job wrote over it.
    Overwritten,
    /// A receipt is being undone.
    Undo,
    /// A person cured a rejection.
    Retried,
    /// The cell left wanted, and this is its declared end.
    Ended,
}

impl Why {
    /// The word in plans and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Refresh => "refresh",
            Self::Lost => "lost",
            Self::StaleOwn => "stale_own",
            Self::Overwritten => "overwritten",
            Self::Undo => "undo",
            Self::Retried => "retried",
            Self::Ended => "ended",
        }
    }
}

/// A row of the table `cell`.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) grp: i64,
    pub(crate) measure: i64,
    pub(crate) rev: u64,
    pub(crate) state: RevisionState,
    pub(crate) hold: Option<String>,
    pub(crate) why: Why,
    pub(crate) value: Decimal,
    pub(crate) unrounded: Decimal,
    pub(crate) status: Status,
    pub(crate) as_of: i64,
    pub(crate) valid_until: i64,
    pub(crate) recipe: i64,
    pub(crate) made_at: i64,
    pub(crate) accepted_rev: u64,
    pub(crate) accepted_by: i64,
    pub(crate) sent_rev: u64,
    pub(crate) sent_at: Option<i64>,
    pub(crate) last_attempt: i64,
    pub(crate) open_attempt: i64,
    /// An attempt ended without anybody knowing how; before this instant it may
    /// still take effect.
    pub(crate) unclear: Option<i64>,
    /// The value before our last write, when it was known.
    pub(crate) before: Option<Option<Decimal>>,
    pub(crate) seen_at: Option<i64>,
    pub(crate) seen: Option<Decimal>,
    /// The newest attempt that had been opened when it was read.
    pub(crate) seen_attempt: i64,
    pub(crate) in_use: bool,
    pub(crate) in_use_since: Option<i64>,
    pub(crate) in_case: i64,
}

/// The columns of `cell c` in the order that [`Cell::from_row`] reads.
pub(crate) const COLUMNS: &str = "c.grp, c.measure, c.rev, c.state, c.hold, c.why, c.value, \
    c.unrounded, c.status, c.as_of, c.valid_until, c.recipe, c.made_at, c.accepted_rev, \
    c.accepted_by, c.sent_rev, c.sent_at, c.last_attempt, c.open_attempt, c.unclear, \
    c.before_known, c.before, c.seen_at, c.seen, c.seen_attempt, c.in_use, c.in_use_since, \
    c.in_case";

fn optional(row: &rusqlite::Row<'_>, column: usize) -> Result<Option<Decimal>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    text.map(codec::decimal).transpose()
}

fn required(row: &rusqlite::Row<'_>, column: usize) -> Result<Decimal> {
    codec::decimal(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

impl Cell {
    pub(crate) fn from_row(row: &rusqlite::Row<'_>) -> Result<Self> {
        let before_known: bool = row.get(20)?;
        Ok(Self {
            grp: row.get(0)?,
            measure: row.get(1)?,
            rev: row.get(2)?,
            state: codec::state(row.get(3)?)?,
            hold: row.get(4)?,
            why: codec::why(row.get(5)?)?,
            value: required(row, 6)?,
            unrounded: required(row, 7)?,
            status: codec::status(row.get(8)?)?,
            as_of: row.get(9)?,
            valid_until: row.get(10)?,
            recipe: row.get(11)?,
            made_at: row.get(12)?,
            accepted_rev: row.get(13)?,
            accepted_by: row.get(14)?,
            sent_rev: row.get(15)?,
            sent_at: row.get(16)?,
            last_attempt: row.get(17)?,
            open_attempt: row.get(18)?,
            unclear: Some(row.get(19)?).filter(|until| *until != 0),
            before: if before_known { Some(optional(row, 21)?) } else { None },
            seen_at: row.get(22)?,
            seen: optional(row, 23)?,
            seen_attempt: row.get(24)?,
            in_use: row.get(25)?,
            in_use_since: row.get(26)?,
            in_case: row.get(27)?,
        })
    }

    /// All cells of a group, by measure.
    pub(crate) fn of_group(conn: &Connection, grp: i64) -> Result<Vec<Self>> {
        let query = format!("SELECT {COLUMNS} FROM cell c WHERE c.grp = ?1 ORDER BY c.measure");
        let mut statement = conn.prepare_cached(&query)?;
        let mut rows = statement.query([grp])?;
        let mut cells = Vec::new();
        while let Some(row) = rows.next()? {
            cells.push(Self::from_row(row)?);
        }
        Ok(cells)
    }

    /// One cell.
    pub(crate) fn load(conn: &Connection, grp: i64, measure: i64) -> Result<Option<Self>> {
        let query = format!("SELECT {COLUMNS} FROM cell c WHERE c.grp = ?1 AND c.measure = ?2");
        let mut statement = conn.prepare_cached(&query)?;
        let mut rows = statement.query([grp, measure])?;
        rows.next()?.map(Self::from_row).transpose()
    }

    /// Writes the row.
    pub(crate) fn save(&self, conn: &Connection) -> Result<()> {
        let query = "INSERT OR REPLACE INTO cell VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
             ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27,
             ?28)";
        conn.prepare_cached(query)?.execute(params![
            self.grp,
            self.measure,
            self.rev,
            codec::state_code(self.state),
            self.hold,
            codec::why_code(self.why),
            codec::decimal_text(self.value),
            codec::decimal_text(self.unrounded),
            codec::status_code(self.status),
            self.as_of,
            self.valid_until,
            self.recipe,
            self.made_at,
            self.accepted_rev,
            self.accepted_by,
            self.sent_rev,
            self.sent_at,
            self.last_attempt,
            self.open_attempt,
            self.unclear.unwrap_or(0),
            self.before.is_some(),
            self.before.flatten().map(codec::decimal_text),
            self.seen_at,
            self.seen.map(codec::decimal_text),
            self.seen_attempt,
            self.in_use,
            self.in_use_since,
            self.in_case,
        ])?;
        Ok(())
    }

    /// Steps the current revision to `to`, through the table and the books.
    pub(crate) fn step(&mut self, books: &mut Books, scope: i64, to: RevisionState) -> Result<()> {
        books.step(scope, self.state, to)?;
        self.state = to;
        if to != RevisionState::Held {
            self.hold = None;
        }
        Ok(())
    }

    /// What the target held when it was last read; `None` when it was never
    /// read, or something was sent after the read.
    pub(crate) fn trusted_seen(&self) -> Option<Option<Decimal>> {
        (self.seen_at.is_some() && self.seen_attempt >= self.last_attempt).then_some(self.seen)
    }

    /// Notes that the target took the current value, once it was found there:
    /// what stands there and was last sent by us was taken, whatever the receipt
    /// did not say, and also when an earlier revision of the same value did it.
    pub(crate) fn credit(&mut self, conn: &Connection) -> Result<()> {
        let sent = if self.sent_rev == self.rev {
            Some(self.value)
        } else {
            let query = "SELECT value FROM past_revision
                 WHERE grp = ?1 AND measure = ?2 AND rev = ?3";
            let key = params![self.grp, self.measure, self.sent_rev];
            let mut statement = conn.prepare_cached(query)?;
            let text: Option<String> = statement.query_row(key, |row| row.get(0)).optional()?;
            text.as_deref().map(codec::decimal).transpose()?
        };
        if self.accepted_rev < self.rev && sent == Some(self.value) {
            (self.accepted_rev, self.accepted_by) = (self.rev, self.last_attempt);
        }
        Ok(())
    }

    /// Moves the current revision to the past, in the state that it ends in.
    pub(crate) fn retire(&self, conn: &Connection, books: &mut Books, scope: i64) -> Result<()> {
        let mut state = self.state;
        if let Some(to) = states::replaced(state) {
            books.step(scope, state, to)?;
            state = to;
        }
        let query = "INSERT INTO past_revision VALUES
             (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        conn.prepare_cached(query)?.execute(params![
            self.grp,
            self.measure,
            self.rev,
            codec::state_code(state),
            codec::decimal_text(self.value),
            codec::decimal_text(self.unrounded),
            codec::status_code(self.status),
            self.as_of,
            self.valid_until,
            self.recipe,
            self.made_at,
        ])?;
        Ok(())
    }
}

/// Equal decimals; nothing there equals zero where the measure says so.
pub(crate) fn same(value: Decimal, read: Option<Decimal>, absent_is_zero: bool) -> bool {
    match read {
        Some(read) => read == value,
        None => absent_is_zero && value.is_zero(),
    }
}
