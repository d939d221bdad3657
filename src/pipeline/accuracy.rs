//! Past weeks as they were foretold, and hours as they were decided, against what happened.

use jiff::Timestamp;
use planthread_domain::{
    Facts,
    accuracy::{accuracy as look_back, decided_against},
    calendar::LocalTimeError,
};

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
    let config = |error: LocalTimeError| Failure::usage(error.to_string()).explain("config");
    let mut found = look_back(plant, facts, as_of, weeks).map_err(config)?;
    let mut decided = decided_against(plant, facts, as_of, weeks).map_err(config)?;
    if let Some(resource) = resource {
        found.retain(|one| &*one.resource == resource);
        if found.is_empty() {
            return Err(Failure::usage(format!(
                "the plant has no resource or line `{resource}`: `planthread derive` lists them"
            )));
        }
    }
    if let Some(resource) = resource {
        // Of a line its machines, too: what was decided for it was decided for them.
        let line = plant.line(resource);
        decided.retain(|one| {
            *one.resource == *resource || line.is_some_and(|line| line.has(&one.resource))
        });
    }
    Ok(Accuracy::of(as_of, from, (&found, &decided), resource.is_some()))
}
