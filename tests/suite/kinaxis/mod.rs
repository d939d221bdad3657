//! Kinaxis: the connector before its sandbox, in every way that the conformance
//! cases don't set it up: commits, tables without a key, the other family.

mod agreed;
mod both;
mod commit;
mod files;
mod profiles;
mod reasons;
mod requests;
mod restart;
mod unnamed;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, Once},
    time::Duration,
};

use jiff::Timestamp;
use planthread::{
    in_process::InProcess,
    registry::{self, Registered},
};
use planthread_contracts::{CellKey, MeasureDecl, Period, Scope, WriteGrant};
use planthread_kit::{
    Attempt, AttemptId, AttemptRecord, Batch, CellWrite, Clock, Connector, ConnectorError,
    FlowBook, NoteError, NoteSink, Poll, PushOutcome, QuotaBook, QuotaConfig, Selection,
    Submission, VirtualClock,
    http::{HttpSettings, Lane, TokenBook},
    rows::RowKey,
    target::{Known, Network, Nothing, SettingsFault, TargetContext},
};
use planthread_mocks::{Setup, Simulator};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// One sandbox and its clock.
pub(super) struct Rig {
    pub(super) clock: VirtualClock,
    pub(super) sandbox: Arc<Mutex<Box<dyn Simulator>>>,
    /// What the ledger behind the connector knows.
    pub(super) known: Arc<dyn Known>,
    /// Tokens of the process.
    tokens: TokenBook,
}

/// Notes of one attempt.
#[derive(Debug, Default)]
struct Notes(Mutex<BTreeMap<String, String>>);

impl NoteSink for Notes {
    fn note(&self, _: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

/// The settings that fit the sandbox, with some of them changed.
pub(super) fn settings(changes: Value) -> Value {
    let mut settings = json!({
        "base_url": "http://127.0.0.1/PTDM01_DEV01",
        "auth": { "kind": "basic", "user": "planthread", "password": "${file:kinaxis-secret}" },
        "guide_edition": "2016.2",
        "table_family": "constraint",
        "write_route": "bulk_upload",
        "rate_basis": "period",
        "effective_out": "inclusive",
        "file_dates": "yyyymmdd",
        "non_keyed": "modify",
        "own_tables": [{ "name": "Planthread::CapacitySignal" }],
    });
    let Value::Object(changes) = changes else { return settings };
    for (name, value) in changes {
        settings[name] = value;
    }
    settings
}

pub(super) fn measure(name: &str, surface: &str) -> MeasureDecl {
    serde_json::from_value(json!({ "name": name, "surface": surface,
        "carries": "attainable_clock_hours", "unit": "HUR", "scale": 2, "level": "week",
        "over_time": "sum", "over_resources": "sum", "owner": "bridge", "role": "value" }))
    .unwrap()
}

/// The plan cut as a rate, and live hours beside it.
pub(super) fn measures() -> Vec<MeasureDecl> {
    vec![
        measure("cut", "Mfg::ConstraintAvailable.Rate"),
        measure("live", "Planthread::CapacitySignal.Live"),
    ]
}

pub(super) fn week(number: u32) -> Period {
    format!("2026-W{number}").parse().unwrap()
}

pub(super) fn cell(scope: &str, measure: &str, period: Period, value: &str) -> CellWrite {
    CellWrite {
        key: CellKey {
            target: "maestro".into(),
            scope: scope.into(),
            resource: "LINE-1".into(),
            location: "1010".into(),
            product: None,
            period,
            measure: measure.into(),
        },
        revision: 1,
        value: value.parse().unwrap(),
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

pub(super) fn registered() -> &'static Registered {
    registry::TARGETS.iter().find(|one| one.target.name == "kinaxis").unwrap()
}

impl Rig {
    /// A sandbox that stands where another is taken out.
    pub(super) fn nothing() -> Box<dyn Simulator> {
        (registered().sandbox.build)(&Setup::default()).unwrap()
    }

    pub(super) fn new(on: &[&str]) -> Self {
        Self::started(on, &[])
    }

    /// Before a sandbox with these behaviours and options.
    pub(super) fn started(on: &[&str], options: &[(&str, &str)]) -> Self {
        let on = on.iter().map(|one| (*one).to_owned()).collect();
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let setup = Setup { on, options: options.collect(), ..Setup::default() };
        let sandbox = Arc::new(Mutex::new((registered().sandbox.build)(&setup).unwrap()));
        let start: Timestamp = "2026-11-22T22:00:00Z".parse().unwrap();
        let (known, tokens) = (Arc::new(Nothing), TokenBook::default());
        Self { clock: VirtualClock::new(start, 7), sandbox, known, tokens }
    }

    /// Puts a file beside the configuration.
    pub(super) fn keep(&self, name: &str, text: &str) {
        std::fs::write(folder().join(name), text).unwrap();
    }

    pub(super) fn open(
        &self,
        scope: &str,
        settings: &Value,
        measures: &[MeasureDecl],
    ) -> Result<Arc<dyn Connector>, SettingsFault> {
        let folder = folder();
        static WRITTEN: Once = Once::new();
        WRITTEN.call_once(|| {
            std::fs::write(folder.join("kinaxis-secret"), "planthread\n").unwrap();
            for (name, text) in registered().target.starter.files {
                let path = folder.join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        });
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let wire = InProcess::new(self.sandbox.clone(), Arc::clone(&clock));
        let factory = registry::find("kinaxis").unwrap();
        (factory.build)(&TargetContext {
            target: "maestro",
            settings,
            scope: Scope::named(scope),
            measures,
            folder: &folder,
            clock: &clock,
            quotas: &QuotaBook::new(Arc::clone(&clock)),
            tokens: &self.tokens,
            known: Arc::clone(&self.known),
            quota: &QuotaConfig::default(),
            network: &Network::default(),
            http: &HttpSettings::default(),
            transport: Some(Arc::new(wire)),
            flows: &FlowBook::default(),
            permit: None,
            offline: false,
        })
    }

    pub(super) fn push(
        &self,
        connector: &dyn Connector,
        cells: &[CellWrite],
    ) -> Result<PushOutcome, ConnectorError> {
        self.push_telling(connector, cells, BTreeMap::new())
    }

    /// Pushes cells with what is told of their groups.
    pub(super) fn push_telling(
        &self,
        connector: &dyn Connector,
        cells: &[CellWrite],
        told: BTreeMap<RowKey, String>,
    ) -> Result<PushOutcome, ConnectorError> {
        let scope = Scope::named(&cells[0].key.scope);
        let declared = &connector.info().capabilities.measures;
        let grants: Vec<_> =
            declared.iter().map(|one| WriteGrant::bridge_owned(one, &scope).unwrap()).collect();
        let batch = Batch::new(scope, &grants, cells.to_vec()).unwrap().telling(told);
        let notes = Arc::new(Notes::default());
        let attempt = Attempt::new(AttemptId::draw(&self.clock), notes.clone());
        match self.clock.block_on(connector.submit(&batch, &attempt))? {
            Submission::Done(outcome) => Ok(outcome),
            Submission::Submitted => self.follow(connector, &attempt, &notes, &batch),
        }
    }

    /// Asks until the target has ended its job.
    fn follow(
        &self,
        connector: &dyn Connector,
        attempt: &Attempt,
        notes: &Notes,
        batch: &Batch,
    ) -> Result<PushOutcome, ConnectorError> {
        let notes = notes.0.lock().unwrap().clone();
        let record = AttemptRecord { id: attempt.id().clone(), notes };
        for _ in 0..10 {
            match self.clock.block_on(connector.poll(&record, batch.recorded()))? {
                Poll::Done(outcome) => return Ok(outcome),
                Poll::Running { .. } => self.clock.advance(Duration::from_secs(1)),
                other => panic!("{other:?}"),
            }
        }
        panic!("the job does not end");
    }

    /// Values of LINE-1 by measure and period.
    pub(super) fn read(
        &self,
        connector: &dyn Connector,
        scope: &str,
    ) -> Result<BTreeMap<(String, Period), Option<Decimal>>, ConnectorError> {
        let measures = connector.info().capabilities.measures.iter();
        let seen = self.clock.block_on(connector.read(&Selection {
            target: "maestro".to_owned(),
            scope: Scope::named(scope),
            measures: measures.map(|one| one.name.clone()).collect(),
            resources: vec![("LINE-1".to_owned(), "1010".to_owned())],
            from: week(49),
            to: week(52),
            lane: Lane::Verify,
        }))?;
        let by_name =
            seen.into_iter().map(|one| ((one.key.measure.to_string(), one.key.period), one.value));
        Ok(by_name.collect())
    }

    /// A call of somebody else's client.
    pub(super) fn call(&self, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = http::Request::post(format!("/PTDM01_DEV01/integration/V1/{path}"))
            .header("authorization", "Basic cGxhbnRocmVhZDpwbGFudGhyZWFk")
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body))
            .unwrap();
        let reply = self.sandbox.lock().unwrap().handle(self.clock.now(), &request);
        assert_eq!(reply.response.status(), 200, "{path}");
        serde_json::from_slice(reply.response.body()).unwrap()
    }

    /// A person writes into a scenario.
    pub(super) fn edit(&self, scope: &str, measure: &str, value: &str) {
        let body = json!({ "resource": "LINE-1", "location": "1010", "period": "2026-W50",
            "measure": measure, "value": value, "version": scope });
        let request = http::Request::post("/planner/edit")
            .header("content-type", "application/json")
            .body(bytes::Bytes::from(body.to_string()))
            .unwrap();
        let reply = self.sandbox.lock().unwrap().handle(self.clock.now(), &request);
        assert_eq!(reply.response.status(), 200);
    }
}
