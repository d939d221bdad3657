//! Azure Digital Twins sandbox: the data plane of api-version 2023-10-31.
//!
//! What each switched behaviour rests on is listed in [`behaviours::TABLE`]; the
//! rest follows the sections of the fact sheet that the modules name: 1.3 ETags,
//! 1.4 patches, 1.5 twins, 1.6 relationships, 1.7 queries, 1.8 models, 1.9 event
//! routes, 1.10 import jobs, 1.11 errors, 2 tokens. `POST /jobs/deletions` is
//! absent: it empties an instance.

pub mod behaviours;
mod dtdl;
mod graph;
mod import;
mod jobs;
mod models;
mod options;
mod page;
mod patch;
mod query;
mod relationships;
mod routes;
mod schema;
mod seed;
mod tokens;
mod twins;
mod wire;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

pub use behaviours::{Switch, Switches};
pub use options::FACTORY;

use crate::sdk::{
    plan::{Plan, manifest::Dropped},
    simulator::{Change, Reply, Simulator, StoredCell, Writer},
    tokens::Tokens,
};
use graph::Graph;
use jobs::Jobs;
use options::Options;
use wire::{Answer, Refusal, body, json_answer, page, parameters, segments, with};

/// Versions of the data plane (section 0).
const VERSIONS: [&str; 4] = ["2020-10-31", "2022-05-31", "2023-06-30", "2023-10-31"];
/// How far queries lag behind (section 1.7).
const QUERY_LAG: Duration = Duration::from_secs(4);
/// Rows of a page of a query (section 1.13).
const QUERY_PAGE: usize = 1_000;

/// The sandbox.
#[derive(Debug)]
pub struct AzureDigitalTwins {
    options: Options,
    graph: Graph,
    jobs: Jobs,
    dropped: Dropped,
    tokens: Tokens,
    plan: Plan,
    /// What the page shows of each twin.
    shown: BTreeMap<String, page::Shown>,
    component: String,
    location: String,
    seeded: bool,
    patches: u64,
    /// Twins that somebody else has already changed (a fault).
    meddled: std::collections::BTreeSet<String>,
}

impl AzureDigitalTwins {
    /// A fresh instance; the demo plant is loaded as of the first request.
    fn new(options: Options) -> Self {
        let plan = Plan::new("Digital twins", seed::model(&options), options.storage);
        Self {
            component: seed::component(&options),
            location: seed::location(&options),
            options,
            graph: Graph::default(),
            jobs: Jobs::default(),
            dropped: Dropped::default(),
            tokens: Tokens::default(),
            plan,
            shown: BTreeMap::new(),
            seeded: false,
            patches: 0,
            meddled: std::collections::BTreeSet::new(),
        }
    }

    fn on(&self, switch: Switch) -> bool {
        self.options.switches.on(switch)
    }

    /// Loads the demo plant, long before anybody asks.
    fn seed(&mut self, at: Timestamp) {
        if std::mem::replace(&mut self.seeded, true) || !self.options.seeded {
            return;
        }
        let before = at.saturating_sub(2 * QUERY_LAG).unwrap_or(at);
        let seed = seed::seed(&self.options);
        let models = self.graph.models.add(before, &seed.models);
        debug_assert!(models.is_ok(), "{models:?}");
        for (id, body) in seed.twins {
            let body = body.as_object().cloned().unwrap_or_default();
            let twin = self.graph.new_twin(before, body);
            debug_assert!(twin.is_ok(), "{twin:?}");
            if let Ok(twin) = twin {
                self.graph.keep(before, &id, twin);
            }
        }
        for (source, id, body) in seed.relationships {
            let body = body.as_object().cloned().unwrap_or_default();
            if let Ok(one) = self.graph.new_relationship(&source, body) {
                self.graph.relationships.insert((source, id), one);
            }
        }
    }

    fn service(&mut self, at: Timestamp, request: &Request<Bytes>, path: &[String]) -> Answer {
        tokens::check(&self.tokens, at, request)?;
        if self.on(Switch::EmptyForbidden) {
            return Err(Refusal::forbidden());
        }
        if self.on(Switch::WrongTenant) {
            return Err(Refusal::new(404, "NotFound", "Sub-Domain not found"));
        }
        let version = parameters(request, "api-version");
        if !version.first().is_some_and(|version| VERSIONS.contains(&version.as_str())) {
            let text = "The api-version is missing, or not supported.";
            return Err(Refusal::new(400, "UnsupportedApiVersion", text));
        }
        let tls = self.options.behind_tls;
        let (first, rest) = path.split_first().ok_or_else(absent)?;
        match (first.as_str(), rest) {
            ("models", rest) => self.graph.models.handle(at, request, rest, tls),
            ("digitaltwins", [id, rest @ ..]) => {
                self.disturb(at, request, id, rest)?;
                self.graph.digital_twin(at, request, id, rest, tls)
            }
            ("query", []) => self.query(at, request),
            ("eventroutes", rest) => routes::handle(request, rest, tls),
            ("jobs", rest) => {
                let how = (self.options.switches, self.options.import);
                self.jobs.handle(at, request, rest, how, tls)
            }
            _ => Err(absent()),
        }
    }

    /// What may come before a change of a twin: its rate, and faults.
    fn disturb(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        id: &str,
        rest: &[String],
    ) -> Result<(), Refusal> {
        if *request.method() == Method::GET || rest.iter().any(|part| part == "telemetry") {
            return Ok(());
        }
        if self.on(Switch::TwinRate) {
            self.graph.within_rate(at, id)?;
        }
        if *request.method() != Method::PATCH {
            return Ok(());
        }
        self.patches += 1;
        if self.patches.is_multiple_of(5) && self.on(Switch::ThrottledWrites) {
            return Err(Refusal::throttle(7));
        }
        if self.patches.is_multiple_of(5) && self.on(Switch::DoubleEncoded429) {
            return Err(Refusal::busy("Too many requests."));
        }
        let conditional = wire::header_text(request, "if-match").is_some_and(|etag| etag != "*");
        if self.on(Switch::ForeignWrites) && conditional && self.meddled.insert(id.to_owned()) {
            let etag = self.graph.fresh_etag();
            if let Some(twin) = self.graph.twins.get_mut(id) {
                twin.etag = etag;
            }
        }
        Ok(())
    }

    fn query(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        if self.on(Switch::QuotaInside200) {
            let error = json!({ "code": "QuotaExceptionError", "message": "Too many queries." });
            return Ok(json_answer(200, &json!({ "error": error })));
        }
        let asked = body(request)?;
        let bad = |text: &str| Refusal::new(400, "BadRequest", text);
        // The next page is asked for with the token alone.
        let token = asked["continuationToken"].as_str();
        let (skip, text) = match token.map(|token| token.split_once('|')) {
            Some(Some((skip, text))) => (skip.parse().map_err(|_| bad("bad token"))?, text),
            Some(None) => return Err(bad("The continuation token is not valid.")),
            None => (0, asked["query"].as_str().unwrap_or_default()),
        };
        let query = query::parse(text).map_err(|why| {
            Refusal::new(400, "SqlQueryError", format!("SQL query parse failed: {why}"))
        })?;
        let lag = if self.on(Switch::EventualQueries) { QUERY_LAG } else { Duration::ZERO };
        self.graph.indexed(at, lag);
        let (index, models) = self.graph.seen();
        let mut rows: Vec<Value> =
            index.values().filter(|twin| query.finds(twin, models)).cloned().collect();
        if query.count {
            rows = vec![json!({ "COUNT": rows.len() })];
        }
        let skip: usize = rows.len().min(skip);
        let (end, more) = page(request, QUERY_PAGE, skip, rows.len());
        let token = more.then(|| format!("{end}|{text}"));
        let answer = json_answer(
            200,
            &json!({ "value": rows[skip..end],
            "continuationToken": token }),
        );
        Ok(with(answer, "query-charge", "5.02"))
    }
}

fn absent() -> Refusal {
    Refusal::new(404, "NotFound", "There is no such resource.")
}

impl Simulator for AzureDigitalTwins {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.seed(at);
        self.look(at, Writer::Job("Demo plant".to_owned()));
        self.jobs.advance(at, &mut self.graph);
        self.look(at, Writer::Job("Import job".to_owned()));
        let path = segments(request);
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        let answer = match parts.as_slice() {
            ["models" | "digitaltwins" | "query" | "eventroutes" | "jobs", ..] => {
                self.service(at, request, &path)
            }
            [_, "oauth2", "v2.0", "token"] if *request.method() == Method::POST => {
                Ok(tokens::client(&mut self.tokens, at, request))
            }
            ["metadata", "identity", "oauth2", "token"] => {
                Ok(tokens::machine(&mut self.tokens, at, request))
            }
            ["blobs", ..] => self.jobs.blob(request),
            _ => Ok(self.page(at, request)),
        };
        let response = answer.unwrap_or_else(|refusal| refusal.render());
        self.look(at, Writer::Integration("planthread".to_owned()));
        Reply::to(request, response)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.plan.store.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.plan.store.history().collect()
    }

    fn expire_sessions(&mut self) {
        self.tokens.clear();
    }
}
