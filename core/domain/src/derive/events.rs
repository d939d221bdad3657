//! The three planning signals as CloudEvents, for whoever wants to read them.

use std::collections::BTreeMap;

use planthread_contracts::{CloudEvent, ConstraintSeverity, Period};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Derivation, Deriver, Figures};
use crate::decode::fact::hex;

/// What severities are ranked among: one period, one method, one mix.
type Flow = (Period, String);

/// How severe the constraints of each flow are: what ranks are counted in.
#[derive(Debug)]
pub struct Flows(BTreeMap<Flow, Vec<Decimal>>);

impl Deriver<'_> {
    /// The severities that are ranked among each other: only of what a twin spoke of.
    #[must_use]
    pub fn flows(&self) -> Flows {
        let mut flows: BTreeMap<Flow, Vec<Decimal>> = BTreeMap::new();
        for name in self.names().filter(|name| self.has_severity(name)) {
            let derivation = self.of([name]);
            let found = derivation.figures.iter();
            for found in found.filter_map(|one| derivation.signals(one, "").severity) {
                flows.entry(flow(&found)).or_default().push(found.severity);
            }
        }
        Flows(flows)
    }
}

impl Derivation {
    /// One event for each signal that exists, resource by resource and period by
    /// period, its severity ranked among `flows`.
    ///
    /// The id names what was derived for whom from what: an equal id is the same
    /// event again. It holds `as_of`, because the same facts say something else
    /// when the current period has gone on.
    #[must_use]
    pub fn events(&self, plant: &str, mapping_version: &str, flows: &Flows) -> Vec<CloudEvent> {
        let mut events = Vec::new();
        for one in &self.figures {
            let mut signals = self.signals(one, mapping_version);
            if let Some(found) = &mut signals.severity {
                let others = flows.0.get(&flow(found)).into_iter().flatten();
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
        let origin = &self.origin;
        let (period, as_of) = (one.period.to_string(), origin.as_of.to_string());
        let mut hash = Sha256::new();
        for part in [
            event_type.as_str(),
            &one.resource,
            &period,
            &origin.input_window,
            &origin.rules_version,
            mapping_version,
            &origin.tzdb_version,
            &as_of,
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let id = &hex(&hash.finalize())[..32];
        CloudEvent {
            subject: Some(one.resource.to_string()),
            time: Some(origin.as_of),
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
