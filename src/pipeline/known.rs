//! What the ledger knows to stand at a target, for its connector.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use planthread_engine::{Reader, State, ledger};
use planthread_kit::{NoteError, rows::RowKey, target::Known};

/// What is known of one target and scope. It keeps no state open:
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

    fn reader(&self) -> Result<Reader, NoteError> {
        let state = self.state.upgrade().ok_or("the state is closed")?;
        Ok(state.reader()?)
    }
}

impl Known for Seen {
    fn rows(&self, measures: &[String]) -> Result<BTreeSet<RowKey>, NoteError> {
        Ok(ledger::known_rows(&self.reader()?, &self.target, &self.scope, measures)?)
    }

    fn left_behind(&self, measures: &[String]) -> Result<bool, NoteError> {
        Ok(ledger::left_behind(&self.reader()?, &self.target, &self.scope, measures)?)
    }
}
