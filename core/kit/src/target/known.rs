//! What the ledger knows to stand at a target, for a connector whose files delete
//! what they lack: a read that shows less than was seen is no reason to delete.

use std::{collections::BTreeSet, fmt};

use crate::{NoteError, rows::RowKey};

/// The rows of one target and scope that were read back, as the ledger keeps them:
/// also after a restart.
pub trait Known: Send + Sync + fmt::Debug {
    /// Rows in which a value of one of `measures` stood when it was last read, and
    /// those in which one was missed since, while it is still wanted as it was.
    ///
    /// # Errors
    /// When the ledger can't be read, with the reason.
    fn rows(&self, measures: &[String]) -> Result<BTreeSet<RowKey>, NoteError>;
}

/// Nothing was ever read back: a connector without a ledger behind it.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Known for Nothing {
    fn rows(&self, _: &[String]) -> Result<BTreeSet<RowKey>, NoteError> {
        Ok(BTreeSet::new())
    }
}
