//! `/planner`: what its page asks for, and what people do there.
//!
//! The page knows only what the sandbox stores, and today's date. People use it
//! without the interface's user, so it answers nobody but itself (see
//! [`crate::sdk::guard`]).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use jiff::{Timestamp, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Places, Plan, RowKey, Wiring, WiringError,
    grid::{View, months},
};
use crate::sdk::{
    guard, page,
    simulator::{Change, Writer},
};

/// Months that the page shows unless it asks for more or fewer.
const MONTHS: usize = 3;
/// Changes that the history shows unless it is asked for more or fewer.
const CHANGES: usize = 50;

/// What a request to the page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The page and its files, the grid's data, the history, an edit, a job: the
    /// plan answers it.
    Plan,
    /// The manual route: an import file in the vendor's own layout.
    Pack,
    /// Nothing is there.
    Nowhere,
}

impl Route {
    /// What a request is about.
    #[must_use]
    pub fn of(request: &Request<Bytes>) -> Self {
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::POST, "/planner/pack") => Self::Pack,
            (&Method::GET | &Method::HEAD, "/") => Self::Plan,
            (&Method::GET | &Method::HEAD, path) if page::file(path).is_some() => Self::Plan,
            (&Method::GET, "/planner/data.json" | "/planner/history.json")
            | (&Method::POST, "/planner/edit" | "/planner/nightly" | "/planner/wiring") => {
                Self::Plan
            }
            _ => Self::Nowhere,
        }
    }
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

/// The query of a request to the page.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request<Bytes>) -> Self {
        let text = request.uri().query().unwrap_or_default();
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

impl Plan {
    /// Answers a request to the page; an import file is the vendor's (see [`pack`]).
    pub fn planner(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        places: &dyn Places,
    ) -> Response<Bytes> {
        if let Some(reason) = guard::refusal(request) {
            return answer(403, &json!({ "error": reason }));
        }
        let query = Query::of(request);
        let path = request.uri().path();
        match (request.method(), path) {
            (&Method::GET | &Method::HEAD, "/") => {
                let mut moved = answer(307, &json!({ "see": "/planner" }));
                let to = HeaderValue::from_static("/planner");
                moved.headers_mut().insert(header::LOCATION, to);
                moved
            }
            (&Method::GET | &Method::HEAD, path) if page::file(path).is_some() => {
                page::answer(path)
            }
            (&Method::GET, "/planner/data.json") => match view(at, &query) {
                Ok(view) => answer(200, &self.grid(&view, places)),
                Err(error) => refuse(&error),
            },
            (&Method::GET, "/planner/history.json") => answer(200, &self.changes_json(&query)),
            (&Method::POST, _) if !says(request, "application/json") => {
                refuse("send application/json")
            }
            (&Method::POST, path) => match self.act(at, path, request.body(), places) {
                Ok(done) => answer(200, &done),
                Err(error) => refuse(&error),
            },
            _ => nowhere(request),
        }
    }

    fn act(
        &mut self,
        at: Timestamp,
        path: &str,
        body: &[u8],
        places: &dyn Places,
    ) -> Result<Value, String> {
        match path {
            "/planner/nightly" => {
                let before = self.store.changes();
                self.nightly(at, places);
                Ok(json!({ "changed": self.store.changes() - before }))
            }
            "/planner/wiring" => {
                let rewire: Rewire = serde_json::from_slice(body).map_err(|e| e.to_string())?;
                let wiring: Wiring =
                    rewire.wiring.parse().map_err(|e: WiringError| e.to_string())?;
                self.wiring = wiring;
                Ok(json!({ "wiring": wiring.word() }))
            }
            "/planner/edit" => {
                let edit: Edit = serde_json::from_slice(body).map_err(|e| e.to_string())?;
                self.edit(at, edit, places)
            }
            _ => Err(format!("nothing at {path}; see /planner")),
        }
    }

    fn edit(&mut self, at: Timestamp, edit: Edit, places: &dyn Places) -> Result<Value, String> {
        let Edit { resource, location, period, measure, value, who, version } = edit;
        let found = self.model.find(&measure);
        let found = found.ok_or_else(|| format!("{measure} can't be edited: it is not stored"))?;
        if self.calculated(found) {
            return Err(format!("{measure} can't be edited: it is calculated in this wiring"));
        }
        if !self.model.has_scope(&version) {
            return Err(format!("version {version} does not exist"));
        }
        if !self.assigned(&version, found) {
            return Err(format!("{measure} is not assigned to version {version}"));
        }
        if period.kind() != self.storage {
            return Err(format!("{period} is no stored period; open its weeks"));
        }
        if !places.has_pair(&version, &resource, &location) {
            return Err(format!("{resource} at {location} does not exist"));
        }
        let key = RowKey::new(&version, &resource, &location, period);
        let value = value.map(|value| value.round_dp(6));
        self.store.set(at, key, found, value, &Arc::new(Writer::Person(who)));
        Ok(json!({ "changed": 1 }))
    }

    fn changes_json(&self, query: &Query) -> Value {
        let wanted = |name: &str, value: &str| query.get(name).is_none_or(|text| text == value);
        let newest = self.store.history().rev().filter(|change| {
            wanted("resource", &change.cell.resource)
                && wanted("location", &change.cell.location)
                && wanted("measure", &change.cell.measure)
                && wanted("period", &change.cell.period.to_string())
                && wanted("by", change.cell.writer.kind())
        });
        let limit = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(CHANGES);
        let list: Vec<_> = newest.take(limit).map(|change| change_json(&change)).collect();
        json!({ "changes": list, "total": self.store.changes() })
    }
}

fn view(at: Timestamp, query: &Query) -> Result<View<'_>, String> {
    let today = TimeZone::UTC.to_datetime(at).date();
    let first = match query.text("from") {
        "" => Period::containing(PeriodKind::Month, today),
        text => text.parse::<Period>().map_err(|error| error.to_string())?,
    };
    let count = query.get("months").map_or(Ok(MONTHS), str::parse);
    let count = count.map_err(|_| "months: a number")?;
    Ok(View {
        resource: query.text("resource"),
        location: query.text("location"),
        scope: query.text("version"),
        months: months(first.start(), count),
        today,
    })
}

/// The import file of a request to [`Route::Pack`]: separator, scope, text.
///
/// # Errors
/// The answer to a request that carries none, or that is not the page's own.
pub fn pack(request: &Request<Bytes>) -> Result<(u8, String, &str), Box<Response<Bytes>>> {
    if let Some(reason) = guard::refusal(request) {
        return Err(Box::new(answer(403, &json!({ "error": reason }))));
    }
    if !says(request, "text/csv") {
        return Err(Box::new(refuse("send text/csv")));
    }
    let query = Query::of(request);
    let separator = query.text("separator").bytes().next().unwrap_or(b',');
    let text = std::str::from_utf8(request.body());
    let text = text.map_err(|_| Box::new(refuse("the file is not UTF-8")))?;
    Ok((separator, query.text("version").to_owned(), text))
}

fn says(request: &Request<Bytes>, kind: &str) -> bool {
    let sent = request.headers().get(header::CONTENT_TYPE);
    sent.is_some_and(|sent| sent.as_bytes().starts_with(kind.as_bytes()))
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

/// An answer of the page in JSON, never kept.
#[must_use]
pub fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A refusal of the page.
#[must_use]
pub fn refuse(error: &str) -> Response<Bytes> {
    answer(400, &json!({ "error": error }))
}

/// The answer where nothing is.
#[must_use]
pub fn nowhere(request: &Request<Bytes>) -> Response<Bytes> {
    let path = request.uri().path();
    answer(404, &json!({ "error": format!("nothing at {path}; see /planner") }))
}
