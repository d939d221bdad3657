//! What a sweep reads, and how it judges: all of it data.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{MeasureDecl, PeriodKind, Scope};

use super::{InUse, PatternPolicy, Which};
use crate::continuity::Written;

/// What a sweep reads, and how it judges.
#[derive(Debug, Clone)]
pub struct SweepPolicy {
    /// The configured target.
    pub target: String,
    /// The scope.
    pub scope: Scope,
    /// The target's measures, those that are ours.
    pub measures: Vec<MeasureDecl>,
    /// Measures of others that are read to compare with: of what is to be sent,
    /// and was never landed.
    pub observed: Vec<MeasureDecl>,
    /// Which cells.
    pub which: Which,
    /// Since when this walk reads: what was read since is counted again as such.
    pub follows: Option<Timestamp>,
    /// The plant's civil day.
    pub today: Date,
    /// Days from today that count as near.
    pub near_days: i64,
    /// What was seen of a near period expires after this.
    pub near_age: SignedDuration,
    /// What was seen of other periods expires after this.
    pub far_age: SignedDuration,
    /// What was seen of a cell that is to be sent expires after this.
    pub basis_age: SignedDuration,
    /// How long the target may take until a write can be read back.
    pub settle_window: SignedDuration,
    /// When many cells are too many for one person.
    pub pattern: PatternPolicy,
    /// How long a person's edit locks its cell.
    pub lock_for: SignedDuration,
    /// Most cells in one selection: bounds memory.
    pub cells_per_selection: usize,
    /// Whether places are read one by one: then only those that are asked for are.
    pub by_place: bool,
    /// The measure that drives the target's plan, if it is known.
    pub in_use: Option<InUse>,
    /// What we may have written, by what is noted outside of the state.
    pub written: Option<Arc<Written>>,
}

impl SweepPolicy {
    /// A policy with the declared defaults: near is 28 days, seen expires after
    /// 24 h near and 7 days else, an edit locks for 14 days.
    #[must_use]
    pub fn new(
        target: &str,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        which: Which,
        today: Date,
    ) -> Self {
        Self {
            target: target.to_owned(),
            scope,
            measures,
            observed: Vec::new(),
            which,
            follows: None,
            today,
            near_days: 28,
            near_age: SignedDuration::from_hours(24),
            far_age: SignedDuration::from_hours(7 * 24),
            // As long as a batch may wait (law 5).
            basis_age: SignedDuration::from_secs(30),
            settle_window: SignedDuration::from_mins(15),
            pattern: PatternPolicy::default(),
            lock_for: SignedDuration::from_hours(14 * 24),
            cells_per_selection: 50_000,
            by_place: false,
            in_use: None,
            written: None,
        }
    }

    /// The measures to read in periods of one kind: ours, the one that drives the
    /// plan, and before a plan those to compare with.
    pub(crate) fn names(&self, kind: PeriodKind) -> Vec<String> {
        let stored = self.measures.iter().filter(|decl| decl.level == kind);
        let mut names: Vec<String> = stored.map(|decl| decl.name.clone()).collect();
        let driven = self.in_use.iter().filter(|wiring| names.contains(&wiring.by));
        let drivers: Vec<String> = driven.map(|wiring| wiring.drives.clone()).collect();
        names.extend(drivers);
        if self.which == Which::Unread && !names.is_empty() {
            let beside = self.observed.iter().filter(|decl| decl.level == kind);
            names.extend(beside.map(|decl| decl.name.clone()));
        }
        names.sort();
        names.dedup();
        names
    }
}
