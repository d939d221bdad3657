//! The planning signals of a plant, as events that keep their contracts.

use planthread_contracts::{CloudEvent, catalogue};
use planthread_domain::Deriver;

use crate::config::Loaded;

/// The three planning signals as CloudEvents, resource by resource, each checked
/// against its contract: an error for one that a reader would have to refuse, with
/// its reason.
pub fn signals(
    loaded: &Loaded,
    deriver: &Deriver<'_>,
) -> impl Iterator<Item = Result<CloudEvent, String>> {
    let (flows, mapping) = (deriver.flows(), mapping_version(loaded));
    let plant = &loaded.config.plant.id;
    let events = move |name: &str| deriver.of([name]).events(plant, &mapping, &flows);
    deriver.names().flat_map(events).map(checked)
}

fn checked(event: CloudEvent) -> Result<CloudEvent, String> {
    let contract = catalogue::find(&event.event_type);
    match contract.and_then(|entry| (entry.check)(&event.data).into_iter().next()) {
        None => Ok(event),
        Some(fault) => {
            let resource = event.subject.as_deref().unwrap_or_default();
            let period = event.data["period"].as_str().unwrap_or_default();
            let (path, reason, kind) = (&fault.path, &fault.reason, &event.event_type);
            Err(format!("{kind} of {resource} in {period}: {path}: {reason}"))
        }
    }
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
