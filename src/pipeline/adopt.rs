//! Adoption: which measures wait for a named person, and who answered.
//!
//! A record stands in the state folder, one file each, so that it can be written
//! while a bridge runs, and read by whoever audits it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use planthread_contracts::{Adoption, MeasureDecl, Owner, Scope};
use planthread_engine::{Reader, ledger};
use schemars::JsonSchema;
use serde::Serialize;

use super::records;
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// A measure of ours that holds values which we never landed: nothing replaces
/// them until somebody adopts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotAdopted {
    /// The configured target.
    pub target: String,
    /// Our name of the measure.
    pub measure: String,
    /// What the target calls it.
    pub surface: String,
    /// Whether all of it waits, or only the cells that hold such a value.
    pub whole: bool,
    /// One of the cells, with what was wanted and what was read.
    pub example: String,
}

impl NotAdopted {
    /// What waits at a target, as far as it was read.
    ///
    /// # Errors
    /// When the state or an adoption record can't be read.
    pub fn of(
        loaded: &Loaded,
        reader: &Reader,
        name: &str,
        target: &Target,
    ) -> Result<Vec<Self>, Failure> {
        let scope = target.scope();
        let adopted = adopted(&loaded.config.state, name, &target.measures, &scope)?;
        let found = ledger::unadopted(reader, name, scope.name())?;
        let waits = found.into_iter().filter_map(|one| {
            let decl = target.measures.iter().find(|measure| measure.name == one.measure)?;
            // Who promotes a measure of somebody else's has answered for it.
            let ours = decl.owner == Owner::Bridge;
            (ours && !adopted.contains(&one.measure)).then(|| Self {
                target: name.to_owned(),
                surface: decl.surface.clone(),
                measure: one.measure,
                whole: one.whole,
                example: one.example,
            })
        });
        Ok(waits.collect())
    }
}

fn folder(state: &Path, target: &str) -> PathBuf {
    state.join("adoptions").join(target)
}

/// The measures that somebody has adopted in `scope`, at their present surface.
///
/// # Errors
/// When an adoption record can't be read.
pub(super) fn adopted(
    state: &Path,
    target: &str,
    measures: &[MeasureDecl],
    scope: &Scope,
) -> Result<BTreeSet<String>, Failure> {
    let mut adopted = BTreeSet::new();
    for adoption in records::read(&folder(state, target), Adoption::read)? {
        let covered = measures.iter().filter(|measure| adoption.covers(measure, scope));
        adopted.extend(covered.map(|measure| measure.name.clone()));
    }
    Ok(adopted)
}

/// Every adoption of `target`, the oldest first, with the instant at which it was made.
///
/// # Errors
/// When an adoption record can't be read.
pub(super) fn adoptions(
    state: &Path,
    target: &str,
) -> Result<Vec<(Option<Timestamp>, Adoption)>, Failure> {
    records::read_with_time(&folder(state, target), Adoption::read)
}

/// Keeps an adoption record for `target`, and says where.
///
/// # Errors
/// When the record leaves something empty, or can't be written.
pub fn adopt(state: &Path, target: &str, record: &str, now: Timestamp) -> Result<PathBuf, Failure> {
    Adoption::read(record).map_err(|error| Failure::usage(error.to_string()))?;
    records::keep(&folder(state, target), record, now)
}
