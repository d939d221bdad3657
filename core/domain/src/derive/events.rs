//! The three planning signals as CloudEvents, for whoever wants to read them.

use std::collections::BTreeMap;

use planthread_contracts::{CloudEvent, ConstraintSeverity, Period};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Derivation, Figures, Signals};
use crate::decode::fact::hex;

/// What severities are ranked among: one period, one method, one mix.
type Flow = (Period, String);

impl Derivation {
    /// One event for each signal that exists, resource by resource and period by
    /// period.
    ///
    /// The id names what was derived for whom from what: an equal id is the same
    /// event again. It holds `as_of`, because the same facts say something else
    /// when the current period has gone on.
    #[must_use]
    pub fn events(&self, plant: &str, mapping_version: &str) -> Vec<CloudEvent> {
        let mut flows: BTreeMap<Flow, Vec<Decimal>> = BTreeMap::new();
        let all: Vec<(&Figures, Signals)> =
            self.figures.iter().map(|one| (one, self.signals(one, mapping_version))).collect();
        for found in all.iter().filter_map(|(_, signals)| signals.severity.as_ref()) {
            flows.entry(flow(found)).or_default().push(found.severity);
        }
        let mut events = Vec::new();
        for (one, mut signals) in all {
            if let Some(found) = &mut signals.severity {
                let others = flows.get(&flow(found)).into_iter().flatten();
                let worse = others.filter(|other| **other > found.severity).count();
                found.rank = u32::try_from(worse + 1).ok();
            }
            let mut event = |name: &str, data: Option<serde_json::Value>| {
                events.extend(data.map(|data| self.event(plant, mapping_version, name, one, data)));
            };
            event("available-capacity", value(signals.capacity.as_ref()));
            event("constraint-severity", value(signals.severity.as_ref()));
            event("maintenance-risk-horizon", value(signals.risk.as_ref()));
        }
        events
    }

    fn event(
        &self,
        plant: &str,
        mapping_version: &str,
        name: &str,
        one: &Figures,
        data: serde_json::Value,
    ) -> CloudEvent {
        let event_type = format!("planthread.{name}.v1");
        let (period, as_of) = (one.period.to_string(), self.as_of.to_string());
        let mut hash = Sha256::new();
        for part in [
            event_type.as_str(),
            &one.resource,
            &period,
            &self.input_window,
            &self.rules_version,
            mapping_version,
            &self.tzdb_version,
            &as_of,
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let id = &hex(&hash.finalize())[..32];
        CloudEvent {
            subject: Some(one.resource.to_string()),
            time: Some(self.as_of),
            datacontenttype: Some("application/json".to_owned()),
            ..CloudEvent::new(plant, id, event_type, data)
        }
    }
}

fn flow(one: &ConstraintSeverity) -> Flow {
    (one.period, serde_json::to_string(&(one.method, &one.mix)).unwrap_or_default())
}

fn value<T: Serialize>(signal: Option<&T>) -> Option<serde_json::Value> {
    serde_json::to_value(signal?).ok()
}
