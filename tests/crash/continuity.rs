//! Law 20 with real processes: two bridges on one scope, a state that is put
//! back from a copy, and a target by whose clock this machine is 40 days ahead.

use std::{collections::BTreeMap, path::Path, time::Duration};

use planthread_mocks::{StoredCell, Writer};
use rust_decimal::Decimal;

use crate::{
    program::{Project, copy},
    proof::{self, Wanted},
    sandbox::Served,
};

pub(super) const RUN: [&str; 2] = ["run", "--once"];
/// When a shift ends, as `init` writes it, and an hour earlier: that is news.
pub(super) const LATE: &str = "end: \"22:00\"";
pub(super) const EARLY: &str = "end: \"21:00\"";
const DAYS: Duration = Duration::from_secs(40 * 24 * 3_600);

/// A project before an empty target, and what it wants there.
pub(super) fn begin(name: &str) -> (Project, Served, Wanted) {
    let project = Project::init(name);
    let served = Served::start(&project, None);
    project.aim(&served.url);
    project.run(&["--state", "apart", "ingest"]).must(0);
    let wanted = Wanted::planned(&project, Path::new("apart"));
    (project, served, wanted)
}

/// Values that our user wrote so far.
pub(super) fn written(served: &Served) -> usize {
    let ours =
        |change: &planthread_mocks::Change| matches!(change.cell.writer, Writer::Integration(_));
    served.history().iter().filter(|change| ours(change)).count()
}

/// What is wanted stands at the target, cell by cell.
pub(super) fn equal(wanted: &Wanted, served: &Served, when: &str) {
    let place = |cell: &StoredCell| {
        [
            cell.scope.clone(),
            cell.resource.clone(),
            cell.location.clone(),
            cell.period.to_string(),
            cell.measure.clone(),
        ]
    };
    let stored: BTreeMap<proof::Cell, Decimal> =
        served.stored().iter().map(|cell| (place(cell), cell.value)).collect();
    // A heartbeat carries the number of its state, and stamps are of the time.
    for (cell, value) in wanted.cells.iter().filter(|(cell, _)| !wanted.is_beat(cell)) {
        assert_eq!(stored.get(cell), Some(value), "{when}: {cell:?}");
    }
}

#[test]
fn law_20_a_second_bridge_on_the_scope_stops_before_it_writes() {
    let (project, served, wanted) = begin("second-bridge");
    project.run(&RUN).must(0);
    let before = written(&served);
    assert!(before > 100);
    let second = ["--state", "other", "run", "--once"];
    let ended = project.run(&second);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(written(&served), before, "it wrote nothing");
    let said = project.run(&["--state", "other", "status"]).must(4);
    assert!(said.contains("second writer"), "{said}");
    // It reads everything anew, because the other one spoke in its folder of packs; that
    // waits for a person.
    project.run(&RUN).must(1);
    equal(&wanted, &served, "the first goes on");
}

#[test]
fn law_20_a_restored_state_is_noticed_and_lands_again() {
    let (mut project, served, wanted) = begin("restored");
    let (state, backup) = (project.state(), project.folder.join("backup"));
    project.run(&RUN).must(0);
    copy(&state, &backup);
    // What the copy never hears of: the late shift ends earlier, and that lands.
    project.rewrite(LATE, EARLY);
    project.aim(&served.url);
    let before = written(&served);
    project.run(&RUN).must(0);
    assert!(written(&served) > before);
    // The disk breaks; the copy is put back, of the configuration, too.
    project.rewrite(EARLY, LATE);
    project.aim(&served.url);
    copy(&backup, &state);
    let said = project.run(&["status"]).must(1);
    assert!(said.contains("put back from a copy"), "{said}");
    // All of it lands; that somebody put a copy back still waits for a person.
    project.run(&RUN).must(1);
    let status = project.run(&["status", "--json"]).json(1);
    assert_eq!(status["scopes"][0]["wanted"], status["scopes"][0]["seen"], "{status}");
    assert_eq!(status["guards"][0]["continuity"], "proven", "{status}");
    assert_eq!(status["locks"].as_array().unwrap().len(), 0, "{status}");
    equal(&wanted, &served, "restored");
    proof::balanced(&project, "restored");
}

#[test]
fn law_20_a_machine_40_days_ahead_of_its_target_sends_nothing() {
    let (project, served, wanted) = begin("ahead");
    served.set_behind(DAYS);
    for verb in [&RUN[..], &["apply"], &["plan"]] {
        let ended = project.run(verb);
        assert_eq!(ended.code, Some(4), "{verb:?}: {ended:?}");
    }
    assert_eq!(written(&served), 0);
    let said = project.run(&["status"]).must(1);
    assert!(said.contains("40 days ahead"), "{said}");
    served.set_behind(Duration::ZERO);
    project.run(&RUN).must(0);
    project.run(&["status"]).must(0);
    equal(&wanted, &served, "the clocks agree again");
}
