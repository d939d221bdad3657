//! Why a released figure moved: what people decided, the calendar, and a declared stop,
//! each by itself, although nobody raised a version.

use planthread::{
    pipeline::{Course, Proportion, Traced, gap, parse_cell, plan_moves, trace},
    report::{TextTable, View as _, planned::Planned, plans::Plans},
};
use planthread_contracts::Period;
use planthread_domain::gap::Line;
use planthread_domain::significance::{Cause, Change, Reason};
use planthread_engine::status::Withdrawn;
use planthread_kit::Clock as _;
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    plant::{close_a_day, plan_of},
    world::World,
};

/// The week `2026-W50` of the first line, after `config` was changed by `change`: all that is
/// behind its cell, and how the planner's list says that it moved.
fn changed(mut config: Value, change: impl FnOnce(&mut Value)) -> (Traced, Change) {
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    change(&mut config);
    let live = world.cycle_under(&config);
    let key = parse_cell("ibp/base/LINE-1@1010/2026-W50/live").unwrap();
    let (reader, now) = (live.bridge.reader().unwrap(), world.clock.now());
    let traced = trace(&live.bridge.loaded, &reader, &key, now).unwrap();
    let found = world.clock.block_on(gap::gap(&live.bridge.loaded, &reader, &live.target, now));
    let mut moved = found.unwrap().moved.into_iter();
    let here = |at: &(Line, Period)| &*at.0.line == "LINE-1" && at.1 == key.period;
    let told = moved.find(|(at, _)| here(at)).unwrap().1.change;
    (traced, told)
}

/// The last release of it, after the plant of one machine was changed by `change`.
fn after(change: impl FnOnce(&mut Value)) -> Change {
    let (traced, told) = changed(plan_of(1, 3), |config| change(&mut config["plant"]));
    let change = traced.releases[0].change.clone().unwrap();
    // The planner's list tells the same, and the cell moved by it, in hundredths.
    assert_eq!(told, change);
    let cell = traced.moved.unwrap();
    assert_eq!(cell.not_split, Decimal::ZERO, "{cell:?}");
    assert!(cell.parts.keys().eq(change.parts.keys()), "{cell:?}");
    for (exact, shown) in change.parts.values().zip(cell.parts.values()) {
        assert!((exact - shown).abs() <= Decimal::new(1, 2), "{exact} {shown}");
    }
    // The released figures are those that stand in the cell, before it is rounded.
    assert_eq!(change.to, traced.ledger.cell.unrounded.round_dp(9));
    assert_eq!(change.parts.values().sum::<Decimal>(), change.to - change.from);
    change
}

#[test]
fn a_decision_a_calendar_and_a_stop_are_told_apart_and_have_all_that_they_moved() {
    let day = json!([{ "from": "2026-12-08", "closed": true, "reason": "company holidays",
        "owner": "works council" }]);
    let closed = after(|plant| plant["calendars"][0]["exceptions"] = day);
    // A day of the week, at the availability of 0.899: 24 h × 0.899.
    let part = |cause, hours: &str| [(cause, hours.parse::<Decimal>().unwrap())].into();
    assert_eq!(closed.parts, part(Cause::Decision, "-21.576"));

    let stopped = after(|plant| {
        plant["planned_maintenance"] = json!([{ "resource": "m-1", "reason": "overhaul",
            "start": "2026-12-08T00:00:00Z", "end": "2026-12-08T12:00:00Z", "owner": "M. Huber" }]);
    });
    assert_eq!(stopped.parts, part(Cause::PlannedStop, "-10.788"));

    let shifts = after(|plant| {
        plant["calendars"][0] = json!({ "id": "always", "version": "1", "shifts": [
            { "name": "day", "days": ["mon", "tue", "wed", "thu", "fri"], "start": "00:00",
                "end": "00:00" }] });
    });
    assert_eq!(shifts.parts, part(Cause::Calendar, "-43.152"));

    let worse = after(|plant| plant["resources"][0]["standard_availability"] = json!("0.5"));
    assert_eq!(worse.parts, part(Cause::Trend, "-67.032"));
}

#[test]
fn another_mapping_row_has_what_it_moves_beside_what_was_decided() {
    let of = |decided: bool| {
        changed(plan_of(2, 3), |config| {
            // The second machine, at 0.898, stands behind the line instead of the first, at
            // 0.899: 0.168 h a week.
            let rows = &mut config["targets"]["ibp"]["mapping"]["rows"];
            (rows[0]["source"], rows[1]["source"]) = (json!("m-2"), json!("m-1"));
            if decided {
                close_a_day(config);
            }
        })
    };
    let (traced, told) = of(false);
    let moved = traced.moved.unwrap();
    assert_eq!((moved.words().as_str(), moved.not_split), ("mapping -0.17", Decimal::ZERO));
    assert_eq!((told.from, told.to, told.parts), (moved.from, moved.to, moved.parts));
    // Six days are left: 144 h × 0.898, of which the day has 24 h × 0.898.
    let (traced, told) = of(true);
    let moved = traced.moved.unwrap();
    assert_eq!(moved.words(), "decision -21.55, mapping -0.17");
    assert_eq!((moved.to, &moved.parts), ("129.31".parse().unwrap(), &told.parts));
}

#[test]
fn another_machine_of_a_line_is_another_mapping_without_a_raised_version() {
    let mut config = plan_of(2, 3);
    for machine in config["plant"]["resources"].as_array_mut().unwrap() {
        machine["ideal_cycle_seconds"] = json!("60");
    }
    let stage = |name: &str, machine: &str| json!({ "name": name, "machines": [machine] });
    config["plant"]["lines"] = json!([{ "id": "line", "calendar": "always", "counter": "m-1",
        "ideal_cycle_seconds": "60", "stages": [stage("first", "m-1")] }]);
    config["targets"]["ibp"]["mapping"]["rows"][0]["source"] = json!("line");
    let (traced, told) = changed(config, |config| {
        let line = &mut config["plant"]["lines"][0];
        line["stages"].as_array_mut().unwrap().push(stage("second", "m-2"));
    });
    assert_eq!(traced.releases[0].reason, Reason::Decided);
    let change = traced.releases[0].change.clone().unwrap();
    assert_eq!(change.parts.keys().collect::<Vec<_>>(), [&Cause::Mapping], "{change:?}");
    assert_eq!(told, change);
    assert_eq!(traced.moved.unwrap().parts.keys().collect::<Vec<_>>(), [&Cause::Mapping]);
}

#[test]
fn a_plan_says_what_moves_each_of_its_hours() {
    let mut config = plan_of(1, 3);
    let world = World::new(&config, Options::default());
    world.cycle(&world.open());
    close_a_day(&mut config);
    world.configure(&config);
    world.pass(60);
    let live = world.open();
    let (bridge, target) = (&live.bridge, &live.target);
    let truth = bridge.truth(bridge.as_of()).unwrap();
    let course = Course::Plan { truth: &truth, file: None };
    let targets = std::slice::from_ref(target);
    let done = world.clock.block_on(bridge.walk_all(targets, course)).remove(0);
    let reader = bridge.reader().unwrap();
    let moved = plan_moves(&bridge.loaded, &reader, target, &done.first).unwrap();
    let [one] = moved.as_slice() else { panic!("{moved:?}") };
    assert_eq!(one.cell.to_string(), "ibp/base/LINE-1@1010/2026-W50/live");
    assert_eq!(one.split.words(), "decision -21.57");
    let line = done.first.iter().find(|line| line.cell == one.cell).unwrap();
    assert_eq!((line.seen.unwrap().value, line.value), (Some(one.split.from), one.split.to));
    let (promoted, adopted) = (Vec::new(), Vec::new());
    let (proportion, withdrawn) = (Proportion::default(), Withdrawn::default());
    let plan = Planned::of(done, None, promoted, adopted, proportion, withdrawn).unwrap();
    let plans = Plans { targets: vec![plan.moving(moved)], nothing_ingested: false, audit: None };
    let mut text = TextTable::new(false);
    plans.write(&mut text);
    let text = text.into_text();
    assert!(text.contains("changed: decision -21.57"), "{text}");
}
