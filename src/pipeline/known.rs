//! What the ledger knows to stand at a target, for its connector.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use planthread_engine::{State, ledger};
use planthread_kit::{NoteError, rows::RowKey, target::Known};

/// The rows of one target and scope that were read back. It keeps no state open:
/// a connector may outlive its bridge.
#[derive(Debug)]
pub(super) struct Seen {
    state: Weak<State>,
    target: String,
    scope: String,
}

impl Seen {
    pub(super) fn new(state: &Arc<State>, target: &str, scope: &str) -> Self {
        let (target, scope) = (target.to_owned(), scope.to_owned());
        Self { state: Arc::downgrade(state), target, scope }
    }
}

impl Known for Seen {
    fn rows(&self, measures: &[String]) -> Result<BTreeSet<RowKey>, NoteError> {
        let state = self.state.upgrade().ok_or("the state is closed")?;
        let reader = state.reader()?;
        Ok(ledger::known_rows(&reader, &self.target, &self.scope, measures)?)
    }
}
