//! A connector before its sandbox, from the target's `conformance.json`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jiff::Timestamp;
use planthread::registry::{Registered, TARGETS};
use planthread_contracts::{CellKey, MeasureDecl, Period, Scope, WriteGrant};
use planthread_kit::{
    Attempt, AttemptId, AttemptRecord, Batch, CellWrite, Clock, Connector, FlowBook, NoteError,
    NoteSink, QuotaBook, QuotaConfig, Selection, Transport, VirtualClock,
    http::{HttpSettings, Lane, TokenBook},
    target::{Network, Nothing, TargetContext},
};
use planthread_mocks::{Setup, Simulator};
use rust_decimal::Decimal;
use serde_json::Value;

/// Periods of each place that are written and read.
const PERIODS: usize = 3;
const TARGET: &str = "target";

/// What is needed of one target.
#[derive(Debug)]
pub(crate) struct Case {
    registered: Registered,
    folder: PathBuf,
    settings: Value,
    setup: Setup,
    pub(crate) scope: Scope,
    measures: Vec<MeasureDecl>,
    cells: Vec<CellWrite>,
    periods: [Period; 2],
}

/// The target with this place in the registry.
pub(crate) fn case(place: usize) -> &'static Case {
    static CASES: OnceLock<Vec<Case>> = OnceLock::new();
    &CASES.get_or_init(|| TARGETS.iter().map(|one| Case::read(*one)).collect())[place]
}

impl Case {
    fn read(registered: Registered) -> Self {
        let name = registered.target.name;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let file = root.join("connectors").join(name).join("conformance.json");
        let told: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let folder =
            // The same for every process: all write the same files.
            std::env::temp_dir().join(format!("planthread-fuzz-{name}"));
        put(&folder.join("secret"), "planthread\n");
        for (name, text) in registered.target.starter.files {
            put(&folder.join(name), text);
        }
        let options = serde_json::from_value(told["options"].clone()).unwrap_or_default();
        let on = serde_json::from_value(told["on"].clone()).unwrap_or_default();
        let scope = match told["scope"].as_str().unwrap() {
            "" => Scope::base(),
            named => Scope::named(named),
        };
        let measures: Vec<MeasureDecl> = serde_json::from_value(told["measures"].clone()).unwrap();
        let places: Vec<(String, String)> = serde_json::from_value(told["places"].clone()).unwrap();
        let first: Period = serde_json::from_value(told["first"].clone()).unwrap();
        let periods: Vec<Period> = std::iter::successors(Some(first), |period| Some(period.next()))
            .take(PERIODS)
            .collect();
        let cells = cells(&scope, &places, &periods, &measures);
        Self {
            registered,
            folder,
            settings: told["settings"].clone(),
            setup: Setup { options, on, ..Setup::default() },
            scope,
            measures,
            cells,
            periods: [first, periods[PERIODS - 1]],
        }
    }

    pub(crate) fn sandbox(&self) -> Box<dyn Simulator> {
        (self.registered.sandbox.build)(&self.setup).unwrap()
    }

    /// The connector on this wire, as a process would build it anew.
    pub(crate) fn connector(
        &self,
        clock: &Arc<dyn Clock>,
        wire: Arc<dyn Transport>,
    ) -> Arc<dyn Connector> {
        let context = TargetContext {
            target: TARGET,
            settings: &self.settings,
            scope: self.scope.clone(),
            measures: &self.measures,
            folder: &self.folder,
            clock,
            quotas: &QuotaBook::new(Arc::clone(clock)),
            tokens: &TokenBook::default(),
            known: Arc::new(Nothing),
            quota: &QuotaConfig::default(),
            network: &Network::default(),
            http: &HttpSettings::default(),
            transport: Some(wire),
            flows: &FlowBook::default(),
            permit: None,
            offline: false,
        };
        (self.registered.target.build)(&context).unwrap()
    }

    /// A few cells of each place.
    pub(crate) fn batch(&self) -> Batch {
        let grant = |measure| WriteGrant::bridge_owned(measure, &self.scope).unwrap();
        let grants: Vec<WriteGrant> = self.measures.iter().map(grant).collect();
        Batch::new(self.scope.clone(), &grants, self.cells.clone()).unwrap()
    }

    /// Those cells.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            target: TARGET.to_owned(),
            scope: self.scope.clone(),
            measures: self.measures.iter().map(|measure| measure.name.to_string()).collect(),
            resources: Vec::new(),
            from: self.periods[0],
            to: self.periods[1],
            lane: Lane::Verify,
        }
    }
}

/// Writes a file that may be there already.
fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
}

fn cells(
    scope: &Scope,
    places: &[(String, String)],
    periods: &[Period],
    measures: &[MeasureDecl],
) -> Vec<CellWrite> {
    let mut cells = Vec::new();
    for (resource, location) in places {
        for period in periods {
            for measure in measures {
                // A measure without decimals is a stamp.
                let value = match measure.scale {
                    0 => Decimal::from(20_261_122),
                    scale => Decimal::new(4_711 + cells.len() as i64, scale),
                };
                let key = CellKey {
                    target: TARGET.into(),
                    scope: scope.name().into(),
                    resource: resource.into(),
                    location: location.into(),
                    product: None,
                    period: *period,
                    measure: (&measure.name).into(),
                };
                cells.push(CellWrite { key, revision: 1, value });
            }
        }
    }
    cells
}

/// Notes of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<BTreeMap<String, String>>);

impl NoteSink for Notes {
    fn note(&self, _: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

/// An attempt, and how it is read back.
pub(crate) fn attempt(clock: &VirtualClock) -> (Attempt, impl Fn() -> AttemptRecord) {
    let notes = Arc::new(Notes::default());
    let attempt = Attempt::new(AttemptId::draw(clock), notes.clone());
    let id = attempt.id().clone();
    let record = move || AttemptRecord {
        id: id.clone(),
        notes: notes.0.lock().unwrap_or_else(PoisonError::into_inner).clone(),
    };
    (attempt, record)
}

/// When it begins.
pub(crate) fn start() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}
