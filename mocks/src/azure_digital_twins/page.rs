//! The planner's page over twins: what the graph holds of capacity, as the plan
//! shows it; what a person edits there, back into the graph.
//!
//! How a period is written as a key of a map is the convention of our models:
//! `D2026_10_26`, `W2026_43`, `T2026_05a`, `M2026_10`.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    AzureDigitalTwins,
    import::import,
    patch::{Kind, Op},
    twins::Twin,
};
use crate::sdk::{
    plan::{
        Route, RowKey, Sites, manifest,
        planner::{answer, nowhere, pack, refuse},
    },
    simulator::Writer,
    web,
};

/// What the page shows of one twin.
pub(super) type Shown = BTreeMap<(RowKey, usize), Decimal>;

/// The period that a key of a map names.
pub(super) fn period(key: &str) -> Option<Period> {
    let (kind, rest) = key.split_at_checked(1)?;
    let text = match kind {
        "D" | "M" => rest.replace('_', "-"),
        "W" | "T" => rest.replacen('_', "-W", 1),
        _ => return None,
    };
    text.parse().ok().filter(|period| key_of(*period) == key)
}

/// The key of a period.
fn key_of(period: Period) -> String {
    let letter = match period.kind() {
        PeriodKind::Day => 'D',
        PeriodKind::Week => 'W',
        PeriodKind::TechnicalWeek => 'T',
        PeriodKind::Month => 'M',
    };
    format!("{letter}{}", period.to_string().replace("-W", "_").replace('-', "_"))
}

fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

impl AzureDigitalTwins {
    /// Brings the plan up to what the graph holds.
    pub(super) fn look(&mut self, at: Timestamp, writer: Writer) {
        let writer = Arc::new(writer);
        for id in std::mem::take(&mut self.graph.changed) {
            let twin = self.graph.twins.get(&id);
            let new = twin.map(|twin| self.cells(&id, twin)).unwrap_or_default();
            let old = self.shown.insert(id, new.clone()).unwrap_or_default();
            for ((key, measure), value) in &new {
                if old.get(&(key.clone(), *measure)) != Some(value) {
                    self.plan.store.set(at, key.clone(), *measure, Some(*value), &writer);
                }
            }
            for (key, measure) in old.into_keys().filter(|key| !new.contains_key(key)) {
                self.plan.store.set(at, key, measure, None, &writer);
            }
        }
    }

    fn cells(&self, id: &str, twin: &Twin) -> Shown {
        let place = self.place(twin);
        let component = twin.document.get(&self.component).unwrap_or(&Value::Null);
        let mut cells = Shown::new();
        for (measure, declared) in self.plan.model.measures.iter().enumerate() {
            for (key, value) in component[&*declared.id].as_object().into_iter().flatten() {
                if let (Some(period), Some(value)) = (period(key), decimal(value)) {
                    cells.insert((RowKey::base(id, place, period), measure), value);
                }
            }
        }
        cells
    }

    fn place<'a>(&self, twin: &'a Twin) -> &'a str {
        twin.document.get(&self.location).and_then(Value::as_str).unwrap_or_default()
    }

    /// The twins that carry the component.
    fn plants(&self) -> Sites {
        let mut sites = Sites::default();
        for (id, twin) in &self.graph.twins {
            if twin.document.contains_key(&self.component) {
                let text = twin.document.get("description").and_then(Value::as_str);
                sites.add(id, self.place(twin), text.unwrap_or_default());
            }
        }
        sites
    }

    /// Answers everything that is not the service.
    pub(super) fn page(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        match Route::of(request) {
            Route::Nowhere => nowhere(request),
            Route::Pack => self.pack(at, request),
            Route::Plan => {
                let (plants, before) = (self.plants(), self.plan.store.changes());
                let answer = self.plan.planner(at, request, &plants);
                self.edited(at, self.plan.store.changes() - before);
                answer
            }
        }
    }

    /// Carries the last `count` changes of the page into the twins.
    fn edited(&mut self, at: Timestamp, count: usize) {
        let changes: Vec<_> = self.plan.store.history().rev().take(count).collect();
        for change in changes.into_iter().rev() {
            let cell = &change.cell;
            let key = RowKey::base(&cell.resource, &cell.location, cell.period);
            let Some(measure) = self.plan.model.find(&cell.measure) else { continue };
            let value = self.plan.store.value(&key, measure);
            let Some(twin) = self.graph.twins.get(&cell.resource).cloned() else { continue };
            let mut path = vec![self.component.clone(), cell.measure.clone()];
            let there = twin.document[&self.component].get(&cell.measure).is_some();
            let number = value.and_then(|value| value.normalize().to_string().parse().ok());
            let number = number.map(Value::Number);
            let (kind, written) = match (number, there) {
                (Some(number), false) => (Kind::Add, json!({ key_of(cell.period): number })),
                (number, _) => {
                    path.push(key_of(cell.period));
                    let kind = if number.is_some() { Kind::Add } else { Kind::Remove };
                    (kind, number.unwrap_or_default())
                }
            };
            let etag = self.graph.fresh_etag();
            let op = Op { kind, path, value: written };
            if let Ok(patched) = twin.patched(at, etag, &[op], None, &self.graph.models) {
                self.graph.keep(at, &cell.resource, patched);
            }
            if let Some(value) = value {
                self.shown.entry(cell.resource.clone()).or_default().insert((key, measure), value);
            }
        }
    }

    /// The manual route: the files of a pack, one by one (`?file=NAME`), the manifest
    /// last; then the import job of each.
    fn pack(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        let text = match pack(request) {
            Ok((_, _, text)) => text,
            Err(refused) => return *refused,
        };
        let name = web::parameter(request, "file").unwrap_or_default();
        let is_job = |name: &str| name.ends_with(".ndjson");
        let files = match self.dropped.keep((&name, text), manifest::NAME, is_job) {
            Ok(Some(files)) => files,
            Ok(None) => return answer(200, &json!({ "holds": name })),
            Err(reason) => return refuse(&reason),
        };
        let (before, mut twins) = (self.plan.store.changes(), 0);
        for text in files.values() {
            match import(&mut self.graph, at, text) {
                Ok(done) => twins += done.twins,
                Err((code, text)) => return refuse(&format!("{code}: {text}")),
            }
        }
        self.look(at, Writer::Job("Import job".to_owned()));
        let written = self.plan.store.changes() - before;
        answer(200, &json!({ "twins": twins, "written": written, "rejects": [] }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lead_back_to_their_periods() {
        for (key, text) in [
            ("D2026_10_26", "2026-10-26"),
            ("W2026_43", "2026-W43"),
            ("T2026_05a", "2026-W05a"),
            ("M2026_10", "2026-10"),
        ] {
            assert_eq!(period(key), text.parse().ok(), "{key}");
        }
        for none in ["", "2026", "W2026-43", "W2026_99", "X2026_43"] {
            assert_eq!(period(none), None, "{none}");
        }
    }
}
