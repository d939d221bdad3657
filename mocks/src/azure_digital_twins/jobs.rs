//! Import jobs, and the blobs that they read (section 1.10).
//!
//! The service reads blobs from a storage account; here they are put under
//! `/blobs/...` of the sandbox itself (grade S). The format of the output blob is
//! not known, so none is written.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    behaviours::{Switch, Switches},
    graph::Graph,
    import::{Fault, import},
    wire::{Answer, Refusal, empty, json_answer, list, object, twin_time},
};
use crate::sdk::{jobs, jobs::Job, plan::manifest::whole};

#[derive(Debug)]
struct Import {
    input: String,
    output: String,
    created: Timestamp,
    job: Job,
    cancelled: Option<Timestamp>,
    finished: Option<(Timestamp, Result<(), Fault>)>,
}

/// Jobs and blobs.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    all: BTreeMap<String, Import>,
    blobs: Blobs,
    last_call: Option<Timestamp>,
}

/// What is kept of a job, and for how long.
const PURGED_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Jobs {
    /// Puts or reads a blob: `/blobs/...`.
    pub(super) fn blob(&mut self, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path().to_owned();
        match *request.method() {
            Method::PUT => {
                self.blobs.insert(path, request.body().clone());
                Ok(empty(201))
            }
            _ => Err(Refusal::new(404, "BlobNotFound", "The blob does not exist.")),
        }
    }

    /// Ends what is due by `at`.
    pub(super) fn advance(&mut self, at: Timestamp, graph: &mut Graph) {
        let open = self.all.iter().map(|(id, one)| (id.clone(), one.job));
        for (ends, id) in jobs::due(at, open) {
            let Some(one) = self.all.get_mut(&id) else { continue };
            one.job.end();
            if one.cancelled.is_some() {
                continue;
            }
            let path = one.input.split_once("://").map_or("", |(_, rest)| rest);
            let path = path.find('/').map_or("", |slash| &path[slash..]);
            let outcome = match blob(&self.blobs, path) {
                Some(text) if by_us(text) => packed(&self.blobs, path)
                    .map_err(|why| ("ImportFileInvalid", why))
                    .and_then(|()| import(graph, ends, text)),
                Some(text) => import(graph, ends, text),
                None => Err(("InputBlobNotFound", "The input blob can't be read.".to_owned())),
            };
            one.finished = Some((ends, outcome.map(|_| ())));
        }
    }

    /// Answers a request below `/jobs`.
    pub(super) fn handle(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        rest: &[String],
        (switches, takes): (Switches, Duration),
        tls: bool,
    ) -> Answer {
        let second = SignedDuration::from_secs(1);
        let soon = self.last_call.is_some_and(|last| at.duration_since(last) < second);
        self.last_call = Some(at);
        if soon && switches.on(Switch::JobRate) {
            return Err(Refusal::throttle(5));
        }
        let parts: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["imports"]) => {
                let rows: Vec<Value> = self.all.iter().map(|(id, one)| one.show(at, id)).collect();
                Ok(list(request, &rows, 100, tls))
            }
            (&Method::PUT, ["imports", id]) => {
                let running = self.all.values().any(|one| one.running());
                if running && switches.on(Switch::OneJob) {
                    return Err(Refusal::busy("There is already a running import job."));
                }
                self.start(at, request, id, takes)
            }
            (&Method::GET, ["imports", id]) => Ok(json_answer(200, &self.job(id)?.show(at, id))),
            (&Method::POST, ["imports", id, "cancel"]) => self.cancel(at, id),
            (&Method::DELETE, ["imports", id]) => {
                self.job(id)?;
                self.all.remove(*id);
                Ok(empty(204))
            }
            _ => Err(Refusal::new(404, "JobNotFound", "There is no such job.")),
        }
    }

    fn job(&mut self, id: &str) -> Result<&mut Import, Refusal> {
        let text = format!("There is no job with the ID {id}.");
        self.all.get_mut(id).ok_or_else(|| Refusal::new(404, "JobNotFound", text))
    }

    fn start(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        id: &str,
        takes: Duration,
    ) -> Answer {
        let body = object(request, "job create")?;
        let uri = |name: &str| {
            let text = body.get(name).and_then(Value::as_str).unwrap_or_default();
            let web = text.starts_with("https://") || text.starts_with("http://");
            web.then(|| text.to_owned()).ok_or_else(|| {
                let text = format!("{name} is no address of a blob.");
                Refusal::new(400, "InvalidArgument", text)
            })
        };
        let (input, output) = (uri("inputBlobUri")?, uri("outputBlobUri")?);
        let mut job = Job::default();
        job.queue(at, takes / 4, takes);
        let one = Import { input, output, created: at, job, cancelled: None, finished: None };
        let shown = one.show(at, id);
        self.all.insert(id.to_owned(), one);
        Ok(json_answer(201, &shown))
    }

    /// The answer shows the state before.
    fn cancel(&mut self, at: Timestamp, id: &str) -> Answer {
        let one = self.job(id)?;
        let shown = one.show(at, id);
        if one.running() {
            one.cancelled = Some(at);
        }
        Ok(json_answer(200, &shown))
    }
}

type Blobs = BTreeMap<String, Bytes>;

fn blob<'a>(blobs: &'a Blobs, path: &str) -> Option<&'a str> {
    std::str::from_utf8(blobs.get(path)?).ok()
}

/// Whether a file is one of our packs: then its manifest must lie beside it, because
/// a line that is lost shows nowhere else (grade S).
fn by_us(text: &str) -> bool {
    let header = text.lines().nth(1).and_then(|line| serde_json::from_str::<Value>(line).ok());
    header.is_some_and(|header| header["author"] == "planthread")
}

/// Whether the pack in the folder of a blob is whole, and the blob one of it.
fn packed(blobs: &Blobs, path: &str) -> Result<(), String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let named = whole(|file| blob(blobs, &format!("{folder}/{file}")), None)?;
    match named.iter().any(|one| one == name) {
        true => Ok(()),
        false => Err(format!("{name} is none of this pack: the manifest does not name it")),
    }
}

impl Import {
    const fn running(&self) -> bool {
        self.finished.is_none() && self.cancelled.is_none()
    }

    fn show(&self, at: Timestamp, id: &str) -> Value {
        let stage = self.job.stage(at);
        let status = match (&self.finished, self.cancelled) {
            (Some((_, Ok(()))), _) => "succeeded",
            (Some((_, Err(_))), _) => "failed",
            (None, Some(_)) if stage == jobs::Stage::Ended => "cancelled",
            (None, Some(_)) => "cancelling",
            (None, None) if stage == jobs::Stage::Queued => "notstarted",
            (None, None) => "running",
        };
        let purged = self.created.saturating_add(PURGED_AFTER).unwrap_or(Timestamp::MAX);
        let last = self.finished.as_ref().map(|(end, _)| *end).or(self.cancelled);
        let error = match &self.finished {
            Some((_, Err((code, text)))) => json!({ "code": code, "message": text }),
            _ => Value::Null,
        };
        json!({
            "id": id,
            "inputBlobUri": self.input,
            "outputBlobUri": self.output,
            "status": status,
            "createdDateTime": twin_time(self.created),
            "lastActionDateTime": twin_time(last.unwrap_or(self.created)),
            "finishedDateTime": self.finished.as_ref().map(|(end, _)| twin_time(*end)),
            "purgeDateTime": twin_time(purged),
            "error": error,
        })
    }
}
