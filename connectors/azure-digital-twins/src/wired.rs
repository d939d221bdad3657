//! The connector before an instance that answers as a test says.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use planthread_contracts::{Scope, WriteGrant};
use planthread_kit::{
    Attempt, AttemptId, Batch, BoxFuture, CellWrite, Connector as _, ConnectorError, NoteError,
    NoteSink, PushOutcome, Quota, SendError, Submission, Transport, VirtualClock,
    http::{Anonymous, Bounds, HttpStack, RequestPolicy},
};
use serde_json::{Value, json};

use crate::{
    AzureDigitalTwins,
    client::Client,
    samples::{config, measures},
};

/// What is asked: verb, path, body.
pub(crate) type Asked = (Method, String, String);

type Answers = dyn FnMut(&Asked) -> Response<Bytes> + Send;

struct Wire {
    answers: Mutex<Box<Answers>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Transport for Wire {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let asked = (request.method().clone(), request.uri().path().to_owned(), body);
        let answer = self.answers.lock().unwrap()(&asked);
        self.asked.lock().unwrap().push(asked);
        Box::pin(async { Ok(answer) })
    }
}

#[derive(Debug)]
struct NoNotes;

impl NoteSink for NoNotes {
    fn note(&self, _: &AttemptId, _: &str, _: &str) -> Result<(), NoteError> {
        Ok(())
    }
}

/// A connector, its clock, and what it asked.
pub(crate) struct Rig {
    pub(crate) clock: VirtualClock,
    pub(crate) http: HttpStack,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Rig {
    /// An instance that gives these answers.
    pub(crate) fn new(answers: impl FnMut(&Asked) -> Response<Bytes> + Send + 'static) -> Self {
        let clock = VirtualClock::new("2026-11-22T06:00:00Z".parse().unwrap(), 1);
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let wire = Wire { answers: Mutex::new(Box::new(answers)), asked: Arc::clone(&asked) };
        let shared = Arc::new(clock.clone());
        let quota = Arc::new(Quota::unlimited(shared.clone()));
        let policy = RequestPolicy { resends: 1, ..RequestPolicy::default() };
        let http = HttpStack::new(Arc::new(wire), shared, quota, Arc::new(Anonymous), policy);
        Self { clock, http, asked }
    }

    /// Its requests alone.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.http.clone(), &config().host, "2023-10-31", Bounds::new(100, 10))
    }

    /// All six verbs.
    pub(crate) fn connector(&self) -> AzureDigitalTwins {
        let (http, bounds) = (self.http.clone(), Bounds::new(100, 10));
        AzureDigitalTwins::new("twins", config(), &Scope::base(), measures(), http, bounds).unwrap()
    }

    /// Pushes cells.
    pub(crate) fn push(&self, cells: &[CellWrite]) -> Result<PushOutcome, ConnectorError> {
        let grant = |one| WriteGrant::bridge_owned(one, &Scope::base()).unwrap();
        let grants: Vec<_> = measures().iter().map(grant).collect();
        let batch = Batch::new(Scope::base(), &grants, cells.to_vec()).unwrap();
        let attempt = Attempt::new(AttemptId::draw(&self.clock), Arc::new(NoNotes));
        match self.clock.block_on(self.connector().submit(&batch, &attempt))? {
            Submission::Done(outcome) => Ok(outcome),
            Submission::Submitted => unreachable!("a PATCH is answered at once"),
        }
    }

    /// Requests with this verb.
    pub(crate) fn count(&self, method: &Method) -> usize {
        self.asked.lock().unwrap().iter().filter(|(verb, ..)| verb == method).count()
    }
}

/// An answer with a JSON body.
pub(crate) fn json_of(status: u16, body: &Value) -> Response<Bytes> {
    let builder = Response::builder().status(status).header("content-type", "application/json");
    builder.body(Bytes::from(body.to_string())).unwrap()
}

/// What an instance answers that has our models and one twin for every id: the
/// document that `twin` makes of it. A PATCH is taken.
pub(crate) fn healthy(
    models: Value,
    twin: impl Fn() -> Value + Send,
) -> impl FnMut(&Asked) -> Response<Bytes> + Send {
    move |(method, path, _)| match (method, path.as_str()) {
        (&Method::GET, "/models") => json_of(200, &json!({ "value": models, "nextLink": null })),
        (&Method::GET, _) => json_of(200, &twin()),
        (&Method::PATCH, _) => {
            Response::builder().status(204).header("etag", "W/\"2\"").body(Bytes::new()).unwrap()
        }
        other => unreachable!("{other:?}"),
    }
}

/// Our models, as the service lists them.
pub(crate) fn models() -> Value {
    let models: Vec<Value> = serde_json::from_str(crate::MODELS).unwrap();
    models.into_iter().map(|model| json!({ "id": model["@id"], "model": model })).collect()
}

/// A work centre with this component.
pub(crate) fn work_center(component: &Value) -> Value {
    json!({ "$dtId": "LINE-1", "$etag": "W/\"1\"", "location": "1010", "capacity": component,
        "$metadata": { "$model": "dtmi:planthread:isa95:WorkCenter;1" } })
}
