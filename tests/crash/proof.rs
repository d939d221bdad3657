//! What must be true at the end, whatever happened on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use planthread_contracts::Carries;
use planthread_engine::{Reader, ledger};
use planthread_kit::{Clock as _, SystemClock};
use planthread_mocks::{Change, Writer};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::program::{Ended, Project};

/// Scope (empty for base), resource, location, period, and the target's name of
/// the measure.
pub(crate) type Cell = [String; 5];

/// What is wanted at a target.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) cells: BTreeMap<Cell, Decimal>,
    /// The target's names of heartbeats. They carry the number of their writer: a
    /// state of its own has another one.
    beats: BTreeSet<String>,
}

/// One value that took effect in the sandbox.
#[derive(Debug)]
pub(crate) struct Write {
    cell: Cell,
    value: Decimal,
    before: Option<Decimal>,
}

impl Wanted {
    /// What a project's plans say, in the targets' words; `state` is where they
    /// are made.
    pub(crate) fn planned(project: &Project, state: &Path) -> Self {
        let mut wanted = Self::default();
        let state = state.to_str().unwrap();
        for (name, target) in project.config().targets {
            let file = format!("{name}.ndjson");
            project.run(&["--state", state, "plan", &name, "-o", &file]).must(0);
            let measure = |ours: &str| {
                let found = target.measures.iter().find(|measure| measure.name == ours);
                found.unwrap_or_else(|| panic!("no measure {ours} in {name}"))
            };
            for line in fs::read_to_string(project.folder.join(file)).unwrap().lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                // Header and digest hold no cell.
                let Some(cell) = line["cell"].as_object() else { continue };
                let part = |name: &str| {
                    cell.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
                };
                let measure = measure(&part("measure"));
                let surface = measure.surface.clone();
                if measure.carries == Carries::Heartbeat {
                    wanted.beats.insert(surface.clone());
                }
                let [scope, resource] = ["scope", "resource"].map(part);
                let [location, period] = ["location", "period"].map(part);
                let value = line["value"].as_str().unwrap().parse().unwrap();
                wanted.cells.insert([scope, resource, location, period, surface], value);
            }
        }
        assert!(wanted.cells.len() > 100, "{} cells", wanted.cells.len());
        wanted
    }

    /// Whether a cell carries the number of its writer.
    pub(crate) fn is_beat(&self, cell: &Cell) -> bool {
        self.beats.contains(&cell[4])
    }
}

/// What the simulator wrote down about the interface's user.
pub(crate) fn of_history(changes: Vec<Change>) -> Vec<Write> {
    let ours = changes.into_iter().filter(|c| matches!(c.cell.writer, Writer::Integration(_)));
    ours.map(|Change { cell, before, .. }| Write {
        cell: [cell.scope, cell.resource, cell.location, cell.period.to_string(), cell.measure],
        value: cell.value,
        before,
    })
    .collect()
}

/// The same from the planner's page.
pub(crate) fn of_page(history: &Value) -> Vec<Write> {
    let changes = history["changes"].as_array().unwrap().iter();
    let text = |change: &Value, name: &str| change[name].as_str().unwrap().to_owned();
    changes
        .filter(|change| change["by"] == "integration")
        .map(|change| Write {
            cell: ["version", "resource", "location", "period", "measure"]
                .map(|name| text(change, name)),
            value: text(change, "value").parse().unwrap(),
            before: change["before"].as_str().map(|before| before.parse().unwrap()),
        })
        .collect()
}

/// Every wanted cell took effect exactly once, with exactly its value; no
/// other cell was touched.
pub(crate) fn landed_once(wanted: &Wanted, writes: &[Write], when: &str) {
    let mut seen = BTreeSet::new();
    for Write { cell, value, before } in writes {
        let planned = wanted.cells.get(cell);
        let said = if wanted.is_beat(cell) { planned } else { Some(value) };
        assert!(planned.is_some() && said == planned, "{when}: {value} at {cell:?}");
        assert!(before.is_none() && seen.insert(cell), "{when}: {cell:?} was written twice");
    }
    assert_eq!(seen.len(), wanted.cells.len(), "{when}: cells are missing");
}

/// The books agree, and a new process reads the same at the target: all cells
/// are seen, nothing is open, nothing is left to send, and every revision that
/// was ever made is in exactly one state.
pub(crate) fn settled(project: &Project, wanted: &Wanted, when: &str) {
    let verified = project.run(&["verify"]);
    assert_eq!(verified.code, Some(0), "{when}: {verified:?}");
    let status = project.run(&["status", "--json"]).json(0);
    let scopes = status["scopes"].as_array().unwrap();
    let sum = |count: &str| scopes.iter().map(|scope| scope[count].as_u64().unwrap()).sum::<u64>();
    for count in ["wanted", "accepted", "seen"] {
        assert_eq!(sum(count), wanted.cells.len() as u64, "{when}: {count} in {status}");
    }
    for count in ["open_attempts", "open_cases", "locks"] {
        assert_eq!(sum(count), 0, "{when}: {count} in {status}");
    }
    balanced(project, when);
    let plans = project.run(&["plan", "--json"]).json(0);
    for plan in plans["targets"].as_array().unwrap() {
        assert_eq!(plan["counts"]["cells"], 0, "{when}: {plan}");
    }
}

/// The books balance, also in what a dead process left behind.
pub(crate) fn balanced(project: &Project, when: &str) {
    let reader = Reader::open(&project.state()).unwrap();
    let found = ledger::unbalanced(&reader, SystemClock::new().now()).unwrap();
    assert!(found.is_empty(), "{when}: {found:?}");
}

/// A killed process ends by the signal, not with a code.
pub(crate) fn killed(ended: &Ended, when: &str) {
    assert_eq!(ended.code, None, "{when}: {ended:?}");
}
