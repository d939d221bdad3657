//! The planner's grid: measures by stored periods, with totals by month.
//!
//! A total says what stands behind it (how many cells, how many a person edited,
//! in which states), since a sum alone hides all three.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::{Aggregation, Period, PeriodKind, Status};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde_json::{Value, json};

use super::{
    Cell, Part, Places, Plan, Row, RowKey, STORAGE, Totals, Wiring, model::Model, unit_name,
};
use crate::sdk::simulator::Writer;

/// Months that the page shows at most.
const MONTHS_MAX: usize = 18;

/// What the page looks at.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    pub(super) resource: &'a str,
    pub(super) location: &'a str,
    pub(super) scope: &'a str,
    pub(super) months: Vec<Period>,
    pub(super) today: Date,
}

/// One column: a stored period, or the total of its month.
#[derive(Clone, Copy)]
struct Column {
    period: Period,
    total: bool,
}

/// What stands behind the cells of one column.
struct Behind<'a> {
    model: &'a Model,
    totals: Totals,
    used: Totals,
    /// Rows with a value, and rows whose value a person wrote, by measure; the last
    /// is the capacity in use.
    filled: Vec<usize>,
    edited: Vec<usize>,
    /// Rows with a status.
    known: usize,
    /// Rows by what a planner may trust them for.
    states: BTreeMap<&'static str, usize>,
    rows: usize,
    /// The last row: the only one, where the column is no total.
    last: Row,
    last_used: Option<Cell>,
}

/// The months that a page shows: `count` of them, from the one that holds `first`.
pub(super) fn months(first: Date, count: usize) -> Vec<Period> {
    let first = Period::containing(PeriodKind::Month, first);
    let next = |month: &Period| Some(month.next());
    std::iter::successors(Some(first), next).take(count.clamp(1, MONTHS_MAX)).collect()
}

impl Plan {
    pub(super) fn grid(&self, view: &View<'_>, places: &dyn Places) -> Value {
        let columns = self.columns_in(&view.months);
        let all = places.pairs("");
        let chosen = |(resource, location): &&(String, String)| {
            (view.resource.is_empty() || view.resource == resource)
                && (view.location.is_empty() || view.location == location)
        };
        let pairs: Vec<_> = all.iter().filter(chosen).cloned().collect();
        let cells: Vec<_> =
            columns.iter().map(|column| self.cells(view, &pairs, *column)).collect();
        let column = |n: usize| cells.iter().map(|column| &column[n]).collect::<Vec<_>>();
        let mut measures: Vec<_> = self
            .model
            .measures
            .iter()
            .enumerate()
            .map(|(n, declared)| {
                json!({
                    "id": &*declared.id,
                    "slot": declared.part.slot(),
                    "label": declared.label,
                    "aggregation": aggregation(declared.part, declared.aggregation),
                    "editable": !self.calculated(n) && pairs.len() == 1
                        && self.assigned(view.scope, n),
                    "cells": column(n),
                })
            })
            .collect();
        let in_use = json!({
            "id": "INUSE",
            "slot": "in_use",
            "label": "Capacity in use",
            "aggregation": "sum",
            "editable": false,
            "cells": column(self.model.measures.len()),
        });
        // Where nothing is assumed there is no plan for capacity to be in use in.
        measures.extend(self.model.part(Part::Assumed).map(|_| in_use));
        let scopes: Vec<_> =
            [""].into_iter().chain(self.model.scopes.iter().map(|(name, _)| &**name)).collect();
        json!({
            "title": self.title,
            "scope_word": self.scope_word,
            "today": view.today,
            // Whose day that is: this sandbox has no zone of its own.
            "zone": "UTC",
            "storage": storage_word(self.storage),
            "unit": unit_name(self.model.unit).to_lowercase(),
            "version": view.scope,
            "versions": scopes,
            "wiring": self.wiring.word(),
            "selected": pairs.len(),
            "resources": all.iter().map(|(resource, location)| json!({
                "resource": resource,
                "location": location,
                "description": places.resource(resource),
            })).collect::<Vec<_>>(),
            "locations": all.iter().map(|(_, location)| (location.clone(), places.location(location)))
                .collect::<BTreeMap<_, _>>(),
            "columns": columns.iter().map(|c| {
                let mut column = column_json(*c, view.today);
                if let ([(resource, location)], false) = (pairs.as_slice(), c.total) {
                    let key = RowKey::new(view.scope, resource, location, c.period);
                    column["told"] = json!(self.store.told(&key));
                }
                column
            }).collect::<Vec<_>>(),
            "measures": measures,
        })
    }

    fn columns_in(&self, months: &[Period]) -> Vec<Column> {
        let mut columns = Vec::new();
        for month in months {
            let mut period = Period::containing(self.storage, month.start());
            if period.start() < month.start() {
                period = period.next();
            }
            while period.start() < month.end() {
                columns.push(Column { period, total: false });
                period = period.next();
            }
            // A month that is stored is its own total.
            if self.storage != PeriodKind::Month {
                columns.push(Column { period: *month, total: true });
            }
        }
        columns
    }

    /// The cells of one column, in the order of the measures; the last is the
    /// capacity in use, as the wiring makes it of the base plan.
    fn cells(&self, view: &View<'_>, pairs: &[(String, String)], column: Column) -> Vec<Value> {
        let mut periods = vec![column.period];
        if column.total {
            let all = self.columns_in(&[column.period]);
            periods = all.iter().filter(|c| !c.total).map(|c| c.period).collect();
        }
        let mut behind = Behind::new(&self.model);
        for (resource, location) in pairs {
            for period in &periods {
                let (row, base) = self.rows_of(view.scope, resource, location, *period);
                behind.add(row, &base, self.wiring, view.today);
            }
        }
        let measures = 0..self.model.measures.len();
        measures.map(|n| behind.cell(n)).chain([behind.in_use()]).collect()
    }

    /// A row as the page shows it, and the base plan's: what the scope doesn't
    /// hold comes from base.
    fn rows_of(&self, scope: &str, resource: &str, location: &str, period: Period) -> (Row, Row) {
        let of = |scope: &str| {
            let key = RowKey::new(scope, resource, location, period);
            self.store.rows.get(&key).cloned().unwrap_or_default()
        };
        let base = of("");
        if scope.is_empty() {
            return (base.clone(), base);
        }
        let mut row = of(scope);
        for measure in [Part::Assumed, Part::Load].map(|part| self.model.part(part)) {
            measure.into_iter().for_each(|measure| row.take(measure, &base));
        }
        (row, base)
    }
}

impl<'a> Behind<'a> {
    fn new(model: &'a Model) -> Self {
        let none = vec![0; model.measures.len() + 1];
        Self {
            model,
            totals: Totals::default(),
            used: Totals::default(),
            filled: none.clone(),
            edited: none,
            known: 0,
            states: BTreeMap::new(),
            rows: 0,
            last: Row::default(),
            last_used: None,
        }
    }

    fn add(&mut self, row: Row, base: &Row, wiring: Wiring, today: Date) {
        self.rows += 1;
        self.known += usize::from(status(self.model, &row) != Status::Unknown);
        *self.states.entry(state(self.model, &row, today)).or_default() += 1;
        let used = self.model.part(Part::Assumed);
        let used = used.and_then(|measure| self.model.seen(base, measure, wiring));
        let cells = (0..self.model.measures.len()).map(|measure| row.cell(measure));
        for (n, cell) in cells.chain([used]).enumerate() {
            self.filled[n] += usize::from(cell.is_some());
            let person = cell.is_some_and(|cell| matches!(*cell.writer, Writer::Person(_)));
            self.edited[n] += usize::from(person);
        }
        self.totals.add(self.model, &row, Wiring::None);
        self.used.add(self.model, base, wiring);
        self.last_used = used.cloned();
        self.last = row;
    }

    fn cell(&self, measure: usize) -> Value {
        let writer = self.last.cell(measure).filter(|_| self.rows == 1);
        let part = self.model.measures[measure].part;
        if part == Part::Utilisation {
            return cell_json(self.used.value(self.model, measure), None);
        }
        let mut cell = cell_json(self.totals.value(self.model, measure), writer);
        self.count(measure, &mut cell);
        if cell.is_object() && part == Part::Status {
            cell["known"] = self.known.into();
            cell["states"] = json!(self.states);
        }
        cell
    }

    fn in_use(&self) -> Value {
        let writer = self.last_used.as_ref().filter(|_| self.rows == 1);
        let used = self.model.part(Part::Assumed);
        let value = used.and_then(|measure| self.used.value(self.model, measure));
        let mut cell = cell_json(value, writer);
        self.count(self.model.measures.len(), &mut cell);
        cell
    }

    fn count(&self, n: usize, cell: &mut Value) {
        if !cell.is_object() {
            return;
        }
        cell["n"] = self.filled[n].into();
        cell["of"] = self.rows.into();
        if self.edited[n] > 0 {
            cell["edited"] = self.edited[n].into();
        }
    }
}

/// What a planner may trust a row for today. A number past its end is stale,
/// whatever its status says; a status without a live number vouches for nothing.
fn state(model: &Model, row: &Row, today: Date) -> &'static str {
    let digits =
        i64::from(today.year()) * 10_000 + i64::from(today.month()) * 100 + i64::from(today.day());
    let of = |part| row.value(model.part(part)?);
    let stale = of(Part::ValidUntil).is_some_and(|end| end < Decimal::from(digits));
    let absent = of(Part::Live).is_none();
    match status(model, row) {
        Status::Unknown => Status::Unknown.word(),
        _ if stale => "stale",
        Status::Conflicting => Status::Conflicting.word(),
        _ if absent => Status::Unknown.word(),
        known => known.word(),
    }
}

/// The status that landed; a row without one is unknown.
fn status(model: &Model, row: &Row) -> Status {
    let code = model.part(Part::Status).and_then(|measure| row.value(measure));
    let code = code.and_then(|code| code.to_i64());
    code.map_or(Status::Unknown, Status::from_code)
}

fn storage_word(storage: PeriodKind) -> &'static str {
    STORAGE.iter().find(|(_, kind)| *kind == storage).map_or("week", |(word, _)| word)
}

/// One cell: its value, and who wrote it.
fn cell_json(value: Option<Decimal>, cell: Option<&Cell>) -> Value {
    let Some(value) = value else { return Value::Null };
    let mut json = json!({ "v": value.round_dp(6).normalize().to_string() });
    if let Some(cell) = cell {
        json["by"] = cell.writer.kind().into();
        json["name"] = cell.writer.name().into();
        json["at"] = cell.at.to_string().into();
    }
    json
}

fn column_json(column: Column, today: Date) -> Value {
    let (start, end) = (column.period.start(), column.period.end());
    json!({
        "id": column.period.to_string(),
        "total": column.total,
        "start": start,
        "last": end.saturating_sub(1.day()),
        "current": start <= today && today < end,
        "past": end <= today,
    })
}

const fn aggregation(part: Part, declared: Aggregation) -> &'static str {
    match declared {
        _ if matches!(part, Part::Utilisation) => "calculated",
        Aggregation::Sum => "sum",
        Aggregation::Max => "max",
        Aggregation::Min => "min",
        Aggregation::None => "none",
    }
}
