//! What targets answer: every verb of every connector, while the answers of its sandbox
//! are changed as the bytes say.
//!
//! The first byte chooses the verb. Then come edits of five bytes and a text: number of
//! the request, kind of the edit, place (two bytes), length of the text.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use planthread::in_process::InProcess;
use planthread_contracts::RowOutcome;
use planthread_kit::{Clock, Connector, Poll, PushOutcome, Submission, VirtualClock};
use planthread_mocks::{Change, Reply, Simulator, StoredCell};

use crate::{
    Parser,
    targets::{Case, attempt, case, start},
};

/// The parsers: one for each target, in the order of the registry.
pub const PARSERS: &[Parser] = &[
    Parser { name: "answers-sap-ibp", feed: |bytes| answers(case(0), bytes), seeds },
    Parser { name: "answers-kinaxis", feed: |bytes| answers(case(1), bytes), seeds },
    Parser { name: "answers-o9", feed: |bytes| answers(case(2), bytes), seeds },
    Parser { name: "answers-azure-digital-twins", feed: |bytes| answers(case(3), bytes), seeds },
];

/// More requests than any verb needs for a few cells: a verb that asks on and on for
/// what it is told does not end.
const REQUESTS_MAX: usize = 2_000;
/// Polls of one attempt.
const POLLS: usize = 20;

/// A change of one answer.
struct Edit {
    request: usize,
    kind: u8,
    place: usize,
    text: Vec<u8>,
}

fn edits(mut bytes: &[u8]) -> Vec<Edit> {
    let mut edits = Vec::new();
    while let [request, kind, high, low, length, rest @ ..] = bytes {
        let (text, after) = rest.split_at(rest.len().min(usize::from(*length)));
        edits.push(Edit {
            request: usize::from(*request % 16),
            kind: *kind % 8,
            place: usize::from(u16::from_be_bytes([*high, *low])),
            text: text.to_vec(),
        });
        bytes = after;
    }
    edits
}

impl Edit {
    fn change(&self, answer: &mut Response<Bytes>) {
        let body = answer.body().clone();
        let at = self.place.min(body.len());
        let end = (at + self.text.len()).min(body.len());
        let body = match self.kind {
            0 => [&body[..at], &self.text, &body[at..]].concat(),
            1 => [&body[..at], &self.text, &body[end..]].concat(),
            2 => body[..at].to_vec(),
            3 => self.text.clone(),
            4 => [&body[..at], &body[end..]].concat(),
            5 => [&body[..], &body[at..]].concat(),
            6 => {
                let code = 100 + u16::try_from(self.place % 500).unwrap_or(0);
                *answer.status_mut() = StatusCode::from_u16(code).unwrap();
                body.to_vec()
            }
            _ => {
                let names =
                    ["content-type", "retry-after", "location", "set-cookie", "etag", "date"];
                let name = HeaderName::from_static(names[self.place % names.len()]);
                if let Ok(value) = HeaderValue::from_bytes(&self.text) {
                    answer.headers_mut().insert(name, value);
                }
                body.to_vec()
            }
        };
        answer.headers_mut().remove(header::CONTENT_LENGTH);
        *answer.body_mut() = Bytes::from(body);
    }
}

/// The sandbox, with its answers changed.
struct Changed {
    sandbox: Box<dyn Simulator>,
    edits: Vec<Edit>,
    requests: usize,
}

impl Simulator for Changed {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let number = self.requests;
        self.requests += 1;
        assert!(number < REQUESTS_MAX, "a verb does not end");
        let mut reply = self.sandbox.handle(at, request);
        for edit in self.edits.iter().filter(|edit| edit.request == number) {
            edit.change(&mut reply.response);
        }
        reply
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.sandbox.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.sandbox.history()
    }

    fn expire_sessions(&mut self) {
        self.sandbox.expire_sessions();
    }
}

fn answers(case: &Case, bytes: &[u8]) {
    let (verb, edited) = bytes.split_first().unwrap_or((&0, &[]));
    let clock = VirtualClock::new(start(), 7);
    let changed = Changed { sandbox: case.sandbox(), edits: edits(edited), requests: 0 };
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let wire = Arc::new(InProcess::new(Arc::new(Mutex::new(changed)), Arc::clone(&shared)));
    let connector = case.connector(&shared, wire);
    match verb % 3 {
        0 => drop(clock.block_on(connector.discover())),
        1 => drop(clock.block_on(connector.read(&case.selection()))),
        _ => push(case, &*connector, &clock),
    }
}

/// Sends a batch and follows it. What is told of the cells is told of each of them.
fn push(case: &Case, connector: &dyn Connector, clock: &VirtualClock) {
    let (batch, (attempt, record)) = (case.batch(), attempt(clock));
    let whole = |end: &PushOutcome| {
        assert_eq!(end.rows.len(), batch.cells().len(), "each cell has an outcome");
        let seen = end
            .rows
            .iter()
            .any(|row| matches!(row, RowOutcome::Rejected(why) if why.reason.is_empty()));
        assert!(!seen, "a rejection has a reason");
    };
    match clock.block_on(connector.submit(&batch, &attempt)) {
        Ok(Submission::Done(end)) => return whole(&end),
        Ok(Submission::Submitted) | Err(_) => {}
    }
    for _ in 0..POLLS {
        match clock.block_on(connector.poll(&record(), batch.recorded())) {
            Ok(Poll::Done(end)) => return whole(&end),
            Ok(Poll::NotTaken { .. } | Poll::Unknown { .. }) => return,
            Ok(Poll::Running { .. }) | Err(_) => clock.advance(std::time::Duration::from_secs(30)),
        }
    }
}

/// Each verb as it is, and with a few answers changed.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![0], vec![1], vec![2]];
    for verb in 0..3 {
        for (request, kind, place, text) in [
            (0, 6, 329, ""),
            (1, 6, 403, ""),
            (1, 7, 1, "7.5"),
            (1, 7, 0, "text/html"),
            (2, 3, 0, "{}"),
            (2, 0, 40, "\"x\":[1],"),
            (1, 2, 60, ""),
        ] {
            let place = u16::to_be_bytes(place);
            let length = u8::try_from(text.len()).unwrap();
            let head = [verb, request, kind, place[0], place[1], length];
            seeds.push([&head, text.as_bytes()].concat());
        }
    }
    seeds
}
