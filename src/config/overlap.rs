//! Two targets that write one thing: each would write over the other.
//!
//! A thing is a surface at an address: the connector says where a target is, scope
//! included. Levels don't matter, since a target that stores one splits the other.

use std::collections::BTreeMap;

use planthread_contracts::{Carries, MeasureDecl};

use super::{Config, locate::Faults};
use crate::registry;

/// Finds every measure that an earlier target writes at the same place.
pub(super) fn check(config: &Config, faults: &mut Faults<'_>) {
    let mut writers: BTreeMap<(String, &str), (&str, &MeasureDecl)> = BTreeMap::new();
    for (name, target) in &config.targets {
        let Some(factory) = registry::find(&target.connector) else { continue };
        let Some(address) = (factory.address)(&target.settings, &target.scope()) else { continue };
        for (index, measure) in target.measures.iter().enumerate() {
            if measure.carries == Carries::Observed {
                continue;
            }
            let thing = (address.clone(), measure.surface.as_str());
            let (other, theirs) = *writers.entry(thing).or_insert((name, measure));
            if other == name {
                continue;
            }
            let reason = format!(
                "`{}` at {address} is written by `targets.{other}` already, as `{}`: each would \
                 write over the other",
                measure.surface, theirs.name
            );
            let field = format!("targets.{name}.measures[{index}].surface");
            let cure = format!(
                "let one target write it: remove the measure here or in `targets.{other}`, or \
                 give one of them another scope or surface"
            );
            faults.add(field, reason, cure);
        }
    }
}
