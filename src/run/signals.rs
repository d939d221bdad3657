//! The planning signals of a derivation, as events that keep their contracts.

use planthread_contracts::{CloudEvent, catalogue};
use planthread_domain::Derivation;

use crate::{config::Loaded, failure::Failure};

/// The three planning signals as CloudEvents, each checked against its contract.
///
/// # Errors
/// When one breaks a rule of its contract: nothing is printed that a reader
/// would have to refuse.
pub fn signals(loaded: &Loaded, derivation: &Derivation) -> Result<Vec<CloudEvent>, Failure> {
    let events = derivation.events(&loaded.config.plant.id, &mapping_version(loaded));
    for event in &events {
        let contract = catalogue::find(&event.event_type);
        let broken = contract.and_then(|entry| (entry.check)(&event.data).into_iter().next());
        if let Some(broken) = broken {
            let what = event.subject.as_deref().unwrap_or_default();
            let (path, reason) = (&broken.path, &broken.reason);
            return Err(Failure::internal(format!(
                "{} of {what} {}: {path}: {reason}",
                event.event_type, event.data["period"]
            )));
        }
    }
    Ok(events)
}

/// Signals don't depend on a mapping, but say which ones were in force.
fn mapping_version(loaded: &Loaded) -> String {
    let versions = loaded.config.targets.iter().map(|(name, t)| (name, &t.mapping.version));
    match versions.clone().collect::<Vec<_>>().as_slice() {
        [] => "none".to_owned(),
        [(_, version)] => (*version).clone(),
        _ => versions
            .map(|(name, version)| format!("{name}={version}"))
            .collect::<Vec<_>>()
            .join(","),
    }
}
