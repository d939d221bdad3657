//! A sink for the small target: it takes rows, counts what came and when, and may have
//! a limit or be closed for a while. It is not its sandbox, because fifty thousand rows
//! need one that costs next to nothing itself.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, header};
use jiff::Timestamp;
use planthread_mocks::{Change, Reply, Simulator, StoredCell};
use serde_json::{Value, json};

/// How long it takes for each request, where it has a limit or was closed.
const EACH: Duration = Duration::from_millis(5);
/// How long it takes where it has none, and for each row of a write: as the connector
/// says that such targets do.
const DOCUMENTED: (Duration, Duration) = (Duration::from_millis(50), Duration::from_micros(100));

/// From when on a rate that nobody told must be known.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// When the sink takes requests.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Door {
    /// Always.
    Open,
    /// So many a second, and so many at once; others are a 429 with `Retry-After: 1`.
    Rate(u32, u32),
    /// Not for so long: 503 with `Retry-After: 2`.
    ClosedFor(Duration),
}

/// The sink.
#[derive(Debug)]
pub(crate) struct Sink {
    door: Door,
    began: Timestamp,
    /// Requests that may still come at once, and when that was known.
    tokens: (f64, Timestamp),
    /// From when the caller knows that it is to wait, and until when.
    wait: (Timestamp, Timestamp),
    rows: BTreeMap<(String, String), (String, String)>,
    /// How often each row took effect.
    pub(crate) taken: BTreeMap<(String, String), u32>,
    /// The first and the last period of each write that it took.
    pub(crate) spans: Vec<[String; 2]>,
    pub(crate) writes: usize,
    pub(crate) reads: usize,
    pub(crate) refusals: usize,
    pub(crate) violations: usize,
    /// Of the requests after a minute, those that it took and those that it refused, and
    /// when the last one came.
    pub(crate) later: ([usize; 2], Timestamp),
}

impl Sink {
    pub(crate) fn new(door: Door, began: Timestamp) -> Self {
        let burst = if let Door::Rate(_, burst) = door { f64::from(burst) } else { 0.0 };
        Self {
            door,
            began,
            tokens: (burst, began),
            wait: (began, began),
            rows: BTreeMap::new(),
            taken: BTreeMap::new(),
            spans: Vec::new(),
            writes: 0,
            reads: 0,
            refusals: 0,
            violations: 0,
            later: ([0, 0], began),
        }
    }

    /// It is gone for so long from now on, and counts what comes anew.
    pub(crate) fn close(&mut self, at: Timestamp, time: Duration) {
        let rows = std::mem::take(&mut self.rows);
        *self = Self { rows, ..Self::new(Door::ClosedFor(time), at) };
    }

    /// How long a request takes that brings so many new rows.
    fn takes(&self, rows: usize) -> Duration {
        match self.door {
            Door::Open => DOCUMENTED.0 + DOCUMENTED.1 * u32::try_from(rows).unwrap_or(u32::MAX),
            Door::Rate(..) | Door::ClosedFor(_) => EACH,
        }
    }

    /// The refusal of this request, if it is refused.
    fn refuses(&mut self, at: Timestamp) -> Option<(u16, i64)> {
        match self.door {
            Door::Open => None,
            Door::Rate(rate, burst) => {
                let (left, known) = self.tokens;
                let passed = at.duration_since(known).as_secs_f64();
                let left = (left + passed * f64::from(rate)).min(f64::from(burst));
                // What comes a hair too early by a rounded clock is not refused.
                let taken = left >= 1.0 - 1e-6;
                self.tokens = (if taken { left - 1.0 } else { left }, at);
                (!taken).then_some((429, 1))
            }
            Door::ClosedFor(time) => {
                let passed = at.duration_since(self.began).unsigned_abs();
                (passed < time).then_some((503, 2))
            }
        }
    }

    fn write(&mut self, body: &[u8]) -> Value {
        let body: Value = serde_json::from_slice(body).unwrap();
        let rows = body["rows"].as_array().unwrap();
        for row in rows {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let (key, value) =
                ((text("resource"), text("period")), row["values"]["CAPACITY"].as_str());
            let new = (text("location"), value.unwrap().to_owned());
            if self.rows.get(&key) != Some(&new) {
                self.rows.insert(key.clone(), new);
                *self.taken.entry(key).or_default() += 1;
            }
        }
        let mut periods: Vec<&str> = rows.iter().filter_map(|row| row["period"].as_str()).collect();
        periods.sort_unstable();
        if let (Some(first), Some(last)) = (periods.first(), periods.last()) {
            self.spans.push([(*first).to_owned(), (*last).to_owned()]);
        }
        json!({ "results": vec![json!({ "ok": true }); rows.len()] })
    }

    fn read(&self, query: &str) -> Value {
        let number = |name: &str| -> usize {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).unwrap().1.parse().unwrap()
        };
        let page = self.rows.iter().skip(number("skip")).take(number("top"));
        let page: Vec<Value> = page
            .map(|((resource, period), (location, value))| {
                json!({ "resource": resource, "location": location, "period": period,
                    "values": { "CAPACITY": value } })
            })
            .collect();
        json!({ "rows": page, "total": self.rows.len() })
    }
}

impl Simulator for Sink {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        // What was on its way when the refusal arrived can't be called back.
        let (told, until) = self.wait;
        self.violations += usize::from(told < at && at < until);
        let put = *request.method() == Method::PUT;
        let held = self.rows.len();
        *if put { &mut self.writes } else { &mut self.reads } += 1;
        let refusal = self.refuses(at);
        if at.duration_since(self.began).unsigned_abs() >= MINUTE {
            self.later.0[usize::from(refusal.is_some())] += 1;
            self.later.1 = at;
        }
        let (status, after, body) = match refusal {
            Some((status, after)) => (status, Some(after), json!({ "error": { "code": "busy" } })),
            None if put => (200, None, self.write(request.body())),
            None => (200, None, self.read(request.uri().query().unwrap_or_default())),
        };
        let mut answer = Response::new(Bytes::from(body.to_string()));
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        let json = http::HeaderValue::from_static("application/json");
        answer.headers_mut().insert(header::CONTENT_TYPE, json);
        if let Some(after) = after {
            self.refusals += 1;
            answer.headers_mut().insert(header::RETRY_AFTER, after.into());
            let told = at + self.takes(0);
            self.wait = (told, told + Duration::from_secs(after.unsigned_abs()));
        }
        Reply::new(answer).after(self.takes(self.rows.len() - held))
    }

    fn stored(&self) -> Vec<StoredCell> {
        Vec::new()
    }

    fn history(&self) -> Vec<Change> {
        Vec::new()
    }

    fn expire_sessions(&mut self) {}
}

/// CPU seconds of a client that posts such rows to such a sink, and knows nothing of
/// what came of earlier ones.
pub(crate) fn bare(records: usize, rows_per_post: usize) -> f64 {
    let began = crate::delivery::cpu_s();
    let start = Timestamp::UNIX_EPOCH;
    let mut sink = Sink::new(Door::Open, start);
    let numbers: Vec<usize> = (0..records).collect();
    for part in numbers.chunks(rows_per_post) {
        let rows: Vec<Value> = part
            .iter()
            .map(|number| {
                let (place, week) = (number / 100, number % 100);
                json!({ "resource": format!("M-{place:05}"), "location": "PL1",
                    "period": format!("20{:02}-W{:02}", 27 + week / 50, 1 + week % 50),
                    "values": { "CAPACITY": format!("{}.00", 100 + number % 68) } })
            })
            .collect();
        let body = Bytes::from(json!({ "rows": rows }).to_string());
        let request = Request::put("/v1/scopes/twin/rows").body(body).unwrap();
        let reply = sink.handle(start, &request);
        let answer: Value = serde_json::from_slice(reply.response.body()).unwrap();
        assert_eq!(answer["results"].as_array().map(Vec::len), Some(part.len()));
    }
    crate::delivery::cpu_s() - began
}
