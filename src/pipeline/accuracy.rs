//! Past weeks as they were foretold, against what happened.

use jiff::Timestamp;
use planthread_domain::{Facts, accuracy::accuracy as look_back};

use crate::{config::Loaded, failure::Failure, report::accuracy::Accuracy};

/// Looks back over the last `weeks` weeks before `as_of`: all resources and
/// lines, or one; `from` says where the facts come from.
///
/// # Errors
/// When the plant has no such resource, or a calendar makes no sense.
pub fn accuracy(
    loaded: &Loaded,
    facts: &Facts,
    as_of: Timestamp,
    weeks: u32,
    (resource, from): (Option<&str>, &str),
) -> Result<Accuracy, Failure> {
    let plant = &loaded.config.plant;
    let mut found = look_back(plant, facts, as_of, weeks)
        .map_err(|error| Failure::usage(error.to_string()).explain("config"))?;
    if let Some(resource) = resource {
        found.retain(|one| &*one.resource == resource);
        if found.is_empty() {
            return Err(Failure::usage(format!(
                "the plant has no resource or line `{resource}`: `planthread derive` lists them"
            )));
        }
    }
    Ok(Accuracy::of(as_of, from, &found, resource.is_some()))
}
