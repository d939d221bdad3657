//! The graph: models, twins, relationships, and the index that queries see.

use std::{collections::BTreeMap, collections::VecDeque, time::Duration};

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{
    models::Models,
    patch,
    relationships::{Relationships, aimed},
    twins::{Twin, check_components},
    wire::{
        Answer, Refusal, body, digest, empty, header_text, json_answer, may_change, may_create,
        object, with,
    },
};

/// Bytes of a request's body, and of a twin (section 1.13).
const BYTES_MAX: usize = 32 * 1_024;
/// Changes of one twin in a second (section 1.13).
const CHANGES_A_SECOND: usize = 10;

/// The graph of one instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    pub(super) models: Models,
    pub(super) twins: BTreeMap<String, Twin>,
    pub(super) relationships: Relationships,
    /// What queries see, and what they will see: later than reads by id do.
    index: BTreeMap<String, Value>,
    pending: VecDeque<(Timestamp, String, Option<Value>)>,
    /// Twins that changed since they were last looked at.
    pub(super) changed: Vec<String>,
    writes: BTreeMap<String, VecDeque<Timestamp>>,
    etags: u64,
}

impl Graph {
    /// An ETag that nothing had before.
    pub(super) fn fresh_etag(&mut self) -> String {
        self.etags += 1;
        let hex = digest(format!("etag/{}", self.etags));
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32]];
        format!("W/\"{}\"", parts.join("-"))
    }

    pub(super) fn twin(&self, id: &str) -> Result<&Twin, Refusal> {
        self.twins.get(id).ok_or_else(|| {
            let text = format!("There is no digital twin instance that exists with the ID {id}.");
            Refusal::new(404, "DigitalTwinNotFound", text)
        })
    }

    /// Puts a twin in, or in another's place.
    pub(super) fn keep(&mut self, at: Timestamp, id: &str, twin: Twin) {
        self.pending.push_back((at, id.to_owned(), Some(twin.show(id))));
        self.twins.insert(id.to_owned(), twin);
        self.changed.push(id.to_owned());
    }

    /// A twin from a body, checked against its model and those of its
    /// components.
    pub(super) fn new_twin(
        &mut self,
        at: Timestamp,
        body: Map<String, Value>,
    ) -> Result<Twin, Refusal> {
        let etag = self.fresh_etag();
        let twin = Twin::create(at, etag, body, &self.models)?;
        self.fits(&twin)?;
        Ok(twin)
    }

    /// Whether components and size of a twin may be. With which words the service refuses
    /// a twin that is too large is not known (grade S).
    fn fits(&self, twin: &Twin) -> Result<(), Refusal> {
        check_components(&twin.document, &self.models)?;
        match Value::Object(twin.document.clone()).to_string().len() {
            bytes if bytes > BYTES_MAX => {
                let text = format!("The twin has {bytes} bytes, and {BYTES_MAX} are the most.");
                Err(Refusal::invalid("twin", vec![text]))
            }
            _ => Ok(()),
        }
    }

    /// What queries see, and the models.
    pub(super) const fn seen(&self) -> (&BTreeMap<String, Value>, &Models) {
        (&self.index, &self.models)
    }

    /// Lets queries see what was changed until `lag` before `at`.
    pub(super) fn indexed(&mut self, at: Timestamp, lag: Duration) {
        let lag = SignedDuration::try_from(lag).unwrap_or_default();
        while let Some((since, ..)) = self.pending.front() {
            if at.duration_since(*since) < lag {
                break;
            }
            match self.pending.pop_front() {
                Some((_, id, Some(twin))) => self.index.insert(id, twin),
                Some((_, id, None)) => self.index.remove(&id),
                None => break,
            };
        }
    }

    /// Ten changes of one twin with its relationships in a second, then the
    /// gateway asks to wait.
    pub(super) fn within_rate(&mut self, at: Timestamp, id: &str) -> Result<(), Refusal> {
        let recent = self.writes.entry(id.to_owned()).or_default();
        let second = SignedDuration::from_secs(1);
        while recent.front().is_some_and(|first| at.duration_since(*first) >= second) {
            recent.pop_front();
        }
        if recent.len() >= CHANGES_A_SECOND {
            return Err(Refusal::throttle(1));
        }
        recent.push_back(at);
        Ok(())
    }

    /// Answers a request below `/digitaltwins/{id}`.
    pub(super) fn digital_twin(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        id: &str,
        rest: &[String],
        tls: bool,
    ) -> Answer {
        if request.body().len() > BYTES_MAX {
            let text = "The request is larger than 32 KB.";
            return Err(Refusal::new(413, "PayloadTooLarge", text));
        }
        let parts: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (request.method(), parts.as_slice()) {
            (_, ["relationships", ..]) => self.relationships(request, id, &rest[1..], tls),
            (&Method::GET, ["incomingrelationships"]) => self.incoming(request, id, tls),
            (&Method::POST, ["telemetry"]) => self.telemetry(request, id, None),
            (&Method::POST, ["components", name, "telemetry"]) => {
                self.telemetry(request, id, Some(name))
            }
            (&Method::GET, ["components", name]) => self.component(id, name),
            (&Method::PATCH, ["components", name]) => self.patch(at, request, id, Some(name)),
            (&Method::GET, []) => {
                let twin = self.twin(id)?;
                Ok(with(json_answer(200, &twin.show(id)), "etag", &twin.etag))
            }
            (&Method::PUT, []) => self.put(at, request, id),
            (&Method::PATCH, []) => self.patch(at, request, id, None),
            (&Method::DELETE, []) => self.delete(at, request, id),
            _ => Err(Refusal::new(405, "MethodNotAllowed", "no such operation on twins")),
        }
    }

    fn put(&mut self, at: Timestamp, request: &Request<Bytes>, id: &str) -> Answer {
        let body = object(request, "twin create")?;
        may_create(request, self.twins.contains_key(id), "digital twin")?;
        let twin = self.new_twin(at, body)?;
        let answer = with(json_answer(200, &twin.show(id)), "etag", &twin.etag);
        self.keep(at, id, twin);
        Ok(answer)
    }

    fn patch(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        id: &str,
        component: Option<&str>,
    ) -> Answer {
        self.twin(id)?;
        let ops = patch::read(&body(request)?)?;
        let twin = self.twin(id)?.clone();
        // Also a component is matched against the twin's ETag (section 1.3).
        may_change(request, &twin.etag)?;
        let etag = self.fresh_etag();
        let patched = twin.patched(at, etag, &ops, component, &self.models)?;
        self.fits(&patched)?;
        let answer = with(empty(204), "etag", &patched.etag);
        self.keep(at, id, patched);
        Ok(answer)
    }

    fn delete(&mut self, at: Timestamp, request: &Request<Bytes>, id: &str) -> Answer {
        may_change(request, &self.twin(id)?.etag)?;
        let held = self.relationships.iter().any(|((from, _), one)| from == id || aimed(one) == id);
        if held {
            let text = format!("The digital twin {id} still has relationships.");
            return Err(Refusal::new(400, "RelationshipsNotDeleted", text));
        }
        self.twins.remove(id);
        self.pending.push_back((at, id.to_owned(), None));
        self.changed.push(id.to_owned());
        Ok(empty(204))
    }

    fn component(&self, id: &str, name: &str) -> Answer {
        let twin = self.twin(id)?;
        let model = Twin::model_of(&twin.document);
        let interface = self.models.interface(model).unwrap_or_default();
        let found = twin.document.get(name).filter(|_| interface.components.contains_key(name));
        let found = found.ok_or_else(|| {
            let text = format!("There is no component {name} on the twin {id}.");
            Refusal::new(404, "ComponentNotFound", text)
        })?;
        Ok(with(json_answer(200, found), "etag", &twin.etag))
    }

    /// Telemetry is not held against the model (section 1.12).
    fn telemetry(&self, request: &Request<Bytes>, id: &str, component: Option<&str>) -> Answer {
        self.twin(id)?;
        if let Some(name) = component {
            self.component(id, name)?;
        }
        if header_text(request, "message-id").is_none() {
            return Err(Refusal::new(400, "InvalidArgument", "Message-Id is required."));
        }
        body(request)?;
        Ok(empty(204))
    }
}
