//! The tenant's inbound rule `PlanthreadCapacity` (section 4.6): it validates,
//! writes, and says what it made of each row. Its payload is agreed between
//! tenant and sender; this one is the demo tenant's.
//!
//! ```text
//! {"SignalId": "…", "Rows": [{"Id": "1", "Version": "TwinSignals", "Measure": "Capacity Override",
//!    "Resource": "LINE-1", "Location": "1010", "Time": "W03-2026", "Value": "36.50"}]}
//! {"Status": "Success", "Message": "1 of 1 rows written", "Rows": []}
//! ```

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, O9, Refusal, Switch, json_answer, model::FINAL, refuse, run::Write};
use crate::sdk::{plan::RowKey, web};

/// Most rows of one call.
const ROWS_MAX: usize = 500;
/// Decimals that the measures keep.
const SCALE: u32 = 6;
/// How long the creation of a member takes (20 to 136 s are documented).
const CREATION: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Payload {
    signal_id: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Row {
    id: String,
    version: String,
    measure: String,
    resource: String,
    location: String,
    time: String,
    value: String,
}

impl O9 {
    pub(super) fn rule(&mut self, at: Timestamp, body: &Value) -> Answer {
        self.rule_says(at, body).map(|said| json_answer(200, &said))
    }

    pub(super) fn rule_says(&mut self, at: Timestamp, body: &Value) -> Result<Value, Refusal> {
        let payload: Payload = serde_json::from_value(body.clone())
            .map_err(|error| refuse(400, format!("the payload can't be read: {error}")))?;
        if payload.rows.is_empty() || payload.rows.len() > ROWS_MAX {
            return Err(refuse(400, format!("1 to {ROWS_MAX} rows, please")));
        }
        let digest = web::digest(body.to_string());
        match self.taken.get(&payload.signal_id) {
            Some(known) if *known == digest => {
                let text = format!("signal {} was taken before", payload.signal_id);
                return Ok(json!({ "Status": "Duplicate", "Message": text, "Rows": [] }));
            }
            Some(_) => return Err(refuse(409, "another signal has this id")),
            None => {}
        }
        let (mut writes, mut refused) = (Vec::new(), Vec::new());
        for row in &payload.rows {
            self.create(row);
            match self.judged(at, row) {
                Ok(write) => writes.extend(write),
                Err((code, text)) => {
                    refused.push(json!({ "Id": row.id, "Code": code, "Message": text }));
                }
            }
        }
        let (written, all) = (payload.rows.len() - refused.len(), payload.rows.len());
        for write in writes {
            self.put(at, &write);
        }
        self.taken.insert(payload.signal_id, digest);
        let message = format!("{written} of {all} rows written");
        let named = self.on(Switch::RefusalsNamed) && !refused.is_empty();
        let status = if named { "Partial" } else { "Success" };
        let refused = if named { refused } else { Vec::new() };
        Ok(json!({ "Status": status, "Message": message, "Rows": refused }))
    }

    /// A rule that creates what it does not know takes its time.
    fn create(&mut self, row: &Row) {
        if self.on(Switch::SlowCreateMember) && !self.sites.resources().contains(&*row.resource) {
            self.sites.add(&row.resource, &row.location, "created by the rule");
            self.delay = CREATION;
        }
    }

    /// The write of a row; nothing where the tenant swallows it.
    fn judged(&self, at: Timestamp, row: &Row) -> Result<Option<Write>, (u16, String)> {
        let version = &self.names.version;
        if row.version != *version {
            return Err((400, format!("signals land in {version}, not in [{}]", row.version)));
        }
        let places = [&row.version, &row.resource, &row.location, &row.time].map(String::as_str);
        let key: RowKey = self.leaf(at, places).map_err(|text| (404, text))?;
        let value: Option<Decimal> = row.value.parse().ok();
        let value = value.filter(|value| value.normalize().scale() <= SCALE);
        let value = value.ok_or_else(|| (400, format!("{} is no number of ours", row.value)))?;
        let measure = row.measure.clone();
        let calculated = measure == FINAL;
        let stored = self.plan.model.find(&measure);
        match stored.filter(|found| self.plan.assigned(&key.scope, *found)) {
            _ if calculated && self.on(Switch::SilentReadOnly) => Ok(None),
            Some(found) if !self.plan.calculated(found) => Ok(Some(Write { key, measure, value })),
            _ => Err((403, format!("measure [{measure}] can't be written in {version}"))),
        }
    }
}
