//! o9 sandbox: tenant `1234`, app `PlanthreadDemo`, version `TwinSignals`.
//!
//! Only routes that public clients were seen to use exist: IBPL queries, a
//! tenant's rule, reads of the Platform API, the log-in. Writing through IBPL
//! over HTTP is unconfirmed and off until switched on. What each behaviour rests
//! on is listed in [`behaviours`].

pub mod behaviours;
mod ibpl;
mod model;
mod names;
mod options;
mod pack;
mod platform;
mod reply;
mod rule;
mod run;
mod session;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

pub use behaviours::{Switch, Switches};
pub use model::{GROUP, RULE, TENANT, VERSION};
pub use options::{FACTORY, Options};

use crate::sdk::{
    plan::{Plan, Route, Sites, planner},
    simulator::{Change, Reply, Simulator, StoredCell},
    tokens::Tokens,
    web::{self, json_answer, with},
};

/// The sandbox.
#[derive(Debug)]
pub struct O9 {
    options: Options,
    names: names::Names,
    plan: Plan,
    sites: Sites,
    tokens: Tokens,
    /// Signals that the rule has taken: id and digest of the payload.
    taken: BTreeMap<String, String>,
    /// Cells that wait for `save()`, where the tenant wants one.
    unsaved: Vec<run::Write>,
    /// How long the answer under way takes.
    delay: Duration,
}

/// A refusal: status and free text, as most clients see it.
#[derive(Debug)]
struct Refusal {
    status: u16,
    text: String,
}

type Answer = Result<Response<Bytes>, Refusal>;

fn refuse(status: u16, text: impl Into<String>) -> Refusal {
    Refusal { status, text: text.into() }
}

impl O9 {
    /// A fresh sandbox; the ERP's data is loaded as of the first request.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let sites = Sites::of(options.resources.clone());
        let names = options.names.clone();
        let title = format!("Application {}", names.app);
        let model = model::model(options.shape.as_ref(), &names);
        let mut plan = Plan::new(&title, model, options.storage);
        plan.wiring = options.wiring;
        plan.nightly_hour = options.nightly_hour;
        plan.weeks.1 = options.weeks_ahead;
        plan.spoils = options.switches.on(Switch::MergeOverwrites);
        Self {
            options,
            names,
            plan,
            sites,
            tokens: Tokens::default(),
            taken: BTreeMap::new(),
            unsaved: Vec::new(),
            delay: Duration::ZERO,
        }
    }

    fn on(&self, switch: Switch) -> bool {
        self.options.switches.on(switch)
    }

    fn api(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        let path = request.uri().path().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        if let (&Method::POST, ["api", "framework", "auth", "login"]) = (request.method(), &*parts)
        {
            return session::login(&mut self.tokens, &self.names.tenant, at, request.body());
        }
        session::authenticate(&self.tokens, at, request)?;
        let verb = request.method();
        match (verb, parts.as_slice()) {
            (&Method::POST, ["api", "ibplquery", tenant, rest]) => {
                if **tenant != self.names.tenant {
                    return Err(refuse(403, "the key does not belong to this tenant"));
                }
                let rest = percent_encoding::percent_decode_str(rest).decode_utf8_lossy();
                let body: Value = serde_json::from_slice(request.body())
                    .map_err(|error| refuse(400, format!("the body is no JSON: {error}")))?;
                match &*rest {
                    "ExecuteQueryJson" => self.query(at, &body, false),
                    "ExecuteCompactJsonQuery" => self.query(at, &body, true),
                    RULE => self.rule(at, &body),
                    other => Err(refuse(404, format!("there is no rule {other}"))),
                }
            }
            (&Method::GET, ["api", "v2", kind @ ("master" | "fact"), app, rest @ ..]) => {
                if **app != self.names.app {
                    return Err(refuse(404, format!("there is no application {app}")));
                }
                let query = request.uri().query().unwrap_or_default();
                match rest {
                    [] => Ok(self.listing(kind)),
                    [name] => self.platform(at, kind, name, query),
                    _ => Err(refuse(404, "nothing is there")),
                }
            }
            _ => Err(refuse(404, "nothing is there")),
        }
    }

    /// The planner's page, which shows the signal version unless another is
    /// asked for, and the import of a pack.
    fn page(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        let bare = request.uri().query().is_none();
        match Route::of(request) {
            Route::Plan if bare && ["/", "/planner"].contains(&request.uri().path()) => {
                let moved = json_answer(307, &json!({ "see": "/planner" }));
                let version = utf8_percent_encode(&self.names.version, NON_ALPHANUMERIC);
                with(moved, "location", &format!("/planner?version={version}"))
            }
            Route::Plan => self.plan.planner(at, request, &self.sites),
            Route::Nowhere => planner::nowhere(request),
            Route::Pack => self.import(at, request),
        }
    }
}

impl Simulator for O9 {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.plan.fill(at, &self.sites);
        self.plan.nightly_due(at, &self.sites);
        self.delay = Duration::ZERO;
        if !request.uri().path().starts_with("/api/") {
            return Reply::new(self.page(at, request));
        }
        let answer = self.api(at, request).unwrap_or_else(|Refusal { status, text }| {
            with(web::answer(status, text), "content-type", "text/plain; charset=utf-8")
        });
        Reply::new(answer).after(self.delay)
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
