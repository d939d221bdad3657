//! What goes over the wire, request by request, for each route; and that it is as
//! few requests as the interface allows.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use planthread_kit::CellWrite;
use planthread_mocks::{Change, Reply, Simulator, StoredCell};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Rig, cell, measure, measures, settings, week};

const SIGNALS: &str = "Capacity Signals";

/// Writes down every request on its way to the sandbox.
struct Recorder {
    inner: Box<dyn Simulator>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Simulator for Recorder {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let body = String::from_utf8_lossy(request.body()).into_owned();
        self.seen.lock().unwrap().push(format!("{} {path}\n    {body}", request.method()));
        self.inner.handle(at, request)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.inner.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.inner.history()
    }

    fn expire_sessions(&mut self) {
        self.inner.expire_sessions();
    }
}

/// A rig, and what it was asked.
fn recorded() -> (Rig, Arc<Mutex<Vec<String>>>) {
    let rig = Rig::new(&[]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    {
        let mut slot = rig.sandbox.lock().unwrap();
        let inner = std::mem::replace(&mut *slot, Rig::nothing());
        *slot = Box::new(Recorder { inner, seen: seen.clone() });
    }
    (rig, seen)
}

/// The requests so far, and a fresh page.
fn page(seen: &Mutex<Vec<String>>) -> String {
    std::mem::take(&mut *seen.lock().unwrap()).join("\n")
}

fn load() -> Value {
    settings(json!({
        "write_route": "data_load",
        "data_load": { "source": "capacity_signals_ds", "operation": "Full", "success": ["Completed"] },
    }))
}

#[test]
fn a_bulk_push_stages_and_completes_each_table_once() {
    let (rig, seen) = recorded();
    let connector = rig.open(SIGNALS, &settings(json!({})), &measures()).unwrap();
    let weeks = [week(49), week(50)];
    let cells: Vec<_> = weeks
        .into_iter()
        .flat_map(|at| [cell(SIGNALS, "cut", at, "36.50"), cell(SIGNALS, "live", at, "35.25")])
        .collect();
    rig.push(connector.as_ref(), &cells).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 4, "two tables, each staged and completed");
    insta::assert_snapshot!("bulk_push", page(&seen));
    rig.read(connector.as_ref(), SIGNALS).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 4, "two tables, each opened and read in one page");
    insta::assert_snapshot!("bulk_read", page(&seen));
}

#[test]
fn a_data_load_puts_each_file_once_and_triggers_once() {
    let (rig, seen) = recorded();
    let own = [measure("live", "Planthread::CapacitySignal.Live")];
    let connector = rig.open(SIGNALS, &load(), &own).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "live", week(49), "35.25")]).unwrap();
    insta::assert_snapshot!("data_load", page(&seen));
}

#[test]
fn an_import_is_one_request_a_worksheet() {
    let (rig, seen) = recorded();
    let import = settings(json!({
        "write_route": "worksheet_import",
        "import": { "workbook": SIGNALS, "dates": "dd-mm-yy", "worksheets": {
            "Mfg::ConstraintAvailable": { "name": "ConstraintAvailable", "columns": [
                "Constraint.Name", "Constraint.Site.Value", "EffectiveInDate", "EffectiveOutDate",
                "Rate"] } } },
    }));
    let cut = [measure("cut", "Mfg::ConstraintAvailable.Rate")];
    let connector = rig.open(SIGNALS, &import, &cut).unwrap();
    rig.push(connector.as_ref(), &[cell(SIGNALS, "cut", week(49), "36.50")]).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1);
    insta::assert_snapshot!("worksheet_import", page(&seen));
}

#[test]
fn rows_that_an_import_brings_in_part_are_read_once_a_table() {
    const NUMBERS: [&str; 11] = [
        "Live",
        "Low",
        "Lost",
        "Severity",
        "Risk",
        "Output",
        "Status",
        "Covered",
        "AsOf",
        "ValidUntil",
        "Beat",
    ];
    let (rig, seen) = recorded();
    let keys = ["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate", "EffectiveOutDate"];
    let columns = [&keys[..], &NUMBERS, &["Reason"]].concat();
    let import = settings(json!({
        "write_route": "worksheet_import",
        "own_tables": [{ "name": "Planthread::CapacitySignal", "reason": "Reason" }],
        "import": { "workbook": SIGNALS, "dates": "dd-mm-yy", "worksheets": {
            "Planthread::CapacitySignal": { "name": "CapacitySignal", "columns": columns } } },
    }));
    let own = NUMBERS.map(|field| measure(field, &format!("Planthread::CapacitySignal.{field}")));
    let connector = rig.open(SIGNALS, &import, &own).unwrap();
    let weeks = [49, 50, 51];
    let row = |at| NUMBERS.map(|name| cell(SIGNALS, name, week(at), &format!("{at}.5")));
    rig.push(connector.as_ref(), &weeks.into_iter().flat_map(row).collect::<Vec<_>>()).unwrap();
    let changed = [("Live", 49), ("Lost", 50), ("Risk", 51), ("Lost", 51)]
        .map(|(name, at)| cell(SIGNALS, name, week(at), "7"));
    page(&seen);
    rig.push(connector.as_ref(), &changed).unwrap();
    let asked = seen.lock().unwrap().clone();
    assert_eq!(asked.len(), 5, "opened, one page, and an import a list of fields: {asked:#?}");
    let held = rig.read(connector.as_ref(), SIGNALS).unwrap();
    assert_eq!(held.len(), weeks.len() * NUMBERS.len());
    for ((name, period), value) in held {
        let mine = |cell: &&CellWrite| *cell.key.measure == *name && cell.key.period == period;
        let week: Decimal = period.to_string()[6..].parse().unwrap();
        let before = week + Decimal::new(5, 1);
        let sent = changed.iter().find(mine).map_or(before, |cell| cell.value);
        assert_eq!(value, Some(sent), "{name} {period}");
    }
}
