//! What a target waits for that takes over what another one lands: where cells were refused
//! there, no time brings them, and somebody must be told where to look.

use std::collections::BTreeSet;

use jiff::Timestamp;
use planthread_contracts::{CellKey, GroupKey, RevisionState};
use planthread_engine::{Reader, ledger};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Bridge, OpenTarget, TargetCycle};
use crate::{
    config::{Loaded, Target},
    failure::{Exit, Failure},
};

/// Cells that were refused at the target whose scope another one takes over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Upstream {
    /// The configured target that they were refused at.
    pub target: String,
    /// How many.
    pub cells: u64,
    /// The first of them in plan order.
    pub example: CellKey,
}

impl Upstream {
    /// What `target` waits for, where cells at places and periods of its own were refused
    /// in the scope that it takes over; works beside a writer.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn of(
        loaded: &Loaded,
        reader: &Reader,
        target: &OpenTarget,
        now: Timestamp,
    ) -> Result<Option<Self>, Failure> {
        let Some(from) = &target.connector.info().capabilities.takes_from else {
            return Ok(None);
        };
        let lands = |of: &Target| of.connector == target.config.connector && of.scope == *from;
        let mut others = loaded.config.targets.iter();
        let Some((name, _)) = others.find(|(name, of)| **name != target.name && lands(of)) else {
            return Ok(None);
        };
        let place = |key: &CellKey| {
            let GroupKey { resource, location, product, period, .. } = key.group();
            (resource, location, product, period)
        };
        let mut own = BTreeSet::new();
        let here = (target.name.as_str(), target.scope.name());
        ledger::cells_of(reader, now, here, |cell| {
            if matches!(cell.state, RevisionState::Pending | RevisionState::Held) {
                own.insert(place(&cell.key));
            }
            Ok(())
        })?;
        let mut found: Option<Self> = None;
        ledger::cells_of(reader, now, (name, from), |cell| {
            if cell.state == RevisionState::Rejected && own.contains(&place(&cell.key)) {
                let one = found.get_or_insert_with(|| Self {
                    target: name.clone(),
                    cells: 0,
                    example: cell.key.clone(),
                });
                one.cells += 1;
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Where to look, and what ends it.
    #[must_use]
    pub fn cure(&self) -> String {
        let name = &self.target;
        format!(
            "`planthread rejects --where target={name}` names them with reason and cure: it goes on \
             when they land there, or are wanted no more"
        )
    }
}

impl Bridge {
    /// Says what a walk really waits for that stopped for what another target lands: where
    /// that was refused there, it is something to look at, and not to be waited for.
    pub(super) fn say_what_it_waits_for(
        &self,
        target: &OpenTarget,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        if !done.waits() {
            return Ok(());
        }
        let now = self.clock.now();
        let upstream = Upstream::of(&self.loaded, &self.reader()?, target, now)?;
        if let (Some(found), Some(failure)) = (upstream, &mut done.stopped) {
            let Upstream { target, cells, example } = &found;
            failure.message +=
                &format!("; {cells} cells were refused at {target}, for example {example}");
            failure.cure = found.cure();
            failure.exit = Exit::Findings;
        }
        Ok(())
    }
}
