//! The planner's grid: measures by stored periods, with totals by month.
//!
//! A total says what stands behind it (how many cells, how many a person edited,
//! in which states), since a sum alone hides all three.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{Aggregation, Period, PeriodKind, Status};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde_json::{Value, json};

use super::{
    SapIbp,
    model::{
        CAPADEMAND, CAPASUPPLY, KEY_FIGURES, PLANNING_AREA, TWIN_VERSION, TWINCAPALIVE, TWINSTATUS,
        TWINVALIDTO, UTILIZATIONPCT,
    },
    options::{STORAGE, Wiring},
    query::Query,
    store::{Cell, Row, RowKey, Totals},
};
use crate::simulator::Writer;

/// Where the capacity in use stands behind the key figures.
const IN_USE: usize = KEY_FIGURES.len();
/// Months that the page shows at most.
const MONTHS_MAX: usize = 18;

/// What the page looks at.
pub(super) struct View<'a> {
    resource: &'a str,
    location: &'a str,
    version: &'a str,
    months: Vec<Period>,
    today: Date,
}

/// One column: a stored period, or the total of its month.
#[derive(Clone, Copy)]
struct Column {
    period: Period,
    total: bool,
}

/// What stands behind the cells of one column.
#[derive(Default)]
struct Behind {
    totals: Totals,
    used: Totals,
    /// Rows with a value, and rows whose value a person wrote, by key figure; the
    /// last is the capacity in use.
    filled: [usize; IN_USE + 1],
    edited: [usize; IN_USE + 1],
    /// Rows with a status.
    known: usize,
    /// Rows by what a planner may trust them for.
    states: BTreeMap<&'static str, usize>,
    rows: usize,
    /// The last row: the only one, where the column is no total.
    last: Row,
    last_used: Option<Cell>,
}

impl SapIbp {
    pub(super) fn view<'a>(&self, at: Timestamp, query: &'a Query) -> Result<View<'a>, String> {
        let today = TimeZone::UTC.to_datetime(at).date();
        let first = match query.get("from") {
            None | Some("") => Period::containing(PeriodKind::Month, today),
            Some(text) => text.parse::<Period>().map_err(|error| error.to_string())?,
        };
        let first = Period::containing(PeriodKind::Month, first.start());
        let count =
            query.get("months").map_or(Ok(3), str::parse).map_err(|_| "months: a number")?;
        let next = |month: &Period| Some(month.next());
        let months = std::iter::successors(Some(first), next).take(count.clamp(1, MONTHS_MAX));
        Ok(View {
            resource: query.get("resource").unwrap_or_default(),
            location: query.get("location").unwrap_or_default(),
            version: query.get("version").unwrap_or_default(),
            months: months.collect(),
            today,
        })
    }

    pub(super) fn grid(&self, view: &View<'_>) -> Value {
        let columns = self.columns_in(&view.months);
        let pairs: Vec<_> = self
            .master
            .resources()
            .into_iter()
            .filter(|(resource, location)| {
                (view.resource.is_empty() || view.resource == resource)
                    && (view.location.is_empty() || view.location == location)
            })
            .collect();
        let cells: Vec<_> =
            columns.iter().map(|column| self.cells(view, &pairs, *column)).collect();
        let mut measures: Vec<_> = (0..KEY_FIGURES.len())
            .map(|figure| {
                let declared = &KEY_FIGURES[figure];
                json!({
                    "id": declared.id,
                    "label": declared.label,
                    "aggregation": aggregation(figure),
                    "editable": !self.calculated(figure) && pairs.len() == 1
                        && self.assigned(view.version, figure),
                    "cells": cells.iter().map(|column| &column[figure]).collect::<Vec<_>>(),
                })
            })
            .collect();
        measures.push(json!({
            "id": "INUSE",
            "label": "Capacity in use",
            "aggregation": "sum",
            "editable": false,
            "cells": cells.iter().map(|column| &column[IN_USE]).collect::<Vec<_>>(),
        }));
        let resources: Vec<_> = self
            .master
            .resources()
            .into_iter()
            .map(|(resource, location)| {
                let description = self.master.describe("RESID", &resource);
                json!({ "resource": resource, "location": location, "description": description })
            })
            .collect();
        json!({
            "area": PLANNING_AREA,
            "today": view.today,
            // Whose day that is: this sandbox has no zone of its own.
            "zone": "UTC",
            "storage": storage_word(self.options.storage),
            "version": view.version,
            "versions": ["", TWIN_VERSION],
            "wiring": self.options.wiring.word(),
            "selected": pairs.len(),
            "resources": resources,
            "locations": { "1010": self.master.describe("LOCID", "1010"),
                           "1020": self.master.describe("LOCID", "1020") },
            "columns": columns.iter().map(|c| column_json(*c, view.today)).collect::<Vec<_>>(),
            "measures": measures,
        })
    }

    fn columns_in(&self, months: &[Period]) -> Vec<Column> {
        let mut columns = Vec::new();
        for month in months {
            let mut period = Period::containing(self.options.storage, month.start());
            if period.start() < month.start() {
                period = period.next();
            }
            while period.start() < month.end() {
                columns.push(Column { period, total: false });
                period = period.next();
            }
            columns.push(Column { period: *month, total: true });
        }
        columns
    }

    /// The cells of one column, in key figure order; the last is the capacity in
    /// use, as the wiring makes it of the base plan.
    fn cells(&self, view: &View<'_>, pairs: &[(String, String)], column: Column) -> Vec<Value> {
        let mut periods = vec![column.period];
        if column.total {
            let all = self.columns_in(&[column.period]);
            periods = all.iter().filter(|c| !c.total).map(|c| c.period).collect();
        }
        let mut behind = Behind::default();
        for (resource, location) in pairs {
            for period in &periods {
                let (row, base) = self.rows_of(view.version, resource, location, *period);
                behind.add(row, &base, self.options.wiring, view.today);
            }
        }
        let mut cells: Vec<_> = (0..KEY_FIGURES.len()).map(|figure| behind.cell(figure)).collect();
        cells.push(behind.in_use());
        cells
    }

    /// A row as the page shows it, and the base plan's: what the version doesn't
    /// hold comes from base.
    fn rows_of(&self, version: &str, resource: &str, location: &str, period: Period) -> (Row, Row) {
        let mut key = RowKey::base(resource, location, period);
        let base = self.store.rows.get(&key).cloned().unwrap_or_default();
        if version.is_empty() {
            return (base.clone(), base);
        }
        version.clone_into(&mut key.version);
        let mut row = self.store.rows.get(&key).cloned().unwrap_or_default();
        for figure in [CAPASUPPLY, CAPADEMAND] {
            row.cells[figure].clone_from(&base.cells[figure]);
        }
        (row, base)
    }
}

impl Behind {
    fn add(&mut self, row: Row, base: &Row, wiring: Wiring, today: Date) {
        self.rows += 1;
        self.known += usize::from(status(&row) != Status::Unknown);
        *self.states.entry(state(&row, today)).or_default() += 1;
        let cells = row.cells.iter().map(Option::as_ref);
        for (n, cell) in cells.chain([base.seen_cell(CAPASUPPLY, wiring)]).enumerate() {
            self.filled[n] += usize::from(cell.is_some());
            let person = cell.is_some_and(|cell| matches!(cell.writer, Writer::Person(_)));
            self.edited[n] += usize::from(person);
        }
        self.totals.add(&row, Wiring::None);
        self.used.add(base, wiring);
        self.last = row;
        self.last_used = base.seen_cell(CAPASUPPLY, wiring).cloned();
    }

    fn cell(&self, figure: usize) -> Value {
        let writer = self.last.cells[figure].as_ref().filter(|_| self.rows == 1);
        if figure == UTILIZATIONPCT {
            return cell_json(figure, &self.used, None);
        }
        let mut cell = cell_json(figure, &self.totals, writer);
        self.count(figure, &mut cell);
        if cell.is_object() && figure == TWINSTATUS {
            cell["known"] = self.known.into();
            cell["states"] = json!(self.states);
        }
        cell
    }

    fn in_use(&self) -> Value {
        let writer = self.last_used.as_ref().filter(|_| self.rows == 1);
        let mut cell = cell_json(CAPASUPPLY, &self.used, writer);
        self.count(IN_USE, &mut cell);
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
fn state(row: &Row, today: Date) -> &'static str {
    let digits =
        i64::from(today.year()) * 10_000 + i64::from(today.month()) * 100 + i64::from(today.day());
    let stale = row.value(TWINVALIDTO).is_some_and(|end| end < Decimal::from(digits));
    let absent = row.value(TWINCAPALIVE).is_none();
    match status(row) {
        Status::Unknown => Status::Unknown.word(),
        _ if stale => "stale",
        Status::Conflicting => Status::Conflicting.word(),
        _ if absent => Status::Unknown.word(),
        known => known.word(),
    }
}

/// The status that landed; a row without one is unknown.
fn status(row: &Row) -> Status {
    let code = row.value(TWINSTATUS).and_then(|code| code.to_i64());
    code.map_or(Status::Unknown, Status::from_code)
}

fn storage_word(storage: PeriodKind) -> &'static str {
    STORAGE.iter().find(|(_, kind)| *kind == storage).map_or("week", |(word, _)| word)
}

/// One cell: its value, and who wrote it.
fn cell_json(figure: usize, totals: &Totals, cell: Option<&Cell>) -> Value {
    let Some(value) = totals.value(figure) else { return Value::Null };
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

const fn aggregation(figure: usize) -> &'static str {
    if figure == UTILIZATIONPCT {
        return "calculated";
    }
    match KEY_FIGURES[figure].aggregation {
        Aggregation::Sum => "sum",
        Aggregation::Max => "max",
        Aggregation::Min => "min",
        Aggregation::None => "none",
    }
}
