//! Values that stood at a measure of ours before we landed anything there.
//!
//! Whoever put them there did not ask us: they wait until a named person adopts
//! the measure, or until they are gone.

use jiff::Timestamp;
use serde::Serialize;

use crate::{Reader, error::Result};

/// A measure that holds values which we never landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unadopted {
    /// Our name of the measure.
    pub measure: String,
    /// Nothing of the measure had landed in the scope when they were found: all
    /// of it waits. Otherwise only the cells that hold such a value do.
    pub whole: bool,
    /// The first of the cells, with what was wanted and what was read.
    pub example: String,
    /// When they were first met.
    pub found_at: Timestamp,
}

/// What was found in a scope of a target before it was ours, adopted or not.
///
/// # Errors
/// When the state can't be read.
pub fn unadopted(reader: &Reader, target: &str, scope: &str) -> Result<Vec<Unadopted>> {
    let db = reader.db();
    match db.scope(target, scope)? {
        Some(id) => Ok(db.unadopted(id)?.into_values().collect()),
        None => Ok(Vec::new()),
    }
}
