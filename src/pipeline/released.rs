//! What is released, between the state that keeps it and the domain that decides.

use planthread_domain::significance::{Released, Releases};
use planthread_engine::{
    Reader, State,
    ledger::{self, ReleasedRow},
};

use super::Truth;
use crate::failure::Failure;

/// What was released so far.
///
/// # Errors
/// When the state can't be read.
pub(super) fn releases(reader: &Reader) -> Result<Releases, Failure> {
    let mut releases = Releases::default();
    for row in ledger::released(reader)? {
        let told: Released = serde_json::from_str(&row.told)
            .map_err(|error| Failure::internal(format!("a release is not readable: {error}")))?;
        releases.put(row.resource, row.period, told);
    }
    Ok(releases)
}

/// Keeps what `truth` released anew. Kept twice it is the same.
///
/// # Errors
/// When the disk refuses.
pub(super) fn keep(state: &State, truth: &Truth) -> Result<(), Failure> {
    let figures = &truth.live.figures;
    let Some(first) = figures.iter().map(|one| one.period.start()).min() else { return Ok(()) };
    let told = |released: &Released| {
        serde_json::to_string(released)
            .map_err(|error| Failure::internal(format!("a release can't be written: {error}")))
    };
    let mut rows = Vec::new();
    for (resource, period) in &truth.released.changed {
        if let Some(one) = truth.released.releases.get(resource, *period) {
            rows.push(ReleasedRow {
                resource: resource.clone(),
                period: *period,
                told: told(one)?,
            });
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    Ok(ledger::release(state, rows, first)?)
}
