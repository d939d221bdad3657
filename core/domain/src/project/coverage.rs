//! How much of plant and target the mapping covers.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Mapping, Plant};

/// What the mapping leaves out, on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Coverage {
    /// Resources and lines that land.
    pub mapped: Vec<String>,
    /// Resources and lines of the plant that land nowhere.
    pub unmapped_sources: Vec<String>,
    /// Pairs of the target that nothing lands on.
    pub unmapped_targets: Vec<(String, String)>,
    /// Rows whose resource and location the target does not have.
    pub unknown_targets: Vec<(String, String)>,
    /// Rows whose source the plant does not have.
    pub unknown_sources: Vec<String>,
}

impl Coverage {
    /// Whether every row of the mapping points from something to something.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.unknown_targets.is_empty() && self.unknown_sources.is_empty()
    }
}

/// Compares the mapping with the plant and with the (resource, location) pairs
/// that the target has.
#[must_use]
pub fn coverage(plant: &Plant, mapping: &Mapping, target: &[(String, String)]) -> Coverage {
    let known: BTreeSet<&str> = sources(plant).collect();
    let mapped: BTreeSet<&str> = mapping.rows.iter().map(|row| row.source.as_str()).collect();
    let offered: BTreeSet<(&str, &str)> =
        target.iter().map(|(r, l)| (r.as_str(), l.as_str())).collect();
    let used: BTreeSet<(&str, &str)> =
        mapping.rows.iter().map(|row| (row.resource.as_str(), row.location.as_str())).collect();
    let names = |names: Vec<&&str>| names.into_iter().map(|name| (*name).to_owned()).collect();
    let pairs = |pairs: Vec<&(&str, &str)>| {
        pairs.into_iter().map(|(r, l)| ((*r).to_owned(), (*l).to_owned())).collect()
    };
    Coverage {
        mapped: names(mapped.intersection(&known).collect()),
        unmapped_sources: names(known.difference(&mapped).collect()),
        unmapped_targets: pairs(offered.difference(&used).collect()),
        unknown_targets: pairs(used.difference(&offered).collect()),
        unknown_sources: names(mapped.difference(&known).collect()),
    }
}

fn sources(plant: &Plant) -> impl Iterator<Item = &str> {
    let resources = plant.resources.iter().map(|resource| resource.id.as_str());
    resources.chain(plant.lines.iter().map(|line| line.id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn target() -> Vec<(String, String)> {
        [("R-1", "1010"), ("R-9", "1010"), ("line", "1010")]
            .map(|(r, l)| (r.to_owned(), l.to_owned()))
            .to_vec()
    }

    #[test]
    fn both_sides_are_reported() {
        let found = coverage(&fixture::plant(), &fixture::mapping(), &target());
        assert_eq!(found.mapped, ["M1", "M2", "M3"]);
        assert_eq!(found.unmapped_sources, ["LINE"]);
        assert_eq!(found.unknown_targets, [("R-2".to_owned(), "1010".to_owned())]);
        assert_eq!(found.unmapped_targets.len(), 2);
        assert!(!found.is_sound());
    }
}
