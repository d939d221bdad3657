//! The books of one job: every step of a revision, added up before the commit.

use std::collections::BTreeMap;

use planthread_contracts::RevisionState;

use super::states;
use crate::{error::Result, store::Tx};

/// Collects the steps of one job and writes their sums once.
///
/// Each step goes through the transition table. Whoever changes a state
/// without these books breaks the sum that the writer checks at every commit.
#[derive(Debug, Default)]
pub(crate) struct RevisionTally {
    tally: BTreeMap<(i64, RevisionState), i64>,
    made: i64,
}

impl RevisionTally {
    /// A new revision begins in `to`.
    pub(crate) fn make(&mut self, scope: i64, to: RevisionState) -> Result<()> {
        states::check(None, to)?;
        self.made += 1;
        *self.tally.entry((scope, to)).or_default() += 1;
        Ok(())
    }

    /// A revision goes from `from` to `to`.
    pub(crate) fn step(
        &mut self,
        scope: i64,
        from: RevisionState,
        to: RevisionState,
    ) -> Result<()> {
        self.steps(scope, from, to, 1)
    }

    /// So many revisions go from `from` to `to`.
    pub(crate) fn steps(
        &mut self,
        scope: i64,
        from: RevisionState,
        to: RevisionState,
        many: i64,
    ) -> Result<()> {
        states::check(Some(from), to)?;
        *self.tally.entry((scope, from)).or_default() -= many;
        *self.tally.entry((scope, to)).or_default() += many;
        Ok(())
    }

    /// Writes the sums, moves the ledger's counter on, and returns it.
    pub(crate) fn flush(self, tx: &Tx<'_>) -> Result<u64> {
        for ((scope, state), n) in self.tally {
            if n != 0 {
                tx.add_tally(scope, state, n)?;
            }
        }
        tx.advance(self.made)
    }
}
