//! What was known then beside what is known now: each value that the ledger ever held is
//! found again, and nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread::{
    pipeline::compared::{AsOf, Between, Difference, asof},
    report::{TextTable, View as _, compared::AsOfView},
};
use planthread_contracts::{CellKey, Period, RevisionState};
use planthread_domain::significance::Cause;
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    plant::close_a_day,
    world::{Live, World, measure, plan_of, start},
};

type Known = BTreeMap<CellKey, Decimal>;

fn known(live: &Live) -> Known {
    let wanted = |cell: &planthread_engine::ledger::CellView| {
        (cell.state != RevisionState::Withdrawn).then(|| (cell.key.clone(), cell.value))
    };
    live.cells().iter().filter_map(wanted).collect()
}

fn compared(
    world: &World,
    live: &Live,
    was: Timestamp,
    is: Option<Timestamp>,
) -> (AsOf, Vec<Difference>) {
    let now = world.clock.now();
    let between = Between { was, is, measure: None, now };
    let mut all = Vec::new();
    let mut each = |one: &Difference| {
        all.push(one.clone());
        Ok(())
    };
    let loaded = &live.bridge.loaded;
    let mut found = asof(loaded, &["ibp".to_owned()], between, &mut each).unwrap();
    (found.remove(0), all)
}

/// Holds what was told against what the ledger held then and holds after.
fn check(was: &Known, is: &Known, (found, all): &(AsOf, Vec<Difference>)) {
    let (mut was, mut is) = (was.clone(), is.clone());
    for one in all {
        let key = CellKey {
            target: one.target.as_str().into(),
            scope: one.scope.as_str().into(),
            resource: one.line.clone(),
            location: one.plant.clone(),
            product: one.product.clone(),
            period: one.period,
            measure: one.measure.as_str().into(),
        };
        assert_eq!((one.was, one.is), (was.remove(&key), is.remove(&key)), "{key}");
        assert_ne!(one.was, one.is, "{key}");
        if let Some(split) = &one.split {
            let parts = split.parts.values().sum::<Decimal>() + split.not_split;
            assert_eq!((Some(split.from), Some(split.to)), (one.was, one.is), "{key}");
            assert_eq!(split.from + parts, split.to, "{key}: {split:?}");
        }
    }
    assert_eq!(was, is, "what is not told is the same");
    let told =
        |measure: &str| -> Vec<_> { all.iter().filter(|one| one.measure == measure).collect() };
    for total in &found.measures {
        let told = told(&total.measure);
        assert_eq!(total.differing(), told.len() as u64);
        let changes = || told.iter().filter_map(|one| one.change);
        let sum: Decimal = changes().sum();
        assert!(total.net().is_none_or(|net| net == sum), "{total:?}");
        let worst = changes().map(|one| one.abs()).max();
        let first = total.largest.iter().find_map(|one| one.change).map(|one| one.abs());
        assert_eq!(first, worst, "{total:?}");
    }
    let all: u64 = found.measures.iter().map(|one| one.compared).sum();
    assert!(all >= was.len() as u64);
}

#[test]
fn whatever_the_ledger_held_is_known_as_of_then() {
    let mut config = plan_of(3, 4);
    let world = World::new(&config, Options::default());
    let weeks: Vec<Period> =
        ["2026-W49", "2026-W50", "2026-W51"].map(|week| week.parse().unwrap()).into();
    let mut history: Vec<(Timestamp, Known)> = Vec::new();
    for round in 0..7_u32 {
        // One week of one machine gets worse, then better; a day is closed, a row leaves
        // and comes back.
        let share = Decimal::new(i64::from(95 - (round * 37) % 60), 2);
        world.foretell(round % 3 + 1, &[(weeks[(round as usize) % 3], share)]);
        match round {
            2 => close_a_day(&mut config),
            4 => config["targets"]["ibp"]["mapping"]["rows"][2]["share"] = json!("0.5"),
            _ => {}
        }
        world.configure(&config);
        let live = world.open();
        world.cycle(&live);
        history.push((live.bridge.as_of(), known(&live)));
        world.pass(9 * 60);
    }
    let live = world.open();
    let (_, last) = history.last().unwrap();
    let mut moved = 0;
    for (at, was) in &history {
        let found = compared(&world, &live, *at, None);
        assert_eq!(found.0.as_of.was, Some(*at));
        check(was, last, &found);
        moved += found.1.len();
        for (after, is) in history.iter().filter(|(after, _)| after >= at) {
            check(was, is, &compared(&world, &live, *at, Some(*after)));
        }
    }
    assert!(moved > 30, "{moved}");
    let causes = |cause| {
        let all = compared(&world, &live, history[0].0, None).1;
        all.iter().filter_map(|one| one.split.as_ref()).any(|one| one.parts.contains_key(&cause))
    };
    assert!(causes(Cause::Decision) && causes(Cause::Mapping) && causes(Cause::Trend));
}

#[test]
fn what_left_the_plan_and_what_is_new_is_named_and_nothing_known_is_said() {
    let mut config = plan_of(3, 2);
    let world = World::new(&config, Options::default());
    let live = world.open();
    world.cycle(&live);
    let before = known(&live);
    drop(live);
    let rows = config["targets"]["ibp"]["mapping"]["rows"].as_array_mut().unwrap();
    rows[2]["resource"] = json!("LINE-4");
    world.configure(&config);
    world.pass(120);
    let live = world.open();
    world.cycle(&live);
    let found = compared(&world, &live, start(), None);
    check(&before, &known(&live), &found);
    let live_hours = &found.0.measures[0];
    assert_eq!((live_hours.only_was, live_hours.only_is, live_hours.differ), (3, 3, 0));
    let gone = &live_hours.largest[0];
    assert_eq!((&*gone.line, gone.remark.as_str()), ("LINE-3", "left the plan since"));
    // Later both sides are after it: nothing is told of it twice.
    world.pass(120);
    world.cycle(&live);
    let (found, all) = compared(&world, &live, world.clock.now(), None);
    assert_eq!((all.len(), found.left), (0, 6), "three weeks of hours and status");

    let never = "2026-11-01T00:00:00Z".parse().unwrap();
    let (found, all) = compared(&world, &live, never, None);
    assert!(found.as_of.was.is_none() && all.iter().all(|one| one.was.is_none()));
    let at = world.clock.now();
    let view = AsOfView { at, was: never, is: None, targets: vec![found] };
    let mut text = TextTable::new(false);
    view.write(&mut text);
    assert!(text.into_text().starts_with("ibp: nothing was known then."));
}

#[test]
fn a_planner_reads_her_own_words() {
    let mut config = plan_of(3, 4);
    config["plant"]["zone"] = json!("Europe/Berlin");
    let cut = measure("cut", "TWINCAPA", "plan_cut", "value");
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(cut);
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    close_a_day(&mut config);
    let live = world.cycle_under(&config);
    let (found, _) = compared(&world, &live, start(), None);
    let at = world.clock.now();
    let view = AsOfView { at, was: start(), is: None, targets: vec![found] };
    let mut text = TextTable::new(false);
    view.write(&mut text);
    let text = text.into_text();
    let line = |begins: &str| {
        let one_space = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = text.lines().map(one_space).find(|line| line.starts_with(begins));
        found.unwrap_or_else(|| panic!("no {begins} in\n{text}"))
    };
    assert_eq!(line("ibp:"), "ibp: 6 of 57 values are others than then.");
    let sides =
        "then as of 2026-11-25 07:00 (Europe/Berlin); now as of 2026-11-25 08:00 (Europe/Berlin)";
    assert_eq!(line("then as of"), sides);
    // By hand: 24 h at 0.899, 0.898 and 0.897, of figures that were rounded.
    assert_eq!(
        line("TWINCAPALIVE (live) hours"),
        "TWINCAPALIVE (live) hours 15 3 0 0 +0.00 -64.65 -64.65"
    );
    assert_eq!(
        line("1010 LINE-1"),
        "1010 LINE-1 2026-W50 (7 Dec) 151.03 129.46 -21.57 decision -21.57"
    );
    assert!(!text.contains("HUR") && !text.contains("C62"), "{text}");
}
