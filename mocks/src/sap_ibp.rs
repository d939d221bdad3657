//! SAP IBP sandbox: planning area `PTDEMO` behind both OData V2 services.
//!
//! What each behaviour rests on is listed in [`behaviours::TABLE`] and
//! [`behaviours::ALWAYS`]; what is unconfirmed is off until switched on. The
//! metadata is composed by us in the documented shape.

pub mod behaviours;
mod edmx;
mod filter;
mod functions;
mod labels;
mod listing;
mod master;
mod master_api;
pub mod model;
pub mod options;
pub mod pack;
mod planning;
mod predicate;
mod query;
mod rates;
mod read;
mod session;
mod shaped;
mod stage;
mod transaction;
mod wire;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

pub use behaviours::{Switch, Switches};
pub use options::{FACTORY, Family, Options, Wiring};
pub use rates::RATES;
pub use session::USER;

use crate::sdk::{
    ShapeResource, jobs,
    latency::{Load, Profile},
    plan::{
        Plan, Route,
        planner::{answer, nowhere, pack, refuse},
    },
    simulator::{Change, Reply, Simulator, StoredCell},
    web,
};
use master::Master;
use model::Area;
use query::Query;
use session::{Sessions, authenticate};
use transaction::Transaction;
use wire::{Format, Refusal};

/// The sandbox.
#[derive(Debug)]
pub struct SapIbp {
    options: Options,
    area: Area,
    plan: Plan,
    master: Master,
    transactions: std::collections::BTreeMap<String, Transaction>,
    sessions: Sessions,
    load: Load,
    ids: u64,
    requests: u64,
}

/// The imports of both services, by transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Import {
    MasterData(String),
    KeyFigures(String),
}

/// What a request costs the vendor, for documented latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Nothing that is documented.
    Light,
    /// A key figure read.
    Read,
    /// Staging of this many values.
    Stage(u64),
}

/// An answer with what it cost.
#[derive(Debug)]
struct Answered {
    response: Response<Bytes>,
    work: Work,
}

impl From<Response<Bytes>> for Answered {
    fn from(response: Response<Bytes>) -> Self {
        Self { response, work: Work::Light }
    }
}

type Answer = Result<Answered, Refusal>;

/// The two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Planning,
    MasterData,
}

impl Service {
    /// Finds the service of a path, and what follows its root. `IBP` is seen in
    /// upper and lower case.
    fn of(path: &str) -> Option<(Self, &str)> {
        let rest = path.strip_prefix("/sap/opu/odata/")?;
        let rest = rest.strip_prefix("IBP/").or_else(|| rest.strip_prefix("ibp/"))?;
        let (service, rest) = rest.split_once('/').unwrap_or((rest, ""));
        match service {
            "PLANNING_DATA_API_SRV" => Some((Self::Planning, rest)),
            "MASTER_DATA_API_SRV" => Some((Self::MasterData, rest)),
            _ => None,
        }
    }

    /// Its root as the client addresses it. A server doesn't hear the scheme.
    fn root(self, request: &Request<Bytes>, tls: bool) -> String {
        let name = match self {
            Self::Planning => "PLANNING_DATA_API_SRV",
            Self::MasterData => "MASTER_DATA_API_SRV",
        };
        let host = request.headers().get(http::header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().host()).unwrap_or("sandbox");
        let served = if tls { "https" } else { "http" };
        let scheme = request.uri().scheme_str().unwrap_or(served);
        format!("{scheme}://{host}/sap/opu/odata/IBP/{name}")
    }
}

impl SapIbp {
    /// A fresh sandbox; the ERP's data is loaded as of the first request.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (area, model) = Area::of(&options);
        let master = Master::new(&options, &area, &model);
        let mut plan = Plan::new(&format!("Planning area {}", area.name), model, options.storage);
        plan.wiring = options.wiring;
        plan.weeks = options.weeks;
        plan.seed = options.seed;
        plan.nightly_hour = options.nightly_hour;
        let mut sandbox = Self {
            options,
            area,
            plan,
            master,
            transactions: std::collections::BTreeMap::new(),
            sessions: Sessions::default(),
            load: Load::new(RATES),
            ids: 0,
            requests: 0,
        };
        sandbox.obey_switches();
        sandbox
    }

    /// Its options.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Changes how landed capacity drives the plan, from now on.
    #[cfg(test)]
    pub(crate) const fn rewire(&mut self, wiring: Wiring) {
        self.plan.wiring = wiring;
    }

    /// Turns one behaviour on or off, from now on.
    pub fn switch(&mut self, switch: Switch, on: bool) {
        self.options.switches = self.options.switches.with(switch, on);
        self.obey_switches();
    }

    /// Somebody loads a resource that was not there, with its location.
    pub fn add_resource(&mut self, resource: &str, location: &str) {
        let (resource, location) = (resource.to_owned(), location.to_owned());
        let one = ShapeResource { description: resource.clone(), resource, location };
        self.master.add(one, &self.plan.model);
    }

    fn obey_switches(&mut self) {
        let switches = self.options.switches;
        self.plan.strict_scopes = switches.on(Switch::VersionAssignment);
        self.plan.spoils = switches.on(Switch::NightlyOverwritesBridge);
    }

    /// Requests handled so far.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Moves everything that is due by `at`: imports in the order of their ends,
    /// then the nightly job.
    pub fn advance(&mut self, at: Timestamp) {
        self.plan.fill(at, &self.master);
        let masters = self.master.transactions.iter();
        let masters = masters.map(|(id, t)| (Import::MasterData(id.clone()), t.progress.job));
        let figures = self.transactions.iter();
        let figures = figures.map(|(id, t)| (Import::KeyFigures(id.clone()), t.progress.job));
        for (ends, import) in jobs::due(at, masters.chain(figures)) {
            match import {
                Import::MasterData(id) => self.import_master(&id),
                Import::KeyFigures(id) => self.import_key_figures(ends, &id),
            }
        }
        self.plan.nightly_due(at, &self.master);
    }

    /// Runs the nightly chain: ERP load, copy operator if wired so, supply run.
    /// Imports that are due by then come first.
    pub fn nightly(&mut self, at: Timestamp) {
        self.advance(at);
        self.plan.nightly(at, &self.master);
    }

    /// Answers everything that is not one of the two services.
    fn page(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        match Route::of(request) {
            Route::Plan => self.plan.planner(at, request, &self.master),
            Route::Nowhere => nowhere(request),
            Route::Pack => match pack(request) {
                Err(refused) => *refused,
                Ok((separator, version, file)) => {
                    match self.import_csv(at, file, separator, &version) {
                        Ok(report) => answer(200, &serde_json::json!(report)),
                        Err(error) => refuse(&error),
                    }
                }
            },
        }
    }

    /// 64 hexadecimal digits that nobody else has.
    fn fresh_id(&mut self) -> String {
        self.ids += 1;
        web::digest(format!("{}/{}", self.options.seed, self.ids))
    }

    fn odata(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        service: Service,
        path: &str,
    ) -> Answered {
        let switches = self.options.switches;
        if switches.on(Switch::LengthRequired) && session::lacks_length(request) {
            return wire::response(411, "text/html", "<h1>411 Length Required</h1>").into();
        }
        if let Err(refused) = authenticate(request, &self.options) {
            return (*refused).into();
        }
        let options = self.options.clone();
        let mut sessions = std::mem::take(&mut self.sessions);
        let checked = sessions.check(at, request, &options, || self.fresh_id());
        self.sessions = sessions;
        let issued = match checked {
            Ok(issued) => issued,
            Err(refused) => return (*refused).into(),
        };
        let lost = switches.on(Switch::ParametersNeedType) && session::lacks_type(request);
        let query = Query::parse(request.uri().query().filter(|_| !lost));
        let answer = match service {
            Service::Planning => self.planning(at, request, path, &query),
            Service::MasterData => self.master_data(at, request, path, &query),
        };
        let mut answered = answer.unwrap_or_else(|refusal| {
            let terse = switches.on(Switch::TerseErrors);
            let refusal = if terse { refusal.tersely() } else { refusal };
            refusal.render(Format::of(request.headers(), query.get("$format"))).into()
        });
        // A failed request carries no new token (section 8).
        if let Some(issued) = issued.filter(|_| answered.response.status().is_success()) {
            issued.attach(&mut answered.response, options.behind_tls);
        }
        answered
    }
}

impl Simulator for SapIbp {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.advance(at);
        self.requests += 1;
        let path = request.uri().path().to_owned();
        let answered = match Service::of(&path) {
            Some((service, rest)) => self.odata(at, request, service, rest),
            None => self.page(at, request).into(),
        };
        let delay = match (self.options.latency, answered.work) {
            (Profile::AsDocumented, Work::Stage(values)) => self.load.stage(at, values),
            (Profile::AsDocumented, Work::Read) => self.load.read(at),
            (Profile::AsDocumented | Profile::None, _) => std::time::Duration::ZERO,
        };
        Reply::to(request, answered.response).after(delay)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.plan.store.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.plan.store.history().collect()
    }

    fn expire_sessions(&mut self) {
        self.sessions.clear();
    }
}
