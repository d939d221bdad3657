//! What must be true at the end, whatever happened on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use planthread_engine::{Reader, ledger};
use planthread_mocks::{Change, Writer};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::program::{Ended, Project};

/// Our names of what lands, and the target's: as `init` writes them.
const SURFACES: [(&str, &str); 12] = [
    ("live", "TWINCAPALIVE"),
    ("plan_cut", "TWINCAPA"),
    ("low", "TWINCAPALOW"),
    ("lost", "TWINLOST"),
    ("severity", "TWINSEVERITY"),
    ("risk", "TWINRISK"),
    ("output", "TWINOUTPUT"),
    ("status", "TWINSTATUS"),
    ("covered", "TWINCOVERED"),
    ("as_of", "TWINASOF"),
    ("valid_until", "TWINVALIDTO"),
    ("beat", BEAT),
];

/// It carries the number of its writer: a state of its own has another one.
pub(crate) const BEAT: &str = "TWINBEAT";

/// Resource, location, period, key figure.
pub(crate) type Cell = [String; 4];

/// One value that took effect in the sandbox.
#[derive(Debug)]
pub(crate) struct Write {
    cell: Cell,
    value: Decimal,
    before: Option<Decimal>,
}

/// What a plan file says, in the target's words.
pub(crate) fn planned(file: &Path) -> BTreeMap<Cell, Decimal> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let cell = |line: Value| {
        let part = |name: &str| line["cell"][name].as_str().map(str::to_owned);
        let (_, surface) =
            SURFACES.iter().find(|(ours, _)| Some(*ours) == part("measure").as_deref())?;
        let cell = [part("resource")?, part("location")?, part("period")?, (*surface).to_owned()];
        Some((cell, line["value"].as_str()?.parse().unwrap()))
    };
    // Header and digest hold no cell.
    lines.filter_map(cell).collect()
}

/// What the simulator wrote down about the interface's user.
pub(crate) fn of_history(changes: Vec<Change>) -> Vec<Write> {
    let ours = changes.into_iter().filter(|c| matches!(c.cell.writer, Writer::Integration(_)));
    ours.map(|Change { cell, before, .. }| Write {
        cell: [cell.resource, cell.location, cell.period.to_string(), cell.measure],
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
            cell: ["resource", "location", "period", "measure"].map(|name| text(change, name)),
            value: text(change, "value").parse().unwrap(),
            before: change["before"].as_str().map(|before| before.parse().unwrap()),
        })
        .collect()
}

/// Every wanted cell took effect exactly once, with exactly its value; no
/// other cell was touched.
pub(crate) fn landed_once(wanted: &BTreeMap<Cell, Decimal>, writes: &[Write], when: &str) {
    let mut seen = BTreeSet::new();
    for Write { cell, value, before } in writes {
        let planned = wanted.get(cell);
        let said = if cell[3] == BEAT { planned } else { Some(value) };
        assert!(planned.is_some() && said == planned, "{when}: {value} at {cell:?}");
        assert!(before.is_none() && seen.insert(cell), "{when}: {cell:?} was written twice");
    }
    assert_eq!(seen.len(), wanted.len(), "{when}: cells are missing");
}

/// The books agree: all cells are seen, nothing is open, nothing is left to
/// send, and every revision that was ever made is in exactly one state.
pub(crate) fn settled(project: &Project, wanted: usize, when: &str) {
    let wanted = wanted as u64;
    let status = project.run(&["status", "--json"]).json(0);
    let scope = &status["scopes"][0];
    for count in ["wanted", "accepted", "seen"] {
        assert_eq!(scope[count], wanted, "{when}: {count} in {scope}");
    }
    assert_eq!(scope["open_attempts"], 0, "{when}: {scope}");
    conserved(project, scope, when);
    let plans = project.run(&["plan", "--json"]).json(0);
    assert_eq!(plans[0]["counts"]["cells"], 0, "{when}: {plans}");
}

/// The states add up to all revisions that were ever made.
fn conserved(project: &Project, scope: &Value, when: &str) {
    let states = scope["states"].as_object().unwrap();
    let sum: u64 = states.values().map(|n| n.as_u64().unwrap()).sum();
    let made = audited(project, when);
    assert_eq!(i64::try_from(sum).unwrap(), made, "{when}: {states:?}");
}

/// A full recount finds nothing, also in what a dead process left behind; how
/// many revisions there are.
pub(crate) fn audited(project: &Project, when: &str) -> i64 {
    let audit = ledger::audit(&Reader::open(&project.state()).unwrap()).unwrap();
    assert!(audit.findings.is_empty(), "{when}: {audit:?}");
    audit.made
}

/// A killed process ends by the signal, not with a code.
pub(crate) fn killed(ended: &Ended, when: &str) {
    assert_eq!(ended.code, None, "{when}: {ended:?}");
}
