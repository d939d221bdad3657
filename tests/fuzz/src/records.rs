//! What twins and machines send: events, rows, lines.

use std::sync::OnceLock;

use jiff::Timestamp;
use planthread::{
    config,
    serve::{cloudevents, lines::Lines, sheet, survey},
};
use planthread_contracts::{CloudEvent, Origin, strict_json};
use planthread_domain::{Decoder, Facts, Plant, decode};

use crate::Parser;

/// The parsers.
pub const PARSERS: &[Parser] = &[
    Parser { name: "cloud-event", feed: event, seeds: events },
    Parser { name: "cloud-event-batch", feed: batch, seeds: batches },
    Parser { name: "rows", feed: rows, seeds: tables },
    Parser { name: "lines", feed: lines, seeds: tables },
    Parser { name: "sheet", feed: sheet, seeds: sheets },
];

const CONFIG: &str = include_str!("../../../examples/line-simulation/planthread.yaml");
const EVENTS: &str = include_str!("../../../examples/line-simulation/machine-events.csv");
const COUNTS: &str = include_str!("../../../examples/line-simulation/hourly-counts.csv");
const EVENT: &str = include_str!(
    "../../../contracts/examples/valid/availability-forecast/hours-with-quantiles-and-scenarios.json"
);

const DECISIONS: &str = include_str!("../../../examples/saturday-shift/decisions.csv");
/// The same as a workbook that is not compressed, so that a changed byte changes a cell.
const WORKBOOK: &[u8] = include_bytes!("../seeds/decisions.xlsx");

/// The plant of an example: two delimited sources.
fn plant() -> &'static Plant {
    static PLANT: OnceLock<Plant> = OnceLock::new();
    PLANT.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/line-simulation");
        let file = std::path::Path::new(folder).join("planthread.yaml");
        config::parse(CONFIG, &file, None).unwrap().config.plant
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn origin() -> Origin {
    Origin { place: "outside".to_owned(), line: 1 }
}

fn event(bytes: &[u8]) {
    let _ = strict_json::parse(bytes);
    let _ = CloudEvent::parse(bytes);
    if let Ok(record) = cloudevents::event(bytes, origin(), now()) {
        assert_eq!(record.body, bytes, "an event keeps its own bytes");
        let _ = decode(&record, plant());
    }
}

fn batch(bytes: &[u8]) {
    let _ = CloudEvent::parse_batch(bytes);
    let arrivals = cloudevents::batch(bytes, "outside", now(), 100).unwrap_or_default();
    assert!(arrivals.len() <= 101, "no more arrive than are asked for");
}

/// Each line that is not empty becomes a record or a refusal, once.
fn rows(bytes: &[u8]) {
    let decoder = Decoder::new(plant()).unwrap();
    let _ = survey::foreign(bytes, plant().sources.first());
    for source in &plant().sources {
        let mut facts = Facts::default();
        let mut lines = Vec::new();
        for row in planthread_domain::rows(bytes, source, "outside", now()) {
            match row {
                Ok(record) => {
                    lines.push(record.origin.line);
                    let _ = decoder.take(&record, &mut facts);
                }
                Err(refused) => lines.push(refused.origin.line),
            }
        }
        assert!(lines.is_sorted_by(|one, other| one < other), "a row becomes one record");
    }
}

fn lines(bytes: &[u8]) {
    let mut last = 0;
    for line in Lines::new(bytes) {
        let line = line.unwrap();
        assert!(line.number > last, "lines are counted");
        last = line.number;
    }
    let whole = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    assert!(last <= whole, "no line is made up");
}

fn events() -> Vec<Vec<u8>> {
    vec![EVENT.as_bytes().to_vec()]
}

fn batches() -> Vec<Vec<u8>> {
    vec![format!("[{EVENT},\n{EVENT}]").into_bytes(), b"[]".to_vec()]
}

/// The beginnings of two files.
fn tables() -> Vec<Vec<u8>> {
    let beginning = |text: &str| {
        let lines: Vec<&str> = text.lines().take(12).collect();
        lines.join("\n").into_bytes()
    };
    vec![beginning(EVENTS), beginning(COUNTS)]
}

/// A sheet says something as a whole, or names its faults. The driver also stops where the
/// library of workbooks stumbles, which the program takes for a fault of the sheet.
fn sheet(bytes: &[u8]) {
    let Ok(rows) = sheet::table(bytes, std::path::Path::new("decisions")) else { return };
    assert!(rows.is_sorted_by(|a, b| a.number < b.number), "each row has its own number");
    match decode::sheet_rows(&rows, &plant().sources[0], plant()) {
        Ok(decided) => {
            assert!(decided.len() < rows.len(), "the header decides nothing");
            assert!(decided.iter().all(|one| one.from < one.to));
        }
        Err(faults) => assert!(faults.iter().all(|fault| !fault.cure.is_empty())),
    }
}

fn sheets() -> Vec<Vec<u8>> {
    // The plant of the other parsers has other machines.
    let text = DECISIONS.replace("LINE-4", "LINE").replace("weld", "M1");
    vec![text.replace(',', ";").into_bytes(), text.into_bytes(), WORKBOOK.to_vec()]
}
