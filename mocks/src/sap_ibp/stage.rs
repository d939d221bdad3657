//! Deep insert into `<PA>Trans`: strict about shape, silent about content.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, header};
use jiff::{Timestamp, civil::DateTime};
use planthread_contracts::PeriodKind;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{
    Import, SapIbp,
    behaviours::{Switch, Switches},
    model::{NOT_WRITABLE, Span, TimeLevel, value_of},
    planning::TRANS,
    query::Query,
    transaction::StagedRow,
    wire::{DETAILS_MAX, Entry, Format, Nav, Prop, Refusal, one, props, quoted},
};

/// Longest transaction id (section 8.1).
const ID_CHARS_MAX: usize = 32;

/// A POST that has been understood.
struct Posted {
    id: String,
    fields: String,
    version: String,
    commit: bool,
    rows: Vec<StagedRow>,
}

/// The columns that a POST declares.
struct Columns<'a> {
    names: BTreeSet<&'a str>,
    time: TimeLevel,
    level: PeriodKind,
    figures: Vec<(usize, &'a str)>,
}

impl SapIbp {
    /// Handles `POST <PA>Trans`; the second figure is the number of values.
    pub(super) fn stage(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        query: &Query,
        root: &str,
        format: Format,
    ) -> Result<(Response<Bytes>, u64), Refusal> {
        let posted = self.understand(&body(request)?)?;
        let values = posted.rows.iter().map(|row| row.values.len() as u64).sum();
        let entry = self
            .posted_entry(&posted, query.get("P_RETURN_MIN") == Some("X") && self.returns_min());
        let mixed = self.options.switches.on(Switch::MixedColumns);
        let transaction = self.transactions.entry(posted.id.clone()).or_default();
        if transaction.progress.is_committed() {
            let text = format!("Transaction {} is committed already", posted.id);
            return Err(Refusal::bad(text));
        }
        let version = transaction.version.get_or_insert_with(|| posted.version.clone());
        if *version != posted.version {
            return Err(Refusal::bad("One transaction writes one version only"));
        }
        let fields = transaction.fields.get_or_insert_with(|| posted.fields.clone());
        if !mixed && names(fields).ne(names(&posted.fields)) {
            let text = format!(
                "One transaction has one set of columns: {} began with {fields}",
                posted.id
            );
            return Err(Refusal::bad(text));
        }
        transaction.staged.extend(posted.rows);
        if posted.commit || !self.options.switches.on(Switch::StagingWithoutEffect) {
            self.commit(at, Import::KeyFigures(posted.id.clone()));
        }
        Ok((one(201, root, &entry, format), values))
    }

    fn returns_min(&self) -> bool {
        self.options.switches.on(Switch::ReturnMin)
    }

    /// Commits a staged transaction of either service.
    pub(super) fn commit(&mut self, at: Timestamp, import: Import) {
        let (starts, ends) = (self.options.import_starts_after, self.options.import_ends_after);
        let progress = match import {
            Import::KeyFigures(id) => self.transactions.get_mut(&id).map(|t| &mut t.progress),
            Import::MasterData(id) => {
                self.master.transactions.get_mut(&id).map(|t| &mut t.progress)
            }
        };
        if let Some(progress) = progress {
            progress.commit(at, starts, ends);
        }
    }

    fn understand(&self, body: &Map<String, Value>) -> Result<Posted, Refusal> {
        let nav = format!("Nav{}", self.area.name);
        let newer = [("TransactionName", Switch::TransactionName)];
        declared(body, self.options.switches, (&TRANS, &newer, &nav))?;
        let id = own_id(text(body, "Transactionid")?, "Transactionid")?;
        let version = text(body, "VersionID")?;
        if !self.plan.model.has_scope(&version) {
            return Err(Refusal::bad(format!("Version '{version}' does not exist")));
        }
        if !text(body, "ScenarioID")?.is_empty() {
            return Err(Refusal::bad("The scenario does not exist"));
        }
        let commit = flag(body, "DoCommit")?;
        let fields = text(body, "AggregationLevelFieldsString")?;
        let columns = self.columns(&fields)?;
        let rows = match body.get(&nav) {
            None | Some(Value::Null) => &Vec::new(),
            Some(Value::Array(rows)) => rows,
            Some(Value::Object(wrapped))
                if self.options.switches.on(Switch::NavResultsOnPlanning) =>
            {
                match wrapped.get("results") {
                    Some(Value::Array(rows)) => rows,
                    _ => return Err(Refusal::bad(format!("'{nav}' must be an array"))),
                }
            }
            Some(_) => return Err(Refusal::bad(format!("'{nav}' must be an array"))),
        };
        let rows = self.rows(rows, &columns)?;
        Ok(Posted { id, fields, version, commit, rows })
    }

    /// Understands all rows; the refusal speaks of each that is at fault.
    fn rows(&self, rows: &[Value], columns: &Columns<'_>) -> Result<Vec<StagedRow>, Refusal> {
        let (mut good, mut refusal, mut details) = (Vec::new(), None, Vec::new());
        for (n, row) in rows.iter().enumerate() {
            match self.row(row, columns) {
                Ok(row) => good.push(row),
                Err(fault) => {
                    if details.len() < DETAILS_MAX {
                        details.push(format!("row {}: {}", n + 1, fault.message));
                    }
                    refusal.get_or_insert(fault);
                }
            }
        }
        match refusal {
            None => Ok(good),
            Some(refusal) => Err(Refusal { details, ..refusal }),
        }
    }

    fn columns<'a>(&self, fields: &'a str) -> Result<Columns<'a>, Refusal> {
        let mut names = BTreeSet::new();
        let (mut times, mut figures) = (Vec::new(), Vec::new());
        for name in listed(fields) {
            if NOT_WRITABLE.contains(&name) {
                return Err(Refusal::bad(format!("Column {name} can't be written")));
            }
            if !names.insert(name) {
                return Err(Refusal::bad(format!("Column {name} is named twice")));
            }
            if let Some(level) = self.area.time(name) {
                times.push(level);
            } else if let Some(figure) = self.plan.model.find(name) {
                self.writable(figure)?;
                figures.push((figure, name));
            } else if ![&*self.area.resource, &*self.area.location].contains(&name) {
                return Err(Refusal::bad(format!("Property '{name}' is invalid")));
            }
        }
        let &[time] = times.as_slice() else {
            let example = self.area.times.last().map_or("", |level| &level.stamp);
            let text =
                format!("AggregationLevelFieldsString needs one time field, such as {example}");
            return Err(Refusal::bad(text));
        };
        let Span::Of(level) = time.span else {
            return Err(Refusal::bad(format!(
                "{} is no level that values are split from",
                time.stamp
            )));
        };
        if figures.is_empty() {
            return Err(Refusal::bad("AggregationLevelFieldsString names no key figure"));
        }
        Ok(Columns { names, time: time.clone(), level, figures })
    }

    fn writable(&self, figure: usize) -> Result<(), Refusal> {
        if !self.plan.calculated(figure) {
            return Ok(());
        }
        let status = if self.options.switches.on(Switch::CalculatedIs500) { 500 } else { 400 };
        let text = format!("invalid column name: {}", self.plan.model.measures[figure].id);
        Err(Refusal::new(status, "/IBP/CX_INTERNAL", text))
    }

    fn row(&self, row: &Value, columns: &Columns<'_>) -> Result<StagedRow, Refusal> {
        let row = row.as_object().ok_or_else(|| Refusal::bad("A row must be an object"))?;
        let names: BTreeSet<_> =
            row.keys().map(String::as_str).filter(|name| *name != "__metadata").collect();
        if names != columns.names && self.options.switches.on(Switch::OneColumnSet) {
            let odd: Vec<_> = names.symmetric_difference(&columns.names).copied().collect();
            return Err(Refusal::bad(format!(
                "Columns of a row differ from AggregationLevelFieldsString: {}",
                odd.join(", ")
            )));
        }
        let mut values = Vec::new();
        for (figure, name) in &columns.figures {
            if let Some(value) = row.get(*name) {
                values.push((*figure, self.decimal(name, value)?));
            }
        }
        let attribute = |name: &str| match row.get(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.clone())),
            Some(_) => Err(Refusal::bad(format!("Property '{name}' must be a string"))),
        };
        let day = self.date(&columns.time.stamp, row.get(&*columns.time.stamp))?;
        Ok(StagedRow {
            resource: attribute(&self.area.resource)?,
            location: attribute(&self.area.location)?,
            level: columns.level,
            day: self.calendar_day(columns.time.span, day.date()),
            values,
        })
    }

    fn decimal(&self, name: &str, value: &Value) -> Result<Decimal, Refusal> {
        let invalid = || Refusal::bad(format!("Property '{name}' has an invalid value"));
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if !self.options.switches.on(Switch::StringsOnly) => {
                number.to_string()
            }
            _ => return Err(invalid()),
        };
        value_of(&text).ok_or_else(invalid)
    }

    fn date(&self, name: &str, value: Option<&Value>) -> Result<DateTime, Refusal> {
        let invalid = || Refusal::bad(format!("Property '{name}' has an invalid value"));
        let text = value.and_then(Value::as_str).ok_or_else(invalid)?;
        if let Some(millis) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
            if !self.options.switches.on(Switch::JsonDates) {
                return Err(invalid());
            }
            let millis = millis.parse().map_err(|_| invalid())?;
            let instant = Timestamp::from_millisecond(millis).map_err(|_| invalid())?;
            return Ok(jiff::tz::TimeZone::UTC.to_datetime(instant));
        }
        // SAP's own samples write single digits (`T7:07:30`); a zone is not taken.
        let (date, time) = text.split_once('T').ok_or_else(invalid)?;
        let padded = if time.find(':') == Some(1) { format!("0{time}") } else { time.to_owned() };
        if padded.ends_with('Z') || padded.contains(['+', '-']) {
            return Err(invalid());
        }
        format!("{date}T{padded}").parse().map_err(|_| invalid())
    }
}

/// The names of AggregationLevelFieldsString, as they stand there.
fn listed(fields: &str) -> impl Iterator<Item = &str> {
    fields.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// The same as a set: SAP's samples vary the order.
fn names(fields: &str) -> impl Iterator<Item = &str> {
    listed(fields).collect::<BTreeSet<_>>().into_iter()
}

/// A transaction id that the client made.
pub(super) fn own_id(id: String, name: &str) -> Result<String, Refusal> {
    if (1..=ID_CHARS_MAX).contains(&id.chars().count()) {
        return Ok(id);
    }
    Err(Refusal::bad(format!("{name} must have 1 to {ID_CHARS_MAX} characters")))
}

pub(super) fn body(request: &Request<Bytes>) -> Result<Map<String, Value>, Refusal> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let text = "This sandbox takes application/json only";
        return Err(Refusal::new(415, "/IWFND/CM_MGW/415", text));
    }
    match serde_json::from_slice(request.body()) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) | Err(_) => Err(Refusal::bad("The request body is no JSON object")),
    }
}

/// Spellings differ between the services (section 3): a property that is not
/// declared must not pass for an absent one.
pub(super) fn declared(
    body: &Map<String, Value>,
    switches: Switches,
    (names, newer, nav): (&[&str], &[(&str, Switch)], &str),
) -> Result<(), Refusal> {
    let on = |name: &str| newer.iter().any(|(own, switch)| *own == name && switches.on(*switch));
    let known = |name: &str| names.contains(&name) || name == nav || name == "__metadata";
    match body.keys().find(|name| !known(name) && !on(name)) {
        None => Ok(()),
        Some(name) => Err(Refusal::bad(format!("Property '{name}' is invalid"))),
    }
}

/// A boolean; false where it is left out.
pub(super) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Refusal::bad(format!("Property '{name}' must be a boolean"))),
    }
}

pub(super) fn text(body: &Map<String, Value>, name: &str) -> Result<String, Refusal> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Refusal::bad(format!("Property '{name}' must be a string"))),
    }
}

impl SapIbp {
    /// The 201's entry; the rows are left out of a short one.
    fn posted_entry(&self, posted: &Posted, short: bool) -> Entry {
        let rows = posted.rows.iter().enumerate();
        let rows = rows.map(|(n, row)| self.staged_entry(row, n + 1)).collect();
        let area = &self.area.name;
        Entry {
            set: format!("{area}Trans"),
            key: quoted(&posted.id),
            kind: format!("calcview.{area}Trans"),
            props: props([
                ("Transactionid", Prop::Text(posted.id.clone())),
                ("AggregationLevelFieldsString", Prop::Text(posted.fields.clone())),
                ("VersionID", Prop::Text(posted.version.clone())),
                ("ScenarioID", Prop::Text(String::new())),
                ("DoCommit", Prop::Bool(posted.commit)),
            ]),
            nav: if short { Vec::new() } else { vec![(format!("Nav{area}"), Nav::Many(rows))] },
        }
    }

    /// A staged row as an entry of `<PA>`.
    pub(super) fn staged_entry(&self, row: &StagedRow, number: usize) -> Entry {
        let area = &self.area;
        let mut props = Vec::new();
        for (name, value) in [(&area.resource, &row.resource), (&area.location, &row.location)] {
            if let Some(value) = value {
                props.push((Arc::clone(name), Prop::Text(value.clone())));
            }
        }
        if let Some(level) = area.level(row.level) {
            let day = self.shown_day(level.span, row.day).at(0, 0, 0, 0);
            props.push((Arc::clone(&level.stamp), Prop::Date(day)));
        }
        for (figure, value) in &row.values {
            let name = Arc::clone(&self.plan.model.measures[*figure].id);
            props.push((name, Prop::Decimal(format!("{value:.6}"))));
        }
        Entry::new(&area.name, format!("{number}L"), format!("calcview.{}", area.name), props)
    }
}
