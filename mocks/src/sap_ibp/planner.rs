//! `/planner`: the planner's grid, and what its page asks for.
//!
//! The page knows only what the sandbox stores, and today's date. People use
//! it without the interface's user; writes need a JSON or CSV content type, so
//! that a foreign page's form can't make them.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{Aggregation, Period, PeriodKind};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    SapIbp,
    model::{
        CAPADEMAND, CAPASUPPLY, KEY_FIGURES, PLANNING_AREA, TWIN_VERSION, TWINSTATUS,
        UTILIZATIONPCT, key_figure,
    },
    options::Wiring,
    query::Query,
    store::{Cell, Row, RowKey, Totals},
    wire::response,
};
use crate::{
    page,
    simulator::{Change, Writer},
};

/// Where the capacity in use stands behind the key figures.
const IN_USE: usize = KEY_FIGURES.len();
/// Months that the page shows at most.
const MONTHS_MAX: usize = 18;

/// What the page looks at.
struct View<'a> {
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

/// A person's edit of one cell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    resource: String,
    location: String,
    period: Period,
    measure: String,
    /// `null` clears the cell.
    value: Option<Decimal>,
    #[serde(default = "somebody")]
    who: String,
    #[serde(default)]
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rewire {
    wiring: String,
}

fn somebody() -> String {
    "planner".to_owned()
}

impl SapIbp {
    /// Answers everything that is not one of the two services.
    pub(super) fn planner(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        path: &str,
    ) -> Response<Bytes> {
        let query = Query::parse(request.uri().query());
        match (request.method(), path) {
            (&Method::GET | &Method::HEAD, "/") => {
                let mut moved = response(307, "text/plain;charset=utf-8", "see /planner");
                let to = HeaderValue::from_static("/planner");
                moved.headers_mut().insert(header::LOCATION, to);
                moved
            }
            (&Method::GET | &Method::HEAD, path) if page::file(path).is_some() => {
                page::answer(path)
            }
            (&Method::GET, "/planner/data.json") => match self.view(at, &query) {
                Ok(view) => reply(200, &self.grid(&view)),
                Err(error) => refuse(&error),
            },
            (&Method::GET, "/planner/history.json") => reply(200, &self.changes_json(&query)),
            (&Method::POST, "/planner/edit" | "/planner/nightly" | "/planner/wiring") => {
                let kind = request.headers().get(header::CONTENT_TYPE);
                if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
                    return refuse("send application/json");
                }
                match self.act(at, path, request.body()) {
                    Ok(done) => reply(200, &done),
                    Err(error) => refuse(&error),
                }
            }
            (&Method::POST, "/planner/pack") => self.pack(at, request, &query),
            _ => reply(404, &json!({ "error": format!("nothing at {path}; see /planner") })),
        }
    }

    fn act(&mut self, at: Timestamp, path: &str, body: &[u8]) -> Result<Value, String> {
        match path {
            "/planner/nightly" => {
                let before = self.store.changes.len();
                self.nightly(at);
                Ok(json!({ "changed": self.store.changes.len() - before }))
            }
            "/planner/wiring" => {
                let rewire: Rewire = serde_json::from_slice(body).map_err(|e| e.to_string())?;
                let wiring: Wiring = rewire
                    .wiring
                    .parse()
                    .map_err(|e: super::options::WiringError| e.to_string())?;
                self.rewire(wiring);
                Ok(json!({ "wiring": wiring.word() }))
            }
            _ => {
                let edit: Edit = serde_json::from_slice(body).map_err(|e| e.to_string())?;
                self.edit(at, edit)
            }
        }
    }

    fn edit(&mut self, at: Timestamp, edit: Edit) -> Result<Value, String> {
        let figure = key_figure(&edit.measure)
            .filter(|figure| KEY_FIGURES[*figure].stored)
            .ok_or_else(|| format!("{} can't be edited: it is not stored", edit.measure))?;
        if self.calculated(figure) {
            return Err(format!("{} is calculated in this wiring", edit.measure));
        }
        if !edit.version.is_empty() && edit.version != TWIN_VERSION {
            return Err(format!("version {} does not exist", edit.version));
        }
        if !self.assigned(&edit.version, figure) {
            return Err(format!("{} is not assigned to version {}", edit.measure, edit.version));
        }
        if edit.period.kind() != self.options.storage {
            return Err(format!("{} is no stored period; open its weeks", edit.period));
        }
        if !self.master.has_pair(&edit.version, &edit.resource, &edit.location) {
            return Err(format!("{} at {} does not exist", edit.resource, edit.location));
        }
        let mut key = RowKey::base(&edit.resource, &edit.location, edit.period);
        key.version = edit.version;
        let value = edit.value.map(|value| value.round_dp(6));
        self.store.set(at, key, figure, value, &Writer::Person(edit.who));
        Ok(json!({ "changed": 1 }))
    }

    fn pack(&mut self, at: Timestamp, request: &Request<Bytes>, query: &Query) -> Response<Bytes> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/csv")) {
            return refuse("send text/csv");
        }
        let separator = query.get("separator").and_then(|text| text.bytes().next()).unwrap_or(b',');
        let version = query.get("version").unwrap_or_default();
        let file = std::str::from_utf8(request.body());
        let report = file
            .map_err(|_| "the file is not UTF-8".to_owned())
            .and_then(|file| self.import_csv(at, file, separator, version));
        match report {
            Ok(report) => reply(200, &json!(report)),
            Err(error) => refuse(&error),
        }
    }

    fn view<'a>(&self, at: Timestamp, query: &'a Query) -> Result<View<'a>, String> {
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

    fn grid(&self, view: &View<'_>) -> Value {
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
        let (mut totals, mut used) = (Totals::default(), Totals::default());
        let mut periods = vec![column.period];
        if column.total {
            let all = self.columns_in(&[column.period]);
            periods = all.iter().filter(|c| !c.total).map(|c| c.period).collect();
        }
        let (mut filled, mut known, mut single) = ([0usize; IN_USE + 1], 0usize, None);
        for (resource, location) in pairs {
            for period in &periods {
                let (row, base) = self.rows_of(view.version, resource, location, *period);
                known += usize::from(row.value(TWINSTATUS).is_some_and(|code| !code.is_zero()));
                for (figure, rows) in filled[..IN_USE].iter_mut().enumerate() {
                    *rows += usize::from(row.value(figure).is_some());
                }
                let in_use = base.seen(CAPASUPPLY, self.options.wiring).is_some();
                filled[IN_USE] += usize::from(in_use);
                totals.add(&row, Wiring::None);
                used.add(&base, self.options.wiring);
                single = Some(row);
            }
        }
        let expected = pairs.len() * periods.len();
        let single = single.filter(|_| expected == 1);
        let mut cells: Vec<_> = (0..KEY_FIGURES.len())
            .map(|figure| {
                let writer = single.as_ref().and_then(|row| row.cells[figure].as_ref());
                let of = if figure == UTILIZATIONPCT { &used } else { &totals };
                let mut cell = cell_json(figure, of, writer);
                if cell.is_object() && figure != UTILIZATIONPCT {
                    cell["n"] = filled[figure].into();
                    cell["of"] = expected.into();
                }
                if cell.is_object() && figure == TWINSTATUS {
                    cell["known"] = known.into();
                }
                cell
            })
            .collect();
        let mut in_use = cell_json(CAPASUPPLY, &used, None);
        if in_use.is_object() {
            in_use["n"] = filled[IN_USE].into();
            in_use["of"] = expected.into();
        }
        cells.push(in_use);
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

    fn changes_json(&self, query: &Query) -> Value {
        let wanted = |name: &str, value: &str| query.get(name).is_none_or(|text| text == value);
        let newest = self.store.changes.iter().rev().filter(|change| {
            wanted("resource", &change.cell.resource)
                && wanted("location", &change.cell.location)
                && wanted("measure", &change.cell.measure)
                && wanted("period", &change.cell.period.to_string())
                && wanted("by", change.cell.writer.kind())
        });
        let limit = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(50);
        let list: Vec<_> = newest.take(limit).map(change_json).collect();
        json!({ "changes": list, "total": self.store.changes.len() })
    }
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

fn change_json(change: &Change) -> Value {
    let cell = &change.cell;
    json!({
        "at": change.at.to_string(),
        "version": cell.scope,
        "resource": cell.resource,
        "location": cell.location,
        "period": cell.period.to_string(),
        "measure": cell.measure,
        "before": change.before.map(|value| value.normalize().to_string()),
        "value": cell.value.normalize().to_string(),
        "by": cell.writer.kind(),
        "name": cell.writer.name(),
    })
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

fn reply(status: u16, body: &Value) -> Response<Bytes> {
    let mut answer = response(status, "application/json", body.to_string());
    let none = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, none);
    answer
}

fn refuse(error: &str) -> Response<Bytes> {
    reply(400, &json!({ "error": error }))
}
