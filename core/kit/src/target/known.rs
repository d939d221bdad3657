//! What the ledger knows to stand at a target, for a connector whose files delete
//! what they lack: a read that shows less than was seen is no reason to delete.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::Decision;
use crate::{Class, ConnectorError, NoteError, rows::RowKey};

/// The rows of one target and scope that were read back, as the ledger keeps them:
/// also after a restart.
pub trait Known: Send + Sync + fmt::Debug {
    /// Rows in which a value of one of `measures` stood when it was last read, and
    /// those in which one that the target took was missed since, until it is withdrawn.
    ///
    /// # Errors
    /// When the ledger can't be read, with the reason.
    fn rows(&self, measures: &[String]) -> Result<BTreeSet<RowKey>, NoteError>;

    /// Whether a value of one of `measures` went out, and neither a receipt nor a
    /// reading says that the target took it: a file of a dead attempt may hold it.
    ///
    /// # Errors
    /// When the ledger can't be read, with the reason.
    fn left_behind(&self, measures: &[String]) -> Result<bool, NoteError>;
}

/// Nothing was ever read back, and anything may have gone out: a connector without a
/// ledger behind it.
#[derive(Debug, Clone, Copy)]
pub struct Nothing;

impl Known for Nothing {
    fn rows(&self, _: &[String]) -> Result<BTreeSet<RowKey>, NoteError> {
        Ok(BTreeSet::new())
    }

    fn left_behind(&self, _: &[String]) -> Result<bool, NoteError> {
        Ok(true)
    }
}

/// A file that takes the place of all that a table holds.
#[derive(Debug)]
pub struct WholeFile<'a> {
    /// The step, for errors.
    pub step: &'static str,
    /// The table, as the vendor calls it.
    pub table: &'a str,
    /// The measures that lie in the table.
    pub measures: &'a [String],
    /// The rows of the batch: ours.
    pub ours: &'a BTreeSet<&'a RowKey>,
    /// All rows of the file: those of the batch, and those that stood in the table.
    pub rows: &'a BTreeSet<&'a RowKey>,
    /// Who decided that it may lack rows, if anybody did.
    pub fewer: Option<&'a Decision>,
    /// Where the configuration says so.
    pub field: &'static str,
}

/// Keeps files from deleting what a read hid: rows that the ledger saw, and rows of
/// somebody else that the last file of this process had.
#[derive(Debug)]
pub struct Guard {
    known: Arc<dyn Known>,
    before: Mutex<BTreeMap<String, BTreeSet<RowKey>>>,
}

impl Guard {
    /// A guard that asks `known`.
    #[must_use]
    pub fn new(known: Arc<dyn Known>) -> Self {
        Self { known, before: Mutex::default() }
    }

    /// Whether a file of a dead attempt may hold a value of one of `measures`.
    ///
    /// # Errors
    /// `Fatal` when the ledger can't be read.
    pub fn left_behind(
        &self,
        step: &'static str,
        measures: &[String],
    ) -> Result<bool, ConnectorError> {
        told(step, self.known.left_behind(measures))
    }

    /// Whether `file` has every row that was seen, or a person decided that it may
    /// lack some, and none of a resource and location where nothing of ours ever stood.
    ///
    /// # Errors
    /// `Drift`, with the first row that it lacks, or that is not ours; `Fatal` when the
    /// decision has ended, or the ledger can't be read.
    pub fn admit(&self, file: &WholeFile<'_>, now: Timestamp) -> Result<(), ConnectorError> {
        let mut known = told(file.step, self.known.rows(file.measures))?;
        let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let before = before.entry(file.table.to_owned()).or_default();
        known.extend(before.iter().cloned());
        let places: BTreeSet<_> =
            known.iter().chain(file.ours.iter().copied()).map(RowKey::place).collect();
        if let Some(row) = file.rows.iter().find(|row| !places.contains(&row.place())) {
            let text = format!("{} holds a row that is not ours: {row}", file.table);
            return Err(ConnectorError::new(Class::Drift, file.step, text).cure(
                "a whole file is for a table of ours alone: use one, or a load that merges",
            ));
        }
        let mut lacking = known.iter().filter(|row| !file.rows.contains(row)).peekable();
        match (lacking.peek(), file.fewer) {
            (None, _) => {}
            (Some(_), Some(decision)) => decision.ask(now, file.step, file.field)?,
            (Some(first), None) => {
                let first = first.to_string();
                let (table, count) = (file.table, lacking.count());
                let text = format!("{table} lacks {count} rows that were seen, first {first}");
                return Err(ConnectorError::new(Class::Drift, file.step, text).cure(format!(
                    "look who deleted them, or what hides them from this user; where they may \
                     go, a person says so under `{}`",
                    file.field
                )));
            }
        }
        *before = file.rows.iter().map(|row| (*row).clone()).collect();
        Ok(())
    }
}

/// What the ledger says.
fn told<T>(step: &'static str, said: Result<T, NoteError>) -> Result<T, ConnectorError> {
    said.map_err(|error| {
        ConnectorError::new(Class::Fatal, step, error.to_string()).caused_by(error)
    })
}
