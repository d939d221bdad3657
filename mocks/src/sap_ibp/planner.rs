//! `/planner`: the planner's grid, and what its page asks for.
//!
//! The page knows only what the sandbox stores, and today's date. People use
//! it without the interface's user; writes need a JSON or CSV content type, so
//! that a foreign page's form can't make them.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use jiff::Timestamp;
use planthread_contracts::Period;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    SapIbp,
    model::{KEY_FIGURES, TWIN_VERSION, key_figure},
    options::Wiring,
    query::Query,
    store::RowKey,
    wire::response,
};
use crate::{
    page,
    simulator::{Change, Writer},
};

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

fn reply(status: u16, body: &Value) -> Response<Bytes> {
    let mut answer = response(status, "application/json", body.to_string());
    let none = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, none);
    answer
}

fn refuse(error: &str) -> Response<Bytes> {
    reply(400, &json!({ "error": error }))
}
