//! Measures of others that should carry a figure: what would be wanted of
//! them, if somebody let us write it.

use std::collections::HashMap;

use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, Name, Owner};
use planthread_engine::Reader;
use schemars::JsonSchema;
use serde::Serialize;

use super::{OpenTarget, Truth, policy, portions::Portions};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// A measure of somebody else's that nobody promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotPromoted {
    /// The configured target.
    pub target: String,
    /// Our name of the measure.
    pub measure: String,
    /// Whose it is.
    pub owner: String,
    /// Cells that are not wanted because of it; absent where nobody projected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<usize>,
}

impl NotPromoted {
    /// The measures of `target` that nobody promoted, not counted.
    ///
    /// # Errors
    /// When a promotion record can't be read.
    pub fn of(
        loaded: &Loaded,
        name: &str,
        target: &Target,
        at: Timestamp,
    ) -> Result<Vec<Self>, Failure> {
        let measures = policy::unpromoted(loaded, name, target, at)?;
        Ok(measures.iter().map(|measure| Self::new(name, measure, None)).collect())
    }

    /// The same, with the cells that `truth` would want of each.
    ///
    /// # Errors
    /// When a promotion record can't be read.
    pub fn counted(
        loaded: &Loaded,
        target: &OpenTarget,
        truth: &Truth,
    ) -> Result<Vec<Self>, Failure> {
        let held = policy::unpromoted(loaded, &target.name, &target.config, truth.as_of)?;
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut measures = policy::writable(loaded, target, truth.as_of)?;
        for measure in measures.iter_mut().filter(|m| held.iter().any(|one| one.name == m.name)) {
            measure.owner = Owner::Bridge;
        }
        let portions = Portions::of(loaded, truth, target, &measures);
        let readers = vec![Reader::open(&loaded.config.state)?];
        // What would be refused is not counted: it would not land promoted either.
        let counted = portions.each(readers, |portions| {
            let mut counted: HashMap<Name, usize> = HashMap::new();
            for portion in portions {
                for cell in portion?.cells {
                    *counted.entry(cell.key.measure).or_default() += 1;
                }
            }
            Ok::<_, Failure>(counted)
        });
        let counted = counted.flatten().ok();
        let count = |measure: &MeasureDecl| {
            Some(counted.as_ref()?.get(measure.name.as_str()).copied().unwrap_or_default())
        };
        Ok(held.iter().map(|one| Self::new(&target.name, one, count(one))).collect())
    }

    fn new(target: &str, measure: &MeasureDecl, cells: Option<usize>) -> Self {
        let owner = match &measure.owner {
            Owner::Other(owner) => owner.clone(),
            Owner::Bridge => "planthread".to_owned(),
        };
        Self { target: target.to_owned(), measure: measure.name.clone(), owner, cells }
    }
}
