//! A bench from a target's factory, its sandbox, and its `conformance.json`:
//! settings and measures that fit the sandbox as it starts, and which places it
//! knows. So a new target brings its own bench, and no file here changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use planthread::{in_process::InProcess, registry::Registered};
use planthread_conformance::{Bench, Fault, Habit, Target, World};
use planthread_contracts::{CellKey, MeasureDecl, Period, Scope, SeenCell};
use planthread_kit::{
    CellWrite, Clock, Connector, FlowBook, QuotaBook, QuotaConfig, Transport, VirtualClock,
    http::{HttpSettings, TokenBook},
    target::{Network, Nothing, TargetContext},
};
use planthread_mocks::{
    Change, Fault as Mishap, Faulty, Reply, Rule, Setup, Simulator, StoredCell, faults::When,
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

/// One target under test.
#[derive(Debug, Clone)]
pub(crate) struct FactoryBench {
    registered: Registered,
    case: Case,
    folder: PathBuf,
    name: &'static str,
}

/// What `conformance.json` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Options that the sandbox starts with; none where the plain one will do.
    #[serde(default)]
    options: Vec<(String, String)>,
    /// Behaviours of the sandbox that are on whatever it is told.
    #[serde(default)]
    on: Vec<String>,
    /// Settings of the connector. `${file:secret}` holds what the sandboxes take.
    settings: Value,
    /// The scope that is written; empty for base.
    scope: String,
    /// Measures of one row, all of one level.
    measures: Vec<MeasureDecl>,
    /// Resources and locations that the sandbox knows.
    places: Vec<(String, String)>,
    /// One that it does not know.
    stranger: (String, String),
    /// The first period that is written.
    first: Period,
    /// What must never be printed.
    secrets: Vec<String>,
    /// A field of the answers that the connector reads, and another name.
    renamed: (String, String),
    /// The field of the answers that says how many rows there are.
    counted: String,
    /// What the sandbox can be told to do, and how.
    #[serde(default)]
    habits: BTreeMap<Habit, Told>,
}

/// How a sandbox is told a habit, or what stands between it and us.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Told {
    /// Behaviours of the sandbox that are turned on, and off.
    on: Vec<String>,
    off: Vec<String>,
    /// Part of an address, and the field whose text names nothing there.
    blank: Option<(String, String)>,
}

/// The ways of which a folder has a bench: the first is the plain one.
pub(crate) fn ways(folder: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(&path).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let named = files.filter_map(|file| {
        let name = file.ok()?.file_name().to_string_lossy().into_owned();
        Some(name.strip_prefix("conformance-")?.strip_suffix(".json")?.to_owned())
    });
    let mut ways: Vec<String> = named.chain([String::new()]).collect();
    ways.sort();
    ways
}

impl FactoryBench {
    /// The bench of a target whose `conformance.json`, or `conformance-WAY.json`,
    /// lies in `folder` of the repository.
    pub(crate) fn new(registered: Registered, folder: &str, way: &str) -> Self {
        let dash = if way.is_empty() { "" } else { "-" };
        let file = format!("{folder}/conformance{dash}{way}.json");
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(&file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        let case: Case =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        fs::write(folder.join("secret"), "planthread\n").unwrap();
        for (name, text) in registered.target.starter.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        if let Err(fault) = (registered.target.validate)(&case.settings, &case.measures) {
            panic!("{file}: {fault}");
        }
        let name = format!("{}{dash}{way}", registered.target.name);
        Self { registered, case, folder, name: name.leak() }
    }

    /// Settings that fit the sandbox, which is at `http://127.0.0.1`.
    pub(crate) fn settings(&self) -> &Value {
        &self.case.settings
    }

    /// Measures of one row.
    pub(crate) fn measures(&self) -> &[MeasureDecl] {
        &self.case.measures
    }

    /// The sandbox as it starts, or with behaviours turned on and off; `more` are
    /// further options.
    pub(crate) fn sandbox(&self, told: &Told, more: &[(String, String)]) -> Box<dyn Simulator> {
        let (on, off) = ([&*self.case.on, &*told.on].concat(), told.off.clone());
        let options = [&self.case.options, more].concat();
        (self.registered.sandbox.build)(&Setup { options, on, off, ..Setup::default() }).unwrap()
    }

    /// The connector with these settings, on this wire.
    pub(crate) fn connector(
        &self,
        settings: &Value,
        clock: &Arc<dyn Clock>,
        wire: Arc<dyn Transport>,
        http: &HttpSettings,
    ) -> Arc<dyn Connector> {
        let scope = match self.case.scope.as_str() {
            "" => Scope::base(),
            named => Scope::named(named),
        };
        let context = TargetContext {
            target: TARGET,
            settings,
            scope,
            measures: self.measures(),
            folder: &self.folder,
            clock,
            quotas: &QuotaBook::new(Arc::clone(clock)),
            tokens: &TokenBook::default(),
            known: Arc::new(Nothing),
            quota: &QuotaConfig::default(),
            network: &Network::default(),
            http,
            transport: Some(wire),
            flows: &FlowBook::default(),
            permit: None,
            offline: false,
        };
        (self.registered.target.build)(&context).unwrap()
    }

    /// The cells of one place and period; values differ from cell to cell.
    fn row(&self, (resource, location): &(String, String), period: Period) -> Vec<CellWrite> {
        let seed = i64::from(period.start().day_of_year()) * 100 + resource.len() as i64;
        let cell = |(number, measure): (usize, &MeasureDecl)| {
            // A measure without decimals is a stamp: one day for all.
            let value = match measure.scale {
                0 => Decimal::from(20_261_122),
                scale => Decimal::new(seed + 1 + 49 * number as i64, scale),
            };
            CellWrite {
                key: CellKey {
                    target: TARGET.into(),
                    scope: (&self.case.scope).into(),
                    resource: resource.into(),
                    location: location.into(),
                    product: None,
                    period,
                    measure: (&measure.name).into(),
                },
                revision: 1,
                value,
            }
        };
        self.case.measures.iter().enumerate().map(cell).collect()
    }
}

const TARGET: &str = "target";
const A_TRILLION: u64 = 1_000_000_000_000;

fn start() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

impl Bench for FactoryBench {
    fn name(&self) -> &'static str {
        self.name
    }

    fn habits(&self) -> Vec<Habit> {
        self.case.habits.keys().copied().collect()
    }

    fn world_with(&self, habit: Option<Habit>) -> World {
        let clock = VirtualClock::new(start(), 7);
        let told = habit.map(|habit| self.case.habits[&habit].clone()).unwrap_or_default();
        let (sandbox, case) = (self.sandbox(&told, &[]), self.case.clone());
        let watched = Arc::new(Mutex::new(Watched::new(sandbox, &case.counted, told.blank)));
        let target = Arc::new(Mounted { watched: watched.clone(), case: case.clone() });
        let (bench, shared) = (self.clone(), clock.clone());
        let again = move || {
            let clock: Arc<dyn Clock> = Arc::new(shared.clone());
            let wire = Arc::new(InProcess::new(watched.clone(), Arc::clone(&clock)));
            bench.connector(bench.settings(), &clock, wire, &HttpSettings::default())
        };
        World { clock, connector: again(), target, again: Box::new(again) }
    }

    fn cells(&self, count: usize) -> Vec<CellWrite> {
        let mut period = self.case.first;
        let mut cells = Vec::new();
        while cells.len() < count {
            cells.extend(self.case.places.iter().flat_map(|place| self.row(place, period)));
            period = period.next();
        }
        let row = self.case.measures.len();
        cells.truncate(count / row * row);
        cells.sort_by(|a, b| a.key.cmp(&b.key));
        cells
    }

    fn stranger(&self) -> Vec<CellWrite> {
        self.row(&self.case.stranger, self.case.first)
    }

    fn secrets(&self) -> Vec<String> {
        self.case.secrets.clone()
    }
}

/// The sandbox with its faults, and a watch on announced waits.
struct Watched {
    faulty: Faulty<Box<dyn Simulator>>,
    closed_until: Option<Timestamp>,
    early: usize,
    counted: String,
    /// Requests whose answers announce a trillion rows.
    lies: BTreeSet<u64>,
    /// Part of an address, and the field whose text names nothing there.
    blank: Option<(String, String)>,
}

impl Watched {
    fn new(sandbox: Box<dyn Simulator>, counted: &str, blank: Option<(String, String)>) -> Self {
        let faulty = Faulty::new(sandbox, [], 1);
        let (counted, lies) = (counted.to_owned(), BTreeSet::new());
        Self { faulty, closed_until: None, early: 0, counted, lies, blank }
    }
}

/// Puts `number` wherever `body` has a field called `name`, as a text where it
/// was one; a text that is no number becomes `text`.
fn put(name: &str, number: u64, text: &str, body: &mut Value) {
    match body {
        Value::Object(fields) => {
            for (field, value) in fields {
                match value {
                    Value::String(held) if field == name => {
                        let counts = held.parse::<u64>().is_ok();
                        *held = if counts { number.to_string() } else { text.to_owned() };
                    }
                    Value::Number(_) if field == name => *value = number.into(),
                    inner => put(name, number, text, inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put(name, number, text, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The reply with its JSON changed, where it has any.
fn alter(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice::<Value>(reply.response.body()) {
        change(&mut body);
        *reply.response.body_mut() = Bytes::from(body.to_string());
        reply.response.headers_mut().remove(http::header::CONTENT_LENGTH);
    }
}

impl Simulator for Watched {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.early += usize::from(self.closed_until.is_some_and(|until| at < until));
        let mut reply = self.faulty.handle(at, request);
        if self.lies.contains(&self.faulty.requests()) {
            alter(&mut reply, |body| put(&self.counted, A_TRILLION, "", body));
        }
        let blank = self.blank.iter().find(|(part, _)| request.uri().path().contains(part));
        if let Some((_, field)) = blank {
            alter(&mut reply, |body| put(field, 0, "a row was refused", body));
        }
        let wait = reply.response.headers().get("retry-after");
        if let Some(seconds) = wait.and_then(|value| value.to_str().ok()?.parse::<u64>().ok()) {
            self.closed_until = Some(at + Duration::from_secs(seconds));
        }
        reply
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.faulty.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.faulty.history()
    }

    fn expire_sessions(&mut self) {
        self.faulty.expire_sessions();
    }
}

struct Mounted {
    watched: Arc<Mutex<Watched>>,
    case: Case,
}

impl Mounted {
    fn with<T>(&self, act: impl FnOnce(&mut Watched) -> T) -> T {
        act(&mut self.watched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Target for Mounted {
    fn stored(&self) -> Vec<SeenCell> {
        let canonical = |cell: StoredCell| {
            let ours = |measure: &&MeasureDecl| measure.surface == cell.measure;
            let measure = self.case.measures.iter().find(ours)?.name.clone();
            let key = CellKey {
                target: TARGET.into(),
                scope: cell.scope.into(),
                resource: cell.resource.into(),
                location: cell.location.into(),
                product: None,
                period: cell.period,
                measure: measure.into(),
            };
            Some(SeenCell { key, value: Some(cell.value) })
        };
        self.with(|world| world.stored()).into_iter().filter_map(canonical).collect()
    }

    fn inject(&self, nth: usize, fault: Fault) {
        let status = |code, retry_after: Option<Duration>| Mishap::Status {
            code,
            retry_after: retry_after.and_then(|wait| u32::try_from(wait.as_secs()).ok()),
            after: false,
        };
        let fault = match fault {
            Fault::DropBefore => Mishap::DropBefore,
            Fault::DropAfter => Mishap::DropAfter,
            Fault::Truncated => Mishap::TruncatedBody(20),
            Fault::ServerError => status(500, None),
            Fault::Unavailable(wait) => status(503, Some(wait)),
            Fault::TooMany(wait) => status(429, Some(wait)),
            Fault::Forbidden => status(403, None),
            Fault::ErrorInside200 => Mishap::ErrorInside200,
            Fault::Expired => Mishap::ExpireToken,
            Fault::RenamedField => {
                let (from, to) = self.case.renamed.clone();
                Mishap::RenameField { from, to }
            }
            Fault::LoginPage => Mishap::LoginPage(200),
            Fault::Multipart400 => Mishap::Multipart400(200),
            Fault::Redirect => Mishap::Redirect(302),
            Fault::CountLies => {
                self.with(|world| world.lies.insert(world.faulty.requests() + nth as u64));
                return;
            }
        };
        let nth = nth as u64;
        let rule = Rule { fault, matches: None, when: When::Range(nth, nth) };
        self.with(|world| world.faulty.schedule(rule));
    }

    fn requests(&self) -> usize {
        self.with(|world| usize::try_from(world.faulty.requests()).unwrap_or(usize::MAX))
    }

    fn inside_retry_after(&self) -> usize {
        self.with(|world| world.early)
    }
}
