//! Whole conversations with a scripted service, on a virtual clock.
//!
//! Each step says which request must come next and what it is answered; a
//! request that is not in the script fails the test, which is how "never sent
//! again" is proven.

mod discover;
mod poll;
mod read;
mod receipts;
mod submit;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use planthread_contracts::{Scope, WriteGrant};
use planthread_kit::{
    Attempt, AttemptId, AttemptRecord, Batch, BoxFuture, CellWrite, Clock, Connector,
    ConnectorError, NoteError, NoteSink, Poll, PushOutcome, Quota, Secret, SendError, Sent,
    Submission, Transport, VirtualClock,
    http::{Basic, HttpStack, RequestPolicy},
};
use serde_json::{Value, json};

use crate::samples::{cell, measures};

/// What a scripted request is answered.
#[derive(Debug)]
enum Reply {
    Answer(Response<Bytes>),
    /// An answer after a second.
    Late(Response<Bytes>),
    /// No answer, ever: the stack's timeout ends it.
    Hang,
    /// The connection broke.
    Lost(Sent),
}

/// The scripted service.
#[derive(Debug, Default)]
struct Script {
    clock: Mutex<Option<VirtualClock>>,
    steps: Mutex<VecDeque<(String, Reply)>>,
    heard: Mutex<Vec<Request<Bytes>>>,
}

impl Transport for Script {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async move {
            let line = format!("{} {}", request.method(), short(&request));
            self.heard.lock().unwrap().push(request);
            let step = self.steps.lock().unwrap().pop_front();
            let Some((expected, reply)) = step else { panic!("not in the script: {line}") };
            assert!(line.starts_with(&expected), "expected {expected}, heard {line}");
            match reply {
                Reply::Answer(answer) => Ok(answer),
                Reply::Late(answer) => {
                    let clock = self.clock.lock().unwrap().clone().unwrap();
                    clock.sleep(Duration::from_secs(1)).await;
                    Ok(answer)
                }
                Reply::Hang => std::future::pending().await,
                Reply::Lost(sent) => Err(SendError::lost(sent, "connection lost")),
            }
        })
    }
}

/// Path and query below the service's root, decoded for people.
fn short(request: &Request<Bytes>) -> String {
    let uri = request.uri().to_string();
    let (_, tail) = uri.split_once("_DATA_API_SRV/").unwrap_or(("", &uri));
    percent_encoding::percent_decode_str(tail).decode_utf8_lossy().into_owned()
}

/// Notes of attempts, in memory.
#[derive(Debug, Default)]
struct Notes(Mutex<BTreeMap<String, String>>);

impl NoteSink for Notes {
    fn note(&self, _: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

/// One connector before one scripted service.
struct World {
    clock: VirtualClock,
    script: Arc<Script>,
    notes: Arc<Notes>,
    connector: Arc<dyn Connector>,
}

const ID: &str = "0123456789abcdef0123456789abcdef";

impl World {
    fn new(steps: Vec<(&str, Reply)>) -> Self {
        Self::with(steps, |_| {})
    }

    fn with(steps: Vec<(&str, Reply)>, change: impl FnOnce(&mut Value)) -> Self {
        let start: Timestamp = "2026-01-05T06:00:00Z".parse().unwrap();
        let clock = VirtualClock::new(start, 7);
        let script = Arc::new(Script::default());
        *script.clock.lock().unwrap() = Some(clock.clone());
        *script.steps.lock().unwrap() =
            steps.into_iter().map(|(line, reply)| (line.to_owned(), reply)).collect();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let http = HttpStack::new(
            script.clone(),
            Arc::clone(&shared),
            Arc::new(Quota::unlimited(shared)),
            Arc::new(Basic::new("planthread", Secret::new("hunter2"))),
            RequestPolicy::default(),
        );
        let mut settings = crate::config::tests::settings();
        settings["measures"] = json!({ "output": { "conversions": { "UOMTOID": "EA" } } });
        change(&mut settings);
        let scope = Scope::named("UPSIDE");
        let config = crate::config::tests::read(&settings).unwrap();
        let ibp = crate::connector::SapIbp::new("ibp", config, scope, measures(), http).unwrap();
        let connector: Arc<dyn Connector> = Arc::new(ibp);
        Self { clock, script, notes: Arc::default(), connector }
    }

    fn attempt(&self) -> Attempt {
        Attempt::new(AttemptId::parse(ID).unwrap(), self.notes.clone())
    }

    fn record(&self) -> AttemptRecord {
        let notes = self.notes.0.lock().unwrap().clone();
        AttemptRecord { id: AttemptId::parse(ID).unwrap(), notes }
    }

    fn note(&self, key: &str) -> Option<String> {
        self.notes.0.lock().unwrap().get(key).cloned()
    }

    /// Submits, and polls every 3 s until the job has ended.
    fn push(&self, batch: &Batch) -> Result<PushOutcome, ConnectorError> {
        if let Submission::Done(outcome) = self.submit(batch)? {
            return Ok(outcome);
        }
        loop {
            self.clock.advance(Duration::from_secs(3));
            match self.poll(batch)? {
                Poll::Running { .. } => {}
                Poll::Done(outcome) => return Ok(outcome),
                other => panic!("{other:?}"),
            }
        }
    }

    fn submit(&self, batch: &Batch) -> Result<Submission, ConnectorError> {
        self.clock.block_on(self.connector.submit(batch, &self.attempt()))
    }

    fn poll(&self, batch: &Batch) -> Result<Poll, ConnectorError> {
        self.clock.block_on(self.connector.poll(&self.record(), batch.recorded()))
    }

    /// Method and path of everything that was heard.
    fn heard(&self) -> Vec<String> {
        let heard = self.script.heard.lock().unwrap();
        heard.iter().map(|request| format!("{} {}", request.method(), short(request))).collect()
    }

    /// Everything that was heard, with the headers that matter and the bodies.
    fn transcript(&self) -> String {
        let mut text = String::new();
        for request in self.script.heard.lock().unwrap().iter() {
            let _ = writeln!(text, "{} {}", request.method(), short(request));
            for name in [
                "accept",
                "authorization",
                "content-length",
                "content-type",
                "cookie",
                "x-csrf-token",
            ] {
                if let Some(value) = request.headers().get(name) {
                    let value =
                        if name == "authorization" { "Basic ..." } else { value.to_str().unwrap() };
                    let _ = writeln!(text, "  {name}: {value}");
                }
            }
            if !request.body().is_empty() {
                let _ = writeln!(text, "  {}", String::from_utf8_lossy(request.body()));
            }
        }
        text
    }

    fn left(&self) -> usize {
        self.script.steps.lock().unwrap().len()
    }

    fn elapsed(&self) -> i64 {
        let start: Timestamp = "2026-01-05T06:00:00Z".parse().unwrap();
        self.clock.now().duration_since(start).as_secs()
    }
}

fn batch(cells: Vec<CellWrite>) -> Batch {
    let scope = Scope::named("UPSIDE");
    let grants: Vec<WriteGrant> = measures()
        .iter()
        .map(|measure| WriteGrant::bridge_owned(measure, &scope).unwrap())
        .collect();
    Batch::new(scope, &grants, cells).unwrap()
}

/// Two cells of two resources in one week.
fn two() -> Batch {
    batch(vec![
        cell("live", "LINE-1", "2026-W02", "132.5"),
        cell("live", "LINE-2", "2026-W02", "0"),
    ])
}

fn answer(status: u16, body: &Value) -> Reply {
    text(status, &body.to_string())
}

fn text(status: u16, body: &str) -> Reply {
    Reply::Answer(Response::builder().status(status).body(Bytes::from(body.to_owned())).unwrap())
}

/// A token with two cookies.
fn token(number: u32) -> Reply {
    let response = Response::builder()
        .header("x-csrf-token", format!("token-{number}"))
        .header("set-cookie", format!("SAP_SESSIONID_PT1_100=session-{number}; path=/; secure"))
        .header("set-cookie", "sap-usercontext=sap-client=100; path=/")
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    Reply::Answer(response)
}

fn token_required() -> Reply {
    let response = Response::builder()
        .status(403)
        .header("x-csrf-token", "Required")
        .body(Bytes::from_static(b"CSRF token validation failed"))
        .unwrap();
    Reply::Answer(response)
}

/// The same answer after a second, so that others are on their way meanwhile.
fn late(reply: Reply) -> Reply {
    match reply {
        Reply::Answer(answer) => Reply::Late(answer),
        other => other,
    }
}

fn created() -> Reply {
    answer(201, &json!({"d": {"Transactionid": ID}}))
}

fn committed() -> Reply {
    answer(200, &json!({"d": {"Name": "Transaction", "Value": ID}}))
}

/// A batch whose import was begun, then the given answers to polls.
fn begun(later: Vec<(&'static str, Reply)>) -> World {
    let mut steps =
        vec![("GET ", token(1)), ("POST ZPATrans", created()), ("POST commit", committed())];
    steps.extend(later);
    let world = World::new(steps);
    assert_eq!(world.submit(&two()).unwrap(), Submission::Submitted);
    world
}

fn status(word: &str) -> Reply {
    answer(200, &json!({"d": {"results": [{"Name": "Status", "Value": word}]}}))
}

fn refusal(status: u16, message: &str) -> Reply {
    answer(
        status,
        &json!({"error": {"code": "/IBP/X", "message": {"lang": "en", "value": message}}}),
    )
}
