//! The planning signals of a derivation, as events that keep their contracts.

use planthread_contracts::{CloudEvent, catalogue};
use planthread_domain::Derivation;

use crate::config::Loaded;

/// The three planning signals of a derivation.
#[derive(Debug)]
pub struct Signals {
    /// Those that keep their contracts.
    pub events: Vec<CloudEvent>,
    /// Those that a reader would have to refuse, each with its reason: they are
    /// not printed, and not dropped in silence.
    pub broken: Vec<String>,
}

/// The three planning signals as CloudEvents, each checked against its contract.
#[must_use]
pub fn signals(loaded: &Loaded, derivation: &Derivation) -> Signals {
    let all = derivation.events(&loaded.config.plant.id, &mapping_version(loaded));
    let mut signals = Signals { events: Vec::with_capacity(all.len()), broken: Vec::new() };
    for event in all {
        let contract = catalogue::find(&event.event_type);
        match contract.and_then(|entry| (entry.check)(&event.data).into_iter().next()) {
            None => signals.events.push(event),
            Some(fault) => {
                let resource = event.subject.as_deref().unwrap_or_default();
                let period = event.data["period"].as_str().unwrap_or_default();
                let (path, reason) = (&fault.path, &fault.reason);
                let kind = &event.event_type;
                signals.broken.push(format!("{kind} of {resource} in {period}: {path}: {reason}"));
            }
        }
    }
    signals
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
