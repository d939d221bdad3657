//! The sandbox: a small planning system with an upsert interface, as a state
//! machine. It is nobody's product; it has what such interfaces have in
//! common: pages that are smaller than asked for, an error for each record,
//! bulk writes, a list of the parts that a job brought.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/about` | measures, places, scopes |
//! | `PUT /v1/scopes/S/rows?job=J&part=N` | one result for each row |
//! | `GET /v1/scopes/S/rows?from=&to=&by=&skip=&top=` | rows, and how many there are |
//! | `GET /v1/jobs/J` | the parts of a job that were taken |

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use planthread_contracts::{Period, PeriodKind};
use planthread_mocks::{Change, Reply, SandboxFactory, Simulator, StoredCell, Writer};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Its figures: name, decimals, and how it adds up over resources and time.
const FIGURES: [(&str, u32); 3] = [("CAPACITY", 2), ("CUT", 2), ("AS_OF", 0)];
const PLACES: [(&str, &str); 4] = [("M-1", "PL1"), ("M-2", "PL2"), ("M-3", "PL1"), ("M-4", "PL2")];
const SCOPE: &str = "twin";
const TOKEN: &str = "Bearer planthread";
/// Most rows of one write, and of one page.
const ROWS_PER_WRITE: usize = 20;
const ROWS_PER_PAGE: usize = 10;

/// Place and period of a row.
type Spot = (String, String, Period);

/// The sandbox, as it starts.
pub(super) const FACTORY: SandboxFactory = SandboxFactory {
    name: "rest",
    about: "a small upsert interface of the tests",
    login: "bearer token planthread",
    listen: "127.0.0.1:9199",
    demo: &[],
    options: &[],
    behaviours: Vec::new,
    build: |_| Ok(Box::new(Sandbox::default())),
};

/// The state.
#[derive(Debug, Default)]
pub(super) struct Sandbox {
    cells: BTreeMap<(Spot, &'static str), Decimal>,
    jobs: BTreeMap<String, BTreeSet<u64>>,
    changes: Vec<Change>,
}

impl Simulator for Sandbox {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        Reply::new(self.answer(at, request).unwrap_or_else(|refusal| refusal))
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.cells.iter().map(|((spot, figure), value)| stored(spot, figure, *value)).collect()
    }

    fn history(&self) -> Vec<Change> {
        self.changes.clone()
    }

    fn expire_sessions(&mut self) {}
}

type Answer = Result<Response<Bytes>, Response<Bytes>>;

impl Sandbox {
    fn answer(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        let token = request.headers().get(header::AUTHORIZATION);
        if token.is_none_or(|token| token != TOKEN) {
            return Err(refused(401, "unauthorized", "the token is not known"));
        }
        let query = query(request.uri().query().unwrap_or_default());
        let path: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        match (request.method(), path.as_slice()) {
            (&Method::GET, ["v1", "about"]) => Ok(about()),
            (&Method::GET, ["v1", "jobs", job]) => match self.jobs.get(*job) {
                Some(parts) => Ok(reply(200, &json!({ "job": job, "parts": parts }))),
                None => Err(refused(404, "no_such_job", "no part of it was taken")),
            },
            (method, ["v1", "scopes", scope, "rows"]) if *scope == SCOPE => match *method {
                Method::PUT => self.write(at, request, &query),
                Method::GET => self.read(&query),
                _ => Err(refused(405, "method", "only GET and PUT")),
            },
            _ => Err(refused(404, "not_found", "no such address")),
        }
    }

    fn write(&mut self, at: Timestamp, request: &Request<Bytes>, query: &Query) -> Answer {
        let sized = request.headers().contains_key(header::CONTENT_LENGTH);
        let json = request.headers().get(header::CONTENT_TYPE);
        if !sized {
            return Err(refused(411, "length", "say how long it is"));
        }
        if json.is_none_or(|kind| kind != "application/json") {
            return Err(refused(415, "type", "only application/json"));
        }
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|error| refused(400, "json", &error.to_string()))?;
        let rows = body["rows"].as_array().cloned().unwrap_or_default();
        if rows.is_empty() || rows.len() > ROWS_PER_WRITE {
            return Err(refused(413, "rows", "1 to 20 rows"));
        }
        let results: Vec<Value> = rows.iter().map(|row| self.upsert(at, row)).collect();
        let part = query.get("part").and_then(|part| part.parse().ok()).unwrap_or_default();
        if let Some(job) = query.get("job") {
            self.jobs.entry(job.clone()).or_default().insert(part);
        }
        Ok(reply(200, &json!({ "results": results })))
    }

    /// One record: all its values or none.
    fn upsert(&mut self, at: Timestamp, row: &Value) -> Value {
        let fault = |code: &str, text: &str| json!({ "ok": false, "code": code, "message": text });
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (resource, location) = (text("resource"), text("location"));
        if !PLACES.contains(&(resource.as_str(), location.as_str())) {
            return fault("unknown_place", &format!("{resource} at {location} is not known"));
        }
        let Ok(period) = text("period").parse::<Period>() else {
            return fault("period", "no such period");
        };
        let mut values = Vec::new();
        for (name, value) in row["values"].as_object().into_iter().flatten() {
            let figure = FIGURES.iter().find(|(figure, _)| figure == name);
            let number = value.as_str().and_then(|value| value.parse::<Decimal>().ok());
            match (figure, number) {
                (Some((figure, scale)), Some(number)) if number.scale() <= *scale => {
                    values.push((*figure, number));
                }
                _ => return fault("value", &format!("{name} can't hold {value}")),
            }
        }
        for (figure, value) in values {
            let spot = (resource.clone(), location.clone(), period);
            let before = self.cells.insert((spot.clone(), figure), value);
            if before != Some(value) {
                self.changes.push(Change { at, cell: stored(&spot, figure, value), before });
            }
        }
        json!({ "ok": true })
    }

    fn read(&self, query: &Query) -> Answer {
        let wrong = || refused(400, "query", "from, to, skip and top are needed");
        let period = |name: &str| query.get(name)?.parse::<Period>().ok();
        let number = |name: &str| query.get(name)?.parse::<usize>().ok();
        let (from, to) = (period("from").ok_or_else(wrong)?, period("to").ok_or_else(wrong)?);
        let (skip, top) = (number("skip").ok_or_else(wrong)?, number("top").ok_or_else(wrong)?);
        let by = query.get("by").map(String::as_str);
        let mut rows: BTreeMap<[String; 3], BTreeMap<&str, Vec<Decimal>>> = BTreeMap::new();
        for ((spot, figure), value) in &self.cells {
            if (from..=to).contains(&spot.2) {
                rows.entry(shown(spot, by)).or_default().entry(figure).or_default().push(*value);
            }
        }
        let total = rows.len();
        // In no order that anybody asked for.
        let page = rows.iter().rev().skip(skip).take(top.min(ROWS_PER_PAGE));
        let page: Vec<Value> = page
            .map(|([resource, location, period], values)| {
                let values: BTreeMap<_, _> =
                    values.iter().map(|(name, parts)| (name, add_up(name, parts))).collect();
                json!({ "resource": resource, "location": location, "period": period,
                    "values": values })
            })
            .collect();
        Ok(reply(200, &json!({ "rows": page, "total": total })))
    }
}

/// The row in which a stored value shows when rows are read `by` something.
fn shown((resource, location, period): &Spot, by: Option<&str>) -> [String; 3] {
    match by {
        Some("location") => [String::new(), location.clone(), period.to_string()],
        Some("month") => {
            let month = Period::containing(PeriodKind::Month, period.start());
            [resource.clone(), location.clone(), month.to_string()]
        }
        _ => [resource.clone(), location.clone(), period.to_string()],
    }
}

/// Hours are summed, the stamp shows its oldest.
fn add_up(figure: &str, parts: &[Decimal]) -> Decimal {
    match figure {
        "AS_OF" => parts.iter().min().copied().unwrap_or_default(),
        _ => parts.iter().sum(),
    }
}

type Query = HashMap<String, String>;

fn query(text: &str) -> Query {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn about() -> Response<Bytes> {
    let figures: Vec<Value> = FIGURES
        .iter()
        .map(|(name, decimals)| json!({ "name": name, "decimals": decimals, "stored_by": "week" }))
        .collect();
    let places: Vec<Value> = PLACES
        .iter()
        .map(|(resource, location)| json!({ "resource": resource, "location": location }))
        .collect();
    reply(200, &json!({ "measures": figures, "places": places, "scopes": [SCOPE] }))
}

fn stored(spot: &Spot, figure: &str, value: Decimal) -> StoredCell {
    StoredCell {
        scope: SCOPE.to_owned(),
        resource: spot.0.clone(),
        location: spot.1.clone(),
        period: spot.2,
        measure: figure.to_owned(),
        value,
        writer: Writer::Integration("planthread".to_owned()),
    }
}

fn reply(status: u16, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn refused(status: u16, code: &str, message: &str) -> Response<Bytes> {
    reply(status, &json!({ "error": { "code": code, "message": message } }))
}
