//! Small plants from the field, each with the right value: a folder of
//! `tests/cases/` is a configuration, its data, and `expected.yaml`, whose values
//! were worked out by hand or by a calculation written apart from this program.
//!
//! A case runs from a copy of its folder, step by step in the order of the file:
//! an expectation reads the files of the sources on, derives, and compares one
//! figure, by its name in `derive --json`; any other step changes something
//! before it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use planthread::{
    config,
    pipeline::{Bridge, Opener, Transports, derive_facts, facts_of_journal},
    report::derived::DerivedLine,
};
use planthread_engine::journal::{self, Verdict};
use planthread_kit::{Clock as _, VirtualClock};
use rust_decimal::Decimal;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Step {
    Put(Put),
    Accept(Accept),
    Believe(Believe),
    Expect(Expect),
}

/// A file arrives: a copy of another one of the case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    put: PathBuf,
    #[serde(rename = "as")]
    at: PathBuf,
}

/// Somebody accepts everything that waits: `accept: everything`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accept {
    accept: String,
    who: String,
    reason: String,
}

/// Somebody says which source is right of a machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Believe {
    believe: String,
    of: String,
    from: Timestamp,
    until: Timestamp,
    who: String,
    reason: String,
}

/// What is right. The instant is the plant's own where none is given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    as_of: Option<Timestamp>,
    resource: String,
    period: String,
    figure: Option<String>,
    value: Option<Decimal>,
    at_most: Option<Decimal>,
    status: Option<String>,
}

/// Figures are shown with four decimals.
const TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

#[test]
fn every_case_of_the_field_gives_the_right_value() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    let wrong: Vec<String> = cases.iter().flat_map(|case| run(case)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Runs one case; says what is wrong.
fn run(case: &Path) -> Vec<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    let copy = std::env::temp_dir().join(format!("planthread-case-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&copy);
    copy_folder(case, &copy);
    let steps = fs::read_to_string(case.join("expected.yaml")).unwrap();
    let steps: Vec<Step> = serde_saphyr::from_str(&steps).unwrap_or_else(|e| panic!("{name}: {e}"));
    let wrong = walk(&name, &copy, &steps);
    let _ = fs::remove_dir_all(&copy);
    wrong
}

fn walk(name: &str, folder: &Path, steps: &[Step]) -> Vec<String> {
    let loaded = config::load(&folder.join("planthread.yaml"), None).unwrap();
    let first = steps.iter().find_map(|step| match step {
        Step::Expect(expect) => expect.as_of,
        Step::Put(_) | Step::Accept(_) | Step::Believe(_) => None,
    });
    let start = loaded.config.plant.as_of.or(first).unwrap();
    let clock = VirtualClock::new(start, 1);
    let opener = Opener::with(Arc::new(clock.clone()), Transports::new());
    let bridge = Bridge::open(loaded, Arc::new(clock.clone()), opener).unwrap();
    let mut wrong = Vec::new();
    for step in steps {
        match step {
            Step::Put(Put { put, at }) => {
                fs::copy(folder.join(put), folder.join(at)).unwrap();
            }
            Step::Accept(Accept { accept, who, reason }) => {
                assert_eq!(accept, "everything", "{name}");
                let verdict = Verdict { accepted: true, who: who.clone(), why: reason.clone() };
                let waiting = journal::repeats(&bridge.reader().unwrap()).unwrap();
                assert!(!waiting.is_empty(), "{name}: nothing waits");
                let all = waiting.iter().map(|repeat| (repeat.id, verdict.clone())).collect();
                journal::decide(&bridge.state, all, clock.now()).unwrap();
            }
            Step::Believe(said) => {
                let verdict = planthread_domain::decode::Verdict {
                    resource: said.of.clone(),
                    source: said.believe.clone(),
                    start: said.from,
                    end: said.until,
                    who: said.who.clone(),
                    why: said.reason.clone(),
                };
                // Two verdicts of one instant would have no order.
                clock.advance(std::time::Duration::from_secs(1));
                bridge.believe(&verdict).unwrap();
            }
            Step::Expect(expect) => {
                let as_of = expect.as_of.unwrap_or(start);
                if let Ok(ahead) = as_of.duration_since(clock.now()).try_into() {
                    clock.advance(ahead);
                }
                wrong.extend(judge(name, &bridge, expect, as_of));
            }
        }
    }
    wrong
}

/// What is wrong with the figures as they stand, if anything is.
fn judge(name: &str, bridge: &Bridge, expect: &Expect, as_of: Timestamp) -> Vec<String> {
    for report in bridge.ingest().unwrap() {
        assert!(report.stopped.is_none(), "{name}: {:?}", report.stopped);
    }
    let facts = facts_of_journal(&bridge.loaded, &bridge.reader().unwrap(), as_of).unwrap();
    let deriver = derive_facts(&bridge.loaded, &facts.all, as_of).unwrap();
    let Expect { resource, period, status, .. } = expect;
    let line = deriver
        .of([resource.as_str()])
        .figures
        .iter()
        .map(DerivedLine::from)
        .find(|line| line.resource == *resource && line.period == *period)
        .unwrap_or_else(|| panic!("{name}: no figures of {resource} in {period}"));
    let told = serde_json::to_value(&line).unwrap();
    let mut wrong = Vec::new();
    if let Some(figure) = &expect.figure {
        let found = told.get(figure).and_then(|value| value.to_string().parse::<Decimal>().ok());
        let equal = |value: Decimal| found.is_some_and(|found| (found - value).abs() <= TOLERANCE);
        let below = |most: Decimal| found.is_some_and(|found| found <= most + TOLERANCE);
        let fine = match (expect.value, expect.at_most) {
            (Some(value), None) => equal(value),
            (None, Some(most)) => below(most),
            (None, None) => found.is_none(),
            (Some(_), Some(_)) => panic!("{name}: a figure is equal or at most"),
        };
        let right = expect.value.map(|value| format!("{value}"));
        let right = right.or_else(|| Some(format!("at most {}", expect.at_most?)));
        let right = right.unwrap_or("no figure".to_owned());
        let found = found.map_or("nothing".to_owned(), |found| found.to_string());
        let mark = if fine { "right" } else { "WRONG" };
        // The table of cases is for people, also where the test passes.
        let row = format!("{mark}  {name}: {resource} {period} {figure} = {found} ({right})\n");
        std::io::stderr().write_all(row.as_bytes()).unwrap();
        if !fine {
            wrong.push(format!("{name}: {resource} {period} {figure} is {found}, not {right}"));
        }
    }
    if let Some(status) = status.as_ref().filter(|status| **status != line.status) {
        wrong.push(format!("{name}: {resource} {period} is {}, not {status}", line.status));
    }
    wrong
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}
