//! What a sweep found, for people and for the engine.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use planthread_contracts::CellKey;
use planthread_kit::ConnectorError;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

/// Cells that are named in a report; the others are counted.
pub(super) const NAMED: usize = 1_000;

/// A cell that was sent and is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LostCell {
    /// The cell.
    pub key: CellKey,
    /// The revision that was sent.
    pub revision: u64,
    /// Its value.
    pub wanted: Decimal,
    /// What stands there.
    pub read: Option<Decimal>,
    /// Whether the target had said that it took it: then it dropped the row.
    pub accepted: bool,
    /// The attempt.
    pub attempt: String,
    /// The vendor's handle of its receipt.
    pub receipt: String,
}

/// A cell that a person has most likely edited; it is locked now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PersonEdit {
    /// The cell.
    pub key: CellKey,
    /// What we want there.
    pub wanted: Decimal,
    /// What stands there.
    pub read: Option<Decimal>,
    /// When the lock ends by itself.
    pub until: Timestamp,
}

/// What a sweep found. Cells are counted; the first thousand are named.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SweepReport {
    /// Selections that were read.
    pub selections: u64,
    /// Cells that were compared.
    pub read: u64,
    /// They hold what is wanted.
    pub landed: u64,
    /// Not there yet, inside the settle window.
    pub not_yet: u64,
    /// Until when the last of them may still come, by `policy.settle_minutes` and the
    /// target's own word; a read-back after it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_yet_until: Option<Timestamp>,
    /// Of those that are not there yet, cells of a job that refused rows without naming
    /// them: what is unchanged then is rejected.
    #[serde(skip_serializing_if = "is_zero")]
    pub not_yet_unnamed: u64,
    /// Nothing of ours is expected there yet.
    pub waiting: u64,
    /// Of those that wait, cells that the target had refused before and that wait for
    /// somebody: `rejects` names them.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused_before: u64,
    /// Sent, and not there: they are pending again.
    pub lost: u64,
    /// Lost, though the target had said that it took them.
    pub dropped: u64,
    /// The lost cells by name.
    pub lost_cells: Vec<LostCell>,
    /// Refused without a name, and unchanged: they are rejected now.
    pub refused: u64,
    /// Their job failed as a whole and left them unchanged: pending again.
    pub failed: u64,
    /// What the target said of those jobs.
    pub failures: BTreeSet<String>,
    /// An older value of ours stood there: pending again.
    pub stale_own: u64,
    /// What we sent took effect more than once: pending again.
    pub doubled: u64,
    /// Cells of each case that was opened or met again.
    pub cases: BTreeMap<String, u64>,
    /// Cells that a person edited.
    pub persons: u64,
    /// They by name.
    pub person_edits: Vec<PersonEdit>,
    /// Cells whose driving value was compared.
    pub compared_in_use: u64,
    /// Of them, in use.
    pub in_use: u64,
    /// What of it an earlier reading of the same walk has counted.
    #[serde(skip)]
    pub again: Again,
    /// Why the sweep ended early; what was read before counts.
    #[serde(skip)]
    pub error: Option<ConnectorError>,
}

/// Cells that an earlier reading of the same walk counted, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    /// All of them.
    pub read: u64,
    /// Of them, those that held what was wanted then.
    pub landed: u64,
    /// And those of which nothing was expected then.
    pub waiting: u64,
    /// Of these, those that the target had refused before.
    pub refused_before: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl SweepReport {
    /// Adds what a later reading of the same walk found: a cell that both read is counted
    /// once, as it stands now. What was found of it before is told all the same.
    pub fn follow(&mut self, later: Self) {
        let Again { read, landed, waiting, refused_before } = later.again;
        self.read = self.read.saturating_sub(read);
        self.landed = self.landed.saturating_sub(landed);
        self.waiting = self.waiting.saturating_sub(waiting);
        self.refused_before = self.refused_before.saturating_sub(refused_before);
        self.add(later);
    }

    /// Adds what a reading of other cells found, also its error.
    pub fn add(&mut self, other: Self) {
        self.selections += other.selections;
        self.read += other.read;
        self.landed += other.landed;
        self.not_yet += other.not_yet;
        self.not_yet_until = self.not_yet_until.max(other.not_yet_until);
        self.not_yet_unnamed += other.not_yet_unnamed;
        self.waiting += other.waiting;
        self.refused_before += other.refused_before;
        self.lost += other.lost;
        self.dropped += other.dropped;
        self.refused += other.refused;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        self.stale_own += other.stale_own;
        self.doubled += other.doubled;
        self.compared_in_use += other.compared_in_use;
        self.in_use += other.in_use;
        self.lost_cells.extend(other.lost_cells);
        self.lost_cells.truncate(NAMED);
        for (case, cells) in other.cases {
            *self.cases.entry(case).or_default() += cells;
        }
        self.persons += other.persons;
        self.person_edits.extend(other.person_edits);
        self.person_edits.truncate(NAMED);
        self.again.read += other.again.read;
        self.again.landed += other.again.landed;
        self.again.waiting += other.again.waiting;
        self.again.refused_before += other.again.refused_before;
        self.error = self.error.take().or(other.error);
    }
}
