//! Kinaxis sandbox: company `PTDM01_DEV01` behind `integration/V1`.
//!
//! What each behaviour rests on is listed in [`behaviours::TABLE`] and
//! [`behaviours::ALWAYS`]; what is unconfirmed is off until switched on, and what
//! no client was seen to use does not exist.

mod auth;
pub mod behaviours;
mod bulk;
mod data;
mod dates;
mod files;
mod filter;
mod history;
pub mod options;
mod script;
mod tables;
mod wire;
mod workbook;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

pub use auth::USER;
pub use behaviours::{Switch, Switches};
pub use options::{FACTORY, Options};
pub use tables::{PARENT, SIGNALS};

use crate::sdk::{
    SandboxShape,
    plan::{Plan, Route, Sites, planner::nowhere},
    simulator::{Change, Reply, Simulator, StoredCell, Writer},
    tokens::Tokens,
};
use data::Data;
use wire::{Answer, refused};

/// The company's id: the first segment of every address.
pub(crate) const COMPANY: &str = "PTDM01_DEV01";

/// The sandbox.
#[derive(Debug)]
pub struct Kinaxis {
    options: Options,
    plan: Plan,
    data: Data,
    integration: Arc<Writer>,
    tokens: Tokens,
    exports: BTreeMap<String, bulk::Export>,
    staged: BTreeMap<String, bulk::Staged>,
    queries: BTreeMap<String, workbook::Query>,
    children: BTreeMap<String, script::Child>,
    files: files::Files,
    handles: u64,
}

impl Kinaxis {
    /// A fresh sandbox; the standard capacity is loaded as of the first request.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (tables, model) = tables::build(&options);
        let scopes: Vec<String> = model.scopes.iter().map(|(name, _)| name.clone()).collect();
        let mut plan = Plan::new("Maestro", model, options.storage);
        plan.scope_word = "Scenario";
        // A row of one period goes before the standard row.
        plan.wiring = crate::sdk::plan::Wiring::Calculation;
        let resources = options.resources.into();
        let sites = Sites::of(SandboxShape::resources_or_demo(options.shape.as_ref(), resources));
        let data = Data::new(tables, sites, options.inclusive, options.storage, &plan.model);
        let mut sandbox = Self {
            options,
            plan,
            data,
            integration: Arc::new(Writer::Integration(USER.to_owned())),
            tokens: Tokens::default(),
            exports: BTreeMap::new(),
            staged: BTreeMap::new(),
            queries: BTreeMap::new(),
            children: BTreeMap::new(),
            files: files::Files::default(),
            handles: 0,
        };
        for scope in scopes {
            sandbox.add_child(&scope);
        }
        sandbox
    }

    fn on(&self, switch: Switch) -> bool {
        self.options.switches.on(switch)
    }

    /// Answers an address below the company.
    fn company(&mut self, at: Timestamp, path: &str, request: &Request<Bytes>) -> Answer {
        if path == "oauth2/token" {
            return self.token(at, request);
        }
        let below = path.get(..15).filter(|root| root.eq_ignore_ascii_case("integration/v1/"));
        let below = below.map(|root| &path[root.len()..]);
        let below = below.ok_or_else(|| refused(404, "No such endpoint"))?;
        self.authenticate(at, request.headers())?;
        let segments: Vec<String> = below
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let post = *request.method() == Method::POST;
        match segments.as_slice() {
            ["bulk", "export"] if post => self.open_export(request),
            ["bulk", "export", id] if !post => self.export_page(id, request),
            ["bulk", "upload"] if post => self.stage(request, false),
            ["bulk", "upload", id, "complete"] if post => self.complete(at, id, false),
            ["bulk", "remove"] if post => self.stage(request, true),
            ["bulk", "remove", id, "complete"] if post => self.complete(at, id, true),
            ["data", "workbook"] if post => self.open_workbook(at, request),
            ["data", "worksheet"] if !post => self.worksheet_page(request),
            ["data", "workbook", "import"] if post => self.import(at, request),
            ["script", scope, name] if post => self.script(at, (scope, name), request),
            ["dataload", source, file] if post => self.put_file(source, file, request),
            ["dataupdate", "trigger"] if post => self.trigger(at, request),
            ["dataupdate", key] if !post => self.update_status(at, key),
            ["bulk", ..]
            | ["data", ..]
            | ["script", ..]
            | ["dataload", ..]
            | ["dataupdate", ..] => Err(refused(405, "Method not allowed, or no such endpoint")),
            _ => Err(refused(404, "No such endpoint")),
        }
    }

    /// Answers everything outside the company: the planner's page.
    fn page(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        match Route::of(request) {
            Route::Pack => self.drop_file(at, request),
            Route::Nowhere => nowhere(request),
            Route::Plan => {
                let before = self.plan.store.changes();
                let answer = self.plan.planner(at, request, &self.data.sites);
                let people = self.plan.store.history().skip(before);
                let people: Vec<_> = people
                    .filter(|change| matches!(change.cell.writer, Writer::Person(_)))
                    .map(|change| change.cell)
                    .collect();
                for cell in people {
                    let Some(measure) = self.plan.model.find(&cell.measure) else { continue };
                    let key = crate::sdk::plan::RowKey::new(
                        &cell.scope,
                        &cell.resource,
                        &cell.location,
                        cell.period,
                    );
                    let value = self.plan.store.value(&key, measure);
                    self.data.edited(&cell.scope, &key, measure, value);
                }
                answer
            }
        }
    }
}

impl Simulator for Kinaxis {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.plan.fill(at, &self.data.sites);
        self.update_due(at);
        let path = request.uri().path().to_owned();
        let own = path.strip_prefix('/').and_then(|path| path.strip_prefix(COMPANY));
        let response = match own.and_then(|path| path.strip_prefix('/')) {
            Some(below) => self.company(at, below, request).unwrap_or_else(|refused| *refused),
            None => self.page(at, request),
        };
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
