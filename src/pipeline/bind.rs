//! Bind: the ledger follows the target that the configuration names.

use planthread_engine::{
    continuity::Restored,
    ledger::{self, Binding},
};

use super::{Bridge, OpenTarget};
use crate::failure::Failure;

impl Bridge {
    /// Holds the ledger of a target to the address and surfaces that are
    /// configured now. Asked before anything is settled, read or sent there. Tells whether
    /// the state was put back from a copy; that is told until a walk that
    /// sends has told it.
    ///
    /// # Errors
    /// When a push to an earlier address is still open, or the state can't be
    /// written.
    pub(super) fn bind(&self, target: &OpenTarget) -> Result<Option<Restored>, Failure> {
        let address = target.connector.info().address.clone();
        let rebound = ledger::bind(
            &self.state,
            &Binding {
                target: target.name.clone(),
                scope: target.scope.clone(),
                address: address.clone(),
                measures: target.config.measures.clone(),
            },
        )?;
        for (what, before) in &rebound.before {
            let (target, cells) = (&target.name, rebound.cells);
            tracing::warn!(%target, what, before, address, cells, "landed elsewhere before: due again");
        }
        self.resume(target)
    }
}
