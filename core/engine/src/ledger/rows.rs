//! One cell: how its current revision moves, and what its facts allow.

use jiff::Timestamp;
use planthread_contracts::{DesiredCell, RevisionState};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{revision_tally::RevisionTally, states};
use crate::{
    error::Result,
    store::{Db, Tx, cells::Cell, names::CellId},
};

/// Why the current revision is wanted, or wanted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The cell's first value.
    New,
    /// Factory truth changed.
    Changed,
    /// The mapping changed, and with it the value.
    Mapping,
    /// Only its stamps: what landed is about to run out.
    Refresh,
    /// It was accepted, and then not there.
    Lost,
    /// An older value of ours was found.
    StaleOwn,
    /// What was sent once took effect more than once.
    Doubled,
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
            Self::Mapping => "mapping",
            Self::Refresh => "refresh",
            Self::Lost => "lost",
            Self::StaleOwn => "stale_own",
            Self::Doubled => "doubled",
            Self::Overwritten => "overwritten",
            Self::Undo => "undo",
            Self::Retried => "retried",
            Self::Ended => "ended",
        }
    }
}

impl Cell {
    /// A cell with its first revision.
    pub(crate) fn first(id: CellId, desired: &DesiredCell, recipe: i64, now: Timestamp) -> Self {
        Self {
            id,
            rev: 1,
            state: RevisionState::Pending,
            hold: None,
            why: Why::New,
            value: desired.value,
            unrounded: desired.unrounded,
            status: desired.status,
            as_of: desired.as_of,
            valid_until: desired.valid_until,
            recipe,
            made_at: now,
            accepted_rev: 0,
            accepted_by: 0,
            sent_rev: 0,
            sent_at: None,
            last_attempt: 0,
            open_attempt: 0,
            unclear: None,
            before: None,
            seen_at: None,
            seen: None,
            seen_attempt: 0,
            in_use: false,
            in_use_since: None,
            in_case: 0,
        }
    }

    /// Steps the current revision to `to`, through the table and the tally.
    pub(crate) fn step(
        &mut self,
        tally: &mut RevisionTally,
        scope: i64,
        to: RevisionState,
    ) -> Result<()> {
        tally.step(scope, self.state, to)?;
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
    pub(crate) fn credit(&mut self, db: &Db) -> Result<()> {
        if self.accepted_rev >= self.rev {
            return Ok(());
        }
        let sent = match self.sent_rev {
            rev if rev == self.rev => Some(self.value),
            rev => db.past_value(self.id, rev)?,
        };
        if sent == Some(self.value) {
            (self.accepted_rev, self.accepted_by) = (self.rev, self.last_attempt);
        }
        Ok(())
    }

    /// Retires the current revision and begins the next one: pending, or seen
    /// when the target provably holds the value already. The caller saves it.
    pub(crate) fn next_revision(
        &mut self,
        tx: &Tx<'_>,
        tally: &mut RevisionTally,
        scope: i64,
        value: Decimal,
        absent_is_zero: bool,
    ) -> Result<()> {
        let ended = states::replaced(self.state);
        if let Some(to) = ended {
            tally.step(scope, self.state, to)?;
        }
        tx.insert_past(self, ended.unwrap_or(self.state))?;
        let quiet = self.open_attempt == 0 && self.unclear.is_none();
        // Zero is read where nothing is, too: one that was never sent is not there.
        let told = self.sent_rev > 0 || !value.is_zero();
        let seen = self.trusted_seen().filter(|_| told);
        let there = seen.is_some_and(|seen| same(value, seen, absent_is_zero));
        self.state = if quiet && there { RevisionState::Seen } else { RevisionState::Pending };
        self.hold = None;
        self.rev += 1;
        self.value = value;
        self.unrounded = value;
        (self.in_use, self.in_use_since) = (false, None);
        if self.state == RevisionState::Seen {
            self.credit(tx)?;
        }
        tally.make(scope, self.state)
    }
}

/// Equal decimals; nothing there equals zero where the measure says so.
pub(crate) fn same(value: Decimal, read: Option<Decimal>, absent_is_zero: bool) -> bool {
    match read {
        Some(read) => read == value,
        None => absent_is_zero && value.is_zero(),
    }
}
