//! What the plan asks against what the lines can do, read from the sandbox: the same
//! figures as its grid, and no total that looks complete while a line is silent.

use planthread::{
    pipeline::gap::{Proof, gap as gap_of},
    report::gap::{Gap, Verdict},
};
use planthread_contracts::Period;
use planthread_kit::Clock as _;
use planthread_mocks::{Fault, Simulator as _, sap_ibp::Options};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::{Live, World, measure, plan_of};

/// Three machines, of the six lines that the sandbox's plan has.
pub(crate) fn config() -> Value {
    let mut config = plan_of(3, 5);
    let target = &mut config["targets"]["ibp"];
    let others =
        [("assumed", "CAPASUPPLY", "nightly ERP load"), ("load", "CAPADEMAND", "supply run")];
    for (name, surface, owner) in others {
        let mut measure = measure(name, surface, "observed", "value");
        measure["owner"] = json!({ "other": owner });
        target["measures"].as_array_mut().unwrap().push(measure);
    }
    target["gap"] = json!({ "load": "load", "assumed": "assumed" });
    config
}

pub(crate) fn compared(world: &World, live: &Live) -> Gap {
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    let now = world.clock.now();
    let found = world.clock.block_on(gap_of(loaded, &reader, &live.target, now)).unwrap();
    Gap::of(now, vec![found])
}

/// What stands in the sandbox's store.
fn stored(world: &World, line: &str, week: Period, measure: &str) -> Option<Decimal> {
    let all = world.wire().stored();
    let here = all.into_iter().find(|cell| {
        cell.resource == line
            && cell.period == week
            && cell.measure == measure
            && cell.scope.is_empty()
    });
    here.map(|cell| cell.value)
}

#[test]
fn load_and_assumed_capacity_are_those_of_the_targets_own_grid() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    world.cycle(&live);
    let mark = world.mark();
    let gap = compared(&world, &live);
    let asked = world.wire().heard.len() - mark;
    assert!(asked <= 2, "one question for all lines and weeks: {asked}");
    let target = &gap.targets[0];
    assert_eq!((target.rows.len(), target.lines), (6 * 6, 6), "{:?}", target.headline);
    for one in &target.rows {
        let (line, week) = (one.row.line.line.as_str(), one.row.week);
        assert_eq!(one.row.known.load, stored(&world, line, week, "CAPADEMAND"), "{line} {week}");
        assert_eq!(
            one.row.known.assumed,
            stored(&world, line, week, "CAPASUPPLY"),
            "{line} {week}"
        );
        let own = one.row.known.live;
        assert_eq!(own, stored(&world, line, week, "TWINCAPALIVE"), "{line} {week}");
        assert_eq!(own.is_some(), one.connected, "{line} {week}");
    }
    let silent: Vec<&str> = target.not_connected.iter().map(|line| line.line.as_str()).collect();
    assert_eq!(silent, ["LINE-5", "LINE-4", "LINE-6"], "by plant, then line");
    let total = &target.totals.live;
    assert!(!total.is_complete() && total.left_out.len() == 3, "{total:?}");
    assert_eq!((total.lines, total.line_weeks), (3, 18));
    assert!(target.headline.contains("3 of 6 lines not connected."), "{}", target.headline);
    assert_eq!(target.sources.load.as_ref().unwrap().owner, "supply run");
}

#[test]
fn a_value_that_a_person_typed_is_no_proof_of_what_the_line_can_do() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    world.cycle(&live);
    let edit = json!({ "resource": "LINE-1", "location": "1010", "who": "Mara",
        "measure": "TWINCAPALIVE", "period": "2026-W49", "value": "12.5" });
    assert_eq!(world.planner("/planner/edit", &edit)["changed"], 1);
    let gap = compared(&world, &live);
    let rows = &gap.targets[0].rows;
    let one = rows
        .iter()
        .find(|one| &*one.row.line.line == "LINE-1" && one.row.week.to_string() == "2026-W49");
    let one = one.unwrap();
    assert_ne!(one.row.known.live, Some("12.5".parse().unwrap()), "factory truth stands");
    assert_eq!((one.data.as_ref().unwrap().proof, one.proven), (Proof::Differs, false));
    let others = rows.iter().filter(|other| other.connected && other.row != one.row);
    assert!(others.into_iter().all(|other| other.data.as_ref().unwrap().proof == Proof::Proven));
}

#[test]
fn a_typed_plan_cut_is_firm_for_nobody() {
    let mut config = config();
    let cut = measure("cut", "TWINCAPA", "plan_cut", "value");
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(cut);
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    let edit = json!({ "resource": "LINE-1", "location": "1010", "who": "Mara",
        "measure": "TWINCAPA", "period": "2026-W49", "value": "12.5" });
    assert_eq!(world.planner("/planner/edit", &edit)["changed"], 1);
    let gap = compared(&world, &live);
    let target = &gap.targets[0];
    let firm = target.rows.iter().filter(|row| row.row.known.firm.is_some());
    let typed = |row: &planthread::report::gap::GapRow| {
        &*row.row.line.line == "LINE-1" && row.row.week.to_string() == "2026-W49"
    };
    let (mut rows, mut differ) = (0, 0);
    for row in firm {
        let proof = row.firm_data.as_ref().unwrap().proof;
        assert_eq!(proof == Proof::Differs, typed(row), "{row:?}");
        rows += 1;
        differ += usize::from(proof == Proof::Differs);
    }
    assert_eq!((rows, differ), (18, 1));
    assert!(target.firm_not_proven.iter().any(|line| &*line.line == "LINE-1"));
}

/// What stands at the target of a line that left the mapping is no figure of ours.
#[test]
fn a_line_that_left_the_mapping_is_not_connected_and_nothing_tells_what_it_can_do() {
    let mut config = config();
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    config["targets"]["ibp"]["mapping"]["rows"].as_array_mut().unwrap().remove(1);
    world.configure(&config);
    let live = world.open();
    world.cycle(&live);
    let gap = compared(&world, &live);
    let target = &gap.targets[0];
    let left: Vec<_> = target.rows.iter().filter(|one| &*one.row.line.line == "LINE-2").collect();
    assert_eq!(left.len(), 6);
    for one in left {
        assert!(!one.connected && !one.proven, "{one:?}");
        assert_eq!((one.row.known.live, one.verdict), (None, Verdict::Unknown), "{one:?}");
        assert_eq!(one.data_words, "not connected");
    }
    assert!(target.headline.contains("4 of 6 lines not connected."), "{}", target.headline);
}

#[test]
fn whom_to_ask_is_who_the_configuration_names_for_the_line_and_the_measure() {
    let mut config = config();
    config["targets"]["ibp"]["owners"] = json!([
        { "resource": "LINE-1", "owner": "M. Huber" },
        { "resource": "LINE-2", "measure": "load", "owner": "S. Plan" },
        { "owner": "planning desk" },
    ]);
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    let gap = compared(&world, &live);
    for one in &gap.targets[0].rows {
        let live = one.row.known.live.is_none();
        let below = one.row.why.is_some_and(|why| why.below_plan >= why.above_plan);
        let load = !live && one.row.is_short() && !below;
        let owner = match &*one.row.line.line {
            // A measure of ours: who is named first; of somebody else: only by its name.
            "LINE-1" if live => "M. Huber",
            _ if live => "planning desk",
            "LINE-2" if load => "S. Plan",
            _ if load => "supply run",
            _ => "nightly ERP load",
        };
        assert_eq!(one.owner, owner, "{one:?}");
    }
    let asked: std::collections::BTreeSet<&str> =
        gap.targets[0].rows.iter().map(|row| row.owner.as_str()).collect();
    assert!(asked.contains("planning desk"), "{asked:?}");
}

#[test]
fn a_load_at_another_level_is_named_and_not_taken_for_none() {
    let mut config = config();
    let measures = config["targets"]["ibp"]["measures"].as_array_mut().unwrap();
    let load = measures.iter_mut().find(|measure| measure["name"] == "load").unwrap();
    load["level"] = json!("month");
    let world = World::new(&config, Options::default());
    let live = world.open();
    let notes = &live.bridge.loaded.notes;
    let note = notes.iter().find(|note| note.field == "targets.ibp.gap.load").unwrap();
    let why = "stored by month, and what the lines can do by week: it is not compared";
    assert_eq!(note.reason, format!("`load` is {why}"));
    world.cycle(&live);
    let gap = compared(&world, &live);
    let target = &gap.targets[0];
    let source = target.sources.load.as_ref().unwrap();
    assert_eq!((source.surface.as_str(), source.owner.as_str()), ("CAPADEMAND", "supply run"));
    assert_eq!((source.not_compared.as_deref(), source.read_at), (Some(why), None));
    assert!(gap.html().contains(why));
    assert_eq!(target.totals.live.line_weeks, 0);
}

#[test]
fn a_target_that_is_away_leaves_what_the_ledger_knows_and_compares_nothing() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    world.cycle(&live);
    world.wire().fault_at(1, Fault::Status { code: 401, retry_after: None, after: false });
    let gap = compared(&world, &live);
    let target = &gap.targets[0];
    assert!(target.stopped.is_some(), "{}", target.headline);
    assert_eq!((target.rows.len(), target.totals.live.line_weeks), (18, 0));
    assert!(target.rows.iter().all(|one| one.verdict == Verdict::Unknown && !one.proven));
    assert!(target.rows.iter().all(|one| one.row.known.live.is_some()));
    assert!(target.headline.starts_with("Nothing can be compared."), "{}", target.headline);
}

#[test]
fn a_load_that_no_target_holds_is_made_of_a_bill_of_capacity() {
    let mut config = config();
    config["targets"]["ibp"]["gap"] = json!({ "assumed": "assumed",
        "rough_cut": { "bill": "bill.csv", "quantities": "plan.csv", "owner": "S. Plan" } });
    let world = World::new(&config, Options::default());
    let write = |name: &str, text: &str| std::fs::write(world.folder.join(name), text).unwrap();
    write("bill.csv", "plant,line,product,hours_per_unit\n1010,LINE-1,A,2\n1010,LINE-3,A,0.5\n");
    write("plan.csv", "week,plant,product,quantity\n2026-W49,1010,A,100\n");
    let live = world.open();
    world.cycle(&live);
    let gap = compared(&world, &live);
    let target = &gap.targets[0];
    let loads =
        target.rows.iter().filter_map(|one| Some((&*one.row.line.line, one.row.known.load?)));
    let loads: std::collections::BTreeMap<&str, Decimal> = loads.collect();
    let (first, third) = (Decimal::from(200), Decimal::from(50));
    assert_eq!(loads, [("LINE-1", first), ("LINE-3", third)].into(), "one week, by hand");
    assert_eq!(target.totals.live.line_weeks, 2);
    assert!(!target.totals.live.is_complete(), "the other weeks are unknown, not empty");
    let source = target.sources.load.as_ref().unwrap();
    assert_eq!(source.owner, "S. Plan");
    assert!(source.surface.starts_with("plan.csv of 20"), "how old it is: {}", source.surface);
    write("plan.csv", "week,plant,product,quantity\n2026-W49,1010,B,100\n");
    let (loaded, reader) = (&live.bridge.loaded, live.bridge.reader().unwrap());
    let failed = world.clock.block_on(gap_of(loaded, &reader, &live.target, world.clock.now()));
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("plan.csv, line 2: B at 1010 has no bill"), "{failed}");
}
