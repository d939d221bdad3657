//! Open attempts: which pushes have no end yet, and which of them a person has ended.
//!
//! A record stands in the state folder, one file each, so that it can be written
//! while a bridge runs, which then finds it at its next recovery.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use planthread_engine::{
    Reader, ledger,
    push::{Ending, may_be_ended},
};
use planthread_kit::AttemptId;
use schemars::JsonSchema;
use serde::Serialize;

use super::records;
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// An attempt whose end is not known.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OpenPush {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// The attempt.
    pub attempt: AttemptId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Cells in it, which wait for it.
    pub cells: u64,
    /// What the connector noted: what the target knows it by, and how far it is.
    pub notes: BTreeMap<String, String>,
    /// When a person may end it.
    pub wait_limit_at: Timestamp,
    /// Whether a person may end it now.
    pub over: bool,
    /// Who has ended it: the next recovery carries it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

impl OpenPush {
    /// Those of the target called `name`, the oldest first; works beside a writer.
    ///
    /// # Errors
    /// When the state or a record can't be read.
    pub fn of(
        loaded: &Loaded,
        reader: &Reader,
        (name, target): (&str, &Target),
        now: Timestamp,
    ) -> Result<Vec<Self>, Failure> {
        let open = ledger::open_attempts(reader, name)?;
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let (push, endings) = (target.delivery.push_policy(), endings(&loaded.config.state, name)?);
        let one = |attempt: ledger::OpenAttempt| {
            let ending = endings.iter().find(|ending| ending.attempt == attempt.record.id);
            let limit = attempt.opened_at.saturating_add(push.wait_limit);
            Self {
                over: may_be_ended(&attempt, &push, now),
                wait_limit_at: limit.unwrap_or(Timestamp::MAX),
                ended_by: ending.map(|ending| ending.who.clone()),
                target: attempt.target,
                scope: attempt.scope,
                attempt: attempt.record.id,
                opened_at: attempt.opened_at,
                cells: attempt.cells,
                notes: attempt.record.notes,
            }
        };
        Ok(open.into_iter().map(one).collect())
    }
}

fn folder(state: &Path, target: &str) -> PathBuf {
    state.join("endings").join(target)
}

/// What people have ended at `target`, also of attempts that have an end by now.
///
/// # Errors
/// When a record can't be read.
pub(super) fn endings(state: &Path, target: &str) -> Result<Vec<Ending>, Failure> {
    records::read(&folder(state, target), Ending::read)
}

/// Keeps the record of an ending at `target`, and says where.
///
/// # Errors
/// When the record leaves something empty, or can't be written.
pub fn end_attempt(
    state: &Path,
    target: &str,
    ending: &Ending,
    now: Timestamp,
) -> Result<PathBuf, Failure> {
    let record = serde_json::to_string(ending)
        .map_err(|error| Failure::internal(format!("an ending: {error}")))?;
    Ending::read(&record).map_err(|error| Failure::usage(error.to_string()))?;
    records::keep(&folder(state, target), &record, now)
}
