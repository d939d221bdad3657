//! Carries statements out: selects over leaf cells, writes with their traps.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use planthread_contracts::{Aggregation, Period};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    Answer, O9, Switch,
    ibpl::{Set, Statement, parse},
    json_answer,
    model::{FINAL, at_level, kind_of, period, version_of},
    refuse,
    reply::{Form, Found},
};
use crate::sdk::{
    plan::{Part, Places as _, RowKey},
    simulator::Writer,
};

/// One leaf cell to be written.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) key: RowKey,
    pub(super) measure: String,
    pub(super) value: Decimal,
}

/// Who writes through the interface.
const USER: &str = "planthread";

impl O9 {
    /// One query request.
    pub(super) fn query(&mut self, at: Timestamp, body: &Value, compact: bool) -> Answer {
        let text = body["Query"].as_str().ok_or_else(|| refuse(400, "there is no Query"))?;
        let bad = |text: String| refuse(400, format!("IBPL: {text}"));
        let statements = parse(text).map_err(bad)?;
        let several = compact && body["EnableMultipleResults"] == true;
        if statements.len() > 1 && !several && statements.iter().any(is_read) {
            return Err(bad("one select at a time".to_owned()));
        }
        let mut said = json!({ "Meta": [], "Data": [] });
        for statement in statements {
            said = self.statement(at, statement, compact)?;
        }
        if self.on(Switch::DoubleEncoded) {
            said = Value::from(said.to_string());
        }
        Ok(json_answer(200, &said))
    }

    fn statement(
        &mut self,
        at: Timestamp,
        statement: Statement,
        compact: bool,
    ) -> Result<Value, super::Refusal> {
        let bad = |text: String| refuse(400, format!("IBPL: {text}"));
        match statement {
            Statement::CurrentUser => Ok(json!({ "Meta": [{ "Name": "CurrentUser" }],
                "Data": [{ "C0": { "Value": USER } }] })),
            Statement::Select { sets, measures, limit } => {
                let mut found = self.select(&sets, measures).map_err(bad)?;
                found.rows.truncate(limit.unwrap_or(usize::MAX));
                let text = self.on(Switch::NumbersAsText);
                let (metadata, objects) =
                    (self.on(Switch::CellMetadata), self.on(Switch::RowsAsObjects));
                Ok(match compact {
                    true => found.compact(Form { metadata, objects, text }),
                    false => found.verbose(text),
                })
            }
            Statement::Procedure { name, parameters } if name == super::RULE => {
                let parameters: Value =
                    serde_json::from_str(&parameters).map_err(|error| bad(error.to_string()))?;
                self.rule_says(at, &parameters)
            }
            Statement::Procedure { name, .. } => Err(bad(format!("there is no procedure {name}"))),
            _ if !self.on(Switch::UpdateOverQuery) => {
                Err(refuse(403, "this key may not run statements that write"))
            }
            Statement::Save => {
                for write in std::mem::take(&mut self.unsaved) {
                    self.put(at, &write);
                }
                Ok(json!({ "Meta": [], "Data": [] }))
            }
            Statement::Write { sets, values, upserts, cartesian } => {
                let upserts = upserts && !(cartesian && self.on(Switch::CartesianIgnored));
                for write in self.writes(at, &sets, &values, upserts).map_err(bad)? {
                    if self.on(Switch::SaveNeeded) {
                        self.unsaved.push(write);
                    } else {
                        self.put(at, &write);
                    }
                }
                Ok(json!({ "Meta": [], "Data": [] }))
            }
        }
    }

    /// Intersections that hold a value, at the levels of the sets.
    fn select(&self, sets: &[Set], measures: Vec<String>) -> Result<Found, String> {
        if let Some(unknown) = measures.iter().find(|name| !self.has_measure(name)) {
            return Err(format!("there is no measure [{unknown}]"));
        }
        let mut rows: BTreeMap<Vec<String>, Vec<Option<Decimal>>> = BTreeMap::new();
        for key in self.leaves() {
            let Some(members) = members_of(&key, sets)? else { continue };
            let values: Vec<Option<Decimal>> =
                measures.iter().map(|name| self.value(&key, name)).collect();
            if values.iter().all(Option::is_none) {
                continue;
            }
            let row = rows.entry(members).or_insert_with(|| vec![None; measures.len()]);
            for ((slot, value), name) in row.iter_mut().zip(values).zip(&measures) {
                *slot = add(self.adds(name), *slot, value);
            }
        }
        let levels = sets.iter().map(|set| (set.dimension.clone(), set.level.clone())).collect();
        Ok(Found { levels, measures, rows: rows.into_iter().collect() })
    }

    /// The leaf cells of a write. Where the sets leave leaves open, the value
    /// spreads over them in equal parts.
    fn writes(
        &self,
        at: Timestamp,
        sets: &[Set],
        values: &[(String, Decimal)],
        upserts: bool,
    ) -> Result<Vec<Write>, String> {
        let mut leaves = Vec::new();
        for version in ["", self.names.version.as_str()] {
            for (resource, location) in self.sites.pairs(version) {
                for period in self.calendar(at) {
                    let key = RowKey::new(version, &resource, &location, period);
                    if members_of(&key, sets)?.is_some() {
                        leaves.push(key);
                    }
                }
            }
        }
        if leaves.is_empty() {
            return Err("no such intersection: is a member misspelt?".to_owned());
        }
        let fixed: Vec<&str> = sets
            .iter()
            .filter(|set| is_leaf(set, self.plan.storage))
            .map(|set| set.dimension.as_str())
            .collect();
        let whole = ["Version", "Resource", "Location", "Time"].iter().all(|d| fixed.contains(d));
        if !whole && !self.on(Switch::SpreadAggregateWrite) {
            return Err("the update is above the leaf level".to_owned());
        }
        let parts = if whole { 1 } else { leaves.len() };
        let mut writes = Vec::new();
        for (measure, value) in values {
            if measure == FINAL || self.plan.model.find(measure).is_none() {
                return Err(format!("[{measure}] can't be written"));
            }
            for key in &leaves {
                let there = self.value(key, measure).is_some();
                if there || upserts {
                    let value = *value / Decimal::from(parts);
                    writes.push(Write { key: key.clone(), measure: measure.clone(), value });
                }
            }
        }
        Ok(writes)
    }

    /// Writes one leaf cell, with what the tenant's rules make of it.
    pub(super) fn put(&mut self, at: Timestamp, write: &Write) {
        let Some(measure) = self.plan.model.find(&write.measure) else { return };
        let last = self.sites.resources().last().copied();
        let masked = self.on(Switch::AssortmentMask) && last == Some(&*write.key.resource);
        if masked && self.value(&write.key, &write.measure).is_none() {
            return;
        }
        let writer = Arc::new(Writer::Integration(USER.to_owned()));
        self.plan.store.set(at, write.key.clone(), measure, Some(write.value), &writer);
        let assumed = self.plan.model.part(Part::Assumed);
        let cut = self.plan.model.measures[measure].part == Part::Cut;
        if self.on(Switch::ActiveRuleOverwrites) && cut {
            let RowKey { resource, location, period, .. } = &write.key;
            let base = RowKey::base(resource, location, *period);
            let most = assumed.and_then(|measure| self.plan.store.value(&base, measure));
            if let Some(most) = most.filter(|most| *most < write.value) {
                let rule = Arc::new(Writer::Job("active rule".to_owned()));
                self.plan.store.set(at, write.key.clone(), measure, Some(most), &rule);
            }
        }
    }

    /// The leaf cell that members name.
    ///
    /// # Errors
    /// Says which member there is not.
    pub(super) fn leaf(
        &self,
        at: Timestamp,
        [version, resource, location, bucket]: [&str; 4],
    ) -> Result<RowKey, String> {
        let unknown = |what: &str, name: &str| format!("{what} [{name}] does not exist");
        let scope = self.scope_of(version).ok_or_else(|| unknown("version", version))?;
        if !self.sites.resources().contains(resource) {
            return Err(unknown("resource", resource));
        }
        if !self.sites.has_pair(scope, resource, location) {
            return Err(format!("resource [{resource}] is not at location [{location}]"));
        }
        let found: Option<Period> = period(self.plan.storage, bucket);
        let found = found.filter(|period| self.calendar(at).contains(period));
        let found = found.ok_or_else(|| unknown("time member", bucket))?;
        debug_assert_eq!(version_of(scope), version);
        Ok(RowKey::new(scope, resource, location, found))
    }
}

fn is_read(statement: &Statement) -> bool {
    matches!(statement, Statement::Select { .. } | Statement::CurrentUser)
}

fn is_leaf(set: &Set, storage: planthread_contracts::PeriodKind) -> bool {
    set.dimension != "Time" || kind_of(&set.level) == Some(storage)
}

/// Members of a leaf cell at the levels of the sets; `None` where one is not
/// meant.
fn members_of(key: &RowKey, sets: &[Set]) -> Result<Option<Vec<String>>, String> {
    let mut members = Vec::new();
    for set in sets {
        let name = at_level(key, &set.dimension, &set.level);
        let name =
            name.ok_or_else(|| format!("there is no level [{}].[{}]", set.dimension, set.level))?;
        if set.members.as_ref().is_some_and(|meant| !meant.contains(&name)) {
            return Ok(None);
        }
        members.push(name);
    }
    Ok(Some(members))
}

fn add(how: Aggregation, before: Option<Decimal>, value: Option<Decimal>) -> Option<Decimal> {
    match (before, value, how) {
        (before, None, _) => before,
        (None, value, _) => value,
        (Some(before), Some(value), Aggregation::Sum) => Some(before + value),
        (Some(before), Some(value), Aggregation::Max) => Some(before.max(value)),
        (Some(before), Some(value), Aggregation::Min) => Some(before.min(value)),
        (Some(before), Some(_), Aggregation::None) => Some(before),
    }
}
